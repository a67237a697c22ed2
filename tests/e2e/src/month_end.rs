//! Companies that change in many regions at once, and one Odoo that all of them go to: a backlog as a month's end brings it.

use std::fmt::Write as _;

use cambist_doubles::hubspot::webhook::property_change;
use serde_json::{Value, json};

use crate::{
    sender::OCCURRED_MS,
    setup::{HUBSPOT, PUBLIC_URL},
};

/// The Odoo's name in the config.
pub const ODOO: &str = "odoo";

/// What a month's end is made of.
#[derive(Clone, Debug)]
pub struct MonthEnd {
    /// Where Odoo is.
    pub odoo: String,
    /// Its database.
    pub database: String,
    /// The name of the variable that has the key for it.
    pub key: &'static str,
    /// The company in it.
    pub company: Option<String>,
    /// The names of the regions.
    pub regions: Vec<String>,
}

impl MonthEnd {
    /// The config, for [`Setup::whole`](crate::Setup::whole).
    pub fn config(&self) -> String {
        let company = self
            .company
            .as_ref()
            .map_or(String::new(), |id| format!("company = {id}\n"));
        let mut text = format!(
            r#"
[host]
listen = "INGRESS_ADDRESS"
admin = "ADMIN_ADDRESS"
log = "json"

[admin]
token = {{ file = "admin-token" }}

[ingress]
public-url = "{PUBLIC_URL}"

[ingress.systems.{HUBSPOT}]
kind = "hubspot"
secrets = [{{ env = "E2E_CLIENT_SECRET" }}]

[connect]
waits = ["200ms", "200ms", "200ms", "1s", "1s", "1s", "1s", "1s"]

[connect.systems.{HUBSPOT}]
kind = "hubspot"
address = "HUBSPOT_ADDRESS"
key = {{ env = "E2E_HUBSPOT_TOKEN" }}
properties = {{ companies = ["region", "vat_id", "legal_name"] }}

[connect.systems.{ODOO}]
kind = "odoo"
address = "{}"
database = "{}"
key = {{ env = "{}" }}
{company}breaker = {{ wait = "1s", longest-wait = "1s" }}

[region-of.{HUBSPOT}]
pointer = "/companies/0/properties/region"

[[flows]]
name = "customers"
from = ["{HUBSPOT}"]
events = ["company.propertyChange"]
to = {{ "*" = "{ODOO}" }}
stages = []

[[flows]]
name = "people"
from = ["{HUBSPOT}"]
events = ["contact.propertyChange"]
to = {{ "*" = "{ODOO}" }}
stages = []
urgent = true

[[bindings]]
stage = "read"
plugin = "map-hubspot"

[[bindings]]
stage = "write"
plugin = "map-odoo"
settings.pricelists = {{ EUR = "testbed.pricelist_eur" }}
"#,
            self.odoo, self.database, self.key
        );
        for region in &self.regions {
            let _ = write!(
                text,
                "\n[regions.{region}.supplier]\nname = \"Muster GmbH\"\ntax-id = \"DE136695976\"\ncountry = \"DE\"\n"
            );
        }
        text
    }
}

/// A company of a region, as HubSpot has it.
pub fn company(id: u64, region: &str) -> Value {
    json!({"properties": {
        "name": format!("Kunde {id}"), "legal_name": format!("Kunde {id} GmbH"), "region": region,
        "address": "Kundenweg 5", "zip": "10115", "city": "Berlin", "country": "Germany", "phone": format!("+49 30 {id}"),
    }})
}

/// A person of a company.
pub fn contact(id: u64, company: u64) -> Value {
    json!({"properties": {
        "firstname": "Eva", "lastname": format!("Beispiel {id}"), "email": format!("eva.{id}@example.com"),
        "associatedcompanyid": company.to_string(),
    }})
}

/// That a company or a contact has changed; `event` tells several changes apart.
pub fn changed(kind: &str, id: u64, event: u64) -> Value {
    property_change(kind, id, "phone", "?", event, OCCURRED_MS)
}

/// Our external id of a company in Odoo.
pub fn external_id(company: u64) -> String {
    format!("cambist.{HUBSPOT}_account_{company}")
}
