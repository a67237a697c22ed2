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
    (settings, target): (&Settings, &str),
    change: &Change,
    contract: &Contract,
    taxes: &Taxes<'_>,
    commands: &mut Vec<Command>,
) -> Result<()> {
    commands.push(Command::Ensure(record(
        target,
        MODEL,
        &contract.ref_,
        new(settings, target, contract, taxes)?,
    )));
    if let Some(tax) = taxes.assessment() {
        commands.push(Command::Act(agreement(contract, tax)));
    }
    let values = cleared::empty(change, &CLEARED, agreed(contract, taxes));
    commands.push(Command::Upsert(record(target, MODEL, &contract.ref_, values)));
    let mut products = Products::of(settings, contract);
    for line in contract.lines.iter().flatten() {
        order_line::write(&contract.ref_, line, &mut products, taxes, commands)?;
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
fn new(settings: &Settings, target: &str, contract: &Contract, taxes: &Taxes<'_>) -> Result<Values> {
    let values = match taxes.assessment() {
        Some(tax) => agreed(contract, taxes).text("origin", origin(contract, tax)),
        None => agreed(contract, taxes),
    };
    Ok(values
        .reference(target, "partner_id", contract.account.as_ref())
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
fn agreed(contract: &Contract, taxes: &Taxes<'_>) -> Values {
    let deal = contract.opportunity.as_ref().map(|deal| &deal.id);
    let values = Values::new()
        .optional("client_order_ref", contract.customer_reference.as_ref().or(deal))
        .optional("note", contract.terms.as_ref());
    match taxes.assessment() {
        // then it is more than the deal's id: see `agreement`
        Some(_) => values,
        None => values.optional("origin", deal),
    }
}

/// Keeps a confirmed order from being changed behind everybody's back.
///
/// The lines are written before the order's totals can be compared, and Odoo takes
/// new prices for a confirmed order without a word. So the totals that were agreed
/// on stand in the order, where people see them too, and are written before the
/// lines, and only into a draft. A confirmed order with other totals than the deal
/// has now is in neither state: the message waits with nothing written, and shows
/// both.
fn agreement(contract: &Contract, tax: &Assessment) -> Action {
    let origin = origin(contract, tax);
    let values = Values::new().text("origin", &origin);
    Action {
        model: MODEL.to_owned(),
        key: RecordKey::External(external_id::of(&contract.ref_)),
        name: "write".to_owned(),
        arguments: Values::new().raw("vals", &values.clone().json()).json(),
        from: Values::new().text("state", "draft").json(),
        to: values.json(),
    }
}

/// Where an order comes from and what was agreed on:
/// `9001: 2050.00 + 389.50 = 2439.50 EUR`.
fn origin(contract: &Contract, tax: &Assessment) -> String {
    let deal = contract.opportunity.as_ref().unwrap_or(&contract.ref_);
    let [net, added, gross] = [&tax.net, &tax.tax, &tax.gross].map(|amount| money(amount, &tax.currency));
    format!("{}: {net} + {added} = {gross} {}", deal.id, tax.currency)
}

/// An amount with all the digits that its currency has. The connector compares as
/// many digits as are written, so `119` would also be 118.50.
pub(crate) fn money(amount: &Decimal, currency: &str) -> String {
    amount.text(minor_units(currency))
}

/// The totals of an order or an invoice, as the assessment has them.
pub(crate) fn totals(values: Values, tax: &Assessment) -> Values {
    let money = |amount| money(amount, &tax.currency);
    values
        .text("amount_untaxed", money(&tax.net))
        .text("amount_tax", money(&tax.tax))
        .text("amount_total", money(&tax.gross))
}

/// Confirms the order from a draft whose totals are those of the assessment, to
/// the cent, and finds one that was confirmed before with the same totals. Where
/// Odoo has others, such as those of a line that the deal has no longer, the
/// message waits for a person.
fn confirmation(contract: &Contract, taxes: &Taxes<'_>) -> Action {
    let in_state = |state: &str| {
        let values = Values::new().text("state", state);
        match taxes.assessment() {
            Some(tax) => totals(values, tax).json(),
            None => values.json(),
        }
    };
    Action {
        model: MODEL.to_owned(),
        key: RecordKey::External(external_id::of(&contract.ref_)),
        name: "action_confirm".to_owned(),
        arguments: Values::new().json(),
        from: in_state("draft"),
        to: in_state("sale"),
    }
}

/// The contract that an order is.
///
/// # Errors
///
/// A field is not what Odoo sends.
pub(crate) fn read(source: &Source<'_>, from: &Fields<'_>) -> Result<Change> {
    let status = status(from)?;
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

/// How far an order has come.
///
/// # Errors
///
/// The state is no text.
pub(crate) fn status(from: &Fields<'_>) -> Result<Option<ContractStatus>> {
    Ok(match from.text("state")?.as_deref() {
        Some("draft" | "sent") => Some(ContractStatus::Draft),
        Some("sale" | "done") => Some(ContractStatus::Approved),
        Some("cancel") => Some(ContractStatus::Cancelled),
        _ => None,
    })
}
