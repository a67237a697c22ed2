//! Requests to one registry of OCI artifacts, within bounds: to the address the operator named,
//! past no proxy, and with so much of each answer read as is known to be enough.
//!
//! What is asked for, and who asks, is not known here. Why it is not a client library's is
//! decision 33 in ARCHITECTURE.md.

use std::{fmt, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use oci_spec::distribution::Reference;
use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use url::{Host, Url};

/// How long a connection may take, as for systems.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long a registry may be silent: after the last byte of an upload it moves up to 32 MiB
/// in its own store before it answers.
const SILENCE: Duration = Duration::from_secs(60);

/// The largest answer that is no component: 256 KiB. A plugin's manifest has 600 bytes, a
/// token with many groups some 20 kB.
pub(super) const MAX_ANSWER: usize = 256 << 10;

/// Redirects from a registry to where it keeps its bytes; one is what they do.
const MAX_HOPS: usize = 3;

/// Characters of a refusal's code that are told; the longest of the specification has 21.
const MAX_CODE: usize = 40;

/// A registry that can be asked.
pub(super) struct Wire {
    /// Goes where it is told, and nowhere else.
    pub(super) http: Client,
    /// Follows a registry to where it keeps its bytes, without what proves who asks.
    pub(super) roaming: Client,
    /// `https://REGISTRY/v2/REPOSITORY/`.
    pub(super) base: Url,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Wire {
    /// Prepares requests to a reference's registry: by https, but for this machine or where
    /// the operator asks for plain HTTP.
    pub(super) fn new(at: &Reference, plain_http: bool) -> Result<Self> {
        let address = |scheme| format!("{scheme}://{}/v2/{}/", at.resolve_registry(), at.repository());
        let safe =
            Url::parse(&address("https")).with_context(|| format!("`{}` is no address", at.registry()))?;
        Ok(Self {
            http: client(Policy::none())?,
            roaming: client(Policy::custom(|hop| {
                let was_safe = hop.previous().iter().any(|url| url.scheme() == "https");
                match hop.previous().len() <= MAX_HOPS && (hop.url().scheme() == "https" || !was_safe) {
                    true => hop.follow(),
                    false => hop.stop(),
                }
            }))?,
            base: match plain_http || is_loopback(&safe) {
                true => Url::parse(&address("http"))?,
                false => safe,
            },
        })
    }

    /// Sends a request and reads so much of the answer at most; of a refusal, never more than
    /// `MAX_ANSWER`.
    pub(super) async fn ask(&self, request: RequestBuilder, limit: usize) -> Result<Answer> {
        let failed = |error: reqwest::Error| {
            let told = match self.base.scheme() {
                "https" if error.is_connect() => format!("cannot reach {self} by https"),
                _ if error.is_connect() => format!("cannot reach {self}"),
                _ => format!("{self} gave no whole answer; try again"),
            };
            // an address may have a signature in its query
            anyhow::Error::new(error.without_url()).context(told)
        };
        let mut response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let limit = if status.is_success() { limit } else { MAX_ANSWER };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            ensure!(
                body.len() + chunk.len() <= limit,
                "{self} sends more than the {limit} bytes that are read of such an answer"
            );
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// The answer, if it is the one that was hoped for. Of a refusal's text only its code is
    /// told: the rest is the far side's words.
    pub(super) fn expect(&self, answer: Answer, hoped: StatusCode, what: &str) -> Result<Answer> {
        match answer.status {
            status if status == hoped => return Ok(answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => bail!(self.refused()),
            StatusCode::NOT_FOUND => bail!("{self} has no {what} in {}", self.base.path()),
            _ => {}
        }
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = body.pointer("/errors/0/code").and_then(serde_json::Value::as_str);
        let code: String = code.unwrap_or("no code").chars().take(MAX_CODE).collect();
        bail!("{self} answers {} ({})", answer.status, code.escape_debug())
    }

    /// That nobody in particular was not good enough.
    pub(super) fn unknown(&self) -> anyhow::Error {
        anyhow!(
            "{self} wants to know who asks; add --user, and set CAMBIST_REGISTRY_PASSWORD or add --password-file"
        )
    }

    /// That somebody was not.
    pub(super) fn refused(&self) -> anyhow::Error {
        anyhow!("{self} does not take the user with that password, or the user may not do this there")
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the registry {}", self.base.host_str().unwrap_or_default())?;
        self.base.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A client that asks nobody on the way: no proxy of the environment, no second try.
fn client(redirects: Policy) -> Result<Client> {
    let client = Client::builder()
        .no_proxy()
        .redirect(redirects)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIME)
        .read_timeout(SILENCE)
        .user_agent(concat!("cambist/", env!("CARGO_PKG_VERSION")));
    client.build().context("cannot make a client")
}

/// Whether an address is this machine's own, where nobody is on the way.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(registry: &str, plain_http: bool) -> Wire {
        // the client leaves the choice of cryptography to the process
        drop(rustls::crypto::ring::default_provider().install_default());
        let reference = format!("{registry}/plugins/map-odoo:1").parse().unwrap();
        Wire::new(&reference, plain_http).unwrap()
    }

    #[test]
    fn plain_http_is_for_this_machine_or_asked_for() {
        for (registry, plain_http, base) in [
            ("r.example", false, "https://r.example/v2/plugins/map-odoo/"),
            (
                "r.example:5000",
                true,
                "http://r.example:5000/v2/plugins/map-odoo/",
            ),
            (
                "localhost:5000",
                false,
                "http://localhost:5000/v2/plugins/map-odoo/",
            ),
            ("127.0.0.1", false, "http://127.0.0.1/v2/plugins/map-odoo/"),
            (
                "localhost.example",
                false,
                "https://localhost.example/v2/plugins/map-odoo/",
            ),
            ("10.0.0.1", false, "https://10.0.0.1/v2/plugins/map-odoo/"),
        ] {
            assert_eq!(at(registry, plain_http).base.as_str(), base);
        }
    }
}
