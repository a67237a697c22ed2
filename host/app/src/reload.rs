//! The config file, read again while the host runs: when it changes, and when somebody asks.
//!
//! Bindings with their settings, grants and limits, tables, flows and regions hold from one
//! moment on, all of them, when all of it passes; else nothing changes. What a revoked key takes
//! with it is named in the answer and in the log, and so is a plugin that somebody holds on older
//! revisions: what the config says of it holds when that ends. What a host is built
//! of (ports, folders, systems, senders, secrets) changes by a restart, and that is said.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use cambist_admin::answer::{Reloaded, TakenOut};
use cambist_pipeline::Pipeline;
use cambist_registry::{Registry, ReloadError, watch::Changes};
use tokio::sync::watch::Receiver;

use crate::{
    config::{self, Config, Looked},
    host::now,
};

/// Reads the config of a host again.
pub(crate) struct Reload {
    file: PathBuf,
    started: Config,
    registry: Arc<Registry>,
    pipeline: Arc<Pipeline>,
    /// The text that was tried last. Held while it is tried: one at a time.
    tried: Mutex<Option<String>>,
}

impl Reload {
    pub(crate) fn new(
        file: PathBuf,
        started: &Config,
        registry: &Arc<Registry>,
        pipeline: &Arc<Pipeline>,
    ) -> Self {
        let tried = std::fs::read_to_string(&file).ok();
        Self {
            file,
            started: started.clone(),
            registry: Arc::clone(registry),
            pipeline: Arc::clone(pipeline),
            tried: Mutex::new(tried),
        }
    }

    /// Reads the file, and lets it hold. Blocks while plugins are checked.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, a line each. Nothing was changed.
    pub(crate) fn now(&self) -> Result<Reloaded, Vec<String>> {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        *tried = std::fs::read_to_string(&self.file).ok();
        self.hold()
    }

    /// Does so if the file has changed since it was tried last.
    fn if_changed(&self) {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let text = std::fs::read_to_string(&self.file).ok();
        // gone for a moment, while it is replaced
        if text.is_none() || text == *tried {
            return;
        }
        *tried = text;
        drop(self.hold());
    }

    fn hold(&self) -> Result<Reloaded, Vec<String>> {
        let outcome = self.try_file();
        match &outcome {
            Ok(Reloaded {
                plugins,
                out,
                held,
                restart,
            }) => {
                tracing::info!(?plugins, "the config was read again and holds");
                for TakenOut {
                    plugin,
                    component,
                    beside,
                    reason,
                } in out
                {
                    let component = component.short();
                    tracing::error!(
                        plugin,
                        component,
                        beside,
                        reason,
                        "the config has taken a component out"
                    );
                }
                for held in held {
                    let plugin = &held.plugin;
                    tracing::warn!(plugin, %held, "the config does not hold for a plugin that is held");
                }
                if !restart.is_empty() {
                    tracing::warn!(?restart, "of the config, these hold after a restart");
                }
                metrics::counter!("cambist_config_reloads_total", "outcome" => "holds").increment(1);
            }
            Err(problems) => {
                for problem in problems {
                    tracing::error!(
                        problem,
                        "the config was read again and does not pass; the old one holds"
                    );
                }
                metrics::counter!("cambist_config_reloads_total", "outcome" => "refused").increment(1);
            }
        }
        outcome
    }

    fn try_file(&self) -> Result<Reloaded, Vec<String>> {
        let looked = Looked::at(&self.file);
        let mut problems = looked.problems();
        if problems.is_empty() {
            problems = looked.problems_beside(&self.started);
        }
        let told = |problems: Vec<config::Problem>| problems.iter().map(config::Problem::in_file).collect();
        let config = match &looked.config {
            Some(config) if problems.is_empty() => config,
            _ => return Err(told(problems)),
        };
        let restart = config
            .needs_restart(&self.started)
            .map_err(|error| vec![error.to_string()])?;
        let reloaded = self.registry.reload(config.registry(), |switch| {
            self.pipeline.reroute(config.routes(), switch);
        });
        match reloaded {
            Ok(reloaded) => {
                // what was not bound so far may be in the folder
                self.registry.refresh(now());
                let taken = |beside: bool| {
                    move |(plugin, (component, reason))| TakenOut {
                        plugin,
                        component,
                        beside,
                        reason,
                    }
                };
                let out = reloaded.out.into_iter().map(taken(false));
                let withdrawn = reloaded.withdrawn.into_iter().map(taken(true));
                Ok(Reloaded {
                    plugins: reloaded.plugins.into_iter().collect(),
                    out: out.chain(withdrawn).collect(),
                    held: reloaded.held,
                    restart,
                })
            }
            Err(ReloadError::Obstacles(obstacles)) => {
                let of = |it| config::of_binding(config, &looked.places, it);
                Err(told(obstacles.into_iter().filter_map(of).collect()))
            }
            Err(error @ ReloadError::Trouble(_)) => Err(vec![error.to_string()]),
        }
    }
}

/// Reads the file again whenever it changes, until the host stops.
///
/// # Errors
///
/// The system does not let its folder be watched.
pub(crate) async fn watch(reload: Arc<Reload>, mut stop: Receiver<bool>) -> anyhow::Result<()> {
    let folder = reload
        .file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut changes = Changes::of(folder.unwrap_or(Path::new(".")))?;
    while changes.next(&mut stop).await {
        let reloading = Arc::clone(&reload);
        let look = tokio::task::spawn_blocking(move || reloading.if_changed());
        if let Err(error) = look.await {
            tracing::error!(%error, "a look at the config ended early");
        }
    }
    Ok(())
}
