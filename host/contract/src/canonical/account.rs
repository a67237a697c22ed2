//! A customer or prospect. Mirrors `canonical.wit`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Address, EntityRef, Extension};

/// A customer or prospect.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Account {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// The name it goes by, which is also the legal name unless
    /// `legal-name` says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The registered name, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// True for an organisation or a self-employed person who buys for the
    /// business, false for a consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business: Option<bool>,
    /// VAT number, GSTIN or their like, with the country's prefix where it
    /// has one, without spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// The day on which an authority confirmed `tax-id` (VIES in the EU).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id_confirmed: Option<Date>,
    /// Where its invoices go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Address>,
    /// Where it is established, where that is not the address of `billing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub established: Option<Address>,
    /// The account it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<EntityRef>,
    /// The currency it is billed in unless a contract says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Payment terms by their name in the ERP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_terms: Option<String>,
    /// E-mail for invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone, in the international form where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Web site or domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
