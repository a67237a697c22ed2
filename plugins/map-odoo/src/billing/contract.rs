//! The contract that an order is, with its lines as bills need them.

use cambist_sdk::prelude::*;

use super::Order;
use crate::{
    many2one, order,
    order_line::{PRICE_DIGITS, QUANTITY_DIGITS},
};

/// The extension field of a contract's line with Odoo's id of its article.
pub(crate) const PRODUCT: &str = "odoo.product";

/// How the lines of an order may be invoiced, in Odoo's words.
const BY_TIME: &str = "timesheet";
const BY_MILESTONES: &str = "milestones";

/// Reads it.
///
/// # Errors
///
/// A field is not what Odoo sends, or the settings name a field with another content than the README says.
pub(super) fn read(of: &Order<'_>, account: EntityRef) -> Result<Contract> {
    let from = of.order;
    let billing = &of.settings.billing;
    let currency = many2one::name(from, "currency_id")?.required(from.path("currency_id"))?;
    let mut lines = Vec::new();
    let mut methods = Vec::new();
    for line in of.bills.objects("lines")? {
        // sections and notes have no price, and what was paid in advance is no work
        if line.raw("display_type").is_some() || line.flag("is_downpayment")? == Some(true) {
            continue;
        }
        methods.extend(line.text("qty_delivered_method")?);
        lines.push(one(of, &line)?);
    }
    let amount = match &billing.cap {
        Some(field) => from.rounded(field, minor_units(&currency))?,
        None => None,
    };
    let terms = match &billing.terms {
        Some(field) => from.text(field)?,
        None => None,
    };
    Ok(Contract {
        account: Some(account),
        name: from.text("name")?,
        status: order::status(from)?,
        billing: method(of, &methods)?,
        terms,
        customer_reference: from.text("client_order_ref")?,
        currency: Some(currency),
        // a cap of nothing is a field that nobody filled in
        amount: amount.filter(|amount| amount.units != 0),
        lines: Some(lines),
        ..Contract::named(of.name.clone())
    })
}

fn one(of: &Order<'_>, line: &Fields<'_>) -> Result<ContractLine> {
    let number = |name, digits| line.rounded(name, digits)?.required(line.path(name));
    let unit = many2one::read(line, "product_uom_id")?;
    let product = many2one::read(line, "product_id")?;
    let product = product.map(|product| Extension {
        name: PRODUCT.to_owned(),
        value: product.id,
    });
    Ok(ContractLine {
        // one that the settings do not know counts no time, whatever it is called
        unit: unit.map(|unit| match of.units.get(&unit.id) {
            Some(word) => word.clone(),
            None => format!("uom {}", unit.id),
        }),
        discount_percent: line.rounded("discount", 2)?.filter(|percent| percent.units != 0),
        extra: product.into_iter().collect(),
        ..ContractLine::priced(
            line.required_text("id")?,
            line.required_text("name")?,
            number("product_uom_qty", QUANTITY_DIGITS)?,
            number("price_unit", PRICE_DIGITS)?,
        )
    })
}

/// How the order is billed: as its own field says, where the settings name one and it is filled in, or else as its lines
/// may be invoiced. Where these differ, or are neither of time nor of milestones, nobody says.
fn method(of: &Order<'_>, methods: &[String]) -> Result<Option<BillingMethod>> {
    if let Some(field) = &of.settings.billing.method
        && let Some(word) = of.order.text(field)?
    {
        return match word.as_str() {
            "time-and-material" => Ok(Some(BillingMethod::TimeAndMaterial)),
            "capped" => Ok(Some(BillingMethod::Capped)),
            "fixed-price" => Ok(Some(BillingMethod::FixedPrice)),
            _ => Err(invalid(
                of.order.path(field),
                "must be `time-and-material`, `capped` or `fixed-price`",
            )),
        };
    }
    let has = |method: &str| methods.iter().any(|it| it == method);
    Ok(match (has(BY_TIME), has(BY_MILESTONES)) {
        (true, false) => Some(BillingMethod::TimeAndMaterial),
        (false, true) => Some(BillingMethod::FixedPrice),
        _ => None,
    })
}
