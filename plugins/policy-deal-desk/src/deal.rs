//! What belongs to one won deal among the changes of a message.

use cambist_sdk::prelude::*;

/// A contract that is to be delivered, and what stands beside it.
#[derive(Clone, Copy, Debug)]
pub struct Deal<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// The customer, when the message holds it.
    pub account: Option<&'a Account>,
    /// The project, when the message holds it.
    pub project: Option<&'a Project>,
}

/// The deals of a message: one for each contract that may be delivered after it.
///
/// A contract that is removed, called off, closed or still a draft commits the
/// firm to nothing. One without a status does not say so, and is judged.
pub fn all(changes: &[Change]) -> Vec<Deal<'_>> {
    let there = || {
        changes
            .iter()
            .filter(|change| change.kind == ChangeKind::Upsert)
            .map(|change| &change.entity)
    };
    let contracts = there().filter_map(|entity| match entity {
        Entity::Contract(contract) => Some(contract),
        _ => None,
    });
    contracts
        .filter(|contract| matches!(contract.status, None | Some(ContractStatus::Approved)))
        .map(|contract| Deal {
            contract,
            account: there().find_map(|entity| match entity {
                Entity::Account(account)
                    if contract.account.as_ref().is_none_or(|of| *of == account.ref_) =>
                {
                    Some(account)
                }
                _ => None,
            }),
            project: there().find_map(|entity| match entity {
                Entity::Project(project)
                    if project.contract.as_ref().is_none_or(|of| *of == contract.ref_) =>
                {
                    Some(project)
                }
                _ => None,
            }),
        })
        .collect()
}
