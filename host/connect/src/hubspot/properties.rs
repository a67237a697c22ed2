//! The properties that are read of each kind of object.
//!
//! HubSpot shows only what it is asked for. The lists hold the standard properties that a mapping can need; what a firm added
//! is named in the config. HubSpot ignores names that it does not know.

use crate::options::Properties;

/// Of deals.
const DEALS: &[&str] = &[
    "dealname",
    "amount",
    "deal_currency_code",
    "dealstage",
    "pipeline",
    "closedate",
    "createdate",
    "dealtype",
    "description",
    "hubspot_owner_id",
    "hs_is_closed_won",
    "hs_is_closed",
    "hs_lastmodifieddate",
];

/// Of companies.
const COMPANIES: &[&str] = &[
    "name",
    "domain",
    "website",
    "phone",
    "industry",
    "description",
    "address",
    "address2",
    "zip",
    "city",
    "state",
    "country",
    "hs_country_code",
    "hs_state_code",
    "hubspot_owner_id",
    "hs_parent_company_id",
];

/// Of contacts.
const CONTACTS: &[&str] = &[
    "firstname",
    "lastname",
    "email",
    "phone",
    "mobilephone",
    "jobtitle",
    // the id of the contact's primary company: who the person works for
    "associatedcompanyid",
    "hs_language",
    "lifecyclestage",
];

/// Of line items.
const LINE_ITEMS: &[&str] = &[
    "name",
    "description",
    "quantity",
    "price",
    "amount",
    "discount",
    "hs_discount_percentage",
    "hs_sku",
    "hs_product_id",
    "hs_line_item_currency_code",
    "hs_position_on_quote",
    "recurringbillingfrequency",
];

/// The names for each kind, standard ones first, none twice.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub deals: Vec<String>,
    pub companies: Vec<String>,
    pub contacts: Vec<String>,
    pub line_items: Vec<String>,
}

impl Asked {
    pub(crate) fn with(more: &Properties) -> Self {
        Self {
            deals: both(DEALS, &more.deals),
            companies: both(COMPANIES, &more.companies),
            contacts: both(CONTACTS, &more.contacts),
            line_items: both(LINE_ITEMS, &more.line_items),
        }
    }
}

fn both(standard: &[&str], more: &[String]) -> Vec<String> {
    let mut names: Vec<String> = standard.iter().map(|name| (*name).to_owned()).collect();
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
