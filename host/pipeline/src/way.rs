//! How one message goes its way: stage after stage, each recorded before the
//! next, until it ends, waits or has failed.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Instant};

use cambist_contract::{delivery::NextTry, mapping::Inbound, message::UNKNOWN_KIND, stage::Stage};
use cambist_journal::{
    Event, JournalError,
    journal::{Backlog, Claim},
};
use cambist_registry::binding::Subject;
use tracing::Instrument as _;

use crate::{
    dispatch::Pipeline,
    door::{Name, Place, Side},
    failure::Failure,
    metrics,
    options::{Flow, Routes},
    queue::Lane,
    shut::Until,
    stage,
    work::{Passed, Route, Work},
};

/// How far a message went.
pub(crate) enum Went {
    /// As far as it can now; all of it is recorded.
    On,
    /// Before this door, behind which there is no room; it waits in this lane. If too many do, its backlog is shut.
    Before(Name, Lane, Backlog),
    /// No further for now, as all of its backlog: it is shut, or is to be until then.
    NotNow(Backlog, Option<Until>),
}

/// Works on a claimed message for as long as it can go on. What it takes up,
/// `place`, changes when it goes through the door of a system, and back.
///
/// # Errors
///
/// The journal does not take down what happened. The claim is given back, and
/// nothing that was not recorded counts.
pub(crate) async fn go(pipeline: &Pipeline, claim: Claim, place: &mut Place) -> Result<Went, JournalError> {
    let mut work = Work::resume(claim);
    let found = flow(&pipeline.routes(), &work);
    let mut flow = match found {
        Ok(Some(flow)) => flow,
        Ok(None) => {
            let reason = "no flow takes this event".to_owned();
            return record(pipeline, &work, Event::Ignored { reason }).await;
        }
        Err(failure) => return stop(pipeline, &work, &failure).await,
    };
    if work.is_to_be_routed_again() {
        match route(pipeline, &mut work) {
            Ok((routed, on)) => {
                record(pipeline, &work, routed).await?;
                flow = on;
            }
            Err(failure) => return stop(pipeline, &work, &failure).await,
        }
    }
    for stage in Stage::ALL {
        if !flow.has(stage) {
            continue;
        }
        // without a route, what was fetched led nowhere and is fetched again
        if work.has(stage) && (stage > Stage::Fetch || work.route.is_some()) {
            continue;
        }
        // held until the system has answered
        let mut _pass = None;
        if let Some(door) = door(&work, stage) {
            match pipeline
                .setup
                .systems
                .line(&door.1)
                .map(|line| line.pass(Instant::now()))
            {
                Some(Err(wait)) => {
                    let until = Until::Then(Instant::now() + wait);
                    return Ok(Went::NotNow(backlog(&work), Some(until)));
                }
                Some(Ok(pass)) => _pass = Some(pass),
                None => {}
            }
            if !place.is_behind(door.0) {
                match pipeline.door(&door).enter() {
                    Some(behind) => *place = behind,
                    None => return Ok(Went::Before(door, lane(pipeline, &work, &flow), backlog(&work))),
                }
                pipeline.freed.notify_one();
            }
        } else if !pipeline.go_to_work(place, &flow.name).await {
            let door = (Side::Flow, flow.name.clone());
            return Ok(Went::Before(door, lane(pipeline, &work, &flow), backlog(&work)));
        }
        let span = tracing::info_span!(
            "stage",
            stage = stage.name(),
            message_id = %work.message.id,
            flow = flow.name,
            region = work.route.as_ref().map(|route| route.region.as_str()),
            revision = work.route.as_ref().and_then(|route| route.pins.get(&stage)).map(|pin| pin.short()),
        );
        // until what became of it is recorded: a host that is killed before has begun an attempt and not ended it
        work.mark = Some(pipeline.setup.under_way.begin(&work.message.id));
        let started = Instant::now();
        // until what became of it is recorded
        let _delivery = match &work.route {
            Some(route) if stage == Stage::Deliver => {
                let changes = stage::changes(&work).unwrap_or_default();
                let names = changes.iter().map(|change| change.entity.name().clone());
                Some(pipeline.delivering.begin(&route.target, names))
            }
            _ => None,
        };
        let outcome = stage::run(stage, pipeline, &mut work)
            .instrument(span.clone())
            .await;
        let took = started.elapsed();
        metrics::stage(stage, &flow.name, took);
        if let Some(wait) = outcome.as_ref().err().and_then(Failure::left_alone) {
            // what was done of a plan is kept; of the rest nothing was asked
            let (done, now) = (std::mem::take(&mut work.happened), (pipeline.setup.now)());
            pipeline.setup.journal.record(&work.message.id, now, done).await?;
            let until = Until::Then(Instant::now() + wait);
            return Ok(Went::NotNow(backlog(&work), Some(until)));
        }
        let _entered = span.enter();
        let event = match outcome {
            Ok(Passed::On(output)) => {
                work.keep(stage, output.value.clone());
                Event::Passed {
                    stage,
                    output: output.value,
                    took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                    fuel: output.fuel,
                    log: output.log,
                    links: output.links,
                }
            }
            Ok(Passed::Stop(event)) => event,
            Err(Failure::Journal(error)) => return Err(error),
            Err(failure) => failed(pipeline, &work, stage, &failure),
        };
        let mut stops = !matches!(event, Event::Passed { .. });
        metrics::event(stage, &event);
        let mut events = std::mem::take(&mut work.happened);
        events.push(event);
        if stage == Stage::Deliver && !stops {
            // the last of every way: one commit for what was delivered and the end
            metrics::event(stage, &Event::Done);
            events.push(Event::Done);
            stops = true;
        }
        if stage == Stage::Fetch && !stops {
            match route(pipeline, &mut work) {
                Ok((routed, on)) => {
                    events.push(routed);
                    flow = on;
                }
                Err(failure) => {
                    let event = failed(pipeline, &work, Stage::Read, &failure);
                    if matches!(event, Event::Failed { .. }) {
                        // without a route it is fetched again; were it taken for passed, attempts would begin anew
                        events.clear();
                    }
                    metrics::event(Stage::Read, &event);
                    events.push(event);
                }
            }
        }
        drop(_entered);
        let unrouted = events
            .iter()
            .any(|event| matches!(event, Event::Parked { .. } | Event::Failed { .. }));
        pipeline
            .setup
            .journal
            .record(&work.message.id, (pipeline.setup.now)(), events)
            .await?;
        work.mark = None;
        pipeline.reached(stage.name());
        if stops || unrouted {
            return Ok(Went::On);
        }
        // it was looked at to learn whose it is; with the rest it waits where it costs nothing
        if stage == Stage::Fetch && pipeline.shut.is_shut(&backlog(&work)) {
            return Ok(Went::NotNow(backlog(&work), None));
        }
    }
    // delivered before, and not yet ended
    record(pipeline, &work, Event::Done).await
}

/// The flow the message is in, or the one that takes it.
fn flow(routes: &Routes, work: &Work) -> Result<Option<Arc<Flow>>, Failure> {
    let message = &work.message;
    if message.object_kind == UNKNOWN_KIND {
        return Err(Failure::UnknownEvent {
            system: message.system.clone(),
            id: message.id.clone(),
        });
    }
    let Some(route) = &work.route else {
        return Ok(routes.flow_of(message).cloned());
    };
    // begun is not ignored: a part of it may be at the target
    let flow = routes.flow(&route.flow).ok_or_else(|| {
        Failure::Unroutable(format!(
            "the message is in flow `{}`, which is not in the config any more; put it back and replay the message, \
             or replay it on the live revisions, which takes the flow that the config has for it now, if any",
            route.flow
        ))
    })?;
    Ok(Some(Arc::clone(flow)))
}

/// The door that a message goes through for a stage.
fn door(work: &Work, stage: Stage) -> Option<Name> {
    let side = match stage {
        Stage::Fetch => Side::Source,
        Stage::Deliver => Side::Target,
        _ => return None,
    };
    Some(system(work, stage))
        .filter(|system| !system.is_empty())
        .map(|system| (side, system.to_owned()))
}

/// The lane that a message waits in: its region's. Before it was read its region is the only one that its system has, or
/// not known; then it waits among its flow's.
fn lane(pipeline: &Pipeline, work: &Work, flow: &Flow) -> Lane {
    let routes = pipeline.routes();
    let only = || {
        let of = routes.region_of.get(&work.message.system)?;
        of.default.as_ref().filter(|_| of.pointer.is_none())
    };
    let region = work.route.as_ref().map(|route| &route.region).or_else(only);
    Lane {
        weight: region
            .and_then(|region| routes.regions.get(region))
            .map_or(NonZeroU32::MIN, |region| region.weight),
        name: region.unwrap_or(&flow.name).clone(),
        urgent: flow.urgent,
    }
}

/// Whose turns a message is claimed in from now on.
fn backlog(work: &Work) -> Backlog {
    match &work.route {
        Some(route) => Backlog {
            flow: Some(route.flow.clone()),
            of: route.region.clone(),
            event: None,
        },
        None => work.status.backlog(),
    }
}

/// The system that a stage asks; empty where it asks none.
fn system(work: &Work, stage: Stage) -> &str {
    match (stage, &work.route) {
        (Stage::Fetch, _) => &work.message.system,
        (Stage::Deliver, Some(route)) => &route.target,
        _ => "",
    }
}

/// Decides the message's region, target and revisions from the object as it was
/// fetched, and tells the flow. One that was read again and goes the same way stays on its
/// revisions.
pub(crate) fn route(pipeline: &Pipeline, work: &mut Work) -> Result<(Event, Arc<Flow>), Failure> {
    // held, so that routes and revisions are those of one config
    let routes = pipeline.routes();
    let flow = flow(&routes, work)?
        .ok_or_else(|| Failure::Unroutable("no flow of the config takes this event any more".to_owned()))?;
    let system = &work.message.system;
    let inbound: Inbound = work.output(Stage::Fetch)?;
    let body = inbound.body.value();
    let of = routes.region_of.get(system);
    let at = |pointer: Option<&String>| {
        let found = pointer
            .and_then(|pointer| body.pointer(pointer))
            .and_then(|value| value.as_str());
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let region = at(of.and_then(|of| of.pointer.as_ref()))
        .or_else(|| of.and_then(|of| of.default.clone()))
        .ok_or_else(|| {
            Failure::Unroutable(format!(
                "the object names no region, and `{system}` has no default"
            ))
        })?;
    if !routes.regions.contains_key(&region) {
        let known: Vec<&str> = routes.regions.keys().map(String::as_str).collect();
        let text = format!(
            "the object's region is none of the config's ({})",
            known.join(", ")
        );
        return Err(Failure::Unroutable(text));
    }
    let unit = at(of.and_then(|of| of.unit_pointer.as_ref())).unwrap_or_default();
    let target = flow
        .target(&region)
        .ok_or_else(|| {
            Failure::Unroutable(format!(
                "flow `{}` has no target for region `{region}`",
                flow.name
            ))
        })?
        .to_owned();
    let mut route = Route {
        flow: flow.name.clone(),
        region,
        unit,
        target,
        pins: BTreeMap::new(),
        step: None,
    };
    (route.pins, route.step) = match &work.route {
        Some(before) if before.is_same_way(&route) => (before.pins.clone(), before.step),
        _ => {
            let subject = Subject {
                flow: &route.flow,
                region: &route.region,
                unit: &route.unit,
                key: &work.message.key,
            };
            let pins = pipeline.setup.registry.route(&flow.way(), subject)?;
            (pins.revisions, Some(pins.step))
        }
    };
    work.take(route.clone());
    Ok((route.into(), flow))
}

/// What becomes of a message whose stage failed: again later, or parked.
fn failed(pipeline: &Pipeline, work: &Work, stage: Stage, failure: &Failure) -> Event {
    let attempt = work.status.attempts + 1;
    // to look up first is the connectors' part: they do it before every action
    let next_try = failure.next_try();
    if next_try == NextTry::Park {
        // the reason may quote a system, so it is in the journal and not in the log
        tracing::warn!(code = failure.code(), "message parked");
        return Event::Parked {
            stage,
            code: failure.code().to_owned(),
            reason: failure.to_string(),
        };
    }
    match pipeline
        .setup
        .systems
        .schedule(system(work, stage))
        .next(attempt, &work.message.id, next_try)
    {
        Some(wait) => {
            tracing::info!(
                attempt,
                wait_s = wait.as_secs(),
                code = failure.code(),
                "attempt failed, will be tried again"
            );
            let wait = jiff::SignedDuration::try_from(wait).unwrap_or_default();
            let now = (pipeline.setup.now)();
            Event::Failed {
                stage,
                attempt,
                error: failure.to_string(),
                retry_at: now.checked_add(wait).unwrap_or(now),
            }
        }
        None => {
            tracing::warn!(
                attempt,
                code = failure.code(),
                "attempts are spent, message parked"
            );
            let reason = format!("{failure}, after {attempt} attempts; replay it when that is mended");
            if matches!(failure, Failure::Ended { .. }) {
                let code = failure.code().to_owned();
                return Event::Parked { stage, code, reason };
            }
            Event::Parked {
                stage,
                code: "attempts-spent".to_owned(),
                reason,
            }
        }
    }
}

/// Records that a message cannot go on from where it stands.
pub(crate) async fn stop(pipeline: &Pipeline, work: &Work, failure: &Failure) -> Result<Went, JournalError> {
    let stage = work.next();
    let event = failed(pipeline, work, stage, failure);
    metrics::event(stage, &event);
    record(pipeline, work, event).await
}

async fn record(pipeline: &Pipeline, work: &Work, event: Event) -> Result<Went, JournalError> {
    let at = (pipeline.setup.now)();
    pipeline
        .setup
        .journal
        .record(&work.message.id, at, vec![event])
        .await?;
    Ok(Went::On)
}
