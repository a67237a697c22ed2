//! What holds for every input: an answer or a fault, and never a panic.
#![expect(clippy::unwrap_used, reason = "tests")]

use cambist_sdk::prelude::*;
use map_hubspot::HubSpot;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

fn context() -> Context {
    Context {
        message: "m-1".into(),
        flow: "won-deals".into(),
        region: "de".into(),
        unit: String::new(),
        time: "2026-11-22T04:00:00Z".into(),
        settings: r#"{"currency":"EUR","milestones":[{"id":"m1","name":"Kickoff","after-days":14}]}"#.into(),
    }
}

fn read(kind: &str, body: &Value) -> Result<Vec<Change>> {
    let input = Inbound {
        system: "hubspot-eu".into(),
        event: format!("{kind}.propertyChange"),
        object_kind: kind.into(),
        object_id: "1".into(),
        body: body.to_string(),
    };
    HubSpot::read(&context(), input)
}

/// Any JSON.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// What a property may hold that looks like the right thing and may not be.
fn nearly() -> impl Strategy<Value = Value> {
    prop_oneof![
        anything(),
        "-?[0-9]{1,30}(\\.[0-9]{0,30})?(e-?[0-9]{1,3})?".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?".prop_map(Value::from),
        "(Germany|IN|EUR|closedwon|true|fixed-price)".prop_map(Value::from),
    ]
}

const PROPERTIES: [&str; 16] = [
    "dealname",
    "amount",
    "dealstage",
    "closedate",
    "deal_currency_code",
    "hs_is_closed_won",
    "name",
    "country",
    "state",
    "price",
    "quantity",
    "discount",
    "hs_discount_percentage",
    "billing_method",
    "vat_id",
    "delivery_start",
];

fn object() -> impl Strategy<Value = Value> {
    let properties = vec((proptest::sample::select(&PROPERTIES[..]), nearly()), 0..16);
    (properties, nearly(), nearly()).prop_map(|(properties, id, updated)| {
        let properties: Value = properties
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        json!({"id": id, "updatedAt": updated, "properties": properties})
    })
}

proptest! {
    #[test]
    fn any_json_gives_an_answer_or_a_fault(body in anything(), kind in "(deal|company|contact|line_item)") {
        let _ = read(&kind, &body);
    }

    #[test]
    fn any_properties_give_an_answer_or_a_fault(
        deal in object(),
        companies in vec(object(), 0..3),
        contacts in vec(object(), 0..3),
        lines in vec(object(), 0..3),
    ) {
        let body = json!({"deal": deal, "companies": companies, "contacts": contacts, "line_items": lines});
        let _ = read("deal", &body);
        let _ = read("company", &json!({"companies": [deal]}));
        let _ = read("contact", &json!({"companies": companies, "contacts": contacts}));
    }

    #[test]
    fn a_won_deal_is_read_whatever_its_names_and_numbers(
        name in "[^\\s].{0,40}",
        units in 0i64..1_000_000_000_000,
        price in 0i64..1_000_000_000_000,
    ) {
        let (amount, price) = (Decimal { units, scale: 2 }, Decimal { units: price, scale: 4 });
        let body = json!({
            "deal": {"id": "1", "properties": {
                "dealname": format!("x{name}"), "amount": amount.to_string(), "dealstage": "closedwon",
                "closedate": "2026-11-20",
            }},
            "companies": [{"id": "2", "properties": {"name": format!("x{name}"), "country": "Germany"}}],
            "line_items": [{"id": "3", "properties": {"name": "x", "quantity": "1", "price": price.to_string()}}],
        });
        let changes = read("deal", &body).unwrap();
        let Some(Entity::Contract(contract)) = changes.get(2).map(|change| &change.entity) else {
            return Err(TestCaseError::fail("the third change is the contract"));
        };
        prop_assert_eq!(contract.lines.as_ref().unwrap().first().unwrap().unit_price, price);
    }

    #[test]
    fn what_is_written_is_json_whatever_the_texts(name: String, id: String, system: String) {
        let account = Account {
            name: Some(name.clone()),
            ..Account::named(EntityRef::new(EntityKind::Account, system, id))
        };
        let input = Outbound {
            system: "hubspot-eu".into(),
            changes: vec![Change::upsert(account, "2026-11-22T04:00:00Z")],
            assessments: Vec::new(),
        };
        let plan = HubSpot::write(&context(), input).unwrap();
        let Some(Command::Upsert(record)) = plan.commands.first() else {
            return Err(TestCaseError::fail("an account is an upsert"));
        };
        let values: Value = serde_json::from_str(&record.values).unwrap();
        prop_assert_eq!(values.get("name").and_then(Value::as_str), Some(name.as_str()));
    }
}
