//! HubSpot's calls.

use cambist_ingress::UNKNOWN_KIND;
use proptest::prelude::*;
use serde_json::json;

use crate::double::{NOW_MS, Site, batch, deal, hubspot, hubspot_at, post};

#[tokio::test]
async fn a_batch_is_split_into_messages() {
    let site = Site::new();
    let answer = site.send(hubspot(&batch(&[deal(1, 10), deal(2, 11)]))).await;
    assert!(answer.is_taken(2, 0), "{answer:?}");

    let messages = site.journal.messages();
    let one = &messages[0];
    assert_eq!(
        (one.system.as_str(), one.event.as_str()),
        ("hubspot-de", "deal.propertyChange")
    );
    assert_eq!((one.object_kind.as_str(), one.object_id.as_str()), ("deal", "1"));
    assert_eq!(one.key, "hubspot-de/deal/1");
    assert_eq!(one.occurred_at.as_millisecond(), 1_556_094_637_139);
    assert_eq!(one.received_at.as_millisecond(), NOW_MS);
    assert_eq!(one.body, deal(1, 10).to_string());
    assert_eq!(messages[1].key, "hubspot-de/deal/2");
}

#[tokio::test]
async fn an_event_is_new_once_in_whatever_batch_and_attempt() {
    let site = Site::new();
    assert!(
        site.send(hubspot(&batch(&[deal(1, 10), deal(2, 11)])))
            .await
            .is_taken(2, 0)
    );
    let mut again = deal(1, 10);
    again["attemptNumber"] = json!(1);
    let answer = site
        .send(hubspot(&batch(&[deal(3, 12), again, deal(3, 12)])))
        .await;
    assert!(answer.is_taken(1, 2), "{answer:?}");
    assert_eq!(site.journal.len(), 3);
}

#[tokio::test]
async fn the_same_event_id_of_another_object_is_another_event() {
    let site = Site::new();
    assert!(
        site.send(hubspot(&batch(&[deal(1, 10), deal(2, 10)])))
            .await
            .is_taken(2, 0)
    );
}

#[tokio::test]
async fn an_unreadable_event_is_kept_beside_the_good_ones() {
    let site = Site::new();
    let body = br#"[{"subscriptionType":"deal.creation"}, 7]"#;
    let answer = site.send(hubspot(body)).await;
    assert!(answer.is_taken(2, 0), "{answer:?}");
    let messages = site.journal.messages();
    assert!(messages.iter().all(|message| message.object_kind == UNKNOWN_KIND));
    assert_eq!(messages[0].body, r#"{"subscriptionType":"deal.creation"}"#);
    assert_ne!(messages[0].key, messages[1].key);
    assert!(site.send(hubspot(body)).await.is_taken(0, 2), "and only once");
}

#[tokio::test]
async fn an_authentic_call_is_never_answered_400() {
    let site = Site::new();
    for body in ["", "{", "{'single':'quotes'}", "{}", "7", "\u{feff}[]"] {
        assert!(site.send(hubspot(body.as_bytes())).await.is_taken(1, 0), "{body}");
    }
    assert!(site.send(hubspot(b"\xff\xfe")).await.is_taken(1, 0));
    assert!(site.send(hubspot(b"[]")).await.is_taken(0, 0));
    for message in site.journal.messages() {
        serde_json::from_str::<serde_json::Value>(&message.body).unwrap();
    }
}

#[tokio::test]
async fn the_deepest_nesting_costs_no_stack() {
    let site = Site::new();
    let deep = "[".repeat(250_000) + &"]".repeat(250_000);
    assert!(site.send(hubspot(deep.as_bytes())).await.is_taken(1, 0));
    let inside =
        format!(r#"[{{"subscriptionType":"deal.creation","objectId":1,"occurredAt":1,"x":{deep}}}]"#);
    assert!(site.send(hubspot(inside.as_bytes())).await.is_taken(1, 0));
}

#[tokio::test]
async fn a_batch_over_the_limit_is_refused_so_that_it_is_sent_again() {
    let site = Site::new();
    let events: Vec<_> = (0..101).map(|n| deal(n, n)).collect();
    let answer = site.send(hubspot(&batch(&events))).await;
    assert!(answer.is_problem(413, "too-many-events"), "{answer:?}");
    assert_eq!(site.journal.len(), 0);
    assert!(site.send(hubspot(&batch(&events[..100]))).await.is_taken(100, 0));
}

#[tokio::test]
async fn the_query_is_signed_as_it_was_called() {
    let site = Site::new();
    let path = "/in/hubspot-de?region=de%2Fby&x=%20";
    let plain = "/in/hubspot-de?region=de/by&x=%20";
    // what HubSpot signs for the coded address is the plain one
    let mut request = hubspot_at(0, plain, &batch(&[deal(1, 10)]));
    *request.uri_mut() = path.parse().unwrap();
    assert!(site.send(request).await.is_taken(1, 0));

    let mut request = hubspot_at(0, plain, &batch(&[deal(2, 10)]));
    *request.uri_mut() = "/in/hubspot-de?region=fr".parse().unwrap();
    assert!(site.send(request).await.is_problem(401, "not-authentic"));
}

#[tokio::test]
async fn the_window_is_five_minutes_both_ways() {
    for (offset, good) in [
        (-300_001, false),
        (-300_000, true),
        (300_000, true),
        (300_001, false),
    ] {
        let site = Site::new();
        let answer = site
            .send(hubspot_at(offset, "/in/hubspot-de", &batch(&[deal(1, 10)])))
            .await;
        assert_eq!(answer.is_taken(1, 0), good, "{offset}");
        assert_eq!(answer.is_problem(401, "not-authentic"), !good, "{offset}");
    }
}

#[tokio::test]
async fn no_proof_a_wrong_one_and_a_stale_one_hear_the_same() {
    let site = Site::new();
    let body = batch(&[deal(1, 10)]);
    let missing = site.send(post("/in/hubspot-de", body.clone())).await;
    assert!(missing.is_problem(401, "not-authentic"));

    let mut twice = hubspot(&body);
    let signature = twice.headers()["x-hubspot-signature-v3"].clone();
    twice.headers_mut().append("x-hubspot-signature-v3", signature);
    let mut forged = hubspot(&batch(&[deal(2, 10)]));
    *forged.body_mut() = body.clone().into();
    let mut written = hubspot(&body);
    written
        .headers_mut()
        .insert("x-hubspot-request-timestamp", "yesterday".parse().unwrap());
    let stale = hubspot_at(-400_000, "/in/hubspot-de", &body);
    for request in [twice, forged, written, stale] {
        assert_eq!(site.send(request).await, missing);
    }
    assert_eq!(site.journal.len(), 0);
}

#[tokio::test]
async fn a_forged_body_is_refused_before_it_is_parsed() {
    let site = Site::new();
    let answer = site.send(post("/in/hubspot-de", "[".repeat(100_000))).await;
    assert!(answer.is_problem(401, "not-authentic"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_batch_many_times_at_once_is_accepted_once() {
    let site = Site::new();
    let body = batch(&[deal(1, 10), deal(2, 11)]);
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (site, body) = (site.clone(), body.clone());
            tokio::spawn(async move { site.send(hubspot(&body)).await })
        })
        .collect();
    let mut accepted = 0;
    for call in calls {
        let answer = call.await.unwrap();
        assert_eq!(answer.status, 202);
        accepted += answer.json["accepted"].as_u64().unwrap();
    }
    assert_eq!(accepted, 2);
    assert_eq!(site.journal.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_call_with_one_flipped_bit_is_refused(part in 0..3usize, at in any::<prop::sample::Index>(), bit in 0..7u8) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let body = batch(&[deal(1, 10)]);
        let mut request = hubspot(&body);
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            bytes
        };
        if part == 0 {
            *request.body_mut() = flip(&body).into();
        } else {
            let name = if part == 1 { "x-hubspot-signature-v3" } else { "x-hubspot-request-timestamp" };
            let flipped = flip(request.headers()[name].as_bytes());
            // not every flip is a header that HTTP can carry
            let Ok(value) = http::HeaderValue::from_bytes(&flipped) else { return Ok(()) };
            request.headers_mut().insert(name, value);
        }
        let site = Site::new();
        let answer = runtime.block_on(site.send(request));
        prop_assert!(answer.is_problem(401, "not-authentic"), "{:?}", answer);
        prop_assert_eq!(site.journal.len(), 0);
    }
}
