//! The operators' side answers, and nothing that leaves the host holds a secret
//! or what a customer said.

use anyhow::Result;
use cambist_doubles::{fault::Fault, hubspot};
use cambist_e2e::{Deal, Setup, World, plugins, sender, setup};
use serde_json::json;

/// What an operator watches: receipt, rejections by reason, time of each stage, what
/// is parked and tried again, deliveries, how far the journal is behind, what plugins
/// cost, how systems and the journal answer.
const METRICS: [&str; 22] = [
    "cambist_received_total",
    "cambist_duplicates_total",
    "cambist_rejected_total",
    "cambist_ingress_seconds",
    "cambist_stage_seconds",
    "cambist_outcomes_total",
    "cambist_parked_total",
    "cambist_retries_total",
    "cambist_deliveries_total",
    "cambist_plugin_seconds",
    "cambist_plugin_fuel",
    "cambist_plugin_failures_total",
    "cambist_plugin_switches_total",
    "cambist_plugin_refused_total",
    "cambist_admin_refused_total",
    "cambist_calls_total",
    "cambist_call_seconds",
    "cambist_messages",
    "cambist_journal_lag_seconds",
    "cambist_journal_commit_seconds",
    "cambist_journal_group_size",
    "cambist_journal_up",
];

/// A word that is in the deal's, the company's and the line's fields.
const CANARY: &str = "kanarienvogel";

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_answer_and_nothing_holds_a_secret_or_a_payload() -> Result<()> {
    let setup = Setup {
        log: "debug",
        ..Setup::default()
    };
    let mut world = World::start(setup).await?;
    let bird = json!({"dealname": format!("{CANARY} rollout"), "purchase_order_number": CANARY});
    let line = json!({"name": CANARY, "quantity": "1", "price": "100"});
    let customer = json!({"name": CANARY, "legal_name": CANARY, "city": CANARY, "address": CANARY});
    let good = Deal::german(1)
        .with(bird.clone())
        .lines(vec![line.clone()])
        .customer("Germany", "DE136695976", customer.clone());
    let held = Deal::german(2)
        .with(bird.clone())
        .with(json!({"contract_terms": CANARY}));
    // bad values of every kind that a plugin complains about
    let bad = [
        Deal::german(3).customer(CANARY, "DE136695976", customer.clone()),
        Deal::german(4).customer("Germany", CANARY, customer),
        Deal::german(5).lines(vec![json!({"name": CANARY, "quantity": CANARY, "price": "1"})]),
        Deal::german(6).with(json!({"closedate": CANARY})),
        Deal::german(7).with(json!({"deal_currency_code": CANARY})),
        Deal::german(8).with(json!({"region": CANARY})),
        Deal::german(9).lines(vec![
            json!({"name": "A", "quantity": "1", "price": "1", "tax_class": CANARY}),
        ]),
    ];
    world.hubspot.faults().next(Fault::Html);
    world.won(&[good.clone(), held]).await?;
    world.won(&bad).await?;
    world.settled().await?;
    let mut forged = sender::signed(&[json!({"note": CANARY})]);
    forged.headers.retain(|(name, _)| !name.contains("signature"));
    let ingress = world.host()?.ingress;
    assert_eq!(sender::post(&world.client, ingress, &forged).await?, 401);

    plugins::put(&world.plugins(), "map-odoo", b"this is no component")?;
    world
        .until("the garbage is refused", async || {
            let (_, status) = world.page("/api/plugins").await?;
            Ok(status.contains("not a WebAssembly component").then_some(()))
        })
        .await?;
    let strange = format!("http://{}/api/plugins", world.host()?.admin);
    let refused = world.client.get(strange).bearer_auth(CANARY).send().await?;
    assert_eq!(refused.status().as_u16(), 401);

    for probe in ["/healthz", "/readyz"] {
        let (status, body) = world.page(probe).await?;
        assert_eq!(status, 200, "{probe}: {body}");
    }
    let (status, metrics) = world.page("/metrics").await?;
    assert_eq!(status, 200);
    for name in METRICS {
        let counted = metrics.lines().any(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ', '_']))
        });
        assert!(counted, "{name} is missing in:\n{metrics}");
    }
    for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap_or_default();
        let described = metrics.contains(&format!("# HELP {name} "));
        assert!(described, "nobody says what {name} is:\n{metrics}");
    }
    world.restart(None).await?;
    let logs = world.logs()?;
    assert!(logs.contains("message parked"), "the log tells what matters");
    let secrets = [CANARY, setup::CLIENT_SECRET, setup::ADMIN_TOKEN, hubspot::TOKEN];
    for (what, text) in [("the metrics", &metrics), ("the log", &logs)] {
        for secret in secrets {
            let line = text.lines().find(|line| line.contains(secret));
            assert!(
                line.is_none(),
                "`{secret}` is in {what}: {}",
                line.unwrap_or_default()
            );
        }
    }
    world.verify().await
}
