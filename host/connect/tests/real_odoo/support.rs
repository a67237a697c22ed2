//! The real Odoo, commands in short, and a whole deal.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio},
    sync::Arc,
};

use cambist_connect::{DeliverError, Source, Systems, Target, options::Options, poll::Poll};
use cambist_contract::{
    JsonObject,
    delivery::{Effect, Receipt},
    mapping::{Action, Command, Record, RecordKey},
    secret::{Secret, SecretRef},
};
use cambist_doubles::Proxy;
use serde_json::{Value, json};

/// The real Odoo, or none, said loudly.
pub(crate) struct Odoo(BTreeMap<String, String>);

impl Odoo {
    pub(crate) fn here() -> Option<Self> {
        let Ok(path) = std::env::var("CAMBIST_ODOO_ENV") else {
            // not by `eprintln!`, which the test runner would swallow
            let line =
                "SKIPPED: no real Odoo; set CAMBIST_ODOO_ENV to the file that tests/odoo/up.sh prints\n";
            let _ = std::io::stderr().write_all(line.as_bytes());
            return None;
        };
        let text = std::fs::read_to_string(path).unwrap();
        let facts = text.lines().filter_map(|line| line.split_once('='));
        Some(Self(
            facts
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ))
    }

    pub(crate) fn fact(&self, name: &str) -> &str {
        self.0.get(&format!("CAMBIST_ODOO_{name}")).unwrap()
    }

    pub(crate) fn systems(&self, database: &str, key: &str) -> Systems {
        self.systems_at(self.fact("URL"), database, key, "")
    }

    /// The same by way of a proxy, which has little time and much patience.
    pub(crate) fn through(&self, proxy: &Proxy) -> Arc<dyn Target> {
        let more = "\nread-time = \"5s\"\nwrite-time = \"90s\"\nbreaker = { on = false }";
        let systems = self.systems_at(&proxy.url(), self.fact("DB"), self.fact("KEY"), more);
        systems.target("odoo").unwrap()
    }

    fn systems_at(&self, address: &str, database: &str, key: &str, more: &str) -> Systems {
        let config = format!(
            "[systems.odoo]\nkind = \"odoo\"\naddress = \"{address}\"\ndatabase = \"{database}\"\nkey = {{ env = \"KEY\" }}\n\
             company = {}\nat-once = 8\npoll = {{ models = [\"res.partner\"] }}\nfields = {{ \"res.partner\" = [\"name\", \"country_id\", \"ref\"] }}{more}",
            self.fact("COMPANY_DE"),
        );
        let options: Options = toml::from_str(&config).unwrap();
        let secrets = BTreeMap::from([(SecretRef::Env("KEY".to_owned()), Secret::parse(key).unwrap())]);
        Systems::new(&options, &secrets, None).unwrap()
    }

    pub(crate) fn target(&self) -> Arc<dyn Target> {
        self.systems(self.fact("DB"), self.fact("KEY"))
            .target("odoo")
            .unwrap()
    }

    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.systems(self.fact("DB"), self.fact("KEY"))
            .source("odoo")
            .unwrap()
    }

    pub(crate) fn polled(&self) -> Arc<dyn Poll> {
        let systems = self.systems(self.fact("DB"), self.fact("KEY"));
        systems.polled().next().unwrap().1
    }

    /// Asks the database itself, behind Odoo's back.
    pub(crate) fn sql(&self, query: &str) -> String {
        let output = Process::new("psql")
            .args(["-qAt", self.fact("SQL"), "-c", query])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A session of its own with the database.
    pub(crate) fn session(&self) -> Session {
        let mut psql = Process::new("psql")
            .args(["-qAt", self.fact("SQL")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, heard) = (psql.stdin.take().unwrap(), psql.stdout.take().unwrap());
        Session {
            psql,
            said,
            heard: BufReader::new(heard),
        }
    }
}

/// A session with Odoo's database; it ends with the test.
pub(crate) struct Session {
    psql: Child,
    said: ChildStdin,
    heard: BufReader<ChildStdout>,
}

impl Session {
    pub(crate) fn say(&mut self, query: &str) {
        writeln!(self.said, "{query}").unwrap();
    }

    /// The next line of its answers.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.heard.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// An id that no other test has used.
#[expect(
    clippy::disallowed_methods,
    reason = "the time makes it another one in each run"
)]
pub(crate) fn fresh(name: &str) -> String {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::{SystemTime, UNIX_EPOCH},
    };
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    format!("hub.{name}_{now}_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn fields(value: Value) -> JsonObject {
    value.as_object().cloned().unwrap().into()
}

pub(crate) fn record(model: &str, id: &str, values: Value) -> Record {
    Record {
        model: model.to_owned(),
        key: RecordKey::External(id.to_owned()),
        values: fields(values),
        stands_for: None,
    }
}

pub(crate) fn upsert(model: &str, id: &str, values: Value) -> Command {
    Command::Upsert(record(model, id, values))
}

pub(crate) fn act(model: &str, id: &str, name: &str, from: Value, to: Value) -> Command {
    Command::Act(Action {
        model: model.to_owned(),
        key: RecordKey::External(id.to_owned()),
        name: name.to_owned(),
        arguments: JsonObject::default(),
        from: fields(from),
        to: fields(to),
    })
}

pub(crate) fn effects(receipts: &[Receipt]) -> Vec<Effect> {
    receipts.iter().map(|receipt| receipt.effect).collect()
}

pub(crate) fn target_id(receipts: &[Receipt], index: usize) -> String {
    receipts.get(index).unwrap().target_id.clone().unwrap()
}

pub(crate) async fn failure(target: &Arc<dyn Target>, command: Command) -> DeliverError {
    target.deliver(&[command], &[]).await.unwrap_err()
}

/// A customer, a service, an order with two lines, confirmed at 118.99 + 59.50.
pub(crate) fn deal(name: &str) -> (Vec<Command>, String) {
    let id = |part: &str| format!("{name}_{part}");
    let plan = vec![
        upsert(
            "res.partner",
            &id("acc"),
            json!({"name": "Acme GmbH", "is_company": true, "country_id/id": "base.de"}),
        ),
        upsert(
            "res.partner",
            &id("con"),
            json!({"name": "Ada", "parent_id/id": id("acc"), "email": "ada@example.com"}),
        ),
        Command::Ensure(record(
            "product.product",
            &id("svc"),
            json!({"name": "Consulting", "type": "service", "service_tracking": "project_only"}),
        )),
        upsert(
            "sale.order",
            &id("so"),
            json!({"partner_id/id": id("acc"), "client_order_ref": "42", "pricelist_id/id": "testbed.pricelist_eur"}),
        ),
        upsert(
            "sale.order.line",
            &id("l1"),
            json!({"order_id/id": id("so"), "product_id/id": id("svc"), "name": "Design", "product_uom_qty": "3", "price_unit": "33.33"}),
        ),
        upsert(
            "sale.order.line",
            &id("l2"),
            json!({"order_id/id": id("so"), "product_id/id": id("svc"), "name": "Build", "product_uom_qty": "1", "price_unit": "50.00"}),
        ),
        act(
            "sale.order",
            &id("so"),
            "action_confirm",
            json!({"state": "draft", "amount_untaxed": "149.99", "amount_tax": "28.50", "amount_total": "178.49"}),
            json!({"state": "sale"}),
        ),
    ];
    (plan, id("so"))
}
