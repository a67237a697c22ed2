//! A dry replay: each message computed again from what was fetched then, up to and including
//! `write`, and compared with what was written then.
//!
//! No system is asked and nothing is recorded of a message. What the host's own stages made stands
//! where they are handed the same: what was an echo or a conflict then is none by what came later.
//! What they are handed anew they work out with the journal and the config as they are now, and
//! neither looks for echoes nor asks the other side.

use std::collections::BTreeMap;

use cambist_contract::{delivery::NextTry, digest::Digest, stage::Stage};
use cambist_journal::{
    Event, JournalError, State,
    journal::Claim,
    replay::{Differing, Ends, Field, Replay, Revisions},
};

use super::{Next, Replayer, report, totals};
use crate::{
    compare,
    dispatch::Pipeline,
    failure::Failure,
    stage, way,
    work::{Passed, Work},
};

/// Messages of one page: how far the order has come is written once for them.
const PAGE: usize = 50;

/// How a message came out.
pub(super) enum Came {
    /// It was not computed, for this.
    Skipped(&'static str),
    /// As it was.
    Same,
    /// Something on the way is other than it was, and it would write the same.
    OnTheWay,
    /// It would write something else, or end otherwise.
    Otherwise(Box<Differing>),
}

/// Computes a page of messages.
pub(super) async fn page(replayer: &Replayer, replay: &mut Replay) -> Result<Next, JournalError> {
    let found = replayer.next(replay, PAGE).await?;
    let mut differing = Vec::new();
    for status in &found {
        let came = match replayer.pipeline.setup.journal.message(&status.id).await? {
            Some(claim) => compute(&replayer.pipeline, claim, &replay.order.revisions).await?,
            None => Came::Skipped("gone"),
        };
        report::count(&mut replay.progress, &came);
        if let Came::Otherwise(message) = came {
            differing.push(*message);
        }
        replay.progress.reached = status.arrival;
    }
    report::sort(&mut replay.progress.report);
    if found.len() < PAGE {
        replay.progress.ended_at = Some(replayer.now());
    }
    replayer
        .replays
        .proceed(replay.number, replay.progress.clone(), differing)
        .await?;
    Ok(Next::Page)
}

/// Computes a message again.
async fn compute(pipeline: &Pipeline, claim: Claim, revisions: &Revisions) -> Result<Came, JournalError> {
    let then = Work::resume(claim);
    if !then.has(Stage::Fetch) {
        return Ok(Came::Skipped("nothing was fetched"));
    }
    let Some(ended) = ended(&then) else {
        return Ok(Came::Skipped("under way"));
    };
    let mut now = then.rehearsal();
    let ends = match again(pipeline, &then, &mut now, revisions).await {
        Ok(end) => end,
        Err(Failure::Journal(error)) => return Err(error),
        Err(failure) if failure.next_try() == NextTry::Park => format!("parked, {}", failure.code()),
        Err(failure) => format!("failed, {}", failure.code()),
    };
    Ok(compared(&then, &now, ended, ends))
}

/// How a message ended then; none where it has not.
fn ended(then: &Work) -> Option<String> {
    if then.has(Stage::Write) {
        return Some(WRITTEN.to_owned());
    }
    match &then.status.state {
        State::Due { .. } => None,
        State::Parked { code, .. } => Some(format!("parked, {code}")),
        state => Some(state.name().to_owned()),
    }
}

/// The end of a message of which something is to be written.
const WRITTEN: &str = "written";

/// Goes the way again, and tells how it ended.
async fn again(
    pipeline: &Pipeline,
    then: &Work,
    now: &mut Work,
    revisions: &Revisions,
) -> Result<String, Failure> {
    let flow = match revisions {
        Revisions::Live => {
            now.leave_route();
            way::route(pipeline, now)?.1
        }
        Revisions::Pinned | Revisions::Named(_) => {
            let route = now.route()?.clone();
            if let Revisions::Named(named) = revisions {
                let mut route = route.clone();
                route.pins = named_pins(pipeline, route.pins, *named).await?;
                now.take(route);
            }
            let routes = pipeline.routes();
            let gone = || Failure::Unroutable(format!("flow `{}` is not in the config any more", route.flow));
            routes.flow(&route.flow).cloned().ok_or_else(gone)?
        }
    };
    for stage in Stage::ALL.into_iter().filter(|stage| flow.has(*stage)) {
        if stage == Stage::Fetch || stage == Stage::Deliver {
            continue;
        }
        if stage == Stage::Own && now.made(Stage::Read) == then.made(Stage::Read) {
            match then.made(Stage::Own) {
                Some(made) => now.keep(stage, made.clone()),
                // it ended here then, and does again
                None => return Ok(ended(then).unwrap_or_default()),
            }
            continue;
        }
        match stage::run(stage, pipeline, now).await? {
            Passed::On(output) => now.keep(stage, output.value),
            Passed::Stop(event) => return Ok(stopped(&event)),
        }
    }
    Ok(WRITTEN.to_owned())
}

/// How an event ends a message.
fn stopped(event: &Event) -> String {
    event.name().to_owned()
}

/// Pins with a revision in the place of every other of its plugin.
pub(super) async fn named_pins(
    pipeline: &Pipeline,
    pins: BTreeMap<Stage, Digest>,
    named: Digest,
) -> Result<BTreeMap<Stage, Digest>, Failure> {
    let registry = std::sync::Arc::clone(&pipeline.setup.registry);
    // may compile
    let all = tokio::task::spawn_blocking(move || {
        let plugin = registry.pinned(&named)?.revision.plugin.clone();
        let one = |(stage, pin): (Stage, Digest)| {
            let same = registry.pinned(&pin)?.revision.plugin == plugin;
            Ok::<_, Failure>((stage, if same { named } else { pin }))
        };
        pins.into_iter().map(one).collect()
    });
    all.await
        .map_err(|_| Failure::Implausible("a thread panicked".to_owned()))?
}

/// How a message came out, by what each stage made.
fn compared(then: &Work, now: &Work, ended: String, ends: String) -> Came {
    let differs = |stage: Stage| match (then.made(stage), now.made(stage)) {
        (Some(before), Some(after)) => compare::differences(stage, before, after),
        _ => (Vec::new(), 0),
    };
    let begins = Stage::ALL
        .into_iter()
        .find_map(|stage| Some((stage, differs(stage))).filter(|(_, (found, _))| !found.is_empty()));
    let (written, unlisted) = differs(Stage::Write);
    let ends = (ended != ends).then_some(Ends {
        then: ended,
        now: ends,
    });
    let totals = match (then.has(Stage::Write), now.has(Stage::Write)) {
        (true, true) => totals::differing(then, now),
        _ => Vec::new(),
    };
    if written.is_empty() && ends.is_none() && totals.is_empty() {
        return if begins.is_some() {
            Came::OnTheWay
        } else {
            Came::Same
        };
    }
    let begins_at = begins.as_ref().map(|(stage, _)| *stage);
    let first = begins.filter(|(stage, _)| *stage != Stage::Write);
    let (first, more) = first.map_or((Vec::new(), 0), |(stage, (found, more))| {
        (found.into_iter().map(|it| (stage, it)).collect(), more)
    });
    let written = written.into_iter().map(|it| (Stage::Write, it));
    let fields = first.into_iter().chain(written).map(|(stage, it)| Field {
        stage,
        path: it.path,
        then: it.live,
        now: it.shadow,
        money: it.money,
    });
    let route = now.route.as_ref().or(then.route.as_ref());
    Came::Otherwise(Box::new(Differing {
        message: then.message.id.clone(),
        arrival: then.status.arrival,
        received_at: then.status.received_at,
        object: then.status.object.clone(),
        flow: route.map_or(String::new(), |route| route.flow.clone()),
        region: route.map_or(String::new(), |route| route.region.clone()),
        begins_at,
        ends,
        totals,
        fields: fields.collect(),
        more: more + unlisted,
    }))
}
