//! What HubSpot refuses, and what is not even sent: the bad row is named, and the others are written.

use std::time::Duration;

use cambist_contract::{
    JsonObject,
    delivery::{Effect, NextTry},
    mapping::{Action, Command},
};
use cambist_doubles::{Scripted, server::Reply};
use serde_json::{Value, json};

use crate::support::{
    batch, companies, effects, ensure, external, failure, own, portal, remove, target, target_at, upsert,
    writes,
};

#[tokio::test]
async fn one_bad_row_among_a_hundred_is_named_and_the_others_are_written() {
    for multi_status in [false, true] {
        let double = portal().await;
        double.properties("companies", &["name", "cambist_id"]);
        double.multi_status(multi_status);
        let mut plan = companies(100, &[37]);
        plan.push(upsert("deals", own("9001"), json!({"amount": "1"})));
        let error = failure(&*target(&double), &plan).await;
        assert_eq!(
            error.to_string(),
            "hubspot-eu refused companies `odoo:37`, field `nobody_made_it`: Property \"nobody_made_it\" does not exist"
        );
        assert_eq!((error.error.code(), error.next_try()), ("refused", NextTry::Park));
        let named: Vec<String> = error
            .receipts
            .iter()
            .map(|receipt| receipt.external_id.clone())
            .collect();
        let expected: Vec<String> = (0..100)
            .filter(|at| *at != 37)
            .map(|at| format!("odoo:{at}"))
            .collect();
        assert_eq!(named, expected);
        assert_eq!(double.objects("companies").len(), 100);
        // what comes after it may need it
        assert_eq!(writes(&double, "update"), 0);
        // halves, and not each row by itself
        assert!(writes(&double, "upsert") <= if multi_status { 1 } else { 15 });
    }
}

#[tokio::test]
async fn the_first_of_several_bad_rows_is_named_and_a_fault_of_all_costs_few_calls() {
    let double = portal().await;
    double.properties("companies", &["name", "cambist_id"]);
    let error = failure(&*target(&double), &companies(20, &[3, 11, 12])).await;
    assert!(error.to_string().contains("`odoo:3`"), "{error}");
    assert_eq!(error.receipts.len(), 17);

    // nobody has made the unique property
    let double = portal().await;
    double.properties("companies", &["name"]);
    let error = failure(&*target(&double), &companies(100, &[])).await;
    assert!(error.to_string().contains("`odoo:0`"), "{error}");
    assert!(error.to_string().contains("cambist_id"), "{error}");
    assert!(error.receipts.is_empty());
    assert!(writes(&double, "upsert") < 40);
}

#[tokio::test]
async fn a_row_of_207_that_nothing_is_said_of_is_sent_again_and_then_troubled() -> anyhow::Result<()> {
    let row = |id: &str, trace: &str| json!({"id": id, "objectWriteTraceId": trace});
    let script = vec![
        batch(json!([row("12", "2"), row("10", "0")]), json!([])),
        batch(json!([row("11", "0")]), json!([])),
    ];
    let server = Scripted::start(script).await?;
    let receipts = target_at(&server.url(), "")
        .deliver(&companies(3, &[]), &[])
        .await?;
    let ids: Vec<_> = receipts
        .iter()
        .filter_map(|receipt| receipt.target_id.as_deref())
        .collect();
    assert_eq!(ids, ["10", "11", "12"]);
    let again = server.seen()[1].json();
    assert_eq!(
        again["inputs"],
        json!([{
            "id": "odoo:1", "idProperty": "cambist_id", "objectWriteTraceId": "0",
            "properties": {"name": "n1", "cambist_id": "odoo:1"},
        }])
    );

    let server = Scripted::start(vec![batch(json!([]), json!([]))]).await?;
    let error = failure(&*target_at(&server.url(), ""), &companies(1, &[])).await;
    assert_eq!(error.error.code(), "troubled");
    assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });
    Ok(())
}

#[tokio::test]
async fn a_row_of_207_says_what_may_be_done_next_and_the_others_are_receipted() -> anyhow::Result<()> {
    let again = NextTry::SendAgain { not_before: None };
    let busy = NextTry::SendAgain {
        not_before: Some(Duration::from_secs(10)),
    };
    for (category, code, next) in [
        ("VALIDATION_ERROR", "refused", NextTry::Park),
        ("OBJECT_NOT_FOUND", "gone", NextTry::Park),
        ("MISSING_SCOPES", "not-allowed", NextTry::Park),
        ("RATE_LIMITS", "busy", busy),
        ("INTERNAL_ERROR", "troubled", again),
    ] {
        let error = json!({"category": category, "message": "No.", "context": {"objectWriteTraceId": ["0"]}});
        let server = Scripted::start(vec![batch(json!([{"id": "2"}]), json!([error]))]).await?;
        let plan = ["1", "2"].map(|id| upsert("deals", own(id), json!({"amount": "1"})));
        let error = failure(&*target_at(&server.url(), ""), &plan).await;
        assert_eq!((error.error.code(), error.next_try()), (code, next), "{error}");
        let receipts: Vec<_> = error
            .receipts
            .iter()
            .map(|receipt| receipt.external_id.as_str())
            .collect();
        assert_eq!(receipts, ["#2"], "{category}");
    }
    Ok(())
}

#[tokio::test]
async fn a_conflict_is_sent_once_more_and_then_taken_for_a_refusal() -> anyhow::Result<()> {
    let conflict = || {
        Reply::json(
            409,
            &json!({"category": "CONFLICT", "message": "Contact already exists. Existing ID: 7"}),
        )
    };
    let made = batch(json!([{"id": "7"}]), json!([]));
    let plan = [upsert(
        "contacts",
        external("odoo:7"),
        json!({"email": "a@example.com"}),
    )];
    let server = Scripted::start(vec![conflict(), made]).await?;
    let receipts = target_at(&server.url(), "").deliver(&plan, &[]).await?;
    assert_eq!(receipts[0].target_id.as_deref(), Some("7"));

    let server = Scripted::start(vec![conflict(), conflict()]).await?;
    let error = failure(&*target_at(&server.url(), ""), &plan).await;
    assert_eq!(
        error.to_string(),
        "hubspot-eu refused contacts `odoo:7`: Contact already exists. Existing ID: 7"
    );
    assert_eq!(server.seen().len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_is_gone_there_is_named_and_not_made_anew() {
    let double = portal().await;
    for command in [
        upsert("deals", own("9009"), json!({"amount": "1"})),
        ensure("deals", own("9009"), json!({"amount": "1"})),
    ] {
        let plan = [upsert("deals", own("9001"), json!({"amount": "2"})), command];
        let error = failure(&*target(&double), &plan).await;
        assert_eq!(
            error.to_string(),
            "deals 9009 is not in hubspot-eu, or not for our user to see"
        );
        assert_eq!(error.next_try(), NextTry::Park);
        assert_eq!(effects(&error.receipts), [Effect::Written]);
    }
    assert_eq!(double.objects("deals").len(), 1);

    // 404 for the whole batch
    let gone = || {
        Reply::json(
            404,
            &json!({"category": "OBJECT_NOT_FOUND", "message": "resource not found"}),
        )
    };
    let server = Scripted::start(vec![gone()]).await.unwrap();
    let plan = [upsert("deals", own("9009"), json!({"amount": "1"}))];
    let error = failure(&*target_at(&server.url(), ""), &plan).await;
    assert_eq!((error.error.code(), error.next_try()), ("gone", NextTry::Park));
}

#[tokio::test]
async fn an_archive_that_is_refused_names_the_object_and_archives_the_others() -> anyhow::Result<()> {
    let found = |ids: &[&str]| {
        let results: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        Reply::json(200, &json!({ "results": results }))
    };
    let refused = || {
        Reply::json(
            400,
            &json!({"category": "VALIDATION_ERROR", "message": "It is locked."}),
        )
    };
    let gone = Reply::json(
        404,
        &json!({"category": "OBJECT_NOT_FOUND", "message": "resource not found"}),
    );
    let done = Reply::json(204, &json!(null));
    let server = Scripted::start(vec![found(&["1", "2", "3"]), refused(), refused(), gone, done]).await?;
    let plan = ["1", "2", "3"].map(|id| remove("deals", own(id)));
    let error = failure(&*target_at(&server.url(), ""), &plan).await;
    assert_eq!(error.to_string(), "hubspot-eu refused deals `#1`: It is locked");
    assert_eq!(effects(&error.receipts), [Effect::AlreadyDone, Effect::Done]);
    Ok(())
}

#[tokio::test]
async fn a_plan_that_cannot_be_meant_is_refused_before_anything_is_sent() {
    let double = portal().await;
    let good = upsert("deals", own("9001"), json!({"amount": "1"}));
    let act = Command::Act(Action {
        model: "deals".to_owned(),
        key: own("9001"),
        name: "close".to_owned(),
        arguments: JsonObject::default(),
        from: JsonObject::default(),
        to: JsonObject::default(),
    });
    for (bad, says) in [
        (upsert("../settings", own("1"), json!({})), "no kind of object"),
        (remove("deals/9001", own("1")), "no kind of object"),
        (upsert("deals", own("9001/x"), json!({})), "no id of HubSpot's"),
        (ensure("deals", external(""), json!({})), "no external id"),
        (
            upsert("deals", own("9001"), json!({"tags": ["a"]})),
            "`tags` of `#9001`",
        ),
        (
            upsert("companies", external("odoo:7"), json!({"cambist_id": "odoo:8"})),
            "leave it out",
        ),
        (act, "HubSpot knows no actions"),
    ] {
        let error = failure(&*target(&double), &[good.clone(), bad]).await;
        assert_eq!((error.error.code(), error.next_try()), ("misfit", NextTry::Park));
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.receipts.is_empty());
    }
    assert!(double.seen().is_empty());
}
