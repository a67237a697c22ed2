//! From taxed lines to the totals of a document: where the cents are rounded.
//!
//! A tax plugin decides which rates fall on a line and why; the sums are the
//! same everywhere and are made here. Not here: which rates those are.
//!
//! ```
//! use cambist_sdk::prelude::*;
//!
//! fn assess(document: Document) -> Result<Assessment> {
//!     let nineteen = Rate::percent("VAT", Treatment::Standard, 19.into());
//!     let mut totals = Totals::new(&document.currency, RoundingMethod::PerDocument, Rounding::HalfUp);
//!     for (index, line) in document.lines.iter().enumerate() {
//!         totals.line(index, line, vec![nineteen.clone().into()], reason("standard", "the standard rate"))?;
//!     }
//!     totals.assessment(document.ref_, Vec::new())
//! }
//! ```

use crate::{
    decimal::{Amount, Exact as _, dec},
    fault::{Required as _, invalid},
    money::{Rounding, round_to_currency},
    plugin::DocumentLine,
    prelude::{
        AppliedRate, Assessment, Decimal, EntityRef, Fault, LineTax, Rate, Reason, TaxTotal, Treatment,
    },
};

/// At which step a tax is rounded to the currency. Both are usual and both are
/// lawful in most places; they differ by cents, so a region says which it uses
/// and the books must use the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoundingMethod {
    /// Lines are summed unrounded; the net amount, and the base and the tax of
    /// each rate, are rounded once. Odoo calls it `round_globally`.
    ///
    /// Each line still shows its own rounded net amount, and these may sum to
    /// some cents more or less than the document's: three lines of 1.075 show
    /// 1.08 each, the document 3.23. Likewise the bases of two rates may sum to
    /// a cent more or less than the net amount. Odoo 19 answers the same.
    PerDocument,
    /// The net amount and the tax of each line are rounded, then summed. Odoo
    /// calls it `round_per_line`.
    PerLine,
}

/// The amount of a line before rounding: `quantity × unit-price × (1 − discount)`.
///
/// # Errors
///
/// [`Fault::Invalid`] when the discount is not between 0 and 100 percent, or
/// when the product has more than 28 digits. `path` is how faults call the
/// line, such as `document.lines[2]`.
pub fn line_amount(
    quantity: Amount,
    unit_price: Amount,
    discount_percent: Option<Amount>,
    path: &str,
) -> Result<Amount, Fault> {
    let discount = discount_percent.unwrap_or_default();
    if discount < Amount::ZERO || discount > dec!(100) {
        return Err(invalid(
            format!("{path}.discount-percent"),
            "must be from 0 to 100",
        ));
    }
    quantity
        .checked_mul(unit_price)
        .and_then(|amount| amount.checked_mul(Amount::ONE - discount / dec!(100)))
        .ok_or_else(|| too_large(path))
}

/// The totals of a document while its lines are added.
#[derive(Clone, Debug)]
pub struct Totals {
    currency: String,
    method: RoundingMethod,
    rounding: Rounding,
    net: Amount,
    lines: Vec<LineTax>,
    sums: Vec<Sum>,
}

/// What one tax at one rate has come to: unrounded or rounded, as the method says.
#[derive(Clone, Debug)]
struct Sum {
    rate: Rate,
    base: Amount,
    tax: Amount,
}

impl Totals {
    /// No lines yet.
    pub fn new(currency: &str, method: RoundingMethod, rounding: Rounding) -> Self {
        Self {
            currency: currency.to_owned(),
            method,
            rounding,
            net: Amount::ZERO,
            lines: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// Adds a line with the rates that fall on it, each on the line's net amount,
    /// or on the base that it names. A rate with an amount of its own is not computed.
    ///
    /// A [`Treatment::Withholding`] is written with its positive percentage and
    /// counts against what is paid. Nothing is charged where the customer owes the
    /// tax, or nobody does, whatever the percentage says.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`] as [`line_amount`], and for a rate with neither percentage
    /// nor amount; the line is called `document.lines[index]`.
    pub fn line(
        &mut self,
        index: usize,
        line: &DocumentLine,
        rates: Vec<AppliedRate>,
        reason: Reason,
    ) -> Result<(), Fault> {
        let path = format!("document.lines[{index}]");
        let discount = line.discount_percent.map(|percent| percent.value());
        let amount = line_amount(line.quantity.value(), line.unit_price.value(), discount, &path)?;
        let net = self.round(amount);
        let base = match self.method {
            RoundingMethod::PerDocument => amount,
            RoundingMethod::PerLine => net,
        };
        self.net = add(self.net, base, &path)?;
        for applied in &rates {
            let rate = &applied.rate;
            let base = applied.base.map_or(base, |base| base.value());
            let tax = tax(applied, base, &path)?;
            let tax = match self.method {
                RoundingMethod::PerDocument => tax,
                RoundingMethod::PerLine => self.round(tax),
            };
            match self.sums.iter_mut().find(|sum| sum.rate == *rate) {
                Some(sum) => {
                    sum.base = add(sum.base, base, &path)?;
                    sum.tax = add(sum.tax, tax, &path)?;
                }
                None => self.sums.push(Sum {
                    rate: rate.clone(),
                    base,
                    tax,
                }),
            }
        }
        self.lines.push(LineTax {
            line: line.id.clone(),
            net: net.exact()?,
            rates,
            reason,
        });
        Ok(())
    }

    /// The answer: totals in the order in which their rates first occurred.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`] when there is no line; [`Fault::Broken`] when a sum
    /// has more digits than the contract carries.
    pub fn assessment(self, document: EntityRef, notes: Vec<String>) -> Result<Assessment, Fault> {
        if self.lines.is_empty() {
            return Err(invalid("document.lines", "must hold at least one line"));
        }
        let net = self.round(self.net);
        let (mut tax, mut withheld) = (Amount::ZERO, Amount::ZERO);
        let mut totals = Vec::with_capacity(self.sums.len());
        for sum in &self.sums {
            let amount = self.round(sum.tax);
            match sum.rate.treatment {
                Treatment::Withholding => withheld += amount,
                _ => tax += amount,
            }
            totals.push(TaxTotal {
                rate: sum.rate.clone(),
                base: self.round(sum.base).exact()?,
                amount: amount.exact()?,
            });
        }
        Ok(Assessment {
            ref_: document,
            currency: self.currency,
            lines: self.lines,
            totals,
            net: net.exact()?,
            tax: tax.exact()?,
            gross: (net + tax).exact()?,
            payable: (net + tax + withheld).exact()?,
            notes,
        })
    }

    fn round(&self, amount: Amount) -> Amount {
        round_to_currency(amount, &self.currency, self.rounding)
    }
}

/// The tax of one rate on one line, unrounded where it is computed.
fn tax(applied: &AppliedRate, base: Amount, path: &str) -> Result<Amount, Fault> {
    if let Some(amount) = applied.amount {
        return Ok(amount.value());
    }
    let sign = match applied.rate.treatment {
        Treatment::ReverseCharge
        | Treatment::IntraCommunity
        | Treatment::Exempt
        | Treatment::OutsideScope => Amount::ZERO,
        Treatment::Withholding => -Amount::ONE,
        Treatment::Standard | Treatment::Reduced | Treatment::Zero | Treatment::Exported => Amount::ONE,
    };
    let percent = applied
        .rate
        .percent
        .required(format!("{path}: the rate's percent"))?;
    let tax = base.checked_mul(percent.value()).ok_or_else(|| too_large(path))?;
    Ok(sign * tax / dec!(100))
}

impl Rate {
    /// A tax in percent, of no jurisdiction in particular.
    pub fn percent(code: impl Into<String>, treatment: Treatment, percent: Decimal) -> Self {
        Self {
            code: code.into(),
            jurisdiction: None,
            treatment,
            percent: Some(percent),
        }
    }
}

/// On the whole line, to be computed.
impl From<Rate> for AppliedRate {
    fn from(rate: Rate) -> Self {
        Self {
            rate,
            base: None,
            amount: None,
        }
    }
}

fn add(sum: Amount, more: Amount, path: &str) -> Result<Amount, Fault> {
    sum.checked_add(more).ok_or_else(|| too_large(path))
}

fn too_large(path: &str) -> Fault {
    invalid(
        path,
        "quantity times price has more digits than an amount can have; use fewer",
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::prelude::{Decimal, EntityKind, reason};

    fn line(price: &str) -> DocumentLine {
        DocumentLine {
            id: price.to_owned(),
            name: String::new(),
            quantity: 1.into(),
            unit_price: price.parse().unwrap(),
            discount_percent: None,
            tax_class: None,
            performed_at: None,
            extra: Vec::new(),
        }
    }

    fn rate(treatment: Treatment, percent: i64) -> Rate {
        Rate::percent("VAT", treatment, percent.into())
    }

    fn assess(method: RoundingMethod, lines: &[(&str, &[Rate])]) -> Assessment {
        let mut totals = Totals::new("EUR", method, Rounding::HalfUp);
        for (index, (price, rates)) in lines.iter().enumerate() {
            totals
                .line(
                    index,
                    &line(price),
                    rates.iter().cloned().map(Into::into).collect(),
                    reason("test", "a test"),
                )
                .unwrap();
        }
        totals
            .assessment(EntityRef::new(EntityKind::Contract, "test", "1"), Vec::new())
            .unwrap()
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// Measured on Odoo 19: the net amount is rounded once, the bases each.
    #[test]
    fn bases_of_two_rates_may_miss_the_net_amount_by_a_cent_per_document() {
        let (nineteen, seven) = (rate(Treatment::Standard, 19), rate(Treatment::Reduced, 7));
        let lines: [(&str, &[Rate]); 2] = [("1.004", &[nineteen]), ("1.004", &[seven])];
        let globally = assess(RoundingMethod::PerDocument, &lines);
        assert_eq!((globally.net, globally.gross), (decimal("2.01"), decimal("2.27")));
        let per_line = assess(RoundingMethod::PerLine, &lines);
        assert_eq!((per_line.net, per_line.gross), (decimal("2.00"), decimal("2.26")));
    }

    /// Italy: a fee of 750 bears 22 % and 20 % are withheld; from the tests of
    /// Odoo's `l10n_it_edi`.
    #[test]
    fn what_is_withheld_counts_against_the_payment_and_not_against_the_tax() {
        let rates = [rate(Treatment::Standard, 22), rate(Treatment::Withholding, 20)];
        let answer = assess(RoundingMethod::PerLine, &[("750", &rates)]);
        assert_eq!((answer.tax, answer.gross), (decimal("165"), decimal("915")));
        assert_eq!(answer.payable, decimal("765"));
        assert_eq!(
            answer.totals.get(1).map(|total| total.amount),
            Some(decimal("-150"))
        );
    }

    /// Brazil's reduced base, a fixed duty beside it, and a tax that the customer owes.
    #[test]
    fn a_base_or_an_amount_of_its_own_goes_before_what_is_computed() {
        let mut totals = Totals::new("EUR", RoundingMethod::PerDocument, Rounding::HalfUp);
        let reduced = AppliedRate {
            base: Some(decimal("60")),
            ..rate(Treatment::Standard, 10).into()
        };
        let duty = AppliedRate {
            rate: Rate {
                percent: None,
                ..rate(Treatment::Standard, 0)
            },
            base: None,
            amount: Some(decimal("2.5")),
        };
        let owed = rate(Treatment::ReverseCharge, 19).into();
        let rates = vec![reduced, duty.clone(), owed];
        totals
            .line(0, &line("100"), rates, reason("test", "a test"))
            .unwrap();
        let answer = totals
            .assessment(EntityRef::new(EntityKind::Contract, "test", "1"), Vec::new())
            .unwrap();
        let told: Vec<(Decimal, Decimal)> = answer.totals.iter().map(|it| (it.base, it.amount)).collect();
        let expected = [("60", "6"), ("100", "2.5"), ("100", "0")];
        assert_eq!(
            told,
            expected.map(|(base, amount)| (decimal(base), decimal(amount)))
        );
        assert_eq!((answer.tax, answer.gross), (decimal("8.5"), decimal("108.5")));

        let mut totals = Totals::new("EUR", RoundingMethod::PerDocument, Rounding::HalfUp);
        let neither = AppliedRate { amount: None, ..duty };
        let answer = totals.line(0, &line("100"), vec![neither], reason("test", "a test"));
        assert!(matches!(answer, Err(Fault::Invalid(_))));
    }

    #[test]
    fn a_document_without_lines_is_refused() {
        let totals = Totals::new("EUR", RoundingMethod::PerLine, Rounding::HalfUp);
        let answer = totals.assessment(EntityRef::new(EntityKind::Contract, "test", "1"), Vec::new());
        assert!(answer.is_err());
    }

    #[test]
    fn amounts_beyond_28_digits_are_a_fault_and_no_panic() {
        let huge = Amount::MAX;
        assert!(line_amount(huge, huge, None, "line").is_err());
        assert!(line_amount(dec!(1), dec!(1), Some(dec!(100.1)), "line").is_err());
        assert!(line_amount(dec!(1), dec!(1), Some(dec!(-1)), "line").is_err());
    }
}
