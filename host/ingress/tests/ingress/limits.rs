//! Size, form, time and pace.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http::{Request, header};
use http_body::Frame;

use crate::double::{OPTIONS, Site, TOKEN, batch, deal, hubspot, post};

/// A body that begins and never ends.
struct Endless(Option<Bytes>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .take()
            .map_or(Poll::Pending, |first| Poll::Ready(Some(Ok(Frame::data(first)))))
    }
}

/// A body that breaks off.
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up() {
    let site = Site::new();
    let answer = site
        .send(post("/in/hubspot-de", Body::new(Endless(Some("[".into())))))
        .await;
    assert!(answer.is_problem(408, "too-slow"), "{answer:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_to_be_sent_again() {
    let site = Site::new();
    let answer = site.send(post("/in/hubspot-de", Body::new(Broken))).await;
    assert!(answer.is_problem(408, "broken-off"), "{answer:?}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_declared_or_not() {
    let site = Site::new();
    let long = vec![b' '; (1 << 20) + 1];
    let answer = site.send(hubspot(&long)).await;
    assert!(answer.is_problem(413, "too-large"), "{answer:?}");

    let mut declared = post("/in/hubspot-de", Body::new(Endless(None)));
    declared
        .headers_mut()
        .insert(header::CONTENT_LENGTH, "1048577".parse().unwrap());
    assert!(site.send(declared).await.is_problem(413, "too-large"));

    let undeclared = post("/in/hubspot-de", Body::new(Endless(Some(long.into()))));
    assert!(site.send(undeclared).await.is_problem(413, "too-large"));
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_taken() {
    let site = Site::with(&format!("body-limit = 4096\n{OPTIONS}"));
    let mut body = batch(&[deal(1, 10)]);
    body.resize(4096, b' ');
    assert!(site.send(hubspot(&body)).await.is_taken(1, 0));
    body.push(b' ');
    assert!(site.send(hubspot(&body)).await.is_problem(413, "too-large"));
}

#[tokio::test]
async fn only_post_and_only_json() {
    let site = Site::new();
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        for path in ["/in/hubspot-de", "/in/nobody", &format!("/in/odoo-de/{TOKEN}")] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(Body::empty())
                .unwrap();
            let answer = site.send(request).await;
            assert_eq!(
                (answer.status.as_u16(), answer.headers["allow"].as_str()),
                (405, "POST")
            );
            if method != "HEAD" {
                assert!(answer.is_problem(405, "method-not-allowed"), "{method} {path}");
            }
        }
    }
    let mut form = hubspot(b"[]");
    form.headers_mut().insert(
        header::CONTENT_TYPE,
        "application/x-www-form-urlencoded".parse().unwrap(),
    );
    assert!(site.send(form).await.is_problem(415, "unsupported-media-type"));
    let mut packed = hubspot(b"[]");
    packed
        .headers_mut()
        .insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    assert!(site.send(packed).await.is_problem(415, "unsupported-media-type"));
}

/// Two calls at once, and then one a second.
const SLOW: &str = r#"
    public-url = "https://hooks.example.com/cambist"
    [systems.hubspot-de]
    kind = "hubspot"
    secrets = [{ env = "HUBSPOT" }]
    rate = { per-second = 1, burst = 2 }
    [systems.odoo-de]
    kind = "odoo"
    tokens = [{ file = "/run/secrets/token" }]
"#;

#[tokio::test]
async fn a_system_over_its_rate_waits_and_no_other_does() {
    let site = Site::with(SLOW);
    let mut refused = None;
    // as many as it takes: the rate goes on counting while we call
    for event in 0..1000 {
        let answer = site.send(hubspot(&batch(&[deal(1, event)]))).await;
        if answer.status != 202 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    assert!(refused.is_problem(429, "too-fast"), "{refused:?}");
    assert_eq!(refused.headers["retry-after"], "1");
    let hint = post(
        &format!("/in/odoo-de/{TOKEN}"),
        r#"{"_model":"crm.lead","_id":1}"#,
    );
    assert!(site.send(hint).await.is_taken(1, 0));
}

#[tokio::test]
async fn forged_calls_do_not_use_up_the_rate() {
    let site = Site::with(SLOW);
    for _ in 0..20 {
        assert!(
            site.send(post("/in/hubspot-de", "[]"))
                .await
                .is_problem(401, "not-authentic")
        );
    }
    assert!(site.send(hubspot(&batch(&[deal(1, 10)]))).await.is_taken(1, 0));
}

#[tokio::test]
async fn one_call_too_many_at_once_is_told_to_wait() {
    let site = Site::with(&format!("calls-at-once = 1\n{OPTIONS}"));
    site.journal.stall(true);
    let first = {
        let site = site.clone();
        tokio::spawn(async move { site.send(hubspot(&batch(&[deal(1, 10)]))).await })
    };
    while !site.journal.is_asked() {
        tokio::task::yield_now().await;
    }
    let busy = site.send(hubspot(&batch(&[deal(2, 11)]))).await;
    assert!(busy.is_problem(503, "unavailable"), "{busy:?}");
    assert_eq!(busy.headers["retry-after"], "1");
    site.journal.stall(false);
    assert!(first.await.unwrap().is_taken(1, 0));
    assert!(site.send(hubspot(&batch(&[deal(2, 11)]))).await.is_taken(1, 0));
}
