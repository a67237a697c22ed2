//! A registry in a folder of its own, and a loader whose components are JSON texts
//! that say how they behave.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use cambist_contract::{
    canonical::Change,
    context::Context,
    digest::Digest,
    fault::{Fault, Reason},
    invoicing::{Billable, Draft},
    mapping::{Inbound, Outbound, Plan},
    plugin::{Called, Case, Cost, Description, Interface, Links, LoadError, Loader, Plugin},
    policy::{Decision, Proposal, Verdict},
    revision::{Revision, Tables},
    rollout::Act,
    stage::Stage,
    tax::{Assessment, Document},
};
use cambist_registry::{
    Binding, Ledger, NewPlugins, Options, Pins, Registry, RouteError, Trust,
    binding::Subject,
    ledger::{Memory, Taken},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

/// When all tests take place.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// What a component of these tests is: how it answers, and what it carries.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
struct Component {
    version: String,
    interfaces: Vec<Interface>,
    cases: Vec<Case>,
    /// What `judge` says; `?` for another thing every time, `!` for a fault.
    says: String,
    /// Why it does not load.
    refuses: Option<String>,
    /// The fuel that each call of it costs.
    costs: u64,
    /// The one setting it knows; it breaks on any other.
    knows: Option<String>,
}

impl Default for Component {
    fn default() -> Self {
        Self {
            version: "1".to_owned(),
            interfaces: vec![Interface::Policy],
            cases: Vec::new(),
            says: "yes".to_owned(),
            refuses: None,
            costs: 0,
            knows: None,
        }
    }
}

/// Loads JSON texts, and counts how often.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) loads: AtomicU32,
    pub(crate) descriptions: AtomicU32,
    /// So many loads fail for a reason that passes by itself.
    pub(crate) trouble: AtomicU32,
    holds: Hold,
    meanwhile: Meanwhile,
}

impl Fake {
    /// Has something happen in the midst of the next load.
    pub(crate) fn meanwhile(&self, what: impl FnOnce() + Send + 'static) {
        self.meanwhile.set(what);
    }

    /// Lets no load go on until what it gives is dropped.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.holds.set(true);
        Held(&self.holds)
    }
}

/// Where others wait while it is on.
#[derive(Default)]
struct Hold {
    is_on: Mutex<bool>,
    changed: Condvar,
}

impl Hold {
    fn set(&self, is_on: bool) {
        *self.is_on.lock().unwrap() = is_on;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let is_on = self.is_on.lock().unwrap();
        drop(self.changed.wait_while(is_on, |is_on| *is_on).unwrap());
    }
}

/// It is on; also a test that fails lets all go on.
pub(crate) struct Held<'a>(&'a Hold);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Something that happens once, in the midst of something else.
#[derive(Default)]
struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Meanwhile {
    fn set(&self, what: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::new(what));
    }

    fn is_over(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }

    fn happen(&self) {
        let what = self.0.lock().unwrap().take();
        if let Some(what) = what {
            what();
        }
    }
}

impl Loader for Fake {
    fn load(&self, bytes: &[u8], _: &Revision) -> Result<Arc<dyn Plugin>, LoadError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.meanwhile.happen();
        self.holds.pass();
        let spend = |left: u32| left.checked_sub(1);
        let spent = self
            .trouble
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend);
        if spent.is_ok() {
            return Err(LoadError::Host("no memory left".to_owned()));
        }
        let component = parse(bytes)?;
        match component.refuses {
            Some(hint) => Err(LoadError::NotGranted {
                missing: vec!["wasi:clocks".to_owned()],
                hint,
            }),
            None => Ok(Arc::new(Puppet {
                component,
                calls: AtomicU32::new(0),
            })),
        }
    }

    fn describe(&self, bytes: &[u8]) -> Result<Description, LoadError> {
        self.descriptions.fetch_add(1, Ordering::SeqCst);
        let component = parse(bytes)?;
        Ok(Description {
            component: Digest::of(bytes),
            size: bytes.len() as u64,
            interfaces: component.interfaces,
            imports: Vec::new(),
            name: None,
            version: Some(component.version),
            cases: component.cases,
        })
    }
}

/// The text may stand in a frame, where signatures can stand behind it.
fn parse(bytes: &[u8]) -> Result<Component, LoadError> {
    let begins = bytes.iter().position(|sign| *sign == b'{').unwrap_or_default();
    let mut texts = serde_json::Deserializer::from_slice(bytes.get(begins..).unwrap_or_default()).into_iter();
    let text = texts
        .next()
        .ok_or_else(|| LoadError::NotAComponent("empty".to_owned()))?;
    text.map_err(|error| LoadError::NotAComponent(error.to_string()))
}

/// A component of these tests as WebAssembly has it: a header, and a custom section
/// without a name.
pub(crate) fn framed(component: &[u8]) -> Vec<u8> {
    let size = u8::try_from(component.len() + 1).unwrap();
    assert!(size < 128, "a length of one byte");
    [b"\0asm\x0d\0\x01\0\0".as_slice(), &[size, 0], component].concat()
}

struct Puppet {
    component: Component,
    calls: AtomicU32,
}

impl Plugin for Puppet {
    fn judge(&self, context: &Context, _: &Proposal, _: Arc<dyn Links>) -> Called<Verdict> {
        let settings = context.settings.value();
        let mut names = settings.as_object().into_iter().flat_map(|all| all.keys());
        if let Some(known) = &self.component.knows
            && let Some(other) = names.find(|name| *name != known)
        {
            return Called {
                answer: Err(Fault::Broken(format!("settings: unknown field `{other}`")).into()),
                cost: Cost::default(),
            };
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let text = match self.component.says.as_str() {
            "?" => call.to_string(),
            says => says.to_owned(),
        };
        let answer = match text.as_str() {
            "!" => Err(Fault::Unhandled("not mine".to_owned()).into()),
            _ => Ok(Verdict {
                decision: Decision::Allow,
                reasons: vec![Reason {
                    code: "test".to_owned(),
                    text,
                    basis: None,
                }],
            }),
        };
        Called {
            answer,
            cost: Cost {
                fuel: self.component.costs,
                ..Cost::default()
            },
        }
    }

    fn read(&self, _: &Context, _: &Inbound, _: Arc<dyn Links>) -> Called<Vec<Change>> {
        unimplemented!("only judges")
    }

    fn write(&self, _: &Context, _: &Outbound, _: Arc<dyn Links>) -> Called<Plan> {
        unimplemented!("only judges")
    }

    fn assess(&self, _: &Context, _: &Document, _: Arc<dyn Links>) -> Called<Assessment> {
        unimplemented!("only judges")
    }

    fn draft_invoice(&self, _: &Context, _: &Billable, _: Arc<dyn Links>) -> Called<Draft> {
        unimplemented!("only judges")
    }
}

/// A component that says so, without a case.
pub(crate) fn saying(says: &str) -> Vec<u8> {
    json!({"says": says}).to_string().into_bytes()
}

/// A component that says one thing and carries a case for another.
pub(crate) fn with_case(says: &str, expect: Value) -> Vec<u8> {
    let context = json!({"message": "m", "flow": "f", "region": "de", "time": "2026-01-01T00:00:00Z"});
    let case = json!({"name": "a-deal-passes", "call": "judge", "context": context, "input": {"changes": []},
        "expect": expect});
    json!({"says": says, "cases": [case]}).to_string().into_bytes()
}

/// The answer of a component that says so.
pub(crate) fn verdict(says: &str) -> Value {
    json!({"ok": {"decision": "allow", "reasons": [{"code": "test", "text": says}]}})
}

/// A binding of `judge` to a plugin, with more fields from `terms`.
pub(crate) fn binding(plugin: &str, terms: Value) -> Binding {
    let mut fields = json!({"stage": "judge", "plugin": plugin});
    let terms = terms.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(terms);
    serde_json::from_value(fields).unwrap()
}

/// A ledger that outlives its hosts, fails when it is told to, and to which messages are
/// pinned as it is told.
#[derive(Default)]
pub(crate) struct Book {
    acts: Memory,
    pins: Mutex<BTreeMap<Digest, u64>>,
    /// How many steps more there is room for, where it is bounded.
    room: Mutex<Option<usize>>,
    meanwhile: Meanwhile,
}

impl Book {
    /// Has something happen in the midst of the next write.
    pub(crate) fn meanwhile(&self, what: impl FnOnce() + Send + 'static) {
        self.meanwhile.set(what);
    }

    pub(crate) fn has_run(&self) -> bool {
        self.meanwhile.is_over()
    }

    pub(crate) fn pin(&self, revision: Digest, messages: u64) {
        self.pins.lock().unwrap().insert(revision, messages);
    }

    pub(crate) fn fail(&self, fails: bool) {
        *self.room.lock().unwrap() = fails.then_some(0);
    }

    /// Has room for so many steps more.
    pub(crate) fn room(&self, steps: usize) {
        *self.room.lock().unwrap() = Some(steps);
    }
}

impl Ledger for Book {
    fn write(&self, acts: Vec<Act>) -> Result<Vec<Taken>, String> {
        self.meanwhile.happen();
        if let Some(room) = &mut *self.room.lock().unwrap() {
            let left = room.checked_sub(acts.len());
            *room = left.ok_or_else(|| "the disk is full".to_owned())?;
        }
        self.acts.write(acts)
    }

    fn all(&self) -> Result<Vec<Taken>, String> {
        self.acts.all()
    }

    fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, String> {
        let pins = self.pins.lock().unwrap();
        let count = |revision| pins.get(revision).copied().unwrap_or_default();
        Ok(revisions.iter().map(count).collect())
    }
}

/// The folders of a host.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) loader: Arc<Fake>,
    pub(crate) ledger: Arc<Book>,
    pub(crate) new_plugins: NewPlugins,
    pub(crate) trust: Trust,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) tables: Tables,
}

impl Site {
    pub(crate) fn new(bindings: impl Into<Vec<Binding>>) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            loader: Arc::default(),
            ledger: Arc::default(),
            new_plugins: NewPlugins::Live,
            trust: Trust::default(),
            bindings: bindings.into(),
            tables: Tables::new(),
        }
    }

    /// The registry as a host that starts has it.
    pub(crate) fn open(&self) -> Registry {
        let options = Options {
            plugins: self.folder.path().join("plugins"),
            archive: self.folder.path().join("archive"),
            bindings: self.bindings.clone(),
            tables: self.tables.clone(),
            new_plugins: self.new_plugins,
            trust: self.trust.clone(),
        };
        let ledger = Arc::clone(&self.ledger) as Arc<dyn Ledger>;
        Registry::open(options, Arc::clone(&self.loader) as Arc<dyn Loader>, ledger).unwrap()
    }

    /// The bindings of a config that was changed while the host was down.
    pub(crate) fn bind(&mut self, bindings: impl Into<Vec<Binding>>) {
        self.bindings = bindings.into();
    }

    /// The path of a file in the folder that is watched.
    pub(crate) fn plugin(&self, file: &str) -> PathBuf {
        self.folder.path().join("plugins").join(file)
    }

    /// What is in a part of the archive.
    pub(crate) fn archived(&self, part: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("archive").join(part)).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

/// The revision that judges a message of flow `f` in a region and a unit.
pub(crate) fn judge_of(registry: &Registry, region: &str, unit: &str) -> Result<Digest, RouteError> {
    judge(registry, region, unit, "")
}

/// The same for a message of a key, in region `de`.
pub(crate) fn judge_of_key(registry: &Registry, key: &str) -> Digest {
    judge(registry, "de", "", key).unwrap()
}

fn judge(registry: &Registry, region: &str, unit: &str, key: &str) -> Result<Digest, RouteError> {
    let subject = Subject {
        flow: "f",
        region,
        unit,
        key,
    };
    let pins = registry.route(&[Stage::Fetch, Stage::Judge], subject)?.revisions;
    assert_eq!(pins.len(), 1, "only plugin stages have pins: {pins:?}");
    Ok(*pins.get(&Stage::Judge).unwrap())
}

/// What a message of flow `f` in region `de` is pinned to, and which step it follows.
pub(crate) fn pins_of(registry: &Registry) -> Pins {
    let subject = Subject {
        flow: "f",
        region: "de",
        unit: "",
        key: "",
    };
    registry.route(&[Stage::Judge], subject).unwrap()
}

/// The component that judges a message of flow `f` in region `de`.
pub(crate) fn live(registry: &Registry) -> Option<Digest> {
    let id = judge_of(registry, "de", "").ok()?;
    Some(registry.pinned(&id).unwrap().revision.component)
}
