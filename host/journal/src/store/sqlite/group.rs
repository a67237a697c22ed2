//! How many requests share one sync.
//!
//! ```text
//!   group ──► BEGIN
//!               savepoint  one request    ✓ or rolled back
//!               savepoint  the next       ✓ or rolled back
//!             COMMIT                      one sync for all
//!             answers
//! ```
//!
//! A sync costs the same for one row as for a thousand. A request that fails
//! takes nobody with it; a group that fails tells everybody, and nothing of it
//! is left.

use std::{collections::VecDeque, path::Path, sync::Arc, time::Instant};

use cambist_contract::message::MessageId;
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    accept::{Arriving, accept},
    acts,
    chain::Tip,
    claims::Claims,
    connection,
    damage::Damage,
    erase::{Erasing, erase},
    note::Note,
    record::{Recorded, Recording, record},
    replays,
    row::put_off,
    shadows::{self, Turn},
    trouble::{Trouble, told},
    unlink::{Severing, unlink},
    writer::Answer,
};
use crate::{
    JournalError,
    erasure::{Erased, Linked},
    journal::Accepted,
};

/// About what a message weighs with its entries, in bytes: as the demo's deals do. An erasure
/// closes its group by it.
const ERASED_BYTES: usize = 32 << 10;

/// A request to write.
pub(super) enum Write {
    Accept(Vec<Arriving>, Answer<Vec<Accepted>>),
    Record(Recording, Answer<()>),
    PutOff(MessageId, Timestamp, Answer<()>),
    Act(Vec<acts::Step>, Answer<Vec<u64>>),
    Compare(Vec<Turn>, Answer<()>),
    Note(Note, Answer<()>),
    Erase(Erasing, Answer<Vec<Erased>>),
    Unlink(Box<Severing>, Answer<Vec<Linked>>),
    Replay(replays::Step, Answer<u64>),
}

/// What a request came to; durable once its group is.
enum Outcome {
    Accepted(Vec<Accepted>),
    Recorded(Recorded),
    PutOff,
    /// With the places of the steps.
    Acted(Vec<u64>),
    Compared,
    Noted,
    Erased(Vec<Erased>),
    Severed(Vec<Linked>),
    Replayed(u64),
}

impl Write {
    /// About how many bytes it adds to a group.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Accept(batch, _) => batch.iter().map(Arriving::size).sum(),
            Self::Record(recording, _) => recording.events.iter().map(|event| event.text.len()).sum(),
            Self::PutOff(..) => 0,
            Self::Act(steps, _) => steps.iter().map(|step| step.text.len()).sum(),
            Self::Compare(turns, _) => turns.iter().map(Turn::size).sum(),
            Self::Note(note, _) => note.size(),
            // what it reads and writes again is known when it has been read
            Self::Erase(erasing, _) => erasing.erasure.messages.len() * ERASED_BYTES,
            Self::Unlink(severing, _) => severing.decision.size(),
            Self::Replay(step, _) => step.size(),
        }
    }

    fn refuse(self, error: JournalError) {
        match self {
            Self::Accept(_, answer) => drop(answer.send(Err(error))),
            Self::Act(_, answer) => drop(answer.send(Err(error))),
            Self::Replay(_, answer) => drop(answer.send(Err(error))),
            Self::Record(_, answer)
            | Self::PutOff(_, _, answer)
            | Self::Compare(_, answer)
            | Self::Note(_, answer) => drop(answer.send(Err(error))),
            Self::Erase(_, answer) => drop(answer.send(Err(error))),
            Self::Unlink(_, answer) => drop(answer.send(Err(error))),
        }
    }
}

/// Writes groups, one after the other.
pub(super) struct Scribe {
    path: Arc<Path>,
    connection: Connection,
    claims: Claims,
    tip: Tip,
    damage: Damage,
    /// Whether the disk or the file kept the last group, or a request of it, from being
    /// written.
    is_failing: bool,
}

impl Scribe {
    pub(super) fn new(
        path: Arc<Path>,
        connection: Connection,
        claims: Claims,
        damage: Damage,
    ) -> Result<Self, Trouble> {
        metrics::describe_histogram!(
            "cambist_journal_commit_seconds",
            metrics::Unit::Seconds,
            "How long the journal took to make a group of requests durable"
        );
        metrics::describe_histogram!(
            "cambist_journal_group_size",
            metrics::Unit::Count,
            "How many requests shared one commit of the journal"
        );
        metrics::describe_gauge!(
            "cambist_journal_writable",
            metrics::Unit::Count,
            "1 while what comes is written, 0 while the disk or the file keeps it from being written"
        );
        metrics::gauge!("cambist_journal_writable").set(1.0);
        let tip = Tip::read(&connection)?;
        Ok(Self {
            path,
            connection,
            claims,
            tip,
            damage,
            is_failing: false,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn tip(&self) -> Tip {
        self.tip
    }

    /// Carries a group out, makes it durable, and answers.
    pub(super) fn commit(&mut self, group: Vec<Write>) {
        let before = self.tip;
        let mut group = VecDeque::from(group);
        let mut carried = Vec::with_capacity(group.len());
        match self.transact(&mut group, &mut carried) {
            Ok(spoilt) => {
                self.turn(spoilt.as_ref());
                let entries = self.tip.place - before.place;
                tracing::debug!(requests = carried.len(), entries, "committed a group");
                self.answer(carried);
            }
            Err(error) => {
                self.tip = before;
                self.roll_back();
                self.turn(Some(&told(&error, &self.path)));
                for write in carried.into_iter().map(|(write, _)| write).chain(group) {
                    write.refuse(told(&error, &self.path));
                }
            }
        }
    }

    /// Whether what comes can be written. After a failure it writes, so that the answer is
    /// of now; it changes nothing that anybody reads.
    pub(super) fn ready(&mut self) -> Result<(), JournalError> {
        self.damage.none(&self.path)?;
        if !self.is_failing {
            return Ok(());
        }
        // A row that comes and goes in one transaction: its page is written all the same.
        let tried = self.connection.execute_batch(
            "BEGIN IMMEDIATE;
             INSERT INTO cursors (name, text) VALUES ('', '');
             DELETE FROM cursors WHERE name = '';
             COMMIT",
        );
        self.roll_back();
        let tried = tried.map_err(|error| told(&error, &self.path));
        self.turn(tried.as_ref().err());
        tried
    }

    /// Whether nothing of what was erased is in the log any more.
    pub(super) fn forget(&self) -> Result<bool, JournalError> {
        self.damage.none(&self.path)?;
        connection::clear_log(&self.connection).map_err(|error| told(&error, &self.path))
    }

    /// Ends a transaction that failed. After some errors, a full disk among them, SQLite has
    /// done it itself.
    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.run("ROLLBACK")
        {
            tracing::error!(%error, "the journal cannot roll back");
        }
    }

    /// Tells people when trouble begins and when it ends.
    fn turn(&mut self, error: Option<&JournalError>) {
        if let Some(error) = error {
            self.damage.note(error);
        }
        let was_failing = std::mem::replace(&mut self.is_failing, error.is_some());
        match error {
            Some(error) if !was_failing => {
                metrics::gauge!("cambist_journal_writable").set(0.0);
                tracing::error!(%error, "the journal cannot be written; nothing is taken in or worked on until it can");
            }
            None if was_failing => {
                metrics::gauge!("cambist_journal_writable").set(1.0);
                tracing::info!("the journal can be written again");
            }
            _ => {}
        }
    }

    /// One transaction. Requests go from `group` to `carried`, in order; one that
    /// fails alone is answered on the way. An error is the whole group's; the answer has the
    /// disk's trouble that a single request met.
    fn transact(
        &mut self,
        group: &mut VecDeque<Write>,
        carried: &mut Vec<(Write, Outcome)>,
    ) -> Result<Option<JournalError>, rusqlite::Error> {
        let mut spoilt = None;
        self.run("BEGIN IMMEDIATE")?;
        while let Some(write) = group.front() {
            let before = self.tip;
            self.run("SAVEPOINT request")?;
            match self.carry_out(write) {
                Ok(outcome) => {
                    self.run("RELEASE request")?;
                    carried.extend(group.pop_front().map(|write| (write, outcome)));
                }
                // SQLite has given up the whole transaction.
                Err(Trouble::Sql(error)) if self.connection.is_autocommit() => return Err(error),
                Err(trouble) => {
                    self.tip = before;
                    self.run("ROLLBACK TO request")?;
                    self.run("RELEASE request")?;
                    if let Trouble::Sql(error) = &trouble
                        && trouble.is_of_the_disk()
                    {
                        spoilt = Some(told(error, &self.path));
                    }
                    if let Some(write) = group.pop_front() {
                        write.refuse(trouble.at(&self.path));
                    }
                }
            }
        }
        let started = Instant::now();
        self.run("COMMIT")?;
        metrics::histogram!("cambist_journal_commit_seconds").record(started.elapsed());
        let size = u32::try_from(carried.len()).unwrap_or(u32::MAX);
        metrics::histogram!("cambist_journal_group_size").record(size);
        Ok(spoilt)
    }

    fn carry_out(&mut self, write: &Write) -> Result<Outcome, Trouble> {
        match write {
            Write::Accept(batch, _) => {
                let is_claimed = |id: &MessageId| self.claims.of(id).is_some();
                accept(&self.connection, &mut self.tip, batch, is_claimed).map(Outcome::Accepted)
            }
            Write::Record(recording, _) => {
                let claim = self.claims.of(&recording.id);
                record(&self.connection, &mut self.tip, recording, claim.as_ref()).map(Outcome::Recorded)
            }
            Write::PutOff(id, until, _) => put_off(&self.connection, id, *until).map(|()| Outcome::PutOff),
            Write::Act(steps, _) => {
                let mut append = |step| acts::append(&self.connection, &mut self.tip, step);
                let places = steps.iter().map(&mut append).collect::<Result<_, _>>()?;
                Ok(Outcome::Acted(places))
            }
            Write::Compare(turns, _) => shadows::count(&self.connection, turns).map(|()| Outcome::Compared),
            Write::Note(note, _) => note.keep(&self.connection).map(|()| Outcome::Noted),
            Write::Erase(erasing, _) => {
                erase(&self.connection, &mut self.tip, erasing, &self.claims).map(Outcome::Erased)
            }
            Write::Unlink(severing, _) => {
                unlink(&self.connection, &mut self.tip, severing).map(Outcome::Severed)
            }
            Write::Replay(step, _) => replays::keep(&self.connection, step).map(Outcome::Replayed),
        }
    }

    /// The group is durable: ends claims, tells who waits for work, and answers.
    fn answer(&self, carried: Vec<(Write, Outcome)>) {
        let mut stirs = false;
        for (write, outcome) in &carried {
            match (write, outcome) {
                (Write::Record(recording, _), Outcome::Recorded(recorded)) => {
                    stirs |= recorded.stirs;
                    if recorded.frees {
                        self.claims.free(&recording.id);
                    }
                }
                (_, Outcome::Accepted(accepted)) => stirs |= accepted.contains(&Accepted::New),
                // one that had not ended may have been in the way of others
                (_, Outcome::Erased(_)) => stirs = true,
                // Time alone makes it due again, so nobody needs to be told.
                (Write::PutOff(id, ..), Outcome::PutOff) => drop(self.claims.free(id)),
                (
                    _,
                    Outcome::Recorded(_)
                    | Outcome::PutOff
                    | Outcome::Acted(_)
                    | Outcome::Compared
                    | Outcome::Noted
                    | Outcome::Severed(_)
                    | Outcome::Replayed(_),
                ) => {}
            }
        }
        if stirs {
            self.claims.stir();
        }
        for (write, outcome) in carried {
            match (write, outcome) {
                (Write::Accept(_, answer), Outcome::Accepted(accepted)) => drop(answer.send(Ok(accepted))),
                (Write::Act(_, answer), Outcome::Acted(places)) => drop(answer.send(Ok(places))),
                (Write::Replay(_, answer), Outcome::Replayed(number)) => drop(answer.send(Ok(number))),
                (
                    Write::Record(_, answer)
                    | Write::PutOff(_, _, answer)
                    | Write::Compare(_, answer)
                    | Write::Note(_, answer),
                    _,
                ) => drop(answer.send(Ok(()))),
                (Write::Erase(_, answer), Outcome::Erased(erased)) => drop(answer.send(Ok(erased))),
                (Write::Unlink(_, answer), Outcome::Severed(gone)) => drop(answer.send(Ok(gone))),
                // `carry_out` pairs them.
                (
                    Write::Accept(..)
                    | Write::Act(..)
                    | Write::Erase(..)
                    | Write::Unlink(..)
                    | Write::Replay(..),
                    _,
                ) => {}
            }
        }
    }

    fn run(&self, statement: &'static str) -> Result<(), rusqlite::Error> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::message::{Message, MessageId};
    use jiff::Timestamp;
    use tokio::sync::oneshot;

    use super::*;
    use crate::{
        Event,
        store::sqlite::{chain::Prepared, verify::verify},
    };

    fn message(n: usize, body: usize) -> Message {
        Message {
            id: MessageId::of("crm", &n.to_string()),
            system: "crm".into(),
            event: "deal.changed".into(),
            object_kind: "deal".into(),
            object_id: n.to_string(),
            dedupe: n.to_string(),
            key: n.to_string(),
            occurred_at: Timestamp::UNIX_EPOCH,
            received_at: Timestamp::UNIX_EPOCH,
            headers: Default::default(),
            body: "x".repeat(body),
        }
    }

    type Answered<T> = oneshot::Receiver<Result<T, JournalError>>;

    fn accept(n: usize, body: usize) -> (Write, Answered<Vec<Accepted>>) {
        let (answer, answered) = oneshot::channel();
        (
            Write::Accept(vec![Arriving::new(message(n, body), [7; 32]).unwrap()], answer),
            answered,
        )
    }

    fn done(n: usize) -> (Write, Answered<()>) {
        let (answer, answered) = oneshot::channel();
        let recording = Recording {
            id: message(n, 0).id,
            at: Timestamp::UNIX_EPOCH,
            events: vec![Prepared::new(Event::Done).unwrap()],
        };
        (Write::Record(recording, answer), answered)
    }

    fn scribe(dir: &tempfile::TempDir) -> Scribe {
        let path: Arc<Path> = dir.path().join("journal.db").into();
        let connection = connection::writer(&path).unwrap();
        Scribe::new(path, connection, Claims::new(), Damage::default()).unwrap()
    }

    #[test]
    fn one_bad_request_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut scribe = scribe(&dir);
        let (first, mut first_answer) = accept(1, 9);
        let (unknown, mut unknown_answer) = done(7);
        let (finish, mut finish_answer) = done(1);
        let (twice, mut twice_answer) = done(1);
        let (last, mut last_answer) = accept(2, 9);
        scribe.commit(vec![first, unknown, finish, twice, last]);

        assert!(matches!(first_answer.try_recv().unwrap(), Ok(accepted) if accepted == [Accepted::New]));
        assert!(matches!(
            unknown_answer.try_recv().unwrap(),
            Err(JournalError::Unknown(_))
        ));
        assert!(finish_answer.try_recv().unwrap().is_ok());
        assert!(matches!(
            twice_answer.try_recv().unwrap(),
            Err(JournalError::OutOfTurn { .. })
        ));
        assert!(last_answer.try_recv().unwrap().is_ok());
        let verified = verify(&scribe.connection).unwrap();
        assert_eq!((verified.entries, verified.head), (3, scribe.tip.digest));
    }

    #[test]
    fn a_full_disk_is_told_and_what_was_there_stays_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut scribe = scribe(&dir);
        let (small, mut small_answer) = accept(1, 9);
        scribe.commit(vec![small]);
        assert!(small_answer.try_recv().unwrap().is_ok());
        let before = verify(&scribe.connection).unwrap();

        let pages: i64 = scribe
            .connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        scribe
            .connection
            .pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()))
            .unwrap();
        let (finish, mut finish_answer) = done(1);
        let (large, mut large_answer) = accept(2, 1 << 20);
        scribe.commit(vec![finish, large]);
        assert!(matches!(
            large_answer.try_recv().unwrap(),
            Err(JournalError::Full { .. })
        ));
        // The whole group or the large one alone: SQLite decides. Nobody is left without an answer.
        let finished = finish_answer.try_recv().unwrap();
        assert!(matches!(finished, Ok(()) | Err(JournalError::Full { .. })));
        let after = verify(&scribe.connection).unwrap();
        assert_eq!(after.entries, before.entries + u64::from(finished.is_ok()));
        assert_eq!(after.head, scribe.tip.digest);

        scribe
            .connection
            .pragma_update_and_check(None, "max_page_count", 1 << 20, |_| Ok(()))
            .unwrap();
        let (large, mut large_answer) = accept(2, 1 << 20);
        scribe.commit(vec![large]);
        assert!(matches!(large_answer.try_recv().unwrap(), Ok(accepted) if accepted == [Accepted::New]));
        verify(&scribe.connection).unwrap();
    }
}
