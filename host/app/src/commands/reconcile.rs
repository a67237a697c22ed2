//! `cambist reconcile`: has the running host compare both sides, and tells what differs.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cambist_admin::answer::Reports;
use cambist_journal::Reports as _;
use cambist_reconcile::{
    Period, Report,
    report::{Difference, Kind, Money, Named, Sums},
};
use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::operator;
use crate::{cli, config::Reach};

/// Nothing differs but what is on its way: asked again later it is another answer.
const UNDER_WAY: u8 = 3;

/// What is compared.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    cambist reconcile                                every flow of [[reconcile]], this month and the last\n  \
    cambist reconcile --region de --period 2026-10   one region in one month")]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// Only this flow.
    #[arg(long)]
    flow: Option<String>,
    /// Only this region.
    #[arg(long)]
    region: Option<String>,
    /// Compares nothing, and tells what the last comparisons came to, from the journal's file.
    #[arg(long)]
    last: bool,
    /// This month, as 2026-10, in the place of those that are compared by themselves.
    #[arg(long)]
    period: Option<Period>,
}

/// Prints both sides of each region and month, and what differs.
///
/// # Errors
///
/// No host is running, nothing is compared, or a system could not be asked.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let reports = match options.last {
        true => last(&reach, options).await?,
        false => ask(&reach, options).await?,
    };
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&reports)?);
    } else {
        reports.iter().for_each(tell);
    }
    Ok(if reports.iter().any(|report| report.differ() > 0) {
        ExitCode::FAILURE
    } else if reports.iter().any(|report| !report.under_way.is_empty()) {
        ExitCode::from(UNDER_WAY)
    } else {
        ExitCode::SUCCESS
    })
}

/// Has the host compare.
async fn ask(reach: &Reach, options: &Options) -> Result<Vec<Report>> {
    let wanted = json!({"flow": options.flow, "region": options.region, "period": options.period});
    let body = operator::Body::Json(wanted);
    let answer = operator::call(reach, Method::POST, "reconcile", Some(body)).await?;
    let told: Reports = serde_json::from_value(answer).context("the host is of another version")?;
    let reports: Result<Vec<Report>, _> = told.reports.into_iter().map(serde_json::from_value).collect();
    reports.context("the host is of another version")
}

/// What the journal keeps of what is asked for.
async fn last(reach: &Reach, options: &Options) -> Result<Vec<Report>> {
    let kept = operator::journal(reach)?.reports().await?;
    let reports: Result<Vec<Report>, _> = kept.iter().map(|kept| serde_json::from_str(&kept.text)).collect();
    let mut reports = reports.context("the journal was written by another version")?;
    let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
    reports.retain(|report| {
        is(&options.flow, &report.flow)
            && is(&options.region, &report.region)
            && options.period.is_none_or(|period| period == report.period)
    });
    Ok(reports)
}

fn tell(report: &Report) {
    say!(
        "{}, region {}, {}, at {}: {} and {}, {}",
        report.flow,
        report.region,
        report.period,
        report.at,
        report.crms.join(", "),
        report.erp,
        match (report.differ(), report.under_way.len()) {
            (0, 0) => "nothing differs".to_owned(),
            (0, moving) => format!("nothing differs but {moving} on their way"),
            (differ, moving) => format!("{differ} differ, {moving} on their way"),
        }
    );
    for Sums {
        what,
        currency,
        crm,
        erp,
    } in &report.sums
    {
        say!(
            "  {:<9} {currency:<3}  {:>6} of {:>14}  |  {:>6} of {:>14}",
            what.name(),
            crm.count,
            crm.sum,
            erp.count,
            erp.sum
        );
    }
    report.differing.iter().for_each(|it| name("differs", it));
    report.under_way.iter().for_each(|it| name("moves", it));
    if report.not_named > 0 {
        say!("  and {} more", report.not_named);
    }
}

fn name(how: &str, difference: &Difference) {
    let side = |named: &Option<Named>, money: &Option<Money>| {
        let named = named.as_ref().map_or("nothing".to_owned(), |named| {
            let id = named.number.as_ref().unwrap_or(&named.id);
            format!("{}:{} {id}", named.system, named.kind)
        });
        match money {
            Some(money) => format!("{named} {} {}", money.amount, money.currency),
            None => named,
        }
    };
    say!(
        "  {how:<8} {}: {} | {}: {}",
        difference.what.name(),
        side(&difference.deal, &difference.crm),
        side(&difference.record, &difference.erp),
        word(difference.kind)
    );
    if let Some(why) = &difference.why {
        say!("           {} {}, {}", why.state, why.reason, why.message);
    }
}

/// In which way two sides differ, as a person reads it.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::NotWritten => "no order was made of it",
        Kind::Gone => "its order is not there any more",
        Kind::Draft => "nobody has confirmed its order",
        Kind::Cancelled => "its order was called off",
        Kind::NoDeal => "it comes from no deal",
        Kind::DealGone => "its deal is not there any more",
        Kind::NotWon => "its deal is not won any more",
        Kind::Amount => "other amounts",
        Kind::Currency => "other currencies",
        Kind::NotTold => "the deal was not told",
        Kind::NotThere => "the deal was told of what there is not",
        Kind::Numbers => "other numbers of invoices",
    }
}
