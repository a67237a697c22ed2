//! Where a service is supplied, and who owes the tax on it.
//!
//! | customer | is | place of supply | tax |
//! |---|---|---|---|
//! | in the supplier's state | anybody | there (44, 45) | its rates |
//! | in another member state | business with a VAT id | the customer's (44) | the customer owes it (196) |
//! | in another member state | consumer | the supplier's (45) | the supplier's rates |
//! | outside the VAT area | business | the customer's (44) | none |
//! | outside the VAT area | consumer | listed services: the customer's (59); others: the supplier's (45) | none; the supplier's rates |
//!
//! A part of the supplier's own state outside the VAT area is abroad only where the
//! state's own law says so; else it is for a person to look at.
//!
//! A business without a VAT id in another member state is for a person to look
//! at, unless the settings say that it is taxed as a consumer.

use cambist_sdk::prelude::*;

use crate::{
    member_states::MemberState,
    settings::{Confirmation, Settings, WithoutVatId},
    territory::{self, Territory},
    vat_id,
};

/// The path of the customer's VAT id, as the person who puts it right knows it.
const TAX_ID: &str = "account.tax-id";

/// Where the service is supplied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Supply {
    /// In the supplier's member state.
    Domestic {
        /// The supplier's state.
        state: &'static MemberState,
        /// Whose rates apply there.
        rates_of: &'static str,
        /// Why it is there.
        why: Domestic,
    },
    /// In another member state, where the customer owes the tax.
    ReverseCharge {
        /// The supplier's state.
        from: &'static MemberState,
        /// The customer's state.
        to: &'static MemberState,
        /// The day on which VIES confirmed the customer's id.
        confirmed: Option<String>,
    },
    /// Outside the VAT area, to a business.
    BusinessOutside {
        /// The national law, where that is in a part of the supplier's own state.
        own_law: Option<&'static str>,
    },
    /// To a consumer outside the VAT area; where it is supplied depends on the
    /// class of the service.
    ConsumerOutside {
        /// Whose rates apply to services that article 59 does not list.
        rates_of: &'static str,
        /// The national law, where that is in a part of the supplier's own state.
        own_law: Option<&'static str>,
    },
}

/// Why a service is supplied at home.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Domestic {
    /// The customer is a business in the same state.
    Business,
    /// The customer is a consumer in the Union.
    Consumer,
    /// The customer is a business that has given no VAT id.
    BusinessWithoutId,
}

/// Decides on a document.
///
/// # Errors
///
/// The supplier is not in the VAT area, the customer has no country or is in a
/// part of the supplier's state with rules of its own, or a VAT id that the decision rests on is missing, malformed or of another state.
pub fn of_supply(document: &Document, settings: &Settings) -> Result<Supply> {
    let supplier = territory::of(&document.supplier.address, "document.supplier.address")?;
    let Territory::Inside {
        state: home,
        rates_of: home_rates,
    } = supplier
    else {
        return Err(invalid(
            "document.supplier.address.country",
            "must be in the VAT area of the European Union; bind another tax plugin for this supplier",
        ));
    };
    let customer = territory::of(&document.customer.address, "account.billing")?;
    let at_home = |rates_of, why| Supply::Domestic {
        state: home,
        rates_of,
        why,
    };

    match (customer, document.customer.business) {
        (Territory::Inside { state, rates_of }, true) if state == home => Ok(at_home(
            rates_within(home, home_rates, rates_of),
            Domestic::Business,
        )),
        (Territory::Inside { .. }, false) => Ok(at_home(home_rates, Domestic::Consumer)),
        (Territory::Inside { state, .. }, true) => match &document.customer.tax_id {
            Some(id) => {
                reverse_charge_needs_ids(document, settings, home, state, id)?;
                Ok(Supply::ReverseCharge {
                    from: home,
                    to: state,
                    confirmed: document.customer.tax_id_confirmed.clone(),
                })
            }
            None if settings.without_vat_id == WithoutVatId::AsConsumer => {
                Ok(at_home(home_rates, Domestic::BusinessWithoutId))
            }
            None => Err(invalid(
                TAX_ID,
                "is required of a business in another member state; enter its VAT id, or mark it as a consumer",
            )),
        },
        (Territory::Outside { part_of }, true) => Ok(Supply::BusinessOutside {
            own_law: own_law(home, part_of)?,
        }),
        (Territory::Outside { part_of }, false) => Ok(Supply::ConsumerOutside {
            rates_of: home_rates,
            own_law: own_law(home, part_of)?,
        }),
    }
}

/// The national law by which a part of the supplier's own state is abroad; none
/// for what is not a part of it.
///
/// The Directive only takes such a part out of its own territory. What falls there
/// on a supply from the same state is that state's to say, and not every state says
/// that nothing does.
fn own_law(home: &MemberState, part_of: Option<&'static MemberState>) -> Result<Option<&'static str>> {
    if part_of != Some(home) {
        return Ok(None);
    }
    territory::outside_by_own_law(home).map(Some).ok_or_else(|| {
        invalid(
            "account.billing",
            format!(
                "is in a part of {} outside the VAT area of the Union, where {} has rules of its own for its own \
                 suppliers; this plugin has no row for them: have the order taxed by hand",
                home.code, home.code
            ),
        )
    })
}

/// Whose rates apply between two places of one state. Portugal looks at the
/// place of supply (CIVA article 18(3)), Austria at where the supplier is (UStG
/// §10(4)).
fn rates_within(home: &MemberState, supplier: &'static str, customer: &'static str) -> &'static str {
    match home.code {
        "PT" => customer,
        _ => supplier,
    }
}

/// Both ids must stand on the invoice (article 226(3) and (4)), and the
/// customer's proves that it is a taxable person (Regulation 282/2011 article 18).
fn reverse_charge_needs_ids(
    document: &Document,
    settings: &Settings,
    home: &MemberState,
    state: &MemberState,
    id: &str,
) -> Result<()> {
    vat_id::check(id, state).map_err(|wrong| invalid(TAX_ID, wrong.rule(state)))?;
    if settings.confirmation == Confirmation::Required && document.customer.tax_id_confirmed.is_none() {
        return Err(invalid(
            "account.tax-id-confirmed",
            "is required by the settings; have the VAT id confirmed in VIES",
        ));
    }
    let supplier_id = "document.supplier.tax-id";
    let own = document.supplier.tax_id.as_deref().ok_or_else(|| {
        invalid(
            supplier_id,
            "is required where the customer owes the tax (article 226(3)); enter the supplier's VAT id",
        )
    })?;
    vat_id::check(own, home).map_err(|wrong| invalid(supplier_id, wrong.rule(home)))
}
