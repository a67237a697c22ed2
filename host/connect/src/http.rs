//! The one HTTP client, and the one address each connector may talk to with it.
//!
//! It knows no system: what an answer means is the connectors' business. It keeps the promises that must not depend on a
//! connector's care: only to that address, no redirects, no proxies, a time limit, a size limit, nothing secret in a log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use url::Url;

use crate::{ConnectError, error::Again, line::Line, metrics};

/// How long a connection may take: some round trips across the world, with packets lost.
pub(crate) const CONNECT_TIME: Duration = Duration::from_secs(10);

/// The largest answer that is read: 8 MiB. The largest we ask for is a batch of 100 HubSpot objects with all their properties,
/// some 2 MB; a plugin hands out 16 MiB at most.
pub(crate) const ANSWER_LIMIT: usize = 8 << 20;

/// Writes the trace that the current span is part of among a call's headers (W3C Trace Context), if it is part of one.
pub type Traced = fn(&mut HeaderMap);

/// The client that all systems share.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    traced: Option<Traced>,
}

impl Client {
    /// Makes the client.
    ///
    /// # Errors
    ///
    /// The machine has no certificates to check others against.
    pub(crate) fn new(traced: Option<Traced>) -> Result<Self, reqwest::Error> {
        // whoever comes second finds it done
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // whether something is sent again is decided by what it is, not by the client
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIME)
            .user_agent(concat!("cambist/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, traced })
    }
}

/// The shared client, bound to one system's address.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    system: String,
    address: Url,
    headers: HeaderMap,
    line: Line,
    answer_limit: usize,
}

/// One request.
pub(crate) struct Call<'a> {
    /// GET or POST.
    pub method: Method,
    /// The path under the system's address, without a leading slash.
    pub path: &'a str,
    /// The query.
    pub query: &'a [(&'a str, String)],
    /// The body, for POST.
    pub body: Option<&'a serde_json::Value>,
    /// How long the whole may take.
    pub time: Duration,
    /// What the same again would do, should no answer come.
    pub again: Again,
}

/// What came back.
pub(crate) struct Answer {
    /// The status.
    pub status: u16,
    /// Whether it says that it is JSON.
    pub is_json: bool,
    /// The wait it asks for.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

impl Http {
    /// Binds the client to a system. `headers` go with every request; secret ones must be marked as sensitive. `line` says how
    /// often there may be one.
    pub(crate) fn new(client: Client, system: &str, address: Url, headers: HeaderMap, line: Line) -> Self {
        Self {
            client,
            system: system.to_owned(),
            address,
            headers,
            line,
            answer_limit: ANSWER_LIMIT,
        }
    }

    /// The system's name.
    pub(crate) fn system(&self) -> &str {
        &self.system
    }

    /// Host and port, for messages.
    fn authority(&self) -> String {
        let host = self.address.host_str().unwrap_or_default();
        let port = self.address.port_or_known_default().unwrap_or_default();
        format!("{host}:{port}")
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// There is no complete answer.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, ConnectError> {
        self.line.call().await;
        let begun = Instant::now();
        let body = call.body.map(ToString::to_string);
        let size = body.as_ref().map_or(0, String::len);
        let result = self.exchange(&call, body).await;
        let outcome = match &result {
            Ok(answer) => StatusCode::from_u16(answer.status).map_or("other", |status| match status {
                status if status.is_success() => "2xx",
                status if status.is_client_error() => "4xx",
                status if status.is_server_error() => "5xx",
                _ => "other",
            }),
            Err(error) => error.code(),
        };
        let took = begun.elapsed();
        metrics::called(&self.system, outcome, took);
        if result.is_ok() {
            self.line.answered(&kind(call.path, size), begun, took);
        }
        tracing::debug!(system = %self.system, path = call.path, outcome, took_ms = took.as_millis(), "called");
        result
    }

    async fn exchange(&self, call: &Call<'_>, body: Option<String>) -> Result<Answer, ConnectError> {
        let mut url = self.address.clone();
        // set, not joined: a path can then never name another host
        url.set_path(&format!(
            "{}/{}",
            self.address.path().trim_end_matches('/'),
            call.path
        ));
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let mut headers = self.headers.clone();
        if let Some(traced) = self.client.traced {
            traced(&mut headers);
        }
        let mut request = self
            .client
            .http
            .request(call.method.clone(), url)
            .headers(headers)
            .timeout(call.time);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = request.send().await.map_err(|error| self.failed(error, call))?;
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let is_json = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
        // seconds only; a date would need a clock that both sides agree on
        let retry_after = header(RETRY_AFTER)
            .and_then(|wait| wait.trim().parse().ok())
            .map(Duration::from_secs);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error, call))? {
            if body.len() + chunk.len() > self.answer_limit {
                return Err(ConnectError::TooLarge {
                    system: self.system.clone(),
                    limit: self.answer_limit,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            is_json,
            retry_after,
            body,
        })
    }

    fn failed(&self, error: reqwest::Error, call: &Call<'_>) -> ConnectError {
        let system = self.system.clone();
        // a URL may have ids in its query
        let error = error.without_url();
        if error.is_connect() {
            ConnectError::Unreachable {
                system,
                authority: self.authority(),
                source: Arc::new(error),
            }
        } else if error.is_timeout() {
            ConnectError::NoAnswer {
                system,
                waited: call.time,
                again: call.again,
            }
        } else {
            ConnectError::CutOff {
                system,
                again: call.again,
                source: Arc::new(error),
            }
        }
    }
}

/// What a path asks for, by its last part that is no id, and about how much is sent, in powers of ten: a hundred rows are not
/// slow because one is quick.
fn kind(path: &str, size: usize) -> String {
    let is_id = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let what = path.rsplit('/').find(|part| !is_id(part)).unwrap_or_default();
    format!("{what} 1e{}", size.checked_ilog10().unwrap_or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::delivery::NextTry;
    use cambist_doubles::{Scripted, server::Reply};
    use serde_json::json;

    use std::num::NonZeroU32;

    use super::*;
    use crate::{breaker::Terms, line::Bounds};

    const TWICE: Again = Again::Twice {
        at_work: Duration::from_secs(120),
    };

    fn line() -> Line {
        let bounds = Bounds {
            at_once: NonZeroU32::MIN,
            rate: None,
            breaker: Terms::default(),
        };
        Line::new("far", bounds)
    }

    fn http(url: &str) -> Http {
        Http::new(
            Client::new(None).unwrap(),
            "far",
            url.parse().unwrap(),
            HeaderMap::new(),
            line(),
        )
    }

    #[test]
    fn calls_are_of_one_kind_whatever_object_they_are_about() {
        assert_eq!(kind("json/2/res.partner/load", 512), "load 1e2");
        assert_eq!(kind("json/2/res.partner/load", 20_000), "load 1e4");
        assert_eq!(kind("crm/objects/2026-03/0-3/123", 0), "0-3 1e0");
        assert_eq!(kind("crm/objects/2026-03/contacts/batch/read", 9), "read 1e0");
        assert_eq!(kind("1/2", 0), " 1e0");
    }

    fn get(path: &str) -> Call<'_> {
        Call {
            method: Method::GET,
            path,
            query: &[],
            body: None,
            time: Duration::from_millis(300),
            again: Again::Harmless,
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() -> anyhow::Result<()> {
        let elsewhere = Scripted::start(vec![Reply::json(200, &json!("secret"))]).await?;
        let reply = Reply::json(302, &json!(null)).header("Location", &elsewhere.url());
        let server = Scripted::start(vec![reply]).await?;
        let answer = http(&server.url()).send(get("a")).await?;
        assert_eq!(answer.status, 302);
        assert!(elsewhere.seen().is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn a_call_bears_the_trace_where_there_is_one() -> anyhow::Result<()> {
        const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let server = Scripted::start(vec![Reply::json(200, &json!(1)); 2]).await?;
        let traced: Traced = |headers| drop(headers.insert("traceparent", HeaderValue::from_static(TRACE)));
        for traced in [None, Some(traced)] {
            let client = Client::new(traced)?;
            let http = Http::new(client, "far", server.url().parse()?, HeaderMap::new(), line());
            http.send(get("a")).await?;
        }
        let told: Vec<Option<String>> = server
            .seen()
            .into_iter()
            .map(|request| request.headers.get("traceparent").cloned())
            .collect();
        assert_eq!(told, [None, Some(TRACE.to_owned())]);
        Ok(())
    }

    #[tokio::test]
    async fn a_path_cannot_name_another_host() -> anyhow::Result<()> {
        let server = Scripted::start(vec![Reply::json(200, &json!(1)); 2]).await?;
        for path in ["//evil.example/a", "http://evil.example/"] {
            http(&server.url()).send(get(path)).await?;
        }
        assert_eq!(server.seen().len(), 2);
        Ok(())
    }

    #[tokio::test]
    async fn silence_and_broken_answers_say_whether_to_look_first() -> anyhow::Result<()> {
        let server = Scripted::start(vec![Reply::Hang, Reply::Cut, Reply::Truncated, Reply::Cut]).await?;
        let http = http(&server.url());
        let mut codes = Vec::new();
        for _ in 0..3 {
            codes.push(http.send(get("a")).await.err().map(|error| error.code()));
        }
        assert_eq!(codes, [Some("no-answer"), Some("cut-off"), Some("cut-off")]);
        let error = http
            .send(Call {
                again: TWICE,
                ..get("a")
            })
            .await
            .err()
            .unwrap();
        assert_eq!(
            error.next_try(),
            NextTry::LookUpFirst {
                not_before: Duration::from_secs(120)
            }
        );
        Ok(())
    }

    #[tokio::test]
    async fn nobody_there_is_known_to_have_seen_nothing() {
        // a port that was free a moment ago
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = http(&url)
            .send(Call {
                again: TWICE,
                ..get("a")
            })
            .await
            .err()
            .unwrap();
        assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });
        assert!(
            error.to_string().starts_with("cannot reach far at 127.0.0.1:"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut() -> anyhow::Result<()> {
        let server = Scripted::start(vec![Reply::json(200, &json!("x".repeat(2000)))]).await?;
        let mut http = http(&server.url());
        http.answer_limit = 1000;
        let error = http.send(get("a")).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            "the answer of far is larger than 1000 bytes; ask for fewer fields"
        );
        Ok(())
    }

    #[tokio::test]
    async fn retry_after_is_read_in_seconds() -> anyhow::Result<()> {
        let reply = Reply::json(429, &json!({})).header("Retry-After", "7");
        let server = Scripted::start(vec![reply]).await?;
        assert_eq!(
            http(&server.url()).send(get("a")).await?.retry_after,
            Some(Duration::from_secs(7))
        );
        Ok(())
    }
}
