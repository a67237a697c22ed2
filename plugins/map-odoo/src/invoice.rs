//! `account.move`: an invoice or a credit note of the books. Read only.

use cambist_sdk::prelude::*;

use crate::{many2one, source::Source};

/// The invoice that a move is.
///
/// # Errors
///
/// [`Fault::Unhandled`] for moves that are no customer's invoice;
/// [`Fault::Invalid`] where a field is not what Odoo sends.
pub(crate) fn read(source: &Source<'_>, from: &Fields<'_>) -> Result<Change> {
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
    let invoice = Invoice {
        kind: Some(kind),
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
        ..Invoice::named(source.own_name(EntityKind::Invoice, from)?)
    };
    source.change(from, invoice)
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
