//! What came of a replay, as a person reads it.

use anyhow::{Context as _, Result};
use cambist_admin::answer::ReplayReport;
use cambist_contract::{Decimal, digest::Digest};
use cambist_journal::replay::{Differing, Field, Moved, Replay, Report, Revisions};
use reqwest::Method;

use crate::{commands::operator, config::Reach};

/// Places that are listed; `--json` has them all.
const PLACES: usize = 12;

/// Fields of a message that are told; `--json` has them all.
const FIELDS: usize = 12;

/// Asks the host how far an order has come, with at most `open` messages that differ.
pub(crate) async fn ask(reach: &Reach, number: u64, open: usize) -> Result<ReplayReport> {
    let path = format!("replays/{number}?limit={}", open.max(1));
    let told = operator::call(reach, Method::GET, &path, None).await?;
    let mut told: ReplayReport = serde_json::from_value(told).context("the host is of another version")?;
    told.differing.truncate(open);
    Ok(told)
}

/// An order in a line, for lists.
pub(crate) fn line(replay: &Replay) -> String {
    let Replay { number, order, .. } = replay;
    let kind = if order.dry { "dry" } else { "real" };
    let (at, by, why) = (order.at, &order.by, &order.why);
    format!("{number:>4}  {kind:<4}  {}  {at}  {by}: {why}", progress(replay))
}

/// How far an order has come.
pub(crate) fn progress(replay: &Replay) -> String {
    let progress = &replay.progress;
    let messages = grouped(progress.messages);
    if let Some(by) = &replay.stopped_by {
        return format!("stopped by {by} after {messages} messages");
    }
    if progress.ended_at.is_some() {
        return format!("through, {messages} messages");
    }
    match progress.last {
        None => "not begun".to_owned(),
        Some(last) => {
            let percent = (progress.reached.saturating_mul(100))
                .checked_div(last)
                .unwrap_or(100);
            format!("{percent} % of the journal, {messages} messages")
        }
    }
}

/// Everything about an order.
pub(crate) fn tell(told: &ReplayReport) {
    let Replay {
        number,
        order,
        progress,
        ..
    } = &told.replay;
    let on = match order.revisions {
        Revisions::Pinned => "on the revisions that each message is pinned to".to_owned(),
        Revisions::Live => "on the live revisions".to_owned(),
        Revisions::Named(id) => format!("on revision {}", Digest::short(&id)),
    };
    let kind = if order.dry { "dry" } else { "for real" };
    say!("replay {number}, {kind}, {on}: {}", self::progress(&told.replay));
    say!("ordered by {} at {}: {}", order.by, order.at, order.why);
    if order.dry {
        say!("{}", sentence(progress.messages, &progress.report));
    } else if !progress.came_to.is_empty() {
        say!("they came to: {}", counts(progress.came_to.iter()));
    }
    if !progress.skipped.is_empty() {
        say!("left as they are: {}", counts(progress.skipped.iter()));
    }
    let report = &progress.report;
    if report.differ_on_the_way > 0 {
        let count = grouped(report.differ_on_the_way);
        say!("{count} more differ on the way alone, and would write the same");
    }
    if !report.ends.is_empty() {
        say!("they would end otherwise: {}", counts(report.ends.iter()));
    }
    if !report.fields.is_empty() {
        say!("\nwhere they differ, in how many messages:");
    }
    for path in report.fields.iter().take(PLACES) {
        let money = if path.money { "  money" } else { "" };
        say!(
            "{:>7}  {} {}{money}",
            path.messages,
            path.stage,
            place(&path.path)
        );
    }
    if report.fields.len() > PLACES {
        say!("         and {} more", report.fields.len() - PLACES);
    }
    told.differing.iter().for_each(open);
    let closed = report.differ.saturating_sub(told.differing.len() as u64);
    if closed > 0 {
        say!(
            "\n{} more differ; `cambist replays {number} --open N` opens N of them",
            grouped(closed)
        );
    }
}

/// `4 120 messages, 31 differ, 7 change a total, by EUR 12.40 in all (15.00 up, 2.60 down)`
fn sentence(messages: u64, report: &Report) -> String {
    let mut text = match messages {
        1 => "1 message".to_owned(),
        many => format!("{} messages", grouped(many)),
    };
    text.push_str(&match report.differ {
        0 => ", none differs".to_owned(),
        some => format!(", {} differ", grouped(some)),
    });
    if report.change_a_total > 0 {
        let sums: Vec<String> = report
            .money
            .iter()
            .map(|(code, moved)| sum(code, moved))
            .collect();
        let total = grouped(report.change_a_total);
        text.push_str(&format!(", {total} change a total, by {}", sums.join(" and ")));
    }
    text
}

fn sum(currency: &str, moved: &Moved) -> String {
    let Moved { up, down, .. } = moved;
    let net = money(up.checked_sub(*down).unwrap_or_default());
    if up.is_zero() || down.is_zero() {
        return format!("{currency} {net} in all");
    }
    format!(
        "{currency} {net} in all ({} up, {} down)",
        money(*up),
        money(*down)
    )
}

/// An amount with all its digits, two behind the point at least.
fn money(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}

fn open(message: &Differing) {
    let Differing {
        message: id,
        object,
        flow,
        region,
        received_at,
        ..
    } = message;
    say!("\n{id}  {object}, {flow} in {region}, received {received_at}");
    if let Some(ends) = &message.ends {
        say!("  ended {}, would end {}", ends.then, ends.now);
    }
    for total in &message.totals {
        let by = total.now.checked_sub(total.then).unwrap_or_default();
        let sign = if by > Decimal::ZERO { "+" } else { "" };
        let (of, code) = (&total.of, &total.currency);
        let [then, now, by] = [total.then, total.now, by].map(money);
        say!("  total of {of}: {code} {then} -> {now} ({sign}{by})");
    }
    // money first: that is what is opened for
    let (money, rest): (Vec<&Field>, Vec<&Field>) = message.fields.iter().partition(|field| field.money);
    for field in money.iter().chain(&rest).take(FIELDS) {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let (then, now) = (side(&field.then), side(&field.now));
        say!("  {} {}: {then} -> {now}", field.stage, place(&field.path));
    }
    let more = (message.fields.len().saturating_sub(FIELDS) as u64).saturating_add(message.more);
    if more > 0 {
        say!("  and {more} more");
    }
}

fn place(path: &str) -> &str {
    if path.is_empty() { "(all of it)" } else { path }
}

/// `3 written, 28 unchanged`
fn counts<'a>(of: impl Iterator<Item = (&'a String, &'a u64)>) -> String {
    let parts: Vec<String> = of
        .map(|(what, count)| format!("{} {what}", grouped(*count)))
        .collect();
    parts.join("; ")
}

/// A number with its thousands apart, as people read it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_sentence_with_money_to_the_cent() {
        let moved = Moved {
            totals: 7,
            up: Decimal::new(1_500, 2),
            down: Decimal::new(260, 2),
        };
        let report = Report {
            differ: 31,
            change_a_total: 7,
            money: [("EUR".to_owned(), moved)].into(),
            ..Report::default()
        };
        assert_eq!(
            sentence(4_120, &report),
            "4 120 messages, 31 differ, 7 change a total, by EUR 12.40 in all (15.00 up, 2.60 down)"
        );
        assert_eq!(sentence(1, &Report::default()), "1 message, none differs");
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
