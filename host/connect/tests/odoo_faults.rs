//! The Odoo target against what a healthy Odoo does not do on demand: silence, lost races, recorded answers of `load`.
//!
//! The answers are recorded from a running Odoo 19.0. What it does by itself is tested in `real_odoo.rs`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeMap, sync::Arc};

use cambist_connect::{DeliverError, Systems, Target, options::Options, target::digest_of};
use cambist_contract::{
    JsonObject,
    delivery::{Effect, NextTry},
    mapping::{Action, Command, Record, RecordKey},
    secret::{Secret, SecretRef},
};
use cambist_doubles::{Scripted, server::Reply};
use serde_json::{Value, json};

fn target(server: &Scripted) -> Arc<dyn Target> {
    let config = format!(
        "[systems.odoo-de]\nkind = \"odoo\"\naddress = \"{}\"\ndatabase = \"d\"\nkey = {{ env = \"KEY\" }}\ncompany = 2\n\
         read-time = \"300ms\"",
        server.url()
    );
    let options: Options = toml::from_str(&config).unwrap();
    let secrets = BTreeMap::from([(
        SecretRef::Env("KEY".to_owned()),
        Secret::parse("hunter2").unwrap(),
    )]);
    Systems::new(&options, &secrets, None)
        .unwrap()
        .target("odoo-de")
        .unwrap()
}

fn fields(value: Value) -> JsonObject {
    value.as_object().cloned().unwrap().into()
}

fn record(id: &str, values: Value) -> Record {
    Record {
        model: "res.partner".to_owned(),
        key: RecordKey::External(id.to_owned()),
        values: fields(values),
        stands_for: None,
    }
}

fn upsert(id: &str) -> Command {
    Command::Upsert(record(id, json!({"name": id})))
}

fn confirm() -> Command {
    Command::Act(Action {
        model: "sale.order".to_owned(),
        key: RecordKey::External("hub.so_1".to_owned()),
        name: "action_confirm".to_owned(),
        arguments: JsonObject::default(),
        from: fields(json!({"state": "draft", "amount_total": "119.00"})),
        to: fields(json!({"state": "sale"})),
    })
}

fn ok(value: Value) -> Reply {
    Reply::json(200, &value)
}

fn loaded(ids: &[i64]) -> Reply {
    ok(json!({"ids": ids, "messages": [], "nextrow": 0}))
}

fn refused(record: usize, field: Option<&str>, message: &str) -> Reply {
    let mut entry = json!({"rows": {"from": record, "to": record}, "type": "error", "record": record, "message": message});
    if let Some(field) = field {
        entry["field"] = json!(field);
    }
    ok(json!({"ids": false, "messages": [entry], "nextrow": 0}))
}

/// What Odoo says of an external id that no record has.
fn unknown() -> Reply {
    Reply::json(
        500,
        &json!({"name": "builtins.ValueError", "message": "External ID not found in the system: hub.a"}),
    )
}

async fn failure(script: Vec<Reply>, plan: &[Command]) -> (DeliverError, Scripted) {
    let server = Scripted::start(script).await.unwrap();
    let error = target(&server).deliver(plan, &[]).await.unwrap_err();
    (error, server)
}

#[tokio::test]
async fn neighbours_go_in_one_call_in_the_systems_company_with_the_key() -> anyhow::Result<()> {
    let server = Scripted::start(vec![loaded(&[15, 16])]).await?;
    let receipts = target(&server)
        .deliver(&[upsert("hub.a"), upsert("hub.b")], &[])
        .await?;
    let ids: Vec<_> = receipts
        .iter()
        .map(|receipt| (receipt.effect, receipt.target_id.as_deref()))
        .collect();
    assert_eq!(
        ids,
        [(Effect::Written, Some("15")), (Effect::Written, Some("16"))]
    );

    let seen = server.seen();
    let [call] = seen.as_slice() else {
        unreachable!("one call, not {}", seen.len())
    };
    assert_eq!(call.path, "/json/2/res.partner/load");
    assert_eq!(
        call.headers.get("authorization").map(String::as_str),
        Some("bearer hunter2")
    );
    assert_eq!(call.headers.get("x-odoo-database").map(String::as_str), Some("d"));
    let body = call.json();
    assert_eq!(body.get("fields"), Some(&json!(["id", "name"])));
    assert_eq!(
        body.get("data"),
        Some(&json!([["hub.a", "hub.a"], ["hub.b", "hub.b"]]))
    );
    assert_eq!(body.pointer("/context/allowed_company_ids"), Some(&json!([2])));
    Ok(())
}

#[tokio::test]
async fn what_was_written_before_is_left_out() -> anyhow::Result<()> {
    let server = Scripted::start(vec![loaded(&[16])]).await?;
    let plan = [upsert("hub.a"), upsert("hub.b")];
    let written = [Some(digest_of(&record("hub.a", json!({"name": "hub.a"})))), None];
    let receipts = target(&server).deliver(&plan, &written).await?;
    assert_eq!(
        receipts.iter().map(|receipt| receipt.effect).collect::<Vec<_>>(),
        [Effect::Unchanged, Effect::Written]
    );
    assert_eq!(
        server.seen().first().unwrap().json().get("data"),
        Some(&json!([["hub.b", "hub.b"]]))
    );
    Ok(())
}

#[tokio::test]
async fn a_deleted_record_that_others_need_is_made_anew_in_any_language() -> anyhow::Result<()> {
    for missing in [
        "No matching record found for external id 'hub.a' in field 'Contact'",
        "Kein passender Datensatz für externe ID 'hub.a' im Feld 'Kontakt' gefunden",
    ] {
        let server = Scripted::start(vec![
            refused(0, Some("parent_id"), missing),
            unknown(),
            loaded(&[21]),
            loaded(&[22]),
        ])
        .await?;
        let child = Command::Upsert(record("hub.b", json!({"name": "b", "parent_id/id": "hub.a"})));
        let written = [Some(digest_of(&record("hub.a", json!({"name": "hub.a"})))), None];
        let receipts = target(&server)
            .deliver(&[upsert("hub.a"), child], &written)
            .await?;
        let ids: Vec<_> = receipts
            .iter()
            .map(|receipt| receipt.target_id.as_deref())
            .collect();
        assert_eq!(ids, [Some("21"), Some("22")]);
    }
    Ok(())
}

#[tokio::test]
async fn a_bad_column_is_tried_once_more_and_no_further() {
    let bad = || refused(0, Some("type"), "Der Wert 'bogus' ist nicht erlaubt");
    let child = Command::Upsert(record("hub.b", json!({"name": "b", "type": "bogus"})));
    let written = [Some(digest_of(&record("hub.a", json!({"name": "hub.a"})))), None];
    let server = Scripted::start(vec![bad(), unknown(), loaded(&[21]), bad(), unknown()])
        .await
        .unwrap();
    let error = target(&server)
        .deliver(&[upsert("hub.a"), child], &written)
        .await
        .unwrap_err();
    assert_eq!((error.error.code(), error.next_try()), ("refused", NextTry::Park));
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn a_lost_race_in_load_is_sent_again() {
    for text in [
        "could not serialize access due to concurrent update\n",
        "deadlock detected\nDETAIL:  Process 1 waits for ShareLock on transaction 2",
    ] {
        let (error, _) = failure(vec![refused(0, None, text)], &[upsert("hub.a")]).await;
        assert_eq!(error.error.code(), "contended");
        assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });
    }
}

#[tokio::test]
async fn a_bad_row_is_named_by_its_external_id_and_what_was_done_is_receipted() {
    let message = "The operation cannot be completed: Contacts require a name";
    let other = Command::Upsert(record("hub.c", json!({"name": "c", "phone": "1"})));
    let plan = [upsert("hub.a"), other, upsert("hub.b")];
    let (error, _) = failure(vec![loaded(&[15]), refused(0, None, message), unknown()], &plan).await;
    assert_eq!(
        error.to_string(),
        format!("odoo-de refused res.partner `hub.c`: {message}")
    );
    assert_eq!(error.next_try(), NextTry::Park);
    assert_eq!(error.receipts.len(), 1);
    assert_eq!(error.receipts.first().unwrap().external_id, "hub.a");
}

#[tokio::test]
async fn the_row_of_a_refusal_is_found_by_its_index() {
    let message = "No matching record found for external id 'hub.nope' in field 'Contact'";
    let script = vec![refused(1, Some("parent_id"), message), unknown()];
    let (error, _) = failure(script, &[upsert("hub.a"), upsert("hub.b")]).await;
    assert_eq!(
        error.to_string(),
        format!("odoo-de refused res.partner `hub.b`, field `parent_id`: {message}")
    );
}

#[tokio::test]
async fn a_warning_beside_ids_is_no_error() -> anyhow::Result<()> {
    let reply = ok(json!({"ids": [15], "messages": [{"type": "warning", "message": "?"}], "nextrow": 0}));
    let server = Scripted::start(vec![reply]).await?;
    assert_eq!(target(&server).deliver(&[upsert("hub.a")], &[]).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_load_without_an_answer_is_sent_again_and_an_action_looked_up_when_it_must_have_ended() {
    let (error, _) = failure(vec![Reply::Cut], &[upsert("hub.a")]).await;
    assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });

    let draft = ok(json!([{"id": 7, "state": "draft", "amount_total": 119.0}]));
    let script = vec![ok(json!(["sale.order", 7])), draft, Reply::Cut];
    let (error, server) = failure(script, &[confirm()]).await;
    // Odoo goes on with it, and until it has ended the old state is all that can be seen
    let not_before = std::time::Duration::from_secs(120);
    assert_eq!(error.next_try(), NextTry::LookUpFirst { not_before });
    let confirms = server
        .seen()
        .into_iter()
        .filter(|call| call.path.ends_with("action_confirm"))
        .count();
    assert_eq!(confirms, 1);
}

#[tokio::test]
async fn trouble_of_odoos_own_never_parks_and_an_action_is_looked_up_where_it_may_have_been_done() {
    let trouble = |name: &str, message: &str| Reply::json(500, &json!({"name": name, "message": message}));
    let cpu = || trouble("builtins.Exception", "CPU time limit exceeded.");
    let again = NextTry::SendAgain { not_before: None };
    let (error, _) = failure(vec![cpu()], &[upsert("hub.a")]).await;
    assert_eq!(error.next_try(), again);

    let before = || {
        let draft = ok(json!([{"id": 7, "state": "draft", "amount_total": 119.0}]));
        vec![ok(json!(["sale.order", 7])), draft]
    };
    let not_before = std::time::Duration::from_secs(120);
    for (reply, next) in [
        (cpu(), NextTry::LookUpFirst { not_before }),
        (
            trouble("psycopg2.errors.DiskFull", "could not extend file"),
            again,
        ),
    ] {
        let (error, _) = failure([before(), vec![reply]].concat(), &[confirm()]).await;
        assert_eq!(
            (error.error.code(), error.next_try()),
            ("troubled", next),
            "{error}"
        );
    }

    let hidden = refused(0, None, "Unknown error during import: <class 'MemoryError'>: ");
    let (error, _) = failure(vec![hidden], &[upsert("hub.a")]).await;
    assert_eq!(error.next_try(), again);
    assert_eq!(
        error.to_string(),
        "odoo-de has trouble of its own (builtins.MemoryError)"
    );
}

#[tokio::test]
async fn an_action_whose_answer_was_lost_is_found_done() -> anyhow::Result<()> {
    let done = ok(json!([{"id": 7, "state": "sale", "amount_total": 119.0}]));
    let server = Scripted::start(vec![ok(json!(["sale.order", 7])), done]).await?;
    let receipts = target(&server).deliver(&[confirm()], &[]).await?;
    let receipt = receipts.first().unwrap();
    assert_eq!(
        (receipt.effect, receipt.target_id.as_deref()),
        (Effect::AlreadyDone, Some("7"))
    );
    Ok(())
}

#[tokio::test]
async fn a_state_that_is_neither_parks_and_names_both() {
    let other = ok(json!([{"id": 7, "state": "draft", "amount_total": 118.0}]));
    let (error, server) = failure(vec![ok(json!(["sale.order", 7])), other], &[confirm()]).await;
    assert_eq!(error.next_try(), NextTry::Park);
    assert_eq!(
        error.to_string(),
        "odoo-de has sale.order `hub.so_1` with state=draft, amount_total=118.0; `action_confirm` is done from \
         state=draft, amount_total=119.00 and leads to state=sale; found is 1.00 less in \
         amount_total; put it right there, then replay"
    );
    assert!(
        server
            .seen()
            .iter()
            .all(|call| !call.path.ends_with("action_confirm"))
    );
}

#[tokio::test]
async fn an_action_that_answers_well_and_does_nothing_is_not_taken_for_done() {
    let draft = || ok(json!([{"id": 7, "state": "draft", "amount_total": 119.0}]));
    let window = ok(json!({"type": "ir.actions.act_window", "res_model": "some.wizard"}));
    let script = vec![ok(json!(["sale.order", 7])), draft(), window, draft()];
    let (error, _) = failure(script, &[confirm()]).await;
    assert_eq!(error.error.code(), "wrong-state");
}

#[tokio::test]
async fn a_refusal_because_somebody_else_was_faster_is_a_success() -> anyhow::Result<()> {
    let state = |state: &str| ok(json!([{"id": 7, "state": state, "amount_total": 119.0}]));
    let refusal = Reply::json(
        422,
        &json!({"name": "odoo.exceptions.UserError", "message": "Some orders are not in a state requiring confirmation."}),
    );
    let script = vec![
        ok(json!(["sale.order", 7])),
        state("draft"),
        refusal,
        state("sale"),
    ];
    let server = Scripted::start(script).await?;
    let receipts = target(&server).deliver(&[confirm()], &[]).await?;
    assert_eq!(receipts.first().unwrap().effect, Effect::AlreadyDone);
    Ok(())
}

#[tokio::test]
async fn an_external_id_that_odoo_would_misread_is_not_sent() {
    for id in ["", "hub.a b", "hub.a,hub.b", "a.b.c"] {
        let (error, server) = failure(Vec::new(), &[upsert(id)]).await;
        assert_eq!(error.error.code(), "misfit");
        assert!(server.seen().is_empty());
    }
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused_before_anything_of_the_plan_is_sent() {
    let act = |model: &str, name: &str| {
        let Command::Act(action) = confirm() else {
            unreachable!("an action")
        };
        Command::Act(Action {
            model: model.to_owned(),
            name: name.to_owned(),
            ..action
        })
    };
    let load = |model: &str| {
        Command::Upsert(Record {
            model: model.to_owned(),
            ..record("hub.b", json!({"name": "b"}))
        })
    };
    let cases = [
        (load("../../web/session"), "is no model"),
        (load(".."), "is no model"),
        (act("res/partner", "write"), "is no model"),
        (act("sale.order", "../../../web/x"), "is no public method"),
        (act("sale.order", "_write"), "is no public method"),
    ];
    for (command, text) in cases {
        let (error, server) = failure(Vec::new(), &[upsert("hub.a"), command]).await;
        assert_eq!((error.error.code(), error.next_try()), ("misfit", NextTry::Park));
        assert!(error.to_string().contains(text), "{error}");
        assert!(server.seen().is_empty(), "{error}");
    }
}

#[tokio::test]
async fn an_actions_own_context_does_not_lead_out_of_the_company() -> anyhow::Result<()> {
    let state = |state: &str| ok(json!([{"id": 7, "state": state, "amount_total": 119.0}]));
    let script = vec![
        ok(json!(["sale.order", 7])),
        state("draft"),
        ok(json!(true)),
        state("sale"),
    ];
    let server = Scripted::start(script).await?;
    let Command::Act(mut action) = confirm() else {
        unreachable!("an action")
    };
    action.arguments = fields(
        json!({"context": {"allowed_company_ids": [1, 2], "lang": "de_DE", "validate_analytic": true}}),
    );
    let plan = [Command::Act(action.clone())];
    target(&server).deliver(&plan, &[]).await?;
    let seen = server.seen();
    let call = seen
        .iter()
        .find(|call| call.path.ends_with("action_confirm"))
        .unwrap();
    let body = call.json();
    assert_eq!(body.pointer("/context/allowed_company_ids"), Some(&json!([2])));
    assert_eq!(body.pointer("/context/lang"), Some(&json!("en_US")));
    assert_eq!(body.pointer("/context/validate_analytic"), Some(&json!(true)));

    action.arguments = fields(json!({"context": [1]}));
    let script = vec![ok(json!(["sale.order", 7])), state("draft")];
    let (error, _) = failure(script, &[Command::Act(action)]).await;
    assert_eq!(error.error.code(), "misfit");
    Ok(())
}

#[tokio::test]
async fn an_ensured_record_is_looked_for_once_and_then_known() -> anyhow::Result<()> {
    let server = Scripted::start(vec![unknown(), loaded(&[31])]).await?;
    let target = target(&server);
    let plan = [Command::Ensure(record("hub.a", json!({"name": "a"})))];
    let receipts = target.deliver(&plan, &[]).await?;
    assert_eq!(receipts.first().unwrap().effect, Effect::Written);
    let again = target
        .deliver(&plan, &[receipts.first().unwrap().written])
        .await?;
    assert_eq!(again.first().unwrap().effect, Effect::Unchanged);
    assert_eq!(server.seen().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_refused_row_that_is_there_already_is_unchanged_and_only_what_differs_is_written()
-> anyhow::Result<()> {
    let locked = || refused(0, None, "You cannot change the pricelist of a confirmed order !");
    let order = Command::Upsert(Record {
        model: "sale.order".to_owned(),
        key: RecordKey::External("hub.so_1".to_owned()),
        values: fields(json!({"pricelist_id/id": "shop.eur", "client_order_ref": "42"})),
        stands_for: None,
    });
    let there =
        |reference: &str| ok(json!([{"id": 7, "pricelist_id": [3, "EUR"], "client_order_ref": reference}]));
    let look_up = || ok(json!(["sale.order", 7]));
    let pricelist = || ok(json!(["product.pricelist", 3]));

    let server = Scripted::start(vec![locked(), look_up(), there("42"), pricelist()]).await?;
    let receipts = target(&server).deliver(std::slice::from_ref(&order), &[]).await?;
    assert_eq!(receipts.first().unwrap().effect, Effect::Unchanged);

    let script = vec![locked(), look_up(), there("41"), pricelist(), loaded(&[7])];
    let server = Scripted::start(script).await?;
    let receipts = target(&server).deliver(&[order], &[]).await?;
    assert_eq!(receipts.first().unwrap().effect, Effect::Written);
    let sent = server.seen().pop().unwrap().json();
    assert_eq!(sent.get("fields"), Some(&json!(["id", "client_order_ref"])));
    Ok(())
}
