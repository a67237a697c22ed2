//! What comparisons came to.

use rusqlite::Connection;

use super::{column::Text, trouble::Trouble};
use crate::reports::Report;

/// Keeps a report in the place of the one before.
pub(super) fn keep(connection: &Connection, report: &Report) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "INSERT INTO reports (flow, region, period, at, text) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (flow, region, period) DO UPDATE SET at = excluded.at, text = excluded.text",
        )?
        .execute((
            &report.flow,
            &report.region,
            &report.period,
            Text(report.at),
            &report.text,
        ))?;
    Ok(())
}

/// All of them.
pub(super) fn all(connection: &Connection) -> Result<Vec<Report>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT flow, region, period, at, text FROM reports ORDER BY flow, region, period DESC",
    )?;
    let reports = statement.query_map([], |row| {
        Ok(Report {
            flow: row.get(0)?,
            region: row.get(1)?,
            period: row.get(2)?,
            at: row.get::<_, Text<_>>(3)?.0,
            text: row.get(4)?,
        })
    })?;
    Ok(reports.collect::<Result<_, _>>()?)
}
