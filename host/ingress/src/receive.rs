//! The way of a call: found, declared, read, proven, paced, split, durable,
//! answered. In this order, and nothing else before the answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{OriginalUri, Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use cambist_contract::message::Message;
use cambist_journal::journal::Accepted;
use governor::clock::Clock as _;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{Instrument, Span, field};

use crate::{
    answer::Taken,
    body,
    call::{Call, Event},
    headers,
    ingress::{Door, Ingress, Scheme},
    metrics,
    odoo::Odoo,
    rejection::{Doubt, Rejection},
};

/// How long the journal is waited for: HubSpot gives up after 5 s. A call whose
/// sender has gone is made durable all the same.
const JOURNAL_TIME: Duration = Duration::from_secs(4);

/// `POST /in/{system}`.
pub(crate) async fn at_system(
    State(ingress): State<Arc<Ingress>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let system = path.map(|Path(system)| system).unwrap_or_default();
    answer(&ingress, &system, None, request).await
}

/// `POST /in/{system}/{token}`.
pub(crate) async fn at_token(
    State(ingress): State<Arc<Ingress>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let (system, token) = path.map(|Path(both)| both).unwrap_or_default();
    answer(&ingress, &system, Some(&token), request).await
}

/// Takes the call or does not, counts it, and tells the sender.
async fn answer(ingress: &Ingress, system: &str, token: Option<&str>, request: Request) -> Response {
    let started = Instant::now();
    let label = ingress
        .doors
        .get_key_value(system)
        .map_or(metrics::UNKNOWN_SYSTEM, |(name, _)| name);
    let span = tracing::info_span!("ingress", system = label, messages = field::Empty);
    let result = ingress
        .take(system, token, request)
        .instrument(span.clone())
        .await;
    let _entered = span.enter();
    let response = match result {
        Ok(taken) => {
            metrics::taken(label, taken.accepted + taken.duplicates, taken.duplicates);
            tracing::info!(accepted = taken.accepted, duplicates = taken.duplicates, "taken");
            taken.into_response()
        }
        Err(rejection) => {
            metrics::rejected(label, rejection.reason());
            log(&rejection);
            rejection.into_response()
        }
    };
    metrics::answered(label, started.elapsed());
    response
}

/// Our own trouble is an error. A proof that does not fit is a warning: it is an
/// attack, or a wrong secret or address, and then events are being lost. What any
/// scanner tries is not worth a line at the usual level.
fn log(rejection: &Rejection) {
    match rejection {
        Rejection::Journal(_) | Rejection::JournalSlow { .. } | Rejection::Defect => {
            tracing::error!(reason = rejection.reason(), "not taken: {rejection}");
        }
        Rejection::NotFound
        | Rejection::Method
        | Rejection::NotAuthentic(Doubt::NoProof)
        | Rejection::MediaType
        | Rejection::TooLarge { .. }
        | Rejection::Slow { .. }
        | Rejection::BrokenOff => {
            tracing::debug!(reason = rejection.reason(), "not taken: {rejection}");
        }
        Rejection::TooMany { .. }
        | Rejection::NotAuthentic(Doubt::Forged | Doubt::Stale)
        | Rejection::Unreadable(_)
        | Rejection::TooFast { .. }
        | Rejection::Busy => {
            tracing::warn!(reason = rejection.reason(), "not taken: {rejection}");
        }
    }
}

impl Ingress {
    async fn take(&self, system: &str, token: Option<&str>, request: Request) -> Result<Taken, Rejection> {
        let received_at = (self.clock)();
        let door = self.find(system, token)?;
        body::check_media_type(request.headers())?;
        let permit = Arc::clone(&self.hands)
            .try_acquire_owned()
            .map_err(|_| Rejection::Busy)?;

        // A router that nests ours may have cut the path; what was signed is the whole one.
        let called = request
            .extensions()
            .get::<OriginalUri>()
            .map_or(request.uri(), |original| &original.0);
        let path_and_query = called
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        let headers = request.headers().clone();
        let body = body::read(request, self.limits).await?;

        let call = Call {
            system,
            path_and_query: &path_and_query,
            headers: &headers,
            body,
            received_at,
        };
        door.scheme.authenticate(&call)?;
        door.keep_pace()?;
        let events = door.scheme.split(&call)?;
        let kept = headers::kept(&headers);
        let messages: Vec<_> = events
            .into_iter()
            .map(|event| call.message(event, &kept))
            .collect();
        drop(call);
        self.keep(messages, permit).await
    }

    /// The system that has this address. Who has no token is looked at as long as
    /// who has a wrong one, and hears the same.
    fn find(&self, system: &str, token: Option<&str>) -> Result<&Door, Rejection> {
        let door = self.doors.get(system);
        let found = match (door.map(|door| &door.scheme), token) {
            (Some(Scheme::Odoo(odoo)), Some(token)) => odoo.knows(token),
            (None | Some(Scheme::HubSpot(_) | Scheme::Standard(_)), Some(token)) => {
                Odoo::nobody().knows(token)
            }
            (Some(Scheme::HubSpot(_) | Scheme::Standard(_)), None) => true,
            (None | Some(Scheme::Odoo(_)), None) => false,
        };
        door.filter(|_| found).ok_or(Rejection::NotFound)
    }

    /// Hands the messages to the journal and waits until they are durable.
    ///
    /// The work goes on when the sender hangs up, as Odoo does after a second: it
    /// will not send again. The permit goes with it, so that a slow journal cannot
    /// pile up more than the calls at once.
    async fn keep(&self, messages: Vec<Message>, permit: OwnedSemaphorePermit) -> Result<Taken, Rejection> {
        let count = messages.len();
        if count == 0 {
            return Ok(Taken {
                accepted: 0,
                duplicates: 0,
            });
        }
        let ids: Vec<_> = messages.iter().map(|message| message.id.as_str()).collect();
        Span::current().record("messages", ids.join(","));

        let journal = Arc::clone(&self.journal);
        let work = async move {
            let _permit = permit;
            journal.accept(messages).await
        };
        let work = tokio::spawn(work.in_current_span());
        let answers = match tokio::time::timeout(JOURNAL_TIME, work).await {
            Err(_) => return Err(Rejection::JournalSlow { limit: JOURNAL_TIME }),
            Ok(Err(_)) => return Err(Rejection::Defect),
            Ok(Ok(answers)) => answers.map_err(Rejection::Journal)?,
        };
        if answers.len() != count {
            return Err(Rejection::Defect);
        }
        let accepted = answers.iter().filter(|answer| **answer == Accepted::New).count();
        Ok(Taken {
            accepted,
            duplicates: count - accepted,
        })
    }
}

impl Door {
    fn keep_pace(&self) -> Result<(), Rejection> {
        self.pace.check().map_err(|until| Rejection::TooFast {
            wait: until.wait_time_from(self.pace.clock().now()),
        })
    }
}

impl Scheme {
    fn authenticate(&self, call: &Call<'_>) -> Result<(), Rejection> {
        match self {
            Self::HubSpot(hubspot) => hubspot.authenticate(call).map_err(Rejection::NotAuthentic),
            Self::Standard(standard) => standard.authenticate(call),
            // its proof is the address, and that has been found
            Self::Odoo(_) => Ok(()),
        }
    }

    fn split(&self, call: &Call<'_>) -> Result<Vec<Event>, Rejection> {
        match self {
            Self::HubSpot(hubspot) => hubspot.split(call),
            Self::Standard(standard) => standard.split(call),
            Self::Odoo(odoo) => odoo.split(call),
        }
    }
}
