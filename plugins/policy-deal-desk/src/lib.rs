//! The deal desk: may a deal that was won become an order and a project?
//!
//! Judged is the contract that a won deal implies, with the customer and the
//! project beside it. In this order:
//!
//! 1. [`country`]: a customer in a denied country ends it;
//! 2. [`prerequisites`]: what a project needs and lacks waits for the deal desk;
//! 3. [`threshold`]: an amount above a threshold waits for the role that may
//!    commit it.
//!
//! What a role has released passes. Messages without a contract, such as a
//! contact's new telephone number, pass.
//!
//! # What is not here
//!
//! Who holds a role, and how someone releases a message: the host's. Tax, credit
//! limits, margins.

use cambist_sdk::prelude::*;

pub mod country;
pub mod deal;
pub mod prerequisites;
pub mod settings;
pub mod threshold;

/// The plugin.
pub struct DealDesk;

impl Policy for DealDesk {
    fn judge(context: &Context, proposal: Proposal) -> Result<Verdict> {
        let settings: settings::Settings = context.settings()?;
        let released = |role: &str| proposal.approvals.iter().any(|approval| approval.role == role);

        if let Some(denied) = country::denied(&proposal.changes, &settings) {
            return Ok(one(Decision::Deny, denied));
        }
        let deals = deal::all(&proposal.changes);
        if deals.is_empty() {
            let nothing = "no contract is to be delivered by this message, so there is nothing to approve";
            return Ok(one(Decision::Allow, reason("no-contract", nothing)));
        }

        let mut passed = Vec::new();
        let mut missing = Vec::new();
        for deal in &deals {
            missing.extend(prerequisites::missing(deal, &settings));
        }
        if missing.is_empty() {
            passed.push(
                reason(
                    "prerequisites",
                    "terms, customer and delivery owner are as required",
                )
                .by(RULES),
            );
        } else if !released(&settings.role) {
            return Ok(Verdict {
                decision: Decision::Hold(settings.role),
                reasons: missing,
            });
        } else {
            let codes: Vec<&str> = missing.iter().map(|reason| reason.code.as_str()).collect();
            let text = format!("`{}` released it in spite of {}", settings.role, codes.join(", "));
            passed.push(reason("prerequisites-released", text).by(RULES));
        }

        for deal in &deals {
            for check in threshold::checks(deal, &settings)? {
                match check.role {
                    Some(role) if !released(role) => {
                        return Ok(one(Decision::Hold(role.to_owned()), check.reason));
                    }
                    Some(role) => {
                        let text = format!("{}; `{role}` released it", check.reason.text);
                        passed.push(reason("amount-released", text).by(RULES));
                    }
                    None => passed.push(check.reason),
                }
            }
        }
        Ok(Verdict {
            decision: Decision::Allow,
            reasons: passed,
        })
    }
}

/// What the reasons rest on: the rules are the region's, in the binding.
pub(crate) const RULES: &str = "deal desk rules in the binding's settings";

fn one(decision: Decision, reason: Reason) -> Verdict {
    Verdict {
        decision,
        reasons: vec![reason],
    }
}

cambist_sdk::export!(DealDesk: policy);
