//! A replay for real: messages are due again one by one, the oldest first, and only so many of
//! them at a time.
//!
//! Those that come next are kept with the order before the first of them is sent, and what became
//! of the sending after the last. Each is resumed by an entry of its own that names the order. So
//! after a crash the same messages are gone through again, whatever state they are in by now, and
//! what has such an entry is counted and left alone: no message goes twice by one order, and none
//! is missing from what is told of it.

use cambist_contract::{delivery::Effect, message::UNKNOWN_KIND};
use cambist_journal::{
    Entry, Event, JournalError, State,
    journal::{Claim, Filter},
    replay::{Order, Progress, Replay, Revisions},
};

use super::{Next, Replayer, dry::named_pins};
use crate::{failure::Failure, work::Work};

/// Messages of an order that are on their way at one moment. Enough to keep a system busy that
/// takes some at once; few enough that what arrives meanwhile hardly waits for them.
const AT_ONCE: usize = 32;

/// Sends as many messages their way again as there is room for.
pub(super) async fn page(replayer: &Replayer, replay: &mut Replay) -> Result<Next, JournalError> {
    let before = replay.progress.clone();
    settle(replayer, replay).await?;
    // else a host that was killed had chosen
    if replay.progress.chosen.is_empty() {
        choose(replayer, replay).await?;
    }
    if replay.progress != before {
        keep(replayer, replay).await?;
    }
    if replay.progress.chosen.is_empty() {
        return Ok(Next::Rest);
    }
    for id in std::mem::take(&mut replay.progress.chosen) {
        let Some(claim) = replayer.pipeline.setup.journal.message(&id).await? else {
            continue;
        };
        match send(replayer, replay.number, &replay.order, &claim).await? {
            None => {
                replay.progress.messages += 1;
                replay.progress.under_way.push(id);
            }
            Some(why) => *replay.progress.skipped.entry(why.to_owned()).or_default() += 1,
        }
    }
    keep(replayer, replay).await?;
    Ok(Next::Page)
}

/// Chooses the messages that there is room for. Where there is room and none is left, and none is
/// under way, the order is through.
async fn choose(replayer: &Replayer, replay: &mut Replay) -> Result<(), JournalError> {
    let room = AT_ONCE.saturating_sub(replay.progress.under_way.len());
    if room == 0 {
        return Ok(());
    }
    let found = replayer.next(replay, room).await?;
    let progress = &mut replay.progress;
    match found.last() {
        Some(last) => progress.reached = last.arrival,
        None if progress.under_way.is_empty() => progress.ended_at = Some(replayer.now()),
        None => {}
    }
    progress.chosen = found.into_iter().map(|status| status.id).collect();
    Ok(())
}

/// Keeps how far an order has come.
async fn keep(replayer: &Replayer, replay: &Replay) -> Result<(), JournalError> {
    let progress = replay.progress.clone();
    replayer
        .replays
        .proceed(replay.number, progress, Vec::new())
        .await
}

/// Sends a message its way again, or tells why it is left as it is.
async fn send(
    replayer: &Replayer,
    number: u64,
    order: &Order,
    claim: &Claim,
) -> Result<Option<&'static str>, JournalError> {
    if went(number, &claim.entries).is_some() {
        return Ok(None);
    }
    if claim.message.object_kind == UNKNOWN_KIND {
        return Ok(Some("cannot be read"));
    }
    if matches!(claim.status.state, State::Due { .. }) {
        return Ok(Some("under way"));
    }
    let mut events = vec![Event::Resumed {
        by: order.by.clone(),
        from: order.begin,
        live: order.revisions == Revisions::Live,
        why: Some(order.why.clone()),
        order: Some(number),
    }];
    if let Revisions::Named(named) = order.revisions {
        let Some(mut route) = Work::resume(claim.clone()).route else {
            return Ok(Some("went no way"));
        };
        route.pins = match named_pins(&replayer.pipeline, route.pins, named).await {
            Ok(pins) => pins,
            Err(Failure::Journal(error)) => return Err(error),
            Err(_) => return Ok(Some("its revisions are gone")),
        };
        events.push(route.into());
    }
    let journal = &replayer.pipeline.setup.journal;
    match journal.record(&claim.message.id, replayer.now(), events).await {
        Ok(()) => Ok(None),
        Err(JournalError::OutOfTurn { .. }) => Ok(Some("under way")),
        Err(error) => Err(error),
    }
}

/// What happened to a message since it was resumed by this order; none where it was not.
fn went(number: u64, entries: &[Entry]) -> Option<&[Entry]> {
    let is_by =
        |entry: &Entry| matches!(&entry.event, Event::Resumed { order, .. } if *order == Some(number));
    let place = entries.iter().rposition(is_by)?;
    entries.get(place + 1..)
}

/// Counts those that were on their way and have come to rest, or wait behind another of their
/// key: these go on when that one does, and nobody can say when.
async fn settle(replayer: &Replayer, replay: &mut Replay) -> Result<(), JournalError> {
    let Progress {
        under_way, came_to, ..
    } = &mut replay.progress;
    if under_way.is_empty() {
        return Ok(());
    }
    let journal = &replayer.pipeline.setup.journal;
    let working = Filter {
        ids: under_way.clone(),
        under_way: true,
        limit: under_way.len(),
        ..Filter::default()
    };
    let working = journal.list(working).await?;
    let mut rest = std::mem::take(under_way);
    rest.retain(|id| match working.iter().any(|status| status.id == *id) {
        true => {
            under_way.push(id.clone());
            false
        }
        false => true,
    });
    for id in rest {
        let Some(claim) = journal.message(&id).await? else {
            continue;
        };
        let since = went(replay.number, &claim.entries).unwrap_or_default();
        *came_to.entry(came(&claim.status.state, since)).or_default() += 1;
    }
    Ok(())
}

/// What became of a message, in the words of the report.
fn came(state: &State, since: &[Entry]) -> String {
    let receipts = since.iter().filter_map(|entry| match &entry.event {
        Event::Delivered { receipts, .. } => Some(receipts),
        _ => None,
    });
    let effects: Vec<Effect> = receipts.flatten().map(|receipt| receipt.effect).collect();
    let is_any = |wanted: &[Effect]| effects.iter().any(|effect| wanted.contains(effect));
    match state {
        State::Due { .. } => "waits behind another of its key".to_owned(),
        State::Parked { code, .. } => format!("parked, {code}"),
        State::Done if is_any(&[Effect::Written, Effect::Done]) => "written".to_owned(),
        State::Done if is_any(&[Effect::Shown]) => "shown".to_owned(),
        State::Done => "unchanged".to_owned(),
        state => state.name().to_owned(),
    }
}
