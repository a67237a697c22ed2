//! Which messages are being worked on, for whoever starts after this process was killed.
//!
//! A claim ends with its process, so a message that kills its host each time (a plugin that takes all memory, a reply that
//! no parser should have taken) would be begun again for ever. Here stands, in a small file beside the journal, what is under
//! way: what is left in it at a start was cut short, and counts as an attempt.
//!
//! It is not the journal: nothing is synced. A killed process leaves behind all that it has written, and that is what this
//! is for; after a power cut a mark may be missing or be an old one, so that an attempt is not counted, or one too many is.
//! Hence it costs a write of some bytes into the system's memory, where an entry would cost a sync.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use cambist_contract::message::MessageId;

/// Bytes of a mark: a line that people can read. An id has 20 digits; one that does not fit is not marked.
const LINE: usize = 32;

/// Bytes that are read at a start: a thousand times as many marks as messages are worked on at once.
const MOST: u64 = 1 << 20;

/// Between an id and its end of line where an action was asked for, which must not be asked for twice.
const ACTING: &str = " acting";

/// What was under way when the last process ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Left {
    /// The message.
    pub id: MessageId,
    /// Whether it had asked its target for an action and no answer had come: the target may still be at it.
    pub acting: bool,
}

/// The marks of what is under way. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct UnderWay(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    file: File,
    left: Vec<Left>,
    lines: Mutex<Lines>,
}

/// Which lines of the file may be used.
#[derive(Debug, Default)]
struct Lines {
    free: BTreeSet<u64>,
    next: u64,
}

impl UnderWay {
    /// Opens the file, or makes it, and keeps what stands in it as [`left`](Self::left). Without a file, as
    /// [`default`](Self::default) is, no mark is kept.
    ///
    /// # Errors
    ///
    /// The file cannot be used.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let mut file = options.open(path)?;
        let mut text = Vec::new();
        file.by_ref().take(MOST).read_to_end(&mut text)?;
        let shared = Shared {
            file,
            left: String::from_utf8_lossy(&text)
                .lines()
                .filter_map(Left::of)
                .collect(),
            lines: Mutex::new(Lines {
                free: BTreeSet::new(),
                // behind what stands there
                next: u64::try_from(text.len().div_ceil(LINE)).unwrap_or(u64::MAX),
            }),
        };
        Ok(Self(Some(Arc::new(shared))))
    }

    /// What was under way when the last process ended. It stands in the file until [`forget`](Self::forget), so that what
    /// was not counted is told again.
    pub fn left(&self) -> &[Left] {
        self.0.as_ref().map_or(&[], |shared| &shared.left)
    }

    /// Takes away all marks: those of the last process are counted. Nothing may be under way.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn forget(&self) -> io::Result<()> {
        let Some(shared) = &self.0 else { return Ok(()) };
        shared.file.set_len(0)?;
        *shared.lines.lock().unwrap_or_else(PoisonError::into_inner) = Lines::default();
        Ok(())
    }

    /// Marks a message until the answer is dropped. A mark that cannot be written, on a full disk, is none: the worst is
    /// an attempt that is not counted.
    pub fn begin(&self, id: &MessageId) -> Mark {
        let line = self.0.as_ref().map_or(0, |shared| shared.line());
        let mark = Mark {
            shared: self.0.clone(),
            line,
            id: id.clone(),
        };
        mark.write(id.as_str());
        mark
    }
}

impl Shared {
    fn line(&self) -> u64 {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.free.pop_first().unwrap_or_else(|| {
            let next = lines.next;
            lines.next = next.saturating_add(1);
            next
        })
    }
}

impl Left {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim_matches([' ', '\0']);
        let (id, acting) = match line.strip_suffix(ACTING) {
            Some(id) => (id, true),
            None => (line, false),
        };
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_id.then(|| Self {
            id: MessageId::from_text(id),
            acting,
        })
    }
}

/// A message that is under way. It ends when this is dropped.
#[derive(Debug)]
pub struct Mark {
    shared: Option<Arc<Shared>>,
    line: u64,
    id: MessageId,
}

impl Mark {
    /// Marks that an action is asked for now, or that its answer has come.
    pub fn acts(&self, acting: bool) {
        match acting {
            true => self.write(&format!("{}{ACTING}", self.id)),
            false => self.write(self.id.as_str()),
        }
    }

    fn write(&self, text: &str) {
        let Some(shared) = &self.shared else { return };
        if text.len() < LINE {
            let line = format!("{text:width$}\n", width = LINE - 1);
            let _ = shared
                .file
                .write_all_at(line.as_bytes(), self.line.saturating_mul(LINE as u64));
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.write("");
        if let Some(shared) = &self.shared {
            let mut lines = shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.free.insert(self.line);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn id(number: &str) -> MessageId {
        MessageId::of("crm", number)
    }

    fn left(id: MessageId, acting: bool) -> Left {
        Left { id, acting }
    }

    #[test]
    fn what_was_under_way_is_told_at_the_next_start_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("under-way");
        let first = UnderWay::open(&path).unwrap();
        assert_eq!(first.left(), []);
        let (one, two, three) = (
            first.begin(&id("1")),
            first.begin(&id("2")),
            first.begin(&id("3")),
        );
        drop(two);
        three.acts(true);
        one.acts(true);
        one.acts(false);
        // a killed process drops nothing
        std::mem::forget((one, three));

        for _ in 0..2 {
            let second = UnderWay::open(&path).unwrap();
            assert_eq!(second.left(), [left(id("1"), false), left(id("3"), true)]);
            drop(second.begin(&id("4")));
        }
        UnderWay::open(&path).unwrap().forget().unwrap();
        assert_eq!(UnderWay::open(&path).unwrap().left(), []);
    }

    #[test]
    fn lines_are_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("under-way");
        let marks = UnderWay::open(&path).unwrap();
        for round in 0..100 {
            drop(marks.begin(&id(&round.to_string())));
        }
        assert_eq!(std::fs::metadata(&path).unwrap().len(), LINE as u64);
    }

    #[test]
    fn what_is_no_mark_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("under-way");
        std::fs::write(&path, b"\0\0\0\0\n../../etc\n\xff\xfe\nabc acting\n").unwrap();
        let marks = UnderWay::open(&path).unwrap();
        assert_eq!(marks.left(), [left(MessageId::from_text("abc"), true)]);
    }

    #[test]
    fn without_a_file_nothing_is_kept() {
        let mark = UnderWay::default().begin(&id("1"));
        mark.acts(true);
    }
}
