//! One call of HubSpot's API, and what its answers mean.
//!
//! Unlike Odoo, HubSpot's status says it all. Its error object (`said.rs`) is read for one sentence, which names scopes and
//! properties.

use std::time::Duration;

use cambist_contract::secret::Secret;
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue},
};
use serde_json::Value;
use url::Url;

use super::said::Said;
use crate::{
    ConnectError,
    error::Again,
    http::{self, Answer, Call, Http},
    line::Line,
};

/// The generation of the API, part of every path.
pub(crate) const API: &str = "crm/objects/2026-03";

/// Most objects of one batch.
pub(crate) const BATCH: usize = 100;

/// A connection to one account.
#[derive(Clone)]
pub(crate) struct HubSpotClient {
    http: Http,
    time: Duration,
}

/// What HubSpot made of a write.
pub(crate) enum Wrote {
    /// It answered: what became of each row is in there; null where it answered without a word.
    Answer(Value),
    /// It refused the whole, and has written nothing of it.
    Refused(Said),
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

    /// Writes several things. The same once more must do no harm, whatever became of the first.
    ///
    /// # Errors
    ///
    /// There is no answer, or it says nothing about what was to be written.
    pub(crate) async fn write(&self, path: &str, body: &Value, what: &str) -> Result<Wrote, ConnectError> {
        let answer = self.send(Method::POST, path, &[], Some(body)).await?;
        match answer.status {
            204 => Ok(Wrote::Answer(Value::Null)),
            // 409: a value that another object has, where it must be unique; 404: an object that is not there
            400 | 404 | 409 if answer.is_json => Ok(Wrote::Refused(Said::of(&answer.body))),
            _ => self.meaning(&answer, what).map(Wrote::Answer),
        }
    }

    /// Whether the account answers and accepts our key.
    ///
    /// # Errors
    ///
    /// What is the matter.
    pub(crate) async fn ready(&self) -> Result<(), ConnectError> {
        let query = [("limit", "1".to_owned()), ("properties", "dealname".to_owned())];
        self.get(&format!("{API}/0-3"), &query, "deals").await.map(drop)
    }

    /// What was told of a kind of object that HubSpot cannot do, or was not even asked.
    pub(crate) fn misfit(&self, model: &str, reason: &str) -> ConnectError {
        ConnectError::Misfit {
            system: self.system().to_owned(),
            model: model.to_owned(),
            reason: reason.to_owned(),
        }
    }

    async fn read(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        what: &str,
    ) -> Result<Value, ConnectError> {
        let answer = self.send(method, path, query, body).await?;
        self.meaning(&answer, what)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Answer, ConnectError> {
        let call = Call {
            method,
            path,
            query,
            body,
            time: self.time,
            again: Again::Harmless,
        };
        self.http.send(call).await
    }

    pub(crate) fn meaning(&self, answer: &Answer, what: &str) -> Result<Value, ConnectError> {
        let system = self.system().to_owned();
        let said = || Said::of(&answer.body).reason();
        match answer.status {
            // 207: some of a batch are missing; why is in its `errors`, see `batch.rs` and `written.rs`
            200 | 201 | 207 if answer.is_json => {
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
