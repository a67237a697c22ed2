//! What the demo is played with: folders, plugins, config and secrets.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use cambist_connect::options::System;
use cambist_contract::{
    digest::Digest,
    secret::{Secret, SecretRef},
};
use cambist_doubles::hubspot;
use serde_json::Value;

use super::odoo::Odoo;
use crate::{commands::plugin, config::Config};

/// The client secret that the demo's webhooks are signed with. It protects
/// nothing: both ends are in this process.
pub(super) const CLIENT_SECRET: &str = "demo-client-secret-of-the-double";

/// The system that sends.
pub(super) const CRM: &str = "hubspot";

/// The demo's folders.
pub(super) struct StageSet {
    /// The checkout.
    pub(super) root: PathBuf,
    /// Where the demo keeps what it makes.
    pub(super) folder: PathBuf,
}

impl StageSet {
    /// Finds the checkout, and begins with an empty journal. Compiled plugins stay,
    /// so that a second run starts in seconds.
    pub(super) fn open() -> Result<Self> {
        let here = std::env::current_dir().context("there is no current folder")?;
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = here
            .ancestors()
            .map(Path::to_owned)
            .chain([built_in])
            .find(|folder| folder.join("examples/demo/cambist.toml").is_file())
            .context("the demo needs the checkout of Cambist; run it from there")?
            .canonicalize()
            .context("cannot resolve the checkout's path")?;
        let folder = root.join(".cambist/demo");
        let data = folder.join("data");
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        for entry in std::fs::read_dir(&data).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("journal.db") {
                std::fs::remove_file(entry.path())
                    .with_context(|| format!("cannot remove {}", entry.path().display()))?;
            }
        }
        Ok(Self { root, folder })
    }

    /// Builds the shipped plugins into the demo's plugin folder.
    pub(super) fn build_plugins(&self) -> Result<()> {
        let plugins = self.root.join("plugins");
        let mut crates: Vec<PathBuf> = std::fs::read_dir(&plugins)
            .with_context(|| format!("cannot read {}", plugins.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.join("Cargo.toml").is_file())
            .collect();
        crates.sort();
        plugin::build(&crates, &self.folder.join("plugins"))?;
        Ok(())
    }

    /// What the CRM knows.
    pub(super) fn portal(&self) -> Result<Value> {
        self.json("portal.json")
    }

    /// A JSON file of the example.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.root.join("examples/demo").join(name);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The documented config with this machine's addresses and the demo's secrets.
    /// It is written to the demo's folder, for `cambist show` and the like.
    pub(super) fn config(
        &self,
        crm: &str,
        books: Option<&Odoo>,
    ) -> Result<(Config, BTreeMap<SecretRef, Secret>)> {
        let mut config = Config::read(&self.root.join("examples/demo/cambist.toml"))?;
        config.host.data = self.folder.join("data");
        config.host.plugins = self.folder.join("plugins");
        config.host.listen = free_address()?;
        config.host.admin = free_address()?;
        config.ingress.public_url = Some(format!("http://{}", config.host.listen).parse()?);
        match config.connect.systems.get_mut(CRM) {
            Some(System::HubSpot(hubspot)) => hubspot.address = crm.parse()?,
            _ => bail!("the demo's config has no system `{CRM}` of kind hubspot"),
        }
        let mut secrets = BTreeMap::new();
        let mut know = |reference: &SecretRef, value: &str| -> Result<()> {
            secrets.insert(reference.clone(), Secret::parse(value)?);
            Ok(())
        };
        know(&config.admin.token, &admin_token())?;
        for (_, reference) in config.ingress.secret_refs() {
            know(reference, CLIENT_SECRET)?;
        }
        if let Some(books) = books {
            books.put_into(&mut config)?;
        }
        for (system, reference) in config.connect.secret_refs() {
            match books {
                Some(books) if system != CRM => know(reference, &books.key)?,
                _ => know(reference, hubspot::TOKEN)?,
            }
        }
        let path = self.config_path();
        std::fs::write(&path, toml::to_string(&config)?).with_context(|| path.display().to_string())?;
        Ok((config, secrets))
    }

    /// Where the demo's config is written.
    pub(super) fn config_path(&self) -> PathBuf {
        self.folder.join("cambist.toml")
    }
}

/// A token that the next run does not have.
fn admin_token() -> String {
    let moment = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    Digest::of(format!("{moment} {}", std::process::id()).as_bytes()).to_string()
}

/// An address that nobody listens on. Somebody might take it before the host does,
/// which the host would say.
fn free_address() -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("this machine has no free port")?;
    listener.local_addr().context("the port has no address")
}
