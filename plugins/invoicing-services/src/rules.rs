//! What one set of terms says of bills: how hours are counted, which lines they make,
//! the minimum, and what becomes of expenses.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;
use serde::Deserialize;

/// The rules of a contract.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Rules {
    /// How hours are counted.
    pub hours: Hours,
    /// What each line of time stands for, beside its contract line and project. Left
    /// out, a contract line makes one line for each project.
    pub lines_by: Vec<LinesBy>,
    /// What a bill with time on it comes to at least, net and without expenses, by
    /// currency. A contract in a currency that is missing here is refused, unless
    /// nothing is here.
    pub minimum_charge: BTreeMap<String, Decimal>,
    /// What becomes of expenses.
    pub expenses: Expenses,
}

/// How hours are counted: what is rounded, to what, and the least of it. Left out,
/// they are taken as they were approved.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Hours {
    /// What is rounded.
    pub per: Per,
    /// Which way.
    pub round: Round,
    /// To multiples of this many hours, such as `"0.25"`; needed unless `round` is
    /// `none`.
    pub step: Option<Decimal>,
    /// What an entry, or a worker's day, counts at least, in hours. Not for corrections
    /// (no hours, or less), and not per line.
    pub minimum: Option<Decimal>,
}

/// What is rounded.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Each entry.
    #[default]
    Entry,
    /// The hours of a worker on a day, as far as they stand on one line of the bill.
    Day,
    /// The sum of a line of the bill.
    Line,
}

/// Which way hours are rounded. Hours that are taken back go the way of those that
/// were given, so that both cancel out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Round {
    /// Not at all.
    #[default]
    None,
    /// To the next step away from zero.
    Up,
    /// To the nearest step; half a step away from zero.
    Nearest,
    /// To the next step towards zero.
    Down,
}

/// What a line of time stands for, beside its contract line and project.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum LinesBy {
    /// One role.
    Role,
    /// One worker, whom the line names.
    Worker,
    /// One day.
    Day,
}

/// What becomes of expenses.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Expenses {
    /// Whether they are billed.
    pub bill: BillExpenses,
    /// Put on what they cost, in percent.
    pub markup_percent: Decimal,
    /// The same for single categories, in the place of `markup-percent`.
    pub markup_by_category: BTreeMap<String, Decimal>,
    /// Whether an expense makes a line, or a category.
    pub lines: ExpenseLines,
    /// Whether they count against the cap of a capped contract.
    pub within_cap: bool,
    /// The tax class of their lines; left out, that of the contract line they name, or
    /// of all contract lines if these have one. Costs that come with a service are taxed
    /// as it is (Directive 2006/112/EC article 78(b)).
    pub tax_class: Option<String>,
}

impl Default for Expenses {
    fn default() -> Self {
        Self {
            bill: BillExpenses::default(),
            markup_percent: 0.into(),
            markup_by_category: BTreeMap::new(),
            lines: ExpenseLines::default(),
            within_cap: true,
            tax_class: None,
        }
    }
}

/// Whether expenses are billed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum BillExpenses {
    /// At cost, and the markup.
    #[default]
    AtCost,
    /// Not at all: the prices include them.
    Included,
}

/// What makes a line of expenses.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum ExpenseLines {
    /// Each expense.
    #[default]
    Each,
    /// Each category of a project and contract line.
    Category,
}

impl Rules {
    /// Whether lines say something of who worked.
    pub fn asks_for_workers(&self) -> bool {
        self.makes_lines_by(LinesBy::Role) || self.makes_lines_by(LinesBy::Worker)
    }

    /// Whether each line of time stands for one of these.
    pub fn makes_lines_by(&self, one: LinesBy) -> bool {
        self.lines_by.contains(&one)
    }

    /// The first setting that cannot be, and why; its name goes on behind an opening
    /// back-quote.
    pub(crate) fn wrong(&self) -> Option<String> {
        let hours = &self.hours;
        let above_zero = |number: &Option<Decimal>| number.is_none_or(|it| it.value() > Amount::ZERO);
        if !above_zero(&hours.step) {
            return Some("hours.step` must be more than 0".to_owned());
        }
        if (hours.round == Round::None) != hours.step.is_none() {
            return Some(
                "hours.step` is needed where `round` is `up`, `nearest` or `down`, and only there".to_owned(),
            );
        }
        if !above_zero(&hours.minimum) {
            return Some("hours.minimum` must be more than 0; leave it out for none".to_owned());
        }
        if hours.per == Per::Line && hours.minimum.is_some() {
            return Some(
                "hours.minimum` is of an entry or a day, not of a line; see `minimum-charge`".to_owned(),
            );
        }
        for (currency, least) in &self.minimum_charge {
            if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Some(format!(
                    "minimum-charge.{currency}` is no currency: write its ISO 4217 code in capitals, such as EUR"
                ));
            }
            if least.value() < Amount::ZERO {
                return Some(format!("minimum-charge.{currency}` must not be less than 0"));
            }
        }
        let expenses = &self.expenses;
        let markups = expenses.markup_by_category.values();
        if markups
            .chain([&expenses.markup_percent])
            .any(|percent| percent.value() < Amount::ZERO)
        {
            return Some("expenses` has a markup of less than 0".to_owned());
        }
        None
    }
}
