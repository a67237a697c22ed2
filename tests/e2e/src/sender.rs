//! HubSpot's side of the wire: signed batches over real HTTP.

use std::net::SocketAddr;

use anyhow::Result;
use cambist_doubles::hubspot::webhook::{self, Webhook, property_change};
use jiff::Timestamp;
use reqwest::{Client, Response};
use serde_json::Value;

use crate::setup::{CLIENT_SECRET, HUBSPOT, PUBLIC_URL};

/// When all events happened: a day and time of their own, so that the same event
/// is the same on every run.
pub const OCCURRED_MS: i64 = 1_795_187_400_000; // 2026-11-20T15:10:00Z

/// A client that asks no proxy.
///
/// # Errors
///
/// There is no TLS to be had.
pub fn client() -> Result<Client> {
    // the workspace's HTTP client leaves the choice of cryptography to its user
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(Client::builder().no_proxy().build()?)
}

/// The event that a deal's stage is won now. `event` tells several of one deal
/// apart.
pub fn won(deal: u64, event: u64) -> Value {
    property_change("deal", deal, "dealstage", "closedwon", event, OCCURRED_MS)
}

/// A batch, signed now with the right secret.
#[expect(
    clippy::disallowed_methods,
    reason = "what the sender's clock says is part of the protocol"
)]
pub fn signed(events: &[Value]) -> Webhook {
    signed_at(events, Timestamp::now().as_millisecond())
}

/// A batch, signed with the right secret at another time.
pub fn signed_at(events: &[Value], at_ms: i64) -> Webhook {
    signed_for(HUBSPOT, events, at_ms)
}

/// A batch for one of several systems, signed with the right secret.
fn signed_for(system: &str, events: &[Value], at_ms: i64) -> Webhook {
    let url = format!("{PUBLIC_URL}/in/{system}");
    webhook::webhook(CLIENT_SECRET, &url, events, at_ms)
}

/// Posts events as one batch of another system, signed now, and gives the answer's
/// status.
///
/// # Errors
///
/// There is no answer: nobody knows whether it was accepted.
#[expect(
    clippy::disallowed_methods,
    reason = "what the sender's clock says is part of the protocol"
)]
pub async fn post_as(client: &Client, host: SocketAddr, system: &str, events: &[Value]) -> Result<u16> {
    let webhook = signed_for(system, events, Timestamp::now().as_millisecond());
    post_to(client, host, system, &webhook).await
}

/// Posts it to the host, and gives the answer's status.
///
/// # Errors
///
/// There is no answer: nobody knows whether it was accepted.
pub async fn post(client: &Client, host: SocketAddr, webhook: &Webhook) -> Result<u16> {
    post_to(client, host, HUBSPOT, webhook).await
}

/// Posts it to the host, and gives the whole answer.
///
/// # Errors
///
/// There is no answer: nobody knows whether it was accepted.
pub async fn ask(client: &Client, host: SocketAddr, webhook: &Webhook) -> Result<Response> {
    send(client, host, HUBSPOT, webhook).await
}

async fn post_to(client: &Client, host: SocketAddr, system: &str, webhook: &Webhook) -> Result<u16> {
    Ok(send(client, host, system, webhook).await?.status().as_u16())
}

async fn send(client: &Client, host: SocketAddr, system: &str, webhook: &Webhook) -> Result<Response> {
    let mut request = client.post(format!("http://{host}/in/{system}"));
    for (name, value) in &webhook.headers {
        request = request.header(name, value);
    }
    Ok(request.body(webhook.body.clone()).send().await?)
}
