//! A reply that is lost, at every request of every kind of command: whatever went wrong, once it has been sent again or
//! looked up, as the error says, Odoo has what it has when nothing goes wrong.

use std::{sync::Arc, time::Duration};

use cambist_connect::Target;
use cambist_contract::{
    delivery::NextTry,
    digest::Digest,
    mapping::{Command, RecordKey, RecordName},
};
use cambist_doubles::{Proxy, Trouble};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::*;

/// What goes wrong. Silence costs the whole time that the request is given, so all cases go on at once.
const TROUBLES: [Trouble; 14] = [
    Trouble::CutBefore,
    Trouble::CutDuring,
    Trouble::CutAfter,
    Trouble::SilentBefore,
    Trouble::SilentAfter,
    Trouble::Delayed(Duration::from_millis(300)),
    Trouble::Twice,
    Trouble::Again,
    Trouble::Truncated,
    Trouble::Trickled(Duration::from_millis(1)),
    Trouble::Refused(429),
    Trouble::Refused(503),
    Trouble::GivenUp(502),
    Trouble::Html,
];

/// Attempts until a case is given up: one fails by the trouble, some by losing a race against what it left behind.
const ATTEMPTS: usize = 10;

/// A kind of command on records of its own: what has to be there before, the command, and a question that Odoo's database
/// answers with one line when all is well.
struct Case {
    before: Vec<Command>,
    plan: Vec<Command>,
    question: String,
    answer: &'static str,
}

/// The name behind the dot of an external id.
fn name(id: &str) -> &str {
    id.split_once('.').unwrap().1
}

/// How many partners an external id has, and how many have the name that only it was given.
fn partners(id: &str) -> String {
    format!(
        "select (select count(*) from ir_model_data where module = 'hub' and name = '{0}') || ' ' || \
         (select count(*) || ' ' || coalesce(string_agg(active || ' ' || coalesce(phone, ''), ','), '') from res_partner where name = '{0}')",
        name(id)
    )
}

fn partner(id: &str, phone: &str) -> Command {
    upsert("res.partner", id, json!({"name": name(id), "phone": phone}))
}

/// A case for each kind of command, with what its ids are told apart by.
fn case(kind: &str, of: &str) -> Case {
    let id = fresh(of);
    match kind {
        "upsert of a new record" => Case {
            before: vec![],
            plan: vec![partner(&id, "1")],
            question: partners(&id),
            answer: "1 1 true 1",
        },
        "upsert of what is there" => Case {
            before: vec![partner(&id, "1")],
            plan: vec![partner(&id, "2")],
            question: partners(&id),
            answer: "1 1 true 2",
        },
        "ensure of a new record" => Case {
            before: vec![],
            plan: vec![Command::Ensure(record(
                "res.partner",
                &id,
                json!({"name": name(&id), "phone": "1"}),
            ))],
            question: partners(&id),
            answer: "1 1 true 1",
        },
        "ensure of what is there" => Case {
            before: vec![partner(&id, "1")],
            plan: vec![Command::Ensure(record(
                "res.partner",
                &id,
                json!({"name": name(&id), "phone": "2"}),
            ))],
            question: partners(&id),
            answer: "1 1 true 1",
        },
        "remove" => Case {
            before: vec![partner(&id, "1")],
            plan: vec![Command::Remove(RecordName {
                model: "res.partner".to_owned(),
                key: RecordKey::External(id.clone()),
            })],
            question: partners(&id),
            answer: "1 1 false 1",
        },
        "act" => {
            let (mut before, order) = deal(&id);
            let confirm = before.pop().unwrap();
            Case {
                before,
                plan: vec![confirm],
                question: format!(
                    "select o.state || ' ' || (select count(*) from project_project p where p.reinvoiced_sale_order_id = o.id) \
                     from sale_order o join ir_model_data d on d.model = 'sale.order' and d.res_id = o.id where d.name = '{}'",
                    name(&order)
                ),
                answer: "sale 1",
            }
        }
        "act that only writes" => {
            let write = |id: &str| {
                let mut command = act(
                    "res.partner",
                    id,
                    "write",
                    json!({"phone": "1"}),
                    json!({"phone": "2"}),
                );
                if let Command::Act(action) = &mut command {
                    action.arguments = fields(json!({"vals": {"phone": "2"}}));
                }
                command
            };
            Case {
                before: vec![partner(&id, "1")],
                plan: vec![write(&id)],
                question: partners(&id),
                answer: "1 1 true 2",
            }
        }
        other => unreachable!("no case `{other}`"),
    }
}

const KINDS: [&str; 7] = [
    "upsert of a new record",
    "upsert of what is there",
    "ensure of a new record",
    "ensure of what is there",
    "remove",
    "act",
    "act that only writes",
];

/// Delivers a plan as the pipeline does: after an error again, where the error allows it, with the receipts so far. What
/// may still be at work is waited for as long as it is, and no longer: the wait of the error is for those who cannot see it.
async fn deliver(target: &Arc<dyn Target>, proxy: &Proxy, plan: &[Command]) -> Vec<&'static str> {
    let mut written: Vec<Option<Digest>> = vec![None; plan.len()];
    let mut codes = Vec::new();
    for _ in 0..ATTEMPTS {
        let error = match target.deliver(plan, &written).await {
            Ok(receipts) => {
                assert_eq!(receipts.len(), plan.len());
                return codes;
            }
            Err(error) => error,
        };
        codes.push(error.error.code());
        for receipt in &error.receipts {
            let place = plan
                .iter()
                .position(|command| command.key().to_string() == receipt.external_id)
                .unwrap();
            *written.get_mut(place).unwrap() = receipt.written;
        }
        match error.next_try() {
            NextTry::SendAgain { .. } => {}
            NextTry::LookUpFirst { .. } => {
                while proxy.open() > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            NextTry::Park => panic!("parked by a trouble of the network: {error}"),
        }
    }
    panic!("not done in {ATTEMPTS} attempts: {codes:?}");
}

#[tokio::test]
async fn whatever_is_lost_of_any_command_odoo_ends_as_if_nothing_were() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let odoo = Arc::new(odoo);
    let direct = odoo.target();
    let mut cases = JoinSet::new();
    for kind in KINDS {
        let undisturbed = case(kind, "peace");
        direct.deliver(&undisturbed.before, &[]).await?;
        let proxy = Proxy::start(odoo.fact("URL")).await?;
        let target = odoo.through(&proxy);
        deliver(&target, &proxy, &undisturbed.plan).await;
        assert_eq!(
            odoo.sql(&undisturbed.question),
            undisturbed.answer,
            "{kind}, in peace"
        );
        let requests = proxy.seen().len();
        assert!(requests > 0, "{kind}");
        for at in 0..requests {
            for trouble in TROUBLES {
                let odoo = Arc::clone(&odoo);
                let case = case(kind, "lost");
                direct.deliver(&case.before, &[]).await?;
                cases.spawn(async move {
                    let proxy = Proxy::start(odoo.fact("URL")).await.unwrap();
                    let target = odoo.through(&proxy);
                    let passed = std::sync::atomic::AtomicUsize::new(0);
                    proxy.arm(trouble, move |_| {
                        passed.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == at
                    });
                    let codes = deliver(&target, &proxy, &case.plan).await;
                    let what = format!("{kind}, request {at}, {trouble:?}: {codes:?}");
                    assert_eq!(proxy.armed(), 0, "{what}");
                    // what was left behind has its say, too
                    while proxy.open() > 0 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    let odoo = Arc::clone(&odoo);
                    let found = tokio::task::spawn_blocking(move || odoo.sql(&case.question))
                        .await
                        .unwrap();
                    assert_eq!(found, case.answer, "{what}");
                });
                // a few at a time, but for those that wait in silence
                while cases.len() > 60 {
                    cases.join_next().await.unwrap()?;
                }
            }
        }
    }
    let mut done = 0;
    while let Some(case) = cases.join_next().await {
        case?;
        done += 1;
    }
    assert!(done > 0);
    Ok(())
}
