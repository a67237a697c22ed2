//! Removals in Odoo: what is archived, what is gone already, and what waits for a person.
//!
//! The answers are those of a running Odoo 19.0.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, sync::Arc};

use cambist_connect::{DeliverError, Systems, Target, options::Options};
use cambist_contract::{
    delivery::{Effect, NextTry},
    mapping::{Command, Record, RecordKey, RecordName},
    secret::{Secret, SecretRef},
};
use cambist_doubles::{Scripted, server::Reply};
use serde_json::{Value, json};

fn target(server: &Scripted) -> Arc<dyn Target> {
    let config = format!(
        "[systems.odoo-de]\nkind = \"odoo\"\naddress = \"{}\"\ndatabase = \"d\"\nkey = {{ env = \"KEY\" }}",
        server.url()
    );
    let options: Options = toml::from_str(&config).unwrap();
    let key = Secret::parse("hunter2").unwrap();
    let secrets = BTreeMap::from([(SecretRef::Env("KEY".to_owned()), key)]);
    let systems = Systems::new(&options, &secrets, None).unwrap();
    systems.target("odoo-de").unwrap()
}

fn ok(value: Value) -> Reply {
    Reply::json(200, &value)
}

fn loaded(ids: &[i64]) -> Reply {
    ok(json!({"ids": ids, "messages": [], "nextrow": 0}))
}

fn wrong(message: &str) -> Reply {
    Reply::json(500, &json!({"name": "builtins.ValueError", "message": message}))
}

async fn failure(script: Vec<Reply>, command: Command) -> (DeliverError, Scripted) {
    let server = Scripted::start(script).await.unwrap();
    let error = target(&server).deliver(&[command], &[]).await.unwrap_err();
    (error, server)
}

fn remove() -> Command {
    Command::Remove(RecordName {
        model: "res.partner".to_owned(),
        key: RecordKey::External("hub.a".to_owned()),
    })
}

#[tokio::test]
async fn a_record_is_archived_once_and_one_that_is_gone_is_done() -> anyhow::Result<()> {
    let there = || ok(json!(["res.partner", 7]));
    let active = |active: bool| ok(json!([{"id": 7, "active": active}]));
    let unknown = wrong("External ID not found in the system: hub.a");
    let cases = [
        (
            vec![there(), active(true), ok(json!(true))],
            Effect::Done,
            Some("7"),
        ),
        (vec![there(), active(false)], Effect::AlreadyDone, Some("7")),
        (vec![there(), ok(json!([]))], Effect::AlreadyDone, None),
        (vec![unknown.clone(), unknown], Effect::AlreadyDone, None),
    ];
    for (script, effect, id) in cases {
        let calls = script.len();
        let server = Scripted::start(script).await?;
        let receipts = target(&server).deliver(&[remove()], &[]).await?;
        let receipt = receipts.first().unwrap();
        assert_eq!((receipt.effect, receipt.target_id.as_deref()), (effect, id));
        assert!(server.seen().len() <= calls);
        if effect == Effect::Done {
            let sent = server.seen().pop().unwrap().json();
            assert_eq!(sent.get("vals"), Some(&json!({"active": false})));
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_same_values_bring_a_removed_record_up_to_date_again() -> anyhow::Result<()> {
    let record = || {
        Command::Upsert(Record {
            model: "res.partner".to_owned(),
            key: RecordKey::External("hub.a".to_owned()),
            values: json!({"name": "a"})
                .as_object()
                .cloned()
                .unwrap_or_default()
                .into(),
            stands_for: None,
        })
    };
    let script = vec![
        loaded(&[7]),
        ok(json!(["res.partner", 7])),
        ok(json!([{"id": 7, "active": true}])),
        ok(json!(true)),
        loaded(&[7]),
    ];
    let server = Scripted::start(script).await?;
    let target = target(&server);
    let mut written = None;
    for command in [record(), remove(), record()] {
        let receipts = target.deliver(&[command], &[written]).await?;
        written = receipts.first().unwrap().written;
    }
    assert_eq!(server.seen().len(), 5);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_archived_or_found_by_our_ids_waits_for_a_person() {
    let no_field = wrong("Invalid field 'active' on 'sale.order'");
    let order = Command::Remove(RecordName {
        model: "sale.order".to_owned(),
        key: RecordKey::External("hub.so_1".to_owned()),
    });
    let script = vec![ok(json!(["sale.order", 7])), no_field];
    let (error, _) = failure(script, order).await;
    assert_eq!((error.error.code(), error.next_try()), ("misfit", NextTry::Park));
    assert!(error.to_string().contains("no field `active`"), "{error}");

    let own = |id: &str| {
        Command::Remove(RecordName {
            model: "res.partner".to_owned(),
            key: RecordKey::Own(id.to_owned()),
        })
    };
    let (error, server) = failure(Vec::new(), own("7; drop")).await;
    assert_eq!((error.error.code(), error.next_try()), ("misfit", NextTry::Park));
    assert!(error.to_string().contains("is no id of Odoo's own"), "{error}");
    assert!(server.seen().is_empty());
    // by its own id a record is found without a look at external ids
    let there = || ok(json!([{"id": 7, "active": true}]));
    let server = Scripted::start(vec![there(), there(), ok(json!(true))])
        .await
        .unwrap();
    let receipts = target(&server).deliver(&[own("7")], &[]).await.unwrap();
    assert_eq!(receipts.first().unwrap().effect, Effect::Done);
    assert!(
        server
            .seen()
            .iter()
            .all(|request| !request.path.contains("ir.model.data"))
    );
}
