//! What an Odoo holds, in a form that two runs can be compared by: nothing in it depends on when or in which order records
//! were made.
//!
//! Every table of the database is counted, every stored field of every record of ours is taken, references by what they
//! refer to. What is left out is named here, with the reason. Asked of the database itself, behind Odoo's back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::odoo::Odoo;

/// Models that our commands write, by their tables.
const TABLES: [&str; 6] = [
    "res_partner",
    "product_product",
    "sale_order",
    "sale_order_line",
    "project_project",
    "project_milestone",
];

/// Tables whose rows tell how Odoo was asked, and not what came of it.
const UNCOUNTED: [&str; 1] = [
    // ours, see `Odoo::watch`
    "cambist_watched",
];

/// Fields that differ between any two runs, of every table: the database's own number and Odoo's clock.
const EVERYWHERE: [&str; 3] = ["id", "create_date", "write_date"];

/// Fields that differ between any two runs, of one table.
const OF_A_TABLE: [(&str, &str); 3] = [
    // drawn from a sequence in the order in which orders are made, with gaps where a call was taken back
    ("sale_order", "name"),
    // drawn at random
    ("sale_order", "access_token"),
    ("project_project", "access_token"),
];

/// What an Odoo holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Picture {
    /// How many rows each table has.
    pub counts: BTreeMap<String, u64>,
    /// Each record of ours with its fields, by table and our name of it.
    pub records: BTreeMap<(String, String), BTreeMap<String, String>>,
    /// Orders and their amounts, by company, state and currency.
    pub sums: BTreeMap<String, String>,
    /// For each record that is watched, what was said of it, in the order in which Odoo took it.
    pub said: BTreeMap<String, Vec<String>>,
}

impl Picture {
    /// Takes it.
    ///
    /// # Errors
    ///
    /// The database cannot be asked.
    pub fn of(odoo: &Odoo) -> Result<Self> {
        let names = names(odoo)?;
        let mut picture = Self {
            counts: counts(odoo)?,
            ..Self::default()
        };
        for table in TABLES {
            let refers = references(odoo, table)?;
            let rows = odoo.sql(&format!(
                "select coalesce(json_agg(to_jsonb(t)), '[]') from {table} t where exists (select from ir_model_data d \
                 where d.module = 'cambist' and replace(d.model, '.', '_') = '{table}' and d.res_id = t.id)"
            ))?;
            let rows: Vec<Map<String, Value>> = serde_json::from_str(&rows)?;
            for row in rows {
                let id = row
                    .get("id")
                    .and_then(Value::as_i64)
                    .context("a row without id")?;
                let fields = row
                    .iter()
                    .filter(|(field, _)| !EVERYWHERE.contains(&field.as_str()))
                    .filter(|(field, _)| !OF_A_TABLE.contains(&(table, field.as_str())))
                    .map(|(field, value)| {
                        let value = match (refers.get(field), value.as_i64()) {
                            (Some(table), Some(id)) => name(&names, table, id),
                            _ => value.to_string(),
                        };
                        (field.clone(), value)
                    })
                    .collect();
                let key = (table.to_owned(), name(&names, table, id));
                picture.records.insert(key, fields);
            }
        }
        picture.sums = sums(odoo)?;
        picture.said = said(odoo, &names)?;
        Ok(picture)
    }

    /// Where the end differs, a line each; what was said on the way there may differ. Empty where it does not.
    pub fn differs(&self, other: &Self) -> Vec<String> {
        let mut all = Vec::new();
        compare("rows of", &self.counts, &other.counts, &mut all);
        compare("orders of", &self.sums, &other.sums, &mut all);
        let keys: BTreeSet<_> = self.records.keys().chain(other.records.keys()).collect();
        for key in keys {
            match (self.records.get(key), other.records.get(key)) {
                (Some(one), Some(two)) => {
                    compare(&format!("{} {}", key.0, key.1), one, two, &mut all);
                }
                (one, _) => {
                    let missing = if one.is_some() { "the second" } else { "the first" };
                    all.push(format!("{} {}: not in {missing}", key.0, key.1));
                }
            }
        }
        all
    }

    /// Records of which something older was said after something newer: the order of their key was broken. What is said
    /// ends with the round it is of.
    pub fn went_back(&self) -> Vec<String> {
        let round = |text: &String| {
            let digits: String = text.chars().rev().take_while(char::is_ascii_digit).collect();
            digits
                .chars()
                .rev()
                .collect::<String>()
                .parse::<u64>()
                .unwrap_or(0)
        };
        self.said
            .iter()
            .filter(|(_, said)| !said.iter().map(round).is_sorted())
            .map(|(name, said)| format!("{name}: {said:?}"))
            .collect()
    }

    /// In short, for people.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for table in TABLES {
            let count = self.records.keys().filter(|(of, _)| of == table).count();
            let _ = write!(text, "{count} {table}, ");
        }
        let rows: u64 = self.counts.values().sum();
        let _ = write!(text, "{rows} rows in all");
        for (of, sum) in &self.sums {
            let _ = write!(text, "\n    orders of {of}: {sum}");
        }
        text
    }
}

fn compare<T: PartialEq + std::fmt::Debug>(
    what: &str,
    one: &BTreeMap<String, T>,
    two: &BTreeMap<String, T>,
    all: &mut Vec<String>,
) {
    let keys: BTreeSet<_> = one.keys().chain(two.keys()).collect();
    for key in keys {
        if one.get(key) != two.get(key) {
            all.push(format!("{what} {key}: {:?} and {:?}", one.get(key), two.get(key)));
        }
    }
}

/// What records are called, by table and id: by us, or by the module that brought them.
type Names = BTreeMap<(String, i64), String>;

fn names(odoo: &Odoo) -> Result<Names> {
    let rows = odoo.sql(
        "select json_agg(json_build_array(replace(model, '.', '_'), res_id, module || '.' || name) order by module desc, name desc) \
         from ir_model_data where res_id is not null",
    )?;
    let rows: Vec<(String, i64, String)> = serde_json::from_str(&rows)?;
    Ok(rows
        .into_iter()
        .map(|(table, id, name)| ((table, id), name))
        .collect())
}

/// A record's name; one that has none is one of its table.
fn name(names: &Names, table: &str, id: i64) -> String {
    let found = names.get(&(table.to_owned(), id));
    found.map_or_else(|| format!("one of {table}"), Clone::clone)
}

/// Which fields of a table refer to which other table.
fn references(odoo: &Odoo, table: &str) -> Result<BTreeMap<String, String>> {
    let rows = odoo.sql(&format!(
        "select coalesce(json_object_agg(a.attname, c.confrelid::regclass::text), '{{}}') from pg_constraint c \
         join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1] \
         where c.contype = 'f' and c.conrelid = '{table}'::regclass"
    ))?;
    Ok(serde_json::from_str(&rows)?)
}

fn counts(odoo: &Odoo) -> Result<BTreeMap<String, u64>> {
    let rows = odoo.sql(
        "select json_object_agg(table_name, (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I', \
         table_name), false, true, '')))[1]::text::bigint) from information_schema.tables \
         where table_schema = 'public' and table_type = 'BASE TABLE'",
    )?;
    let mut counts: BTreeMap<String, u64> = serde_json::from_str(&rows)?;
    counts.retain(|table, _| !UNCOUNTED.contains(&table.as_str()));
    Ok(counts)
}

fn sums(odoo: &Odoo) -> Result<BTreeMap<String, String>> {
    let rows = odoo.sql(
        "select coalesce(json_object_agg(of, what), '{}') from (select c.name || ', ' || o.state || ', ' || m.name as of, \
         count(*) || ' of ' || sum(o.amount_untaxed) || ' + ' || sum(o.amount_tax) || ' = ' || sum(o.amount_total) as what \
         from sale_order o join res_company c on c.id = o.company_id join res_currency m on m.id = o.currency_id \
         group by c.name, o.state, m.name) s",
    )?;
    Ok(serde_json::from_str(&rows)?)
}

fn said(odoo: &Odoo, names: &Names) -> Result<BTreeMap<String, Vec<String>>> {
    let rows = odoo.sql(
        "select coalesce(json_agg(json_build_array(tab, id, said) order by place), '[]') from cambist_watched",
    )?;
    let rows: Vec<(String, i64, String)> = serde_json::from_str(&rows)?;
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, id, text) in rows {
        said.entry(name(names, &table, id)).or_default().push(text);
    }
    Ok(said)
}
