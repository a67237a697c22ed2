//! What the place of supply means for one line: taxes, reason and note.

use cambist_sdk::prelude::*;

use crate::{
    place::{Found, Supply},
    rates::Row,
    settings::Settings,
};

/// The tax on a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Taxed {
    /// CGST and SGST or UTGST, or IGST.
    pub rates: Vec<Rate>,
    /// Why.
    pub reason: Reason,
    /// What the invoice must say (CGST Rules, rule 46).
    pub note: String,
}

/// Taxes a line at a row's rate, supplied so.
///
/// # Errors
///
/// None today: the row's percent is a number, which a test sees to.
pub fn treat(supply: &Supply, row: &Row, settings: &Settings, currency: &str) -> Result<Taxed> {
    let whole: Amount = row
        .percent
        .parse()
        .map_err(|_| broken("rates.csv: a percent is no number"))?;
    let rate = |code: &str, treatment, percent: Amount| -> Result<Rate> {
        Ok(Rate::percent(code, treatment, percent.exact()?))
    };
    match supply {
        Supply::IntraState(place, found) => {
            // Each half is computed on its own, so that the two are equal.
            let half = whole / dec!(2);
            let local = if place.utgst { "UTGST" } else { "SGST" };
            Ok(Taxed {
                rates: vec![rate("CGST", row.treatment(), half)?, rate(local, row.treatment(), half)?],
                reason: reason(
                    "intra-state",
                    format!("{}, {}, which is the supplier's own state", place_text(*found), place.name),
                )
                .by(format!(
                    "IGST Act s. 8(2) and {}; CGST Act s. 9(1); {local} Act{}; {}",
                    section(*found),
                    if place.utgst { " s. 7(1)" } else { "" },
                    row.source
                )),
                note: place_note(place.name, place.code),
            })
        }
        Supply::InterState(place, found) => Ok(Taxed {
            rates: vec![rate("IGST", row.treatment(), whole)?],
            reason: reason(
                "inter-state",
                format!("{}, {}, which is another state than the supplier's", place_text(*found), place.name),
            )
            .by(format!(
                "IGST Act s. 5(1), 7(3) and {}; {}",
                section(*found),
                row.source
            )),
            note: place_note(place.name, place.code),
        }),
        Supply::FromSpecialEconomicZone(place, found) => Ok(Taxed {
            rates: vec![rate("IGST", row.treatment(), whole)?],
            reason: reason(
                "from-special-economic-zone",
                format!(
                    "{}, {}; the supplier is in a special economic zone, whose supplies are all inter-state",
                    place_text(*found),
                    place.name
                ),
            )
            .by(format!(
                "IGST Act s. 5(1), 7(5)(b) and {}; {}",
                section(*found),
                row.source
            )),
            note: place_note(place.name, place.code),
        }),
        // s. 2(6)(iv): without foreign exchange it is no export, but an
        // inter-state supply all the same
        Supply::Abroad if currency == "INR" && !settings.rupee_exports => Ok(Taxed {
            rates: vec![rate("IGST", row.treatment(), whole)?],
            reason: reason(
                "abroad-in-rupees",
                "supplied outside India and paid in rupees, which is no export of services unless the Reserve Bank \
                 permits it",
            )
            .by(format!("IGST Act s. 2(6)(iv), 5(1), 7(5)(a) and 13(2); {}", row.source)),
            note: "Place of supply: outside India (96)".to_owned(),
        }),
        Supply::Abroad | Supply::SpecialEconomicZone => {
            let (code, what, to, basis) = match supply {
                Supply::Abroad => ("export", "an export of services", "SUPPLY MEANT FOR EXPORT", "2(6), 13(2) and 16(1)(a)"),
                _ => (
                    "special-economic-zone",
                    "a supply to a special economic zone for its authorised operations",
                    "SUPPLY TO SEZ UNIT OR SEZ DEVELOPER FOR AUTHORISED OPERATIONS",
                    "7(5)(b) and 16(1)(b)",
                ),
            };
            if settings.letter_of_undertaking {
                Ok(Taxed {
                    rates: vec![rate("IGST", Treatment::Exported, Amount::ZERO)?],
                    reason: reason(
                        &format!("{code}-without-tax"),
                        format!("{what}, zero rated under the supplier's letter of undertaking"),
                    )
                    .by(format!("IGST Act s. {basis}, 16(3); CGST Rules, rule 96A")),
                    note: format!(
                        "{to} UNDER BOND OR LETTER OF UNDERTAKING WITHOUT PAYMENT OF INTEGRATED TAX"
                    ),
                })
            } else {
                // zero rated all the same: the books must tell it from a supply in India
                Ok(Taxed {
                    rates: vec![rate("IGST", Treatment::Exported, whole)?],
                    reason: reason(
                        &format!("{code}-with-tax"),
                        format!("{what}; without a letter of undertaking the tax is paid and claimed back"),
                    )
                    .by(format!(
                        "IGST Act s. {basis}, 16(4); Notification 1/2023-Integrated Tax; {}",
                        row.source
                    )),
                    note: format!("{to} ON PAYMENT OF INTEGRATED TAX"),
                })
            }
        }
    }
}

fn place_text(found: Found) -> &'static str {
    match found {
        Found::Registration => "supplied where the customer is registered",
        Found::Address => "supplied at the address on record of an unregistered customer",
        Found::Supplier => "supplied where the supplier is, as there is no address on record",
    }
}

fn section(found: Found) -> &'static str {
    match found {
        Found::Registration => "12(2)(a)",
        Found::Address => "12(2)(b)(i)",
        Found::Supplier => "12(2)(b)(ii)",
    }
}

fn place_note(name: &str, code: &str) -> String {
    format!("Place of supply: {name} ({code})")
}
