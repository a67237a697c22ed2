//! What can be set: the `[connect]` part of the config, and its manual.
//!
//! Only the shapes and the defaults. Whether they make sense is checked in [`systems`](crate::systems), which names every
//! problem at once.

use std::{collections::BTreeMap, num::NonZeroU32};

use cambist_contract::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{breaker::Terms, span::Span};

/// How long a read may take where nothing else is set: 30 s. Odoo reads a record in 30 ms and HubSpot in less than a second;
/// what takes longer waits for something that does not come soon.
pub const READ_TIME: Span = Span::seconds(30);

/// How long a write to Odoo may take where nothing else is set: 120 s. Odoo tries a write that lost against another one up to
/// five times with growing pauses, some 60 s in all, and 100 orders in one call take 20 s before that.
pub const WRITE_TIME: Span = Span::seconds(120);

/// Steps of plans carried out at once where nothing else is set. Odoo Online asks for calls one after another, and two writes to the
/// same record cost more than they gain.
pub const ODOO_AT_ONCE: NonZeroU32 = NonZeroU32::MIN;

/// Reads and plans at once of HubSpot where nothing else is set: each takes some four calls, and 190 in 10 s are allowed.
pub const HUBSPOT_AT_ONCE: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// The model of time that was worked.
const TIMESHEET: &str = "account.analytic.line";

/// The property that external ids are kept in where nothing else is set.
pub const UNIQUE_PROPERTY: &str = "cambist_id";

/// Where HubSpot is.
pub const HUBSPOT_ADDRESS: &str = "https://api.hubapi.com";

/// The systems at the other end.
///
/// ```toml
/// [connect.systems.hubspot-eu]
/// kind = "hubspot"
/// key = { env = "HUBSPOT_EU_TOKEN" }
///
/// [connect.systems.odoo-de]
/// kind = "odoo"
/// address = "https://odoo.example.com"
/// database = "production"
/// key = { file = "/run/secrets/odoo-de" }
/// company = 2
///
/// [connect.systems.nowhere]
/// kind = "dry-run"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Options {
    /// The systems, by the names that flows and messages call them.
    pub systems: BTreeMap<String, System>,
    /// How long is waited before another attempt, after the first failure, the second and so on; after the last one a person
    /// has to look. A system may have a list of its own. Default 1s, 5s, 30s, 2m, 10m, 30m, 1h, 3h: what a restart, an update or a bad night takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<Span>>,
}

/// One system, by its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum System {
    /// HubSpot, to read from and to write to.
    #[serde(rename = "hubspot")]
    HubSpot(HubSpot),
    /// An Odoo 19 database or later, to read from and to write to.
    Odoo(Odoo),
    /// A target that keeps nothing and shows everything.
    DryRun(DryRun),
}

impl System {
    /// Whether it has deals that can be compared.
    pub fn has_sales(&self) -> bool {
        matches!(self, Self::HubSpot(_))
    }

    /// Whether it has books that can be compared.
    pub fn has_books(&self) -> bool {
        matches!(self, Self::Odoo(_))
    }

    /// Whether a flow can be from it; to it, a flow can be of every kind.
    pub fn is_source(&self) -> bool {
        matches!(self, Self::HubSpot(_) | Self::Odoo(_))
    }
}

/// A HubSpot account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HubSpot {
    /// The access token of a private app with the scopes `crm.objects.{deals,companies,contacts,line_items}.read`, and where
    /// a flow writes to it `crm.objects.KIND.write` and `.read` of each kind of object that is written, such as
    /// `crm.objects.deals.write`; of custom objects `crm.objects.custom.write` and `.read`.
    pub key: SecretRef,
    /// Where its API is. Default `https://api.hubapi.com`. Plain http is for this machine alone.
    #[serde(default = "hubspot_address")]
    pub address: Url,
    /// Properties to read beside the standard ones, by object: the names a mapping plugin asks for.
    #[serde(default)]
    pub properties: Properties,
    /// The property that holds our external ids, by its internal name, for what is written there and was not born there.
    /// Default `cambist_id`. Make it in HubSpot before the first write, for each kind of object that a mapping writes by external
    /// ids: a single-line text that requires unique values, which can only be chosen when it is made.
    #[serde(default = "unique_property")]
    pub unique_property: String,
    /// How long a call may take, also one that writes: it may be sent again without harm. Default 30s.
    #[serde(default = "read_time")]
    pub read_time: Span,
    /// Messages read and plans carried out at once, together, at most. Default 4. There are fewer after it asked for patience, let
    /// us wait or became slow, and more again when all is well.
    #[serde(default = "hubspot_at_once")]
    pub at_once: NonZeroU32,
    /// Calls in a second at most, at even distances; fewer after it asked for patience. Left out, as many as come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<NonZeroU32>,
    /// When it is left alone, because most of what is asked of it fails by trouble of its own. Its messages wait meanwhile and
    /// lose no attempts.
    #[serde(default)]
    pub breaker: Terms,
    /// How long is waited before another attempt at this system, in place of `connect.waits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<Span>>,
}

/// Properties to read beside the standard ones. HubSpot ignores names it does not know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Properties {
    /// Of deals.
    pub deals: Vec<String>,
    /// Of companies, such as the property that holds the VAT number: HubSpot has none of its own.
    pub companies: Vec<String>,
    /// Of contacts.
    pub contacts: Vec<String>,
    /// Of line items.
    pub line_items: Vec<String>,
}

/// An Odoo database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Odoo {
    /// Where it is, such as `https://odoo.example.com`. Plain http only to this machine, unless `allow-plain-http` is set.
    pub address: Url,
    /// The database's name.
    pub database: String,
    /// The API key of a user of its own, with as few rights as the work allows.
    pub key: SecretRef,
    /// The company that is worked in, by its id in Odoo. Default: the user's own. Two companies of one database are two
    /// systems here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<NonZeroU32>,
    /// The language of names and messages, as Odoo calls it. Default `en_US`. The messages of its PostgreSQL must be English all
    /// the same (`lc_messages` of `C` or `en_…`): by them a lost race is told from a refused row.
    #[serde(default = "language")]
    pub language: String,
    /// Fields to read when Odoo hints that a record changed, by model. A name with dots is a field of a record that it refers
    /// to: `state_id.code`. Of a model that is not named here those that the plugin `map-odoo` reads; of others, its events
    /// are parked.
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<String>>,
    /// With an order comes what its bills rest on: customer, lines, projects, milestones, time that is on no invoice, and
    /// the invoices so far. Left out, an order comes alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bills: Option<Bills>,
    /// Asks from time to time what has changed, because hints may be lost. Left out, it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// How long a read may take. Default 30s.
    #[serde(default = "read_time")]
    pub read_time: Span,
    /// How long a write may take; at least 90s, because Odoo itself may try for a minute. An action whose answer was lost is
    /// left alone for as long again before it is looked up: Odoo may still be at it. Default 120s.
    #[serde(default = "write_time")]
    pub write_time: Span,
    /// Steps of plans carried out, and records read, at once, at most. Default 1; each may be a `load` with rows of a hundred
    /// messages. Of more there are fewer after lost races, or when it let us wait or became slow, and more again when all is well.
    #[serde(default = "odoo_at_once")]
    pub at_once: NonZeroU32,
    /// Calls in a second at most, at even distances; fewer after it asked for patience. Left out, as many as come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<NonZeroU32>,
    /// When it is left alone, because most of what is asked of it fails by trouble of its own. Its messages wait meanwhile and
    /// lose no attempts.
    #[serde(default)]
    pub breaker: Terms,
    /// How long is waited before another attempt at this system, in place of `connect.waits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<Span>>,
    /// Lets the key travel over plain http to another machine, for a network that nobody else can read. Default false.
    #[serde(default)]
    pub allow_plain_http: bool,
}

/// Fields that the firm has for its billing, to be read beside the usual ones of `map-odoo`: Odoo 19 Community has no
/// approval of time, and no word for a capped order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Bills {
    /// Of `sale.order`, such as the one that says how it is billed.
    pub order: Vec<String>,
    /// Of `account.analytic.line`, such as the one that says that the time is approved.
    pub timesheet: Vec<String>,
}

impl Bills {
    /// Which fields of a timesheet are read, by its model.
    pub(crate) fn fields(&self) -> Option<(String, Vec<String>)> {
        let mut fields = crate::odoo::usual_fields(TIMESHEET)?;
        fields.extend(self.timesheet.iter().cloned());
        Some((TIMESHEET.to_owned(), fields))
    }
}

/// How an Odoo is asked what has changed. What it finds are messages of the event `hint`, as hints are; a record of ours that
/// is not there any more is one of the event `gone`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Poll {
    /// The models, such as `account.move`. Time (`account.analytic.line`) and milestones (`project.milestone`) are told as
    /// their order, so that all that concerns an order goes one after the other.
    pub models: Vec<String>,
    /// How long to wait between two rounds. Default 1m.
    #[serde(default = "poll_every")]
    pub every: Span,
    /// How far before the latest change that is known a round begins. Default 10m: a record bears the time at which the
    /// transaction began that wrote it, and Odoo lets one take 2 minutes where it is not told otherwise (`limit_time_real`).
    #[serde(default = "poll_overlap")]
    pub overlap: Span,
    /// How long to wait between two looks for records that were deleted, which leaves no trace. Default 1h.
    #[serde(default = "poll_deletions")]
    pub deletions: Span,
}

/// A dry run has nothing to set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DryRun {}

impl Options {
    /// Every secret that these options refer to, with the system that needs it: what the app has to resolve before it builds
    /// the systems.
    pub fn secret_refs(&self) -> impl Iterator<Item = (&str, &SecretRef)> {
        self.systems.iter().filter_map(|(name, system)| match system {
            System::HubSpot(hubspot) => Some((name.as_str(), &hubspot.key)),
            System::Odoo(odoo) => Some((name.as_str(), &odoo.key)),
            System::DryRun(_) => None,
        })
    }
}

#[expect(clippy::expect_used, reason = "a constant, parsed by a test")]
fn hubspot_address() -> Url {
    Url::parse(HUBSPOT_ADDRESS).expect("a well-formed address")
}

fn unique_property() -> String {
    UNIQUE_PROPERTY.to_owned()
}

fn language() -> String {
    "en_US".to_owned()
}

fn read_time() -> Span {
    READ_TIME
}

fn write_time() -> Span {
    WRITE_TIME
}

fn poll_every() -> Span {
    Span::seconds(60)
}

fn poll_overlap() -> Span {
    Span::seconds(600)
}

fn poll_deletions() -> Span {
    Span::seconds(3600)
}

fn odoo_at_once() -> NonZeroU32 {
    ODOO_AT_ONCE
}

fn hubspot_at_once() -> NonZeroU32 {
    HUBSPOT_AT_ONCE
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The example of [`Options`], as the config has it.
    fn example() -> Options {
        let text: String = include_str!("options.rs")
            .lines()
            .skip_while(|line| *line != "/// ```toml")
            .skip(1)
            .take_while(|line| *line != "/// ```")
            .map(|line| line.trim_start_matches("///").trim_start_matches(' ').to_owned() + "\n")
            .collect();
        let mut config: BTreeMap<String, Options> = toml::from_str(&text).unwrap();
        config.remove("connect").unwrap()
    }

    #[test]
    fn the_documented_example_is_read_with_the_documented_defaults() {
        let options = example();
        assert_eq!(options.secret_refs().count(), 2);
        let Some(System::Odoo(odoo)) = options.systems.get("odoo-de") else {
            unreachable!()
        };
        assert_eq!(odoo.write_time.get().as_secs(), 120);
        assert_eq!(odoo.at_once.get(), 1);
        let Some(System::HubSpot(hubspot)) = options.systems.get("hubspot-eu") else {
            unreachable!()
        };
        assert_eq!(hubspot.address.as_str(), "https://api.hubapi.com/");
        assert_eq!(hubspot.unique_property, "cambist_id");
    }

    #[test]
    fn a_misspelt_option_is_refused_by_its_name() {
        let text = "[systems.a]\nkind = \"odoo\"\nadress = \"https://x\"";
        let error = toml::from_str::<Options>(text).unwrap_err().to_string();
        assert!(error.contains("unknown field `adress`"), "{error}");
    }

    #[test]
    fn options_come_back_from_their_own_text() {
        let text = toml::to_string(&example()).unwrap();
        assert_eq!(toml::from_str::<Options>(&text).unwrap(), example());
    }
}
