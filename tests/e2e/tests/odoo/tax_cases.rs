//! Every tax case of the plugins against the real Odoo: an invoice with the case's
//! lines, its taxes and its rounding comes to the case's totals, to the cent, in
//! sum and for each tax. A new case is compared without a word here.
//!
//! Which tax falls on a line is not Odoo's to say, but the law's and the case's: its
//! taxes are made here, one for each rate that a case expects.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::tax::{Assessment, Rate, Treatment};
use cambist_e2e::odoo::Odoo;
use rust_decimal::Decimal;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::tax::{amount, key};

/// Cases with an answer that no Odoo can be asked about: plugin, case, reason.
/// None today. A case is compared, or stands here, or fails the test.
const NOT_COMPARED: [(&str, &str, &str); 0] = [];

/// The plugins, and the company whose books their documents go into. Its chart does
/// not matter, its rounding is set to the case's.
const PLUGINS: [(&str, &str); 2] = [("tax-eu-vat", "DE"), ("tax-in-gst", "IN")];

/// The two ways to round, in our words and in Odoo's.
const METHODS: [(&str, &str); 2] = [("per-document", "round_globally"), ("per-line", "round_per_line")];

#[derive(Deserialize)]
struct Input {
    context: Surroundings,
    input: Document,
}

#[derive(Deserialize)]
struct Surroundings {
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    rounding: String,
    /// Odoo knows `half-up` alone.
    #[serde(default)]
    rounding_mode: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    currency: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    id: String,
    name: String,
    quantity: Decimal,
    unit_price: Decimal,
    #[serde(default)]
    discount_percent: Decimal,
}

#[derive(Deserialize)]
struct Expected {
    ok: Option<Assessment>,
}

/// A case with an answer.
struct Case {
    name: String,
    settings: Settings,
    document: Document,
    ours: Assessment,
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text = fs::read_to_string(file)?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}

/// The cases of a plugin that have an answer, but for those that are listed above.
fn cases(plugin: &str) -> Result<Vec<Case>> {
    let folder = cambist_guests::root().join("plugins").join(plugin).join("cases");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("a name")?;
        let expected: Expected = read(&path.join("expected.json"))?;
        let listed = NOT_COMPARED.iter().any(|it| (it.0, it.1) == (plugin, name));
        ensure!(
            !listed || expected.ok.is_some(),
            "{plugin}/{name} is listed and has no answer"
        );
        if let (Some(ours), false) = (expected.ok, listed) {
            let Input { context, input } = read(&path.join("input.json"))?;
            cases.push(Case {
                name: name.to_owned(),
                settings: context.settings,
                document: input,
                ours,
            });
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

/// The books of one company, with the taxes that were made in them.
struct Books<'o> {
    odoo: &'o Odoo,
    company: u64,
    currencies: BTreeMap<String, u64>,
    /// By rate: the tax, and its group, which is the sum that Odoo tells.
    taxes: BTreeMap<String, (u64, u64)>,
}

impl<'o> Books<'o> {
    async fn of(odoo: &'o Odoo, company: &str) -> Result<Self> {
        let company = odoo.fact(&format!("COMPANY_{company}")).parse()?;
        let mut currencies = BTreeMap::new();
        for record in odoo.records("res.currency", json!([]), &["name"]).await? {
            let name = record.get("name").and_then(Value::as_str).context("no name")?;
            currencies.insert(name.to_owned(), id(&record)?);
        }
        Ok(Self {
            odoo,
            company,
            currencies,
            taxes: BTreeMap::new(),
        })
    }

    async fn create(&self, model: &str, records: Vec<Value>) -> Result<Vec<u64>> {
        let context = json!({"allowed_company_ids": [self.company]});
        let body = json!({"vals_list": records, "context": context});
        let ids = self.odoo.call(model, "create", body).await?;
        Ok(serde_json::from_value(ids)?)
    }

    async fn one(&self, model: &str, record: Value) -> Result<u64> {
        let ids = self.create(model, vec![record]).await?;
        ids.first().copied().context("nothing was made")
    }

    /// The tax of a rate, made when it is first asked for. What is withheld is a tax
    /// below zero.
    async fn tax(&mut self, rate: &Rate) -> Result<(u64, u64)> {
        let name = key(rate);
        if let Some(made) = self.taxes.get(&name) {
            return Ok(*made);
        }
        let percent = rate.percent.context("a rate without a percentage")?;
        let percent = match rate.treatment {
            Treatment::Withholding => -percent,
            _ => percent,
        };
        let company = self.company;
        let group = json!({"name": name, "company_id": company});
        let group = self.one("account.tax.group", group).await?;
        let tax = json!({"name": name, "amount": number(percent)?, "amount_type": "percent", "type_tax_use": "sale",
            "price_include_override": "tax_excluded", "tax_group_id": group, "company_id": company});
        let tax = self.one("account.tax", tax).await?;
        self.taxes.insert(name, (tax, group));
        Ok((tax, group))
    }

    /// A draft with the case's lines, each with the taxes that the case expects on it.
    async fn invoice(&mut self, case: &Case) -> Result<Value> {
        let mut lines = Vec::new();
        for line in &case.document.lines {
            let assessed = case.ours.lines.iter().find(|it| it.line == line.id);
            let mut taxes = Vec::new();
            for applied in &assessed.context("a line that is not assessed")?.rates {
                taxes.push(self.tax(&applied.rate).await?.0);
            }
            lines.push(
                json!([0, 0, {"name": line.name, "quantity": number(line.quantity)?,
                "price_unit": number(line.unit_price)?, "discount": number(line.discount_percent)?,
                "tax_ids": [[6, 0, taxes]]}]),
            );
        }
        let currency = self.currencies.get(&case.document.currency);
        let currency = currency.with_context(|| format!("{}: no such currency", case.name))?;
        Ok(
            json!({"move_type": "out_invoice", "currency_id": currency, "ref": case.name, "invoice_line_ids": lines}),
        )
    }

    /// What Odoo says where a case says something else.
    async fn differences(&self, case: &Case, theirs: &Value) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let mut compare = |what: &str, ours: Decimal, theirs: Decimal| {
            if ours != theirs {
                wrong.push(format!(
                    "{}: {what}: we say {ours}, Odoo says {theirs}",
                    case.name
                ));
            }
        };
        let ours = &case.ours;
        // what is withheld is a tax of Odoo's as well
        compare("net", ours.net, amount(theirs, "amount_untaxed")?);
        compare("tax", ours.payable - ours.net, amount(theirs, "amount_tax")?);
        compare("total", ours.payable, amount(theirs, "amount_total")?);
        let groups = groups(theirs);
        for total in &ours.totals {
            let name = key(&total.rate);
            let (_, group) = self.taxes.get(&name).context("a total of no line")?;
            let theirs = groups
                .iter()
                .find(|it| it.get("id").and_then(Value::as_u64) == Some(*group));
            let theirs = theirs.with_context(|| format!("{}: Odoo tells nothing of {name}", case.name))?;
            compare(
                &format!("base of {name}"),
                total.base,
                amount(theirs, "base_amount_currency")?,
            );
            compare(&name, total.amount, amount(theirs, "tax_amount_currency")?);
        }
        compare("taxes", ours.totals.len().into(), groups.len().into());
        Ok(wrong)
    }
}

/// What Odoo tells of each group of taxes.
fn groups(invoice: &Value) -> Vec<Value> {
    let subtotals = invoice.pointer("/tax_totals/subtotals").and_then(Value::as_array);
    let groups = subtotals.into_iter().flatten();
    let groups = groups.filter_map(|subtotal| subtotal.get("tax_groups")?.as_array());
    groups.flatten().cloned().collect()
}

fn id(record: &Value) -> Result<u64> {
    record.get("id").and_then(Value::as_u64).context("no id")
}

/// A number as JSON-2 takes it: a float, of the same digits.
fn number(decimal: Decimal) -> Result<Value> {
    Ok(serde_json::from_str(&decimal.to_string())?)
}

/// Lets Odoo keep more digits of quantities and discounts than the two that a fresh
/// database has: a case may have them.
async fn keep_digits(odoo: &Odoo) -> Result<()> {
    let wanted = json!([["name", "in", ["Product Unit", "Discount"]]]);
    for record in odoo.records("decimal.precision", wanted, &["name"]).await? {
        let body = json!({"ids": [id(&record)?], "vals": {"digits": 6}});
        odoo.call("decimal.precision", "write", body).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_tax_plugins_comes_to_the_same_in_odoo() -> Result<()> {
    let Some(odoo) = Odoo::fresh("tax_cases")? else {
        return Ok(());
    };
    keep_digits(&odoo).await?;
    let mut wrong = Vec::new();
    for (plugin, company) in PLUGINS {
        let mut books = Books::of(&odoo, company).await?;
        let cases = cases(plugin)?;
        let mut compared = 0;
        for (ours, method) in METHODS {
            odoo.round(company, method).await?;
            let (mut some, mut invoices) = (Vec::new(), Vec::new());
            for case in cases.iter().filter(|case| case.settings.rounding == ours) {
                if case.settings.rounding_mode.as_deref().unwrap_or("half-up") != "half-up" {
                    wrong.push(format!(
                        "{}: Odoo rounds halves up alone; list it as not compared",
                        case.name
                    ));
                }
                invoices.push(books.invoice(case).await?);
                some.push(case);
            }
            let ids = books.create("account.move", invoices).await?;
            let fields = ["amount_untaxed", "amount_tax", "amount_total", "tax_totals"];
            let found = odoo
                .records("account.move", json!([["id", "in", ids]]), &fields)
                .await?;
            for (case, made) in some.into_iter().zip(&ids) {
                let theirs = found.iter().find(|it| id(it).is_ok_and(|id| id == *made));
                let theirs = theirs.with_context(|| format!("{} has no invoice", case.name))?;
                wrong.extend(books.differences(case, theirs).await?);
                compared += 1;
            }
        }
        assert_eq!(
            compared,
            cases.len(),
            "{plugin}: every case rounds in one of the two ways"
        );
        assert!(compared > 0, "{plugin} has no case with an answer");
    }
    for (plugin, name, reason) in NOT_COMPARED {
        let folder = cambist_guests::root()
            .join("plugins")
            .join(plugin)
            .join("cases")
            .join(name);
        assert!(
            folder.is_dir(),
            "{plugin}/{name} is listed ({reason}) and not there"
        );
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}
