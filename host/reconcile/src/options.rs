//! What can be set: `[[reconcile]]`, and its manual.

use cambist_connect::span::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A flow whose two sides are compared, region by region and month by month.
///
/// ```toml
/// [[reconcile]]
/// flow = "won-deals"
/// every = "1d"
///
/// [reconcile.properties]
/// numbers = "invoice_numbers"
/// invoiced = "amount_invoiced"
/// paid = "amount_paid"
/// ```
///
/// Deals are those of the CRMs that the flow is from, orders those of the Odoos that it goes to. A deal belongs to the region that
/// `[region-of]` finds in it, and to the month in which it was closed, by the region's `zone`. Its order is the one
/// that the journal says was made of it, whenever. Orders of that month that come from no won deal differ, too.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The flow.
    pub flow: String,
    /// How long to wait between two comparisons. Default 1d.
    #[serde(default = "every")]
    pub every: Span,
    /// How many months are compared each time, this one and those before it. Default 2.
    #[serde(default = "months")]
    pub months: u8,
    /// What was changed on either side since so long counts as on its way. Default 15m: HubSpot finds a change some moments
    /// after it was made, and a message may have to try again.
    #[serde(default = "settle")]
    pub settle: Span,
    /// The currency of deals that do not say theirs: those of portals with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether orders that nobody has confirmed count as orders. Default false.
    #[serde(default)]
    pub drafts: bool,
    /// Whether orders and invoices that come from no deal are left out, because people make such in Odoo. Default false: they
    /// differ.
    #[serde(default)]
    pub by_hand: bool,
    /// The properties of a deal that it is told its bills in, as the settings of `map-hubspot` name them.
    #[serde(default)]
    pub properties: Properties,
}

/// Properties of a deal. What is not named is not compared.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Properties {
    /// The numbers of its invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<String>,
    /// What is billed to date. Without it invoices are not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoiced: Option<String>,
    /// What is paid of it. Without it payments are not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<String>,
}

/// Most months of one comparison: two years. An older month is asked for by its name.
pub const MOST_MONTHS: u8 = 24;

fn every() -> Span {
    Span::seconds(24 * 60 * 60)
}

fn months() -> u8 {
    2
}

fn settle() -> Span {
    Span::seconds(15 * 60)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_manual() {
        let options: Options = toml::from_str("flow = \"won-deals\"").unwrap();
        assert_eq!(options.every.get().as_secs(), 86_400);
        assert_eq!((options.months, options.settle.get().as_secs()), (2, 900));
        assert!(!options.drafts && !options.by_hand && options.properties == Properties::default());
    }
}
