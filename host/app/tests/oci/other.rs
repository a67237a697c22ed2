//! A second registry, by other people than the first: what is met is the specification, and
//! not one registry's habits.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::support::{plugin, run, sha256, skipped};

/// A running `ferro-oci-server`; it ends when this is dropped.
struct Other {
    child: Child,
    addr: SocketAddr,
}

impl Other {
    /// Starts one, or says loudly that there is none.
    async fn start() -> Result<Option<Self>> {
        // it does not tell which port it was given, so it is given one that was free a moment ago
        let addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let started = Command::new("ferro-oci-server")
            .env("FERRO_OCI_LISTEN", addr.to_string())
            .env_remove("FERRO_OCI_STORAGE_DIR")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                skipped("no second registry of OCI artifacts; the crate ferro-oci-server is one");
                return Ok(None);
            }
            Err(error) => return Err(error).context("cannot start ferro-oci-server"),
        };
        let mut other = Self { child, addr };
        for _ in 0..600 {
            if TcpStream::connect(addr).is_ok() {
                return Ok(Some(other));
            }
            if let Some(status) = other.child.try_wait()? {
                bail!("ferro-oci-server ended before it was ready ({status})");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("ferro-oci-server is not ready")
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn a_second_registry_carries_plugins_as_the_first_does() -> Result<()> {
    let Some(other) = Other::start().await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let (here, at) = (folder.path(), format!("{}/plugins/deal-desk", other.addr));
    let component = plugin()?;
    fs::write(here.join("own.wasm"), &*component)?;
    let tagged = format!("{at}:1.0.0");
    let published = run(here, &["publish", "own.wasm", &tagged, "--json"], None).await?;
    assert!(published.is_done, "{}", published.err);
    let published: Value = serde_json::from_str(&published.out)?;
    let artifact = published["artifact"].as_str().unwrap();
    for arguments in [
        vec!["pull", &tagged],
        vec!["pull", published["pinned"].as_str().unwrap()],
        vec!["pull", &at, "--digest", artifact],
    ] {
        let pulled = run(here, &arguments, None).await?;
        assert!(pulled.is_done, "{arguments:?}: {}", pulled.err);
        assert!(
            fs::read(here.join("deal-desk.wasm"))? == *component,
            "other bytes"
        );
        fs::remove_file(here.join("deal-desk.wasm"))?;
    }
    let gone = run(here, &["pull", &format!("{at}:2")], None).await?;
    assert!(
        gone.err.contains("has no `2` in /v2/plugins/deal-desk/"),
        "{}",
        gone.err
    );
    let asked = sha256(b"other");
    let moved = run(here, &["pull", &tagged, "--digest", &asked], None).await?;
    assert!(
        moved.err.contains(&format!("and {asked} was asked for")),
        "{}",
        moved.err
    );
    Ok(())
}
