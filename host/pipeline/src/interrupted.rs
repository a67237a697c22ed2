//! An attempt that had no end: the host was killed in the midst of it, or its work panicked. It counts as one that failed, so
//! that what ends the host each time is put off further and further and then waits for a person.

use cambist_journal::{JournalError, State, under_way::Left};

use crate::{dispatch::Pipeline, failure::Failure, way, work::Work};

impl Pipeline {
    /// Counts what the last process was at when it ended. A message that is not due any more, because it was recorded and
    /// its mark outlived that, is left as it is.
    ///
    /// # Errors
    ///
    /// The journal cannot be read or written; what is not counted yet is told again.
    pub(crate) async fn count_what_was_left(&self) -> Result<(), JournalError> {
        let under_way = &self.setup.under_way;
        for left in under_way.left() {
            self.interrupted(left, true).await?;
        }
        if let Err(error) = under_way.forget() {
            tracing::warn!(%error, "the marks of the last process stay, and count once more at the next start");
        }
        Ok(())
    }

    /// Counts an attempt that had no end, by the end of the host or of the task alone.
    ///
    /// # Errors
    ///
    /// The journal cannot be read or written.
    pub(crate) async fn interrupted(&self, left: &Left, with_the_host: bool) -> Result<(), JournalError> {
        let Some(claim) = self.setup.journal.message(&left.id).await? else {
            return Ok(());
        };
        if !matches!(claim.status.state, State::Due { .. }) {
            return Ok(());
        }
        let work = Work::resume(claim);
        let failure = match with_the_host {
            true => Failure::Ended {
                at_work: left.acting.then(|| self.at_work(&work)).flatten(),
            },
            false => Failure::Panicked,
        };
        way::stop(self, &work, &failure).await.map(drop)
    }

    /// How long the message's target may still be at an action.
    fn at_work(&self, work: &Work) -> Option<std::time::Duration> {
        let target = self.setup.systems.target(&work.route.as_ref()?.target)?;
        Some(target.at_work())
    }
}
