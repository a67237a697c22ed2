//! What holds for every document, whatever its lines.
#![expect(clippy::expect_used, reason = "tests")]

use cambist_sdk::prelude::*;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, proptest};
use tax_in_gst::{IndianGst, gstin};

/// Quantity and price in hundredths and thousandths, discount in percent, and
/// whether the line bears 5 percent.
type Line = (u32, u32, u8, bool);

/// A customer in the supplier's state.
const GUJARAT: &str = "24AAPFU0939F1Z1";

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
        region: "in".to_owned(),
        unit: String::new(),
        time: "2026-11-22T04:00:00Z".to_owned(),
        settings: format!(r#"{{"rounding": "{method}", "tax-classes": {{"reduced": "gst-5"}}}}"#),
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
        currency: "INR".to_owned(),
        supplier: party("IN", "24AABCS1429B1Z0"),
        customer,
        lines: lines.iter().enumerate().map(line).collect(),
        corrects: None,
        extra: Vec::new(),
    };
    IndianGst::assess(&context, document).expect("an answer")
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
        let answer = assess(method, party("IN", GUJARAT), &lines);
        let tax = sum(answer.totals.iter().map(|total| &total.amount));
        prop_assert_eq!(answer.tax.value(), tax);
        prop_assert_eq!(answer.gross.value(), answer.net.value() + tax);
        prop_assert_eq!(answer.payable.value(), answer.gross.value());
        prop_assert_eq!(answer.lines.len(), lines.len());
    }

    #[test]
    fn lines_and_bases_sum_to_the_net_amount_per_line(lines in lines()) {
        let answer = assess("per-line", party("IN", GUJARAT), &lines);
        prop_assert_eq!(answer.net.value(), sum(answer.lines.iter().map(|line| &line.net)));
        let central = answer.totals.iter().filter(|total| total.rate.code == "CGST");
        prop_assert_eq!(answer.net.value(), sum(central.map(|total| &total.base)));
    }

    #[test]
    fn the_two_methods_differ_by_at_most_half_a_paisa_a_line_and_tax(lines in lines()) {
        let customer = || party("IN", GUJARAT);
        let once = assess("per-document", customer(), &lines);
        let each = assess("per-line", customer(), &lines);
        let halves = Amount::from(lines.len() + 1) * dec!(0.005);
        prop_assert!((once.net.value() - each.net.value()).abs() <= halves);
        // two taxes are rounded on each line, and both see the cents of the base
        let bound = halves * dec!(2.18) + dec!(0.02);
        prop_assert!((once.tax.value() - each.tax.value()).abs() <= bound);
    }

    #[test]
    fn positive_lines_bear_no_negative_tax(method in method(), lines in lines()) {
        let answer = assess(method, party("IN", GUJARAT), &lines);
        prop_assert!(answer.totals.iter().all(|total| total.amount.value() >= Amount::ZERO));
        prop_assert!(answer.gross.value() >= answer.net.value());
    }

    #[test]
    fn the_order_of_lines_changes_no_total(
        method in method(),
        (lines, shuffled) in lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let customer = || party("IN", GUJARAT);
        let (one, other) = (assess(method, customer(), &lines), assess(method, customer(), &shuffled));
        prop_assert_eq!(one.net, other.net);
        prop_assert_eq!(one.tax, other.tax);
        prop_assert_eq!(sorted(&one), sorted(&other));
    }

    #[test]
    fn central_and_state_tax_are_equal(method in method(), lines in lines()) {
        let answer = assess(method, party("IN", GUJARAT), &lines);
        let of = |code: &str| -> Vec<(Amount, Amount)> {
            let of_code = answer.totals.iter().filter(|total| total.rate.code == code);
            of_code.map(|total| (total.base.value(), total.amount.value())).collect()
        };
        prop_assert!(!of("CGST").is_empty());
        prop_assert_eq!(of("CGST"), of("SGST"));
        prop_assert!(of("IGST").is_empty());
    }

    #[test]
    fn another_state_bears_integrated_tax_alone(method in method(), lines in lines()) {
        let answer = assess(method, party("IN", "27AAPFU0939F1ZV"), &lines);
        prop_assert!(answer.totals.iter().all(|total| total.rate.code == "IGST"));
    }

    #[test]
    fn every_single_wrong_character_of_a_gstin_is_found(at in 0usize..15, to in "[0-9A-Z]") {
        let mut wrong = GUJARAT.to_owned();
        wrong.replace_range(at..=at, &to);
        prop_assert_eq!(gstin::state_of(&wrong).is_some(), wrong == GUJARAT);
    }

    #[test]
    fn no_text_as_a_gstin_panics(id in ".{0,20}", ascii in "[0-9A-Z]{15}") {
        let _ = gstin::state_of(&id);
        let _ = gstin::state_of(&ascii);
    }
}
