//! The real Odoo, by JSON-2, as a witness that is not the host.

use std::{collections::BTreeMap, io::Write as _, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use crate::sender;

/// Keeps each name that a line or a project is given.
const WATCH: &str = "
    create table cambist_watched (place bigserial primary key, tab text, id integer, said text);
    create function cambist_watch() returns trigger language plpgsql as $$
    declare said text := case when tg_table_name = 'project_project' then to_jsonb(new)->'name'->>'en_US' else to_jsonb(new)->>'name' end;
    begin
        insert into cambist_watched (tab, id, said) values (tg_table_name, new.id, said);
        return null;
    end $$;
    create trigger cambist_watch after insert or update of name on sale_order_line
        for each row execute function cambist_watch();
    create trigger cambist_watch after insert or update of name on project_project
        for each row execute function cambist_watch();
";

/// A database of its own in the real Odoo.
#[derive(Clone, Debug)]
pub struct Odoo {
    facts: BTreeMap<String, String>,
    client: Client,
}

impl Odoo {
    /// A fresh database for this test, or none, said loudly.
    ///
    /// # Errors
    ///
    /// There is an Odoo and it cannot be used.
    pub fn fresh(name: &str) -> Result<Option<Self>> {
        if std::env::var_os("CAMBIST_ODOO_ENV").is_none() {
            // not by `eprintln!`, which the test runner would swallow, and in one piece, because others print as well
            let line = format!(
                "SKIPPED: {name}: no real Odoo; set CAMBIST_ODOO_ENV to the file that tests/odoo/up.sh prints\n"
            );
            let _ = std::io::stderr().write_all(line.as_bytes());
            return Ok(None);
        }
        // a name that was never used is fastest: tests/odoo/README.md
        let database = format!("e2e_{name}_{}", std::process::id());
        let script = cambist_guests::root().join("tests/odoo/up.sh");
        let output = Command::new(script).args(["clone", &database]).output()?;
        ensure!(
            output.status.success(),
            "cannot make a database: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let file = String::from_utf8(output.stdout)?;
        Ok(Some(Self {
            facts: facts(Path::new(file.trim()))?,
            client: sender::client()?,
        }))
    }

    /// A line of the env file, such as `URL`; empty when there is none.
    pub fn fact(&self, name: &str) -> &str {
        self.facts
            .get(&format!("CAMBIST_ODOO_{name}"))
            .map_or("", String::as_str)
    }

    /// Calls a method as the administrator.
    ///
    /// # Errors
    ///
    /// Odoo refuses it.
    pub async fn call(&self, model: &str, method: &str, body: Value) -> Result<Value> {
        let answer = self
            .client
            .post(format!("{}/json/2/{model}/{method}", self.fact("URL")))
            .bearer_auth(self.fact("ADMIN_KEY"))
            .header("x-odoo-database", self.fact("DB"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            bail!(
                "{model}/{method}: {status}: {}",
                problem.get("message").unwrap_or_default()
            );
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// The records of a model that a domain names, with some fields, by their ids.
    ///
    /// # Errors
    ///
    /// Odoo refuses it.
    pub async fn records(&self, model: &str, domain: Value, fields: &[&str]) -> Result<Vec<Value>> {
        let body =
            json!({"domain": domain, "fields": fields, "order": "id", "context": {"active_test": false}});
        let found = self.call(model, "search_read", body).await?;
        found.as_array().cloned().context("no list")
    }

    /// The ids of all records of these models that came from HubSpot, by model:
    /// what must be the same after anything was sent again.
    ///
    /// # Errors
    ///
    /// Odoo refuses it.
    pub async fn ours(&self) -> Result<BTreeMap<String, Vec<(String, u64)>>> {
        let domain = json!([["module", "=", "cambist"]]);
        let mut ours: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
        for record in self
            .records("ir.model.data", domain, &["name", "model", "res_id"])
            .await?
        {
            let text = |name: &str| {
                record
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let id = record.get("res_id").and_then(Value::as_u64).unwrap_or_default();
            ours.entry(text("model")).or_default().push((text("name"), id));
        }
        for named in ours.values_mut() {
            named.sort();
        }
        Ok(ours)
    }

    /// How many records of a model there are, archived ones included.
    ///
    /// # Errors
    ///
    /// Odoo refuses it.
    pub async fn count(&self, model: &str) -> Result<u64> {
        let body = json!({"domain": [], "context": {"active_test": false}});
        let count = self.call(model, "search_count", body).await?;
        count.as_u64().context("no number")
    }

    /// Asks the database itself, behind Odoo's back, and gives its one answer.
    ///
    /// # Errors
    ///
    /// It refuses the question.
    pub fn sql(&self, query: &str) -> Result<String> {
        let output = Command::new("psql")
            .args(["-qAt", "-v", "ON_ERROR_STOP=1", self.fact("SQL"), "-c", query])
            .output()?;
        ensure!(
            output.status.success(),
            "the database refuses: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// From now on the database keeps what is said of lines and projects, in the order in which it is committed: two that
    /// write one row wait for each other.
    ///
    /// # Errors
    ///
    /// The database refuses it.
    pub fn watch(&self) -> Result<()> {
        self.sql(WATCH).map(drop)
    }

    /// Sets how the books of a company round: `round_globally` or `round_per_line`.
    ///
    /// # Errors
    ///
    /// Odoo refuses it.
    pub async fn round(&self, company: &str, method: &str) -> Result<()> {
        let id: u64 = self.fact(&format!("COMPANY_{company}")).parse()?;
        let values = json!({"tax_calculation_rounding_method": method});
        self.call("res.company", "write", json!({"ids": [id], "vals": values}))
            .await?;
        Ok(())
    }
}

fn facts(file: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().filter_map(|line| line.split_once('='));
    Ok(lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}
