//! What is compared with what: the options together with what the rest of the config says of the flow.

use std::collections::BTreeMap;

use cambist_connect::sales;
use jiff::tz::TimeZone;

use crate::options::Options;

/// A flow's two sides.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What was set.
    pub options: Options,
    /// The CRMs that the flow is from, by name.
    pub crms: BTreeMap<String, Crm>,
    /// The regions that it has a target for, by name.
    pub regions: BTreeMap<String, Region>,
}

/// How a CRM's deals find their region.
#[derive(Clone, Debug, Default)]
pub struct Crm {
    /// The property that names it.
    pub region: Option<String>,
    /// The region of deals that name none.
    pub default: Option<String>,
}

/// A region of the flow.
#[derive(Clone, Debug)]
pub struct Region {
    /// By which its months begin and end.
    pub zone: TimeZone,
    /// The system that has its books.
    pub erp: String,
}

impl Comparison {
    /// What is read of a CRM's deals.
    pub(crate) fn properties(&self, crm: &Crm) -> sales::Properties {
        let own = &self.options.properties;
        sales::Properties {
            region: crm.region.clone(),
            numbers: own.numbers.clone(),
            invoiced: own.invoiced.clone(),
            paid: own.paid.clone(),
        }
    }

    /// The region of a deal, if it is one of these.
    pub(crate) fn region_of(&self, crm: &str, deal: &sales::Deal) -> Option<(&str, &Region)> {
        let named = deal.region.as_ref();
        let region = named.or_else(|| self.crms.get(crm)?.default.as_ref())?;
        self.regions
            .get_key_value(region)
            .map(|(name, region)| (name.as_str(), region))
    }

    /// Whether bills are compared.
    pub(crate) fn has_bills(&self) -> bool {
        let own = &self.options.properties;
        own.invoiced.is_some() || own.paid.is_some()
    }
}
