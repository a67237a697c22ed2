//! What the operators' commands have in common: the journal to read from, and the
//! running host to ask.

use anyhow::{Context as _, Result, bail};
use cambist_contract::message::MessageId;
use cambist_journal::{
    Journal as _,
    journal::{Claim, Filter},
    store::SqliteJournal,
};
use reqwest::Method;
use serde_json::Value;

use crate::{cli::Printed, config::Reach, secrets};

/// The journal, beside a host that may be running.
pub(super) fn journal(reach: &Reach) -> Result<SqliteJournal> {
    let path = reach.journal()?;
    if !path.exists() {
        bail!(
            "there is no journal at {}; `cambist serve` makes it, or set `data` under [host]",
            path.display()
        );
    }
    Ok(SqliteJournal::open_read_only(path)?)
}

/// The message with this id, or the only one whose id begins so.
pub(super) async fn message(journal: &SqliteJournal, id: &str) -> Result<Claim> {
    if let Some(claim) = journal.message(&MessageId::from_text(id)).await? {
        return Ok(claim);
    }
    let recent = journal
        .list(Filter {
            limit: 1000,
            ..Filter::default()
        })
        .await?;
    let mut matching = recent
        .into_iter()
        .filter(|status| status.id.as_str().starts_with(id));
    match (matching.next(), matching.next()) {
        (Some(status), None) => journal.message(&status.id).await?.context("the message is gone"),
        (Some(_), Some(_)) => bail!("several messages begin with `{id}`; give more of the id"),
        (None, _) => bail!("no message `{id}`; `cambist messages` lists them"),
    }
}

/// Asks the running host to do something with a message, and prints what it answers
/// as JSON, or what `done` makes of the message's id.
pub(super) async fn ask(
    common: &Printed,
    id: &str,
    what: &str,
    body: Value,
    done: impl FnOnce(&MessageId) -> String,
) -> Result<()> {
    decide(common, id, ("messages", what), Body::Json(body), done).await
}

/// The same of a message that waits for a person. `body` is JSON.
pub(super) async fn ask_parked(
    common: &Printed,
    id: &str,
    what: &str,
    body: String,
    done: impl FnOnce(&MessageId) -> String,
) -> Result<()> {
    decide(common, id, ("parked", what), Body::Text(body), done).await
}

async fn decide(
    common: &Printed,
    id: &str,
    (resource, what): (&str, &str),
    body: Body,
    done: impl FnOnce(&MessageId) -> String,
) -> Result<()> {
    let reach = common.reach();
    let claim = message(&journal(&reach)?, id).await?;
    let path = format!("{resource}/{}/{what}", claim.message.id);
    let decided = call(&reach, Method::POST, &path, Some(body)).await?;
    if common.json {
        say!("{}", serde_json::to_string_pretty(&decided)?);
    } else {
        say!("{}", done(&claim.message.id));
    }
    Ok(())
}

/// What is sent to the host.
pub(super) enum Body {
    Json(Value),
    /// JSON as it is.
    Text(String),
    Component(Vec<u8>),
}

/// Calls the running host's API, and gives its answer.
pub(super) async fn call(reach: &Reach, method: Method, path: &str, body: Option<Body>) -> Result<Value> {
    let (admin, token) = (reach.admin()?, secrets::admin_token(reach)?);
    let address = format!("http://{admin}/api/{path}");
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .request(method, &address)
        .bearer_auth(token.expose());
    let request = match body {
        Some(Body::Json(body)) => request
            .header("content-type", "application/json")
            .body(body.to_string()),
        Some(Body::Text(body)) => request.header("content-type", "application/json").body(body),
        Some(Body::Component(component)) => {
            request.header("content-type", "application/wasm").body(component)
        }
        None => request,
    };
    let answer = request.send().await.with_context(|| {
        format!(
            "no host answers at http://{admin}, where the config has the operators' port (`admin` under [host]): start it with \
             `cambist serve` and the same config, or name the config of the one that runs with --config"
        )
    })?;
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    if status.is_success() {
        return serde_json::from_str(&text).context("the host's answer is no JSON");
    }
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    let detail = problem
        .get("detail")
        .or_else(|| problem.get("title"))
        .and_then(Value::as_str);
    bail!(
        "the host refused it ({status}): {}",
        detail.unwrap_or("no reason given")
    )
}

/// Who asks, for the evidence.
pub(super) fn who(by: Option<&String>) -> String {
    by.cloned()
        .or_else(|| std::env::var("USER").ok())
        .unwrap_or_else(|| "operator".to_owned())
}
