//! What holds for every input: an answer or a fault, and never a panic.
#![expect(clippy::unwrap_used, reason = "tests")]

use cambist_sdk::prelude::*;
use map_odoo::Odoo;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

fn context() -> Context {
    Context {
        message: "m-1".into(),
        flow: "won-deals".into(),
        region: "de".into(),
        unit: String::new(),
        time: "2026-11-22T04:00:00Z".into(),
        settings: "{}".into(),
    }
}

/// Any JSON.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!([7, "EUR"])),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

const MODELS: [&str; 6] = [
    "res.partner",
    "sale.order",
    "project.project",
    "account.move",
    "account.payment",
    "crm.lead",
];
const FIELDS: [&str; 14] = [
    "id",
    "name",
    "is_company",
    "parent_id",
    "partner_id",
    "currency_id",
    "state",
    "move_type",
    "order_line",
    "milestone_ids",
    "amount_total",
    "invoice_date",
    "write_date",
    "active",
];

fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(any::<String>())
}

fn line() -> impl Strategy<Value = ContractLine> {
    (any::<String>(), any::<String>(), text(), any::<i64>(), 0u8..=18).prop_map(
        |(id, name, sku, units, scale)| ContractLine {
            sku,
            ..ContractLine::priced(id, name, Decimal { units, scale }, Decimal { units, scale })
        },
    )
}

proptest! {
    #[test]
    fn any_record_gives_an_answer_or_a_fault(
        model in proptest::sample::select(&MODELS[..]),
        fields in vec((proptest::sample::select(&FIELDS[..]), anything()), 0..14),
        other in anything(),
    ) {
        let record: Value = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for body in [record, other] {
            let input = Inbound {
                system: "odoo-de".into(),
                event: "write".into(),
                object_kind: model.into(),
                object_id: "1".into(),
                body: body.to_string(),
            };
            let _ = Odoo::read(&context(), input);
        }
    }

    #[test]
    fn every_value_that_is_written_is_json(
        id: String,
        names in vec(text(), 8),
        lines in vec(line(), 0..5),
        share: i64,
    ) {
        let name = |kind| EntityRef::new(kind, "hubspot-eu", &id);
        let text = |at: usize| names.get(at).cloned().flatten();
        let account = Account {
            name: text(0),
            billing: Some(Address {
                street: text(1), street2: None, city: text(2), postcode: None,
                subdivision: text(3), country: text(4),
            }),
            ..Account::named(name(EntityKind::Account))
        };
        let person = Contact { given_name: text(5), ..Contact::named(name(EntityKind::Contact)) };
        let contract = Contract {
            status: Some(ContractStatus::Approved),
            billing: Some(BillingMethod::FixedPrice),
            terms: text(6),
            lines: Some(lines),
            ..Contract::named(name(EntityKind::Contract))
        };
        let milestone = Milestone {
            share_percent: Some(Decimal { units: share, scale: 2 }),
            ..Milestone::called(&id, &id)
        };
        let project = Project {
            contract: Some(contract.ref_.clone()),
            name: text(7),
            milestones: Some(vec![milestone]),
            ..Project::named(name(EntityKind::Project))
        };
        let at = "2026-11-22T04:00:00Z";
        let changes = vec![
            Change::upsert(account, at), Change::upsert(person, at), Change::upsert(contract, at),
            Change::upsert(project, at),
        ];
        let input = Outbound { system: "odoo-de".into(), changes, assessments: Vec::new() };
        let plan = Odoo::write(&context(), input);
        // a share with more digits than an exact number carries is a fault, and the only one
        prop_assert!(plan.is_ok() || share.unsigned_abs() > 10_u64.pow(14));
        for command in plan.map(|plan| plan.commands).unwrap_or_default() {
            match command {
                Command::Ensure(record) | Command::Upsert(record) => {
                    serde_json::from_str::<Value>(&record.values).unwrap();
                }
                Command::Act(action) => {
                    serde_json::from_str::<Value>(&action.from).unwrap();
                    serde_json::from_str::<Value>(&action.to).unwrap();
                }
                Command::Remove(name) => prop_assert_eq!(name.model, "res.partner"),
            }
        }
    }
}
