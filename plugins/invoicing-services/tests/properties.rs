//! What holds for whatever is to be billed.
#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use cambist_sdk::{decimal::MAX_UNITS, prelude::*};
use invoicing_services::Services;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::{Value, json};

/// A day of October, hundredths of an hour, which project, which worker, and whether it
/// may be billed.
type Worked = (u8, i16, u8, u8, bool);
/// A day of October, cents, which project.
type Spent = (u8, i32, u8);
/// Settings: the rounding method, whether projects stand apart, and the rules.
type Settings = (bool, bool, Rules);
/// Rules: of hours, of lines, whether there is a minimum, whether expenses are in the cap.
type Rules = (usize, usize, bool, bool);

const HOURS: [&str; 5] = [
    "{}",
    r#"{"per": "entry", "round": "up", "step": "0.25", "minimum": "0.5"}"#,
    r#"{"per": "day", "round": "nearest", "step": "0.5"}"#,
    r#"{"per": "line", "round": "up", "step": "1"}"#,
    r#"{"per": "day", "round": "down", "step": "0.1", "minimum": "2"}"#,
];
const LINES_BY: [&str; 5] = [
    "[]",
    r#"["role"]"#,
    r#"["worker"]"#,
    r#"["day"]"#,
    r#"["role", "worker", "day"]"#,
];

fn worked(least: i16) -> impl Strategy<Value = Vec<Worked>> {
    prop::collection::vec(
        (1u8..=31, least..1200, 0u8..3, 0u8..3, prop::bool::weighted(0.9)),
        0..16,
    )
}

fn spent(least: i32) -> impl Strategy<Value = Vec<Spent>> {
    prop::collection::vec((1u8..=31, least..100_000, 0u8..3), 0..5)
}

fn settings() -> impl Strategy<Value = Settings> {
    let rules = (0..HOURS.len(), 0..LINES_BY.len(), any::<bool>(), any::<bool>());
    (any::<bool>(), any::<bool>(), rules)
}

/// Any number that the contract carries.
fn number() -> impl Strategy<Value = Decimal> {
    let units = prop_oneof![
        -MAX_UNITS..=MAX_UNITS,
        Just(MAX_UNITS),
        Just(-MAX_UNITS),
        -200i64..200
    ];
    (units, prop_oneof![0u8..=18, Just(0u8)]).prop_map(|(units, scale)| Decimal { units, scale })
}

fn context((per_line, apart, (hours, lines_by, minimum, within_cap)): &Settings) -> Context {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let settings = json!({
        "rounding": if *per_line { "per-line" } else { "per-document" },
        "apart": if *apart { "project" } else { "contract" },
        "usual": {
            "hours": HOURS.get(*hours).map(|it| parsed(it)),
            "lines-by": LINES_BY.get(*lines_by).map(|it| parsed(it)),
            "minimum-charge": if *minimum { json!({"EUR": "750.55"}) } else { json!({}) },
            "expenses": {"markup-percent": "7.7", "within-cap": within_cap},
        },
    });
    Context {
        message: String::new(),
        flow: String::new(),
        region: "de".to_owned(),
        unit: String::new(),
        time: "2026-11-02T06:00:00Z".to_owned(),
        settings: settings.to_string(),
    }
}

fn name(kind: &str, id: impl ToString) -> Value {
    json!({"kind": kind, "system": "psa", "id": id.to_string()})
}

/// A project of two, or none.
fn project(of: u8) -> Value {
    match of {
        0 => Value::Null,
        of => name("project", 76 + u32::from(of)),
    }
}

/// What is to be billed: a contract with two roles, whose prices make fractions of cents.
fn billable(billing: &str, amount: Option<&str>, worked: &[Worked], spent: &[Spent]) -> Billable {
    let sheet = |(index, (day, hours, of, worker, billable)): (usize, &Worked)| {
        json!({
            "ref": name("timesheet", index), "project": project(*of), "worker": name("resource", worker),
            "day": format!("2026-10-{day:02}"), "hours": Amount::new(i64::from(*hours), 2).to_string(),
            "billable": billable, "status": "approved",
        })
    };
    let expense = |(index, (day, cents, of)): (usize, &Spent)| {
        json!({
            "ref": name("expense", index), "project": project(*of), "day": format!("2026-10-{day:02}"),
            "amount": Amount::new(i64::from(*cents), 2).to_string(), "currency": "EUR", "status": "approved",
        })
    };
    let worker =
        |id: u8| json!({"ref": name("resource", id), "role": if id == 0 { "senior" } else { "junior" }});
    let line = |id: &str, role: &str, price: &str, discount: &str| {
        json!({
            "id": id, "name": role, "quantity": "10", "unit": "hour", "unit-price": price, "role": role,
            "discount-percent": discount,
        })
    };
    let text = json!({
        "contract": {
            "ref": name("contract", 9001), "billing": billing, "currency": "EUR", "amount": amount,
            "lines": [line("l1", "senior", "133.37", "0"), line("l2", "junior", "77.77", "12.5")],
        },
        "account": {"ref": name("account", 1)},
        "projects": [{"ref": project(1)}, {"ref": project(2)}],
        "resources": (0..3).map(worker).collect::<Vec<_>>(),
        "from": "2026-10-01",
        "until": "2026-10-31",
        "timesheets": worked.iter().enumerate().map(sheet).collect::<Vec<_>>(),
        "expenses": spent.iter().enumerate().map(expense).collect::<Vec<_>>(),
    });
    serde_json::from_value(text).expect("a billable")
}

fn draft(settings: &Settings, billable: &Billable) -> Draft {
    // the types have no `Clone`
    let text = serde_json::to_value(billable).expect("JSON");
    let copy = serde_json::from_value(text).expect("the same");
    Services::draft_invoice(&context(settings), copy).expect("a draft")
}

/// What the tax stage makes of a bill's lines: its net amount.
fn net(settings: &Settings, invoice: &Invoice, counts: impl Fn(&InvoiceLine) -> bool) -> Amount {
    let method = if settings.0 {
        RoundingMethod::PerLine
    } else {
        RoundingMethod::PerDocument
    };
    let mut totals = Totals::new("EUR", method, Rounding::HalfUp);
    let lines = invoice.lines.iter().flatten().filter(|line| counts(line));
    for (index, line) in lines.enumerate() {
        let line = DocumentLine {
            id: line.id.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount_percent: line.discount_percent,
            tax_class: None,
            performed_at: None,
            extra: Vec::new(),
        };
        totals
            .line(index, &line, Vec::new(), reason("test", "a test"))
            .expect("a line");
    }
    totals
        .assessment(invoice.ref_.clone(), Vec::new())
        .map_or(Amount::ZERO, |assessed| assessed.net.value())
}

/// What a draft's bills name, each as often as they do.
fn named(draft: &Draft) -> Vec<String> {
    named_by(&draft.invoices)
}

fn named_by(invoices: &[Invoice]) -> Vec<String> {
    let lines = invoices.iter().flat_map(|invoice| invoice.lines.iter().flatten());
    let mut names: Vec<String> = lines
        .flat_map(|line| {
            let time = line
                .timesheets
                .iter()
                .map(|it| format!("timesheet psa/{}", it.id));
            time.chain(line.expenses.iter().map(|it| format!("expense psa/{}", it.id)))
                .collect::<Vec<_>>()
        })
        .collect();
    names.sort();
    names
}

/// What the reasons leave out.
fn left_out(draft: &Draft) -> Vec<String> {
    let told = draft
        .reasons
        .iter()
        .filter_map(|reason| reason.text.split_once(" is not billed: "));
    told.map(|(what, _)| what.to_owned()).collect()
}

/// The next month's question: what was drafted is posted, under the names of the books.
fn posted(billable: &mut Billable, draft: Draft) {
    for mut invoice in draft.invoices {
        invoice.ref_ = EntityRef::new(EntityKind::Invoice, "odoo", billable.earlier.len().to_string());
        invoice.status = Some(InvoiceStatus::Posted);
        billable.earlier.push(invoice);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_thing_is_on_one_line_or_has_a_reason(
        settings in settings(), capped in any::<bool>(), worked in worked(-300), spent in spent(-9000),
    ) {
        let asked = billable(if capped { "capped" } else { "time-and-material" }, Some("2000"), &worked, &spent);
        let answer = draft(&settings, &asked);
        let all = asked.timesheets.iter().map(|it| format!("timesheet psa/{}", it.ref_.id));
        let mut all: Vec<String> = all.chain(asked.expenses.iter().map(|it| format!("expense psa/{}", it.ref_.id))).collect();
        all.sort();
        let mut told = named(&answer);
        told.extend(left_out(&answer));
        told.sort();
        prop_assert_eq!(all, told);
    }

    #[test]
    fn names_of_bills_and_ids_of_lines_are_not_repeated_and_every_bill_asks_for_something(
        settings in settings(), worked in worked(-300), spent in spent(-9000),
    ) {
        let answer = draft(&settings, &billable("time-and-material", None, &worked, &spent));
        let names: BTreeSet<&str> = answer.invoices.iter().map(|invoice| invoice.ref_.id.as_str()).collect();
        prop_assert_eq!(names.len(), answer.invoices.len());
        for invoice in &answer.invoices {
            let lines = invoice.lines.as_deref().unwrap_or_default();
            let ids: BTreeSet<&str> = lines.iter().map(|line| line.id.as_str()).collect();
            prop_assert_eq!(ids.len(), lines.len());
            prop_assert!(net(&settings, invoice, |_| true) > Amount::ZERO);
            prop_assert!(lines.iter().all(|line| line.unit_price.value() >= Amount::ZERO));
        }
    }

    #[test]
    fn the_order_of_the_message_changes_nothing(
        settings in settings(), capped in any::<bool>(), worked in worked(-300), spent in spent(-9000),
        seed in any::<usize>(),
    ) {
        let mut asked = billable(if capped { "capped" } else { "time-and-material" }, Some("2000"), &worked, &spent);
        let one = draft(&settings, &asked);
        let turn = |length: usize| seed.checked_rem(length).unwrap_or_default();
        let (time, expenses) = (turn(asked.timesheets.len()), turn(asked.expenses.len()));
        asked.timesheets.rotate_left(time);
        asked.timesheets.reverse();
        asked.expenses.rotate_left(expenses);
        asked.projects.reverse();
        asked.resources.reverse();
        prop_assert_eq!(one, draft(&settings, &asked));
    }

    #[test]
    fn what_was_billed_is_not_billed_again_and_a_cap_is_never_passed(
        settings in settings(), capped in any::<bool>(), cap in 1u32..400_000,
        worked in worked(-300), spent in spent(-9000), credited in any::<bool>(),
    ) {
        let cap = Amount::new(i64::from(cap), 2);
        let within_cap = settings.2.3;
        let mut asked = billable(if capped { "capped" } else { "time-and-material" }, Some(&cap.to_string()), &worked, &spent);
        let mut before: BTreeSet<String> = BTreeSet::new();
        let mut charged = Amount::ZERO;
        // a corrected hour or a rest of the minimum may take a round more; then it is quiet
        for _ in 0..3 {
            let answer = draft(&settings, &asked);
            for name in named(&answer) {
                prop_assert!(before.insert(name.clone()), "{name} is billed twice");
            }
            let counts = |line: &InvoiceLine| within_cap || line.expenses.is_empty();
            charged += answer.invoices.iter().map(|invoice| net(&settings, invoice, counts)).sum::<Amount>();
            prop_assert!(!capped || charged <= cap, "{charged} of {cap}");
            posted(&mut asked, answer);
        }
        prop_assert_eq!(named(&draft(&settings, &asked)).len(), 0);
        // what a credit note names may come again, and under a cap what it made room for
        if credited && let Some(first) = asked.earlier.first() {
            let text = serde_json::to_value(first).expect("JSON");
            let mut note: Invoice = serde_json::from_value(text).expect("the same");
            note.kind = Some(InvoiceKind::CreditNote);
            note.ref_.id = "credit".to_owned();
            let given_back = named_by(std::slice::from_ref(&note));
            asked.earlier.push(note);
            for name in named(&draft(&settings, &asked)) {
                prop_assert!(!before.contains(&name) || given_back.contains(&name), "{name} is billed twice");
            }
        }
    }

    #[test]
    fn any_numbers_give_an_answer_or_a_fault(
        settings in settings(), billing in prop::sample::select(vec!["time-and-material", "capped", "fixed-price"]),
        (hours, price, amount, cost) in (number(), number(), number(), number()),
        (share, discount, before) in (number(), prop::option::of(number()), number()),
    ) {
        let mut asked = billable(billing, None, &[(1, 100, 1, 0, true), (2, 200, 1, 1, true)], &[(3, 100, 1)]);
        let unsigned = |number: Decimal| Decimal { units: number.units.abs(), ..number };
        asked.contract.amount = Some(amount);
        for line in asked.contract.lines.iter_mut().flatten() {
            line.unit_price = unsigned(price);
            line.discount_percent = discount;
        }
        asked.timesheets.iter_mut().for_each(|sheet| sheet.hours = Some(hours));
        asked.expenses.iter_mut().for_each(|spent| spent.amount = Some(cost));
        if let Some(project) = asked.projects.first_mut() {
            let milestone = |id: &str| Milestone {
                share_percent: Some(share),
                reached: Some("2026-10-04".to_owned()),
                ..Milestone::called(id, "A phase")
            };
            project.milestones = Some(vec![milestone("a"), milestone("b")]);
        }
        let mut earlier = Invoice::named(EntityRef::new(EntityKind::Invoice, "odoo", "1"));
        earlier.net = Some(before);
        let lines = asked.contract.lines.iter().flatten();
        let line = |line: &ContractLine| json!({"id": "1", "name": "n", "quantity": hours, "unit-price": line.unit_price, "milestone": "a"});
        let lines: Vec<Value> = lines.map(line).collect();
        earlier.lines = serde_json::from_value(Value::Array(lines)).expect("lines");
        asked.earlier = vec![earlier];
        let _ = Services::draft_invoice(&context(&settings), asked);
    }

    #[test]
    fn unrounded_hours_are_billed_at_their_price(per_line in any::<bool>(), lines_by in 0..LINES_BY.len(), worked in worked(1)) {
        let settings = (per_line, false, (0, lines_by, false, true));
        let answer = draft(&settings, &billable("time-and-material", None, &worked, &[]));
        let lines = answer.invoices.iter().flat_map(|invoice| invoice.lines.iter().flatten());
        let billed: Amount = lines
            .map(|line| {
                let discount = line.discount_percent.map_or(Amount::ZERO, |percent| percent.value());
                line.quantity.value() * line.unit_price.value() * (dec!(1) - discount / dec!(100))
            })
            .sum();
        let price = |worker: u8| if worker == 0 { dec!(133.37) } else { dec!(68.04875) };
        let due: Amount = worked
            .iter()
            .filter(|(.., billable)| *billable)
            .map(|(_, hours, _, worker, _)| Amount::new(i64::from(*hours), 2) * price(*worker))
            .sum();
        prop_assert_eq!(billed, due);
    }

    #[test]
    fn counted_hours_are_never_less_than_approved_where_they_are_rounded_up(worked in worked(1)) {
        let settings = (true, false, (1, 0, false, true));
        let hours = |settings: &Settings| -> Amount {
            let answer = draft(settings, &billable("time-and-material", None, &worked, &[]));
            let lines = answer.invoices.iter().flat_map(|invoice| invoice.lines.iter().flatten());
            lines.map(|line| line.quantity.value()).sum()
        };
        let entries = worked.iter().filter(|(.., billable)| *billable).count();
        let (counted, approved) = (hours(&settings), hours(&(true, false, (0, 0, false, true))));
        prop_assert!(counted >= approved);
        prop_assert!(counted <= approved + Amount::from(entries) * dec!(0.5));
        prop_assert!((counted * dec!(4)).fract().is_zero());
    }

    #[test]
    fn milestones_come_to_the_fixed_price_whatever_their_order(
        amount in 1u32..100_000_000, weights in prop::collection::vec((1u32..100, 0usize..4), 1..7),
    ) {
        let amount = Amount::new(i64::from(amount), 2);
        let all: u32 = weights.iter().map(|(weight, _)| weight).sum();
        // as people write shares: two digits, so that they miss the whole by some hundredths
        let share = |weight: u32| (Amount::from(weight * 100) / Amount::from(all)).round_dp(2);
        let settings = (true, false, (0, 0, false, true));
        let mut asked = billable("fixed-price", Some(&amount.to_string()), &[], &[]);
        let (mut billed, mut names) = (Amount::ZERO, Vec::new());
        for round in 0..4 {
            let milestone = |(index, (weight, reached)): (usize, &(u32, usize))| Milestone {
                share_percent: share(*weight).exact().ok(),
                reached: (*reached <= round).then(|| format!("2026-10-{:02}", 1 + index % 3)),
                ..Milestone::called(index.to_string(), "A phase")
            };
            if let Some(project) = asked.projects.first_mut() {
                project.milestones = Some(weights.iter().enumerate().map(milestone).collect());
            }
            let answer = draft(&settings, &asked);
            billed += answer.invoices.iter().map(|invoice| net(&settings, invoice, |_| true)).sum::<Amount>();
            let lines = answer.invoices.iter().flat_map(|invoice| invoice.lines.iter().flatten());
            names.extend(lines.filter_map(|line| line.milestone.clone()));
            prop_assert!(billed <= amount);
            posted(&mut asked, answer);
        }
        names.sort();
        names.dedup();
        // a milestone of less than half a cent asks for nothing and waits
        if names.len() == weights.len() {
            prop_assert_eq!(billed, amount);
        }
    }
}
