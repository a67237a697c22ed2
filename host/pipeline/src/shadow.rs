//! Shadows: a revision that is called beside the live one, with the same input, after that
//! one has answered. What it answers is compared and goes nowhere; the message does not wait
//! for it, and never hears of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use cambist_contract::{
    Json,
    context::Context,
    message::MessageId,
    plugin::{CallError, Called, Cost, Links, Plugin},
    stage::Stage,
};
use cambist_journal::comparison::{Compared, Comparison, Difference, Pair, Shadows, Took};
use cambist_registry::Pinned;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::{compare, metrics};

/// Shadows that are called at one moment. A call cannot be stopped before its fuel is spent;
/// with one at a time, a shadow that loops takes one processor from the messages, and no more.
const AT_ONCE: usize = 1;

/// Shadows whose turn is still to come; beyond them, turns are skipped and counted. Each
/// holds its input in memory, which is a few kilobytes, a megabyte at most.
const WAITING: usize = 64;

/// Where shadows are called.
pub(crate) struct Shadowing {
    kept: Arc<dyn Shadows>,
    waiting: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// Turns that were skipped, and are still to be counted.
    skipped: Arc<Mutex<HashMap<Pair, u64>>>,
}

/// One turn of a shadow: what it is called with, and how the live call went.
pub(crate) struct Turn<F> {
    pub(crate) pair: Pair,
    pub(crate) message: MessageId,
    pub(crate) at: Timestamp,
    /// The message's context with the shadow's settings.
    pub(crate) context: Context,
    pub(crate) links: Arc<dyn Links>,
    pub(crate) function: Arc<F>,
    pub(crate) live: Result<Json, CallError>,
    pub(crate) live_cost: Cost,
}

impl Shadowing {
    /// Nothing is called yet.
    pub(crate) fn new(kept: Arc<dyn Shadows>) -> Self {
        Self {
            kept,
            waiting: Arc::new(Semaphore::new(WAITING)),
            running: Arc::new(Semaphore::new(AT_ONCE)),
            skipped: Arc::default(),
        }
    }

    /// Calls a shadow as soon as there is room, and returns at once.
    pub(crate) fn call<T, F>(&self, shadow: Pinned, turn: Turn<F>)
    where
        T: Serialize,
        F: Fn(&dyn Plugin, &Context, Arc<dyn Links>) -> Called<T> + Send + Sync + 'static,
    {
        let Ok(place) = Arc::clone(&self.waiting).try_acquire_owned() else {
            metrics::shadow_skipped(&turn.pair.plugin);
            let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
            *skipped.entry(turn.pair).or_default() += 1;
            return;
        };
        let (running, skipped) = (Arc::clone(&self.running), Arc::clone(&self.skipped));
        let kept = Arc::clone(&self.kept);
        tokio::spawn(async move {
            // the semaphore is never closed
            let running = running.acquire_owned().await;
            let compared = tokio::task::spawn_blocking(move || {
                let called = (turn.function)(shadow.plugin.as_ref(), &turn.context, Arc::clone(&turn.links));
                compared(turn, called)
            });
            let compared = compared.await;
            drop(running);
            let skipped = std::mem::take(&mut *skipped.lock().unwrap_or_else(PoisonError::into_inner));
            let skipped = skipped
                .into_iter()
                .map(|(pair, times)| Compared::Skipped(pair, times));
            let batch: Vec<_> = compared
                .map(Compared::Called)
                .into_iter()
                .chain(skipped)
                .collect();
            if let Err(error) = kept.compared(batch).await {
                tracing::warn!(%error, "what a shadow answered could not be kept");
            }
            drop(place);
        });
    }
}

fn compared<T: Serialize, F>(turn: Turn<F>, called: Called<T>) -> Comparison {
    let answer = json(&called.answer);
    metrics::shadow_called(&turn.pair.plugin, answer.is_ok());
    let (differences, more) = differ(turn.pair.stage, &turn.live, &answer);
    Comparison {
        pair: turn.pair,
        message: turn.message,
        at: turn.at,
        live_cost: took(&turn.live_cost, &turn.live),
        shadow_cost: took(&called.cost, &answer),
        differences,
        more,
    }
}

fn differ(
    stage: Stage,
    live: &Result<Json, CallError>,
    shadow: &Result<Json, CallError>,
) -> (Vec<Difference>, u64) {
    let whole = |live: Option<String>, shadow: Option<String>| Difference {
        path: String::new(),
        live,
        shadow,
        money: false,
    };
    let text = |answer: &Result<Json, CallError>| match answer {
        Ok(_) => "an answer".to_owned(),
        Err(error) => error.to_string(),
    };
    match (live, shadow) {
        (Ok(live), Ok(shadow)) => compare::differences(stage, live, shadow),
        (Err(live), Err(shadow)) if live == shadow => (Vec::new(), 0),
        _ => (vec![whole(Some(text(live)), Some(text(shadow)))], 0),
    }
}

/// An answer as it is compared.
pub(crate) fn json<T: Serialize>(answer: &Result<T, CallError>) -> Result<Json, CallError> {
    let unwritable = |error: serde_json::Error| CallError::BadAnswer(format!("it is no JSON: {error}"));
    answer
        .as_ref()
        .map_err(CallError::clone)
        .and_then(|answer| Json::of(answer).map_err(unwritable))
}

fn took(cost: &Cost, answer: &Result<Json, CallError>) -> Took {
    Took {
        fuel: cost.fuel,
        us: u64::try_from(cost.elapsed.as_micros()).unwrap_or(u64::MAX),
        error: answer.as_ref().err().map(ToString::to_string),
    }
}

/// Whose turn it is.
pub(crate) fn pair(live: &Pinned, shadow: &Pinned, stage: Stage) -> Pair {
    Pair {
        plugin: live.revision.plugin.clone(),
        live: live.revision.component,
        shadow: shadow.revision.component,
        stage,
    }
}
