//! The tax oracle: what we assess is what the real Odoo computes for the same
//! order, to the cent, with both of its rounding methods. The cases are files in
//! `tax/`; a new case is a new file.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use cambist_contract::{stage::Stage, tax::Assessment};
use cambist_e2e::{Deal, Setup, World, odoo::Odoo};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

/// One case: a deal, and which tax the law wants on each of its lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it is about, and where the law says it.
    about: String,
    /// Whose customer: `german`, `french`, `american`, `gujarati`, `maharashtrian`.
    customer: String,
    /// Properties of the deal beside the usual ones.
    #[serde(default)]
    deal: Value,
    /// Properties of the line items, in HubSpot's words.
    lines: Vec<Value>,
    /// The rates that fall on each line, as `map-odoo`'s settings write them.
    taxes: Vec<String>,
    /// What a real Odoo has computed before, by its rounding method, where it was
    /// measured: net and tax.
    #[serde(default)]
    measured: std::collections::BTreeMap<String, (Decimal, Decimal)>,
}

fn cases() -> Result<Vec<(String, Case)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tax");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .and_then(|it| it.to_str())
            .context("a name")?
            .to_owned();
        let case = serde_json::from_str(&fs::read_to_string(&path)?);
        cases.push((name.clone(), case.with_context(|| name)?));
    }
    cases.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(cases)
}

fn deal(id: u64, case: &Case) -> Deal {
    let deal = match case.customer.as_str() {
        "french" => Deal::french(id),
        "american" => Deal::american(id),
        "gujarati" => Deal::gujarati(id),
        "maharashtrian" => Deal::maharashtrian(id),
        _ => Deal::german(id),
    };
    deal.with(case.deal.clone()).lines(case.lines.clone())
}

/// A rate in the words of `map-odoo`'s settings: `VAT/standard/19`.
pub(crate) fn key(rate: &cambist_contract::tax::Rate) -> String {
    let treatment = serde_json::to_value(rate.treatment).unwrap_or_default();
    let treatment = treatment.as_str().unwrap_or_default();
    let percent = rate.percent.unwrap_or_default();
    format!("{}/{treatment}/{}", rate.code, percent.normalize())
}

/// The rates of each line in the words of `map-odoo`'s settings.
fn taxes(assessment: &Assessment) -> Vec<String> {
    let line = |rates: &[cambist_contract::tax::AppliedRate]| {
        let mut keys: Vec<String> = rates.iter().map(|applied| key(&applied.rate)).collect();
        keys.sort();
        keys.join("+")
    };
    assessment.lines.iter().map(|it| line(&it.rates)).collect()
}

/// An amount as JSON-2 gives it: a float, to be rounded to the currency.
pub(crate) fn amount(record: &Value, field: &str) -> Result<Decimal> {
    let text = record.get(field).context("no amount")?.to_string();
    Ok(text.parse::<Decimal>()?.round_dp(2).normalize())
}

async fn agree(rounding: &'static str, method: &str) -> Result<()> {
    let Some(odoo) = Odoo::fresh(method)? else {
        return Ok(());
    };
    for company in ["DE", "FR", "IN"] {
        odoo.round(company, method).await?;
    }
    let setup = Setup {
        rounding,
        ..Setup::to_odoo(&odoo)
    };
    let world = World::start(setup).await?;
    let cases = cases()?;
    let deals: Vec<Deal> = (100..)
        .zip(&cases)
        .map(|(id, (_, case))| deal(id, case))
        .collect();
    world.won(&deals).await?;
    world.settled().await?;

    let mut wrong = Vec::new();
    for ((name, case), deal) in cases.iter().zip(&deals) {
        let story = world.stories(deal).await?.pop().context("no message")?;
        let Some(assessed) = story.output(Stage::Tax) else {
            wrong.push(format!("{name}: {}: {}", story.state(), story.reason()));
            continue;
        };
        let ours: Assessment = serde_json::from_str(&assessed.get(0).context("no assessment")?.to_string())?;
        if taxes(&ours) != case.taxes {
            wrong.push(format!(
                "{name} ({}): {:?}, not {:?}",
                case.about,
                taxes(&ours),
                case.taxes
            ));
        }
        let partner = deal.company.get("legal_name");
        let fields = ["amount_untaxed", "amount_tax", "amount_total", "state"];
        let orders = odoo
            .records("sale.order", json!([["partner_id.name", "=", partner]]), &fields)
            .await?;
        let Some(order) = orders.first() else {
            wrong.push(format!("{name}: no order: {}: {}", story.state(), story.reason()));
            continue;
        };
        let theirs = (
            amount(order, "amount_untaxed")?,
            amount(order, "amount_tax")?,
            amount(order, "amount_total")?,
        );
        let told = (ours.net.normalize(), ours.tax.normalize(), ours.gross.normalize());
        if told != theirs {
            wrong.push(format!("{name}: we say {told:?}, Odoo says {theirs:?}"));
        }
        if let Some((net, tax)) = case.measured.get(method)
            && (net.normalize(), tax.normalize()) != (theirs.0, theirs.1)
        {
            wrong.push(format!(
                "{name}: Odoo says {theirs:?}, and said {net} and {tax} before"
            ));
        }
        if story.state() != "done" {
            wrong.push(format!("{name}: {}: {}", story.state(), story.reason()));
        }
    }
    assert!(wrong.is_empty(), "with {method}:\n{}", wrong.join("\n"));
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_assess_is_what_odoo_computes_rounding_globally() -> Result<()> {
    agree("per-document", "round_globally").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_assess_is_what_odoo_computes_rounding_per_line() -> Result<()> {
    agree("per-line", "round_per_line").await
}
