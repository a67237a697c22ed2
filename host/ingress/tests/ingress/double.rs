//! A journal in memory that fails on demand, a clock that stands still, and
//! senders with the right secrets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::STANDARD};
use cambist_contract::{
    canonical::EntityRef,
    digest::Digest,
    message::{Message, MessageId},
    secret::{Secret, SecretRef},
};
use cambist_ingress::{Ingress, Options};
use cambist_journal::{
    Event, Journal, JournalError, Status,
    journal::{Accepted, Backlog, Cause, Claim, Counts, Filter, Known, Standing, Verified},
};
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::watch;
use tower::ServiceExt;

/// The time at which all tests take place: that of HubSpot's own vector.
pub(crate) const NOW_MS: i64 = 1_693_657_560_000;

pub(crate) const HUBSPOT_SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
pub(crate) const STANDARD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub(crate) const OPTIONS: &str = r#"
    public-url = "https://hooks.example.com/cambist"
    [systems.hubspot-de]
    kind = "hubspot"
    secrets = [{ env = "NEW" }, { env = "HUBSPOT" }]
    [systems.psa]
    kind = "standard-webhooks"
    secrets = [{ env = "OTHER_STANDARD" }, { env = "STANDARD" }]
    [systems.odoo-de]
    kind = "odoo"
    tokens = [{ file = "/run/secrets/token" }]
"#;

/// Keeps messages in memory, in the order of receipt.
#[derive(Default)]
pub(crate) struct Memory {
    messages: Mutex<Vec<Message>>,
    fails: Mutex<Option<fn() -> JournalError>>,
    panics: AtomicBool,
    asked: AtomicBool,
    stalled: watch::Sender<bool>,
}

impl Memory {
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.lock().unwrap().len()
    }

    /// Waits until it has so many messages; on a clock that stands still, so that
    /// the minute is over at once when nothing else is going on.
    pub(crate) async fn has(&self, count: usize) {
        let arrived = async {
            while self.len() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), arrived)
            .await
            .unwrap();
    }

    pub(crate) fn fail_with(&self, error: Option<fn() -> JournalError>) {
        *self.fails.lock().unwrap() = error;
    }

    pub(crate) fn panic(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    /// Whether anybody has wanted to have something accepted.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// While it is stalled, nothing is accepted and nothing is refused.
    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }
}

#[async_trait::async_trait]
impl Journal for Memory {
    async fn accept(&self, messages: Vec<Message>) -> Result<Vec<Accepted>, JournalError> {
        self.asked.store(true, Ordering::SeqCst);
        self.stalled
            .subscribe()
            .wait_for(|stalled| !stalled)
            .await
            .unwrap();
        assert!(!self.panics.load(Ordering::SeqCst), "on demand");
        if let Some(error) = *self.fails.lock().unwrap() {
            return Err(error());
        }
        let mut kept = self.messages.lock().unwrap();
        let answers = messages.into_iter().map(|message| {
            if kept.iter().any(|known| known.id == message.id) {
                return Accepted::Duplicate;
            }
            kept.push(message);
            Accepted::New
        });
        Ok(answers.collect())
    }

    async fn claim_beside(
        &self,
        _: Timestamp,
        _: usize,
        _: &BTreeSet<Backlog>,
    ) -> Result<Vec<Claim>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    fn release(&self, _: &MessageId) {
        unimplemented!("ingress only accepts")
    }

    async fn put_off(&self, _: &MessageId, _: Timestamp) -> Result<(), JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn record(&self, _: &MessageId, _: Timestamp, _: Vec<Event>) -> Result<(), JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn message(&self, _: &MessageId) -> Result<Option<Claim>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn list(&self, _: Filter) -> Result<Vec<Status>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn causes(&self) -> Result<Vec<Cause>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn touched(&self, _: &str, _: &str, _: &str, _: usize) -> Result<Vec<MessageId>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn standing(&self) -> Result<Vec<Standing>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn counts(&self) -> Result<Counts, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn written(&self, _: &str, _: &[(String, String)]) -> Result<Vec<Option<Digest>>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn link(
        &self,
        _: &EntityRef,
        _: &str,
    ) -> Result<Option<cambist_contract::plugin::Link>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn records(
        &self,
        _: &str,
        _: &str,
        _: Option<&str>,
        _: usize,
    ) -> Result<Vec<String>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn known(&self, _: &str, _: &[EntityRef]) -> Result<Vec<Known>, JournalError> {
        unimplemented!("ingress only accepts")
    }

    async fn verify(&self) -> Result<Verified, JournalError> {
        unimplemented!("ingress only accepts")
    }

    fn changed(&self) -> watch::Receiver<u64> {
        unimplemented!("ingress only accepts")
    }
}

/// An ingress with its journal.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) journal: Arc<Memory>,
}

/// What a sender was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) json: Value,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(OPTIONS)
    }

    pub(crate) fn with(options: &str) -> Self {
        Self::at(options, || Timestamp::from_millisecond(NOW_MS).unwrap())
    }

    pub(crate) fn at(options: &str, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let options: Options = toml::from_str(options).unwrap();
        let env = |name: &str, value: &str| (SecretRef::Env(name.to_owned()), Secret::parse(value).unwrap());
        let secrets = BTreeMap::from([
            env("NEW", "the secret they rotate to"),
            env("HUBSPOT", HUBSPOT_SECRET),
            env("OTHER_STANDARD", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            env("STANDARD", STANDARD_SECRET),
            (
                SecretRef::File("/run/secrets/token".into()),
                Secret::parse(TOKEN).unwrap(),
            ),
        ]);
        let journal = Arc::new(Memory::default());
        let kept = Arc::clone(&journal) as Arc<dyn Journal>;
        let ingress = Ingress::new(&options, &secrets, kept, Arc::new(clock)).unwrap();
        Self {
            router: ingress.router(),
            journal,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            headers,
            json: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }
}

impl Answer {
    /// A refusal in the form of RFC 9457, of this kind.
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> bool {
        self.status == status
            && self.json["status"] == status
            && self.json["type"] == format!("urn:cambist:problem:{code}")
            && self.json["title"].is_string()
            && self.headers["content-type"] == "application/problem+json"
    }

    /// A receipt with these counts.
    pub(crate) fn is_taken(&self, accepted: usize, duplicates: usize) -> bool {
        self.status == StatusCode::ACCEPTED
            && self.json == serde_json::json!({"accepted": accepted, "duplicates": duplicates})
    }
}

/// A JSON POST without any proof.
pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

/// A call as HubSpot makes it, signed at [`NOW_MS`] and `offset_ms`.
pub(crate) fn hubspot_at(offset_ms: i64, path: &str, body: &[u8]) -> Request<Body> {
    let timestamp = (NOW_MS + offset_ms).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(HUBSPOT_SECRET.as_bytes()).unwrap();
    mac.update(format!("POSThttps://hooks.example.com/cambist{path}").as_bytes());
    mac.update(body);
    mac.update(timestamp.as_bytes());
    let mut request = post(path, body.to_vec());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    request
        .headers_mut()
        .insert("x-hubspot-signature-v3", signature.parse().unwrap());
    request
        .headers_mut()
        .insert("x-hubspot-request-timestamp", timestamp.parse().unwrap());
    request
}

/// A call as HubSpot makes it now, of the one system there is.
pub(crate) fn hubspot(body: &[u8]) -> Request<Body> {
    hubspot_at(0, "/in/hubspot-de", body)
}

/// An event as HubSpot sends it.
pub(crate) fn deal(object: u64, event: u64) -> Value {
    serde_json::json!({"objectId": object, "propertyName": "dealstage", "propertyValue": "closedwon",
        "changeSource": "CRM_UI", "eventId": event, "subscriptionId": 92_894, "portalId": 5_799_819,
        "appId": 186_886, "occurredAt": 1_556_094_637_139_i64, "subscriptionType": "deal.propertyChange",
        "attemptNumber": 0})
}

/// A batch of events.
pub(crate) fn batch(events: &[Value]) -> Vec<u8> {
    serde_json::to_vec(events).unwrap()
}
