//! One call: its instance, fresh or kept, with the call's budget, and what it cost.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use cambist_contract::{
    fault::Fault,
    limits::Limits,
    plugin::{CallError, Called, Cost, Links, LoadError, LogLine, NoLinks},
    revision::{Grant, Tables},
};
use wasmtime::{
    Engine, Store,
    component::{Instance, InstancePre},
};

use crate::{
    kept::{Keeper, Living},
    limiter::Limiter,
    trap,
};

/// What the host keeps for an instance, and for the call that is made in it.
pub(crate) struct State {
    pub(crate) limiter: Limiter,
    pub(crate) budget: Budget,
    pub(crate) terms: Arc<Terms>,
    pub(crate) links: Arc<dyn Links>,
    pub(crate) log: Vec<LogLine>,
    /// UTF-8, as it came: in pieces, the last one filled up with zeros.
    pub(crate) last_words: Vec<u8>,
}

/// What a revision's calls have in common.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) limits: Limits,
    pub(crate) grants: BTreeSet<Grant>,
    pub(crate) tables: Tables,
}

/// What is left of a call's allowance for the host's functions.
#[derive(Debug)]
pub(crate) struct Budget {
    started: Instant,
    host_calls: u32,
    host_bytes: u64,
    pub(crate) log_lines: u32,
    pub(crate) log_bytes: u64,
    /// The limit that was met, for the error's text.
    pub(crate) met: Option<CallError>,
}

impl Budget {
    /// The whole allowance of a call that has started then.
    fn whole(started: Instant) -> Self {
        Self {
            started,
            host_calls: 0,
            host_bytes: 0,
            log_lines: 0,
            log_bytes: 0,
            met: None,
        }
    }
}

impl State {
    /// Begins another call in an instance that has served one.
    fn begin(&mut self, started: Instant, links: Arc<dyn Links>) {
        self.budget = Budget::whole(started);
        self.links = links;
    }

    /// Ends a call in an instance that is kept: nothing of it stays on the host's side.
    pub(crate) fn rest(&mut self) {
        self.links = Arc::new(NoLinks);
        self.log.clear();
        self.last_words.clear();
    }

    /// Counts one call of a host function with `bytes` of text as its arguments.
    /// Wasmtime bounds each call's arguments by itself; what is kept of all of them
    /// is bounded here.
    ///
    /// # Errors
    ///
    /// The call has made too many or handed over too much, or its time is over.
    pub(crate) fn host_call(&mut self, bytes: usize) -> wasmtime::Result<()> {
        let limits = &self.terms.limits;
        self.budget.host_calls += 1;
        if self.budget.host_calls > limits.host_calls {
            return self.meet("host-calls", u64::from(self.terms.limits.host_calls));
        }
        self.host_bytes(bytes)?;
        self.in_time()
    }

    /// Counts `bytes` that go one way or the other in a host call.
    ///
    /// # Errors
    ///
    /// They are too many.
    pub(crate) fn host_bytes(&mut self, bytes: usize) -> wasmtime::Result<()> {
        let limits = &self.terms.limits;
        self.budget.host_bytes = self.budget.host_bytes.saturating_add(bytes as u64);
        if self.budget.host_bytes > limits.host_bytes {
            return self.meet("host-bytes", self.terms.limits.host_bytes);
        }
        Ok(())
    }

    /// Looks at the clock: before a host call, and after one that may have waited.
    ///
    /// # Errors
    ///
    /// The call's time is over.
    pub(crate) fn in_time(&mut self) -> wasmtime::Result<()> {
        if self.time_left().is_zero() {
            return self.meet("time-ms", self.terms.limits.time_ms);
        }
        Ok(())
    }

    /// How long the call may still take; for how long the host may make it wait.
    pub(crate) fn time_left(&self) -> Duration {
        Duration::from_millis(self.terms.limits.time_ms).saturating_sub(self.budget.started.elapsed())
    }

    /// Ends the call because it met a limit.
    ///
    /// # Errors
    ///
    /// Always.
    pub(crate) fn meet<T>(&mut self, setting: &'static str, value: u64) -> wasmtime::Result<T> {
        self.budget.met = Some(CallError::Limit { setting, value });
        Err(wasmtime::Error::msg("a limit of the plugin was met"))
    }
}

/// A component that is checked, linked and ready to be instantiated.
pub(crate) struct Guest {
    pub(crate) engine: Engine,
    pub(crate) pre: InstancePre<State>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) keeper: Keeper,
}

impl Guest {
    /// Instantiates once, before any call, so that what does not fit its limits
    /// or has the wrong types is refused at load.
    ///
    /// # Errors
    ///
    /// It traps, passes a limit, or `check` does not like it.
    pub(crate) fn try_out<T>(
        &self,
        check: impl FnOnce(&mut Store<State>, &Instance) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        let (mut store, made) = self.fresh(Instant::now(), &(Arc::new(NoLinks) as Arc<dyn Links>));
        let instance =
            made.map_err(
                |error| match trap::explain(&error, store.data(), &self.terms.limits) {
                    CallError::Host(busy) => LoadError::Host(busy),
                    limit @ CallError::Limit { .. } => LoadError::TooLarge(limit.to_string()),
                    other => LoadError::BreaksAtStart(other.to_string()),
                },
            )?;
        check(&mut store, &instance)
    }

    fn store(&self, started: Instant, links: &Arc<dyn Links>) -> Store<State> {
        let limits = &self.terms.limits;
        let state = State {
            limiter: Limiter::new(limits),
            budget: Budget::whole(started),
            terms: Arc::clone(&self.terms),
            links: Arc::clone(links),
            log: Vec::new(),
            last_words: Vec::new(),
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(usize::try_from(limits.transfer).unwrap_or(usize::MAX));
        store
    }

    /// A store with its whole fuel, and an instance in it. Where the pool is full because
    /// of instances that only wait, those go first.
    fn fresh(&self, started: Instant, links: &Arc<dyn Links>) -> (Store<State>, wasmtime::Result<Instance>) {
        let make = || {
            let mut store = self.store(started, links);
            let made = store
                .set_fuel(self.terms.limits.fuel)
                .and_then(|()| self.pre.instantiate(&mut store));
            (store, made)
        };
        match make() {
            (store, Err(error)) if trap::is_full(&error) => {
                // what it took before the pool was full
                drop(store);
                self.keeper.make_room();
                make()
            }
            made => made,
        }
    }

    /// Makes one call: in an instance that was kept for this plugin, if there is one, else
    /// in a fresh one.
    ///
    /// `call` gets the store and the instance, and answers what the guest said. What breaks
    /// in an instance that has served before may be what an earlier call has left, and
    /// then says nothing of the plugin: that call is made again in a fresh one, whose
    /// outcome counts. So no message is parked for what an earlier one has broken.
    pub(crate) fn call<T>(
        &self,
        links: Arc<dyn Links>,
        call: impl Fn(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, CallError>>,
    ) -> Called<T> {
        if let Some(mut living) = self.keeper.take() {
            let started = Instant::now();
            living.store.data_mut().begin(started, Arc::clone(&links));
            let answer = living
                .store
                .set_fuel(self.terms.limits.fuel)
                .and_then(|()| call(&mut living.store, &living.instance));
            living.left -= 1;
            let called = self.ended(
                started,
                living.store,
                answer,
                Some((living.instance, living.left)),
            );
            if !called.answer.as_ref().is_err_and(is_doubtful) {
                return called;
            }
            tracing::debug!("a call broke in a kept instance and is made again in a fresh one");
        }
        let started = Instant::now();
        let (mut store, made) = self.fresh(started, &links);
        let instance = made.as_ref().ok().copied();
        let answer = made.and_then(|instance| call(&mut store, &instance));
        let kept = instance.map(|instance| (instance, self.keeper.draw() - 1));
        self.ended(started, store, answer, kept)
    }

    /// What came of a call. Its instance is kept for so many more if it has answered, and
    /// thrown away after any fault.
    fn ended<T>(
        &self,
        started: Instant,
        mut store: Store<State>,
        answer: wasmtime::Result<Result<T, CallError>>,
        kept: Option<(Instance, u32)>,
    ) -> Called<T> {
        let limits = &self.terms.limits;
        let answer = answer.unwrap_or_else(|error| Err(trap::explain(&error, store.data(), limits)));
        let fuel = limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let log = std::mem::take(&mut store.data_mut().log);
        match kept {
            Some((instance, left)) if answer.is_ok() => self.keeper.keep(Living {
                store,
                instance,
                left,
            }),
            _ => drop(store),
        }
        Called {
            answer,
            cost: Cost {
                fuel,
                elapsed: started.elapsed(),
                log,
            },
        }
    }
}

/// Whether a call that ended so in a used instance might have answered in a fresh one. A
/// plugin's own word on its input counts; so does time, which is spent by the host and
/// would be spent again.
fn is_doubtful(error: &CallError) -> bool {
    match error {
        CallError::Trapped(_) | CallError::BadAnswer(_) | CallError::Fault(Fault::Broken(_)) => true,
        CallError::Limit { setting, .. } => *setting != "time-ms",
        CallError::Fault(Fault::Invalid(_) | Fault::Waiting(_) | Fault::Unhandled(_))
        | CallError::Unsayable(_)
        | CallError::Host(_) => false,
    }
}
