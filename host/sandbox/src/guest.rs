//! One call: a fresh instance with its budget, and what it cost.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use cambist_contract::{
    limits::Limits,
    plugin::{CallError, Called, Cost, Links, LoadError, LogLine, NoLinks},
    revision::{Grant, Tables},
};
use wasmtime::{
    Engine, Store,
    component::{Instance, InstancePre},
};

use crate::{limiter::Limiter, trap};

/// What the host keeps for one call.
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

impl State {
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
        let limits = &self.terms.limits;
        if self.budget.started.elapsed().as_millis() > u128::from(limits.time_ms) {
            return self.meet("time-ms", self.terms.limits.time_ms);
        }
        Ok(())
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
        let limits = &self.terms.limits;
        let mut store = self.store(Instant::now(), Arc::new(NoLinks));
        let instance = store
            .set_fuel(limits.fuel)
            .and_then(|()| self.pre.instantiate(&mut store))
            .map_err(|error| match trap::explain(&error, store.data(), limits) {
                CallError::Host(busy) => LoadError::Host(busy),
                other => LoadError::TooLarge(other.to_string()),
            })?;
        check(&mut store, &instance)
    }

    fn store(&self, started: Instant, links: Arc<dyn Links>) -> Store<State> {
        let limits = &self.terms.limits;
        let state = State {
            limiter: Limiter::new(limits),
            budget: Budget {
                started,
                host_calls: 0,
                host_bytes: 0,
                log_lines: 0,
                log_bytes: 0,
                met: None,
            },
            terms: Arc::clone(&self.terms),
            links,
            log: Vec::new(),
            last_words: Vec::new(),
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(usize::try_from(limits.transfer).unwrap_or(usize::MAX));
        store
    }

    /// Makes one call in a fresh instance.
    ///
    /// `call` gets the store and the instance, and answers what the guest said.
    pub(crate) fn call<T>(
        &self,
        links: Arc<dyn Links>,
        call: impl FnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, CallError>>,
    ) -> Called<T> {
        let started = Instant::now();
        let limits = &self.terms.limits;
        let mut store = self.store(started, links);
        let answer = store
            .set_fuel(limits.fuel)
            .and_then(|()| self.pre.instantiate(&mut store))
            .and_then(|instance| call(&mut store, &instance))
            .unwrap_or_else(|error| Err(trap::explain(&error, store.data(), limits)));
        let fuel = limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let log = std::mem::take(&mut store.data_mut().log);
        drop(store);
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
