//! VAT on services of a supplier in the European Union.
//!
//! The plugin answers which VAT falls on a document: where the service is
//! supplied ([`place`]), who owes the tax, at which rate on which day
//! ([`rates`]), and why, with the article of the law ([`mod@reason`]). The law is
//! Directive 2006/112/EC and Implementing Regulation (EU) 282/2011; national
//! law is cited beside each rate in `rates.csv`.
//!
//! # What is not here
//!
//! Sums and cents: the SDK's `totals`. Asking VIES: the day of a confirmation is
//! an input. Goods, electronic services to consumers (article 58, one-stop
//! shop), services connected with land or events, domestic reverse charges,
//! schemes of small businesses. This is no tax advice.
//!
//! # Where to start
//!
//! [`place::of_supply`] is the decision, [`line::treat`] what follows for a line.

use cambist_sdk::prelude::*;

pub mod line;
pub mod member_states;
pub mod place;
pub mod rates;
pub mod reason;
pub mod settings;
pub mod territory;
pub mod vat_id;

/// The plugin.
pub struct EuVat;

impl Tax for EuVat {
    fn assess(context: &Context, document: Document) -> Result<Assessment> {
        let settings: settings::Settings = context.settings()?;
        let day = rates::Day::of(&document.tax_point)?;
        let supply = place::of_supply(&document, &settings)?;

        let mut totals = Totals::new(&document.currency, settings.rounding, settings.rounding_mode);
        let mut notes = Vec::new();
        for (index, line) in document.lines.iter().enumerate() {
            let class = settings.class_of(line, index)?;
            let taxed = line::treat(&supply, &class, &day, index)?;
            for note in taxed.notes {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            totals.line(index, line, vec![taxed.rate.into()], taxed.reason)?;
        }
        totals.assessment(document.ref_, notes)
    }
}

cambist_sdk::export!(EuVat: tax);
