//! A first plugin: a deal with a large discount waits for the head of sales.
//!
//! It is the plugin of "Your first plugin" in the README. Nothing here is about
//! credit, tax or terms: that is what other plugins are for.

use cambist_sdk::prelude::*;
use serde::Deserialize;

/// What a region sets in its binding.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Settings {
    /// The discount, in percent, that anybody may give.
    up_to_percent: Decimal,
    /// Who may give more.
    role: String,
}

/// The plugin.
pub struct Discounts;

impl Policy for Discounts {
    fn judge(context: &Context, proposal: Proposal) -> Result<Verdict> {
        let settings: Settings = context.settings()?;
        let largest = largest_discount(&proposal);
        if largest <= settings.up_to_percent.value() {
            return Ok(verdict(
                Decision::Allow,
                "discount",
                "the discount is small enough",
            ));
        }
        if proposal
            .approvals
            .iter()
            .any(|approval| approval.role == settings.role)
        {
            return Ok(verdict(
                Decision::Allow,
                "discount-released",
                "the discount was released",
            ));
        }
        let why = format!(
            "a line has {largest} % discount; up to {} % need nobody",
            settings.up_to_percent.value()
        );
        Ok(verdict(Decision::Hold(settings.role), "large-discount", &why))
    }
}

/// The largest discount on a line of the message's contracts, in percent.
fn largest_discount(proposal: &Proposal) -> Amount {
    let contracts = proposal.changes.iter().filter_map(|change| match &change.entity {
        Entity::Contract(contract) => contract.lines.as_ref(),
        _ => None,
    });
    let discounts = contracts.flatten().filter_map(|line| line.discount_percent);
    discounts.map(|percent| percent.value()).max().unwrap_or_default()
}

cambist_sdk::export!(Discounts: policy);
