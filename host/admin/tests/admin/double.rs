//! A host around the admin side: a real journal in a folder of its own, a registry
//! whose loader takes texts for components, and an operator with the token.

use std::sync::Arc;

use axum::{Router, body::Body};
use cambist_admin::{Admin, NotReconciled, Options, Setup, SetupError, answer::SystemStanding};
use cambist_contract::{
    canonical::Change,
    context::Context,
    digest::Digest,
    invoicing::{Billable, Draft},
    mapping::{Inbound, Outbound, Plan},
    message::{Message, MessageId},
    plugin::{Called, Description, Interface, Links, LoadError, Loader, Plugin},
    policy::{Proposal, Verdict},
    revision::Revision,
    secret::Secret,
    stage::Stage,
    tax::{Assessment, Document},
};
use cambist_journal::{Event, Journal, store::SqliteJournal};
use cambist_registry::Registry;
use http::{HeaderMap, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What no log, metric or error may hold.
pub(crate) const PAYLOAD: &str = "4711-top-secret";

/// So many seconds after the time at which the tests take place.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_790_000_000, 0)
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap()
}

/// A host, as far as operators see it. Its clock stands at 60 seconds.
pub(crate) struct Site {
    _folder: TempDir,
    pub(crate) router: Router,
    pub(crate) journal: Arc<SqliteJournal>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) recorder: Arc<PrometheusRecorder>,
}

/// What a caller was told.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Site {
    /// A host with one binding of `judge`, of a plugin that is not there.
    pub(crate) fn new() -> Self {
        Self::with_token(TOKEN).unwrap()
    }

    pub(crate) fn with_token(token: &str) -> Result<Self, SetupError> {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(SqliteJournal::open(folder.path().join("journal.db")).unwrap());
        let binding = json!({"stage": "judge", "plugin": "deal-desk", "region": "de"});
        let options = cambist_registry::Options {
            plugins: folder.path().join("plugins"),
            archive: folder.path().join("archive"),
            bindings: vec![serde_json::from_value(binding).unwrap()],
            tables: Default::default(),
            new_plugins: Default::default(),
            trust: Default::default(),
        };
        let ledger = Arc::new(cambist_registry::ledger::Memory::default());
        let registry = Arc::new(Registry::open(options, Arc::new(Texts), ledger).unwrap());
        let recorder = PrometheusBuilder::new().build_recorder();
        let options: Options = toml::from_str("token = { env = \"ADMIN_TOKEN\" }").unwrap();
        let admin = Admin::new(Setup {
            options,
            token: Secret::parse(token).unwrap(),
            journal: Arc::clone(&journal) as Arc<dyn Journal>,
            erasures: journal.clone(),
            shadows: journal.clone(),
            replays: journal.clone(),
            ledger: journal.clone(),
            reload: Arc::new(|| {
                let line = "line 7: flow `deals` writes to `nobody`".to_owned();
                Err(vec![line, "line 9: two".to_owned()])
            }),
            reconcile: Arc::new(|wanted| {
                Box::pin(async move {
                    match wanted.flow.as_deref() {
                        Some("deals") => Ok(vec![json!({"flow": "deals", "region": wanted.region})]),
                        Some("dead") => {
                            Err(NotReconciled::Trouble("system `odoo` does not answer".to_owned()))
                        }
                        _ => Err(NotReconciled::Unknown(
                            "nothing is compared for that flow".to_owned(),
                        )),
                    }
                })
            }),
            reports: journal.clone(),
            systems: Arc::new(|| {
                vec![SystemStanding {
                    system: "odoo".to_owned(),
                    state: "left-alone".to_owned(),
                    seconds: Some(7),
                    at_once: 1,
                    at_once_most: 2,
                }]
            }),
            progress: Arc::default(),
            registry: Arc::clone(&registry),
            metrics: recorder.handle(),
            clock: Arc::new(|| at(60)),
        })?;
        Ok(Self {
            _folder: folder,
            router: admin.router(),
            journal,
            registry,
            recorder: Arc::new(recorder),
        })
    }

    /// Takes in the messages 1 to `count`, each of a key of its own, one a second.
    pub(crate) async fn receive(&self, count: i64) {
        let messages = (1..=count).map(message).collect();
        self.journal.accept(messages).await.unwrap();
    }

    /// Writes what happened to message number `n`.
    pub(crate) async fn record(&self, n: i64, events: Vec<Event>) {
        self.journal.record(&message(n).id, at(30), events).await.unwrap();
    }

    /// The numbers of the messages that are due at `seconds`; none of them stays claimed.
    pub(crate) async fn due(&self, seconds: i64) -> Vec<i64> {
        let claims = self.journal.claim(at(seconds), 100).await.unwrap();
        for claim in &claims {
            self.journal.release(&claim.message.id);
        }
        claims
            .iter()
            .map(|claim| claim.message.object_id.parse().unwrap())
            .collect()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.into()).unwrap(),
        }
    }

    /// Asks as somebody without a token.
    pub(crate) async fn look(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Asks as an operator.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Decides as an operator.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Decides on message number `n` as an operator.
    pub(crate) async fn decide(&self, n: i64, decision: &str, body: Value) -> Answer {
        let path = format!("/api/messages/{}/{decision}", message(n).id);
        self.post(&path, body.to_string()).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The answer as a client reads it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_str(&self.text).unwrap()
    }

    /// A refusal in the form of RFC 9457, of this kind.
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> bool {
        let problem: cambist_admin::answer::Problem = serde_json::from_str(&self.text).unwrap();
        self.status == status
            && problem.status == status
            && problem.r#type == format!("urn:cambist:problem:{code}")
            && self.headers["content-type"] == "application/problem+json"
    }
}

/// The message number `n`, received `n` seconds after the start.
pub(crate) fn message(n: i64) -> Message {
    let dedupe = format!("event-{n}");
    Message {
        id: MessageId::of("crm", &dedupe),
        system: "crm".to_owned(),
        event: "deal.propertyChange".to_owned(),
        object_kind: "deal".to_owned(),
        object_id: n.to_string(),
        dedupe,
        key: format!("crm/deal/{n}"),
        occurred_at: at(n),
        received_at: at(n),
        headers: Default::default(),
        body: json!({"name": PAYLOAD}).to_string(),
    }
}

/// It has passed a stage.
pub(crate) fn passed(stage: Stage) -> Event {
    Event::Passed {
        stage,
        output: json!({"name": PAYLOAD}).into(),
        took_us: 12,
        fuel: None,
        log: Vec::new(),
        links: vec![],
    }
}

/// It is parked before a stage.
pub(crate) fn parked(stage: Stage) -> Event {
    Event::Parked {
        stage,
        code: "refused".to_owned(),
        reason: "no such country".to_owned(),
    }
}

/// It belongs to a flow and a region.
pub(crate) fn routed(flow: &str, region: &str) -> Event {
    Event::Routed {
        flow: flow.to_owned(),
        region: region.to_owned(),
        unit: String::new(),
        target: "odoo".to_owned(),
        pins: Default::default(),
        step: None,
    }
}

/// Takes every text but `broken` for a policy plugin.
struct Texts;

impl Loader for Texts {
    fn load(&self, _: &[u8], _: &Revision) -> Result<Arc<dyn Plugin>, LoadError> {
        Ok(Arc::new(Idle))
    }

    fn describe(&self, bytes: &[u8]) -> Result<Description, LoadError> {
        if bytes == b"broken" {
            return Err(LoadError::NotAComponent("no magic".to_owned()));
        }
        Ok(Description {
            component: Digest::of(bytes),
            size: bytes.len() as u64,
            interfaces: vec![Interface::Policy],
            imports: Vec::new(),
            name: None,
            version: Some("1.2.3".to_owned()),
            cases: Vec::new(),
        })
    }
}

/// A plugin that is never called.
struct Idle;

impl Plugin for Idle {
    fn read(&self, _: &Context, _: &Inbound, _: Arc<dyn Links>) -> Called<Vec<Change>> {
        unimplemented!("admin calls no plugin")
    }

    fn write(&self, _: &Context, _: &Outbound, _: Arc<dyn Links>) -> Called<Plan> {
        unimplemented!("admin calls no plugin")
    }

    fn judge(&self, _: &Context, _: &Proposal, _: Arc<dyn Links>) -> Called<Verdict> {
        unimplemented!("admin calls no plugin")
    }

    fn assess(&self, _: &Context, _: &Document, _: Arc<dyn Links>) -> Called<Assessment> {
        unimplemented!("admin calls no plugin")
    }

    fn draft_invoice(&self, _: &Context, _: &Billable, _: Arc<dyn Links>) -> Called<Draft> {
        unimplemented!("admin calls no plugin")
    }
}
