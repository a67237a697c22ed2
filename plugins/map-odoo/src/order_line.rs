//! `sale.order.line`: a line of the contract. Each has an external id of its own,
//! so that sending it again changes it instead of adding another.

use cambist_sdk::prelude::*;

use crate::{external_id, product::Products, settings::Settings, tax::Taxes};

/// Adds the commands for a line: its product, then the line itself.
///
/// # Errors
///
/// The line's tax or unit is not in the settings.
pub(crate) fn write(
    contract: &EntityRef,
    line: &ContractLine,
    products: &mut Products<'_>,
    taxes: &Taxes<'_>,
    commands: &mut Vec<Command>,
) -> Result<()> {
    let product = products.for_line(line, commands)?;
    let values = Values::new()
        .text("order_id/id", external_id::of(contract))
        .text("product_id/id", product.id)
        .text("name", &line.name)
        .number("product_uom_qty", &line.quantity)
        .optional("product_uom_id/id", product.unit)
        .number("price_unit", &line.unit_price)
        .number("discount", &line.discount_percent.unwrap_or(Decimal::from(0)));
    commands.push(Command::Upsert(Record {
        model: "sale.order.line".to_owned(),
        key: RecordKey::External(external_id::of_line(contract, &line.id)),
        values: taxes.write(&line.id, values)?.json(),
        stands_for: None,
    }));
    Ok(())
}

/// The unit that a line counts by; none where it does not say.
pub(crate) fn unit<'a>(settings: &'a Settings, line: &ContractLine) -> Result<Option<&'a str>> {
    let Some(unit) = &line.unit else {
        return Ok(None);
    };
    let rule = "must be a key of `units` in the settings, with the unit's external id";
    match settings.units.get(unit) {
        Some(id) => Ok(Some(id)),
        None => Err(invalid(format!("contract.lines[{}].unit", line.id), rule)),
    }
}

/// What a line counts that does not say: units, by the settings' word for them or
/// Odoo's own.
pub(crate) fn usual_unit(settings: &Settings) -> &str {
    settings
        .units
        .get("unit")
        .map_or("uom.product_uom_unit", String::as_str)
}

/// The first line of a contract.
pub(crate) fn first(contract: &Contract) -> Option<&ContractLine> {
    contract.lines.as_ref()?.first()
}

/// The line of a contract that has exactly one.
pub(crate) fn only(contract: &Contract) -> Option<&ContractLine> {
    match contract.lines.as_deref()? {
        [line] => Some(line),
        _ => None,
    }
}

/// The lines of an order that was read back, where the connector read them with
/// it: `order_line` is then a list of records, and a list of ids otherwise.
///
/// # Errors
///
/// A line is not what Odoo sends.
pub(crate) fn read(order: &Fields<'_>) -> Result<Option<Vec<ContractLine>>> {
    let Ok(lines) = order.objects("order_line") else {
        return Ok(None);
    };
    if lines.is_empty() {
        return Ok(None);
    }
    let line = |line: &Fields<'_>| {
        let number = |name, digits| line.rounded(name, digits)?.required(line.path(name));
        Ok(ContractLine {
            discount_percent: line.rounded("discount", 2)?.filter(|percent| percent.units != 0),
            ..ContractLine::priced(
                line.required_text("id")?,
                line.required_text("name")?,
                number("product_uom_qty", QUANTITY_DIGITS)?,
                number("price_unit", PRICE_DIGITS)?,
            )
        })
    };
    // a section or a note has no product and no price
    let priced = lines.iter().filter(|line| line.raw("display_type").is_none());
    priced.map(line).collect::<Result<_>>().map(Some)
}

/// Odoo keeps floats. Its decimal accuracies are settings of the database, two
/// digits by default; six lose nothing that people type and drop what binary
/// fractions add.
pub(crate) const QUANTITY_DIGITS: u32 = 6;
pub(crate) const PRICE_DIGITS: u32 = 6;
