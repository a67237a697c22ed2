//! `sale.order`: what was agreed.

use cambist_sdk::prelude::*;

use crate::{
    cleared,
    columns::{Columns as _, record},
    external_id, many2one, order_line,
    product::Products,
    settings::Settings,
    source::Source,
    tax::Taxes,
};

const MODEL: &str = "sale.order";

/// Not the customer's reference: the deal's id stands in for it.
const CLEARED: [cleared::Columns; 1] = [("terms", &["note"])];

/// Adds the commands for a contract: the order, its products and lines, and its
/// confirmation if it is approved.
///
/// # Errors
///
/// A line's tax or unit, or the currency, is not in the settings.
pub(crate) fn write(
    settings: &Settings,
    change: &Change,
    contract: &Contract,
    taxes: &Taxes<'_>,
    commands: &mut Vec<Command>,
) -> Result<()> {
    commands.push(Command::Ensure(record(
        MODEL,
        &contract.ref_,
        new(settings, contract)?,
    )));
    let values = cleared::empty(change, &CLEARED, agreed(contract));
    commands.push(Command::Upsert(record(MODEL, &contract.ref_, values)));
    let mut products = Products::of(settings, contract);
    for line in contract.lines.iter().flatten() {
        order_line::write(settings, &contract.ref_, line, &mut products, taxes, commands)?;
    }
    if settings.confirm && contract.status == Some(ContractStatus::Approved) {
        commands.push(Command::Act(confirmation(contract, taxes)));
    }
    Ok(())
}

/// What an order begins with, and what is never sent again: a customer that is
/// written anew makes Odoo choose the price list anew, and with it the currency;
/// another price list is refused once the order is confirmed; and confirming
/// moves the order's date.
fn new(settings: &Settings, contract: &Contract) -> Result<Values> {
    Ok(agreed(contract)
        .reference("partner_id/id", contract.account.as_ref())
        .optional("pricelist_id/id", pricelist(settings, contract)?)
        .optional(
            "date_order",
            contract.signed.as_ref().map(|day| format!("{day} 00:00:00")),
        ))
}

/// Without a price list of its own, a deal in dollars would become an order of
/// the same numbers in euros.
fn pricelist<'a>(settings: &'a Settings, contract: &Contract) -> Result<Option<&'a String>> {
    let Some(currency) = &contract.currency else {
        return Ok(None);
    };
    let rule = || format!("must have the key `{currency}`, with the external id of a price list in it");
    let found = settings.pricelists.get(currency);
    found
        .map(Some)
        .ok_or_else(|| invalid("settings.pricelists", rule()))
}

/// What stays true of an order. The customer's own number is what they look for
/// on the invoice; without one it is the deal's.
fn agreed(contract: &Contract) -> Values {
    let deal = contract.opportunity.as_ref().map(|deal| &deal.id);
    Values::new()
        .optional("client_order_ref", contract.customer_reference.as_ref().or(deal))
        .optional("origin", deal)
        .optional("note", contract.terms.as_ref())
}

/// Confirms the order from a draft whose totals are those of the assessment, to
/// the cent. Where Odoo has computed others, the message waits for a person.
fn confirmation(contract: &Contract, taxes: &Taxes<'_>) -> Action {
    let from = Values::new().text("state", "draft");
    let from = match taxes.assessment() {
        Some(tax) => from
            .text("amount_untaxed", tax.net.to_string())
            .text("amount_tax", tax.tax.to_string())
            .text("amount_total", tax.gross.to_string()),
        None => from,
    };
    Action {
        model: MODEL.to_owned(),
        external_id: external_id::of(&contract.ref_),
        name: "action_confirm".to_owned(),
        arguments: Values::new().json(),
        from: from.json(),
        to: Values::new().text("state", "sale").json(),
    }
}

/// The contract that an order is.
///
/// # Errors
///
/// A field is not what Odoo sends.
pub(crate) fn read(source: &Source<'_>, from: &Fields<'_>) -> Result<Change> {
    let status = match from.text("state")?.as_deref() {
        Some("draft" | "sent") => Some(ContractStatus::Draft),
        Some("sale" | "done") => Some(ContractStatus::Approved),
        Some("cancel") => Some(ContractStatus::Cancelled),
        _ => None,
    };
    let signed = match status {
        Some(ContractStatus::Approved) => from.date("date_order")?,
        _ => None,
    };
    let contract = Contract {
        account: source.name(EntityKind::Account, from, "partner_id")?,
        name: from.text("name")?,
        status,
        customer_reference: from.text("client_order_ref")?,
        currency: many2one::name(from, "currency_id")?,
        signed,
        lines: order_line::read(from)?,
        ..Contract::named(source.own_name(EntityKind::Contract, from)?)
    };
    source.change(from, contract)
}
