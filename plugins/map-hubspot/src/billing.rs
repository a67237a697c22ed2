//! What a deal is told of its bills and of its project: HubSpot has no objects for them that
//! could be written, so they are properties of the deal.
//!
//! Only properties that the settings name are written. Of invoices all of the deal have to be
//! in the message, as `map-odoo` reads them: what is told are sums.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::settings::Properties;

/// What was billed for one deal.
#[derive(Default)]
struct Billed<'a> {
    numbers: Vec<&'a str>,
    currency: Option<&'a str>,
    invoiced: Amount,
    outstanding: Amount,
    drafts: bool,
}

/// The commands for the deals of this HubSpot that were billed.
///
/// # Errors
///
/// A deal is billed in several currencies.
pub(crate) fn of_deals(own: &Properties, input: &Outbound) -> Result<Vec<Command>> {
    let mut deals: BTreeMap<&str, Billed<'_>> = BTreeMap::new();
    for change in &input.changes {
        let Entity::Invoice(invoice) = &change.entity else {
            continue;
        };
        let of = invoice.contract.as_ref();
        let Some(contract) = of.filter(|contract| contract.system == input.system) else {
            continue;
        };
        deals
            .entry(contract.id.as_str())
            .or_default()
            .add(invoice, change.kind == ChangeKind::Upsert)?;
    }
    let commands = deals.into_iter().map(|(deal, billed)| {
        let values = billed.values(own);
        upsert(deal, values, None)
    });
    Ok(commands.filter(|command| !is_empty(command)).collect())
}

/// The command for the deal of a project of this HubSpot.
pub(crate) fn of_project(own: &Properties, target: &str, project: &Project) -> Option<Command> {
    let values = Values::new().optional_at(own.project_status.as_deref(), project.status.map(word));
    // a deal's project has the deal's id
    let command = upsert(&project.ref_.id, values, Some(project.ref_.clone()));
    (project.ref_.system == target && !is_empty(&command)).then_some(command)
}

/// The contract's word for it.
fn word(status: ProjectStatus) -> &'static str {
    match status {
        ProjectStatus::Planned => "planned",
        ProjectStatus::Active => "active",
        ProjectStatus::Paused => "paused",
        ProjectStatus::Done => "done",
        ProjectStatus::Cancelled => "cancelled",
    }
}

impl<'a> Billed<'a> {
    /// Adds an invoice, or takes a credit note off. Drafts and what was cancelled bill nothing.
    fn add(&mut self, invoice: &'a Invoice, is_there: bool) -> Result<()> {
        let status = invoice.status.filter(|_| is_there);
        match status {
            Some(InvoiceStatus::Draft) => {
                self.drafts = true;
                return Ok(());
            }
            Some(InvoiceStatus::Posted | InvoiceStatus::PartlyPaid | InvoiceStatus::Paid) => {}
            Some(InvoiceStatus::Cancelled) | None => return Ok(()),
        }
        let currency = invoice.currency.as_deref();
        if self.currency.is_some() && self.currency != currency {
            return Err(broken(
                "the invoices of a deal are in several currencies and have no sum",
            ));
        }
        self.currency = currency;
        self.numbers.extend(invoice.number.as_deref());
        let amount = |decimal: Option<&Decimal>| decimal.map(Decimal::value).unwrap_or_default();
        let (gross, residual) = (amount(invoice.gross.as_ref()), amount(invoice.residual.as_ref()));
        if invoice.kind == Some(InvoiceKind::CreditNote) {
            self.invoiced -= gross;
            self.outstanding -= residual;
        } else {
            self.invoiced += gross;
            self.outstanding += residual;
        }
        Ok(())
    }

    fn status(&self) -> &'static str {
        match (self.numbers.is_empty(), self.outstanding.is_zero()) {
            (true, _) if self.drafts => "draft",
            (true, _) => "none",
            (false, true) => "paid",
            (false, false) if self.outstanding == self.invoiced => "invoiced",
            (false, false) => "partly-paid",
        }
    }

    fn values(&self, own: &Properties) -> Values {
        let digits = self.currency.map_or(2, minor_units);
        let text = |amount: Amount| format!("{amount:.*}", digits as usize);
        Values::new()
            .optional_at(own.invoice_status.as_deref(), Some(self.status()))
            .optional_at(own.invoice_numbers.as_deref(), Some(self.numbers.join(", ")))
            .optional_at(own.invoiced.as_deref(), Some(text(self.invoiced)))
            .optional_at(own.paid.as_deref(), Some(text(self.invoiced - self.outstanding)))
            .optional_at(own.outstanding.as_deref(), Some(text(self.outstanding)))
    }
}

/// Properties that a portal may have.
trait OptionalAt {
    /// A text, if there is one and a property for it.
    fn optional_at(self, property: Option<&str>, value: Option<impl AsRef<str>>) -> Self;
}

impl OptionalAt for Values {
    fn optional_at(self, property: Option<&str>, value: Option<impl AsRef<str>>) -> Self {
        match property {
            Some(property) => self.optional(property, value),
            None => self,
        }
    }
}

fn upsert(deal: &str, values: Values, stands_for: Option<EntityRef>) -> Command {
    Command::Upsert(Record {
        model: "deals".to_owned(),
        key: RecordKey::Own(deal.to_owned()),
        values: values.json(),
        stands_for,
    })
}

fn is_empty(command: &Command) -> bool {
    matches!(command, Command::Upsert(record) if record.values == "{}")
}
