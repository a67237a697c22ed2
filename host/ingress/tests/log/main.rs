//! What is logged: the message's name, and nothing of what it says.
//!
//! Alone in its binary: whether a line is wanted is remembered for the whole
//! process, and another test that runs beside it could be asked first.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[expect(
    dead_code,
    reason = "shared with the other tests of ingress, which need all of it"
)]
#[path = "../ingress/double.rs"]
mod double;

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

use crate::double::{HUBSPOT_SECRET, Site, TOKEN, batch, deal, hubspot, post};

/// Everything that is logged, down to the last level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self::Writer {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_names_the_message_and_shows_nothing_of_it() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let site = Site::new();
    let request = hubspot(&batch(&[deal(1, 10)]));
    let signature = request.headers()["x-hubspot-signature-v3"]
        .to_str()
        .unwrap()
        .to_owned();
    site.send(request).await;
    site.send(post("/in/hubspot-de", "forged payload")).await;
    site.send(post("/in/stranger-name/guessed-token", "[]")).await;
    site.send(post(
        &format!("/in/odoo-de/{TOKEN}"),
        r#"{"_model":"crm.lead","_id":"payload"}"#,
    ))
    .await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let id = site.journal.messages()[0].id.to_string();
    assert!(log.contains(&id) && log.contains("hubspot-de"), "{log}");
    for secret in [
        "closedwon",
        "payload",
        "guessed-token",
        "stranger-name",
        TOKEN,
        HUBSPOT_SECRET,
        &signature,
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
