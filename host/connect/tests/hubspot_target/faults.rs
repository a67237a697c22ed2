//! Trouble on the way: what may be done next, and that the same again makes nothing twice.

use std::time::Duration;

use cambist_contract::delivery::{Effect, NextTry};
use cambist_doubles::{Fault, Scripted, server::Reply};
use serde_json::json;

use crate::support::{
    API, batch, companies, effects, event, external, failure, own, portal, systems_at, target, target_at,
    upsert,
};

#[tokio::test]
async fn every_fault_says_what_may_be_done_next() {
    let double = portal().await;
    let target = target(&double);
    let again = |seconds: Option<u64>| NextTry::SendAgain {
        not_before: seconds.map(Duration::from_secs),
    };
    for (fault, code, next) in [
        (Fault::TooMany { retry_after: Some(3) }, "busy", again(Some(3))),
        (Fault::TooMany { retry_after: None }, "busy", again(Some(10))),
        (Fault::Status(423), "busy", again(Some(10))),
        (Fault::Status(502), "troubled", again(None)),
        (Fault::Status(401), "key-refused", NextTry::Park),
        (Fault::Status(403), "not-allowed", NextTry::Park),
        (Fault::Cut, "cut-off", again(None)),
        (Fault::CutAfter, "cut-off", again(None)),
        (Fault::Truncated, "cut-off", again(None)),
        (Fault::Html, "strange-answer", again(None)),
    ] {
        double.faults().next(fault.clone());
        let error = failure(&*target, &companies(1, &[])).await;
        assert_eq!(
            (error.error.code(), error.next_try()),
            (code, next),
            "{fault:?}: {error}"
        );
        assert!(error.receipts.is_empty());
    }
}

#[tokio::test]
async fn what_was_done_before_a_429_is_receipted_and_the_rest_comes_later() -> anyhow::Result<()> {
    let plan = companies(4, &[3]);
    // the bad row makes halves of it, and the third call is too many
    let script = vec![
        Reply::json(400, &json!({"category": "VALIDATION_ERROR", "message": "No."})),
        batch(
            json!([{"id": "10", "objectWriteTraceId": "0"}, {"id": "11", "objectWriteTraceId": "1"}]),
            json!([]),
        ),
        Reply::json(429, &json!({"category": "RATE_LIMITS"})).header("Retry-After", "7"),
    ];
    let server = Scripted::start(script).await?;
    let error = failure(&*target_at(&server.url(), ""), &plan).await;
    assert_eq!(
        error.next_try(),
        NextTry::SendAgain {
            not_before: Some(Duration::from_secs(7))
        }
    );
    assert_eq!(effects(&error.receipts), [Effect::Written; 2]);

    // with their digests only the rest is sent
    let double = portal().await;
    double.properties("companies", &["name", "cambist_id"]);
    let mut written: Vec<_> = error.receipts.iter().map(|receipt| receipt.written).collect();
    written.resize(4, None);
    let error = target(&double).deliver(&plan, &written).await.unwrap_err();
    assert_eq!(
        effects(&error.receipts),
        [Effect::Unchanged, Effect::Unchanged, Effect::Written]
    );
    Ok(())
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_sent_again_and_makes_one_record() -> anyhow::Result<()> {
    let double = portal().await;
    let target = target(&double);
    let plan = [
        upsert("companies", external("odoo:7"), json!({"name": "a"})),
        upsert("deals", own("9001"), json!({"amount": "7"})),
    ];
    for calls in 0..2 {
        // the first call is lost, then the second
        for _ in 0..calls {
            double.faults().next(Fault::Pass);
        }
        double.faults().next(Fault::CutAfter);
        let error = failure(&*target, &plan).await;
        assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });
        assert_eq!(error.receipts.len(), calls);
    }
    // it was carried out all the same
    let before = (double.objects("companies"), double.objects("deals"));
    assert_eq!(before.0.len(), 2);
    assert_eq!(before.1["9001"]["properties"]["amount"], "7");
    let receipts = target.deliver(&plan, &[]).await?;
    assert_eq!(effects(&receipts), [Effect::Written; 2]);
    assert_eq!((double.objects("companies"), double.objects("deals")), before);
    Ok(())
}

#[tokio::test]
async fn reads_and_writes_of_one_account_wait_for_each_other() -> anyhow::Result<()> {
    let double = portal().await;
    let systems = systems_at(&double.url(), "at-once = 1");
    let (source, target) = (
        systems.source("hubspot-eu").unwrap(),
        systems.target("hubspot-eu").unwrap(),
    );
    double.faults().next(Fault::Hang);
    let reading = tokio::spawn(async move { source.fetch(&event()).await.is_err() });
    while double.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let writing = tokio::spawn(async move { target.deliver(&companies(1, &[]), &[]).await.is_ok() });
    // long enough for a write that does not wait, and no matter for one that does
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(double.seen().len(), 1);
    assert!(reading.await?);
    assert!(writing.await?);
    Ok(())
}

#[tokio::test]
async fn ready_tells_a_wrong_key_by_one_call() -> anyhow::Result<()> {
    let double = portal().await;
    target(&double).ready().await?;
    assert_eq!(double.seen(), [format!("GET {API}/0-3")]);
    double.faults().next(Fault::Status(401));
    let error = target(&double).ready().await.unwrap_err();
    assert_eq!(error.code(), "key-refused");
    Ok(())
}
