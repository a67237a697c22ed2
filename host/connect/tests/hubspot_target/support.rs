//! A double with a small portal, its target, and plans for it.

use std::{collections::BTreeMap, sync::Arc};

use cambist_connect::{DeliverError, Systems, Target, options::Options};
use cambist_contract::{
    JsonObject,
    delivery::{Effect, Receipt},
    mapping::{Command, Record, RecordKey, RecordName},
    message::{Message, MessageId},
    secret::{Secret, SecretRef},
};
use cambist_doubles::{HubSpotDouble, hubspot::TOKEN, server::Reply};
use serde_json::{Value, json};

pub(crate) const API: &str = "/crm/objects/2026-03";

pub(crate) fn systems_at(url: &str, more: &str) -> Systems {
    let config = format!(
        "[systems.hubspot-eu]\nkind = \"hubspot\"\naddress = \"{url}\"\nkey = {{ env = \"TOKEN\" }}\nread-time = \"2s\"\n{more}"
    );
    let options: Options = toml::from_str(&config).unwrap();
    let secrets = BTreeMap::from([(SecretRef::Env("TOKEN".to_owned()), Secret::parse(TOKEN).unwrap())]);
    Systems::new(&options, &secrets, None).unwrap()
}

pub(crate) fn target_at(url: &str, more: &str) -> Arc<dyn Target> {
    systems_at(url, more).target("hubspot-eu").unwrap()
}

/// That a deal changed, which has to be read.
pub(crate) fn event() -> Message {
    let at = jiff::Timestamp::UNIX_EPOCH;
    Message {
        id: MessageId::of("hubspot-eu", "1"),
        system: "hubspot-eu".to_owned(),
        event: "deal.propertyChange".to_owned(),
        object_kind: "deal".to_owned(),
        object_id: "9001".to_owned(),
        dedupe: "1".to_owned(),
        key: "1".to_owned(),
        occurred_at: at,
        received_at: at,
        headers: BTreeMap::new(),
        body: "{}".to_owned(),
    }
}

pub(crate) fn target(double: &HubSpotDouble) -> Arc<dyn Target> {
    target_at(&double.url(), "")
}

pub(crate) async fn portal() -> HubSpotDouble {
    HubSpotDouble::start(json!({
        "deals": {"9001": {"properties": {"dealname": "Rollout", "amount": "1200.00", "invoice_number": null}}},
        "companies": {"501": {"properties": {"name": "Muster GmbH", "phone": "1"}}},
    }))
    .await
    .unwrap()
}

pub(crate) fn own(id: &str) -> RecordKey {
    RecordKey::Own(id.to_owned())
}

pub(crate) fn external(id: &str) -> RecordKey {
    RecordKey::External(id.to_owned())
}

pub(crate) fn fields(value: Value) -> JsonObject {
    value.as_object().cloned().unwrap().into()
}

pub(crate) fn record(model: &str, key: RecordKey, values: Value) -> Record {
    Record {
        model: model.to_owned(),
        key,
        values: fields(values),
        stands_for: None,
    }
}

pub(crate) fn upsert(model: &str, key: RecordKey, values: Value) -> Command {
    Command::Upsert(record(model, key, values))
}

pub(crate) fn ensure(model: &str, key: RecordKey, values: Value) -> Command {
    Command::Ensure(record(model, key, values))
}

pub(crate) fn remove(model: &str, key: RecordKey) -> Command {
    Command::Remove(RecordName {
        model: model.to_owned(),
        key,
    })
}

/// Companies from Odoo, the one at `bad` with a property that nobody made.
pub(crate) fn companies(count: usize, bad: &[usize]) -> Vec<Command> {
    let values = |at: usize| match bad.contains(&at) {
        true => json!({"name": format!("n{at}"), "nobody_made_it": "x"}),
        false => json!({"name": format!("n{at}")}),
    };
    (0..count)
        .map(|at| upsert("companies", external(&format!("odoo:{at}")), values(at)))
        .collect()
}

pub(crate) fn effects(receipts: &[Receipt]) -> Vec<Effect> {
    receipts.iter().map(|receipt| receipt.effect).collect()
}

pub(crate) fn writes(double: &HubSpotDouble, verb: &str) -> usize {
    let seen = double.seen();
    seen.iter()
        .filter(|line| line.ends_with(&format!("/batch/{verb}")))
        .count()
}

pub(crate) async fn failure(target: &dyn Target, plan: &[Command]) -> DeliverError {
    target.deliver(plan, &[]).await.unwrap_err()
}

pub(crate) fn batch(results: Value, errors: Value) -> Reply {
    Reply::json(
        207,
        &json!({"status": "COMPLETE", "results": results, "numErrors": 1, "errors": errors}),
    )
}
