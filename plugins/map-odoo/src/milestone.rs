//! `project.milestone`: a result that the customer waits for.

use cambist_sdk::prelude::*;

use crate::{columns::Columns as _, external_id, order_line};

/// Adds the commands for a project's milestones.
///
/// Reaching a milestone of Odoo delivers a share of one order line. Only a
/// contract of one line therefore has its milestones tied to the order; with
/// several, a share of the contract is a share of none of them.
///
/// # Errors
///
/// A share has more digits than an exact number carries.
pub(crate) fn write(
    project: &Project,
    contract: Option<&Contract>,
    commands: &mut Vec<Command>,
) -> Result<()> {
    let line = contract.and_then(|contract| {
        let by_milestones = contract.billing == Some(BillingMethod::FixedPrice);
        let line = order_line::only(contract).filter(|_| by_milestones)?;
        Some(external_id::of_line(&contract.ref_, &line.id))
    });
    for milestone in project.milestones.iter().flatten() {
        let share = milestone
            .share_percent
            .filter(|_| line.is_some())
            .map(fraction)
            .transpose()?;
        let values = Values::new()
            .text("project_id/id", external_id::of(&project.ref_))
            .text("name", &milestone.name)
            .optional("deadline", milestone.due.as_ref())
            // only ever reached: until then it is delivery who says so, in Odoo
            .optional("is_reached", milestone.reached.as_ref().map(|_| "1"))
            .optional("sale_line_id/id", line.as_ref())
            .optional_number("quantity_percentage", share.as_ref());
        commands.push(Command::Upsert(Record {
            model: "project.milestone".to_owned(),
            key: RecordKey::External(external_id::of_milestone(&project.ref_, &milestone.id)),
            values: values.json(),
            stands_for: None,
        }));
    }
    Ok(())
}

/// Odoo's "percentage" is a fraction: 30 percent are 0.3.
fn fraction(percent: Decimal) -> Result<Decimal> {
    (percent.value() / dec!(100)).exact()
}

/// The milestones of a project that was read back, where the connector read them
/// with it: `milestone_ids` is then a list of records, and of ids otherwise.
///
/// # Errors
///
/// A milestone is not what Odoo sends.
pub(crate) fn read(project: &Fields<'_>) -> Result<Option<Vec<Milestone>>> {
    let Ok(records) = project.objects("milestone_ids") else {
        return Ok(None);
    };
    if records.is_empty() {
        return Ok(None);
    }
    records.iter().map(one).collect::<Result<_>>().map(Some)
}

/// One milestone, without the line that it is a part of.
///
/// # Errors
///
/// It is not what Odoo sends.
pub(crate) fn one(from: &Fields<'_>) -> Result<Milestone> {
    let share = from.rounded("quantity_percentage", FRACTION_DIGITS)?;
    let share = share
        .map(|share| (share.value() * dec!(100)).exact())
        .transpose()?;
    Ok(Milestone {
        due: from.date("deadline")?,
        share_percent: share.filter(|share| share.units != 0),
        reached: from.date("reached_date")?,
        ..Milestone::called(from.required_text("id")?, from.required_text("name")?)
    })
}

/// A share in percent with four digits: a ten-thousandth of a percent.
const FRACTION_DIGITS: u32 = 6;
