//! Who may use the API.

use axum::body::Body;
use http::{Request, header};

use crate::double::{Site, TOKEN};

const API: [&str; 5] = [
    "/api/messages",
    "/api/messages/m",
    "/api/plugins",
    "/api/journal/verify",
    "/api/nothing-here",
];

fn with(headers: &[&str], path: &str) -> Request<Body> {
    let request = headers.iter().fold(Request::get(path), |request, value| {
        request.header(header::AUTHORIZATION, *value)
    });
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn without_the_token_no_address_answers_and_none_says_why() {
    let site = Site::new();
    let first = site.look("/api/messages").await;
    assert!(first.is_problem(401, "unauthorized"), "{first:?}");
    assert_eq!(first.headers["www-authenticate"], "Bearer");
    for path in API.into_iter().skip(1) {
        let answer = site.look(path).await;
        assert_eq!(
            (answer.status, &answer.text),
            (first.status, &first.text),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_wrong_token_and_another_scheme_are_refused_alike() {
    let first = Site::new().look("/api/plugins").await;
    let right = format!("Bearer {TOKEN}");
    let longer = format!("{right}0");
    let wrong_end = right.replace("cdef", "cdee");
    let basic = format!("Basic {TOKEN}");
    for headers in [
        &["Bearer"][..],
        &["Bearer "],
        &[TOKEN],
        &[&longer],
        &[&wrong_end],
        &[&right[..right.len() - 1]],
        &[&basic],
        &[&right, &right],
        &["Bearer \u{e9}"],
    ] {
        // a host of its own for each, as only so many refusals are answered in a minute
        let answer = Site::new().send(with(headers, "/api/plugins")).await;
        assert_eq!(
            (answer.status, &answer.text),
            (first.status, &first.text),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn the_token_opens_in_any_writing_of_the_scheme() {
    let site = Site::new();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = site
            .send(with(&[&format!("{scheme} {TOKEN}")], "/api/plugins"))
            .await;
        assert_eq!(answer.status, 200, "{scheme}");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let nothing = site.get("/api/nothing-here").await;
    assert!(nothing.is_problem(404, "not-found"), "{nothing:?}");
    let method = site.post("/api/plugins", "").await;
    assert!(method.is_problem(405, "method-not-allowed"), "{method:?}");
    assert_eq!(method.headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn many_wrong_tokens_are_told_to_wait_and_the_right_one_passes() {
    let site = Site::new();
    let mut told_to_wait = None;
    for _ in 0..50 {
        let answer = site.send(with(&["Bearer guess"], "/api/plugins")).await;
        if answer.status == 429 {
            told_to_wait = Some(answer);
            break;
        }
        assert_eq!(answer.status, 401);
    }
    let answer = told_to_wait.unwrap();
    assert!(answer.is_problem(429, "too-many-attempts"), "{answer:?}");
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(site.get("/api/plugins").await.status, 200);
    assert_eq!(site.look("/healthz").await.status, 200);
}

#[test]
fn a_token_that_can_be_guessed_is_refused_at_the_start() {
    for weak in [
        "hunter2",
        "fedcba9876543210fedcb",
        "two words that are long enough",
    ] {
        let Err(error) = Site::with_token(weak) else {
            unreachable!("{weak} was taken")
        };
        let text = error.to_string();
        assert!(
            text.contains("environment variable ADMIN_TOKEN") && !text.contains(weak),
            "{text}"
        );
    }
}
