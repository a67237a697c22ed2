//! Flows and regions: which messages go which way.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use cambist_contract::{canonical::Address, message::Message, stage::Stage, tax::Party};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ownership::Ownership;

/// A flow: from which systems, for which events, through which stages, to which
/// system.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Flow {
    /// The flow's name, in logs, metrics and bindings.
    pub name: String,
    /// The systems whose messages it takes.
    pub from: Vec<String>,
    /// The events it takes, in the source's words, such as
    /// `deal.propertyChange`. Events that no flow takes end as ignored.
    pub events: Vec<String>,
    /// The kinds of object it takes, in the source's words, such as `sale.order`. Left out, it takes all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// The target system for each region; `*` for all regions not named.
    pub to: BTreeMap<String, String>,
    /// The stages it goes through. `fetch`, `read`, `own`, `write` and `deliver`
    /// are always there; left out, it is all but `draft`.
    #[serde(default = "usual_stages")]
    pub stages: Vec<Stage>,
    /// Whether its messages go before others where they wait for a system or for a turn of their flow. Of eight, one is another
    /// flow's all the same. Default false.
    #[serde(default)]
    pub urgent: bool,
}

fn usual_stages() -> Vec<Stage> {
    Stage::ALL
        .into_iter()
        .filter(|stage| *stage != Stage::Draft)
        .collect()
}

impl Flow {
    /// The stages in the order of the way, whatever order the config has.
    pub fn way(&self) -> Vec<Stage> {
        Stage::ALL.into_iter().filter(|stage| self.has(*stage)).collect()
    }

    /// Whether it goes through a stage.
    pub fn has(&self, stage: Stage) -> bool {
        match stage {
            Stage::Fetch | Stage::Read | Stage::Own | Stage::Write | Stage::Deliver => true,
            Stage::Judge | Stage::Draft | Stage::Tax => self.stages.contains(&stage),
        }
    }

    /// Whether it takes a message.
    pub fn takes(&self, message: &Message) -> bool {
        self.from.contains(&message.system)
            && self.events.contains(&message.event)
            && (self.objects.is_empty() || self.objects.contains(&message.object_kind))
    }

    /// The target for a region.
    pub fn target(&self, region: &str) -> Option<&str> {
        self.to
            .get(region)
            .or_else(|| self.to.get("*"))
            .map(String::as_str)
    }
}

/// A region: who sells there.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Region {
    /// The legal entity that sells, for the tax stage.
    pub supplier: Supplier,
    /// How many turns its messages have beside one of a region of weight 1, where both wait for the same system. Default 1.
    #[serde(default = "one")]
    pub weight: NonZeroU32,
    /// By which its days and months begin where `[[reconcile]]` compares them: a name of the IANA's table, such as `Europe/Berlin`.
    /// Default `UTC`.
    #[serde(default = "utc")]
    pub zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// A legal entity of ours.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Supplier {
    /// Registered name.
    pub name: String,
    /// VAT number, GSTIN or their like.
    pub tax_id: Option<String>,
    /// ISO 3166-1 alpha-2 code of the country it is established in.
    pub country: String,
    /// ISO 3166-2 code of the state, where tax law looks at it.
    pub subdivision: Option<String>,
    /// Postcode.
    pub postcode: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Street.
    pub street: Option<String>,
}

impl Supplier {
    /// The supplier as a side of a document.
    pub(crate) fn party(&self) -> Party {
        let address = Address {
            street: self.street.clone(),
            street2: None,
            city: self.city.clone(),
            postcode: self.postcode.clone(),
            subdivision: self.subdivision.clone(),
            country: Some(self.country.clone()),
        };
        Party {
            name: self.name.clone(),
            address,
            business: true,
            tax_id: self.tax_id.clone(),
            tax_id_confirmed: None::<Date>,
            extra: Vec::new(),
        }
    }
}

/// How a source's messages find their region.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegionOf {
    /// The region of messages that name none; left out, they are parked.
    pub default: Option<String>,
    /// Where a message names its region: a JSON pointer (RFC 6901) into the
    /// object as it was fetched, such as `/deal/properties/region`. Left out,
    /// all messages of the system belong to the default.
    pub pointer: Option<String>,
    /// Where a message names its business unit: a JSON pointer, too.
    pub unit_pointer: Option<String>,
}

/// Everything that decides a message's way.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// The flows, in the config's order; the first that takes a message has it.
    pub flows: Vec<Arc<Flow>>,
    /// The regions by name.
    pub regions: BTreeMap<String, Region>,
    /// How each source system's messages find their region.
    pub region_of: BTreeMap<String, RegionOf>,
    /// Who owns which field.
    pub ownership: Arc<Ownership>,
}

impl Routes {
    /// The flow that takes a message.
    pub fn flow_of(&self, message: &Message) -> Option<&Arc<Flow>> {
        self.flows.iter().find(|flow| flow.takes(message))
    }

    /// A flow by its name.
    pub fn flow(&self, name: &str) -> Option<&Arc<Flow>> {
        self.flows.iter().find(|flow| flow.name == name)
    }
}
