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
use jiff::Timestamp;

use crate::{
    Registry, aside,
    examine::Refusal,
    folder::{self, Listing, ReadError, Stamp},
    life::Life,
    registry::NewPlugins,
    rollout::{Coming, Goes},
    seen::{Found, Look, Stood, being_written},
    standing::Standing,
    status::PluginStatus,
    step::BY_HOST,
    whole,
};

/// Who brings in what stands in the folder.
const BY_FOLDER: &str = "folder";

impl Registry {
    /// Looks at the plugin folder, checks what is new, and makes live what is to be.
    /// Blocks while it compiles and runs cases. Tells the plugins that changed.
    ///
    /// What is gone from the folder stays live, because messages need it.
    pub fn refresh(&self, now: Timestamp) -> Vec<PluginStatus> {
        let changed = self.look(now, &BTreeMap::new());
        self.check_all(&changed, now);
        self.settle();
        if changed.is_empty() {
            return Vec::new();
        }
        self.statuses_of(|plugin| changed.contains(plugin))
    }

    /// Looks at the plugin folder, and has what is new be checked. Tells which plugins changed.
    ///
    /// One of the files that were [new](Self::new_files) a moment ago and that stands otherwise by
    /// now is being written.
    pub(crate) fn look(&self, now: Timestamp, earlier: &BTreeMap<String, Stamp>) -> BTreeSet<String> {
        let Listing { files, odd, .. } = match folder::list(self.plugins()) {
            Ok(listing) => listing,
            Err(error) => {
                tracing::warn!(%error, "cannot read the plugin folder, all stays as it is");
                return BTreeSet::new();
            }
        };
        let mut changed = self.without_file(&files, &odd, now);
        for (plugin, path) in &files {
            let moves = |stamp: &Stamp| earlier.get(plugin).is_some_and(|earlier| earlier != stamp);
            let is_news = match folder::stamp(path).ok().filter(moves) {
                Some(stamp) => self.wait(plugin, stamp, now),
                None => self.look_in(plugin, path, now),
            };
            if is_news {
                changed.insert(plugin.clone());
            }
        }
        changed
    }

    /// Does what follows from looks and checks: what stood beside a live component stands there
    /// again, and what is drained retires.
    pub(crate) fn settle(&self) {
        self.restore_beside();
        self.retire();
    }

    /// Whether files stand in the folder that are waited for: it is to be looked at again soon,
    /// whether something is heard of them or not.
    pub(crate) fn waits(&self) -> bool {
        let looks = self.looks();
        looks.values().any(|look| look.found == Found::Beginning)
    }

    /// Whether some of the files are links.
    pub(crate) fn has_links(&self) -> bool {
        folder::list(self.plugins()).is_ok_and(|listing| listing.has_links)
    }

    /// The files that stand otherwise than at the last look, and how.
    pub(crate) fn new_files(&self, now: Timestamp) -> BTreeMap<String, Stamp> {
        let Listing { files, .. } = folder::list(self.plugins()).unwrap_or_default();
        let looks = self.looks().clone();
        let known = |plugin: &str, stamp| looks.get(plugin).is_some_and(|look| look.is_of(stamp, now));
        let stamps = files
            .into_iter()
            .filter_map(|(plugin, path)| Some((plugin, folder::stamp(&path).ok()?)));
        stamps.filter(|(plugin, stamp)| !known(plugin, *stamp)).collect()
    }

    /// Looks at a plugin's file, and tells whether it is otherwise than before.
    fn look_in(&self, plugin: &str, path: &Path, now: Timestamp) -> bool {
        let before = self.looks().get(plugin).cloned();
        // before it is read: what is written meanwhile is seen by the next look
        let stamp = match folder::stamp(path) {
            Ok(stamp) => stamp,
            Err(error) => return self.unreadable(plugin, error, now),
        };
        if before.as_ref().is_some_and(|look| look.is_of(stamp, now)) {
            return false;
        }
        let bytes = match folder::read(path) {
            Ok(bytes) => bytes,
            Err(ReadError::Io(error)) => return self.unreadable(plugin, error, now),
            Err(error @ ReadError::TooLarge(_)) => return self.too_large(plugin, stamp, error.into(), now),
        };
        let digest = Digest::of(&bytes);
        let is_news = before.as_ref().and_then(Look::stands) != Some(digest);
        if is_news {
            let rests = before.as_ref().is_some_and(|look| look.rests(stamp, now));
            if !rests && whole::is_beginning(&bytes) {
                return self.wait(plugin, stamp, now);
            }
            self.enqueue(plugin, path, digest, bytes.len(), now);
            self.stood(plugin, Found::Due(digest), stamp, now);
            return true;
        }
        if let Some(before) = before {
            if before.stood.is_some_and(|stood| stood.stamp != stamp) {
                self.log_aside(plugin, &digest);
            }
            self.stood(plugin, before.found, stamp, now);
        }
        false
    }

    /// Tells who put it there that a file is not live by itself, if it is not.
    fn log_aside(&self, plugin: &str, component: &Digest) {
        let why = {
            let lives = self.lives();
            lives
                .get(plugin)
                .and_then(|life| aside::why(plugin, life, component))
        };
        if let Some(reason) = why {
            tracing::warn!(
                plugin,
                component = component.short(),
                reason,
                "a file that is not live came again"
            );
        }
    }

    /// Takes down that a file cannot be read, and tells whether that is news. One that is gone in this very moment is the
    /// next look's business.
    fn unreadable(&self, plugin: &str, error: io::Error, now: Timestamp) -> bool {
        if error.kind() == io::ErrorKind::NotFound {
            return false;
        }
        let refusal: Refusal = ReadError::Io(error).into();
        let reason = refusal.clone().reason();
        let known = self.looks().get(plugin).and_then(|look| look.why_not(plugin));
        if known.as_ref() == Some(&reason) {
            return false;
        }
        let look = Look {
            found: Found::Unknown,
            refused: Some(refusal),
            stood: None,
            at: now,
        };
        self.looked(plugin, look);
        true
    }

    /// Takes down that a file is being written, and tells whether that is news. It is no refusal:
    /// nothing of it is in the plugin's history, nor counted.
    fn wait(&self, plugin: &str, stamp: Stamp, now: Timestamp) -> bool {
        let before = self.looks().get(plugin).map(|look| look.found);
        let is_news = before != Some(Found::Beginning);
        let refused = Some(Refusal::Host(being_written(stamp.is_empty())));
        if !is_news && let Some(look) = self.looks().get_mut(plugin) {
            look.refused = refused;
        } else {
            if self.serves(plugin).is_none() {
                self.restore_or_log(plugin);
            }
            tracing::info!(plugin, "a plugin's file is being written");
            let look = Look {
                found: Found::Beginning,
                refused,
                stood: None,
                at: now,
            };
            self.looks().insert(plugin.to_owned(), look);
        }
        self.stood(plugin, Found::Beginning, stamp, now);
        is_news
    }

    /// Takes down that a file is too large, and tells that it is. One that goes on growing is
    /// refused once.
    fn too_large(&self, plugin: &str, stamp: Stamp, refusal: Refusal, now: Timestamp) -> bool {
        let known = self.looks().get(plugin).map(|look| look.found);
        if known == Some(Found::TooLarge) {
            if let Some(look) = self.looks().get_mut(plugin) {
                look.refused = Some(refusal);
            }
        } else {
            if self.serves(plugin).is_none() {
                self.restore_or_log(plugin);
            }
            let look = Look {
                found: Found::TooLarge,
                refused: Some(refusal),
                stood: None,
                at: now,
            };
            self.looked(plugin, look);
        }
        self.stood(plugin, Found::TooLarge, stamp, now);
        true
    }

    /// Takes down how the file stood in which this was found, where that is known by now.
    fn stood(&self, plugin: &str, found: Found, stamp: Stamp, now: Timestamp) {
        let mut looks = self.looks();
        if let Some(look) = looks.get_mut(plugin)
            && look.found == found
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
        let outcome = self.take_in(plugin, bytes, self.kills(plugin)).err();
        self.looked(plugin, Look::of(Digest::of(bytes), outcome, now));
        self.plugin_status(plugin)
    }

    /// Takes in what stands in the folder. What stood there before, at the last look of
    /// this host or of an earlier one, is no news: it comes back to where it stood. There were so many
    /// [kills](crate::life::Life::kills) when it was found.
    pub(crate) fn take_in(&self, plugin: &str, bytes: &[u8], kills: u64) -> Result<(), Refusal> {
        let component = Digest::of(bytes);
        let (is_news, is_open, live, is_held) = {
            let lives = self.lives();
            let life = lives.get(plugin);
            (
                life.and_then(|life| life.seen) != Some(component),
                Standing::is_open(life.and_then(|life| life.standing(&component))),
                life.and_then(Life::live_component),
                life.is_some_and(|life| life.hold.is_some()),
            )
        };
        let is_live = live == Some(component);
        if !is_news && !is_open && !is_live {
            // another was made live by hand since, or this one waits
            let outcome = self.restore(plugin);
            self.log_aside(plugin, &component);
            return outcome;
        }
        if is_live && is_held {
            // the file of what is held says nothing of the revisions that it is held on
            if is_news {
                let from = Origin::Folder;
                self.write(
                    &mut self.hold(),
                    plugin,
                    component,
                    BY_FOLDER,
                    Step::Registered { from },
                )?;
            }
            return self.restore(plugin);
        }
        let coming = Coming {
            origin: is_news.then_some(Origin::Folder),
            by: BY_FOLDER,
            kills,
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
    fn looked(&self, plugin: &str, look: Look) {
        look.tell(plugin, self.serves(plugin).is_some());
        self.looks().insert(plugin.to_owned(), look);
    }

    /// Brings back what is live by the ledger and has no file, and takes down which
    /// plugins have no file any more. Tells those that changed.
    fn without_file(
        &self,
        files: &BTreeMap<String, PathBuf>,
        odd: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> BTreeSet<String> {
        let has_none = |plugin: &String| !files.contains_key(plugin);
        let live: Vec<String> = {
            let lives = self.lives();
            let live = lives.iter().filter(|(_, life)| life.live.is_some());
            live.map(|(plugin, _)| plugin.clone()).filter(has_none).collect()
        };
        for plugin in live {
            if self.is_bound(&plugin) && self.serves(&plugin).is_none() {
                self.restore_or_log(&plugin);
                let look = Look {
                    found: Found::Unknown,
                    refused: None,
                    stood: None,
                    at: now,
                };
                self.looked(&plugin, look);
            }
        }
        let mut changed: BTreeSet<String> = odd
            .iter()
            .filter(|(plugin, why)| self.oddity(plugin, why, now))
            .map(|(plugin, _)| plugin.clone())
            .collect();
        let has_none = |plugin: &String| has_none(plugin) && !odd.contains_key(plugin);
        let mut looks = self.looks();
        looks.retain(|plugin, _| !has_none(plugin) || self.serves(plugin).is_some());
        for (plugin, look) in looks.iter_mut() {
            if has_none(plugin) && look.found != Found::Gone {
                tracing::warn!(plugin, "a plugin's file is gone, the last good one stays");
                *look = Look {
                    found: Found::Gone,
                    refused: None,
                    stood: None,
                    at: now,
                };
                changed.insert(plugin.clone());
            }
        }
        changed
    }

    /// Takes down that what bears a plugin's name is no file, and tells whether that is news.
    fn oddity(&self, plugin: &str, why: &str, now: Timestamp) -> bool {
        let known = self.looks().get(plugin).and_then(|look| look.why_not(plugin));
        if known.as_deref() == Some(why) {
            return false;
        }
        let look = Look {
            found: Found::Odd,
            refused: Some(Refusal::Component(why.to_owned())),
            stood: None,
            at: now,
        };
        self.looked(plugin, look);
        true
    }

    fn restore_or_log(&self, plugin: &str) {
        if let Err(refusal) = self.restore(plugin) {
            let reason = refusal.reason();
            tracing::error!(plugin, reason, "the one that was live cannot be had back");
        }
    }

    /// Takes down which components have no message left that is pinned to them.
    pub(crate) fn retire(&self) {
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
