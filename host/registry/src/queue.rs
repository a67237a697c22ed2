//! The checks that are due: whose files wait for theirs, and whose are being checked. A bounded
//! number side by side, and never two of one plugin, so that its files are taken in in their order.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::available_parallelism,
};

use cambist_contract::digest::Digest;

/// Checks at once, at most: compiling a large component takes some hundred megabytes.
const MOST: usize = 4;

/// Checks at once, at least: one that takes long holds up no other. A processor that is asked for
/// more is shared; who compiles takes no more of them for it, because the compiler's own threads
/// are as many as there are processors, whoever asks.
const LEAST: usize = 2;

/// A file that is to be checked.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) plugin: String,
    pub(crate) path: PathBuf,
    pub(crate) component: Digest,
    pub(crate) size: usize,
    /// How often a live component of the plugin was taken out by then.
    pub(crate) kills: u64,
}

/// Files that are to be checked, the smallest first, because the time that takes goes by size.
pub(crate) struct Queue {
    most: usize,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Due>,
    checking: BTreeMap<String, Digest>,
}

impl Default for Queue {
    /// Half of the processors, within bounds: the others are for messages.
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self::of((processors / 2).clamp(LEAST, MOST))
    }
}

impl Queue {
    fn of(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Puts a file in, in the place of another that waits for the same plugin.
    pub(crate) fn put(&self, due: Due) {
        let mut state = self.lock();
        state.waiting.retain(|other| other.plugin != due.plugin);
        let place = state.waiting.partition_point(|other| other.size <= due.size);
        state.waiting.insert(place, due);
    }

    /// The next one to be checked, which is then [ended](Self::end); none when none is due, or
    /// enough are being checked: whoever ends one asks again.
    pub(crate) fn next(&self) -> Option<Due> {
        let mut state = self.lock();
        if state.checking.len() >= self.most {
            return None;
        }
        let is_free = |due: &Due| !state.checking.contains_key(&due.plugin);
        let place = state.waiting.iter().position(is_free)?;
        let due = state.waiting.remove(place);
        state.checking.insert(due.plugin.clone(), due.component);
        Some(due)
    }

    /// The check of a plugin's file has ended, whatever it came to.
    pub(crate) fn end(&self, plugin: &str) {
        self.lock().checking.remove(plugin);
        self.ended.notify_all();
    }

    /// How many may work on it at once, for what waits.
    pub(crate) fn hands(&self) -> usize {
        self.lock().waiting.len().min(self.most)
    }

    /// Forgets what waits: the host stops.
    pub(crate) fn clear(&self) {
        self.lock().waiting.clear();
        self.ended.notify_all();
    }

    /// Waits until nothing of these plugins is due or being checked.
    pub(crate) fn wait(&self, plugins: &BTreeSet<String>) {
        let mut state = self.lock();
        while state.checking.keys().any(|plugin| plugins.contains(plugin))
            || state.waiting.iter().any(|due| plugins.contains(&due.plugin))
        {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How far the check of a component has come, in words.
    pub(crate) fn told(&self, plugin: &str, component: &Digest) -> String {
        let state = self.lock();
        let short = component.short();
        let is_it = |due: &Due| due.plugin == plugin && due.component == *component;
        match state.waiting.iter().position(is_it) {
            Some(place) => format!(
                "component {short} waits for its check, {} before it",
                place + state.checking.len()
            ),
            None => format!("component {short} is being checked"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn due(plugin: &str, says: &str, size: usize) -> Due {
        Due {
            plugin: plugin.to_owned(),
            path: PathBuf::new(),
            component: Digest::of(says.as_bytes()),
            size,
            kills: 0,
        }
    }

    #[test]
    fn so_many_are_checked_at_once_the_smallest_first_and_the_others_know_their_place() {
        let queue = Queue::of(2);
        for (plugin, size) in [("large", 30), ("a", 10), ("b", 10), ("c", 20)] {
            queue.put(due(plugin, plugin, size));
        }
        assert_eq!(queue.hands(), 2);
        let next = || queue.next().map(|due| due.plugin);
        assert_eq!(
            [next(), next(), next()],
            [Some("a".into()), Some("b".into()), None]
        );
        let told = |plugin: &str| queue.told(plugin, &Digest::of(plugin.as_bytes()));
        for (plugin, words) in [
            ("a", "is being checked"),
            ("c", "waits for its check, 2 before it"),
            ("large", "waits for its check, 3 before it"),
        ] {
            assert!(told(plugin).ends_with(words), "{}", told(plugin));
        }
        queue.end("b");
        assert_eq!([next(), next()], [Some("c".into()), None]);
        assert!(told("large").ends_with("2 before it"), "{}", told("large"));
    }

    #[test]
    fn files_of_one_plugin_are_checked_one_after_another_and_only_the_last_that_waits() {
        let queue = Queue::of(2);
        queue.put(due("map", "one", 1));
        let one = queue.next().unwrap();
        queue.put(due("map", "two", 1));
        queue.put(due("map", "three", 1));
        assert!(queue.next().is_none());
        queue.end(&one.plugin);
        assert_eq!(queue.next().unwrap().component, Digest::of(b"three"));
        assert!(queue.next().is_none());
        queue.end("map");
        // which is over at once
        queue.wait(&["map".to_owned()].into());
    }
}
