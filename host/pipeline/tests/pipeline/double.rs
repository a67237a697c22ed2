//! A pipeline with all that is around it. Its plugin maps any object to one account
//! and the account to one record, and judges as it is told; its systems are closures.

use std::{collections::BTreeMap, future::Future, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use cambist_connect::{ConnectError, Source, Systems, Target, target::DeliverError};
use cambist_contract::{
    canonical::Change,
    context::Context,
    delivery::{Effect, Receipt},
    digest::Digest,
    invoicing::{Billable, Draft},
    mapping::{Command, Inbound, Outbound, Plan},
    message::{Message, MessageId},
    plugin::{CallError, Called, Cost, Description, Interface, Links, LoadError, Loader, Plugin},
    policy::{Decision, Proposal, Verdict},
    revision::Revision,
    stage::Stage,
    tax::{Assessment, Document},
};
use cambist_journal::{
    Event, Heard, Journal, Replays, Shadows, Status, UnderWay, journal::Filter, store::SqliteJournal,
};
use cambist_pipeline::{Flow, Owner, Pipeline, Region, Replayer, Routes, Setup, options::RegionOf};
use cambist_registry::{Options, Registry};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};

/// Loads the component `2` as the second plugin, and anything else as the first.
struct Loads([Arc<Pack>; 2]);

type Reads = dyn Fn(&dyn Links) -> String + Send + Sync;
type Judges = dyn Fn(&Proposal) -> Called<Verdict> + Send + Sync;
type Maps = dyn Fn(&Inbound) -> Option<Value> + Send + Sync;
type Drafts = dyn Fn(&Billable) -> Called<Draft> + Send + Sync;

/// Maps an object to an account, and an account to a record; judges.
pub(crate) struct Pack {
    /// Told of each `read`; what it answers is part of the account's name.
    pub(crate) reads: Box<Reads>,
    /// What it makes of a proposal.
    pub(crate) judges: Box<Judges>,
    /// What it makes of an object in the place of an account: changes, as JSON; none is the account.
    pub(crate) maps: Box<Maps>,
    /// What it makes of what is to be billed.
    pub(crate) drafts: Box<Drafts>,
}

impl Default for Pack {
    fn default() -> Self {
        let allow = |_: &Proposal| verdict(Decision::Allow);
        Self {
            reads: Box::new(|_| String::new()),
            judges: Box::new(allow),
            maps: Box::new(|_| None),
            drafts: Box::new(|_| unreachable!("nothing is to be billed")),
        }
    }
}

/// A judgement, with a reason and what it cost.
pub(crate) fn verdict(decision: Decision) -> Called<Verdict> {
    let reasons = serde_json::from_value(json!([{"code": "told", "text": "so it was told"}]));
    called(Ok(Verdict {
        decision,
        reasons: reasons.unwrap(),
    }))
}

/// A call that cost something and wrote a line.
pub(crate) fn called<T>(answer: Result<T, CallError>) -> Called<T> {
    let cost = json!([{"level": "info", "text": "was here"}]);
    Called {
        answer,
        cost: Cost {
            fuel: 7,
            elapsed: std::time::Duration::from_micros(3),
            log: serde_json::from_value(cost).unwrap(),
        },
    }
}

impl Loader for Loads {
    fn load(&self, bytes: &[u8], _: &Revision) -> Result<Arc<dyn Plugin>, LoadError> {
        let [first, second] = &self.0;
        let pack = if bytes == b"2" { second } else { first };
        Ok(Arc::clone(pack) as _)
    }

    fn describe(&self, bytes: &[u8]) -> Result<Description, LoadError> {
        Ok(Description {
            component: Digest::of(bytes),
            size: bytes.len() as u64,
            interfaces: vec![Interface::Mapping, Interface::Policy, Interface::Invoicing],
            imports: Vec::new(),
            name: None,
            version: None,
            cases: Vec::new(),
        })
    }
}

/// An answer that cost nothing.
pub(crate) fn answer<T>(answer: T) -> Called<T> {
    Called {
        answer: Ok(answer),
        cost: Cost::default(),
    }
}

impl Plugin for Pack {
    fn read(&self, context: &Context, input: &Inbound, links: Arc<dyn Links>) -> Called<Vec<Change>> {
        if let Some(changes) = (self.maps)(input) {
            return answer(serde_json::from_str(&changes.to_string()).unwrap());
        }
        let name = json!({"kind": "account", "system": input.system, "id": input.object_id});
        let told = (self.reads)(links.as_ref());
        let text = format!("{} as {}{told}", input.body.value()["name"], context.region);
        let change = json!({"entity": {"account": {"ref": name, "name": text}}, "kind": "upsert",
            "changed-at": context.time});
        answer(vec![serde_json::from_value(change).unwrap()])
    }

    fn write(&self, _: &Context, input: &Outbound, _: Arc<dyn Links>) -> Called<Plan> {
        let commands = input.changes.iter().map(|change| {
            let name = change.entity.name();
            let entity = serde_json::to_value(&change.entity).unwrap();
            let values = json!({"name": entity["account"]["name"]});
            let record = json!({"upsert": {"model": "res.partner", "external-id": name.id, "values": values, "stands-for": name}});
            serde_json::from_value(record).unwrap()
        });
        answer(Plan {
            commands: commands.collect(),
        })
    }

    fn judge(&self, _: &Context, proposal: &Proposal, _: Arc<dyn Links>) -> Called<Verdict> {
        (self.judges)(proposal)
    }

    fn assess(&self, _: &Context, _: &Document, _: Arc<dyn Links>) -> Called<Assessment> {
        unimplemented!("no flow of these tests has the stage")
    }

    fn draft_invoice(&self, _: &Context, billable: &Billable, _: Arc<dyn Links>) -> Called<Draft> {
        (self.drafts)(billable)
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
            external_id: command.key().to_string(),
            effect: Effect::Written,
            target_id: Some(format!("id of {}", command.key())),
            written: None,
            stands_for: match command {
                Command::Ensure(record) | Command::Upsert(record) => record.stands_for.clone(),
                Command::Act(_) | Command::Remove(_) => None,
            },
            fields: BTreeMap::new(),
        };
        Ok(plan.iter().map(receipt).collect())
    }

    fn at_work(&self) -> Duration {
        AT_WORK
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// How long a target may be at an action that nobody waits for any more.
pub(crate) const AT_WORK: Duration = Duration::from_secs(600);

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
    pub(crate) shadows: Arc<dyn Shadows>,
    heard: Arc<dyn Heard>,
    pub(crate) replays: Arc<dyn Replays>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) systems: Systems,
    pub(crate) routes: Routes,
    /// Systems that are no CRMs.
    pub(crate) sides: BTreeMap<String, Owner>,
    folder: TempDir,
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
        Self::with(Pack::default())
    }

    /// The same, with this plugin.
    pub(crate) fn with(pack: Pack) -> Self {
        Self::with_two(pack, Pack::default())
    }

    /// The same, with another one that is the component `2` of the same plugin.
    pub(crate) fn with_two(pack: Pack, second: Pack) -> Self {
        Self::loading(Arc::new(Loads([pack, second].map(Arc::new))))
    }

    /// The same, with whatever this loads.
    pub(crate) fn loading(loader: Arc<dyn Loader>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binding = |stage: &str| serde_json::from_value(json!({"stage": stage, "plugin": "map"})).unwrap();
        let options = Options {
            plugins: folder.path().join("plugins"),
            archive: folder.path().join("archive"),
            bindings: ["read", "judge", "draft", "write"].map(binding).into(),
            tables: BTreeMap::new(),
            new_plugins: Default::default(),
            trust: Default::default(),
        };
        let ledger = Arc::new(cambist_registry::ledger::Memory::default());
        let registry = Registry::open(options, loader, ledger).unwrap();
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
            ownership: Arc::default(),
        };
        let journal = Arc::new(SqliteJournal::open(folder.path().join("journal.db")).unwrap());
        Self {
            shadows: journal.clone(),
            heard: journal.clone(),
            replays: journal.clone(),
            journal,
            registry: Arc::new(registry),
            systems,
            routes,
            sides: BTreeMap::new(),
            folder,
        }
    }

    /// Where the marks of what is under way are.
    pub(crate) fn marks(&self) -> PathBuf {
        self.folder.path().join("under-way")
    }

    /// Starts a pipeline that works on so many messages at once.
    pub(crate) fn run(&self, at_once: usize) -> Running {
        self.run_with(at_once, at_once)
    }

    /// The same, with so many calls of a flow at once.
    pub(crate) fn run_with(&self, at_once: usize, calls_at_once: usize) -> Running {
        let setup = Setup {
            journal: self.journal.clone(),
            registry: Arc::clone(&self.registry),
            shadows: self.shadows.clone(),
            heard: self.heard.clone(),
            under_way: UnderWay::open(&self.marks()).unwrap(),
            systems: self.systems.clone(),
            routes: self.routes.clone(),
            sides: self.sides.clone(),
            at_once,
            calls_at_once,
            now: Arc::new(now),
            reached: None,
            traced: None,
        };
        let (stop, stopped) = watch::channel(false);
        let pipeline = Arc::new(Pipeline::new(setup));
        let replayer = Replayer {
            pipeline: Arc::clone(&pipeline),
            replays: Arc::clone(&self.replays),
        };
        Running {
            journal: Arc::clone(&self.journal),
            stop,
            task: tokio::spawn(async move {
                tokio::join!(Arc::clone(&pipeline).run(stopped.clone()), replayer.run(stopped));
            }),
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
        self.accept_event(system, "deal.changed", objects).await;
    }

    /// The same, of another event.
    pub(crate) async fn accept_event(&self, system: &str, event: &str, objects: std::ops::Range<u32>) {
        let messages = objects.map(|object| Message {
            event: event.to_owned(),
            ..message(system, "deal", object)
        });
        self.journal.accept(messages.collect()).await.unwrap();
    }
}

impl Site {
    /// Takes in an event of an object that had one before, named as if it were another's.
    pub(crate) async fn accept_again(&self, system: &str, object: u32, named: u32) {
        let first = message(system, "deal", object);
        let again = Message {
            object_id: first.object_id,
            key: first.key,
            ..message(system, "deal", named)
        };
        self.journal.accept(vec![again]).await.unwrap();
    }

    /// Has a message go its way again, on its pinned revisions.
    pub(crate) async fn replay(&self, id: &MessageId) {
        let again = Event::Resumed {
            by: "ada".to_owned(),
            from: Stage::Fetch,
            live: false,
            why: None,
            order: None,
        };
        self.journal.record(id, now(), vec![again]).await.unwrap();
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

    /// Waits until a message rests: it is done, or parked.
    pub(crate) async fn until_rest(&self, id: &MessageId) -> (Status, Vec<Event>) {
        tokio::select! {
            found = self.until(id, "done") => found,
            found = self.until(id, "parked") => found,
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

    /// Waits until no message is in a state.
    pub(crate) async fn until_none(&self, state: &str) {
        let mut changed = self.journal.changed();
        loop {
            changed.mark_unchanged();
            let counts = self.journal.counts().await.unwrap();
            if counts.by_state.get(state).is_none_or(|count| *count == 0) {
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
pub(crate) fn flow(name: &str) -> Arc<Flow> {
    flow_with(name, &[])
}

/// A flow from both sources, with these stages of those that can be left out.
pub(crate) fn flow_with(name: &str, stages: &[&str]) -> Arc<Flow> {
    let fields = json!({"name": name, "from": ["crm", "other"], "events": ["deal.changed"],
        "to": {"*": "odoo", "fr": "odoo-fr"}, "stages": stages});
    Arc::new(serde_json::from_value(fields).unwrap())
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
