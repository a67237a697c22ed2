//! What is billed of a message: a draft that waits is made of what is there when it goes on, and what is billed where it
//! was read is told to nobody but as a draft.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    fault::Fault,
    mapping::Inbound,
    plugin::{CallError, Called},
    stage::Stage,
};
use cambist_journal::{Event, State};
use serde_json::{Value, json};

use crate::double::{Does, Pack, Site, called, flow_with, id};

fn name(kind: &str, system: &str, id: &str) -> Value {
    json!({"kind": kind, "system": system, "id": id})
}

/// A contract with approved time, whose worker is called as the object is; and one bill, where the object says so.
fn order(input: &Inbound) -> Option<Value> {
    let (system, id) = (input.system.as_str(), input.object_id.as_str());
    let body = input.body.value();
    if body["order"] != json!(true) {
        return None;
    }
    let change = |kind: &str, id: &str, fields: Value| {
        let mut entity = fields;
        entity["ref"] = name(kind, system, id);
        json!({"entity": {kind: entity}, "kind": "upsert", "changed-at": "2026-11-22T04:00:00Z"})
    };
    let sheet = json!({"day": "2026-11-03", "hours": "8", "status": "approved"});
    let mut all = vec![
        change("account", id, json!({"name": "Acme"})),
        change("contract", id, json!({"name": body["name"]})),
        change("timesheet", "t", sheet),
    ];
    if body["billed"] == json!(true) {
        all.push(change(
            "invoice",
            "earlier",
            json!({"status": "draft", "lines": []}),
        ));
    }
    Some(Value::from(all))
}

/// A draft of one bill for the contract.
fn bill(of: &EntityRef) -> Value {
    let line = json!({"id": "1", "name": "Work", "quantity": "8", "unit-price": "100"});
    json!({"ref": name("invoice", &of.system, &format!("{}/2026-11-03", of.id)), "currency": "EUR", "lines": [line]})
}

fn drafted(invoices: Vec<Value>) -> Called<cambist_contract::invoicing::Draft> {
    let draft = json!({"invoices": invoices, "reasons": [{"code": "time", "text": "as it was told"}]});
    called(Ok(serde_json::from_str(&draft.to_string()).unwrap()))
}

/// What the last output of a stage names in its changes or commands.
fn output(events: &[Event], wanted: Stage) -> Vec<String> {
    let outputs = events.iter().filter_map(|event| match event {
        Event::Passed { stage, output, .. } if *stage == wanted => Some(output.as_str().to_owned()),
        _ => None,
    });
    outputs.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_waits_is_made_of_what_is_there_when_it_goes_on() {
    let awaited = EntityRef {
        kind: EntityKind::Account,
        system: "other".to_owned(),
        id: "5".to_owned(),
    };
    let mut site = Site::with(Pack {
        maps: Box::new(order),
        drafts: Box::new(move |billable| match billable.contract.name.as_deref() {
            Some("priced") => drafted(vec![bill(&billable.contract.entity)]),
            _ => called(Err(CallError::Fault(Fault::Waiting(awaited.clone())))),
        }),
        ..Pack::default()
    });
    site.routes.flows = vec![flow_with("deals", &["draft"])];
    // what was worked is usually Odoo's to say
    site.routes.ownership = Arc::new(serde_json::from_value(json!({"timesheet": "crm"})).unwrap());
    let priced = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&priced);
    let source = Does::new(move || {
        let name = if seen.load(Ordering::SeqCst) {
            "priced"
        } else {
            "new"
        };
        std::future::ready(Ok(json!({"order": true, "name": name})))
    });
    site.systems.insert_source("crm", source);
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "waiting").await;

    // what it waits for comes, and with it the source says more
    priced.store(true, Ordering::SeqCst);
    site.accept("other", 5..6).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(output(&events, Stage::Fetch).len(), 2);
    let plans = output(&events, Stage::Write);
    assert!(plans.len() == 1 && plans[0].contains("0/2026-11-03"), "{plans:?}");
}

/// A flow that bills in `odoo` what `odoo` says.
fn at_home(object: Value, invoices: bool) -> Site {
    let mut site = Site::with(Pack {
        maps: Box::new(order),
        drafts: Box::new(move |billable| match invoices {
            true => drafted(vec![bill(&billable.contract.entity)]),
            false => drafted(Vec::new()),
        }),
        ..Pack::default()
    });
    let fields = json!({"name": "bills", "from": ["odoo"], "events": ["deal.changed"], "objects": ["deal"],
        "to": {"*": "odoo"}, "stages": ["draft"]});
    site.routes.flows = vec![Arc::new(serde_json::from_value(fields).unwrap())];
    let region_of = serde_json::from_value(json!({"default": "de"})).unwrap();
    site.routes.region_of.insert("odoo".to_owned(), region_of);
    site.systems.insert_source("odoo", crate::double::tells(object));
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_billed_where_it_was_read_is_told_as_a_draft_beside_no_earlier_bill() {
    let site = at_home(json!({"order": true, "name": "x", "billed": true}), true);
    site.accept("odoo", 7..8).await;
    let (_, events) = site.bring(&id("odoo", 7), "done").await;
    let read = output(&events, Stage::Own);
    assert!(read[0].contains("earlier"), "{read:?}");
    let plans = output(&events, Stage::Write);
    assert!(
        plans[0].contains("7/2026-11-03") && !plans[0].contains("earlier"),
        "{plans:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_billed_ends_with_the_reasons_and_nothing_is_delivered() {
    let site = at_home(json!({"order": true, "name": "x"}), false);
    site.accept("odoo", 7..8).await;
    let (status, events) = site.bring(&id("odoo", 7), "ignored").await;
    let State::Ignored { reason } = status.state else {
        unreachable!("it is ignored")
    };
    assert_eq!(reason, "nothing is to be billed: as it was told");
    assert!(output(&events, Stage::Write).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_takes_only_the_kinds_of_object_that_it_names() {
    let mut site = at_home(json!({"order": true, "name": "x"}), false);
    let mut other = (*site.routes.flows[0]).clone();
    other.objects = vec!["sale.order".to_owned()];
    site.routes.flows = vec![Arc::new(other)];
    site.accept("odoo", 7..8).await;
    let (status, _) = site.bring(&id("odoo", 7), "ignored").await;
    assert!(matches!(status.state, State::Ignored { reason } if reason == "no flow takes this event"));
}
