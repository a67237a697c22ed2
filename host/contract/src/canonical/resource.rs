//! Somebody whose time is planned and billed. Mirrors `canonical.wit`.

use serde::{Deserialize, Serialize};

use super::{EntityRef, Extension};

/// Somebody whose time is planned and billed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Resource {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The skill or grade that prices are agreed by, such as `senior`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The legal entity that employs the person, by its name in the ERP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employer: Option<String>,
    /// Whether the person can be planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
