//! Against what is no registry, or one that means ill: nothing without a bound is read, and
//! no file is left that is not whole.

use std::{fs, net::TcpListener, time::Duration};

use anyhow::Result;
use cambist_doubles::server::{Reply, Server};
use serde_json::{Value, json};

use crate::support::{command, names, plugin, run, sha256};

const LARGEST: usize = 32 << 20;

fn manifest(digest: &str, size: usize) -> Value {
    json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": sha256(b"{}"), "size": 2},
        "layers": [{"mediaType": "application/wasm", "digest": digest, "size": size}],
    })
}

fn bytes(body: Vec<u8>) -> Reply {
    Reply::Answer {
        status: 200,
        headers: Vec::new(),
        body,
    }
}

/// A registry without a lock at its door, with one manifest and one blob.
async fn serving(manifest: Reply, blob: Reply) -> Result<Server> {
    Server::start(move |request| match request.path.as_str() {
        "/v2/" => Reply::json(200, &json!({})),
        path if path.contains("/manifests/") => manifest.clone(),
        _ => blob.clone(),
    })
    .await
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_refused_and_leaves_no_file() -> Result<()> {
    let component = plugin()?;
    let size = component.len();
    let whole = manifest(&sha256(&component), size);
    let mut changed = component.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    let of = |manifest: &Value| Reply::json(200, manifest);
    let folder = tempfile::tempdir()?;
    // what was live before stays as it is
    fs::write(folder.path().join("a.wasm"), "live")?;
    for (told, manifest, blob) in [
        (
            "bytes, and 33554432 are the most",
            of(&manifest(&sha256(b""), LARGEST + 1)),
            Reply::Cut,
        ),
        (
            "sends more than the 5 bytes",
            of(&manifest(&sha256(b""), 5)),
            bytes(vec![0; 262_145]),
        ),
        (
            "sends more than the 33554432 bytes",
            of(&manifest(&sha256(b""), LARGEST)),
            bytes(vec![0; LARGEST + 1]),
        ),
        (
            "sends more than the 262144 bytes",
            bytes(vec![b' '; 262_145]),
            Reply::Cut,
        ),
        (
            "sends more than the 262144 bytes",
            of(&whole),
            Reply::json(500, &json!("x".repeat(LARGEST))),
        ),
        ("sent other bytes than component", of(&whole), bytes(changed)),
        ("gave no whole answer", of(&whole), Reply::Truncated),
        ("gave no whole answer", of(&whole), Reply::Cut),
        ("gave no whole answer", Reply::Cut, Reply::Cut),
        (
            "is no plugin: what is there is no manifest",
            bytes(b"hello".to_vec()),
            Reply::Cut,
        ),
        (
            "answers 500 Internal Server Error (A\\u{1b}[2J)",
            Reply::json(
                500,
                &json!({"errors": [{"code": "A\u{1b}[2J", "message": "geheim"}]}),
            ),
            Reply::Cut,
        ),
    ] {
        let server = serving(manifest, blob).await?;
        let pulled = run(folder.path(), &["pull", &format!("{}/a:1", server.addr())], None).await?;
        assert!(!pulled.is_done, "{told}");
        assert!(pulled.err.contains(told), "{told}: {}", pulled.err);
        assert!(!pulled.said().contains("geheim"), "{}", pulled.said());
        assert_eq!(names(folder.path()), ["a.wasm"], "{told}");
        assert_eq!(
            fs::read_to_string(folder.path().join("a.wasm"))?,
            "live",
            "{told}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_pull_that_is_killed_leaves_no_half_file() -> Result<()> {
    let component = plugin()?;
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let manifest = manifest(&sha256(&component), component.len());
    let server = Server::start(move |request| match request.path.as_str() {
        "/v2/" => Reply::json(200, &json!({})),
        path if path.contains("/manifests/") => Reply::json(200, &manifest),
        _ => {
            asked.send(()).unwrap();
            Reply::Hang
        }
    })
    .await?;
    let folder = tempfile::tempdir()?;
    let mut child = command(folder.path(), &["pull", &format!("{}/a:1", server.addr())]).spawn()?;
    tokio::time::timeout(Duration::from_secs(60), is_asked.recv()).await?;
    child.kill().await?;
    assert_eq!(names(folder.path()), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_or_no_registry_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pull = async |reference: &str| run(folder.path(), &["pull", reference], None).await;
    // a port that was free a moment ago
    let addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let gone = pull(&format!("{addr}/a:1")).await?;
    let told = format!("cambist: cannot reach the registry {addr}: ");
    assert!(gone.err.contains(&told), "{}", gone.err);
    assert!(gone.err.contains("Connection refused"), "{}", gone.err);

    let page = Server::start(|_| Reply::html(404, "<h1>not here</h1>")).await?;
    let none = pull(&format!("{}/a:1", page.addr())).await?;
    assert!(none.err.contains("has no registry in /v2/"), "{}", none.err);

    let digest =
        Server::start(|_| Reply::json(401, &json!({})).header("WWW-Authenticate", "Digest realm=x")).await?;
    let odd = pull(&format!("{}/a:1", digest.addr())).await?;
    assert!(odd.err.contains("in a way that is not known here"), "{}", odd.err);

    for (reference, told) in [
        ("a:1", "`a:1` names no registry; begin with it"),
        ("r.example/A:1", "`r.example/A:1` is no reference"),
    ] {
        let none = pull(reference).await?;
        assert!(none.err.contains(told), "{}", none.err);
    }
    let untagged = run(folder.path(), &["publish", "x.wasm", "r.example/a"], None).await?;
    assert!(
        untagged
            .err
            .contains("name the tag that it gets, as in r.example/a:1.2.0"),
        "{}",
        untagged.err
    );
    assert_eq!(names(folder.path()), [""; 0]);
    Ok(())
}
