//! What an Odoo holds, in a form that two runs can be compared by: nothing in it depends on when or in which order records
//! were made.
//!
//! Every table of the database is counted, every stored field of every record of ours is taken, references by what they
//! refer to, and so is every relation of theirs. What is left out is named here, with the reason. Asked of the database
//! itself, behind Odoo's back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::odoo::Odoo;

/// Models that our commands write, by their tables, and what Odoo makes of each by itself.
const TABLES: [&str; 8] = [
    "res_partner",
    "product_product",
    "product_template",
    "sale_order",
    "sale_order_line",
    "project_project",
    "account_analytic_account",
    "project_milestone",
];

/// Records without a name of their own that are made with one that has one, and go by its name: where they are referred to,
/// and of which table they are.
const ALONG_WITH: [(&str, &str, &str); 3] = [
    ("product_product", "product_tmpl_id", "product_template"),
    ("project_project", "account_id", "account_analytic_account"),
    ("project_project", "alias_id", "mail_alias"),
];

/// Tables whose rows tell how Odoo was asked, and not what came of it.
const UNCOUNTED: [&str; 1] = [
    // ours, see `Odoo::watch`
    "cambist_watched",
];

/// Fields that differ between any two runs, of every table: the database's own number and Odoo's clock.
const EVERYWHERE: [&str; 3] = ["id", "create_date", "write_date"];

/// Fields that differ between any two runs, of one table.
const OF_A_TABLE: [(&str, &str); 6] = [
    // drawn from a sequence in the order in which orders are made, with gaps where a call was taken back
    ("sale_order", "name"),
    // Odoo's clock at the confirmation, and the day on which the order was made, a month later
    ("sale_order", "date_order"),
    ("sale_order", "validity_date"),
    // drawn at random
    ("sale_order", "access_token"),
    ("project_project", "access_token"),
    // Odoo's clock when the partner was made
    ("res_partner", "calendar_last_notif_ack"),
];

/// Fields that refer to analytic accounts by the keys of an object.
const BY_ACCOUNT: &str = "analytic_distribution";

/// What an Odoo holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Picture {
    /// How many rows each table has.
    pub counts: BTreeMap<String, u64>,
    /// Each record of ours with its fields, by table and our name of it.
    pub records: BTreeMap<(String, String), BTreeMap<String, String>>,
    /// What records of ours are related to, and how often, by the relation's table.
    pub relations: BTreeMap<String, u64>,
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
        let names = Names::of(odoo)?;
        let counts = counts(odoo)?;
        let mut picture = Self {
            relations: relations(odoo, &names, &counts)?,
            counts,
            ..Self::default()
        };
        for table in TABLES {
            let refers = references(odoo, table)?;
            let rows = odoo.sql(&format!(
                "select coalesce(json_agg(to_jsonb(t)), '[]') from {table} t"
            ))?;
            let rows: Vec<Map<String, Value>> = serde_json::from_str(&rows)?;
            for row in rows {
                let id = row.get("id").and_then(Value::as_i64);
                let id = id.context("a row without id")?;
                if !names.is_ours(table, id) {
                    continue;
                }
                let fields = row
                    .iter()
                    .filter(|(field, _)| !EVERYWHERE.contains(&field.as_str()))
                    .filter(|(field, _)| !OF_A_TABLE.contains(&(table, field.as_str())))
                    .map(|(field, value)| (field.clone(), names.spell(refers.get(field), field, value)))
                    .collect();
                picture
                    .records
                    .insert((table.to_owned(), names.name(table, id)), fields);
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
        compare("relation", &self.relations, &other.relations, &mut all);
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
        let related: u64 = self.relations.values().sum();
        let rows: u64 = self.counts.values().sum();
        let _ = write!(text, "{related} relations of theirs, {rows} rows in all");
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
struct Names(BTreeMap<(String, i64), String>);

impl Names {
    fn of(odoo: &Odoo) -> Result<Self> {
        let mut selects = vec![
            "select replace(model, '.', '_') as tab, res_id as id, module || '.' || name as name from ir_model_data \
             where res_id is not null"
                .to_owned(),
        ];
        selects.extend(ALONG_WITH.iter().map(|(table, field, of)| {
            format!(
                "select '{of}', t.{field}, d.module || '.' || d.name from {table} t join ir_model_data d \
                 on d.res_id = t.id and replace(d.model, '.', '_') = '{table}' \
                 where d.module = 'cambist' and t.{field} is not null"
            )
        }));
        // of several names that a record has the first one counts
        let rows = odoo.sql(&format!(
            "select json_agg(json_build_array(tab, id, name) order by name desc) from ({}) named",
            selects.join(" union all ")
        ))?;
        let rows: Vec<(String, i64, String)> = serde_json::from_str(&rows)?;
        let names = rows.into_iter().map(|(table, id, name)| ((table, id), name));
        Ok(Self(names.collect()))
    }

    /// A record's name; one that has none is one of its table.
    fn name(&self, table: &str, id: i64) -> String {
        let found = self.0.get(&(table.to_owned(), id));
        found.map_or_else(|| format!("one of {table}"), Clone::clone)
    }

    fn is_ours(&self, table: &str, id: i64) -> bool {
        self.name(table, id).starts_with("cambist.")
    }

    /// A field's value, with names in the place of ids where it `refers` to a table.
    fn spell(&self, refers: Option<&String>, field: &str, value: &Value) -> String {
        if let (Some(table), Some(id)) = (refers, value.as_i64()) {
            return self.name(table, id);
        }
        match value.as_object() {
            Some(shares) if field == BY_ACCOUNT => {
                let named = shares.iter().map(|(accounts, share)| {
                    let ids = accounts.split(',').filter_map(|id| id.parse().ok());
                    let accounts: Vec<_> = ids.map(|id| self.name("account_analytic_account", id)).collect();
                    (accounts.join(","), share.to_string())
                });
                format!("{:?}", named.collect::<BTreeMap<_, _>>())
            }
            _ => value.to_string(),
        }
    }
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

/// Pairs of which at least one is ours, of every table that has two references and nothing else.
fn relations(odoo: &Odoo, names: &Names, counts: &BTreeMap<String, u64>) -> Result<BTreeMap<String, u64>> {
    let tables = odoo.sql(
        "select coalesce(json_agg(tab), '[]') from (select r.relname as tab from pg_class r \
         join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped \
         left join pg_constraint c on c.conrelid = r.oid and c.contype = 'f' and c.conkey = array[a.attnum] \
         where r.relkind = 'r' and r.relnamespace = 'public'::regnamespace \
         group by r.relname having count(*) = 2 and count(c.oid) = 2) pairs",
    )?;
    let tables: Vec<String> = serde_json::from_str(&tables)?;
    let mut all = BTreeMap::new();
    for table in tables {
        if counts.get(&table).is_none_or(|rows| *rows == 0) {
            continue;
        }
        let refers = references(odoo, &table)?;
        let rows = odoo.sql(&format!("select json_agg(to_jsonb(t)) from \"{table}\" t"))?;
        let rows: Vec<BTreeMap<String, i64>> = serde_json::from_str(&rows)?;
        for row in rows {
            let mut ours = false;
            let ends = row.iter().filter_map(|(field, id)| {
                let to = refers.get(field)?;
                ours |= names.is_ours(to, *id);
                Some(names.name(to, *id))
            });
            let ends: Vec<String> = ends.collect();
            if ours {
                *all.entry(format!("{table}: {}", ends.join(", "))).or_default() += 1;
            }
        }
    }
    Ok(all)
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
        said.entry(names.name(&table, id)).or_default().push(text);
    }
    Ok(said)
}
