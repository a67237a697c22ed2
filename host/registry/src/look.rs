//! A look at the plugin folder: what came, what went, and what is drained.
//!
//! The folder only brings components in. What is live is in the ledger, so that a file
//! that is gone, or an older one that was made live by hand, survives a restart.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use cambist_contract::{
    digest::Digest,
    rollout::{Origin, Step},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Registry,
    examine::Refusal,
    folder::{self, Stamp},
    life::Life,
    metrics,
    registry::NewPlugins,
    rollout::{Coming, Goes},
    standing::Standing,
    status::PluginStatus,
    step::BY_HOST,
};

/// Who brings in what stands in the folder.
const BY_FOLDER: &str = "folder";

/// How long a file must have had the same stamp, read at both ends, before it is not read
/// again: longer than the two seconds that the coarsest file systems count time by. So that a
/// look at a thousand plugins reads none of them.
const SETTLED: SignedDuration = SignedDuration::from_secs(5);

/// What the last look at a plugin's file came to.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// The component that stood there; none when the file is gone, or has to be looked at
    /// again.
    pub(crate) seen: Option<Digest>,
    /// Why it is not live, nor waits.
    pub(crate) refused: Option<String>,
    /// Whether the file was there before, and is not any more.
    gone: bool,
    /// How its file stood when it was read; none when what was seen is not from there.
    stood: Option<Stood>,
    pub(crate) at: Timestamp,
}

/// A file that was read, as the system told of it.
#[derive(Clone, Copy, Debug)]
struct Stood {
    stamp: Stamp,
    /// When it was first read with this stamp, and when it was read last.
    since: Timestamp,
    read: Timestamp,
}

impl Look {
    /// Whether a file with this stamp can be nothing else than what was read.
    fn has_read(&self, stamp: Stamp) -> bool {
        self.stood
            .is_some_and(|stood| stood.stamp == stamp && stood.read.duration_since(stood.since) >= SETTLED)
    }

    /// Why what stands in the folder does not serve.
    pub(crate) fn why_not(&self, plugin: &str) -> Option<String> {
        if self.gone {
            return Some(format!(
                "{plugin}.wasm is not in the plugin folder any more; the last good one stays live"
            ));
        }
        self.refused.clone()
    }
}

impl Registry {
    /// Looks at the plugin folder, checks what is new, and makes live what is to be.
    /// Blocks while it compiles and runs cases. Tells the plugins that changed.
    ///
    /// What is gone from the folder stays live, because messages need it.
    pub fn refresh(&self, now: Timestamp) -> Vec<PluginStatus> {
        let files = match folder::plugins(self.plugins()) {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(%error, "cannot read the plugin folder, all stays as it is");
                return Vec::new();
            }
        };
        let mut changed = self.without_file(&files, now);
        for (plugin, path) in files {
            let (stamp, bytes) = match self.unread(&plugin, &path) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                // gone or half-written: the next look will tell
                Err(error) if self.serves(&plugin).is_some() || error.kind() == io::ErrorKind::NotFound => {
                    tracing::debug!(plugin, %error, "cannot read a plugin file yet");
                    continue;
                }
                Err(error) => {
                    let refusal = Refusal::Host(format!("its file cannot be read: {error}"));
                    self.looked(&plugin, None, Some(refusal), now);
                    changed.insert(plugin);
                    continue;
                }
            };
            let digest = Digest::of(&bytes);
            let seen = self.looks().get(&plugin).and_then(|look| look.seen);
            if seen != Some(digest) {
                let outcome = self.take_in(&plugin, &bytes).err();
                self.looked(&plugin, Some(digest), outcome, now);
                changed.insert(plugin.clone());
            }
            self.stood(&plugin, digest, stamp, now);
        }
        self.restore_beside();
        self.retire();
        if changed.is_empty() {
            return Vec::new();
        }
        self.statuses_of(|plugin| changed.contains(plugin))
    }

    /// What is in a plugin's file, unless it is what was read before.
    fn unread(&self, plugin: &str, path: &Path) -> io::Result<Option<(Stamp, Vec<u8>)>> {
        // before it is read: what is written meanwhile is seen by the next look
        let stamp = folder::stamp(path)?;
        if self.looks().get(plugin).is_some_and(|look| look.has_read(stamp)) {
            return Ok(None);
        }
        Ok(Some((stamp, folder::read(path)?)))
    }

    /// Takes down how the file stood that was read, where its component is known by now.
    fn stood(&self, plugin: &str, component: Digest, stamp: Stamp, now: Timestamp) {
        let mut looks = self.looks();
        if let Some(look) = looks.get_mut(plugin)
            && look.seen == Some(component)
        {
            let before = look.stood.filter(|stood| stood.stamp == stamp);
            look.stood = Some(Stood {
                stamp,
                since: before.map_or(now, |stood| stood.since),
                read: now,
            });
        }
    }

    /// Looks at a component as if it stood in the folder, and tells what its plugin has
    /// come to.
    pub fn offer(&self, plugin: &str, bytes: &[u8], now: Timestamp) -> PluginStatus {
        let outcome = self.take_in(plugin, bytes).err();
        self.looked(plugin, Some(Digest::of(bytes)), outcome, now);
        self.plugin_status(plugin)
    }

    /// Takes in what stands in the folder. What stood there before, at the last look of
    /// this host or of an earlier one, is no news: it comes back to where it stood.
    fn take_in(&self, plugin: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let component = Digest::of(bytes);
        let (is_news, is_open, live) = {
            let lives = self.lives();
            let life = lives.get(plugin);
            (
                life.and_then(|life| life.seen) != Some(component),
                Standing::is_open(life.and_then(|life| life.standing(&component))),
                life.and_then(Life::live_component),
            )
        };
        let is_live = live == Some(component);
        if !is_news && !is_open && !is_live {
            // another was made live by hand since, or this one waits
            return self.restore(plugin);
        }
        let coming = Coming {
            origin: is_news.then_some(Origin::Folder),
            by: BY_FOLDER,
            goes: match self.serving().terms.new_plugins {
                _ if is_live => Goes::Live,
                NewPlugins::Live => Goes::Live,
                NewPlugins::Shadow => Goes::Shadow,
                NewPlugins::Wait => Goes::Nowhere,
            },
        };
        let outcome = self.bring(plugin, bytes, coming);
        if self.serves(plugin).is_none() && !is_live {
            self.restore_or_log(plugin);
        }
        outcome
    }

    /// Takes down what a look at a plugin's file came to.
    fn looked(&self, plugin: &str, seen: Option<Digest>, outcome: Option<Refusal>, at: Timestamp) {
        // of a component that the host could not find out about, nothing is known: the
        // next look tries again
        let seen = seen.filter(|_| !matches!(outcome, Some(Refusal::Host(_))));
        let refused = outcome.map(Refusal::reason);
        if let Some(reason) = &refused {
            let component = seen.map(|digest| digest.short());
            tracing::error!(
                plugin,
                component,
                reason,
                "plugin refused, the last good one stays"
            );
            metrics::refused(plugin);
        }
        let look = Look {
            seen,
            refused,
            gone: false,
            stood: None,
            at,
        };
        self.looks().insert(plugin.to_owned(), look);
    }

    /// Brings back what is live by the ledger and has no file, and takes down which
    /// plugins have no file any more. Tells those that changed.
    fn without_file(&self, files: &BTreeMap<String, PathBuf>, now: Timestamp) -> BTreeSet<String> {
        let has_none = |plugin: &String| !files.contains_key(plugin);
        let live: Vec<String> = {
            let lives = self.lives();
            let live = lives.iter().filter(|(_, life)| life.live.is_some());
            live.map(|(plugin, _)| plugin.clone()).filter(has_none).collect()
        };
        for plugin in live {
            if self.is_bound(&plugin) && self.serves(&plugin).is_none() {
                self.restore_or_log(&plugin);
                self.looked(&plugin, None, None, now);
            }
        }
        let mut looks = self.looks();
        looks.retain(|plugin, _| !has_none(plugin) || self.serves(plugin).is_some());
        let mut changed = BTreeSet::new();
        for (plugin, look) in looks.iter_mut() {
            if has_none(plugin) && !look.gone {
                tracing::warn!(plugin, "a plugin's file is gone, the last good one stays");
                *look = Look {
                    seen: None,
                    refused: None,
                    gone: true,
                    stood: None,
                    at: now,
                };
                changed.insert(plugin.clone());
            }
        }
        changed
    }

    fn restore_or_log(&self, plugin: &str) {
        if let Err(refusal) = self.restore(plugin) {
            let reason = refusal.reason();
            tracing::error!(plugin, reason, "the one that was live cannot be had back");
        }
    }

    /// Takes down which components have no message left that is pinned to them.
    fn retire(&self) {
        let draining: Vec<_> = {
            let lives = self.lives();
            let all = lives.iter().flat_map(|(plugin, life)| {
                let components = life.components.iter();
                let draining = components.filter(|(_, it)| it.standing == Standing::Draining);
                draining.map(|(component, it)| (plugin.clone(), *component, it.revisions.clone()))
            });
            all.collect()
        };
        for (plugin, component, revisions) in draining {
            let revisions: Vec<_> = revisions.into_iter().collect();
            let pinned = self.ledger.pinned(&revisions);
            if !pinned.is_ok_and(|messages| messages.iter().all(|count| *count == 0)) {
                continue;
            }
            let mut held = self.hold();
            if self.standing(&plugin, &component) != Some(Standing::Draining) {
                continue;
            }
            match self.write(&mut held, &plugin, component, BY_HOST, Step::Retired) {
                Ok(()) => tracing::info!(plugin, component = component.short(), "drained, and retired"),
                Err(error) => tracing::warn!(plugin, error = error.reason(), "cannot retire a component yet"),
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_as_read_when_it_was_read_at_both_ends_of_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&one, "one").unwrap();
        std::fs::write(&other, "two").unwrap();
        let stamp = folder::stamp(&one).unwrap();
        let since = Timestamp::UNIX_EPOCH;
        let looked = |read: SignedDuration| Look {
            seen: None,
            refused: None,
            gone: false,
            stood: Some(Stood {
                stamp,
                since,
                read: since + read,
            }),
            at: since,
        };
        assert!(!looked(SETTLED - SignedDuration::from_millis(1)).has_read(stamp));
        assert!(looked(SETTLED).has_read(stamp));
        assert!(!looked(SETTLED).has_read(folder::stamp(&other).unwrap()));
    }
}
