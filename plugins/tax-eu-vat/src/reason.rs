//! Why a line is taxed as it is, with the article of the law.
//!
//! The codes are what reports group by; do not rename one.

use cambist_sdk::prelude::*;

use crate::{
    member_states::MemberState,
    place::{Domestic, Supply},
    rates::Row,
};

const DIRECTIVE: &str = "Directive 2006/112/EC";

/// Taxed at one of the home state's rates.
pub fn at_home(supply: &Supply, row: &Row) -> Reason {
    let rate = format!("{} rate of {}: {} %", row.class, row.place, row.percent);
    let (code, why, article) = match supply {
        Supply::Domestic {
            why: Domestic::Business,
            ..
        } => (
            "domestic",
            "supplier and customer are in the same member state",
            "44",
        ),
        Supply::Domestic {
            why: Domestic::Consumer,
            ..
        } => (
            "consumer",
            "a service to a consumer is supplied where the supplier is",
            "45",
        ),
        Supply::Domestic {
            why: Domestic::BusinessWithoutId,
            ..
        } => (
            "no-vat-id",
            "a business that gave no VAT id is taxed as a consumer, where the supplier is",
            "45; Regulation (EU) 282/2011 art. 18(2)",
        ),
        _ => (
            "consumer-outside-eu",
            "article 59 does not list this service, so it is supplied where the supplier is",
            "45",
        ),
    };
    reason(code, format!("{why}; {rate}")).by(format!("{DIRECTIVE} art. {article}; {}", row.source))
}

/// Exempt at home.
pub fn exempt(state: &MemberState) -> Reason {
    reason(
        "exempt",
        format!("the settings list this class as exempt in {}", state.code),
    )
    .by(format!("{DIRECTIVE} art. 132 and 135"))
}

/// The customer owes the tax.
pub fn reverse_charge(to: &MemberState, confirmed: Option<&str>) -> Reason {
    let evidence = match confirmed {
        Some(day) => format!("its VAT id was confirmed on {day}"),
        None => "its VAT id is well formed and not yet confirmed in VIES".to_owned(),
    };
    reason(
        "reverse-charge",
        format!(
            "supplied in {}, where the business customer owes the tax; {evidence}",
            to.code
        ),
    )
    .by(format!(
        "{DIRECTIVE} art. 44 and 196; Regulation (EU) 282/2011 art. 18(1)"
    ))
}

/// Supplied to a business outside the VAT area.
pub fn business_outside(own_law: Option<&str>) -> Reason {
    reason(
        "outside-eu",
        "supplied where the business customer is, outside the VAT area of the European Union",
    )
    .by(and(
        format!("{DIRECTIVE} art. 44; Regulation (EU) 282/2011 art. 18(3)"),
        own_law,
    ))
}

/// A listed service to a consumer outside the VAT area.
pub fn consumer_outside(own_law: Option<&str>) -> Reason {
    reason(
        "outside-eu",
        "a service listed in article 59, supplied where the consumer is, outside the VAT area of the European Union",
    )
    .by(and(format!("{DIRECTIVE} art. 59"), own_law))
}

/// With the national law by which a part of the supplier's own state is abroad.
fn and(basis: String, own_law: Option<&str>) -> String {
    match own_law {
        Some(law) => format!("{basis}; {law}"),
        None => basis,
    }
}
