//! What is asked of a journal that keeps, beside the chain, cursors, what was heard, and reports.

use cambist_contract::digest::Digest;

use super::kit::{account, at, id};
use crate::{
    Cursors, Heard, Journal, JournalError, Reports,
    heard::{Fields, Said},
    reports::Report,
};

/// A cursor is the text that was kept last.
pub async fn a_cursor_is_where_it_was_after_a_restart<J: Journal + Cursors>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert_eq!(journal.cursor("odoo").await?, None);
    journal.move_cursor("odoo", "2026-01-01").await?;
    journal.move_cursor("odoo", "2026-01-02").await?;
    journal.move_cursor("other", "7").await?;
    drop(journal);
    let journal = open().await?;
    assert_eq!(journal.cursor("odoo").await?.as_deref(), Some("2026-01-02"));
    assert_eq!(journal.verify().await?.entries, 0);
    Ok(())
}

/// What a system said of a field is what it said last, and what another one said is another's.
pub async fn what_was_heard_is_kept_by_system_and_field<J: Journal + Heard>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let (one, other) = (account("1"), account("2"));
    let said = |text: &str, by: i64| Said {
        digest: Digest::of(text.as_bytes()),
        message: id(by),
    };
    let fields = |all: &[(&str, Said)]| -> Fields {
        let named = all.iter();
        named
            .map(|(name, said)| ((*name).to_owned(), said.clone()))
            .collect()
    };
    let first = fields(&[("name", said("Acme", 1)), ("phone", said("1", 1))]);
    journal.hear("odoo", vec![(one.clone(), first)]).await?;
    journal
        .hear("odoo", vec![(one.clone(), fields(&[("name", said("Other", 2))]))])
        .await?;
    journal
        .hear("crm", vec![(one.clone(), fields(&[("name", said("Acme", 3))]))])
        .await?;
    drop(journal);
    let journal = open().await?;
    let last = fields(&[("name", said("Other", 2)), ("phone", said("1", 1))]);
    assert_eq!(journal.heard("odoo", &[other, one]).await?, [Fields::new(), last]);
    assert_eq!(journal.verify().await?.entries, 0);
    Ok(())
}

/// Of each flow, region and period the last report is kept.
pub async fn the_last_report_of_each_period_is_kept<J: Journal + Reports>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert_eq!(journal.reports().await?, []);
    let report = |region: &str, period: &str, text: &str| Report {
        flow: "deals".to_owned(),
        region: region.to_owned(),
        period: period.to_owned(),
        at: at(7),
        text: text.to_owned(),
    };
    let all = [
        report("in", "2026-10", "1"),
        report("de", "2026-10", "2"),
        report("de", "2026-11", "3"),
    ];
    journal.keep_reports(all.to_vec()).await?;
    journal.keep_reports(vec![report("de", "2026-10", "4")]).await?;
    drop(journal);
    let texts: Vec<String> = open()
        .await?
        .reports()
        .await?
        .into_iter()
        .map(|it| it.text)
        .collect();
    assert_eq!(texts, ["3", "4", "1"]);
    Ok(())
}
