//! Where a service is supplied, and so whose tax it is.
//!
//! The place of supply of services between parties in India is (IGST Act s. 12(2)):
//!
//! 1. to a registered customer: its location, which is the state of its GSTIN;
//! 2. to any other: its location, where the records hold its address;
//! 3. else the supplier's location.
//!
//! To a customer outside India it is the customer's location (s. 13(2)).
//! Supplier and place in one state make an intra-state supply (s. 8(2)), else it
//! is inter-state (s. 7); so is every supply to or by a unit or developer in a
//! special economic zone (s. 7(5)(b)).

use cambist_sdk::prelude::*;

use crate::{
    gstin,
    settings::Settings,
    states::{State, by_iso},
};

/// Where the service is supplied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Supply {
    /// In the supplier's own state.
    IntraState(&'static State, Found),
    /// In another state.
    InterState(&'static State, Found),
    /// By a unit or developer in a special economic zone to somebody in India who is
    /// in none: always inter-state as well.
    FromSpecialEconomicZone(&'static State, Found),
    /// To a unit or developer in a special economic zone: always inter-state
    /// (IGST Act s. 7(5)(b)).
    SpecialEconomicZone,
    /// Outside India.
    Abroad,
}

/// How the place was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found {
    /// By the customer's registration.
    Registration,
    /// By the address on record.
    Address,
    /// By the supplier's location, for want of an address.
    Supplier,
}

impl Supply {
    /// The same supply, to a special economic zone; one abroad stays abroad.
    #[must_use]
    pub fn to_special_economic_zone(self) -> Self {
        match self {
            Self::Abroad => Self::Abroad,
            _ => Self::SpecialEconomicZone,
        }
    }
}

/// Decides on a document.
///
/// # Errors
///
/// The supplier has no valid GSTIN, the customer's is none, or an address in
/// India lacks its state.
pub fn of_supply(document: &Document, settings: &Settings) -> Result<Supply> {
    let home = suppliers_state(&document.supplier)?;
    let customer = &document.customer;
    let country = customer
        .address
        .country
        .as_deref()
        .required("account.billing.country")?;
    if country != "IN" {
        // other countries have tax ids too, but a GSTIN is of a place in India
        return match customer.tax_id.as_deref().and_then(gstin::state_of) {
            None => Ok(Supply::Abroad),
            Some(_) => Err(invalid(
                "account.billing.country",
                "must be IN for a customer with a GSTIN; give the address that the GSTIN is registered for",
            )),
        };
    }
    let (place, found) = match &customer.tax_id {
        Some(id) => {
            let state = gstin::state_of(id).ok_or_else(|| invalid("account.tax-id", gstin::RULE))?;
            (state, Found::Registration)
        }
        None => match state_on_record(&customer.address)? {
            Some(state) => (state, Found::Address),
            None => (home, Found::Supplier),
        },
    };
    Ok(match (settings.supplier_in_sez, place == home) {
        (true, _) => Supply::FromSpecialEconomicZone(place, found),
        (false, true) => Supply::IntraState(place, found),
        (false, false) => Supply::InterState(place, found),
    })
}

/// The state of the registration from which the service is supplied (IGST Act
/// s. 2(15)). Who is not registered may not collect tax (CGST Act s. 32).
fn suppliers_state(supplier: &Party) -> Result<&'static State> {
    let field = "document.supplier.tax-id";
    let gstin = supplier.tax_id.as_deref().ok_or_else(|| {
        invalid(
            field,
            "is required: who is not registered may not collect GST (CGST Act s. 32); enter the GSTIN",
        )
    })?;
    let state = gstin::state_of(gstin).ok_or_else(|| invalid(field, gstin::RULE))?;
    let other = match supplier.address.subdivision.as_deref() {
        Some(iso) => by_iso(iso) != Some(state),
        None => false,
    };
    if other {
        return Err(invalid(
            "document.supplier.address.subdivision",
            "must be the state of the supplier's GSTIN; give the GSTIN of the place that supplies",
        ));
    }
    Ok(state)
}

/// The state of an address; none when there is no address to speak of.
fn state_on_record(address: &Address) -> Result<Option<&'static State>> {
    let field = "account.billing.subdivision";
    if let Some(iso) = address.subdivision.as_deref() {
        let rule = "must be the ISO 3166-2 code of a state or union territory of India, such as IN-MH";
        return by_iso(iso).map(Some).ok_or_else(|| invalid(field, rule));
    }
    match (&address.street, &address.city, &address.postcode) {
        (None, None, None) => Ok(None),
        _ => Err(invalid(
            field,
            "is required of a customer in India without a GSTIN: the state decides between CGST with SGST and IGST",
        )),
    }
}
