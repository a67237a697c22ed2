//! What a look at a plugin's file came to, and whether the file has to be looked at again.

use cambist_contract::digest::Digest;
use jiff::{SignedDuration, Timestamp};

use crate::{examine::Refusal, folder::Stamp, metrics};

/// How long a file must have had the same stamp, read at both ends, before it is not read
/// again: longer than the two seconds that the coarsest file systems count time by. So that a
/// look at a thousand plugins reads none of them.
const SETTLED: SignedDuration = SignedDuration::from_secs(5);

/// How long the beginning of a file must have had the same stamp before it is refused as what it
/// is: longer than a copy over a slow line pauses. Its owner is told at once that it is waited for.
pub(crate) const RESTS: SignedDuration = SignedDuration::from_secs(2);

/// What the last look at a plugin's file came to.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) found: Found,
    /// Why it is not live, nor waits.
    pub(crate) refused: Option<Refusal>,
    /// How its file stood when it was looked at; none when what was seen is not from there.
    pub(crate) stood: Option<Stood>,
    pub(crate) at: Timestamp,
}

/// What stood in the folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// This component.
    Component(Digest),
    /// This component, which is to be checked.
    Due(Digest),
    /// A file that is being written.
    Beginning,
    /// A file that is too large to be read.
    TooLarge,
    /// What bears its name and is no file.
    Odd,
    /// Nothing is known of it, and the next look tries again.
    Unknown,
    /// No file, where there was one before.
    Gone,
}

/// A file that was read, as the system told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stood {
    pub(crate) stamp: Stamp,
    /// When it was first read with this stamp, and when it was read last.
    pub(crate) since: Timestamp,
    pub(crate) read: Timestamp,
}

impl Look {
    /// What the check of a component came to: of one that the host could not find out about,
    /// nothing is known.
    pub(crate) fn of(component: Digest, refused: Option<Refusal>, at: Timestamp) -> Self {
        let found = match refused {
            Some(Refusal::Host(_)) => Found::Unknown,
            _ => Found::Component(component),
        };
        Self {
            found,
            refused,
            stood: None,
            at,
        }
    }

    /// The component that stood there; none when the file is gone, or has to be looked at again.
    pub(crate) fn seen(&self) -> Option<Digest> {
        match self.found {
            Found::Component(component) => Some(component),
            Found::Due(_)
            | Found::Beginning
            | Found::TooLarge
            | Found::Odd
            | Found::Unknown
            | Found::Gone => None,
        }
    }

    /// The same, or the one that is to be checked.
    pub(crate) fn stands(&self) -> Option<Digest> {
        match self.found {
            Found::Due(component) => Some(component),
            _ => self.seen(),
        }
    }

    /// Tells the log, and counts, that it was refused, if it was. Whether another component of its plugin
    /// `serves` is told with it.
    pub(crate) fn tell(&self, plugin: &str, serves: bool) {
        let Some(reason) = self.why_not(plugin) else {
            return;
        };
        let component = self.seen().map(|digest| digest.short());
        let what = match serves {
            true => "plugin refused, the last good one stays",
            false => "plugin refused, and nothing of it serves",
        };
        tracing::error!(plugin, component, reason, "{what}");
        metrics::refused(plugin);
    }

    /// Whether there is nothing new in a file with this stamp.
    pub(crate) fn is_of(&self, stamp: Stamp, now: Timestamp) -> bool {
        let Some(stood) = self.stood.filter(|stood| stood.stamp == stamp) else {
            return false;
        };
        match self.found {
            Found::Component(_) => stood.read.duration_since(stood.since) >= SETTLED,
            Found::Beginning => !self.rests(stamp, now),
            // what is to be checked is read anew for that
            Found::Due(_) | Found::TooLarge => true,
            Found::Odd | Found::Unknown | Found::Gone => false,
        }
    }

    /// Whether a file with this stamp has had it for so long that nobody writes any more.
    pub(crate) fn rests(&self, stamp: Stamp, now: Timestamp) -> bool {
        self.stood
            .is_some_and(|stood| stood.stamp == stamp && now.duration_since(stood.since) >= RESTS)
    }

    /// Why what stands in the folder does not serve.
    pub(crate) fn why_not(&self, plugin: &str) -> Option<String> {
        if self.found == Found::Gone {
            return Some(format!(
                "{plugin}.wasm is not in the plugin folder any more; the last good one stays live"
            ));
        }
        self.refused.clone().map(Refusal::reason)
    }
}

/// What is told of a file that is not all there, and may be empty.
pub(crate) fn being_written(is_empty: bool) -> String {
    let state = if is_empty {
        "is empty so far"
    } else {
        "is being written"
    };
    format!(
        "its file {state}: it is looked at when it is all there, and refused when it stays as it is for {} s; \
         rename a whole file into the folder instead",
        RESTS.as_secs()
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::folder;

    #[test]
    fn a_file_counts_as_read_when_it_was_read_at_both_ends_of_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&one, "one").unwrap();
        std::fs::write(&other, "two").unwrap();
        let stamp = folder::stamp(&one).unwrap();
        let since = Timestamp::UNIX_EPOCH;
        let looked = |found: Found, read: SignedDuration| Look {
            found,
            refused: None,
            stood: Some(Stood {
                stamp,
                since,
                read: since + read,
            }),
            at: since,
        };
        let component = Found::Component(Digest::of(b"one"));
        let short = SETTLED - SignedDuration::from_millis(1);
        let now = since + SETTLED;
        assert!(!looked(component, short).is_of(stamp, now));
        assert!(looked(component, SETTLED).is_of(stamp, now));
        assert!(!looked(component, SETTLED).is_of(folder::stamp(&other).unwrap(), now));
        // what is not all there is left alone for a while, and then looked at for good
        let beginning = looked(Found::Beginning, SignedDuration::ZERO);
        assert!(beginning.is_of(stamp, since));
        assert!(!beginning.rests(stamp, since));
        assert!(!beginning.is_of(stamp, since + RESTS));
        assert!(beginning.rests(stamp, since + RESTS));
    }
}
