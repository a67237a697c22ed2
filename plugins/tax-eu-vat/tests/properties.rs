//! What holds for every document, whatever its lines.
#![expect(clippy::expect_used, reason = "tests")]

use cambist_sdk::prelude::*;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, proptest};
use tax_eu_vat::EuVat;

/// Quantity and price in hundredths and thousandths, discount in percent, and
/// whether the line bears the reduced rate.
type Line = (u32, u32, u8, bool);

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (1u32..100_000, 0u32..10_000_000, 0u8..=100, prop::bool::ANY);
    prop::collection::vec(line, 1..12)
}

fn party(country: &str, tax_id: &str) -> Party {
    Party {
        name: "A party".to_owned(),
        address: Address {
            street: None,
            street2: None,
            city: None,
            postcode: None,
            subdivision: None,
            country: Some(country.to_owned()),
        },
        business: true,
        tax_id: Some(tax_id.to_owned()),
        tax_id_confirmed: None,
        extra: Vec::new(),
    }
}

fn assess(method: &str, customer: Party, lines: &[Line]) -> Assessment {
    let context = Context {
        message: String::new(),
        flow: String::new(),
        region: "de".to_owned(),
        unit: String::new(),
        time: "2026-11-22T04:00:00Z".to_owned(),
        settings: format!(r#"{{"rounding": "{method}", "tax-classes": {{"reduced": "reduced"}}}}"#),
    };
    let line = |(index, (quantity, price, discount, reduced)): (usize, &Line)| DocumentLine {
        id: index.to_string(),
        name: "Consulting".to_owned(),
        quantity: Decimal {
            units: i64::from(*quantity),
            scale: 2,
        },
        unit_price: Decimal {
            units: i64::from(*price),
            scale: 3,
        },
        discount_percent: Some(i64::from(*discount).into()),
        tax_class: reduced.then(|| "reduced".to_owned()),
        performed_at: None,
        extra: Vec::new(),
    };
    let document = Document {
        ref_: EntityRef::new(EntityKind::Contract, "test", "1"),
        kind: DocumentKind::Order,
        tax_point: "2026-11-22".to_owned(),
        currency: "EUR".to_owned(),
        supplier: party("DE", "DE136695976"),
        customer,
        lines: lines.iter().enumerate().map(line).collect(),
        corrects: None,
        extra: Vec::new(),
    };
    EuVat::assess(&context, document).expect("an answer")
}

fn sum<'a>(amounts: impl Iterator<Item = &'a Decimal>) -> Amount {
    amounts.map(Decimal::value).sum()
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["per-document", "per-line"])
}

/// A total in a form that can be sorted.
fn sorted(answer: &Assessment) -> Vec<(String, Amount, Amount)> {
    let total = |total: &TaxTotal| {
        (
            total
                .rate
                .percent
                .map(|percent| percent.to_string())
                .unwrap_or_default(),
            total.base.value(),
            total.amount.value(),
        )
    };
    let mut totals: Vec<_> = answer.totals.iter().map(total).collect();
    totals.sort();
    totals
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn totals_add_up(method in method(), lines in lines()) {
        let answer = assess(method, party("DE", "DE400571727"), &lines);
        let tax = sum(answer.totals.iter().map(|total| &total.amount));
        prop_assert_eq!(answer.tax.value(), tax);
        prop_assert_eq!(answer.gross.value(), answer.net.value() + tax);
        prop_assert_eq!(answer.payable.value(), answer.gross.value());
        prop_assert_eq!(answer.lines.len(), lines.len());
    }

    #[test]
    fn lines_and_bases_sum_to_the_net_amount_per_line(lines in lines()) {
        let answer = assess("per-line", party("DE", "DE400571727"), &lines);
        prop_assert_eq!(answer.net.value(), sum(answer.lines.iter().map(|line| &line.net)));
        prop_assert_eq!(answer.net.value(), sum(answer.totals.iter().map(|total| &total.base)));
    }

    #[test]
    fn the_two_methods_differ_by_at_most_half_a_cent_a_line(lines in lines()) {
        let customer = || party("DE", "DE400571727");
        let once = assess("per-document", customer(), &lines);
        let each = assess("per-line", customer(), &lines);
        let halves = Amount::from(lines.len() + 1) * dec!(0.005);
        prop_assert!((once.net.value() - each.net.value()).abs() <= halves);
        // the tax also sees the cents of the bases, at 19 percent at most
        let bound = halves * dec!(1.19) + dec!(0.01);
        prop_assert!((once.tax.value() - each.tax.value()).abs() <= bound);
    }

    #[test]
    fn positive_lines_bear_no_negative_tax(method in method(), lines in lines()) {
        let answer = assess(method, party("DE", "DE400571727"), &lines);
        prop_assert!(answer.totals.iter().all(|total| total.amount.value() >= Amount::ZERO));
        prop_assert!(answer.gross.value() >= answer.net.value());
    }

    #[test]
    fn the_order_of_lines_changes_no_total(
        method in method(),
        (lines, shuffled) in lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let customer = || party("DE", "DE400571727");
        let (one, other) = (assess(method, customer(), &lines), assess(method, customer(), &shuffled));
        prop_assert_eq!(one.net, other.net);
        prop_assert_eq!(one.tax, other.tax);
        prop_assert_eq!(sorted(&one), sorted(&other));
    }

    #[test]
    fn nobody_pays_tax_to_the_supplier_under_reverse_charge(method in method(), lines in lines()) {
        let answer = assess(method, party("FR", "FR17185119393"), &lines);
        prop_assert_eq!(answer.tax.value(), Amount::ZERO);
        prop_assert!(answer.notes.contains(&"Reverse charge".to_owned()));
        prop_assert_eq!(answer.totals.len(), 1);
    }

    #[test]
    fn no_text_as_a_vat_id_panics(id in ".{0,24}", ascii in "[A-Z]{2}[0-9A-Z]{0,14}") {
        for state in &tax_eu_vat::member_states::MEMBER_STATES {
            let _ = tax_eu_vat::vat_id::check(&id, state);
            let _ = tax_eu_vat::vat_id::check(&ascii, state);
            let _ = tax_eu_vat::vat_id::check(&format!("{}{id}", state.vat_prefix), state);
        }
    }
}
