//! The commands for one message, in the order of its changes.

use cambist_sdk::prelude::*;

use crate::{draft, milestone, order, partner, project, settings::Settings, tax::Taxes};

/// Makes the plan.
///
/// # Errors
///
/// A change breaks a rule, or is about something that this plugin does not write.
pub(crate) fn write(settings: &Settings, input: &Outbound) -> Result<Plan> {
    let mut commands = Vec::with_capacity(input.changes.len() * 4);
    let at = (settings, input.system.as_str());
    // an order is billed where it is: what stands there already is what the drafts are made of
    let at_home = input.changes.iter().any(|change| {
        draft::is_drafted(&change.entity).is_some_and(|invoice| invoice.ref_.system == input.system)
    });
    for change in &input.changes {
        if let Some(invoice) = draft::is_drafted(&change.entity) {
            let taxes = Taxes::of(settings, &invoice.ref_, &input.assessments);
            draft::write(at, &input.changes, invoice, &taxes, &mut commands)?;
            continue;
        }
        if at_home && change.entity.name().system == input.system {
            continue;
        }
        if let ChangeKind::Merged(into) = &change.kind {
            commands.push(
                partner::merge(&input.system, &change.entity, into)
                    .ok_or_else(|| not_merged(&change.entity))?,
            );
            continue;
        }
        match &change.entity {
            Entity::Account(account) => commands.push(partner::write_account(at, change, account)?),
            Entity::Contact(person) => commands.push(partner::write_contact(&input.system, change, person)),
            // the CRM owns its deals; what was agreed is in the contract
            Entity::Opportunity(_) => {}
            other if change.kind == ChangeKind::Remove => return Err(not_removed(other)),
            other if other.name().system == input.system => return Err(born_there(other)),
            Entity::Contract(contract) => {
                let taxes = Taxes::of(settings, &contract.ref_, &input.assessments);
                order::write(at, change, contract, &taxes, &mut commands)?;
            }
            Entity::Project(project) => {
                let contract = contract_of(&input.changes, project);
                commands.push(project::write(at, change, project, contract));
                milestone::write(project, contract, &mut commands)?;
            }
            other => {
                return Err(broken(format!(
                    "this plugin writes no {} yet",
                    other.name().kind.word()
                )));
            }
        }
    }
    Ok(Plan { commands })
}

/// The contract that a project delivers, where it is in the same message.
fn contract_of<'a>(changes: &'a [Change], project: &Project) -> Option<&'a Contract> {
    let wanted = project.contract.as_ref()?;
    changes.iter().find_map(|change| match &change.entity {
        Entity::Contract(contract) if contract.ref_ == *wanted => Some(contract),
        _ => None,
    })
}

/// Odoo merges partners alone.
fn not_merged(entity: &Entity) -> Fault {
    let kind = entity.name().kind.word();
    broken(format!(
        "no {kind} is merged in Odoo by this plugin: merge the two there"
    ))
}

/// What was agreed in Odoo is changed in Odoo, where its lines have ids that we do not know.
fn born_there(entity: &Entity) -> Fault {
    let kind = entity.name().kind.word();
    broken(format!(
        "a {kind} that was made in Odoo is not changed from outside by this plugin"
    ))
}

/// Orders and projects have consequences in the books: people take them back.
fn not_removed(entity: &Entity) -> Fault {
    let kind = entity.name().kind.word();
    broken(format!(
        "a {kind} is not removed in Odoo by this plugin: cancel or archive it there"
    ))
}
