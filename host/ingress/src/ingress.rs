//! The ingress as the app holds it: who may call, where messages go, which routes
//! there are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
    routing::{any, post},
};
use cambist_contract::secret::{Secret, SecretRef};
use cambist_journal::Journal;
use governor::DefaultDirectRateLimiter;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    body::Limits,
    hubspot::HubSpot,
    metrics,
    odoo::Odoo,
    options::Options,
    receive,
    rejection::Rejection,
    setup::{self, SetupError},
    standard::Standard,
};

/// Tells the time. Asked once a call.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Receives what systems send, and makes it durable before it answers.
pub struct Ingress {
    pub(crate) doors: BTreeMap<String, Door>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// One permit for each call that is worked on, until the journal has it.
    pub(crate) hands: Arc<Semaphore>,
}

/// One system that may call.
pub(crate) struct Door {
    pub(crate) scheme: Scheme,
    pub(crate) pace: DefaultDirectRateLimiter,
}

/// How a system proves who it is, and what it sends.
pub(crate) enum Scheme {
    HubSpot(HubSpot),
    Standard(Standard),
    Odoo(Odoo),
}

impl Ingress {
    /// Builds the ingress. `secrets` has the value of everything that
    /// [`Options::secret_refs`] names.
    ///
    /// # Errors
    ///
    /// All that is wrong with the options or the secrets, at once.
    pub fn new(
        options: &Options,
        secrets: &BTreeMap<SecretRef, Secret>,
        journal: Arc<dyn Journal>,
        clock: Clock,
    ) -> Result<Self, Vec<SetupError>> {
        Ok(Self {
            doors: setup::doors(options, secrets)?,
            journal,
            clock,
            limits: Limits {
                bytes: options.body_limit,
                time: Duration::from_millis(options.body_time_ms),
            },
            hands: Arc::new(Semaphore::new(options.calls_at_once)),
        })
    }

    /// Checks options and secrets as [`new`](Self::new) does, and builds nothing.
    ///
    /// # Errors
    ///
    /// All that is wrong with them, at once.
    pub fn check(options: &Options, secrets: &BTreeMap<SecretRef, Secret>) -> Result<(), Vec<SetupError>> {
        setup::doors(options, secrets).map(drop)
    }

    /// The routes: everything under `/in/`, and nothing else, so that it can be
    /// merged with other routers. Serve it with [`serve`](crate::serve::serve),
    /// which limits the time that headers may take.
    pub fn router(self) -> Router {
        let limit = self.limits.bytes;
        Router::new()
            .route("/in/{system}", post(receive::at_system).fallback(wrong_method))
            .route(
                "/in/{system}/{token}",
                post(receive::at_token).fallback(wrong_method),
            )
            .route("/in/{system}/{token}/{*rest}", any(wrong_path))
            .layer(DefaultBodyLimit::max(limit))
            .layer(CatchPanicLayer::custom(|_| refuse(&Rejection::Defect)))
            .with_state(Arc::new(self))
    }
}

async fn wrong_method() -> Response {
    refuse(&Rejection::Method)
}

async fn wrong_path() -> Response {
    refuse(&Rejection::NotFound)
}

/// A refusal that no system is to be blamed for.
fn refuse(rejection: &Rejection) -> Response {
    metrics::rejected(metrics::UNKNOWN_SYSTEM, rejection.reason());
    rejection.problem().into_response()
}
