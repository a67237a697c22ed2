//! Both directions for thousands of changes: what we wrote comes back as an event and ends there,
//! so that the traffic dies out when people stop.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use cambist_connect::{
    ConnectError, Source, Target,
    target::{DeliverError, digest_of},
};
use cambist_contract::{
    canonical::{Change, Entity},
    context::Context,
    delivery::{Effect, Receipt},
    digest::Digest,
    invoicing::{Billable, Draft},
    mapping::{Command, Inbound, Outbound, Plan, RecordKey},
    message::{Message, MessageId},
    plugin::{Called, Description, Interface, Links, LoadError, Loader, Plugin},
    policy::{Proposal, Verdict},
    revision::Revision,
    stage::Stage,
    tax::{Assessment, Document},
};
use cambist_journal::{Event, State, journal::Filter};
use cambist_pipeline::{Flow, Owner};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::double::{Running, Site, answer};

/// Customers that people change on both sides.
const CUSTOMERS: u64 = 150;

/// Changes that people make, on both sides together.
const CHANGES: u64 = 3_000;

/// How many of them come at once, before anybody looks.
const WAVE: u64 = 500;

/// A mapping that calls fields the same on both sides, and finds a record by the id that it was born with.
struct Mirror;

impl Loader for Mirror {
    fn load(&self, _: &[u8], _: &Revision) -> Result<Arc<dyn Plugin>, LoadError> {
        Ok(Arc::new(Self))
    }

    fn describe(&self, bytes: &[u8]) -> Result<Description, LoadError> {
        Ok(Description {
            component: Digest::of(bytes),
            size: bytes.len() as u64,
            // the site binds it to `judge` and `draft` as well, where no flow of this test goes
            interfaces: vec![Interface::Mapping, Interface::Policy, Interface::Invoicing],
            imports: Vec::new(),
            name: None,
            version: None,
            cases: Vec::new(),
        })
    }
}

impl Plugin for Mirror {
    fn read(&self, context: &Context, input: &Inbound, _: Arc<dyn Links>) -> Called<Vec<Change>> {
        let mut account = input.body.value();
        account["ref"] = json!({"kind": "account", "system": input.system, "id": input.object_id});
        let change = json!({"entity": {"account": account}, "kind": "upsert", "changed-at": context.time});
        answer(vec![serde_json::from_value(change).unwrap()])
    }

    fn write(&self, _: &Context, input: &Outbound, _: Arc<dyn Links>) -> Called<Plan> {
        let commands = input.changes.iter().map(|change| {
            let name = change.entity.name();
            let Entity::Account(account) = &change.entity else {
                unreachable!("the mapping reads accounts")
            };
            let mut values = serde_json::to_value(account).unwrap();
            values.as_object_mut().unwrap().shift_remove("ref");
            let key = match name.system == input.system {
                true => RecordKey::Own(name.id.clone()),
                false => RecordKey::External(name.id.clone()),
            };
            let record =
                json!({"upsert": {"model": "account", "key": key, "values": values, "stands-for": name}});
            serde_json::from_value(record).unwrap()
        });
        answer(Plan {
            commands: commands.collect(),
        })
    }

    fn judge(&self, _: &Context, _: &Proposal, _: Arc<dyn Links>) -> Called<Verdict> {
        unimplemented!("no flow of this test has the stage")
    }

    fn assess(&self, _: &Context, _: &Document, _: Arc<dyn Links>) -> Called<Assessment> {
        unimplemented!("no flow of this test has the stage")
    }

    fn draft_invoice(&self, _: &Context, _: &Billable, _: Arc<dyn Links>) -> Called<Draft> {
        unimplemented!("no flow of this test has the stage")
    }
}

/// A system: its records, and what it has to tell of them.
#[derive(Default)]
struct Records {
    records: BTreeMap<String, Map<String, Value>>,
    /// Its own ids by our external ones.
    external: BTreeMap<String, String>,
    /// Events that nobody was told of yet, as its webhooks would: one for each field that got another value.
    untold: Vec<(String, String)>,
    /// Writes of ours that changed something.
    written: u64,
}

struct System {
    name: &'static str,
    has: Mutex<Records>,
}

impl System {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            has: Mutex::default(),
        })
    }

    /// Gives a record values. Tells whether any became another one.
    fn set(&self, id: &str, values: &Map<String, Value>) -> bool {
        let mut has = self.has.lock().unwrap();
        let record = has.records.entry(id.to_owned()).or_default();
        let mut changed = Vec::new();
        for (field, value) in values {
            if record.insert(field.clone(), value.clone()).as_ref() != Some(value) {
                changed.push((id.to_owned(), field.clone()));
            }
        }
        let any = !changed.is_empty();
        has.untold.extend(changed);
        any
    }

    /// What is to be told, which nobody is told of again.
    fn untold(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.has.lock().unwrap().untold)
    }

    /// Puts what is to be told into the journal, each twice, as systems do that tell at least once.
    async fn tell(&self, untold: &[(String, String)], site: &Site, number: &mut u64) {
        let mut messages = Vec::new();
        for (id, field) in untold {
            *number += 1;
            let dedupe = format!("{id}/{field}/{number}");
            let message = Message {
                id: MessageId::of(self.name, &dedupe),
                system: self.name.to_owned(),
                event: "changed".to_owned(),
                object_kind: "account".to_owned(),
                object_id: id.clone(),
                dedupe,
                key: format!("{}/{id}", self.name),
                occurred_at: Timestamp::UNIX_EPOCH,
                received_at: Timestamp::UNIX_EPOCH,
                headers: BTreeMap::new(),
                body: "{}".to_owned(),
            };
            messages.extend([message.clone(), message]);
        }
        for some in messages.chunks(200) {
            site.journal.accept(some.to_vec()).await.unwrap();
        }
    }

    /// Has an event of each record, as when somebody saves it without a change.
    fn say_again(&self) {
        let mut has = self.has.lock().unwrap();
        let all: Vec<_> = has
            .records
            .keys()
            .map(|id| (id.clone(), "phone".to_owned()))
            .collect();
        has.untold.extend(all);
    }

    fn written(&self) -> u64 {
        self.has.lock().unwrap().written
    }
}

#[async_trait::async_trait]
impl Source for System {
    async fn fetch(&self, message: &Message) -> Result<Value, ConnectError> {
        let has = self.has.lock().unwrap();
        Ok(Value::Object(has.records[&message.object_id].clone()))
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl Target for System {
    async fn deliver(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
    ) -> Result<Vec<Receipt>, DeliverError> {
        let mut receipts = Vec::new();
        for (command, written) in plan.iter().zip(written) {
            let Command::Upsert(record) = command else {
                unreachable!("the mapping writes upserts")
            };
            let digest = digest_of(record);
            let id = match &record.key {
                RecordKey::Own(id) => id.clone(),
                RecordKey::External(external) => {
                    let mut has = self.has.lock().unwrap();
                    let next = format!("{}", 90_000 + has.external.len());
                    has.external.entry(external.clone()).or_insert(next).clone()
                }
            };
            let is_same = *written == Some(digest);
            if !is_same && self.set(&id, &record.values) {
                self.has.lock().unwrap().written += 1;
            }
            receipts.push(Receipt {
                model: record.model.clone(),
                external_id: record.key.to_string(),
                effect: if is_same {
                    Effect::Unchanged
                } else {
                    Effect::Written
                },
                target_id: Some(id),
                written: Some(digest),
                stands_for: record.stands_for.clone(),
                fields: BTreeMap::new(),
            });
        }
        Ok(receipts)
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// Both systems, and a host between them.
struct Between {
    site: Site,
    running: Running,
    crm: Arc<System>,
    odoo: Arc<System>,
    number: u64,
}

impl Between {
    fn start() -> Self {
        let mut site = Site::loading(Arc::new(Mirror));
        let flow = |name: &str, from: &str, to: &str| {
            let flow =
                json!({"name": name, "from": [from], "events": ["changed"], "to": {"*": to}, "stages": []});
            Arc::new(serde_json::from_value::<Flow>(flow).unwrap())
        };
        let (crm, odoo) = (System::new("crm"), System::new("odoo"));
        for system in [&crm, &odoo] {
            site.systems.insert_source(system.name, system.clone());
            site.systems.insert_target(system.name, system.clone());
        }
        site.routes.flows = vec![flow("there", "crm", "odoo"), flow("back", "odoo", "crm")];
        let region_of = site.routes.region_of["crm"].clone();
        site.routes.region_of.insert("odoo".to_owned(), region_of);
        site.sides = [("odoo".to_owned(), Owner::Erp)].into();
        let running = site.run(16);
        Self {
            site,
            running,
            crm,
            odoo,
            number: 0,
        }
    }

    /// Lets both sides tell what they have to, until neither has anything to tell and nothing is under way. Gives how many
    /// events there were in each round.
    async fn rest(&mut self) -> Vec<usize> {
        let mut rounds = Vec::new();
        loop {
            // both before either, or what is worked on at once would already have an echo in this round
            let (of_crm, of_odoo) = (self.crm.untold(), self.odoo.untold());
            if of_crm.is_empty() && of_odoo.is_empty() {
                return rounds;
            }
            rounds.push(of_crm.len() + of_odoo.len());
            self.crm.tell(&of_crm, &self.site, &mut self.number).await;
            self.odoo.tell(&of_odoo, &self.site, &mut self.number).await;
            self.running.until_none("due").await;
        }
    }
}

/// How a message ended.
struct Ended {
    /// It said nothing new.
    is_echo: bool,
    /// Of how many fields it told that they are not its system's own.
    told_of: usize,
}

impl Between {
    /// How all messages ended, the oldest first.
    async fn all(&self) -> Vec<Ended> {
        let filter = Filter {
            limit: 20_000,
            ..Filter::default()
        };
        let mut all = Vec::new();
        for status in self.site.journal.list(filter).await.unwrap().iter().rev() {
            assert!(status.state.is_final(), "{status:?}");
            let reason = match &status.state {
                State::Ignored { reason } => reason.as_str(),
                _ => "",
            };
            let found = self.site.journal.message(&status.id).await.unwrap().unwrap();
            let own = found.entries.iter().find_map(|entry| match &entry.event {
                Event::Passed { stage, output, .. } if *stage == Stage::Own => Some(output.value()),
                _ => None,
            });
            let left_out = own.as_ref().and_then(|own| own["left-out"].as_array());
            all.push(Ended {
                is_echo: reason.contains("an echo"),
                told_of: left_out.map_or(0, Vec::len) + usize::from(reason.contains("owns nothing")),
            });
        }
        all
    }
}

/// A sequence that looks like none, and is the same on every run: a linear congruential generator (Knuth, MMIX).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_traffic_of_thousands_of_changes_on_both_sides_dies_out() {
    let mut between = Between::start();
    let value = |text: String| -> Value { text.into() };
    // the CRM has customers, and Odoo learns of them
    for customer in 0..CUSTOMERS {
        let fields = json!({"name": format!("Customer {customer}"), "phone": "0"});
        between
            .crm
            .set(&customer.to_string(), fields.as_object().unwrap());
    }
    assert!(between.rest().await.len() <= 2, "customers, and the echo of them");
    let made = between.odoo.written();
    assert_eq!((made, between.crm.written()), (CUSTOMERS, 0));

    let mut dice = Dice(42);
    let (mut by_owners, mut by_others) = ([0_u64; 2], 0_u64);
    let mut meddled: BTreeSet<(u64, &str)> = BTreeSet::new();
    let mut events = 0;
    for wave in 0..CHANGES / WAVE {
        for change in 0..WAVE {
            let customer = dice.roll(CUSTOMERS);
            let own = customer.to_string();
            let there = between.odoo.has.lock().unwrap().external[&own].clone();
            let new = value(format!("{wave}.{change}"));
            // the phone is the CRM's, the terms are Odoo's; one of ten changes what is not its own
            let (on_crm, field, is_owner) = match dice.roll(20) {
                0 => (true, "payment-terms", false),
                1 => (false, "phone", false),
                2..11 => (true, "phone", true),
                _ => (false, "payment-terms", true),
            };
            let fields: Map<String, Value> = [(field.to_owned(), new)].into_iter().collect();
            match on_crm {
                true => between.crm.set(&own, &fields),
                false => between.odoo.set(&there, &fields),
            };
            match is_owner {
                true => by_owners[usize::from(on_crm)] += 1,
                false => {
                    by_others += 1;
                    meddled.insert((customer, field));
                }
            }
        }
        let rounds = between.rest().await;
        // what people did, then the echo of what we made of it, then nothing
        assert!(rounds.len() <= 2, "wave {wave}: {rounds:?}");
        assert_eq!(rounds[0] as u64, WAVE);
        events += rounds.iter().sum::<usize>() as u64;
    }
    // each change of an owner's is written at most once, and nobody else's ever
    let [of_odoo, of_crm] = by_owners;
    let (to_odoo, to_crm) = (between.odoo.written() - made, between.crm.written());
    assert!(
        to_odoo <= of_crm && to_crm <= of_odoo,
        "{to_odoo} of {of_crm}, {to_crm} of {of_odoo}"
    );
    assert!(to_odoo > 0 && to_crm > 0);
    assert_eq!(of_odoo + of_crm + by_others, CHANGES);
    // and each write comes back once
    assert_eq!(events, CHANGES + to_odoo + to_crm);

    // both sides have the same, but where somebody meddled
    for customer in 0..CUSTOMERS {
        let (crm, odoo) = (between.crm.has.lock().unwrap(), between.odoo.has.lock().unwrap());
        let here = &crm.records[&customer.to_string()];
        let there = &odoo.records[&odoo.external[&customer.to_string()]];
        for field in ["name", "phone", "payment-terms"] {
            if !meddled.contains(&(customer, field)) {
                assert_eq!(here.get(field), there.get(field), "{field} of {customer}");
            }
        }
    }
    // what is not one's own was told of, and is not once more when both sides say all of it again; nor is any of it written
    let before = between.all().await;
    assert!(before.iter().any(|it| it.told_of > 0) && before.iter().any(|it| it.is_echo));
    between.crm.say_again();
    between.odoo.say_again();
    let again = 2 * usize::try_from(CUSTOMERS).unwrap();
    assert_eq!(between.rest().await, [again]);
    let after = between.all().await;
    assert_eq!(after.len(), before.len() + again);
    assert!(after[before.len()..].iter().all(|it| it.told_of == 0));
    assert_eq!(
        (between.odoo.written() - made, between.crm.written()),
        (to_odoo, to_crm)
    );
    between.running.stop().await;
}
