//! One plugin call of a stage: the pinned revision, on a thread that may block.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cambist_contract::{
    canonical::EntityRef,
    context::Context,
    fault::Fault,
    plugin::{CallError, Called, Cost, Ended, Link, Links, Plugin},
    stage::Stage,
};
use cambist_journal::{Event, Journal, JournalError, LinkAnswer};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    dispatch::Pipeline,
    failure::Failure,
    shadow::{self, Turn},
    work::{Output, Passed, Work},
};

/// Answers links as they were answered before, else from the journal, and keeps
/// what it answered. Called on a thread that may block.
struct JournalLinks {
    journal: Arc<dyn Journal>,
    runtime: Handle,
    before: Vec<LinkAnswer>,
    kept: Mutex<Kept>,
}

/// What one call was answered, and whether the answers can be relied on.
#[derive(Default)]
struct Kept {
    answers: Vec<LinkAnswer>,
    trouble: Option<Failure>,
}

impl Links for JournalLinks {
    fn find(&self, entity: &EntityRef, system: &str, within: Duration) -> Option<Link> {
        // an id alone is the answer of an older host
        let same = |it: &&LinkAnswer| it.entity == *entity && it.system == system && it.id.is_none();
        let link = match self.before.iter().find(same) {
            Some(before) => before.link.clone(),
            None => {
                let asked = in_time(within, self.journal.link(entity, system));
                self.runtime.block_on(asked).unwrap_or_else(|trouble| {
                    self.kept().trouble = Some(trouble);
                    None
                })
            }
        };
        let answer = LinkAnswer {
            entity: entity.clone(),
            system: system.to_owned(),
            link: link.clone(),
            id: None,
        };
        self.kept().answers.push(answer);
        link
    }
}

impl JournalLinks {
    fn is_troubled(&self) -> bool {
        self.kept().trouble.is_some()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the journal answers, unless it takes longer: a disk that hangs holds no plugin's turn.
async fn in_time<T>(
    within: Duration,
    asked: impl Future<Output = Result<T, JournalError>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(within, asked).await {
        Ok(answer) => Ok(answer?),
        // nothing is known of the plugin, so the message is not parked for it
        Err(_) => {
            let text = "the journal did not say in time what a link leads to";
            Err(CallError::Host(text.to_owned()).into())
        }
    }
}

/// Calls the plugin that the message is pinned to for `stage`, and turns the
/// answer into the stage's output. Where that revision has a shadow, it is called afterwards.
///
/// A rehearsal counts for nobody: no share goes back for it, no shadow is called.
///
/// A fault that says how the message goes on becomes the event that does it. Where the
/// stage does not pass, what the call cost and the plugin wrote is kept beside it.
pub(crate) async fn call<T, O>(
    pipeline: &Pipeline,
    work: &mut Work,
    stage: Stage,
    function: impl Fn(&dyn Plugin, &Context, Arc<dyn Links>) -> Called<T> + Send + Sync + 'static,
    output: impl FnOnce(T) -> Result<Step<O>, Failure>,
) -> Result<Passed, Failure>
where
    T: Serialize + Send + 'static,
    O: Serialize,
{
    let pin = work.route()?.pins.get(&stage).copied();
    let pin =
        pin.ok_or_else(|| Failure::Unroutable(format!("the message is pinned to nothing for `{stage}`")))?;
    let registry = Arc::clone(&pipeline.setup.registry);
    let links = Arc::new(JournalLinks {
        journal: Arc::clone(&pipeline.setup.journal),
        runtime: Handle::current(),
        before: work.answered(stage),
        kept: Mutex::default(),
    });
    let asked = Arc::clone(&links);
    let (mut context, route) = (work.context(&serde_json::Value::Null)?, tracing::Span::current());
    let (at, is_rehearsal) = ((pipeline.setup.now)(), work.is_rehearsal);
    let function = Arc::new(function);
    let asks = Arc::clone(&function);
    let turn = pipeline.calls.turn(&work.route()?.flow).await;
    let called = tokio::task::spawn_blocking(move || {
        // given back when the call has ended, also if nobody waits for it any more
        let _turn = turn;
        let _entered = route.enter();
        let pinned = registry.pinned(&pin)?;
        context.settings = (&pinned.revision.settings).into();
        let called = asks(
            pinned.plugin.as_ref(),
            &context,
            Arc::clone(&links) as Arc<dyn Links>,
        );
        if !is_rehearsal && !matches!(called.answer, Err(CallError::Host(_))) && !links.is_troubled() {
            registry.called(&pin, called.cost.elapsed, Ended::of(&called.answer));
        }
        Ok::<_, Failure>((called, pinned))
    });
    let (called, pinned) = called
        .await
        .map_err(|_| CallError::Host("the call's thread panicked".to_owned()))??;
    if !is_rehearsal {
        crate::metrics::plugin_call(&pinned.revision.plugin, &called.cost, called.answer.is_ok());
    }
    let Kept {
        answers: links,
        trouble,
    } = std::mem::take(&mut *asked.kept());
    if let Some(trouble) = trouble {
        // the plugin was told "no link" where nobody could know
        return Err(trouble);
    }
    if !is_rehearsal && let Some(shadow) = pipeline.setup.registry.shadow(&pin) {
        let turn = Turn {
            pair: shadow::pair(&pinned, &shadow, stage),
            message: work.message.id.clone(),
            at,
            context: work.context(&shadow.revision.settings)?,
            // what the live one was told, so that both know the same
            links: Arc::new(JournalLinks {
                journal: Arc::clone(&pipeline.setup.journal),
                runtime: Handle::current(),
                before: links.clone(),
                kept: Mutex::default(),
            }),
            function,
            live: shadow::json(&called.answer),
            live_cost: called.cost.clone(),
        };
        pipeline.shadowing.call(shadow, turn);
    }
    let Cost { fuel, elapsed, log } = called.cost;
    let meant = meant(stage, called.answer, output);
    if !is_rehearsal && matches!(meant, Err(Failure::Implausible(_))) {
        let registry = Arc::clone(&pipeline.setup.registry);
        let refused = tokio::task::spawn_blocking(move || registry.refused(&pin));
        refused
            .await
            .map_err(|_| CallError::Host("the thread of a call's count panicked".to_owned()))?;
    }
    match meant {
        Ok(Passed::On(output)) => Ok(Passed::On(Output {
            fuel: Some(fuel),
            log,
            links,
            ..output
        })),
        stopped => {
            work.happened.push(Event::Called {
                stage,
                took_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
                fuel,
                log,
                links,
            });
            stopped
        }
    }
}

/// What a plugin's answer means for the message.
fn meant<T, O: Serialize>(
    stage: Stage,
    answer: Result<T, CallError>,
    output: impl FnOnce(T) -> Result<Step<O>, Failure>,
) -> Result<Passed, Failure> {
    match answer {
        Ok(answer) => match output(answer)? {
            Step::On(value) => Ok(Passed::On(Output::of(value)?)),
            Step::Stop(event) => Ok(Passed::Stop(event)),
        },
        Err(CallError::Fault(Fault::Waiting(entity))) => Ok(Passed::Stop(Event::Waiting {
            stage: anew(stage),
            entity,
        })),
        Err(CallError::Fault(Fault::Unhandled(reason))) if stage == Stage::Read => {
            Ok(Passed::Stop(Event::Ignored { reason }))
        }
        Err(error) => Err(error.into()),
    }
}

/// The stage that a message begins with again when what it waits for has come. Bills rest on what was read, so what came
/// has to be read: the same input would wait for it for ever.
fn anew(stage: Stage) -> Stage {
    match stage {
        Stage::Draft => Stage::Fetch,
        other => other,
    }
}

/// What an answer means for the message.
pub(crate) enum Step<O> {
    /// It goes on with this.
    On(O),
    /// It stops with this.
    Stop(Event),
}

#[cfg(test)]
mod tests {
    use cambist_contract::delivery::NextTry;

    use super::*;

    #[tokio::test]
    async fn a_journal_that_hangs_is_given_up_and_the_message_tried_again() {
        let hangs = std::future::pending::<Result<(), JournalError>>();
        let failed = in_time(Duration::from_millis(1), hangs).await.err();
        let next = failed.map(|failed| (failed.next_try(), failed.to_string()));
        let told = "cannot call the plugin: the journal did not say in time what a link leads to";
        assert_eq!(
            next,
            Some((NextTry::SendAgain { not_before: None }, told.to_owned()))
        );
    }
}
