//! The admin side as the app holds it, and the table of its routes.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    response::IntoResponse as _,
    routing::{self, MethodRouter},
};
use cambist_contract::{limits::MAX_COMPONENT, secret::Secret};
use cambist_journal::{Erasures, Journal, Ledger, Replays, Reports, Shadows};
use cambist_registry::Registry;
use http::Method;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    answer::{Reloaded, SystemStanding},
    api::{
        self, config, journal, links, messages, parked, plugins,
        plugins::beside,
        reconcile::{self, NotReconciled, Reconciling},
        replays, status, trace,
    },
    auth::{self, Gate},
    health, metrics,
    options::Options,
    progress::Progress,
    refusal::Refusal,
};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Largest body of one call, in bytes: a decision is a name and a few words. A component
/// that is sent in may be as large as one in the folder.
const BODY_LIMIT: usize = 4 << 10;

/// How long a token is, in characters: 22 of base64 or hex hold 88 bits and more,
/// so that it cannot be guessed at any pace; 256 fit every proxy's headers.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 22..=256;

/// Reads the host's config again, and lets it hold; or tells everything that is wrong with
/// it. It blocks.
pub type Reload = Arc<dyn Fn() -> Result<Reloaded, Vec<String>> + Send + Sync>;

/// Compares both sides of flows, and gives the reports, as `cambist_reconcile::Report` is written.
pub type Reconcile =
    Arc<dyn Fn(Reconciling) -> Pin<Box<dyn Future<Output = Reconciled> + Send>> + Send + Sync>;

/// The reports, or why there are none.
pub type Reconciled = Result<Vec<serde_json::Value>, NotReconciled>;

/// How the systems are that are called.
pub type Systems = Arc<dyn Fn() -> Vec<SystemStanding> + Send + Sync>;

/// What the admin side is made of.
pub struct Setup {
    /// What can be set.
    pub options: Options,
    /// The value of [`Options::token`].
    pub token: Secret,
    /// Where messages are read and decisions go.
    pub journal: Arc<dyn Journal>,
    /// Where things are forgotten: the same journal.
    pub erasures: Arc<dyn Erasures>,
    /// Where is kept what shadows answered.
    pub shadows: Arc<dyn Shadows>,
    /// Where is kept what is to be replayed.
    pub replays: Arc<dyn Replays>,
    /// Where is written what serves.
    pub ledger: Arc<dyn Ledger>,
    /// Where plugins are.
    pub registry: Arc<Registry>,
    /// Reads the config again.
    pub reload: Reload,
    /// Compares both sides of flows.
    pub reconcile: Reconcile,
    /// Where is kept what comparisons came to.
    pub reports: Arc<dyn Reports>,
    /// Tells how the systems are.
    pub systems: Systems,
    /// What ended lately. The app has it [watch](Progress::watch) the journal.
    pub progress: Arc<Progress>,
    /// Renders what was counted. The app installs the recorder, and runs the
    /// handle's upkeep.
    pub metrics: PrometheusHandle,
    /// Tells the time of decisions.
    pub clock: Clock,
}

/// The admin side cannot be set up.
#[derive(Clone, Debug, Eq, PartialEq, Error)]
pub enum SetupError {
    /// The token can be guessed, or cannot be sent in a header.
    #[error(
        "the admin token in {0} must be 22 to 256 printable ASCII characters without spaces; \
         `openssl rand -hex 16` makes one"
    )]
    Token(cambist_contract::secret::SecretRef),
}

/// Answers probes, scrapers and operators.
pub struct Admin {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) erasures: Arc<dyn Erasures>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) shadows: Arc<dyn Shadows>,
    pub(crate) replays: Arc<dyn Replays>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) reload: Reload,
    pub(crate) reconcile: Reconcile,
    pub(crate) reports: Arc<dyn Reports>,
    pub(crate) systems: Systems,
    pub(crate) progress: Arc<Progress>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) clock: Clock,
    pub(crate) gate: Gate,
    /// One permit: a check of the whole journal reads all of it.
    pub(crate) verifying: Semaphore,
    /// Held from where it is looked how a message stands until what follows from that is
    /// durable: of two operators the second sees what the first one did.
    pub(crate) deciding: Mutex<()>,
}

/// One route: its method, its address, who answers.
pub(crate) type Route = (Method, &'static str, MethodRouter<Arc<Admin>>);

/// What anybody may ask who reaches the port.
pub(crate) fn open_routes() -> Vec<Route> {
    vec![
        (Method::GET, "/healthz", routing::get(health::alive)),
        (Method::GET, "/readyz", routing::get(health::ready)),
        (Method::GET, "/metrics", routing::get(metrics::render)),
    ]
}

/// What operators may ask. Each is checked for the token first.
pub(crate) fn api_routes() -> Vec<Route> {
    vec![
        (Method::GET, "/api/messages", routing::get(messages::list)),
        (Method::GET, "/api/messages/{id}", routing::get(messages::show)),
        (
            Method::POST,
            "/api/messages/{id}/resume",
            routing::post(messages::resume),
        ),
        (
            Method::POST,
            "/api/messages/{id}/release",
            routing::post(messages::release),
        ),
        (Method::GET, "/api/status", routing::get(status::show)),
        (Method::GET, "/api/parked", routing::get(parked::list)),
        (
            Method::POST,
            "/api/parked/retry",
            routing::post(parked::retry::retry).layer(DefaultBodyLimit::max(parked::retry::BODY_LIMIT)),
        ),
        (
            Method::POST,
            "/api/parked/{id}/skip",
            routing::post(parked::repair::skip),
        ),
        (
            Method::POST,
            "/api/parked/{id}/edit",
            routing::post(parked::repair::edit).layer(DefaultBodyLimit::max(parked::repair::INPUT_LIMIT)),
        ),
        (
            Method::POST,
            "/api/replays",
            routing::post(replays::order).layer(DefaultBodyLimit::max(replays::BODY_LIMIT)),
        ),
        (Method::GET, "/api/replays", routing::get(replays::list)),
        (Method::GET, "/api/replays/{number}", routing::get(replays::show)),
        (
            Method::POST,
            "/api/replays/{number}/stop",
            routing::post(replays::stop),
        ),
        (Method::GET, "/api/trace/{record}", routing::get(trace::show)),
        (Method::GET, "/api/plugins", routing::get(plugins::list)),
        (
            Method::POST,
            "/api/plugins/{plugin}/push",
            routing::post(plugins::push).layer(DefaultBodyLimit::max(MAX_COMPONENT)),
        ),
        (
            Method::POST,
            "/api/plugins/{plugin}/live",
            routing::post(plugins::live),
        ),
        (
            Method::POST,
            "/api/plugins/{plugin}/back",
            routing::post(plugins::back),
        ),
        (
            Method::POST,
            "/api/plugins/{plugin}/shadow",
            routing::post(beside::shadow),
        ),
        (
            Method::POST,
            "/api/plugins/{plugin}/share",
            routing::post(beside::share),
        ),
        (
            Method::POST,
            "/api/plugins/{plugin}/withdraw",
            routing::post(beside::withdraw),
        ),
        (
            Method::GET,
            "/api/plugins/{plugin}/diff",
            routing::get(beside::diff),
        ),
        (
            Method::POST,
            "/api/plugins/{plugin}/kill",
            routing::post(plugins::kill),
        ),
        (Method::GET, "/api/links", routing::get(links::show)),
        (Method::POST, "/api/links/unlink", routing::post(links::unlink)),
        (Method::POST, "/api/config/reload", routing::post(config::reload)),
        (Method::GET, "/api/reconcile", routing::get(reconcile::last)),
        (
            Method::POST,
            "/api/reconcile",
            routing::post(reconcile::reconcile),
        ),
        (Method::GET, "/api/journal/verify", routing::get(journal::verify)),
        (
            Method::POST,
            "/api/journal/erase",
            routing::post(journal::erase::erase).layer(DefaultBodyLimit::max(journal::erase::BODY_LIMIT)),
        ),
    ]
}

impl Admin {
    /// Looks at the options and starts nothing.
    ///
    /// # Errors
    ///
    /// The token is none that could protect anything.
    pub fn check(options: &Options, token: &Secret) -> Result<(), SetupError> {
        let text = token.expose();
        if TOKEN_LENGTH.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(())
        } else {
            Err(SetupError::Token(options.token.clone()))
        }
    }

    /// Puts the admin side together.
    ///
    /// # Errors
    ///
    /// The token is none that could protect anything.
    pub fn new(setup: Setup) -> Result<Self, SetupError> {
        Self::check(&setup.options, &setup.token)?;
        Ok(Self {
            gate: Gate::new(&setup.token, setup.options.attempts_per_minute),
            journal: setup.journal,
            erasures: setup.erasures,
            registry: setup.registry,
            shadows: setup.shadows,
            replays: setup.replays,
            ledger: setup.ledger,
            reload: setup.reload,
            reconcile: setup.reconcile,
            reports: setup.reports,
            systems: setup.systems,
            progress: setup.progress,
            metrics: setup.metrics,
            clock: setup.clock,
            verifying: Semaphore::new(1),
            deciding: Mutex::new(()),
        })
    }

    /// The routes, for a listener of their own.
    pub fn router(self) -> Router {
        let admin = Arc::new(self);
        let collect = |routes: Vec<Route>| {
            routes
                .into_iter()
                .fold(Router::new(), |router, (_, path, answers)| {
                    router.route(path, answers)
                })
        };
        let api = collect(api_routes())
            .route("/api", routing::any(nowhere))
            .route("/api/{*rest}", routing::any(nowhere))
            .method_not_allowed_fallback(wrong_method)
            .layer(middleware::map_response(api::no_store))
            .layer(middleware::from_fn_with_state(Arc::clone(&admin), auth::check));
        collect(open_routes())
            .method_not_allowed_fallback(wrong_method)
            .merge(api)
            .fallback(nowhere)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(CatchPanicLayer::custom(|_| Refusal::Defect.into_response()))
            .with_state(admin)
    }
}

async fn nowhere() -> Refusal {
    Refusal::NotFound
}

async fn wrong_method() -> Refusal {
    Refusal::Method
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn description() -> serde_json::Value {
        serde_json::from_str(include_str!("../openapi.json")).unwrap()
    }

    #[test]
    fn states_and_stages_are_described_by_their_names() {
        let description = description();
        let schemas = &description["components"]["schemas"];
        let stages = cambist_contract::stage::Stage::ALL.map(|stage| stage.name());
        assert_eq!(schemas["Stage"]["enum"], serde_json::json!(stages));
        let states = serde_json::json!(messages::STATES);
        assert_eq!(schemas["Status"]["properties"]["state"]["enum"], states);
    }

    #[test]
    fn every_route_is_in_the_description_and_the_other_way_round() {
        let described: BTreeSet<_> = description()["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().iter();
                methods
                    .filter(|(name, _)| *name != "parameters")
                    .map(|(method, operation)| {
                        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
                        (method.to_uppercase(), path.clone(), is_open)
                    })
            })
            .collect();
        let with = |routes: Vec<Route>, is_open: bool| {
            routes
                .into_iter()
                .map(move |(method, path, _)| (method.to_string(), path.to_owned(), is_open))
        };
        let routed: BTreeSet<_> = with(open_routes(), true)
            .chain(with(api_routes(), false))
            .collect();
        assert_eq!(described, routed);
    }
}
