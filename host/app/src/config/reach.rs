//! How a host is reached, read out of a config in spite of what is wrong with the rest of it.
//!
//! Whoever has to take a plugin out must not be kept from it by a typo three tables further
//! down: the host that runs has its own config in memory and is well. So the commands that ask
//! it read where its operators' port is, which token that wants and where the journal is, and
//! nothing else; also out of a text that is no TOML any more, as far as a parser gets in it.
//!
//! What cannot be read of these three is an error of the command that needs it. A default is
//! taken only where nothing that is wrong could have been the setting: a command must not go
//! to another host because of a misspelt `admin`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow};
use cambist_contract::secret::SecretRef;
use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{Config, Host, Looked, Places, Problem};

/// How a host is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    admin: Result<SocketAddr, String>,
    token: Result<SecretRef, String>,
    data: Result<PathBuf, String>,
}

impl From<Config> for Reach {
    fn from(config: Config) -> Self {
        Self {
            admin: Ok(config.host.admin),
            token: Ok(config.admin.token),
            data: Ok(config.host.data),
        }
    }
}

impl Reach {
    /// Reads it out of a config file, and tells what is wrong with that file.
    pub fn read(path: &Path) -> (Self, Vec<Problem>) {
        let Looked {
            config,
            places,
            unreadable,
        } = Looked::at(path);
        match config {
            Some(config) if unreadable.is_empty() => (config.into(), Vec::new()),
            _ => (Self::out_of(path, &places, &unreadable), unreadable),
        }
    }

    fn out_of(path: &Path, places: &Places, problems: &[Problem]) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let (root, errors) = DeTable::parse_recoverable(&text);
        let root = root.into_inner();
        // of a text that is no TOML nothing was lost that it has a place for
        let may_be_misspelt = root.get("host").is_none() && places.lacks_a_table();
        let is_host_whole = !may_be_misspelt
            && !places.lacks_beside("host", &others())
            && !errors
                .iter()
                .any(|error| may_be_of_host(&text, error.span().map_or(0, |span| span.start)));
        let because = problems.first().map(Problem::in_file).unwrap_or_default();
        let not_told = |setting: &str| {
            format!(
                "{} does not say {setting} for sure: {because}; mend it, or name by --config a file that has only `admin` \
                 and `data` under [host] and `token` under [admin]",
                path.display()
            )
        };
        let defaults = is_host_whole.then(Host::default);
        let admin = setting(&root, "host", "admin").or_else(|| defaults.as_ref().map(|host| host.admin));
        let data = setting(&root, "host", "data").or_else(|| defaults.map(|host| host.data));
        let folder = path.parent().unwrap_or(Path::new(""));
        Self {
            admin: admin.ok_or_else(|| not_told("where operators reach the host")),
            token: setting(&root, "admin", "token").ok_or_else(|| not_told("which token operators send")),
            data: data
                .map(|data: PathBuf| folder.join(data))
                .ok_or_else(|| not_told("where the journal is")),
        }
    }

    /// Where operators reach the host.
    ///
    /// # Errors
    ///
    /// The config does not say it.
    pub fn admin(&self) -> Result<SocketAddr> {
        self.admin.clone().map_err(|why| anyhow!(why))
    }

    /// Where the token is that they send.
    ///
    /// # Errors
    ///
    /// The config does not say it.
    pub fn token(&self) -> Result<&SecretRef> {
        self.token.as_ref().map_err(|why| anyhow!(why.clone()))
    }

    /// The journal's file.
    ///
    /// # Errors
    ///
    /// The config does not say it.
    pub fn journal(&self) -> Result<PathBuf> {
        let data = self.data.as_ref().map_err(|why| anyhow!(why.clone()))?;
        Ok(data.join("journal.db"))
    }
}

/// The settings of `[host]` that are asked for nothing here: what is wrong with one of them is no
/// misspelling of another.
fn others() -> Vec<String> {
    let host = serde_json::to_value(Host::default()).unwrap_or_default();
    let names = host.as_object().into_iter().flat_map(|host| host.keys().cloned());
    names
        .filter(|name| !["admin", "data"].contains(&name.as_str()))
        .collect()
}

/// A setting that can be read, whatever stands around it.
fn setting<T: DeserializeOwned>(root: &DeTable<'_>, table: &str, name: &str) -> Option<T> {
    let DeValue::Table(table) = root.get(table)?.get_ref() else {
        return None;
    };
    let value = Spanned::new(0..0, table.get(name)?.get_ref().clone());
    T::deserialize(ValueDeserializer::from(value)).ok()
}

/// Whether what is wrong at a place of the text may be a setting of `[host]`: it stands in that
/// table, before all tables, or in a line that was to begin one.
fn may_be_of_host(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or(text);
    let begins = before.rfind('\n').map_or(0, |end| end + 1);
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let of_it = text.get(begins..).and_then(|rest| rest.lines().next());
    let above = before.get(..begins).unwrap_or_default().lines();
    match above.rev().find(|line| is_header(line)) {
        _ if of_it.is_some_and(is_header) => true,
        Some(header) => header.trim_start().starts_with("[host"),
        None => true,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const GOOD: &str = "[host]\nadmin = \"127.0.0.1:9\"\ndata = \"d\"\n\n[admin]\ntoken = { env = \"T\" }\n\n\
                        [connect.systems.x]\nkind = \"dry-run\"\n";

    fn read(text: &str) -> (Reach, Vec<Problem>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cambist.toml");
        std::fs::write(&path, text).unwrap();
        Reach::read(&path)
    }

    #[test]
    fn what_is_wrong_elsewhere_hides_no_host() {
        for wrong in [
            "",
            "kindd = 1\n",
            "key = 7\n",
            "[regions]\nde = \"x\"\n",
            "[[flows]]\nfrom = 3\n",
            "[hosts]\nlisten = 1\n",
            // no TOML
            "key = \n",
            "key = 127.0.0.1\n",
            "[connect.systems.y\nkind = \"dry-run\"\n",
            "key = \"unended\n",
            "key = \"\"\"unended\n[host]\nadmin = \"127.0.0.1:10\"\n",
            "]]]\n",
        ] {
            let (reach, problems) = read(&format!("{GOOD}{wrong}"));
            assert_eq!(problems.is_empty(), wrong.is_empty(), "{wrong}: {problems:?}");
            assert_eq!(reach.admin().unwrap().port(), 9, "{wrong}");
            assert_eq!(*reach.token().unwrap(), SecretRef::Env("T".into()), "{wrong}");
            assert!(reach.journal().unwrap().ends_with("d/journal.db"), "{wrong}");
        }
    }

    #[test]
    fn a_default_is_taken_only_where_nothing_could_have_been_the_setting() {
        let bare = GOOD.replace("admin = \"127.0.0.1:9\"\ndata = \"d\"\n", "");
        let (reach, _) = read(&format!("{bare}kindd = 1\n"));
        assert_eq!(reach.admin().unwrap().port(), 8701);
        assert!(reach.journal().unwrap().ends_with("data/journal.db"));
        let (reach, _) = read(&bare.replace("[host]\n", "[host]\nat-once = \"many\"\n"));
        assert!(reach.admin().is_ok() && reach.journal().is_ok());
        for wrong in [
            "[host]\nadmn = \"127.0.0.1:9\"\n",
            "[host]\nadmin = 9\n",
            "[host]\nadmin = 127.0.0.1:9\n",
            "[host\nadmin = \"127.0.0.1:9\"\n",
            "[hosts]\nadmin = \"127.0.0.1:9\"\n",
        ] {
            let (reach, _) = read(&bare.replace("[host]\n", wrong));
            let error = reach.admin().unwrap_err().to_string();
            assert!(
                error.contains("does not say where operators reach the host for sure: line "),
                "{wrong}: {error}"
            );
        }
        let (reach, _) = read(&GOOD.replace("token", "tokn"));
        assert!(reach.token().is_err() && reach.admin().is_ok());
    }
}
