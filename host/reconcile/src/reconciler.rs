//! When both sides are compared: from time to time, and when somebody asks.

use std::{sync::Arc, time::Duration};

use cambist_connect::{ConnectError, Systems};
use cambist_contract::{delivery::NextTry, message::MessageId};
use cambist_journal::{Journal, JournalError, Reports, reports};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tokio::{
    sync::{Mutex, watch::Receiver},
    task::JoinSet,
    time::sleep,
};

use crate::{
    compare::{Found, Sides, compare},
    comparison::{Comparison, Region},
    gather::{Gather, MOST},
    metrics,
    period::Period,
    report::{Difference, Report},
    why,
};

/// Differences that a report names: a person reads some dozen of them, and a thousand are half a megabyte of JSON.
const NAMED: usize = 1_000;

/// The state of a message that is on its way.
const DUE: &str = "due";

/// How long to wait before the next attempt of a comparison that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(15 * 60);

/// Attempts of one comparison: a read that failed is the whole comparison's, because what was read before it is old by then.
const ATTEMPTS: u32 = 3;

/// A comparison did not come to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// A system could not be asked.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The journal could not be asked.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Nothing of this name is compared.
    #[error("{0}; `[[reconcile]]` of the config says what is compared")]
    Unknown(String),
    /// A system has nothing that could be compared.
    #[error("nothing of system `{0}` can be compared; a CRM is a HubSpot and an ERP an Odoo")]
    NotComparable(String),
    /// There is more than is compared.
    #[error(
        "system `{system}` has more than {MOST} deals or orders in {period}, which is more than is compared"
    )]
    TooMany {
        /// The system.
        system: String,
        /// The month.
        period: Period,
    },
    /// A report cannot be written.
    #[error("a report cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// There is no such month.
    #[error("the calendar ends: {0}")]
    Calendar(#[from] jiff::Error),
}

/// Which comparisons are asked for; what is left out is all.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The flow.
    pub flow: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The month; left out, those that are compared by themselves.
    pub period: Option<Period>,
}

/// Compares both sides.
pub struct Reconciler {
    journal: Arc<dyn Journal>,
    reports: Arc<dyn Reports>,
    systems: Systems,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    comparisons: Vec<Comparison>,
    /// One at a time: two of the same would ask the same.
    turn: Mutex<()>,
}

impl Reconciler {
    /// Compares these, and keeps what each comes to.
    pub fn new(
        journal: Arc<dyn Journal>,
        reports: Arc<dyn Reports>,
        systems: Systems,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        comparisons: Vec<Comparison>,
    ) -> Self {
        Self {
            journal,
            reports,
            systems,
            now,
            comparisons,
            turn: Mutex::new(()),
        }
    }

    /// Compares each flow in its own time, until `stop` is told or dropped.
    pub async fn run(self: Arc<Self>, stop: Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for comparison in self.comparisons.clone() {
            let (reconciler, mut stop) = (Arc::clone(&self), stop.clone());
            tasks.spawn(async move {
                let mut wait = comparison.options.every.get();
                loop {
                    tokio::select! {
                        () = sleep(wait.max(Duration::from_millis(100))) => {}
                        _ = stop.changed() => return,
                    }
                    let asked = Asked {
                        flow: Some(comparison.options.flow.clone()),
                        ..Asked::default()
                    };
                    let compared = tokio::select! {
                        compared = reconciler.compare(&asked) => compared,
                        _ = stop.changed() => return,
                    };
                    wait = comparison.options.every.get();
                    if let Err(error) = compared {
                        tracing::warn!(flow = comparison.options.flow, %error, "cannot compare both sides; it is tried again");
                        wait = wait.min(AFTER_FAILURE);
                    }
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Compares what is asked for now.
    ///
    /// # Errors
    ///
    /// There is no such thing, or a side could not be asked.
    pub async fn compare(&self, asked: &Asked) -> Result<Vec<Report>, ReconcileError> {
        let _turn = self.turn.lock().await;
        let mut reports = Vec::new();
        let mut is_known = false;
        for comparison in &self.comparisons {
            let flow = &comparison.options.flow;
            if asked.flow.as_ref().is_some_and(|it| it != flow) {
                continue;
            }
            let Some(comparison) = of_region(comparison, asked.region.as_deref()) else {
                continue;
            };
            is_known = true;
            let found = self.months(&comparison, asked.period).await;
            if found.is_err() {
                metrics::failed(flow);
            }
            reports.extend(found?);
        }
        match is_known {
            true => Ok(reports),
            false => Err(ReconcileError::Unknown(
                "nothing is compared for that flow and region".to_owned(),
            )),
        }
    }

    async fn months(
        &self,
        comparison: &Comparison,
        period: Option<Period>,
    ) -> Result<Vec<Report>, ReconcileError> {
        let at = (self.now)();
        let newest = comparison
            .regions
            .values()
            .map(|region| Period::of(at, &region.zone))
            .max();
        let mut periods = Vec::new();
        match (period, newest) {
            (Some(period), _) => periods.push(period),
            (None, Some(newest)) => {
                let mut month = newest;
                for _ in 0..comparison.options.months.max(1) {
                    periods.push(month);
                    month = month.before()?;
                }
            }
            (None, None) => {}
        }
        let mut reports = Vec::new();
        for period in periods {
            let month = self.month(comparison, period).await?;
            let texts: Result<Vec<_>, _> = month.iter().map(kept).collect();
            self.reports.keep_reports(texts?).await?;
            for report in month {
                metrics::compared(&report, Some(period) == newest);
                tell(&report);
                reports.push(report);
            }
        }
        Ok(reports)
    }

    /// All regions of one month, with patience.
    async fn month(&self, comparison: &Comparison, period: Period) -> Result<Vec<Report>, ReconcileError> {
        let mut attempt = 1;
        loop {
            let error = match self.once(comparison, period).await {
                Err(ReconcileError::Connect(error)) => error,
                other => return other,
            };
            let wait = match error.next_try() {
                NextTry::SendAgain { not_before } if attempt < ATTEMPTS => {
                    let id = MessageId::of("reconcile", &comparison.options.flow);
                    let again = NextTry::SendAgain { not_before };
                    self.systems.schedule("").next(attempt, &id, again)
                }
                _ => None,
            };
            match wait {
                Some(wait) => sleep(wait).await,
                None => return Err(error.into()),
            }
            attempt += 1;
        }
    }

    async fn once(&self, comparison: &Comparison, period: Period) -> Result<Vec<Report>, ReconcileError> {
        let at = (self.now)();
        let gather = Gather {
            journal: self.journal.as_ref(),
            systems: &self.systems,
            comparison,
            period,
        };
        let mut reports = Vec::new();
        for (region, sides) in gather.sides().await? {
            reports.push(self.report(comparison, (&region, period), at, &sides).await?);
        }
        Ok(reports)
    }

    async fn report(
        &self,
        comparison: &Comparison,
        (region, period): (&str, Period),
        at: Timestamp,
        sides: &Sides,
    ) -> Result<Report, ReconcileError> {
        let (sums, found) = compare(sides, &comparison.options);
        let settle = SignedDuration::try_from(comparison.options.settle.get()).unwrap_or_default();
        let settled = at.checked_sub(settle).unwrap_or(Timestamp::MIN);
        let is_young = |found: &Found| found.changed.is_some_and(|changed| changed > settled);
        let about: Vec<_> = found.iter().map(|found| found.about.clone()).collect();
        let reasons = why::ask(self.journal.as_ref(), &about).await?;
        let mut report = Report {
            flow: comparison.options.flow.clone(),
            region: region.to_owned(),
            period,
            at,
            crms: comparison.crms.keys().cloned().collect(),
            erp: sides.erp.clone(),
            sums,
            differing: Vec::new(),
            under_way: Vec::new(),
            not_named: 0,
        };
        for (found, why) in found.into_iter().zip(reasons) {
            let is_due = why.as_ref().is_some_and(|why| why.state == DUE);
            let is_moving = is_due || is_young(&found);
            let difference = Difference {
                why,
                ..found.difference
            };
            match is_moving {
                true => report.under_way.push(difference),
                false if report.differing.len() < NAMED => report.differing.push(difference),
                false => report.not_named += 1,
            }
        }
        report.under_way.truncate(NAMED);
        Ok(report)
    }
}

/// A report as the journal keeps it.
fn kept(report: &Report) -> Result<reports::Report, serde_json::Error> {
    Ok(reports::Report {
        flow: report.flow.clone(),
        region: report.region.clone(),
        period: report.period.to_string(),
        at: report.at,
        text: serde_json::to_string(report)?,
    })
}

/// A comparison with one region alone.
fn of_region(comparison: &Comparison, region: Option<&str>) -> Option<Comparison> {
    let mut own = comparison.clone();
    if let Some(wanted) = region {
        let found: Region = own.regions.remove(wanted)?;
        own.regions = [(wanted.to_owned(), found)].into();
    }
    Some(own)
}

/// One line a region and month; who differs is in the report.
fn tell(report: &Report) {
    let (flow, region, period) = (&report.flow, &report.region, report.period.to_string());
    let under_way = report.under_way.len();
    match report.differ() {
        0 => tracing::info!(
            flow,
            region,
            period,
            under_way,
            "compared both sides, and nothing differs"
        ),
        differ => tracing::warn!(
            flow,
            region,
            period,
            differ,
            under_way,
            "compared both sides, and they differ"
        ),
    }
}
