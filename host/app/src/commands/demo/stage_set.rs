//! What the demo is played with: folders, plugins, config and secrets.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use cambist_connect::options::System;
use cambist_contract::{
    digest::Digest,
    secret::{Secret, SecretRef},
};
use cambist_doubles::hubspot;
use cambist_journal::{JournalError, store::SqliteJournal};
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
        let journal = SqliteJournal::open(data.join("journal.db"));
        if let Err(error @ JournalError::Locked { .. }) = journal {
            return Err(error).context("a demo goes on serving here; end it first");
        }
        drop(journal);
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
    /// It is written to the demo's folder with the operators' token in a file beside
    /// it, so that `cambist show`, `release` and `replay` work with it.
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
        let token = admin_token()?;
        config.admin.token = SecretRef::File(self.token_path());
        know(&config.admin.token, &token)?;
        write_private(&self.token_path(), &token)?;
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

    /// Where the operators' token is written.
    pub(super) fn token_path(&self) -> PathBuf {
        self.folder.join("admin-token")
    }
}

/// A token that nobody can guess and the next run does not have.
fn admin_token() -> Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(Digest::of(&bytes).to_string())
}

/// Writes a file that its owner alone can read, anew: the mode of one that is there
/// would stay what it is.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let write = || {
        if path.exists() {
            std::fs::remove_file(path)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{text}")
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// An address that nobody listens on. Somebody might take it before the host does,
/// which the host would say.
fn free_address() -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("this machine has no free port")?;
    listener.local_addr().context("the port has no address")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::secrets;

    #[test]
    fn whoever_has_the_demos_config_can_operate_and_nobody_else_can_read_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let set = StageSet {
            root: Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
            folder: folder.path().to_owned(),
        };
        // as an earlier version, or somebody's umask, may have left it
        std::fs::write(set.token_path(), "old").unwrap();
        let (config, known) = set.config("http://127.0.0.1:9", None).unwrap();
        let written = Config::read(&set.config_path()).unwrap();
        let token = secrets::admin_token(&written.into()).unwrap();
        assert_eq!(token.expose(), known.get(&config.admin.token).unwrap().expose());
        let mode = std::fs::metadata(set.token_path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
