//! A look at the plugin folder: what came, what went, and what is drained.
//!
//! The folder only brings components in. What is live is in the ledger, so that a file
//! that is gone, or an older one that was made live by hand, survives a restart.

use std::{collections::BTreeMap, io, path::PathBuf};

use cambist_contract::{
    digest::Digest,
    rollout::{Origin, Step},
};
use jiff::Timestamp;

use crate::{
    Registry,
    examine::Refusal,
    folder,
    life::Standing,
    registry::NewPlugins,
    rollout::{BY_HOST, Coming},
    status::PluginStatus,
};

/// Who brings in what stands in the folder.
const BY_FOLDER: &str = "folder";

impl Registry {
    /// Looks at the plugin folder, checks what is new, and makes live what is to be.
    /// Blocks while it compiles and runs cases. Tells the plugins that changed.
    ///
    /// What is gone from the folder stays live, because messages need it.
    pub fn refresh(&self, now: Timestamp) -> Vec<PluginStatus> {
        let files = match folder::plugins(&self.options.plugins) {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(%error, "cannot read the plugin folder, all stays as it is");
                return Vec::new();
            }
        };
        let mut changed = self.without_file(&files, now);
        for (plugin, path) in files {
            let bytes = match folder::read(&path) {
                Ok(bytes) => bytes,
                // gone or half-written: the next look will tell
                Err(error) if self.is_live(&plugin) || error.kind() == io::ErrorKind::NotFound => {
                    tracing::debug!(plugin, %error, "cannot read a plugin file yet");
                    continue;
                }
                Err(error) => {
                    let refusal = Refusal::Host(format!("its file cannot be read: {error}"));
                    changed.push(self.settle(&plugin, None, Some(refusal), now));
                    continue;
                }
            };
            let digest = Digest::of(&bytes);
            let seen = self.statuses().get(&plugin).map(|status| status.seen);
            if seen == Some(Some(digest)) {
                continue;
            }
            changed.push(self.offer(&plugin, &bytes, now));
        }
        self.retire(now);
        changed
    }

    /// A component that stands in the folder. One that stood there before, at the last
    /// look of this host or an earlier one, is no news: it comes back to where it stood.
    pub fn offer(&self, plugin: &str, bytes: &[u8], now: Timestamp) -> PluginStatus {
        let digest = Digest::of(bytes);
        let (is_news, standing, live) = {
            let lives = self.lives();
            let life = lives.get(plugin);
            let seen = life.and_then(|life| life.seen);
            let standing = life.and_then(|life| life.standing(&digest)).cloned();
            (
                seen != Some(digest),
                standing,
                life.and_then(|life| life.live_component()),
            )
        };
        let open = matches!(
            standing,
            None | Some(Standing::Checking | Standing::Refused { .. })
        );
        if !is_news && !open && live != Some(digest) {
            // another was made live by hand since, or this one waits
            let outcome = self.restore(plugin, now).err();
            return self.settle(plugin, Some(digest), outcome, now);
        }
        let coming = Coming {
            origin: is_news.then_some(Origin::Folder),
            by: BY_FOLDER,
            goes_live: self.options.new_plugins == NewPlugins::Live || live == Some(digest),
        };
        let outcome = self.bring(plugin, bytes, coming, now).err();
        if outcome.is_some() && !self.is_live(plugin) && live != Some(digest) {
            self.restore_or_tell(plugin, now);
        }
        self.settle(plugin, Some(digest), outcome, now)
    }

    /// Brings back what is live by the ledger and has no file, and takes down which
    /// plugins have no file any more.
    fn without_file(&self, files: &BTreeMap<String, PathBuf>, now: Timestamp) -> Vec<PluginStatus> {
        let lives: Vec<String> = {
            let lives = self.lives();
            let live = lives.iter().filter(|(_, life)| life.live.is_some());
            live.map(|(plugin, _)| plugin.clone()).collect()
        };
        for plugin in lives {
            let is_bound = self
                .options
                .bindings
                .iter()
                .any(|binding| binding.plugin == plugin);
            if is_bound && !files.contains_key(&plugin) && !self.is_live(&plugin) {
                self.restore_or_tell(&plugin, now);
                self.settle(&plugin, None, None, now);
            }
        }
        let mut statuses = self.statuses();
        statuses.retain(|plugin, status| status.live.is_some() || files.contains_key(plugin));
        let mut gone = Vec::new();
        for (plugin, status) in statuses.iter_mut() {
            let absent =
                format!("{plugin}.wasm is not in the plugin folder any more; the last good one stays live");
            if files.contains_key(plugin) || status.refused.as_ref() == Some(&absent) {
                continue;
            }
            tracing::warn!(plugin, "a plugin's file is gone, the last good one stays");
            status.seen = None;
            status.refused = Some(absent);
            status.at = now;
            gone.push(status.clone());
        }
        gone
    }

    fn restore_or_tell(&self, plugin: &str, now: Timestamp) {
        if let Err(refusal) = self.restore(plugin, now) {
            let reason = refusal.reason();
            tracing::error!(plugin, reason, "the one that was live cannot be had back");
        }
    }

    /// Takes down which components have no message left that is pinned to them.
    fn retire(&self, now: Timestamp) {
        let draining: Vec<_> = {
            let lives = self.lives();
            let all = lives.iter().flat_map(|(plugin, life)| {
                let draining = life
                    .components
                    .iter()
                    .filter(|(_, it)| it.standing == Standing::Draining);
                draining.map(|(component, known)| (plugin.clone(), *component, known.clone()))
            });
            all.collect()
        };
        for (plugin, component, known) in draining {
            if self.pinned_messages(&known) > 0 {
                continue;
            }
            let mut lives = self.lives();
            let still = lives.get(&plugin).and_then(|life| life.standing(&component));
            if still != Some(&Standing::Draining) {
                continue;
            }
            match self.write(&mut lives, &plugin, component, BY_HOST, Step::Retired, now) {
                Ok(()) => tracing::info!(plugin, component = component.short(), "drained, and retired"),
                Err(error) => tracing::warn!(plugin, error = error.reason(), "cannot retire a component yet"),
            }
        }
    }
}
