//! A HubSpot line item is a line of the contract.

use cambist_sdk::prelude::*;

use crate::source::Source;

/// What was agreed: the line items, or the deal's amount as one line where it
/// has none.
///
/// # Errors
///
/// A line breaks a rule, or there is neither a line nor an amount.
pub(crate) fn read(source: &Source<'_>, body: &Fields<'_>, deal: &Opportunity) -> Result<Vec<ContractLine>> {
    let items = body.objects("line_items")?;
    if !items.is_empty() {
        let currency = deal.currency.as_deref();
        return items.iter().map(|item| line(source, item, currency)).collect();
    }
    let rule = "is required for a deal without line items: set an amount, or add line items";
    match (&deal.amount, &deal.name) {
        (Some(amount), Some(name)) => {
            let (quantity, price) = signed(1.into(), *amount);
            Ok(vec![ContractLine::priced("amount", name, quantity, price)])
        }
        _ => Err(invalid("deal.properties.amount", rule)),
    }
}

fn line(source: &Source<'_>, item: &Fields<'_>, currency: Option<&str>) -> Result<ContractLine> {
    let own = &source.settings.properties;
    let from = item.object("properties")?;
    refuse_recurring(&from)?;
    refuse_other_currency(&from, currency)?;
    let (unit_price, discount_percent) = price(&from)?;
    let quantity = from.decimal("quantity")?.required(from.path("quantity"))?;
    let (quantity, unit_price) = signed(quantity, unit_price);
    let (id, name) = (item.required_text("id")?, from.required_text("name")?);
    Ok(ContractLine {
        sku: from.text("hs_sku")?,
        unit: from.text(&own.unit)?,
        discount_percent,
        tax_class: from.text(&own.tax_class)?,
        ..ContractLine::priced(id, name, quantity, unit_price)
    })
}

/// HubSpot lets a price be negative; a line that takes back has a negative quantity.
fn signed(quantity: Decimal, price: Decimal) -> (Decimal, Decimal) {
    let minus = |number: Decimal| Decimal {
        units: -number.units,
        ..number
    };
    match price.units < 0 {
        true => (minus(quantity), minus(price)),
        false => (quantity, price),
    }
}

/// The net price of one, and what is taken off it in percent.
///
/// HubSpot has two discounts: `discount` is money off each unit, which is the
/// unit price made smaller, exactly; `hs_discount_percentage` stays a percentage.
fn price(from: &Fields<'_>) -> Result<(Decimal, Option<Decimal>)> {
    let price = from.decimal("price")?.required(from.path("price"))?;
    let given = |name| Ok(from.decimal(name)?.filter(|number| !number.value().is_zero()));
    match (given("discount")?, given("hs_discount_percentage")?) {
        (None, percent) => Ok((price, percent)),
        (Some(off), None) => {
            let rest = price.value().checked_sub(off.value());
            let rest = rest.required(from.path("discount"))?;
            Ok((rest.exact()?, None))
        }
        (Some(_), Some(_)) => Err(invalid(
            from.path("discount"),
            "must be empty where `hs_discount_percentage` is set: a line has one discount",
        )),
    }
}

/// A subscription billed as if it were sold once would be wrong by a factor.
fn refuse_recurring(from: &Fields<'_>) -> Result<()> {
    match from.text("recurringbillingfrequency")? {
        None => Ok(()),
        Some(_) => Err(invalid(
            from.path("recurringbillingfrequency"),
            "must be empty: a line that recurs is a subscription, which this mapping does not know",
        )),
    }
}

fn refuse_other_currency(from: &Fields<'_>, currency: Option<&str>) -> Result<()> {
    let own = from.currency("hs_line_item_currency_code")?;
    if own.is_none() || own.as_deref() == currency {
        return Ok(());
    }
    Err(invalid(
        from.path("hs_line_item_currency_code"),
        "must be the deal's currency: a contract has one",
    ))
}
