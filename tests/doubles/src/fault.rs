//! Faults on demand: what goes wrong with the next request, told from outside while the double runs.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;

use crate::server::Reply;

/// One way for a request to go wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// None: the request is answered as ever, and the next fault is for one after it.
    Pass,
    /// The request is answered with this status and HubSpot's error object.
    Status(u16),
    /// 429, with a `Retry-After` in seconds where one is given.
    TooMany {
        /// The seconds of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// The request is read and never answered.
    Hang,
    /// The request is read and the connection closed without an answer.
    Cut,
    /// The request is carried out, and the connection closed without an answer.
    CutAfter,
    /// The answer's head promises more body than comes.
    Truncated,
    /// 200 with the page of some proxy.
    Html,
}

/// The handle to a running double's faults. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Faults {
    /// The next request that has no fault yet gets this one.
    pub fn next(&self, fault: Fault) {
        self.state().next.push_back(fault);
    }

    /// Every request gets this one, once those of [`next`](Self::next) are used up.
    pub fn always(&self, fault: Fault) {
        self.state().always = Some(fault);
    }

    /// All is well again.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// The reply to the request that is at hand: what `serve` makes of it, unless something goes wrong.
    pub(crate) fn reply(&self, serve: impl FnOnce() -> Reply) -> Reply {
        let fault = {
            let mut state = self.state();
            state.next.pop_front().or_else(|| state.always.clone())
        };
        fault.unwrap_or(Fault::Pass).reply(serve)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn reply(self, serve: impl FnOnce() -> Reply) -> Reply {
        let error = |category: &str| {
            json!({
                "status": "error",
                "message": "a fault on demand",
                "correlationId": "00000000-0000-0000-0000-000000000000",
                "category": category,
            })
        };
        match self {
            Self::Status(status) => Reply::json(status, &error("FAULT")),
            Self::TooMany { retry_after } => {
                let reply = Reply::json(429, &error("RATE_LIMITS"));
                match retry_after {
                    Some(seconds) => reply.header("Retry-After", &seconds.to_string()),
                    None => reply,
                }
            }
            Self::Hang => Reply::Hang,
            Self::Pass => serve(),
            Self::Cut => Reply::Cut,
            Self::CutAfter => {
                drop(serve());
                Reply::Cut
            }
            Self::Truncated => Reply::Truncated,
            Self::Html => Reply::html(200, "<html><body>Welcome to the hotel's network</body></html>"),
        }
    }
}
