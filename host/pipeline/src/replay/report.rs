//! What many messages of a dry replay come to: sums within bounds.

use std::collections::BTreeSet;

use cambist_contract::Decimal;
use cambist_journal::{
    comparison::{Difference, KEPT_PATHS, Path},
    replay::{Differing, Moved, Progress, Report, Total},
};

use super::dry::Came;

/// Currencies that are summed: ISO 4217 has fewer, and a plugin that makes some up adds no more.
const MOST_CURRENCIES: usize = 200;

/// Counts a message.
pub(super) fn count(progress: &mut Progress, came: &Came) {
    let report = &mut progress.report;
    match came {
        Came::Skipped(why) => {
            *progress.skipped.entry((*why).to_owned()).or_default() += 1;
            return;
        }
        Came::Same => {}
        Came::OnTheWay => report.differ_on_the_way += 1,
        Came::Otherwise(message) => add(report, message),
    }
    progress.messages += 1;
}

/// Puts first what differs most.
pub(super) fn sort(report: &mut Report) {
    report.fields.sort_by(|one, other| {
        other
            .messages
            .cmp(&one.messages)
            .then_with(|| one.path.cmp(&other.path))
    });
}

fn add(report: &mut Report, message: &Differing) {
    report.differ += 1;
    if let Some(ends) = &message.ends {
        report.end_otherwise += 1;
        let way = format!("{} -> {}", ends.then, ends.now);
        *report.ends.entry(way).or_default() += 1;
    }
    report.change_a_total += u64::from(!message.totals.is_empty());
    for total in &message.totals {
        if report.money.len() < MOST_CURRENCIES || report.money.contains_key(&total.currency) {
            moved(report.money.entry(total.currency.clone()).or_default(), total);
        }
    }
    let places: BTreeSet<_> = message
        .fields
        .iter()
        .map(|field| (field.stage, place(&field.path), field.money))
        .collect();
    for (stage, path, money) in places {
        let is_room = (report.fields.len() as u64) < KEPT_PATHS;
        let mut fields = report.fields.iter_mut();
        let known = fields.find(|known| known.stage == stage && known.path == path && known.money == money);
        match known {
            Some(known) => known.messages += 1,
            None if is_room => report.fields.push(Path {
                stage,
                path,
                money,
                messages: 1,
            }),
            None => {}
        }
    }
}

fn moved(moved: &mut Moved, total: &Total) {
    moved.totals += 1;
    // what is beyond a decimal's 28 digits is no money
    let by = total.now.checked_sub(total.then).unwrap_or_default();
    let side = if by > Decimal::ZERO {
        &mut moved.up
    } else {
        &mut moved.down
    };
    *side = side.checked_add(by.abs()).unwrap_or(*side);
}

/// A place without positions in lists.
fn place(path: &str) -> String {
    let difference = Difference {
        path: path.to_owned(),
        live: None,
        shadow: None,
        money: false,
    };
    difference.place()
}
