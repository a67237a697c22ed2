//! How the host stands: what is left to do and how long that takes, which systems are asked, what waits for a person, whether the
//! journal can be written.
//!
//! Everything is read from counts and states that are kept anyway; only why messages rest is read from them.

use cambist_journal::{JournalError, journal};

use crate::{
    Admin,
    answer::{BacklogStanding, JournalStanding, Left, ParkedCount, Standing},
    health::JOURNAL_TIME,
    progress::Pace,
};

/// How the host stands now.
///
/// # Errors
///
/// The journal cannot be read.
pub(crate) async fn of(admin: &Admin) -> Result<Standing, JournalError> {
    let now = (admin.clock)();
    let mut all = Pace::default();
    let mut backlogs = Vec::new();
    for standing in admin.journal.standing().await? {
        let pace = admin.progress.of(&standing, now);
        all = all.and(pace);
        // what was never routed and has ended is nobody's backlog
        if standing.backlog.flow.is_some() || pace.due + pace.resting > 0 {
            backlogs.push(backlog(standing.backlog, pace));
        }
    }
    let parked = admin.journal.causes().await?.into_iter();
    let writable = tokio::time::timeout(JOURNAL_TIME, admin.journal.ready()).await;
    let trouble = match writable {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("it does not answer in time".to_owned()),
    };
    Ok(Standing {
        at: now,
        left: left(all),
        backlogs,
        systems: (admin.systems)(),
        parked: parked
            .map(|cause| ParkedCount {
                code: cause.code,
                stage: cause.stage,
                messages: cause.messages,
            })
            .collect(),
        journal: JournalStanding {
            oldest_due: admin.journal.counts().await?.oldest_due,
            trouble,
        },
    })
}

fn backlog(backlog: journal::Backlog, pace: Pace) -> BacklogStanding {
    let (region, system) = match backlog.flow {
        Some(_) => (Some(backlog.of), None),
        None => (None, Some(backlog.of)),
    };
    BacklogStanding {
        flow: backlog.flow,
        region,
        system,
        left: left(pace),
    }
}

fn left(pace: Pace) -> Left {
    Left {
        due: pace.due,
        resting: pace.resting,
        ended: pace.ended,
        ended_per_minute: pace.per_minute,
        seconds_left: pace.seconds_left(),
    }
}
