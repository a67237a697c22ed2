//! One call of HubSpot's API, and what its answers mean.
//!
//! Unlike Odoo, HubSpot's status says it all. Its error object is read for one sentence, which names scopes and properties.

use std::time::Duration;

use cambist_contract::secret::Secret;
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{
    ConnectError,
    error::{Again, reason},
    http::{self, Answer, Call, Http},
    line::Line,
};

/// A connection to one account.
pub(crate) struct HubSpotClient {
    http: Http,
    time: Duration,
}

#[derive(Default, Deserialize)]
struct ErrorObject {
    #[serde(default)]
    message: String,
}

impl HubSpotClient {
    /// A client for one account.
    ///
    /// # Errors
    ///
    /// The key has characters that no header can carry.
    pub(crate) fn new(
        client: http::Client,
        system: &str,
        address: Url,
        key: &Secret,
        time: Duration,
        line: Line,
    ) -> Result<Self, InvalidHeaderValue> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", key.expose()))?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        Ok(Self {
            http: Http::new(client, system, address, headers, line),
            time,
        })
    }

    /// The system's name.
    pub(crate) fn system(&self) -> &str {
        self.http.system()
    }

    /// Reads something; `what` names it for the error's text.
    ///
    /// # Errors
    ///
    /// There is no answer, or it is not what was asked for.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
        what: &str,
    ) -> Result<Value, ConnectError> {
        self.read(Method::GET, path, query, None, what).await
    }

    /// Reads several things by a POST, which changes nothing.
    ///
    /// # Errors
    ///
    /// There is no answer, or it is not what was asked for.
    pub(crate) async fn batch(&self, path: &str, body: &Value, what: &str) -> Result<Value, ConnectError> {
        self.read(Method::POST, path, &[], Some(body), what).await
    }

    async fn read(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        what: &str,
    ) -> Result<Value, ConnectError> {
        let call = Call {
            method,
            path,
            query,
            body,
            time: self.time,
            again: Again::Harmless,
        };
        let answer = self.http.send(call).await?;
        self.meaning(&answer, what)
    }

    pub(crate) fn meaning(&self, answer: &Answer, what: &str) -> Result<Value, ConnectError> {
        let system = self.system().to_owned();
        let said = || {
            let error: ErrorObject = serde_json::from_slice(&answer.body).unwrap_or_default();
            reason(&error.message)
        };
        match answer.status {
            // 207: some of a batch are missing; why is in its `errors`, see `batch.rs`
            200 | 207 if answer.is_json => {
                serde_json::from_slice(&answer.body).map_err(|_| ConnectError::Strange {
                    system,
                    what: "broken JSON".to_owned(),
                    again: Again::Harmless,
                })
            }
            401 => Err(ConnectError::KeyRefused { system }),
            403 => Err(ConnectError::NotAllowed {
                system,
                reason: said(),
            }),
            404 if answer.is_json => Err(ConnectError::Gone {
                system,
                what: what.to_owned(),
            }),
            // 423 (locked) and 477 (the account is being moved) ask for the same patience as 429
            423 | 429 | 477 => Err(ConnectError::Busy {
                system,
                wait: answer.retry_after,
            }),
            400..=499 if answer.is_json => Err(ConnectError::Misfit {
                system,
                model: what.to_owned(),
                reason: said(),
            }),
            status @ 500.. => Err(ConnectError::Troubled {
                system,
                what: format!("status {status}"),
                again: Again::Harmless,
            }),
            status => Err(ConnectError::Strange {
                system,
                what: format!("a page that is no JSON (status {status})"),
                again: Again::Harmless,
            }),
        }
    }
}
