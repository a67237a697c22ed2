//! What is kept and counted: enough to work with, and nothing that is anybody
//! else's business. What is logged has a test binary of its own.

use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder},
};

use crate::double::{Site, batch, deal, hubspot, post};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_trace_and_the_user_agent_are_kept_and_nothing_else() {
    let site = Site::new();
    let mut request = hubspot(&batch(&[deal(1, 10)]));
    for (name, value) in [
        ("traceparent", PARENT),
        ("user-agent", "HubSpot Connect 2.0"),
        ("authorization", "Bearer hunter2"),
        ("cookie", "a=b"),
        ("x-forwarded-for", "192.0.2.1"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert!(site.send(request).await.is_taken(1, 0));
    let kept: Vec<_> = site.journal.messages()[0].headers.clone().into_iter().collect();
    assert_eq!(
        kept,
        [
            ("traceparent".to_owned(), PARENT.to_owned()),
            ("user-agent".to_owned(), "HubSpot Connect 2.0".to_owned()),
        ]
    );
}

#[tokio::test]
async fn calls_are_counted_and_strangers_make_no_series() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    cambist_ingress::metrics::describe();

    let site = Site::new();
    let body = batch(&[deal(1, 10), deal(2, 11)]);
    site.send(hubspot(&body)).await;
    site.send(hubspot(&body)).await;
    site.send(post("/in/hubspot-de", "[]")).await;
    for n in 0..3 {
        site.send(post(&format!("/in/stranger-{n}"), "[]")).await;
    }

    let mut counters = Vec::new();
    let mut histograms = Vec::new();
    for (key, _, description, value) in snapshotter.snapshot().into_vec() {
        assert!(description.is_some(), "{key:?} is described");
        let labels: Vec<_> = key
            .key()
            .labels()
            .map(|l| format!("{}={}", l.key(), l.value()))
            .collect();
        let name = format!("{}{{{}}}", key.key().name(), labels.join(","));
        match value {
            DebugValue::Counter(count) => counters.push(format!("{name} {count}")),
            DebugValue::Histogram(values) => histograms.push(format!("{name} {}", values.len())),
            DebugValue::Gauge(_) => unreachable!("{:?}", MetricKind::Gauge),
        }
    }
    counters.sort();
    histograms.sort();
    assert_eq!(
        counters,
        [
            "cambist_duplicates_total{system=hubspot-de} 2",
            "cambist_received_total{system=hubspot-de} 4",
            "cambist_rejected_total{system=hubspot-de,reason=no-proof} 1",
            "cambist_rejected_total{system=unknown,reason=not-found} 3",
        ]
    );
    assert_eq!(
        histograms,
        [
            "cambist_ingress_seconds{system=hubspot-de} 3",
            "cambist_ingress_seconds{system=unknown} 3"
        ]
    );
}
