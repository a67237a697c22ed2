//! What is logged: enough to work with, and nothing that is anybody else's business.
//! A test binary of its own, because a log is the whole process's.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "admin/double.rs"]
#[expect(dead_code, reason = "shared with the other test binary, which uses all of it")]
mod double;

use std::sync::{Arc, Mutex};

use cambist_contract::stage::Stage;
use serde_json::json;

use self::double::{PAYLOAD, Site, TOKEN, message, parked};

/// Somewhere to log to, and to read it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_payload_and_no_token_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let site = Site::new();
    site.receive(1).await;
    site.record(1, vec![parked(Stage::Read)]).await;
    site.get(&format!("/api/messages/{}", message(1).id)).await;
    site.get("/api/messages").await;
    site.decide(1, "resume", json!({"by": "zoe"})).await;
    site.decide(1, "resume", json!({"by": PAYLOAD, "from": PAYLOAD}))
        .await;
    site.post("/api/messages/nobody/resume", PAYLOAD).await;
    site.look("/api/plugins").await;
    site.look("/readyz").await;
    let text = log.text();
    assert!(
        text.contains("an operator decided") && text.contains("without the right token"),
        "{text}"
    );
    assert!(!text.contains(PAYLOAD) && !text.contains(TOKEN), "{text}");
}
