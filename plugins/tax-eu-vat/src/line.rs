//! What the place of supply means for one line: rate, reason and notes.

use cambist_sdk::prelude::*;

use crate::{
    place::Supply,
    rates::{self, Day},
    reason,
    settings::{Class, RateClass},
};

/// The tax on a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Taxed {
    /// The rate.
    pub rate: Rate,
    /// Why.
    pub reason: Reason,
    /// What the invoice must say because of it.
    pub notes: Vec<String>,
}

/// Taxes a line of a class, supplied so, on a day.
///
/// # Errors
///
/// The place has no such rate on the day, or the class is exempt at home and
/// nothing is known of it abroad.
pub fn treat(supply: &Supply, class: &Class, day: &Day, index: usize) -> Result<Taxed> {
    match supply {
        Supply::Domestic { state, .. } if class.rate == RateClass::Exempt => Ok(Taxed {
            rate: untaxed(Treatment::Exempt),
            reason: reason::exempt(state),
            notes: vec!["Exempt from VAT".to_owned()],
        }),
        Supply::Domestic { rates_of, .. } => at_rate(supply, rates_of, class, day, index),
        Supply::ReverseCharge { .. } if class.rate == RateClass::Exempt => Err(invalid(
            format!("document.lines[{index}].tax-class"),
            "is exempt at home, and this plugin does not know whether it is in the customer's member state; \
             have the line taxed by hand",
        )),
        Supply::ReverseCharge { from, to, confirmed } => {
            let mut notes = vec!["Reverse charge".to_owned()];
            if from.reverse_charge != "Reverse charge" {
                notes.push(from.reverse_charge.to_owned());
            }
            Ok(Taxed {
                rate: untaxed(Treatment::ReverseCharge),
                reason: reason::reverse_charge(to, confirmed.as_deref()),
                notes,
            })
        }
        Supply::BusinessOutside { own_law } => Ok(outside(reason::business_outside(*own_law), "44")),
        Supply::ConsumerOutside { own_law, .. } if class.listed => {
            Ok(outside(reason::consumer_outside(*own_law), "59"))
        }
        Supply::ConsumerOutside { rates_of, .. } => at_rate(supply, rates_of, class, day, index),
    }
}

fn at_rate(supply: &Supply, place: &str, class: &Class, day: &Day, index: usize) -> Result<Taxed> {
    let row = class
        .rate
        .name()
        .and_then(|name| rates::find(place, name, day))
        .ok_or_else(|| {
            invalid(
                format!("document.lines[{index}].tax-class"),
                format!(
                    "{place} has no such rate on the tax point; map the class to another rate in the settings"
                ),
            )
        })?;
    let treatment = match class.rate {
        RateClass::Standard => Treatment::Standard,
        _ => Treatment::Reduced,
    };
    Ok(Taxed {
        rate: vat(treatment, row.percent.parse()?),
        reason: reason::at_home(supply, &row),
        notes: Vec::new(),
    })
}

fn outside(reason: Reason, article: &str) -> Taxed {
    Taxed {
        rate: untaxed(Treatment::OutsideScope),
        reason,
        notes: vec![format!(
            "Not subject to VAT: supplied outside the European Union, article {article} Directive 2006/112/EC"
        )],
    }
}

fn untaxed(treatment: Treatment) -> Rate {
    vat(treatment, 0.into())
}

fn vat(treatment: Treatment, percent: Decimal) -> Rate {
    Rate::percent("VAT", treatment, percent)
}
