//! Which are the same, and which differ: of what was read of both sides, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use cambist_connect::{
    books::{Invoice, Order, OrderState},
    sales::Deal,
};
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{
    options::Options,
    report::{Difference, Kind, Money, Named, Sums, What},
};

/// A deal and its order, or one without the other.
#[derive(Clone, Debug, Default)]
pub struct Pair {
    /// The deal that the order comes from; none where it comes from none.
    pub name: Option<Named>,
    /// That deal; none where it is not there any more.
    pub deal: Option<Deal>,
    /// The order that the journal says was made of it.
    pub linked: Option<Named>,
    /// That order; none where it is not there.
    pub order: Option<Order>,
    /// Its posted invoices.
    pub invoices: Vec<Invoice>,
    /// Whether deal and order belong to the month; if not, only its bills do.
    pub is_of_month: bool,
}

/// All of one region and month.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    /// The system that has the books.
    pub erp: String,
    /// Deals and orders.
    pub pairs: Vec<Pair>,
    /// Posted invoices that bill no order.
    pub alone: Vec<Invoice>,
}

/// One that differs, with when either side of it was changed last.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is told of it.
    pub difference: Difference,
    /// Whose messages may tell why, those that are likelier to first.
    pub about: Vec<Named>,
    /// When either side was changed last, where it is known.
    pub changed: Option<Timestamp>,
}

/// What a side has of one deal, order or invoice.
type Has = Option<(u64, Money)>;

/// The sums of both sides, and those that differ.
pub fn compare(sides: &Sides, options: &Options) -> (Vec<Sums>, Vec<Found>) {
    let mut compared = Compared {
        options,
        erp: &sides.erp,
        sums: BTreeMap::new(),
        found: Vec::new(),
    };
    for pair in &sides.pairs {
        // made in the ERP by somebody, and nobody else's business
        if pair.name.is_none() && options.by_hand {
            continue;
        }
        if pair.is_of_month {
            compared.order(pair);
        }
        compared.bills(pair);
    }
    if !options.by_hand {
        for invoice in &sides.alone {
            compared.bills(&Pair {
                invoices: vec![invoice.clone()],
                ..Pair::default()
            });
        }
    }
    let sums = compared.sums.into_values().collect();
    (sums, compared.found)
}

struct Compared<'a> {
    options: &'a Options,
    erp: &'a str,
    sums: BTreeMap<(What, String), Sums>,
    found: Vec<Found>,
}

impl Compared<'_> {
    fn order(&mut self, pair: &Pair) {
        let counts = |order: &&Order| match order.state {
            OrderState::Confirmed => true,
            OrderState::Draft => self.options.drafts,
            OrderState::Cancelled => false,
        };
        let crm = pair.deal.as_ref().filter(|deal| deal.is_won);
        let crm = crm.map(|deal| (1, self.money(deal, deal.amount)));
        let erp = pair.order.as_ref().filter(counts);
        let erp = erp.map(|order| {
            let (amount, currency) = (order.net, order.currency.clone());
            (1, Money { amount, currency })
        });
        let kind = match (&crm, &erp) {
            (Some(_), None) => match pair.order.as_ref().map(|order| order.state) {
                Some(OrderState::Cancelled) => Kind::Cancelled,
                Some(_) => Kind::Draft,
                None if pair.linked.is_some() => Kind::Gone,
                None => Kind::NotWritten,
            },
            (None, _) => self.without(pair),
            (Some((_, crm)), Some((_, erp))) if crm.currency != erp.currency => Kind::Currency,
            (Some(_), Some(_)) => Kind::Amount,
        };
        self.hold(What::Orders, kind, pair, (crm, erp));
    }

    fn bills(&mut self, pair: &Pair) {
        let own = &self.options.properties;
        let deal = pair.deal.as_ref();
        let told = |amount: Option<Decimal>| amount.filter(|it| !it.is_zero());
        if own.invoiced.is_some() {
            let numbers = deal.map_or(0, |deal| deal.numbers.len() as u64);
            let invoiced = told(deal.and_then(|deal| deal.invoiced));
            let crm = deal.filter(|_| numbers > 0 || invoiced.is_some()).map(|deal| {
                (
                    if own.numbers.is_some() { numbers } else { 1 },
                    self.money(deal, invoiced),
                )
            });
            let each = if own.numbers.is_some() { None } else { Some(1) };
            let erp = sums_of(&pair.invoices, each, |invoice| invoice.gross);
            self.bill(What::Invoices, pair, crm, erp);
        }
        if own.paid.is_some() {
            let paid = told(deal.and_then(|deal| deal.paid));
            let crm = deal
                .filter(|_| paid.is_some())
                .map(|deal| (1, self.money(deal, paid)));
            let mut erp = sums_of(&pair.invoices, Some(1), |invoice| {
                invoice.gross - invoice.residual
            });
            erp.retain(|_, (_, sum)| !sum.is_zero());
            self.bill(What::Payments, pair, crm, erp);
        }
    }

    /// Compares what a deal was told with what is there, in each currency.
    fn bill(&mut self, what: What, pair: &Pair, crm: Has, mut erp: BTreeMap<String, (u64, Decimal)>) {
        let mut sides: Vec<(Has, Has)> = Vec::new();
        let with = |currency: String, (count, amount): (u64, Decimal)| (count, Money { amount, currency });
        if let Some((count, money)) = crm {
            let same = erp
                .remove_entry(&money.currency)
                .map(|(currency, sum)| with(currency, sum));
            sides.push((Some((count, money)), same));
        }
        sides.extend(
            erp.into_iter()
                .map(|(currency, sum)| (None, Some(with(currency, sum)))),
        );
        for (crm, erp) in sides {
            let kind = match (&crm, &erp) {
                (None, _) if pair.deal.is_some() => Kind::NotTold,
                (None, _) => self.without(pair),
                (Some(_), None) => Kind::NotThere,
                (Some((_, crm)), Some((_, erp))) if crm == erp => Kind::Numbers,
                (Some(_), Some(_)) => Kind::Amount,
            };
            self.hold(what, kind, pair, (crm, erp));
        }
    }

    /// Why the CRM has nothing of a pair.
    fn without(&self, pair: &Pair) -> Kind {
        match (&pair.name, &pair.deal) {
            (None, _) => Kind::NoDeal,
            (Some(_), None) => Kind::DealGone,
            (Some(_), Some(_)) => Kind::NotWon,
        }
    }

    /// Adds both sides up, and names them where they differ.
    fn hold(&mut self, what: What, kind: Kind, pair: &Pair, (crm, erp): (Has, Has)) {
        for (side, is_crm) in [(&crm, true), (&erp, false)] {
            let Some((count, money)) = side else { continue };
            let key = (what, money.currency.clone());
            let sums = self.sums.entry(key).or_insert_with(|| Sums {
                what,
                currency: money.currency.clone(),
                crm: Default::default(),
                erp: Default::default(),
            });
            let sum = if is_crm { &mut sums.crm } else { &mut sums.erp };
            sum.count = sum.count.saturating_add(*count);
            sum.sum = sum.sum.saturating_add(money.amount);
        }
        let has_other_numbers = what == What::Invoices && self.has_other_numbers(pair);
        if crm == erp && !has_other_numbers {
            return;
        }
        let record = match (what, pair.order.as_ref(), pair.invoices.as_slice()) {
            (What::Invoices | What::Payments, None, [invoice]) => {
                Some(self.named("account.move", &invoice.id, Some(&invoice.name)))
            }
            (_, Some(order), _) => Some(self.named("sale.order", &order.id, Some(&order.name))),
            (_, None, _) => pair.linked.clone(),
        };
        let mut times: Vec<Timestamp> = pair.deal.iter().filter_map(|deal| deal.changed).collect();
        times.extend(pair.order.iter().filter_map(|order| order.changed));
        times.extend(pair.invoices.iter().filter_map(|invoice| invoice.changed));
        let about = self.about(what, pair);
        self.found.push(Found {
            about,
            difference: Difference {
                what,
                kind,
                deal: pair.name.clone(),
                record,
                crm: crm.map(|(_, money)| money),
                erp: erp.map(|(_, money)| money),
                why: None,
            },
            changed: times.into_iter().max(),
        });
    }

    fn about(&self, what: What, pair: &Pair) -> Vec<Named> {
        let order = pair
            .order
            .as_ref()
            .map(|order| self.named("sale.order", &order.id, None));
        let invoices = pair
            .invoices
            .iter()
            .map(|invoice| self.named("account.move", &invoice.id, None));
        match what {
            What::Orders => pair.name.iter().cloned().chain(order).collect(),
            What::Invoices | What::Payments => invoices.chain(pair.name.clone()).collect(),
        }
    }

    fn has_other_numbers(&self, pair: &Pair) -> bool {
        let Some(deal) = pair
            .deal
            .as_ref()
            .filter(|_| self.options.properties.numbers.is_some())
        else {
            return false;
        };
        let there: BTreeSet<&String> = pair.invoices.iter().map(|invoice| &invoice.name).collect();
        there != deal.numbers.iter().collect()
    }

    fn named(&self, kind: &str, id: &str, number: Option<&String>) -> Named {
        Named {
            system: self.erp.to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            number: number.cloned(),
        }
    }

    fn money(&self, deal: &Deal, amount: Option<Decimal>) -> Money {
        let currency = deal.currency.as_ref().or(self.options.currency.as_ref());
        Money {
            amount: amount.unwrap_or_default(),
            currency: currency.cloned().unwrap_or_default(),
        }
    }
}

/// How many invoices there are in each currency, or `each` for those of one, and their sums.
fn sums_of(
    invoices: &[Invoice],
    each: Option<u64>,
    amount: impl Fn(&Invoice) -> Decimal,
) -> BTreeMap<String, (u64, Decimal)> {
    let mut sums: BTreeMap<String, (u64, Decimal)> = BTreeMap::new();
    for invoice in invoices {
        let (count, sum) = sums.entry(invoice.currency.clone()).or_default();
        *count = each.unwrap_or(count.saturating_add(1));
        *sum = sum.saturating_add(amount(invoice));
    }
    sums
}
