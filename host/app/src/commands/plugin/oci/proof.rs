//! What proves to a registry who asks, and who else may hear it.
//!
//! A registry names the place that makes its tokens, and may name any. So that its choice does
//! not decide where a password goes, a token is fetched from the registry's own host or one that
//! the operator named, and not in the clear.

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use cambist_contract::secret::{Secret, SecretRef};
use clap::Args;
use reqwest::{
    RequestBuilder, StatusCode,
    header::{HeaderMap, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use url::Url;

use super::wire::{MAX_ANSWER, Wire, is_loopback};
use crate::secrets;

/// Who asks, and what may be trusted with that.
#[derive(Args, Clone, Debug)]
pub(super) struct Access {
    /// The user at the registry; left out, nobody in particular asks.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// The environment variable that has the user's password, or the token that stands for
    /// one.
    #[arg(long, value_name = "VARIABLE", default_value = "CAMBIST_REGISTRY_PASSWORD")]
    password_env: String,
    /// The file that has it, instead.
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// A host that makes the registry's tokens and is not the registry's own, as
    /// auth.docker.io is for Docker Hub. It is given the password.
    #[arg(long, value_name = "HOST")]
    token_host: Vec<String>,
    /// Talks to the registry without TLS. Everybody on the way can read the password then. A
    /// registry on this machine (localhost, 127.0.0.1) is always talked to so.
    #[arg(long)]
    pub(super) plain_http: bool,
}

/// What proves who asks.
pub(super) enum Proof {
    /// Nothing: the registry did not ask.
    Unasked,
    /// A user and the password.
    Password(String, Secret),
    /// A token: of a user, or of nobody in particular, which is what registries give out for
    /// what everybody may read.
    Token(Secret),
}

/// What a registry wants for a proof.
enum Wanted {
    Password,
    /// The address that makes it.
    Token(Url),
}

/// The answer of who makes tokens. Servers write either name.
#[derive(Default, Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Proof {
    /// Asks a registry what it wants, and gets that.
    pub(super) async fn get(wire: &Wire, access: &Access, scope: &str) -> Result<Self> {
        let user = access.user.as_ref();
        let user = user.map(|user| Ok::<_, anyhow::Error>((user.clone(), password(user, access)?)));
        let user = user.transpose()?;
        let answer = wire
            .ask(wire.http.get(wire.base.join("/v2/")?), MAX_ANSWER)
            .await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            wire.expect(answer, StatusCode::OK, "registry")?;
            return Ok(Self::Unasked);
        }
        match (wanted(wire, &answer.headers)?, user) {
            (Wanted::Token(realm), user) => {
                check(wire, &realm, &access.token_host)?;
                Ok(Self::Token(token(wire, realm, scope, user).await?))
            }
            (Wanted::Password, Some((user, password))) => Ok(Self::Password(user, password)),
            (Wanted::Password, None) => Err(wire.unknown()),
        }
    }

    /// The request with it. Only for addresses of the registry itself.
    pub(super) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Unasked => request,
            Self::Password(user, password) => request.basic_auth(user, Some(password.expose())),
            Self::Token(token) => request.bearer_auth(token.expose()),
        }
    }
}

fn wanted(wire: &Wire, headers: &HeaderMap) -> Result<Wanted> {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter();
    let all: Vec<_> = texts
        .filter_map(|text| http_auth::parse_challenges(text.to_str().ok()?).ok())
        .flatten()
        .collect();
    let by = |scheme: &str| all.iter().find(|it| it.scheme.eq_ignore_ascii_case(scheme));
    let Some(bearer) = by("bearer") else {
        ensure!(
            by("basic").is_some(),
            "{wire} asks who we are in a way that is not known here; Basic and Bearer are"
        );
        return Ok(Wanted::Password);
    };
    let parameter = |name: &str| {
        let mut all = bearer.params.iter();
        let (_, value) = all.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.to_unescaped())
    };
    let realm = parameter("realm").and_then(|realm| Url::parse(&realm).ok());
    let mut realm = realm.context("the registry does not say where its tokens are made")?;
    if let Some(service) = parameter("service") {
        realm.query_pairs_mut().append_pair("service", &service);
    }
    Ok(Wanted::Token(realm))
}

/// Whether who makes tokens may hear who asks. Without a user as well: a registry could else
/// have this machine ask any address near it, and be told the answer.
fn check(wire: &Wire, realm: &Url, hosts: &[String]) -> Result<()> {
    let host = realm.host_str().unwrap_or_default();
    let is_own = Some(host) == wire.base.host_str();
    ensure!(
        is_own || hosts.iter().any(|named| named.eq_ignore_ascii_case(host)),
        "{wire} has its tokens made by {host}, and only its own host is asked unless another is named; if that is right, \
         add --token-host {host}"
    );
    let is_clear = is_loopback(realm) || (is_own && wire.base.scheme() == "http");
    ensure!(
        realm.scheme() == "https" || (realm.scheme() == "http" && is_clear),
        "{wire} has its tokens made by {host} without TLS, and no password is sent so; have it set up with https there"
    );
    Ok(())
}

async fn token(wire: &Wire, mut realm: Url, scope: &str, user: Option<(String, Secret)>) -> Result<Secret> {
    realm.query_pairs_mut().append_pair("scope", scope);
    let request = wire.http.get(realm);
    let request = match &user {
        Some((user, password)) => request.basic_auth(user, Some(password.expose())),
        None => request,
    };
    let answer = wire.ask(request, MAX_ANSWER).await?;
    if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) && user.is_none() {
        bail!(wire.unknown());
    }
    let answer = wire.expect(answer, StatusCode::OK, "maker of tokens where it says")?;
    // an answer that cannot be read is not quoted: there may be a token in it
    let token: Token = serde_json::from_slice(&answer.body).unwrap_or_default();
    let token = token.token.or(token.access_token);
    let token = token.and_then(|token| Secret::parse(&token).ok());
    token.context("the registry's maker of tokens sent none")
}

fn password(user: &str, access: &Access) -> Result<Secret> {
    let at = match &access.password_file {
        Some(path) => SecretRef::File(path.clone()),
        None => SecretRef::Env(access.password_env.clone()),
    };
    secrets::read(&at).map_err(|why| anyhow!("the password of `{user}` is to be in the {at}: {why}"))
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
    fn a_token_is_made_by_the_registrys_host_or_a_named_one_and_not_in_the_clear() {
        let named = ["Auth.Example".to_owned(), "127.0.0.1".to_owned()];
        let is_taken = |registry: &str, plain_http: bool, realm: &str| {
            let checked = check(&at(registry, plain_http), &realm.parse().unwrap(), &named);
            checked.map_err(|error| error.to_string())
        };
        for (registry, plain_http, realm) in [
            ("r.example", false, "https://r.example/token"),
            ("r.example:5000", false, "https://r.example/token"),
            ("r.example", false, "https://auth.example/token"),
            ("r.example", false, "http://127.0.0.1:5001/token"),
            ("r.example", true, "http://r.example:5001/token"),
            ("localhost:5000", false, "http://localhost:5001/token"),
        ] {
            assert_eq!(is_taken(registry, plain_http, realm), Ok(()), "{realm}");
        }
        for (plain_http, realm, told) in [
            (
                false,
                "https://evil.example/token",
                "add --token-host evil.example",
            ),
            (
                false,
                "https://r.example.evil.example/",
                "add --token-host r.example.evil.example",
            ),
            (
                false,
                "https://r.example@evil.example/",
                "add --token-host evil.example",
            ),
            (false, "http://localhost/token", "add --token-host localhost"),
            (false, "http://r.example/token", "by r.example without TLS"),
            (false, "http://auth.example/token", "by auth.example without TLS"),
            (true, "http://auth.example/token", "by auth.example without TLS"),
            (false, "ftp://r.example/token", "by r.example without TLS"),
            (false, "data:text/plain,x", "add --token-host "),
        ] {
            let error = is_taken("r.example", plain_http, realm).unwrap_err();
            assert!(error.contains(told), "{realm}: {error}");
        }
    }
}
