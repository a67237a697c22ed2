//! The bills of an order so far, each with its lines and what these bill.
//!
//! Which time stands on a bill is not asked: the connector reads none that is on one. Which milestone a line bills stands
//! in the external id that [`external_id::of_bill_line`] gave it; a line of a credit note that Odoo copied from it bills the
//! same one.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use super::Order;
use crate::{
    draft, external_id, invoice, many2one,
    order_line::{PRICE_DIGITS, QUANTITY_DIGITS},
};

/// A line's article and text: what a copy of it has in common with it.
type Alike = (Option<String>, String);

/// Reads them.
///
/// # Errors
///
/// A field is not what Odoo sends; or a bill of ours was begun and never ended, or one of Odoo's own stands for milestones
/// that nobody can tell.
pub(super) fn read(of: &Order<'_>, contract: &Contract, names: &Fields<'_>) -> Result<Vec<Change>> {
    let (bills, lines) = (names.object("account.move")?, names.object("account.move.line")?);
    let mut by_bill: BTreeMap<String, Vec<Fields<'_>>> = BTreeMap::new();
    for line in of.bills.objects("invoice_lines")? {
        if let Some(bill) = many2one::read(&line, "move_id")? {
            by_bill.entry(bill.id).or_default().push(line);
        }
    }
    // what each bill is called here and which milestones its lines bill, by its id in Odoo
    let mut known: BTreeMap<String, (EntityRef, BTreeMap<Alike, String>)> = BTreeMap::new();
    let mut changes = Vec::new();
    let mut records = of.bills.objects("invoices")?;
    // what a credit note takes back comes before it
    let is_credit = |record: &Fields<'_>| record.raw("reversed_entry_id").is_some();
    records.sort_by_key(is_credit);
    for record in records {
        let id = record.required_text("id")?;
        let name = bills.text(&id)?.as_deref().and_then(external_id::entity);
        let name = name.filter(|name| name.kind == EntityKind::Invoice);
        let is_ours = name.is_some();
        let mut bill = invoice::named(
            of.source,
            &record,
            name.unwrap_or_else(|| EntityRef::new(EntityKind::Invoice, of.source.system, id.clone())),
            Some(of.name.clone()),
        )?;
        if record.text("payment_state")?.as_deref() == Some("reversed") {
            // its credit note stands beside it and counts
            bill.status = Some(InvoiceStatus::Paid);
        }
        if is_ours && bill.status == Some(InvoiceStatus::Draft) && record.text("invoice_origin")?.is_none() {
            return Err(invalid(record.path("invoice_origin"), UNFINISHED));
        }
        bill.period_until = draft::until(&bill.ref_).map(str::to_owned);
        let corrected = many2one::read(&record, "reversed_entry_id")?;
        let corrected = corrected.and_then(|it| known.get(&it.id).cloned());
        let copied = corrected.map(|(name, milestones)| {
            bill.corrects = Some(name);
            milestones
        });
        let mut made = BTreeMap::new();
        let mut all = Vec::new();
        for from in by_bill.remove(&id).unwrap_or_default() {
            let mut line = line(&from, contract)?;
            let alike = (line.contract_line.clone(), line.name.clone());
            let external = lines.text(&line.id)?;
            line.milestone = match (external.as_deref(), &copied) {
                (Some(external), _) => external_id::milestone_of_bill_line(external),
                (None, Some(copied)) => copied.get(&alike).cloned(),
                (None, None) => None,
            };
            made.extend(line.milestone.clone().map(|milestone| (alike, milestone)));
            all.push(line);
        }
        let unknown = !is_ours && copied.is_none() && all.iter().any(|line| line.contract_line.is_some());
        let counts = bill.status != Some(InvoiceStatus::Cancelled);
        if contract.billing == Some(BillingMethod::FixedPrice) && unknown && counts {
            return Err(invalid(record.path("id"), NOT_OURS));
        }
        known.insert(id, (bill.ref_.clone(), made));
        bill.lines = Some(all);
        changes.push(of.source.change(&record, bill)?);
    }
    Ok(changes)
}

const UNFINISHED: &str = "is empty on a draft that was begun here and not ended, so its totals were never compared; retry the \
                          message that makes it, or delete the draft in Odoo and retry this one";

const NOT_OURS: &str = "is a bill that was made in Odoo itself for an order at a fixed price, and which milestones it bills \
                        is not known; cancel or credit it there, or bill the order there to its end";

fn line(from: &Fields<'_>, contract: &Contract) -> Result<InvoiceLine> {
    let number = |name, digits| line_number(from, name, digits);
    let (mut quantity, mut price) = (
        number("quantity", QUANTITY_DIGITS)?,
        number("price_unit", PRICE_DIGITS)?,
    );
    if price.units < 0 {
        // a price is never negative here: what is taken off has a negative quantity
        (quantity.units, price.units) = (quantity.units.saturating_neg(), price.units.saturating_neg());
    }
    let sold: Vec<u64> = match from.raw("sale_line_ids") {
        Some(ids) => serde_json::from_str(ids)
            .map_err(|_| invalid(from.path("sale_line_ids"), "must be a list of ids"))?,
        None => Vec::new(),
    };
    let sold: Vec<String> = sold.iter().map(u64::to_string).collect();
    let of_contract = contract
        .lines
        .iter()
        .flatten()
        .find(|line| sold.contains(&line.id));
    Ok(InvoiceLine {
        id: from.required_text("id")?,
        name: from.text("name")?.unwrap_or_default(),
        sku: None,
        quantity,
        unit: None,
        unit_price: price,
        discount_percent: from.rounded("discount", 2)?.filter(|percent| percent.units != 0),
        tax_class: None,
        performed_at: None,
        contract_line: of_contract.map(|line| line.id.clone()),
        project: None,
        milestone: None,
        timesheets: Vec::new(),
        expenses: Vec::new(),
        extra: Vec::new(),
    })
}

fn line_number(from: &Fields<'_>, name: &str, digits: u32) -> Result<Decimal> {
    from.rounded(name, digits)?.required(from.path(name))
}
