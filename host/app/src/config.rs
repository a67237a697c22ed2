//! What can be set: `cambist.toml`.
//!
//! Each crate owns its part and its part's manual; here they are only put
//! together. Unknown keys are refused, secrets are references, and every problem
//! is named with its file and line.

mod check;
mod place;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use cambist_contract::revision::Tables;
use cambist_pipeline::options::{Flow, Region, RegionOf, Routes};
use cambist_registry::Binding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::Problem;

/// The whole config.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// The host itself.
    #[serde(default)]
    pub host: Host,
    /// How messages come in.
    #[serde(default)]
    pub ingress: cambist_ingress::Options,
    /// Where traces go; left out, there are none.
    #[serde(default)]
    pub otlp: Option<crate::telemetry::otlp::Options>,
    /// The systems at the other ends.
    #[serde(default)]
    pub connect: cambist_connect::options::Options,
    /// The operators' side.
    pub admin: cambist_admin::Options,
    /// How each source system's messages find their region, by the system's name.
    #[serde(default)]
    pub region_of: BTreeMap<String, RegionOf>,
    /// The regions, by name.
    #[serde(default)]
    pub regions: BTreeMap<String, Region>,
    /// The flows. The first one that takes a message has it.
    #[serde(default)]
    pub flows: Vec<Flow>,
    /// Which plugin serves which stage for whom.
    #[serde(default)]
    pub bindings: Vec<Binding>,
    /// Reference tables that bindings may grant: keys and rows.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, serde_json::Value>>")]
    pub tables: Tables,
}

/// The host itself.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Host {
    /// Where senders reach it. Default `127.0.0.1:8700`: a proxy that ends TLS
    /// stands before it.
    pub listen: SocketAddr,
    /// Where operators, probes and scrapers reach it. Default `127.0.0.1:8701`.
    pub admin: SocketAddr,
    /// Where it keeps journal, revisions and compiled plugins. Default `data`;
    /// relative to the config file.
    pub data: PathBuf,
    /// The folder that is watched for plugins. Default `plugins`; relative to the
    /// config file.
    pub plugins: PathBuf,
    /// Messages that are worked on at once. Default 16. Those that wait for a
    /// system do not count: each system has a bound of its own.
    pub at_once: NonZeroUsize,
    /// How log lines are written. Default `text`.
    pub log: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line, for collectors.
    Json,
}

/// Messages worked on at once, where nothing else is set.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(16).unwrap();

impl Default for Host {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8700)),
            admin: SocketAddr::from(([127, 0, 0, 1], 8701)),
            data: PathBuf::from("data"),
            plugins: PathBuf::from("plugins"),
            at_once: AT_ONCE,
            log: LogFormat::Text,
        }
    }
}

impl Config {
    /// Reads a config file. Its relative paths become relative to its folder.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the first thing in it that is no config, with
    /// its place. What is well-formed and wrong is found by [`problems`](Self::problems).
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Problem::of_file(path, format!("cannot be read: {error}")))?;
        let mut config: Self =
            toml::from_str(&text).map_err(|error| Problem::of_toml(path, &text, &error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.host.data = folder.join(&config.host.data);
        config.host.plugins = folder.join(&config.host.plugins);
        Ok(config)
    }

    /// Everything that is well-formed and cannot work, with its place in the file.
    pub fn problems(&self, path: &Path) -> Vec<Problem> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        check::problems(self, &place::Places::new(path, &text))
    }

    /// The journal's file.
    pub fn journal(&self) -> PathBuf {
        self.host.data.join("journal.db")
    }

    /// What decides a message's way.
    pub fn routes(&self) -> Routes {
        Routes {
            flows: self.flows.clone(),
            regions: self.regions.clone(),
            region_of: self.region_of.clone(),
        }
    }
}
