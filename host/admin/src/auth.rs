//! Who may use the API: whoever sends the token. Nothing is said about what was
//! wrong with a call that does not.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use cambist_contract::{digest::Digest, secret::Secret};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use crate::{Admin, metrics, refusal::Refusal};

/// Knows the right token, and how many wrong ones have come.
pub(crate) struct Gate {
    /// The token's digest: two digests are compared in the same time whatever the
    /// lengths of the tokens are.
    token: Digest,
    /// Refusals that are still answered and logged one by one.
    refusals: DefaultDirectRateLimiter,
}

impl Gate {
    pub(crate) fn new(token: &Secret, attempts_per_minute: NonZeroU32) -> Self {
        Self {
            token: Digest::of(token.expose().as_bytes()),
            refusals: RateLimiter::direct(Quota::per_minute(attempts_per_minute)),
        }
    }

    /// Lets the right token pass, at any pace: the token is too long to be
    /// guessed, so the limit on refusals need only keep noise out of the log, and
    /// nobody can use it to lock operators out.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let right = bearer(headers).is_some_and(|token| {
            let given = Digest::of(token.as_bytes());
            bool::from(given.as_bytes().ct_eq(self.token.as_bytes()))
        });
        if right {
            return Ok(());
        }
        match self.refusals.check() {
            Ok(()) => Err(Refusal::Unauthorized),
            Err(not_until) => Err(Refusal::TooManyAttempts {
                // rounded up to seconds where it is written
                wait: not_until
                    .wait_time_from(DefaultClock::default().now())
                    .max(Duration::from_secs(1)),
            }),
        }
    }
}

/// The token of the one `Authorization` header, whose scheme is written in any
/// case (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

/// Stands before every address of the API.
pub(crate) async fn check(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    match admin.gate.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            metrics::refused(&refusal);
            if matches!(refusal, Refusal::Unauthorized) {
                tracing::warn!("a call to the API without the right token was refused");
            }
            refusal.into_response()
        }
    }
}
