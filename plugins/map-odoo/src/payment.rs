//! `account.payment`: money received, and money paid back. Read only, and little of it.

use cambist_sdk::prelude::*;

use crate::{many2one, source::Source};

/// The payment that a record is.
///
/// # Errors
///
/// [`Fault::Unhandled`] for money that is no customer's; [`Fault::Invalid`] where a
/// field is not what Odoo sends.
pub(crate) fn read(source: &Source<'_>, from: &Fields<'_>) -> Result<Change> {
    let outgoing = from.text("payment_type")?.as_deref() == Some("outbound");
    let of_customer = from.text("partner_type")?;
    if of_customer.as_deref().map_or(outgoing, |of| of != "customer") {
        return Err(unhandled(
            "money that goes to a supplier, or comes from one, is no customer's payment",
        ));
    }
    let currency = many2one::name(from, "currency_id")?.required(from.path("currency_id"))?;
    let status = match from.required_text("state")?.as_str() {
        "draft" => PaymentStatus::Pending,
        "in_process" | "paid" => PaymentStatus::Received,
        "canceled" | "rejected" => PaymentStatus::Returned,
        _ => {
            return Err(invalid(
                from.path("state"),
                "must be one of Odoo 19's states of a payment",
            ));
        }
    };
    let payment = Payment {
        direction: Some(match outgoing {
            true => PaymentDirection::Outgoing,
            false => PaymentDirection::Incoming,
        }),
        account: source.name(EntityKind::Account, from, "partner_id")?,
        amount: from.rounded("amount", minor_units(&currency))?,
        currency: Some(currency),
        day: from.date("date")?,
        method: many2one::name(from, "payment_method_line_id")?,
        status: Some(status),
        ..Payment::named(source.own_name(EntityKind::Payment, from)?)
    };
    source.change(from, payment)
}
