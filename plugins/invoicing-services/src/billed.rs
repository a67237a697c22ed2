//! What was billed before, by the rule of `invoicing.billable`: a thing is billed as long
//! as more invoices name it than credit notes do; drafts count, cancelled ones do not.

use std::collections::{BTreeMap, BTreeSet};

use cambist_sdk::prelude::*;

use crate::{amounts, terms::Terms};

/// An entity's name in a form that can be sorted: its system and id.
pub type Key<'a> = (&'a str, &'a str);

/// The key of a name.
pub fn key(name: &EntityRef) -> Key<'_> {
    (&name.system, &name.id)
}

/// What was billed before.
#[derive(Debug)]
pub struct Billed<'a> {
    /// How many more invoices than credit notes name time.
    timesheets: BTreeMap<Key<'a>, i64>,
    /// The same of expenses.
    expenses: BTreeMap<Key<'a>, i64>,
    /// What bills say of milestones.
    milestones: Vec<Of<'a>>,
    /// The bills of this contract that are not cancelled.
    bills: Vec<(Amount, &'a Invoice)>,
}

/// What one bill says of one milestone.
#[derive(Debug)]
struct Of<'a> {
    /// Which of the earlier bills.
    bill: usize,
    /// 1 on an invoice, -1 on a credit note.
    sign: Amount,
    /// The project; none is any.
    project: Option<Key<'a>>,
    /// The milestone's id.
    id: &'a str,
    /// What the bill's lines for it come to, rounded; positive on a credit note.
    amount: Amount,
}

/// What was billed for a milestone.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfMilestone {
    /// Whether more invoices name it than credit notes.
    pub billed: bool,
    /// Invoices less credit notes.
    pub amount: Amount,
}

impl<'a> Billed<'a> {
    /// Counts the earlier bills.
    ///
    /// # Errors
    ///
    /// A bill of this contract does not say what it bills, or is in another currency:
    /// then something might be billed twice, or a cap passed.
    pub fn of(billable: &'a Billable, terms: &Terms<'a>) -> Result<Self> {
        let mut all = Self {
            timesheets: BTreeMap::new(),
            expenses: BTreeMap::new(),
            milestones: Vec::new(),
            bills: Vec::new(),
        };
        for (index, bill) in billable.earlier.iter().enumerate() {
            if bill.status == Some(InvoiceStatus::Cancelled) {
                continue;
            }
            let credit = bill.kind == Some(InvoiceKind::CreditNote);
            let (count, sign) = if credit {
                (-1, -Amount::ONE)
            } else {
                (1, Amount::ONE)
            };
            if is_of(bill, terms) {
                let path = format!("earlier[{index}]");
                if bill.lines.is_none() {
                    return Err(invalid(
                        format!("{path}.lines"),
                        "is required, or nobody knows what is billed already; have the bill read with its lines",
                    ));
                }
                if bill
                    .currency
                    .as_deref()
                    .is_some_and(|currency| currency != terms.currency)
                {
                    return Err(invalid(
                        format!("{path}.currency"),
                        "is another than the contract's; bills of one contract must be in one currency",
                    ));
                }
                all.bills.push((sign, bill));
            }
            all.count(bill, count, sign, terms, index)?;
        }
        Ok(all)
    }

    fn count(
        &mut self,
        bill: &'a Invoice,
        count: i64,
        sign: Amount,
        terms: &Terms<'a>,
        index: usize,
    ) -> Result<()> {
        let lines = bill.lines.as_deref().unwrap_or_default();
        // one bill may name a thing on several lines, and bills it once
        let time: BTreeSet<Key<'a>> = lines.iter().flat_map(|line| &line.timesheets).map(key).collect();
        let spent: BTreeSet<Key<'a>> = lines.iter().flat_map(|line| &line.expenses).map(key).collect();
        for name in time {
            *self.timesheets.entry(name).or_default() += count;
        }
        for name in spent {
            *self.expenses.entry(name).or_default() += count;
        }
        let mut reached: BTreeMap<(Option<Key<'a>>, &'a str), Amount> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            if let Some(id) = line.milestone.as_deref() {
                let project = line.project.as_ref().or(bill.project.as_ref()).map(key);
                let amount = amounts::of_line(line, &format!("earlier[{index}].lines[{at}]"))?;
                *reached.entry((project, id)).or_default() += terms.round(amount);
            }
        }
        self.milestones
            .extend(reached.into_iter().map(|((project, id), amount)| Of {
                bill: index,
                sign,
                project,
                id,
                amount,
            }));
        Ok(())
    }

    /// Whether time is billed.
    pub fn has_timesheet(&self, name: &EntityRef) -> bool {
        self.timesheets.get(&key(name)).is_some_and(|count| *count > 0)
    }

    /// Whether an expense is billed.
    pub fn has_expense(&self, name: &EntityRef) -> bool {
        self.expenses.get(&key(name)).is_some_and(|count| *count > 0)
    }

    /// What was billed for a milestone of a project.
    pub fn of_milestone(&self, project: &EntityRef, id: &str) -> OfMilestone {
        let project = key(project);
        let of_it = self
            .milestones
            .iter()
            .filter(|it| it.id == id && it.project.is_none_or(|of| of == project));
        let (mut bills, mut count, mut amount) = (BTreeSet::new(), Amount::ZERO, Amount::ZERO);
        for it in of_it {
            // a bill may name it with its project and without, and bills it once
            if bills.insert(it.bill) {
                count += it.sign;
            }
            amount += it.sign * it.amount;
        }
        OfMilestone {
            billed: count > Amount::ZERO,
            amount,
        }
    }

    /// What the contract was billed so far: invoices less credit notes. A bill's net
    /// amount is what the books say; without one, and where expenses stay out, its
    /// lines are summed.
    ///
    /// # Errors
    ///
    /// A line has no amount that could be computed.
    pub fn net(&self, with_expenses: bool, terms: &Terms<'_>) -> Result<Amount> {
        self.net_of(self.bills.iter().copied(), with_expenses, terms)
    }

    /// What bills for a period that ends on the same day have charged without expenses,
    /// for the same project where bills stand apart by projects.
    ///
    /// # Errors
    ///
    /// As [`net`](Self::net).
    pub fn net_of_period(
        &self,
        until: &str,
        project: Option<&EntityRef>,
        terms: &Terms<'_>,
    ) -> Result<Amount> {
        let of_it = self.bills.iter().copied().filter(|(_, bill)| {
            bill.period_until.as_deref() == Some(until)
                && (!terms.by_project() || bill.project.as_ref() == project)
        });
        self.net_of(of_it, false, terms)
    }

    fn net_of(
        &self,
        bills: impl Iterator<Item = (Amount, &'a Invoice)>,
        with_expenses: bool,
        terms: &Terms<'_>,
    ) -> Result<Amount> {
        let mut sum = Amount::ZERO;
        for (sign, bill) in bills {
            let net = match bill.net {
                Some(net) if with_expenses => net.value(),
                _ => {
                    let lines = bill.lines.iter().flatten();
                    let counted = lines.filter(|line| with_expenses || line.expenses.is_empty());
                    amounts::sum(counted.map(|line| amounts::of_line(line, "earlier")), terms)?
                }
            };
            sum += sign * net;
        }
        Ok(sum)
    }
}

/// Whether a bill is of the contract: it says so, or does not say of which it is.
pub fn is_of(bill: &Invoice, terms: &Terms<'_>) -> bool {
    let contract = bill.contract.as_ref();
    contract.is_none_or(|contract| *contract == terms.contract.ref_)
}
