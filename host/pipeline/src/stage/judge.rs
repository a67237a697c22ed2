//! `judge`: policy allows, amends, denies, holds or waits. Output: [`Judged`].

use std::collections::BTreeSet;

use cambist_contract::{
    canonical::{Change, EntityRef},
    policy::{Decision, Proposal, Verdict},
    stage::Stage,
};
use cambist_journal::Event;
use serde::{Deserialize, Serialize};

use super::changes;
use crate::{
    call::{Step, call},
    dispatch::Pipeline,
    failure::Failure,
    work::{Passed, Work},
};

/// What policy let pass, and why.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Judged {
    /// The changes that pass.
    pub(super) changes: Vec<Change>,
    /// Why.
    reasons: Vec<cambist_contract::fault::Reason>,
    /// Whether policy changed them.
    amended: bool,
}

pub(super) async fn run(pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    let proposal = Proposal {
        changes: changes(work)?,
        approvals: work.approvals.clone(),
    };
    let proposed = proposal.changes.clone();
    let function = move |plugin: &dyn cambist_contract::plugin::Plugin, context: &_, links| {
        plugin.judge(context, &proposal, links)
    };
    call(pipeline, work, Stage::Judge, function, |verdict| {
        decide(verdict, proposed)
    })
    .await
}

/// Turns a verdict into what happens to the message.
fn decide(verdict: Verdict, proposed: Vec<Change>) -> Result<Step<Judged>, Failure> {
    let Verdict { decision, reasons } = verdict;
    if reasons.is_empty() {
        return Err(Failure::Implausible("a verdict must have a reason".to_owned()));
    }
    Ok(match decision {
        Decision::Allow => Step::On(Judged {
            changes: proposed,
            reasons,
            amended: false,
        }),
        Decision::Amend(changes) => {
            let known: BTreeSet<&EntityRef> = proposed.iter().map(|it| it.entity.name()).collect();
            if let Some(foreign) = changes.iter().find(|it| !known.contains(it.entity.name())) {
                let text = format!("it amends {}, which was not proposed", foreign.entity.name());
                return Err(Failure::Implausible(text));
            }
            Step::On(Judged {
                changes,
                reasons,
                amended: true,
            })
        }
        Decision::Deny => Step::Stop(Event::Denied { reasons }),
        Decision::Hold(role) => Step::Stop(Event::Held { role, reasons }),
        Decision::Wait(entity) => Step::Stop(Event::Waiting {
            stage: Stage::Judge,
            entity,
        }),
    })
}
