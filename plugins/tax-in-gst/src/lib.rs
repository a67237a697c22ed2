//! GST on services of a supplier registered in India.
//!
//! The plugin answers which GST falls on a document: where the service is
//! supplied ([`place`]), hence whether central and state tax or integrated tax is
//! due or the supply is zero rated ([`mod@line`]), at which rate on which day
//! ([`rates`]), and why, with the section of the law. The law is the CGST Act, the
//! IGST Act and the UTGST Act, all of 2017.
//!
//! # What is not here
//!
//! Sums and cents: the SDK's `totals`. Goods, cess, services whose place follows
//! special rules (IGST Act s. 12(3) to (14) and 13(3) to (13)), tax that the
//! customer owes (s. 9(3)), rounding of what is paid to whole rupees (CGST Act
//! s. 170), tax deducted at source. This is no tax advice.
//!
//! # Where to start
//!
//! [`place::of_supply`] is the decision, [`line::treat`] what follows for a line.

use cambist_sdk::prelude::*;

pub mod gstin;
pub mod line;
pub mod place;
pub mod rates;
pub mod settings;
pub mod states;

/// The plugin.
pub struct IndianGst;

impl Tax for IndianGst {
    fn assess(context: &Context, document: Document) -> Result<Assessment> {
        let settings: settings::Settings = context.settings()?;
        let day = rates::Day::of(&document.tax_point)?;
        let supply = place::of_supply(&document, &settings)?;

        let mut totals = Totals::new(&document.currency, settings.rounding, settings.rounding_mode);
        let mut notes = Vec::new();
        for (index, line) in document.lines.iter().enumerate() {
            let class = settings.class_of(line);
            let row = rates::find(settings.table_class(class), &day, index)?;
            let supply = match settings.is_sez(&document.customer, class) {
                true => supply.clone().to_special_economic_zone(),
                false => supply.clone(),
            };
            let taxed = line::treat(&supply, &row, &settings, &document.currency)?;
            if !notes.contains(&taxed.note) {
                notes.push(taxed.note);
            }
            let rates = taxed.rates.into_iter().map(Into::into).collect();
            totals.line(index, line, rates, taxed.reason)?;
        }
        totals.assessment(document.ref_, notes)
    }
}

cambist_sdk::export!(IndianGst: tax);
