//! A pipeline with all that is around it. Its plugin maps any object to one account
//! and the account to one record; its systems are closures.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use cambist_connect::{ConnectError, Source, Systems, Target, target::DeliverError};
use cambist_contract::{
    canonical::Change,
    context::Context,
    delivery::{Effect, Receipt},
    digest::Digest,
    invoicing::{Billable, Draft},
    mapping::{Command, Inbound, Outbound, Plan},
    message::{Message, MessageId},
    plugin::{Called, Cost, Description, Interface, Links, LoadError, Loader, Plugin},
    policy::{Proposal, Verdict},
    revision::Revision,
    tax::{Assessment, Document},
};
use cambist_journal::{Event, Journal, Status, journal::Filter, store::SqliteJournal};
use cambist_pipeline::{Flow, Pipeline, Region, Routes, Setup, options::RegionOf};
use cambist_registry::{Options, Registry};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};

/// Loads anything as the mapping of these tests.
struct Loads;

/// Maps an object to an account, and an account to a record.
struct Mapping;

impl Loader for Loads {
    fn load(&self, _: &[u8], _: &Revision) -> Result<Arc<dyn Plugin>, LoadError> {
        Ok(Arc::new(Mapping))
    }

    fn describe(&self, bytes: &[u8]) -> Result<Description, LoadError> {
        Ok(Description {
            component: Digest::of(bytes),
            size: bytes.len() as u64,
            interfaces: vec![Interface::Mapping],
            imports: Vec::new(),
            name: None,
            version: None,
            cases: Vec::new(),
        })
    }
}

fn answer<T>(answer: T) -> Called<T> {
    Called {
        answer: Ok(answer),
        cost: Cost::default(),
    }
}

impl Plugin for Mapping {
    fn interfaces(&self) -> &[Interface] {
        &[Interface::Mapping]
    }

    fn read(&self, context: &Context, input: &Inbound, _: Arc<dyn Links>) -> Called<Vec<Change>> {
        let name = json!({"kind": "account", "system": input.system, "id": input.object_id});
        let text = format!("{} as {}", input.body.value()["name"], context.region);
        let change = json!({"entity": {"account": {"ref": name, "name": text}}, "kind": "upsert",
            "changed-at": context.time});
        answer(vec![serde_json::from_value(change).unwrap()])
    }

    fn write(&self, _: &Context, input: &Outbound, _: Arc<dyn Links>) -> Called<Plan> {
        let commands = input.changes.iter().map(|change| {
            let name = change.entity.name();
            let record = json!({"upsert": {"model": "res.partner", "external-id": name.id, "values": {}}});
            serde_json::from_value(record).unwrap()
        });
        answer(Plan {
            commands: commands.collect(),
        })
    }

    fn judge(&self, _: &Context, _: &Proposal, _: Arc<dyn Links>) -> Called<Verdict> {
        unimplemented!("only maps")
    }

    fn assess(&self, _: &Context, _: &Document, _: Arc<dyn Links>) -> Called<Assessment> {
        unimplemented!("only maps")
    }

    fn draft_invoice(&self, _: &Context, _: &Billable, _: Arc<dyn Links>) -> Called<Draft> {
        unimplemented!("only maps")
    }
}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a system does when it is asked.
pub(crate) struct Does<T>(Box<dyn Fn() -> Later<Result<T, ConnectError>> + Send + Sync>);

impl<T> Does<T> {
    pub(crate) fn new<F>(does: impl Fn() -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Result<T, ConnectError>> + Send + 'static,
    {
        Arc::new(Self(Box::new(move || Box::pin(does()))))
    }
}

#[async_trait::async_trait]
impl Source for Does<Value> {
    async fn fetch(&self, _: &Message) -> Result<Value, ConnectError> {
        (self.0)().await
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl Target for Does<()> {
    async fn deliver(&self, plan: &[Command], _: &[Option<Digest>]) -> Result<Vec<Receipt>, DeliverError> {
        let receipts = Vec::new();
        (self.0)()
            .await
            .map_err(|error| DeliverError { receipts, error })?;
        let receipt = |command: &Command| Receipt {
            model: command.model().to_owned(),
            external_id: command.external_id().to_owned(),
            effect: Effect::Written,
            target_id: None,
            written: None,
            stands_for: None,
        };
        Ok(plan.iter().map(receipt).collect())
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// A source that answers with this object.
pub(crate) fn tells(object: Value) -> Arc<Does<Value>> {
    Does::new(move || std::future::ready(Ok(object.clone())))
}

/// A target that does all it is asked.
pub(crate) fn obeys() -> Arc<Does<()>> {
    Does::new(|| std::future::ready(Ok(())))
}

/// A system that never answers.
pub(crate) fn hangs<T: Send + 'static>() -> Arc<Does<T>> {
    Does::new(std::future::pending::<Result<T, ConnectError>>)
}

/// What a pipeline is started with.
pub(crate) struct Site {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) systems: Systems,
    pub(crate) routes: Routes,
    _folder: TempDir,
}

/// A pipeline that runs, until it is dropped or stopped.
pub(crate) struct Running {
    pub(crate) journal: Arc<dyn Journal>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Site {
    /// Flow `deals` from `crm` and `other` to `odoo`, and for region `fr` to
    /// `odoo-fr`; an object names its region by `/region`, else it is `de`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binding = |stage: &str| serde_json::from_value(json!({"stage": stage, "plugin": "map"})).unwrap();
        let options = Options {
            plugins: folder.path().join("plugins"),
            archive: folder.path().join("archive"),
            bindings: vec![binding("read"), binding("write")],
            tables: BTreeMap::new(),
        };
        let registry = Registry::open(options, Arc::new(Loads)).unwrap();
        assert_eq!(registry.offer("map", b"1", now()).refused, None);
        let mut systems = Systems::default();
        for source in ["crm", "other"] {
            systems.insert_source(source, tells(json!({"name": source})));
        }
        for target in ["odoo", "odoo-fr"] {
            systems.insert_target(target, obeys());
        }
        let supplier = json!({"supplier": {"name": "Muster GmbH", "country": "DE"}});
        let region = || serde_json::from_value::<Region>(supplier.clone()).unwrap();
        let region_of = json!({"default": "de", "pointer": "/region"});
        let region_of = || serde_json::from_value::<RegionOf>(region_of.clone()).unwrap();
        let routes = Routes {
            flows: vec![flow("deals")],
            regions: ["de", "fr"].map(|name| (name.to_owned(), region())).into(),
            region_of: ["crm", "other"].map(|name| (name.to_owned(), region_of())).into(),
        };
        Self {
            journal: Arc::new(SqliteJournal::open(folder.path().join("journal.db")).unwrap()),
            registry: Arc::new(registry),
            systems,
            routes,
            _folder: folder,
        }
    }

    /// Starts a pipeline that works on so many messages at once.
    pub(crate) fn run(&self, at_once: usize) -> Running {
        let setup = Setup {
            journal: Arc::clone(&self.journal),
            registry: Arc::clone(&self.registry),
            systems: self.systems.clone(),
            routes: self.routes.clone(),
            sides: BTreeMap::new(),
            at_once,
            now: Arc::new(now),
            reached: None,
            traced: None,
        };
        let (stop, stopped) = watch::channel(false);
        Running {
            journal: Arc::clone(&self.journal),
            stop,
            task: tokio::spawn(Arc::new(Pipeline::new(setup)).run(stopped)),
        }
    }

    /// Lets a pipeline work until a message is in a state, and gives its status and
    /// events when the pipeline has stopped.
    pub(crate) async fn bring(&self, id: &MessageId, state: &str) -> (Status, Vec<Event>) {
        let running = self.run(1);
        let found = running.until(id, state).await;
        running.stop().await;
        found
    }

    /// Takes in the first event of each object.
    pub(crate) async fn accept(&self, system: &str, objects: std::ops::Range<u32>) {
        let messages = objects.map(|object| message(system, "deal", object));
        self.journal.accept(messages.collect()).await.unwrap();
    }
}

impl Running {
    /// Waits until a message is in a state, and gives its status and events.
    pub(crate) async fn until(&self, id: &MessageId, state: &str) -> (Status, Vec<Event>) {
        let mut changed = self.journal.changed();
        loop {
            changed.mark_unchanged();
            let found = self.journal.message(id).await.unwrap().unwrap();
            if found.status.state.name() == state {
                let events = found.entries.into_iter().map(|entry| entry.event);
                return (found.status, events.collect());
            }
            changed.changed().await.unwrap();
        }
    }

    /// Waits until so many messages are in a state.
    pub(crate) async fn until_all(&self, count: usize, state: &str) {
        let mut changed = self.journal.changed();
        loop {
            changed.mark_unchanged();
            let filter = Filter {
                state: Some(state.to_owned()),
                limit: count,
                ..Filter::default()
            };
            if self.journal.list(filter).await.unwrap().len() == count {
                return;
            }
            changed.changed().await.unwrap();
        }
    }

    /// Stops it, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }

    /// Ends it as a crash does.
    pub(crate) fn crash(&self) {
        self.task.abort();
    }
}

/// A flow from both sources, without any stage that can be left out.
pub(crate) fn flow(name: &str) -> Flow {
    let fields = json!({"name": name, "from": ["crm", "other"], "events": ["deal.changed"],
        "to": {"*": "odoo", "fr": "odoo-fr"}, "stages": []});
    serde_json::from_value(fields).unwrap()
}

/// The first event of an object.
pub(crate) fn message(system: &str, kind: &str, object: u32) -> Message {
    let dedupe = format!("{kind}/{object}");
    Message {
        id: MessageId::of(system, &dedupe),
        key: format!("{system}/{dedupe}"),
        system: system.to_owned(),
        event: "deal.changed".to_owned(),
        object_kind: kind.to_owned(),
        object_id: object.to_string(),
        dedupe,
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        headers: BTreeMap::new(),
        body: "{}".to_owned(),
    }
}

/// The id of [`message`] for a deal.
pub(crate) fn id(system: &str, object: u32) -> MessageId {
    message(system, "deal", object).id
}

#[expect(
    clippy::disallowed_methods,
    reason = "the host's clock; no test depends on what it says"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
