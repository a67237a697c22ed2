//! The real Odoo of `demo --odoo`: brought up by the project's script, delivered
//! into, and read back.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use cambist_connect::options::System;
use cambist_contract::Decimal;
use serde_json::{Value, json};

use super::{
    narrate,
    stage_set::{CRM, StageSet},
};
use crate::config::Config;

/// The database of the demo; made anew for each run.
const DATABASE: &str = "cambist_demo";

/// A running Odoo.
pub(super) struct Odoo {
    url: String,
    database: String,
    /// The integration user's key.
    pub(super) key: String,
    companies: BTreeMap<&'static str, NonZeroU32>,
}

/// What was found in Odoo.
pub(super) struct Found {
    orders: Vec<Value>,
    projects: Vec<Value>,
}

impl Odoo {
    /// Brings Odoo up and makes a fresh database.
    pub(super) fn start(set: &StageSet) -> Result<Self> {
        narrate::step("bringing up a real Odoo 19 (installed on the first run: some three minutes)");
        let script = set.root.join("tests/odoo/up.sh");
        up(&script, &["up"])?;
        let env = up(&script, &["clone", DATABASE])?;
        let text = std::fs::read_to_string(env.trim()).with_context(|| format!("cannot read {env}"))?;
        let values: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let get = |name: &str| {
            let name = format!("CAMBIST_ODOO_{name}");
            values
                .get(name.as_str())
                .map(ToString::to_string)
                .with_context(|| format!("{env} has no {name}"))
        };
        let company = |name: &str| -> Result<NonZeroU32> { Ok(get(name)?.parse()?) };
        Ok(Self {
            url: get("URL")?,
            database: get("DB")?,
            key: get("KEY")?,
            companies: BTreeMap::from([
                ("odoo-de", company("COMPANY_DE")?),
                ("odoo-in", company("COMPANY_IN")?),
            ]),
        })
    }

    /// Puts Odoo in the place of the dry runs.
    pub(super) fn put_into(&self, config: &mut Config) -> Result<()> {
        for (name, system) in &mut config.connect.systems {
            if name == CRM {
                continue;
            }
            let company = self
                .companies
                .get(name.as_str())
                .with_context(|| format!("Odoo has no company for `{name}`"))?;
            let odoo: System = serde_json::from_value(json!({
                "kind": "odoo",
                "address": self.url,
                "database": self.database,
                "key": { "env": "CAMBIST_ODOO_KEY" },
                "company": company,
            }))?;
            *system = odoo;
        }
        Ok(())
    }

    /// Reads what was delivered.
    pub(super) async fn read_back(&self) -> Result<Found> {
        let orders = self
            .search(
                "sale.order",
                json!([]),
                &[
                    "name",
                    "state",
                    "partner_id",
                    "company_id",
                    "client_order_ref",
                    "amount_untaxed",
                    "amount_tax",
                    "amount_total",
                    "currency_id",
                    "order_line",
                ],
            )
            .await?;
        let projects = self
            .search(
                "project.project",
                json!([["partner_id", "!=", false]]),
                &["name", "partner_id", "company_id", "milestone_ids"],
            )
            .await?;
        Ok(Found { orders, projects })
    }

    async fn search(&self, model: &str, domain: Value, fields: &[&str]) -> Result<Vec<Value>> {
        let companies: Vec<u32> = self.companies.values().map(|id| id.get()).collect();
        let body = json!({"domain": domain, "fields": fields, "order": "id", "context": {"allowed_company_ids": companies}});
        let answer = reqwest::Client::builder()
            .no_proxy()
            .build()?
            .post(format!("{}/json/2/{model}/search_read", self.url))
            .bearer_auth(&self.key)
            .header("X-Odoo-Database", &self.database)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .context("Odoo does not answer")?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("Odoo answers {status} to a search of {model}");
        }
        Ok(serde_json::from_str(&text)?)
    }
}

/// Prints the records as Odoo has them.
pub(super) fn print(found: &Found) {
    say!("\nread back from Odoo:");
    for order in &found.orders {
        let lines = order
            .get("order_line")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        say!(
            "  order {} ({}), {}, for {}, {lines} lines: {} + {} = {} {}",
            text(order, "name"),
            text(order, "state"),
            text(order, "company_id"),
            text(order, "partner_id"),
            text(order, "amount_untaxed"),
            text(order, "amount_tax"),
            text(order, "amount_total"),
            text(order, "currency_id"),
        );
    }
    for project in &found.projects {
        let milestones = project
            .get("milestone_ids")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        say!(
            "  project {}, {}, for {}, {milestones} milestones",
            text(project, "name"),
            text(project, "company_id"),
            text(project, "partner_id")
        );
    }
}

/// A field as a person reads it; of a reference its name.
fn text(record: &Value, field: &str) -> String {
    match record.get(field) {
        Some(Value::Array(reference)) => reference
            .get(1)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => {
            let exact = number.to_string().parse::<Decimal>().unwrap_or_default();
            format!("{exact:.2}")
        }
        _ => "-".to_owned(),
    }
}

/// Runs the script; its progress goes to the screen. Answers what it prints.
fn up(script: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("bash")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", script.display()))?;
    if !output.status.success() {
        bail!(
            "{} {} failed; it has said why",
            script.display(),
            arguments.join(" ")
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
