//! `account.move`: an invoice or a credit note of the books, with the other ones of the orders
//! that it bills, where the connector has read them. Read only.

use cambist_sdk::prelude::*;

use crate::{many2one, source::Source};

/// The invoice that a move is, and all others of the contracts that it bills: whoever is told
/// what of a contract was billed and paid has to see all of it.
///
/// # Errors
///
/// [`Fault::Unhandled`] for moves that are no customer's invoice;
/// [`Fault::Invalid`] where a field is not what Odoo sends.
pub(crate) fn read(source: &Source<'_>, from: &Fields<'_>) -> Result<Vec<Change>> {
    let orders = from.objects("orders")?;
    let mut contracts = Vec::with_capacity(orders.len());
    for order in &orders {
        let name = EntityRef::new(EntityKind::Contract, source.system, order.required_text("id")?);
        let invoices: Vec<u64> = match order.raw("invoice_ids") {
            Some(ids) => serde_json::from_str(ids)
                .map_err(|_| invalid(order.path("invoice_ids"), "must be a list of ids"))?,
            None => Vec::new(),
        };
        contracts.push((name, invoices));
    }
    let billed = |record: &Fields<'_>| -> Result<Option<EntityRef>> {
        let id = record.required_text("id")?;
        let of = contracts.iter();
        let mut of = of.filter(|(_, invoices)| invoices.iter().any(|it| it.to_string() == id));
        Ok(of.next().map(|(contract, _)| contract.clone()))
    };
    let own = one(source, from, billed(from)?)?;
    let mut changes = Vec::new();
    for other in from.objects("invoices")? {
        if other.required_text("id")? == own.entity.name().id {
            continue;
        }
        match one(source, &other, billed(&other)?) {
            Ok(change) => changes.push(change),
            Err(Fault::Unhandled(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    changes.push(own);
    Ok(changes)
}

fn one(source: &Source<'_>, from: &Fields<'_>, contract: Option<EntityRef>) -> Result<Change> {
    let name = source.own_name(EntityKind::Invoice, from)?;
    source.change(from, named(source, from, name, contract)?)
}

/// The invoice that a record is, under this name.
///
/// # Errors
///
/// [`Fault::Unhandled`] for a move that is no customer's invoice; [`Fault::Invalid`] where a field is not what Odoo sends.
pub(crate) fn named(
    source: &Source<'_>,
    from: &Fields<'_>,
    name: EntityRef,
    contract: Option<EntityRef>,
) -> Result<Invoice> {
    let kind = match from.required_text("move_type")?.as_str() {
        "out_invoice" => InvoiceKind::Invoice,
        "out_refund" => InvoiceKind::CreditNote,
        other => {
            return Err(unhandled(format!(
                "a move of type `{other}` is no customer's invoice"
            )));
        }
    };
    let currency = many2one::name(from, "currency_id")?.required(from.path("currency_id"))?;
    let digits = minor_units(&currency);
    let status = status(from)?;
    Ok(Invoice {
        kind: Some(kind),
        contract,
        account: source.name(EntityKind::Account, from, "partner_id")?,
        corrects: source.name(EntityKind::Invoice, from, "reversed_entry_id")?,
        // a draft is called `/` until it has a number
        number: from
            .text("name")?
            .filter(|name| name != "/" && status != InvoiceStatus::Draft),
        status: Some(status),
        issued: from.date("invoice_date")?,
        tax_point: from.date("delivery_date")?,
        due: from.date("invoice_date_due")?,
        net: from.rounded("amount_untaxed", digits)?,
        tax: from.rounded("amount_tax", digits)?,
        gross: from.rounded("amount_total", digits)?,
        residual: from.rounded("amount_residual", digits)?,
        currency: Some(currency),
        customer_reference: from.text("ref")?,
        ..Invoice::named(name)
    })
}

/// Odoo keeps two states: of the document, and of its payment. `in_payment` is a
/// payment that the bank has not confirmed: the customer owes nothing more.
fn status(from: &Fields<'_>) -> Result<InvoiceStatus> {
    let state = from.required_text("state")?;
    let payment = from.text("payment_state")?;
    match (state.as_str(), payment.as_deref()) {
        ("draft", _) => Ok(InvoiceStatus::Draft),
        ("cancel", _) | ("posted", Some("reversed")) => Ok(InvoiceStatus::Cancelled),
        ("posted", Some("paid" | "in_payment")) => Ok(InvoiceStatus::Paid),
        ("posted", Some("partial")) => Ok(InvoiceStatus::PartlyPaid),
        ("posted", _) => Ok(InvoiceStatus::Posted),
        _ => Err(invalid(
            from.path("state"),
            "must be `draft`, `posted` or `cancel`",
        )),
    }
}
