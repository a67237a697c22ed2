//! `account.move`: a draft of an invoice, with its lines, and the time that stands on it.
//!
//! The draft stays one: people look at it, and post it. It is made in an order in which every step may be repeated: the
//! draft, the time that it bills, its lines, and at last a mark with its totals. The mark is set only where Odoo's totals
//! are those of the assessment to the cent; else the message waits and shows both, and by how much they differ.

use cambist_sdk::prelude::*;

use crate::{
    billing::PRODUCT,
    columns::{Columns as _, record},
    external_id,
    order::{money, totals},
    settings::Settings,
    tax::Taxes,
};

const MODEL: &str = "account.move";

/// Whether an entity is a bill that was drafted here: by the rule of `invoicing.draft` its id has parts, and Odoo's own
/// are numbers. One that Odoo has told of has amounts.
pub(crate) fn is_drafted(entity: &Entity) -> Option<&Invoice> {
    match entity {
        Entity::Invoice(invoice) if invoice.ref_.id.contains('/') && invoice.net.is_none() => Some(invoice),
        _ => None,
    }
}

/// The last day of the period that a bill that was drafted here is for, by its name: `9001/2026-10-31/2`.
pub(crate) fn until(name: &EntityRef) -> Option<&str> {
    let day = name.id.split('/').nth(1)?;
    (day.len() == "2026-10-31".len()).then_some(day)
}

/// Adds the commands for a draft.
///
/// # Errors
///
/// It is a credit note, or a line's tax or unit is not in the settings.
pub(crate) fn write(
    (settings, target): (&Settings, &str),
    changes: &[Change],
    invoice: &Invoice,
    taxes: &Taxes<'_>,
    commands: &mut Vec<Command>,
) -> Result<()> {
    if invoice.kind == Some(InvoiceKind::CreditNote) {
        return Err(broken(
            "this plugin makes no credit notes: reverse the invoice in Odoo",
        ));
    }
    let own = external_id::of(&invoice.ref_);
    let currency = invoice.currency.as_deref().required("invoice.currency")?;
    let values = Values::new()
        .text("move_type", "out_invoice")
        .reference(target, "partner_id", invoice.account.as_ref())
        .text("currency_id/id", format!("base.{currency}"))
        .optional("delivery_date", invoice.tax_point.as_ref())
        .optional("ref", invoice.customer_reference.as_ref());
    commands.push(Command::Ensure(Record {
        key: RecordKey::External(own.clone()),
        ..record(target, MODEL, &invoice.ref_, values)
    }));
    let lines = invoice.lines.as_deref().unwrap_or_default();
    let of_odoo = lines.iter().flat_map(|line| &line.timesheets);
    for name in of_odoo.filter(|name| name.system == target) {
        commands.push(Command::Upsert(Record {
            model: "account.analytic.line".to_owned(),
            key: RecordKey::Own(name.id.clone()),
            values: Values::new().text("timesheet_invoice_id/id", &own).json(),
            stands_for: None,
        }));
    }
    let contract = contract_of(changes, invoice);
    for line in lines {
        let values = columns(settings, target, invoice, contract, line)?.text("move_id/id", &own);
        commands.push(Command::Upsert(Record {
            model: "account.move.line".to_owned(),
            key: RecordKey::External(external_id::of_bill_line(&invoice.ref_, line)),
            values: taxes.write(&line.id, values)?.json(),
            stands_for: None,
        }));
    }
    commands.push(Command::Act(mark(invoice, &own, taxes)));
    Ok(())
}

/// A line's columns, but for its taxes and its draft.
fn columns(
    settings: &Settings,
    target: &str,
    invoice: &Invoice,
    contract: Option<&Contract>,
    line: &InvoiceLine,
) -> Result<Values> {
    let none = Decimal::from(0);
    let values = Values::new()
        .text("name", &line.name)
        .number("quantity", &line.quantity)
        .number("price_unit", &line.unit_price)
        .number("discount", line.discount_percent.as_ref().unwrap_or(&none));
    let agreed = contract
        .and_then(|contract| contract.lines.as_deref())
        .unwrap_or_default();
    let of_line = line.contract_line.as_ref();
    let sold = agreed.iter().find(|it| Some(&it.id) == of_line);
    let (values, has_product) = match sold.and_then(product) {
        Some(product) => (values.text("product_id/.id", product), true),
        None => (values, false),
    };
    let values = match (&line.unit, has_product) {
        (Some(unit), true) => values.optional("product_uom_id/id", settings.units.get(unit)),
        _ => values,
    };
    // by it Odoo knows the order's bills: one of them at least has to name a line
    let named = of_line.or_else(|| {
        let nobody = invoice
            .lines
            .iter()
            .flatten()
            .all(|it| it.contract_line.is_none());
        agreed.first().filter(|_| nobody).map(|first| &first.id)
    });
    let (Some(contract), Some(named)) = (invoice.contract.as_ref(), named) else {
        return Ok(values);
    };
    Ok(match contract.system == target {
        true => values.text("sale_line_ids/.id", named),
        false => values.text("sale_line_ids/id", external_id::of_line(contract, named)),
    })
}

/// Odoo's id of the article of a contract's line.
fn product(line: &ContractLine) -> Option<&str> {
    let product = line.extra.iter().find(|extra| extra.name == PRODUCT);
    product.map(|product| product.value.as_str())
}

fn contract_of<'a>(changes: &'a [Change], invoice: &Invoice) -> Option<&'a Contract> {
    changes.iter().find_map(|change| match &change.entity {
        Entity::Contract(contract) if Some(&contract.ref_) == invoice.contract.as_ref() => Some(contract),
        _ => None,
    })
}

/// Marks the draft as ended, with what it bills and what that comes to: `42/2026-10-31: 1290.00 + 245.10 = 1535.10 EUR`.
/// From a draft whose totals are the assessment's, and never again.
fn mark(invoice: &Invoice, own: &str, taxes: &Taxes<'_>) -> Action {
    let id = &invoice.ref_.id;
    let with_totals = |values: Values| match taxes.assessment() {
        Some(tax) => totals(values, tax).json(),
        None => values.json(),
    };
    let origin = match taxes.assessment() {
        Some(tax) => {
            let [net, added, gross] =
                [&tax.net, &tax.tax, &tax.gross].map(|amount| money(amount, &tax.currency));
            format!("{id}: {net} + {added} = {gross} {}", tax.currency)
        }
        None => id.clone(),
    };
    let values = Values::new().text("invoice_origin", &origin);
    Action {
        model: MODEL.to_owned(),
        key: RecordKey::External(own.to_owned()),
        name: "write".to_owned(),
        arguments: Values::new().raw("vals", &values.clone().json()).json(),
        from: with_totals(Values::new().text("state", "draft")),
        to: with_totals(values),
    }
}
