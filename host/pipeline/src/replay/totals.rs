//! What a message is worth, document by document: for telling by how much a replay would change
//! it. Money is exact, and each currency stands for itself.

use std::collections::BTreeMap;

use cambist_contract::{
    Decimal,
    canonical::{Change, ChangeKind, Entity, EntityRef, InvoiceKind},
    stage::Stage,
    tax::Assessment,
};
use cambist_journal::replay::Total;

use crate::{stage, work::Work};

type Totals = BTreeMap<(EntityRef, String), Decimal>;

/// The totals that are others now. What is no longer billed, or was not before, counts as zero.
pub(super) fn differing(then: &Work, now: &Work) -> Vec<Total> {
    let (then, mut now) = (of(then), of(now));
    let mut pairs: Vec<_> = then
        .into_iter()
        .map(|(of, before)| {
            let after = now.remove(&of).unwrap_or_default();
            (of, before, after)
        })
        .collect();
    pairs.extend(now.into_iter().map(|(of, after)| (of, Decimal::ZERO, after)));
    let others = pairs.into_iter().filter(|(_, before, after)| before != after);
    others
        .map(|((of, currency), then, now)| Total {
            of,
            currency,
            then,
            now,
        })
        .collect()
}

/// What the customer pays by each document that was assessed; else what the document, deal or
/// payment itself says. A credit note counts against it.
fn of(work: &Work) -> Totals {
    let changes = stage::changes(work).unwrap_or_default();
    let mut totals: Totals = changes.iter().filter_map(said).collect();
    let assessed: Vec<Assessment> = work.output(Stage::Tax).unwrap_or_default();
    for assessment in assessed {
        let (entity, amount) = (assessment.entity, assessment.payable);
        let is_credit = changes.iter().any(|change| is_credit(change, &entity));
        totals.retain(|(of, _), _| *of != entity);
        totals.insert(
            (entity, assessment.currency),
            if is_credit { -amount } else { amount },
        );
    }
    totals
}

fn said(change: &Change) -> Option<((EntityRef, String), Decimal)> {
    if change.kind != ChangeKind::Upsert {
        return None;
    }
    let (currency, amount) = match &change.entity {
        Entity::Opportunity(it) => (it.currency.as_ref(), it.amount),
        Entity::Invoice(it) => (it.currency.as_ref(), it.gross),
        Entity::Payment(it) => (it.currency.as_ref(), it.amount),
        _ => (None, None),
    };
    let name = change.entity.name();
    let amount = if is_credit(change, name) {
        -amount?
    } else {
        amount?
    };
    Some(((name.clone(), currency?.clone()), amount))
}

fn is_credit(change: &Change, entity: &EntityRef) -> bool {
    matches!(&change.entity, Entity::Invoice(it) if it.entity == *entity && it.kind == Some(InvoiceKind::CreditNote))
}
