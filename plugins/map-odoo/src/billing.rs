//! An order with all that its bills rest on: who buys, what was agreed, the work and the bills so far.
//!
//! Everything is called by Odoo's own ids, the lines of the contract too: it goes back to the same Odoo, as a draft that
//! `draft` makes there. What the connector reads with an order, and where it stands, is in its documentation.
//!
//! # What is not here
//!
//! What is billed, and at which price: the invoicing plugin says. Expenses: Odoo bills those itself (`hr_expense`).

mod contract;
mod earlier;
mod work;

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

pub(crate) use self::contract::PRODUCT;
use crate::{order, partner, settings::Settings, source::Source};

/// Where all of it stands in the body of an order.
const BILLS: &str = "bills";

/// An order as its bills see it.
struct Order<'a> {
    source: &'a Source<'a>,
    settings: &'a Settings,
    /// The order's own fields.
    order: &'a Fields<'a>,
    /// What belongs to it.
    bills: &'a Fields<'a>,
    /// The contract that the order is.
    name: EntityRef,
    /// Units by Odoo's id, in the words of the settings.
    units: BTreeMap<String, String>,
}

/// Whether an order came with what its bills rest on.
pub(crate) fn is_there(order: &Fields<'_>) -> bool {
    order.raw(BILLS).is_some()
}

/// The changes: the account, the contract, those who worked, the projects, the time, and the bills so far.
///
/// # Errors
///
/// [`Fault::Unhandled`] for an order that is not confirmed: when it is, Odoo tells. [`Fault::Invalid`] where a field is not
/// what Odoo sends, or not what the settings say it is; or nobody can tell what a bill bills.
pub(crate) fn read(source: &Source<'_>, settings: &Settings, order: &Fields<'_>) -> Result<Vec<Change>> {
    let bills = order.object(BILLS)?;
    let names = bills.object("names")?;
    let of = Order {
        source,
        settings,
        order,
        bills: &bills,
        name: EntityRef::new(EntityKind::Contract, source.system, order.required_text("id")?),
        units: units(settings, &names.object("uom.uom")?)?,
    };
    if order::status(order)? != Some(ContractStatus::Approved) {
        let number = order.text("name")?.unwrap_or_default();
        return Err(unhandled(format!(
            "order {number} is not confirmed; what is approved for it is billed when it is"
        )));
    }
    let customer = partner::read(source, &bills.object("customer")?)?;
    let account = customer.entity.name().clone();
    let contract = contract::read(&of, account)?;
    let work = work::read(&of, &contract)?;
    let earlier = earlier::read(&of, &contract, &names)?;
    let mut changes = vec![customer, source.change(order, contract)?];
    changes.extend(work);
    changes.extend(earlier);
    Ok(changes)
}

/// The settings' word for each unit, by Odoo's id of the unit.
fn units(settings: &Settings, names: &Fields<'_>) -> Result<BTreeMap<String, String>> {
    let mut units = BTreeMap::new();
    for id in names.names() {
        let external = names.text(&id)?;
        let word = settings
            .units
            .iter()
            .find(|(_, unit)| Some(*unit) == external.as_ref())
            .map(|(word, _)| word.clone());
        units.extend(word.map(|word| (id.into_owned(), word)));
    }
    Ok(units)
}
