//! A person at an account. Mirrors `canonical.wit`.

use serde::{Deserialize, Serialize};

use super::{EntityRef, Extension};

/// A person at an account.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Contact {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// The account the person works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<EntityRef>,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Role in the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// E-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
