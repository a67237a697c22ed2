//! Watches the plugin folder. Events only say that it is worth a look: what is
//! there is read anew, so that a lost or doubled event does no harm.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};

use crate::{Registry, seen::RESTS};

/// How long the folder must be quiet before it is looked at: a copy of some
/// megabytes takes less, and a plugin is live well within a second.
const QUIET: Duration = Duration::from_millis(150);

/// How long it is waited for quiet, at most: whoever writes to the folder without
/// end does not keep other plugins from becoming live within a second.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the folder is looked at without an event: network file systems send
/// none.
const LOOK: Duration = Duration::from_secs(10);

/// The same where files are links: of what those lead to come no events either.
const LINKS: Duration = Duration::from_secs(1);

/// How soon a file that is not all there is looked at again, without an event.
const AGAIN: Duration = Duration::from_secs(RESTS.as_secs().unsigned_abs());

/// What is known of a folder that is to be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Calm {
    /// Nothing has changed for a while.
    Quiet,
    /// Something may be changing just now.
    Restless,
}

/// The changes of a folder, put together while it is not quiet.
pub struct Changes {
    changes: mpsc::Receiver<()>,
    /// Ends with it.
    _watcher: RecommendedWatcher,
}

impl Changes {
    /// Watches a folder from now on.
    ///
    /// # Errors
    ///
    /// The system does not let it be watched.
    pub fn of(folder: &Path) -> notify::Result<Self> {
        let (changed, changes) = mpsc::channel::<()>(1);
        let mut watcher = notify::recommended_watcher(move |event| {
            if is_change(&event) {
                // a full channel means that a look is due already
                let _ = changed.try_send(());
            }
        })?;
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(Self {
            changes,
            _watcher: watcher,
        })
    }

    /// Waits until a look is due: the folder has changed and is quiet, or nobody has looked
    /// for a while. False when `stop` is told or dropped first.
    pub async fn next(&mut self, stop: &mut tokio::sync::watch::Receiver<bool>) -> bool {
        self.next_within(LOOK, stop).await.is_some()
    }

    /// The same, for so long at most, and how calm the folder is; none for a stop.
    async fn next_within(
        &mut self,
        most: Duration,
        stop: &mut tokio::sync::watch::Receiver<bool>,
    ) -> Option<Calm> {
        tokio::select! {
            () = tokio::time::sleep(most) => Some(Calm::Restless),
            Some(()) = self.changes.recv() => {
                tokio::select! {
                    quiet = tokio::time::timeout(PATIENCE, quiet(&mut self.changes)) => match quiet {
                        Ok(()) => Some(Calm::Quiet),
                        Err(_) => Some(Calm::Restless),
                    },
                    _ = stop.changed() => None,
                }
            }
            _ = stop.changed() => None,
        }
    }
}

/// Looks at the folder at once and whenever it changes, until `stop` is told or dropped.
///
/// `now` tells the time for the statuses.
///
/// # Errors
///
/// The system does not let the folder be watched.
pub async fn watch(
    registry: Arc<Registry>,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> notify::Result<()> {
    let mut changes = Changes::of(registry.plugins())?;
    let now = Arc::new(now);
    let mut checks = JoinSet::new();
    let mut calm = Calm::Quiet;
    loop {
        let earlier = match calm {
            Calm::Quiet => BTreeMap::new(),
            Calm::Restless => blocking(&registry, &now, Registry::new_files)
                .await
                .unwrap_or_default(),
        };
        if !earlier.is_empty() {
            tokio::time::sleep(QUIET).await;
        }
        let look = move |registry: &Registry, now| {
            registry.look(now, &earlier);
            registry.settle();
        };
        if let Err(error) = blocking(&registry, &now, look).await {
            tracing::error!(%error, "a look at the plugin folder ended early");
        }
        // not waited for: while one file is checked others come
        for _ in 0..registry.queue.hands() {
            let (registry, now) = (Arc::clone(&registry), Arc::clone(&now));
            checks.spawn_blocking(move || registry.check_due(&*now));
        }
        while checks.try_join_next().is_some() {}
        let most = match registry.waits() {
            true => AGAIN,
            false if registry.has_links() => LINKS,
            false => LOOK,
        };
        match changes.next_within(most, &mut stop).await {
            Some(known) => calm = known,
            None => {
                registry.queue.clear();
                while checks.join_next().await.is_some() {}
                return Ok(());
            }
        }
    }
}

/// Asks the registry on a thread that may block, as compiling does; a panic in there must not
/// end the watch.
fn blocking<T: Send + 'static>(
    registry: &Arc<Registry>,
    now: &Arc<impl Fn() -> Timestamp + Send + Sync + 'static>,
    asks: impl FnOnce(&Registry, Timestamp) -> T + Send + 'static,
) -> JoinHandle<T> {
    let (registry, now) = (Arc::clone(registry), Arc::clone(now));
    tokio::task::spawn_blocking(move || asks(&registry, now()))
}

/// Whether an event is worth a look. Opening and reading a file is none: the look
/// itself does both, and would wake itself for ever.
fn is_change(event: &notify::Result<Event>) -> bool {
    match event {
        Ok(event) => {
            !event.kind.is_access() || event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write))
        }
        // events were lost
        Err(_) => true,
    }
}

/// Ends when nothing has changed for a while.
async fn quiet(changes: &mut mpsc::Receiver<()>) {
    while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {}
}
