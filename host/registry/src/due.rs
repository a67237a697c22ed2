//! The checks of files that a look has found: made on threads that block, while the folder is
//! looked at further.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    thread,
};

use cambist_contract::digest::Digest;
use jiff::Timestamp;

use crate::{
    Registry,
    examine::Refusal,
    folder,
    queue::Due,
    seen::{Found, Look},
};

impl Registry {
    /// Has a file be checked, and tells so until it is.
    pub(crate) fn enqueue(&self, plugin: &str, path: &Path, component: Digest, size: usize, now: Timestamp) {
        tracing::info!(
            plugin,
            component = component.short(),
            "a plugin's file is to be checked"
        );
        let look = Look {
            found: Found::Due(component),
            refused: None,
            stood: None,
            at: now,
        };
        self.looks().insert(plugin.to_owned(), look);
        self.queue.put(Due {
            plugin: plugin.to_owned(),
            path: path.to_owned(),
            component,
            size,
            kills: self.kills(plugin),
        });
    }

    /// Makes all checks that are due, side by side, and waits for those that others make of these
    /// plugins.
    pub(crate) fn check_all(&self, plugins: &BTreeSet<String>, now: Timestamp) {
        thread::scope(|scope| {
            for _ in 1..self.queue.hands() {
                let thread = thread::Builder::new().name("check".to_owned());
                // one that cannot be had is done without
                if let Err(error) = thread.spawn_scoped(scope, || self.check_due(&|| now)) {
                    tracing::warn!(%error, "fewer plugins are checked at once");
                }
            }
            self.check_due(&|| now);
        });
        self.queue.wait(plugins);
    }

    /// Makes checks as long as some are due and not enough are being made. Blocks while it compiles
    /// and runs cases.
    pub(crate) fn check_due(&self, now: &dyn Fn() -> Timestamp) {
        let mut has_checked = false;
        while let Some(due) = self.queue.next() {
            let checked = catch_unwind(AssertUnwindSafe(|| self.check(&due, now)));
            if checked.is_err() {
                let text = "its check ended early; the host's log has the reason".to_owned();
                self.checked(&due, Some(Refusal::Host(text)), now());
            }
            self.queue.end(&due.plugin);
            has_checked = true;
        }
        if has_checked {
            self.retire();
        }
    }

    fn check(&self, due: &Due, now: &dyn Fn() -> Timestamp) {
        match folder::read(&due.path) {
            Ok(bytes) if Digest::of(&bytes) == due.component => {
                let outcome = self.take_in(&due.plugin, &bytes, due.kills).err();
                self.checked(due, outcome, now());
            }
            // another stands there by now, or none: that is for the next look
            _ => {
                let mut looks = self.looks();
                if looks
                    .get(&due.plugin)
                    .is_some_and(|look| look.found == Found::Due(due.component))
                {
                    looks.remove(&due.plugin);
                }
            }
        }
    }

    /// Takes down what the check of a file came to, unless something else was found there since.
    fn checked(&self, due: &Due, refused: Option<Refusal>, at: Timestamp) {
        let look = Look::of(due.component, refused, at);
        look.tell(&due.plugin, self.serves(&due.plugin).is_some());
        let mut looks = self.looks();
        if let Some(known) = looks.get_mut(&due.plugin)
            && known.found == Found::Due(due.component)
        {
            let stood = known.stood.filter(|_| look.seen().is_some());
            *known = Look { stood, ..look };
        }
    }
}
