//! Who the customer of a message is and what it is worth, as far as a stage came to know it; and
//! the input it is worked out of.
//!
//! Taken from what stages made, in the contract's words, so it is the same for every source. A
//! message that is parked before `read` has nothing in these words yet, and then nothing is told.

use cambist_contract::{
    Decimal, Json,
    canonical::{Change, Entity},
    mapping::Inbound,
    stage::Stage,
    tax::Assessment,
};
use cambist_journal::{Entry, Event};
use serde::Deserialize;

use crate::answer::Amount;

/// What a stage came to know.
#[derive(Debug, Default)]
pub(super) struct Glimpse {
    pub(super) customer: Option<String>,
    pub(super) amount: Option<Amount>,
}

/// What `own`, `judge` and `draft` make, as far as it is looked at.
#[derive(Deserialize)]
struct Made {
    changes: Vec<Change>,
}

/// What was last known. What was known of an input before it was edited does not count.
pub(super) fn of(entries: &[Entry]) -> Glimpse {
    let mut glimpse = Glimpse::default();
    for entry in entries.iter().rev() {
        if entry.event.edit().is_some() {
            break;
        }
        let Event::Passed { stage, output, .. } = &entry.event else {
            continue;
        };
        let changes = match stage {
            Stage::Tax => {
                let assessed = serde_json::from_str::<Vec<Assessment>>(output.as_str());
                glimpse.amount = glimpse.amount.or_else(|| sum(&assessed.unwrap_or_default()));
                continue;
            }
            Stage::Read => serde_json::from_str::<Vec<Change>>(output.as_str()).ok(),
            Stage::Own | Stage::Judge | Stage::Draft => {
                let made = serde_json::from_str::<Made>(output.as_str());
                made.ok().map(|made| made.changes)
            }
            Stage::Fetch | Stage::Write | Stage::Deliver => continue,
        };
        let changes = changes.unwrap_or_default();
        glimpse.customer = glimpse.customer.or_else(|| customer(&changes));
        glimpse.amount = glimpse.amount.or_else(|| amount(&changes));
        if glimpse.customer.is_some() && glimpse.amount.is_some() {
            break;
        }
    }
    glimpse
}

/// What a message is worked out of now: what was fetched last, or put in its place; none where
/// nothing was.
pub fn input(entries: &[Entry]) -> Option<Json> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Passed {
            stage: Stage::Fetch,
            output,
            ..
        } => serde_json::from_str::<Inbound>(output.as_str())
            .ok()
            .map(|inbound| inbound.body),
        _ => None,
    })
}

/// With tax, where all documents are in one currency.
fn sum(assessments: &[Assessment]) -> Option<Amount> {
    let currency = &assessments.first()?.currency;
    let mut amount = Decimal::ZERO;
    for assessment in assessments {
        if assessment.currency != *currency {
            return None;
        }
        amount = amount.checked_add(assessment.gross)?;
    }
    Some(Amount {
        amount,
        currency: currency.clone(),
        of: "assessment".to_owned(),
    })
}

fn customer(changes: &[Change]) -> Option<String> {
    changes.iter().find_map(|change| match &change.entity {
        Entity::Account(account) => account.legal_name.clone().or_else(|| account.name.clone()),
        _ => None,
    })
}

/// What the first document among them is worth; what comes later in a sale tells it better.
fn amount(changes: &[Change]) -> Option<Amount> {
    let worth = |entity: &Entity| {
        let (rank, of, amount, currency) = match entity {
            Entity::Invoice(it) => (0, "invoice", it.gross, it.currency.as_ref()),
            Entity::Contract(it) => (1, "contract", it.amount, it.currency.as_ref()),
            Entity::Opportunity(it) => (2, "opportunity", it.amount, it.currency.as_ref()),
            _ => return None,
        };
        let amount = Amount {
            amount: amount?,
            currency: currency?.clone(),
            of: of.to_owned(),
        };
        Some((rank, amount))
    };
    let worths = changes.iter().filter_map(|change| worth(&change.entity));
    worths.min_by_key(|(rank, _)| *rank).map(|(_, amount)| amount)
}
