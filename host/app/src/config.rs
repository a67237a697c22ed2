//! What can be set: `cambist.toml`.
//!
//! Each crate owns its part and its part's manual; here they are only put
//! together. Unknown keys are refused, secrets are references, and every problem
//! is named with its file and line.

mod check;
mod document;
mod obstacle;
mod parts;
mod place;
mod problem;
mod reach;
mod read;
mod reconcile;
mod trust;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use cambist_contract::{
    revision::Tables,
    secret::{Secret, SecretRef},
};
use cambist_pipeline::{
    Ownership,
    options::{Flow, Region, RegionOf, Routes},
};
use cambist_registry::{Binding, NewPlugins, Trust};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use obstacle::of_binding;
pub use place::Places;
pub use problem::{Problem, Problems};
pub use reach::Reach;

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
    /// How long what messages said is kept.
    #[serde(default)]
    pub retention: crate::retention::Retention,
    /// Who owns which field: `crm`, `erp`, or `both` where the last change counts. Left out, the
    /// CRM owns accounts, contacts, deals, contracts and projects, but Odoo how an account pays
    /// (`account.payment-terms`, `account.currency`) and how far a project is
    /// (`project.status`); resources, timesheets, expenses, invoices and payments are Odoo's.
    #[serde(default)]
    pub ownership: Ownership,
    /// Flows whose two sides are compared from time to time.
    #[serde(default)]
    pub reconcile: Vec<cambist_reconcile::Options>,
    /// Which plugin serves which stage for whom.
    #[serde(default)]
    pub bindings: Vec<Binding>,
    /// Who may sign plugins, and whether they have to.
    #[serde(default)]
    pub trust: Trust,
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
    /// What becomes of a plugin's file in the folder that passes its checks: `live` at
    /// once; `shadow`, which is called beside the live one and compared; or `wait` until
    /// somebody makes it live with `cambist plugin live`. Default `live`.
    pub new_plugins: NewPlugins,
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
            new_plugins: NewPlugins::Live,
            at_once: AT_ONCE,
            log: LogFormat::Text,
        }
    }
}

/// A config file that was looked at.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The config, as far as it could be read; none when that is too little for one.
    pub config: Option<Config>,
    /// Where its settings stand.
    pub places: Places,
    /// What could not be read.
    unreadable: Vec<Problem>,
}

impl Looked {
    /// Looks at a config file. Its relative paths become relative to its folder.
    pub fn at(path: &Path) -> Self {
        let (text, unread) = match std::fs::read_to_string(path) {
            Ok(text) => (text, None),
            Err(error) => {
                let text = format!(
                    "cannot be read: {error}; name another one with --config, or begin with examples/demo/cambist.toml"
                );
                (String::new(), Some(Problem::of_file(path, text)))
            }
        };
        let mut read = read::read(path, &text);
        if let Some(config) = &mut read.config {
            let folder = path.parent().unwrap_or(Path::new(""));
            config.host.data = folder.join(&config.host.data);
            config.host.plugins = folder.join(&config.host.plugins);
        }
        match unread {
            Some(problem) => Self {
                config: None,
                places: read.places,
                unreadable: vec![problem],
            },
            None => Self {
                config: read.config,
                places: read.places,
                unreadable: read.problems,
            },
        }
    }

    /// Everything that cannot be read, and everything that is well-formed and cannot
    /// work, with its place. What is behind secrets is not looked at.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.unreadable.clone();
        if let Some(config) = &self.config {
            problems.extend(check::problems(config, &self.places));
            problems.extend(reconcile::problems(config, &self.places));
            problems.extend(trust::problems(config, &self.places));
        }
        problems
    }

    /// What of this config cannot work in a host that was started with another one: what it
    /// names has to be there already. What is wrong by itself is told by
    /// [`problems`](Self::problems).
    pub fn problems_beside(&self, started: &Config) -> Vec<Problem> {
        let Some(config) = &self.config else {
            return Vec::new();
        };
        let mut problems = check::problems(&config.within(started), &self.places);
        for problem in &mut problems {
            problem.problem.push_str(
                " (the host that runs has the [connect] and [ingress] that it was started with; start it again)",
            );
        }
        problems
    }

    /// What is wrong with ingress, connect and admin, which look at their options
    /// with the secrets they need. A secret that is not in `secrets` is not told.
    pub fn problems_of_parts(&self, secrets: &BTreeMap<SecretRef, Secret>) -> Vec<Problem> {
        let config = self.config.as_ref();
        config.map_or_else(Vec::new, |config| parts::problems(config, secrets, &self.places))
    }
}

impl Config {
    /// Reads a config file. Its relative paths become relative to its folder.
    ///
    /// # Errors
    ///
    /// Everything that cannot be read, with its place. What is well-formed and cannot
    /// work is told by [`Looked::problems`].
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let looked = Looked::at(path);
        match looked.config {
            Some(config) if looked.unreadable.is_empty() => Ok(config),
            _ => Err(Problems(looked.unreadable)),
        }
    }

    /// The journal's file.
    pub fn journal(&self) -> PathBuf {
        self.host.data.join("journal.db")
    }

    /// What of this config can hold in a host that was started with another one.
    pub fn within(&self, started: &Self) -> Self {
        let mut within = started.clone();
        within.host.new_plugins = self.host.new_plugins;
        within.region_of.clone_from(&self.region_of);
        within.regions.clone_from(&self.regions);
        within.ownership.clone_from(&self.ownership);
        within.flows.clone_from(&self.flows);
        within.bindings.clone_from(&self.bindings);
        within.tables.clone_from(&self.tables);
        within.trust.clone_from(&self.trust);
        within
    }

    /// The settings that differ from those of a host that runs and cannot change there, such
    /// as `[host] listen` or `[connect]`.
    ///
    /// # Errors
    ///
    /// One of the two cannot be written as JSON.
    pub fn needs_restart(&self, started: &Self) -> serde_json::Result<Vec<String>> {
        let (asked, holds) = (
            serde_json::to_value(self)?,
            serde_json::to_value(self.within(started))?,
        );
        let differ = |part: &str| asked.get(part) != holds.get(part);
        let mut settings: Vec<String> = ["ingress", "otlp", "connect", "admin", "reconcile", "retention"]
            .into_iter()
            .filter(|part| differ(part))
            .map(|part| format!("[{part}]"))
            .collect();
        let hosts = asked.get("host").and_then(|host| host.as_object());
        for (name, value) in hosts.into_iter().flatten() {
            if holds.get("host").and_then(|host| host.get(name)) != Some(value) {
                settings.push(format!("[host] {name}"));
            }
        }
        Ok(settings)
    }

    /// What decides who serves a message.
    pub fn registry(&self) -> cambist_registry::Options {
        cambist_registry::Options {
            plugins: self.host.plugins.clone(),
            archive: self.host.data.join("revisions"),
            bindings: self.bindings.clone(),
            tables: self.tables.clone(),
            new_plugins: self.host.new_plugins,
            trust: self.trust.clone(),
        }
    }

    /// What is compared with what. What cannot be is told by [`Looked::problems`].
    pub fn comparisons(&self) -> Vec<cambist_reconcile::Comparison> {
        reconcile::comparisons(self)
    }

    /// What decides a message's way.
    pub fn routes(&self) -> Routes {
        Routes {
            flows: self.flows.iter().cloned().map(Arc::new).collect(),
            regions: self.regions.clone(),
            region_of: self.region_of.clone(),
            ownership: Arc::new(self.ownership.clone()),
        }
    }
}
