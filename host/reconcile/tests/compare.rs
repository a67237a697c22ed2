//! What is the same and what differs, of both sides as they were read.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;

use cambist_connect::{
    books::{Invoice, Order, OrderState},
    sales::Deal,
};
use cambist_reconcile::{
    Options,
    compare::{Pair, Sides, compare},
    report::{Kind, Named, What},
};
use proptest::{option, prelude::*};
use rust_decimal::Decimal;

fn options(more: &str) -> Options {
    let text = format!(
        "flow = \"won-deals\"\n{more}\n[properties]\nnumbers = \"n\"\ninvoiced = \"i\"\npaid = \"p\"\n"
    );
    toml::from_str(&text).unwrap()
}

fn name(system: &str, kind: &str, id: &str) -> Named {
    Named {
        system: system.to_owned(),
        kind: kind.to_owned(),
        id: id.to_owned(),
        number: None,
    }
}

fn cents(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

fn deal(amount: i64, currency: &str) -> Deal {
    Deal {
        id: "1".to_owned(),
        is_won: true,
        amount: Some(cents(amount)),
        currency: Some(currency.to_owned()),
        ..Deal::default()
    }
}

fn order(net: i64, currency: &str) -> Order {
    Order {
        id: "7".to_owned(),
        name: "S7".to_owned(),
        state: OrderState::Confirmed,
        net: cents(net),
        currency: currency.to_owned(),
        changed: None,
        invoices: Vec::new(),
    }
}

fn invoice(number: &str, gross: i64, residual: i64) -> Invoice {
    Invoice {
        id: number.to_owned(),
        name: number.to_owned(),
        gross: cents(gross),
        residual: cents(residual),
        currency: "EUR".to_owned(),
        changed: None,
    }
}

fn pair(deal: Option<Deal>, order: Option<Order>) -> Pair {
    Pair {
        name: Some(name("crm", "deal", "1")),
        linked: Some(name("erp", "sale.order", "7")),
        deal,
        order,
        invoices: Vec::new(),
        is_of_month: true,
    }
}

fn kinds(pair: Pair, options: &Options) -> Vec<(What, Kind)> {
    let sides = Sides {
        erp: "erp".to_owned(),
        pairs: vec![pair],
        alone: Vec::new(),
    };
    let (_, found) = compare(&sides, options);
    found
        .into_iter()
        .map(|it| (it.difference.what, it.difference.kind))
        .collect()
}

#[test]
fn an_order_differs_in_the_way_that_it_differs() {
    let options = options("");
    let in_state = |state| {
        Some(Order {
            state,
            ..order(100, "EUR")
        })
    };
    let lost = Deal {
        is_won: false,
        ..deal(100, "EUR")
    };
    let nobody = |order| Pair {
        name: None,
        linked: None,
        ..pair(None, Some(order))
    };
    let cases = [
        (pair(Some(deal(100, "EUR")), Some(order(100, "EUR"))), None),
        (
            pair(Some(deal(100, "EUR")), Some(order(101, "EUR"))),
            Some(Kind::Amount),
        ),
        (
            pair(Some(deal(100, "EUR")), Some(order(100, "USD"))),
            Some(Kind::Currency),
        ),
        (
            pair(Some(deal(100, "EUR")), in_state(OrderState::Draft)),
            Some(Kind::Draft),
        ),
        (
            pair(Some(deal(100, "EUR")), in_state(OrderState::Cancelled)),
            Some(Kind::Cancelled),
        ),
        (pair(Some(deal(100, "EUR")), None), Some(Kind::Gone)),
        (
            pair(Some(lost.clone()), Some(order(100, "EUR"))),
            Some(Kind::NotWon),
        ),
        (pair(Some(lost), in_state(OrderState::Cancelled)), None),
        (pair(None, Some(order(100, "EUR"))), Some(Kind::DealGone)),
        (nobody(order(100, "EUR")), Some(Kind::NoDeal)),
    ];
    for (pair, kind) in cases {
        let expected: Vec<_> = kind.into_iter().map(|kind| (What::Orders, kind)).collect();
        assert_eq!(kinds(pair.clone(), &options), expected, "{pair:?}");
    }
    let unknown = Pair {
        linked: None,
        ..pair(Some(deal(100, "EUR")), None)
    };
    assert_eq!(kinds(unknown, &options), [(What::Orders, Kind::NotWritten)]);
}

#[test]
fn drafts_and_what_people_make_by_hand_count_as_the_config_says() {
    let draft = Order {
        state: OrderState::Draft,
        ..order(100, "EUR")
    };
    assert_eq!(
        kinds(
            pair(Some(deal(100, "EUR")), Some(draft)),
            &options("drafts = true")
        ),
        []
    );
    let alone = Sides {
        erp: "erp".to_owned(),
        pairs: vec![Pair {
            name: None,
            ..pair(None, Some(order(100, "EUR")))
        }],
        alone: vec![invoice("INV/1", 119, 119)],
    };
    let (sums, found) = compare(&alone, &options("by-hand = true"));
    assert!(sums.is_empty() && found.is_empty());
    let (_, found) = compare(&alone, &options(""));
    let whats: Vec<What> = found.iter().map(|it| it.difference.what).collect();
    assert_eq!(whats, [What::Orders, What::Invoices]);
}

#[test]
fn what_a_deal_was_told_of_its_bills_is_compared_with_them() {
    let options = options("");
    let told = |numbers: &[&str], invoiced: i64, paid: i64| Deal {
        numbers: numbers.iter().map(|number| (*number).to_owned()).collect(),
        invoiced: Some(cents(invoiced)),
        paid: Some(cents(paid)),
        ..deal(100, "EUR")
    };
    let of = |deal, invoices: &[Invoice]| {
        let pair = Pair {
            invoices: invoices.to_vec(),
            ..pair(Some(deal), Some(order(100, "EUR")))
        };
        kinds(pair, &options)
    };
    // one of two is paid, and a credit note takes some of the second one away
    let bills = [invoice("A", 100, 0), invoice("B", 50, 30), invoice("C", -20, -20)];
    assert_eq!(of(told(&["A", "B", "C"], 130, 120), &bills), []);
    assert_eq!(
        of(told(&["A", "B", "C"], 131, 120), &bills),
        [(What::Invoices, Kind::Amount)]
    );
    assert_eq!(
        of(told(&["A", "B"], 130, 120), &bills),
        [(What::Invoices, Kind::Numbers)]
    );
    assert_eq!(
        of(told(&["A", "B", "X"], 130, 120), &bills),
        [(What::Invoices, Kind::Numbers)]
    );
    assert_eq!(
        of(told(&["A", "B", "C"], 130, 100), &bills),
        [(What::Payments, Kind::Amount)]
    );
    assert_eq!(
        of(deal(100, "EUR"), &bills),
        [(What::Invoices, Kind::NotTold), (What::Payments, Kind::NotTold)]
    );
    assert_eq!(of(told(&["A"], 100, 0), &[]), [(What::Invoices, Kind::NotThere)]);
    assert_eq!(of(told(&[], 0, 0), &[]), []);
}

#[test]
fn a_deal_without_a_currency_has_the_portals() {
    let deal = Deal {
        currency: None,
        ..deal(100, "EUR")
    };
    assert_eq!(
        kinds(
            pair(Some(deal.clone()), Some(order(100, "EUR"))),
            &options("currency = \"EUR\"")
        ),
        []
    );
    assert_eq!(
        kinds(pair(Some(deal), Some(order(100, "EUR"))), &options("")),
        [(What::Orders, Kind::Currency)]
    );
}

prop_compose! {
    fn any_pair()(
        amount in option::of(0_i64..300),
        won in any::<bool>(),
        net in option::of(0_i64..300),
        state in 0_u8..3,
        currencies in (0_usize..2, 0_usize..2),
        invoiced in option::of(-50_i64..50),
        bills in proptest::collection::vec((-50_i64..50, 0_i64..50), 0..3),
        named in any::<bool>(),
        is_of_month in any::<bool>(),
    ) -> Pair {
        const CURRENCIES: [&str; 2] = ["EUR", "USD"];
        let deal = amount.map(|amount| Deal {
            is_won: won,
            invoiced: invoiced.map(cents),
            paid: invoiced.map(cents),
            ..deal(amount, CURRENCIES[currencies.0])
        });
        let order = net.map(|net| Order {
            state: [OrderState::Confirmed, OrderState::Draft, OrderState::Cancelled][usize::from(state)],
            ..order(net, CURRENCIES[currencies.1])
        });
        Pair {
            name: named.then(|| name("crm", "deal", "1")),
            deal: deal.filter(|_| named),
            invoices: bills.into_iter().map(|(gross, residual)| invoice("I", gross, residual)).collect(),
            is_of_month,
            ..pair(None, order)
        }
    }
}

proptest! {
    /// Whoever adds up what is named has what the sums differ by: nothing is hidden in them, and nothing is named twice.
    #[test]
    fn sums_differ_by_what_is_named(pairs in proptest::collection::vec(any_pair(), 0..8)) {
        let sides = Sides { erp: "erp".to_owned(), pairs, alone: Vec::new() };
        let (sums, found) = compare(&sides, &options(""));
        let mut named: BTreeMap<(What, String), Decimal> = BTreeMap::new();
        for found in &found {
            let difference = &found.difference;
            for (money, sign) in [(&difference.crm, Decimal::ONE), (&difference.erp, Decimal::NEGATIVE_ONE)] {
                if let Some(money) = money {
                    *named.entry((difference.what, money.currency.clone())).or_default() += sign * money.amount;
                }
            }
        }
        for sums in sums {
            let by_name = named.remove(&(sums.what, sums.currency.clone())).unwrap_or_default();
            prop_assert_eq!(sums.crm.sum - sums.erp.sum, by_name);
        }
        prop_assert!(named.values().all(Decimal::is_zero));
    }
}
