//! One trace follows a message from its sender's call to its last stage, and bears
//! what the stages are told apart by.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use cambist_e2e::{Deal, Setup, World, collector::Collector, sender, setup::COLLECTOR_KEY};
use opentelemetry_proto::tonic::{common::v1::any_value::Value, trace::v1::Span};

/// The trace that the sender is in, and its span there.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The attributes of a span that are text.
fn texts(span: &Span) -> BTreeMap<&str, &str> {
    let attributes = span.attributes.iter().filter_map(|it| {
        let Some(Value::StringValue(text)) = &it.value.as_ref()?.value else {
            return None;
        };
        Some((it.key.as_str(), text.as_str()))
    });
    attributes.collect()
}

/// The spans of a name.
fn named<'a>(spans: &'a [Span], name: &'static str) -> impl Iterator<Item = &'a Span> {
    spans.iter().filter(move |span| span.name == name)
}

/// The span of a stage.
fn of_stage<'a>(spans: &'a [Span], stage: &str) -> Option<&'a Span> {
    named(spans, "stage").find(|span| texts(span).get("stage") == Some(&stage))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_follows_a_message_from_its_sender_to_its_last_stage() -> Result<()> {
    let collector = Collector::start(COLLECTOR_KEY).await?;
    let setup = Setup {
        collector: Some(format!("http://{}", collector.addr())),
        ..Setup::default()
    };
    let mut world = World::start(setup).await?;
    let deal = Deal::german(51);
    world.know(std::slice::from_ref(&deal));
    let mut call = sender::signed(&[sender::won(deal.id, 1)]);
    let parent = format!("00-{TRACE}-{PARENT}-01");
    call.headers.push(("traceparent".to_owned(), parent));
    assert_eq!(
        sender::post(&world.client, world.host()?.ingress, &call).await?,
        202
    );
    let story = world.wait(&deal, "done").await?;
    // what is left is sent before the host ends
    world.stop().await?;

    let spans = collector.spans();
    let of = |name| named(&spans, name);
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE), "one trace");
    let call = of("call").next().context("no span of the call")?;
    assert_eq!(hex(&call.parent_span_id), PARENT, "the sender's");
    let message = of("message").next().context("no span of the message")?;
    assert_eq!(message.parent_span_id, call.span_id, "it came by this call");
    assert_eq!(texts(message).get("message_id"), Some(&story.id()));

    let stages: BTreeMap<&str, &Span> = of("stage")
        .filter_map(|span| Some((*texts(span).get("stage")?, span)))
        .collect();
    let names: BTreeSet<&str> = stages.keys().copied().collect();
    assert_eq!(
        names,
        story.passed().into_iter().collect(),
        "a span for each stage"
    );
    for (name, span) in stages {
        assert_eq!(span.parent_span_id, message.span_id, "{name}");
        let told = texts(span);
        assert_eq!(told.get("message_id"), Some(&story.id()), "{name}");
        assert_eq!(told.get("flow"), Some(&"won-deals"), "{name}");
        // the region is known once the object was fetched
        if name != "fetch" {
            assert_eq!(told.get("region"), Some(&"de"), "{name}");
        }
        let plugins = ["read", "judge", "tax", "write"];
        assert_eq!(told.contains_key("revision"), plugins.contains(&name), "{name}");
    }
    let fetch = hex(&of_stage(&spans, "fetch").context("no span of the fetch")?.span_id);
    let asked = world.hubspot.traceparents();
    assert!(!asked.is_empty());
    for traceparent in asked {
        assert_eq!(
            traceparent,
            Some(format!("00-{TRACE}-{fetch}-01")),
            "the CRM is told"
        );
    }
    // what a deal says is in no span
    let all = format!("{spans:?}");
    for canary in ["Kunde 51", "Rollout 51", "2050.00"] {
        assert!(!all.contains(canary), "{canary}");
    }
    world.verify().await
}
