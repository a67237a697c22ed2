//! The binary, a plugin to carry about, and a real registry.

use std::{
    fs,
    io::Write as _,
    net::{IpAddr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use cambist_contract::digest::Digest;
use tempfile::TempDir;

/// What `plugin` commands said and how they ended.
pub(crate) struct Ran {
    pub(crate) is_done: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Everything it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// `cambist plugin …` in a folder. The environment has a proxy that is not there, so whoever
/// asks it fails.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_cambist"));
    command
        .arg("plugin")
        .args(arguments)
        .current_dir(folder)
        .env_remove("CAMBIST_REGISTRY_PASSWORD")
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .env("http_proxy", "http://127.0.0.1:9")
        .env("RUST_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs it to its end.
pub(crate) async fn run(folder: &Path, arguments: &[&str], password: Option<&str>) -> Result<Ran> {
    let mut command = command(folder, arguments);
    if let Some(password) = password {
        command.env("CAMBIST_REGISTRY_PASSWORD", password);
    }
    let output = command.output().await?;
    Ok(Ran {
        is_done: output.status.success(),
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

/// The names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A plugin that loads and has cases.
pub(crate) fn plugin() -> Result<Arc<Vec<u8>>> {
    cambist_guests::component("policy-deal-desk")
}

/// Bytes as registries name them.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Digest::of(bytes))
}

/// A client that is not ours.
fn client() -> Result<reqwest::Client> {
    // it leaves the choice of cryptography to the process; whoever comes second finds it done
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// A running `docker-registry`; it ends when this is dropped.
pub(crate) struct Real {
    child: Child,
    pub(crate) addr: SocketAddr,
    _folder: TempDir,
}

/// What a registry asks whoever comes.
pub(crate) enum Door<'a> {
    /// Nothing.
    Open,
    /// For the password of [`USER`].
    Password,
    /// For a token that was made at `realm` and signed with the key of `certificate`.
    Tokens { realm: String, certificate: &'a Path },
    /// Nothing, over TLS with `certificate.pem` and `key.pem` of a folder, on an address of
    /// this machine's own.
    Tls { at: IpAddr, folder: &'a Path },
}

/// Says loudly what is not tested: not by `eprintln!`, which the test runner would swallow, and
/// in one piece, because others print as well.
pub(crate) fn skipped(why: &str) {
    let _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
}

/// A user, its password, and the line that `htpasswd -B` makes of both.
pub(crate) const USER: &str = "munich";
pub(crate) const PASSWORD: &str = "harbour-9";
const LINE: &str = "munich:$2b$04$bH5zh6eYRnutCkTY4BG./.RoKMGRXDoBtj9ckOJRfHSL20leu6CGe\n";

impl Real {
    /// Starts one on a free port of 127.0.0.1, or says loudly that there is none.
    pub(crate) async fn start(door: Door<'_>) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let (at, tls) = match &door {
            Door::Tls { at, folder } => {
                let file = |name| folder.join(name).display().to_string();
                let (certificate, key) = (file("certificate.pem"), file("key.pem"));
                (*at, format!(", tls: {{certificate: {certificate}, key: {key}}}"))
            }
            _ => (IpAddr::from([127, 0, 0, 1]), String::new()),
        };
        let mut config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{at}:0\"{tls}}}\n",
            folder.path().join("data").display()
        );
        match door {
            Door::Open | Door::Tls { .. } => {}
            Door::Password => {
                let users = folder.path().join("users");
                fs::write(&users, LINE)?;
                config += &format!(
                    "auth: {{htpasswd: {{realm: tests, path: {}}}}}\n",
                    users.display()
                );
            }
            Door::Tokens { realm, certificate } => {
                config += &format!(
                    "auth: {{token: {{realm: \"{realm}\", service: registry.test, issuer: tests, rootcertbundle: {}}}}}\n",
                    certificate.display()
                );
            }
        }
        let file = folder.path().join("config.yml");
        fs::write(&file, config)?;
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                skipped("no real registry of OCI artifacts; Debian's package docker-registry is one");
                return Ok(None);
            }
            Err(error) => return Err(error).context("cannot start docker-registry"),
        };
        let mut real = Self {
            child,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            _folder: folder,
        };
        for _ in 0..600 {
            let text = fs::read_to_string(&log)?;
            let addr = text.split_once("listening on ").map(|(_, rest)| rest);
            if let Some(addr) = addr.and_then(|rest| rest.split(['"', ',']).next()) {
                real.addr = addr.parse()?;
                return Ok(Some(real));
            }
            if let Some(status) = real.child.try_wait()? {
                bail!("docker-registry ended before it was ready ({status}):\n{text}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("docker-registry is not ready:\n{}", fs::read_to_string(&log)?)
    }

    /// Puts bytes there as any client would.
    pub(crate) async fn put(
        &self,
        repository: &str,
        tag: &str,
        manifest: &[u8],
        blobs: &[&[u8]],
    ) -> Result<()> {
        let client = client()?;
        let at = format!("http://{}/v2/{repository}", self.addr);
        for blob in blobs {
            let opened = client
                .post(format!("{at}/blobs/uploads/"))
                .send()
                .await?
                .error_for_status()?;
            let location = opened.headers()["location"].to_str()?.to_owned();
            let place = format!("{location}&digest={}", sha256(blob));
            client
                .put(place)
                .body(blob.to_vec())
                .send()
                .await?
                .error_for_status()?;
        }
        client
            .put(format!("{at}/manifests/{tag}"))
            .header("content-type", "application/vnd.oci.image.manifest.v1+json")
            .body(manifest.to_vec())
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// What it has at a path under `/v2/`.
    pub(crate) async fn get(&self, path: &str) -> Result<Vec<u8>> {
        let client = client()?;
        let request = client
            .get(format!("http://{}/v2/{path}", self.addr))
            .header("accept", "application/vnd.oci.image.manifest.v1+json");
        Ok(request.send().await?.error_for_status()?.bytes().await?.to_vec())
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
