//! Plans of several messages that go to Odoo in one `load`, against recorded answers. In each test the first plan is alone and
//! goes at once; the others come meanwhile and share the next call.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, sync::Arc};

use cambist_connect::{DeliverError, Manner, Systems, Target, options::Options};
use cambist_contract::{
    delivery::{NextTry, Receipt},
    mapping::{Command, Record, RecordKey},
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
    Systems::new(&options, &secrets, None)
        .unwrap()
        .target("odoo-de")
        .unwrap()
}

fn upsert(id: &str, values: &Value) -> Command {
    Command::Upsert(Record {
        model: "res.partner".to_owned(),
        key: RecordKey::External(id.to_owned()),
        values: values.as_object().cloned().unwrap().into(),
        stands_for: None,
    })
}

fn partner(id: &str) -> Vec<Command> {
    vec![upsert(id, &json!({"name": id}))]
}

fn loaded(ids: &[i64]) -> Reply {
    Reply::json(200, &json!({"ids": ids, "messages": [], "nextrow": 0}))
}

fn refused(record: usize) -> Reply {
    let why = json!({"rows": {"from": record, "to": record}, "type": "error", "record": record,
        "message": "The operation cannot be completed: Contacts require a name"});
    Reply::json(200, &json!({"ids": false, "messages": [why], "nextrow": 0}))
}

fn error(name: &str, message: &str) -> Reply {
    Reply::json(500, &json!({"name": name, "message": message}))
}

fn forbidden() -> Reply {
    error("odoo.exceptions.AccessError", "not yours")
}

/// Delivers plans that come at the same time, in this order.
async fn deliver(server: &Scripted, plans: &[Vec<Command>]) -> Vec<Result<Vec<Receipt>, DeliverError>> {
    let target = target(server);
    let mut tasks = Vec::new();
    for plan in plans {
        let (target, plan) = (Arc::clone(&target), plan.clone());
        let manner = Manner {
            shares: true,
            urgent: false,
        };
        tasks.push(tokio::spawn(async move {
            target.deliver_among(&plan, &[], manner, &|_| {}).await
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

/// The ids in Odoo of each plan's records; the code of its error where it failed.
fn ends(all: &[Result<Vec<Receipt>, DeliverError>]) -> Vec<String> {
    let ids = |receipts: &[Receipt]| {
        let ids = receipts
            .iter()
            .map(|one| one.target_id.clone().unwrap_or_default());
        ids.collect::<Vec<_>>().join(" ")
    };
    all.iter()
        .map(|end| match end {
            Ok(receipts) => ids(receipts),
            Err(failed) => failed.error.code().to_owned(),
        })
        .collect()
}

/// The external ids of each `load` that was seen.
fn loads(server: &Scripted) -> Vec<String> {
    let seen = server.seen();
    let seen = seen.iter().filter(|call| call.path.ends_with("/load"));
    seen.map(|call| {
        let body = call.json();
        let rows = body
            .get("data")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let ids = rows
            .iter()
            .filter_map(|row| row.get(0)?.as_str().map(str::to_owned));
        ids.collect::<Vec<_>>().join(" ")
    })
    .collect()
}

#[tokio::test]
async fn those_that_come_while_a_call_is_under_way_share_the_next_one() -> anyhow::Result<()> {
    let server = Scripted::start(vec![loaded(&[1]), loaded(&[2, 3, 4])]).await?;
    let all = deliver(&server, &[partner("a"), partner("b"), partner("c"), partner("d")]).await;
    assert_eq!(ends(&all), ["1", "2", "3", "4"]);
    assert_eq!(loads(&server), ["a", "b c d"]);
    Ok(())
}

#[tokio::test]
async fn a_bad_row_is_refused_to_its_own_message_and_sinks_no_other() -> anyhow::Result<()> {
    let unknown = error("builtins.ValueError", "External ID not found in the system: c");
    let script = vec![loaded(&[1]), refused(1), loaded(&[2, 4]), unknown];
    let server = Scripted::start(script).await?;
    let all = deliver(&server, &[partner("a"), partner("b"), partner("c"), partner("d")]).await;
    assert_eq!(ends(&all), ["1", "2", "refused", "4"]);
    assert_eq!(loads(&server), ["a", "b c d", "b d"]);
    Ok(())
}

#[tokio::test]
async fn where_no_row_is_named_each_goes_by_itself() -> anyhow::Result<()> {
    let script = vec![loaded(&[1]), forbidden(), loaded(&[2]), forbidden(), loaded(&[4])];
    let server = Scripted::start(script).await?;
    let all = deliver(&server, &[partner("a"), partner("b"), partner("c"), partner("d")]).await;
    assert_eq!(ends(&all), ["1", "2", "not-allowed", "4"]);
    assert_eq!(loads(&server), ["a", "b c d", "b", "c", "d"]);
    Ok(())
}

#[tokio::test]
async fn parents_go_before_children_and_both_together_with_those_of_others() -> anyhow::Result<()> {
    let child = |id: &str, parent: &str| upsert(id, &json!({"name": id, "parent_id/id": parent}));
    let family = |parent: &str, id: &str| [partner(parent), vec![child(id, parent)]].concat();
    let script = vec![loaded(&[1]), loaded(&[2, 3]), loaded(&[4, 5])];
    let server = Scripted::start(script).await?;
    let all = deliver(&server, &[partner("a"), family("b", "b1"), family("c", "c1")]).await;
    assert_eq!(ends(&all), ["1", "2 4", "3 5"]);
    assert_eq!(loads(&server), ["a", "b c", "b1 c1"]);
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_fails_all_who_shared_the_call_and_each_may_send_again() -> anyhow::Result<()> {
    let server = Scripted::start(vec![loaded(&[1]), Reply::Cut]).await?;
    let all = deliver(&server, &[partner("a"), partner("b"), partner("c")]).await;
    assert_eq!(ends(&all), ["1", "cut-off", "cut-off"]);
    for failed in all.iter().filter_map(|end| end.as_ref().err()) {
        assert_eq!(failed.next_try(), NextTry::SendAgain { not_before: None });
        assert!(failed.receipts.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn what_has_failed_before_goes_alone() -> anyhow::Result<()> {
    let server = Scripted::start(vec![loaded(&[1]), loaded(&[2]), loaded(&[3])]).await?;
    let target = target(&server);
    let (a, b, c) = (partner("a"), partner("b"), partner("c"));
    let shares = Manner {
        shares: true,
        urgent: false,
    };
    let all = tokio::join!(
        target.deliver_among(&a, &[], shares, &|_| {}),
        target.deliver(&b, &[]),
        target.deliver_among(&c, &[], shares, &|_| {}),
    );
    assert_eq!(ends(&[all.0, all.1, all.2]), ["1", "2", "3"]);
    assert_eq!(loads(&server), ["a", "b", "c"]);
    Ok(())
}

#[tokio::test]
async fn a_record_of_several_plans_goes_once_with_the_same_values_and_in_order_with_others()
-> anyhow::Result<()> {
    let other = vec![upsert("b", &json!({"name": "other"}))];
    let script = vec![loaded(&[1]), loaded(&[2, 3]), loaded(&[2])];
    let server = Scripted::start(script).await?;
    let plans = [partner("a"), partner("b"), partner("c"), partner("b"), other];
    let all = deliver(&server, &plans).await;
    assert_eq!(ends(&all), ["1", "2", "3", "2", "2"]);
    assert_eq!(loads(&server), ["a", "b c", "b"]);
    Ok(())
}

#[tokio::test]
async fn many_bad_rows_are_not_found_out_one_batch_after_another() -> anyhow::Result<()> {
    let mut plans = vec![partner("a")];
    plans.extend((0..20).map(|at| partner(&format!("b{at}"))));
    let unknown = || error("builtins.ValueError", "External ID not found in the system: b");
    let mut script = vec![loaded(&[1])];
    // nine batches, then the eleven that are left one by one, then each looks whether its record is there
    script.extend((0..20).map(|_| refused(0)));
    script.extend((0..20).map(|_| unknown()));
    let server = Scripted::start(script).await?;
    let all = deliver(&server, &plans).await;
    assert_eq!(ends(&all).iter().filter(|end| *end == "refused").count(), 20);
    let single = loads(&server).iter().filter(|rows| !rows.contains(' ')).count();
    assert_eq!((loads(&server).len(), single), (21, 12));
    Ok(())
}
