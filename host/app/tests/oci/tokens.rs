//! Where a password and a token go, against registries that are not as they should be.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cambist_doubles::server::{Reply, Request, Server};
use serde_json::json;

use crate::support::{PASSWORD, USER, names, plugin, run, sha256};

/// A server, and what it was asked.
struct Watched {
    server: Server,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Watched {
    async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Result<Self> {
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let log = Arc::clone(&seen);
        let server = Server::start(move |request| {
            let reply = answer(&request);
            log.lock().unwrap().push(request);
            reply
        })
        .await?;
        Ok(Self { server, seen })
    }

    /// Path and `Authorization` of each request.
    fn seen(&self) -> Vec<(String, Option<String>)> {
        let seen = self.seen.lock().unwrap();
        let told = |it: &Request| (it.path.clone(), it.headers.get("authorization").cloned());
        seen.iter().map(told).collect()
    }
}

fn wants(realm: &str) -> Reply {
    let challenge = format!("Bearer realm=\"{realm}\",service=\"registry.test\"");
    Reply::json(401, &json!({})).header("WWW-Authenticate", &challenge)
}

#[tokio::test]
async fn a_password_is_not_sent_where_nobody_said() -> Result<()> {
    let thief = Watched::start(|_| Reply::json(200, &json!({"token": "t"}))).await?;
    // another name of this machine, so another host
    let realm = format!("http://localhost:{}/token", thief.server.addr().port());
    let registry = Watched::start(move |_| wants(&realm)).await?;
    let folder = tempfile::tempdir()?;
    let at = format!("{}/deal-desk:1", registry.server.addr());
    for user in [&["--user", USER][..], &[]] {
        let arguments = [&["pull", &at][..], user].concat();
        let pulled = run(folder.path(), &arguments, Some(PASSWORD)).await?;
        assert!(!pulled.is_done);
        assert!(
            pulled.err.contains("add --token-host localhost"),
            "{}",
            pulled.err
        );
        assert!(!pulled.said().contains(PASSWORD), "{}", pulled.said());
    }
    assert_eq!(thief.seen(), []);
    let unproven = ("/v2/".to_owned(), None);
    assert_eq!(registry.seen(), [unproven.clone(), unproven]);
    Ok(())
}

#[tokio::test]
async fn a_token_is_fetched_for_the_password_and_sent_in_its_place() -> Result<()> {
    let component = plugin()?;
    let digest = sha256(&component);
    let manifest = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": sha256(b"{}"), "size": 2},
        "layers": [{"mediaType": "application/wasm", "digest": digest, "size": component.len()}],
    });
    let store = Watched::start(move |_| Reply::Answer {
        status: 200,
        headers: Vec::new(),
        body: component.to_vec(),
    })
    .await?;
    let maker = Watched::start(|_| Reply::json(200, &json!({"token": "token-1"}))).await?;
    let realm = format!("http://localhost:{}/token", maker.server.addr().port());
    let kept = format!("http://{}/kept", store.server.addr());
    let registry = Watched::start(move |request| match request.path.as_str() {
        "/v2/" => wants(&realm),
        "/v2/deal-desk/manifests/1" => Reply::json(200, &manifest),
        _ => Reply::json(307, &json!({})).header("Location", &kept),
    })
    .await?;

    let folder = tempfile::tempdir()?;
    let at = format!("{}/deal-desk:1", registry.server.addr());
    let arguments = ["pull", &at, "--user", USER, "--token-host", "localhost"];
    let pulled = run(folder.path(), &arguments, Some(PASSWORD)).await?;
    assert!(pulled.is_done, "{}", pulled.err);
    assert_eq!(names(folder.path()), ["deal-desk.wasm"]);

    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    assert_eq!(maker.seen(), [("/token".to_owned(), Some(basic))]);
    let asked = maker.seen.lock().unwrap()[0].clone();
    assert_eq!(asked.parameter("scope"), ["repository:deal-desk:pull"]);
    assert_eq!(asked.parameter("service"), ["registry.test"]);
    let token = Some("Bearer token-1".to_owned());
    let expected = [
        ("/v2/".to_owned(), None),
        ("/v2/deal-desk/manifests/1".to_owned(), token.clone()),
        (format!("/v2/deal-desk/blobs/{digest}"), token),
    ];
    assert_eq!(registry.seen(), expected);
    // where the registry keeps its bytes is not the registry
    assert_eq!(store.seen(), [("/kept".to_owned(), None)]);
    Ok(())
}

#[tokio::test]
async fn a_maker_of_tokens_that_sends_none_or_refuses_is_told_without_its_words() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (reply, told) in [
        (
            Reply::json(200, &json!({"token": 5, "secret": "geheim"})),
            "maker of tokens sent none",
        ),
        (
            Reply::json(200, &json!({"token": "geheim".repeat(50_000)})),
            "sends more than the 262144 bytes",
        ),
        (
            Reply::json(401, &json!({"geheim": 1})),
            "does not take the user with that password",
        ),
        (
            Reply::json(307, &json!({})).header("Location", "/geheim"),
            "answers 307 Temporary Redirect (no code)",
        ),
    ] {
        let maker = Watched::start(move |_| reply.clone()).await?;
        let realm = format!("http://{}/token", maker.server.addr());
        let registry = Watched::start(move |_| wants(&realm)).await?;
        let at = format!("{}/deal-desk:1", registry.server.addr());
        let pulled = run(folder.path(), &["pull", &at, "--user", USER], Some(PASSWORD)).await?;
        assert!(!pulled.is_done);
        assert!(pulled.err.contains(told), "{}", pulled.err);
        assert!(!pulled.said().contains("geheim"), "{}", pulled.said());
        assert_eq!(maker.seen().len(), 1, "a redirect was followed");
    }
    Ok(())
}

#[tokio::test]
async fn an_upload_elsewhere_goes_without_the_password() -> Result<()> {
    let store = Watched::start(|_| Reply::json(201, &json!({}))).await?;
    let kept = format!("http://{}/kept?signature=s", store.server.addr());
    let registry = Watched::start(move |request| match request.method.as_str() {
        "GET" => Reply::json(401, &json!({})).header("WWW-Authenticate", "Basic realm=\"x\""),
        "POST" => Reply::json(202, &json!({})).header("Location", &kept),
        _ => Reply::json(201, &json!({})),
    })
    .await?;
    let folder = tempfile::tempdir()?;
    let component = plugin()?;
    std::fs::write(folder.path().join("own.wasm"), &*component)?;
    let at = format!("{}/deal-desk:1", registry.server.addr());
    let arguments = ["publish", "own.wasm", &at, "--user", USER];
    let published = run(folder.path(), &arguments, Some(PASSWORD)).await?;
    assert!(published.is_done, "{}", published.err);
    let unproven = ("/kept".to_owned(), None);
    assert_eq!(store.seen(), [unproven.clone(), unproven]);
    let first = store.seen.lock().unwrap()[0].clone();
    assert_eq!(
        first.query,
        format!("signature=s&digest={}", sha256(&component).replace(':', "%3A"))
    );
    assert!(first.body == *component, "other bytes");
    let proven = registry
        .seen()
        .iter()
        .filter(|(_, proof)| proof.is_some())
        .count();
    assert_eq!(proven, 3);
    Ok(())
}
