//! `product.product`: the article that a line sells.
//!
//! A line's article number leads to a product of the region's own catalogue, by
//! the settings, or to one that is made once and then belongs to Odoo's users:
//! what they change on it is never overwritten.

use std::collections::BTreeSet;

use cambist_sdk::prelude::*;

use crate::{external_id, order_line, settings::Settings};

/// The product of a line.
pub(crate) struct Product {
    /// Its external id.
    pub(crate) id: String,
    /// What the line counts by; none for an article of the region's own catalogue
    /// and a line that does not say, which counts by the article's own unit.
    pub(crate) unit: Option<String>,
}

/// The products of one contract.
pub(crate) struct Products<'a> {
    settings: &'a Settings,
    system: &'a str,
    policy: &'static str,
    made: BTreeSet<String>,
}

impl<'a> Products<'a> {
    pub(crate) fn of(settings: &'a Settings, contract: &'a Contract) -> Self {
        Self {
            settings,
            system: &contract.ref_.system,
            policy: service_policy(contract),
            made: BTreeSet::new(),
        }
    }

    /// How the product is billed, in one word: `milestones`.
    fn way(&self) -> &'static str {
        self.policy.split_once('_').map_or(self.policy, |(_, way)| way)
    }

    /// A line's product and unit; a command before it, if this is the first line
    /// that needs the product to be there.
    ///
    /// A product that is made has the unit of the line that needed it first, in
    /// this contract or another. So every line names its unit, or its quantity
    /// would count whatever came first.
    pub(crate) fn for_line(&mut self, line: &ContractLine, commands: &mut Vec<Command>) -> Result<Product> {
        let unit = order_line::unit(self.settings, line)?;
        let known = match &line.sku {
            Some(sku) => self.settings.products.get(sku),
            None => self.settings.default_product.as_ref(),
        };
        if let Some(known) = known {
            return Ok(Product {
                id: known.clone(),
                unit: unit.map(str::to_owned),
            });
        }
        let unit = unit.unwrap_or_else(|| order_line::usual_unit(self.settings));
        let id = external_id::of_product(self.system, self.way(), line.sku.as_deref());
        if self.made.insert(id.clone()) {
            let name = if line.sku.is_some() {
                &line.name
            } else {
                "Services"
            };
            let values = Values::new()
                .text("name", name)
                .optional("default_code", line.sku.as_ref())
                .text("type", "service")
                // the project comes with the message; Odoo must not make a second one
                .text("service_tracking", "no")
                .text("service_policy", self.policy)
                .text("uom_id/id", unit);
            commands.push(Command::Ensure(Record {
                model: "product.product".to_owned(),
                key: RecordKey::External(id.clone()),
                values: values.json(),
                stands_for: None,
            }));
        }
        Ok(Product {
            id,
            unit: Some(unit.to_owned()),
        })
    }
}

/// When Odoo may invoice a service, by how its contract is billed.
///
/// A milestone of Odoo delivers a share of one order line. A fixed price of one
/// line is therefore delivered by milestones; one of several lines by hand.
fn service_policy(contract: &Contract) -> &'static str {
    match contract.billing {
        Some(BillingMethod::TimeAndMaterial | BillingMethod::Capped) => "delivered_timesheet",
        Some(BillingMethod::FixedPrice) if order_line::only(contract).is_some() => "delivered_milestones",
        Some(BillingMethod::FixedPrice) => "delivered_manual",
        None => "ordered_prepaid",
    }
}
