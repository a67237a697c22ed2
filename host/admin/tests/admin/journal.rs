//! Checking the journal.

use cambist_admin::answer::Verification;
use cambist_contract::stage::Stage;
use cambist_journal::Journal as _;

use crate::double::{Site, message, parked};

#[tokio::test]
async fn a_whole_journal_is_told_with_its_head() {
    let site = Site::new();
    site.receive(2).await;
    site.record(1, vec![parked(Stage::Read)]).await;
    let answer: Verification = site.get("/api/journal/verify").await.read();
    assert_eq!(answer.entries, 3);
    let entries = site
        .journal
        .message(&message(1).id)
        .await
        .unwrap()
        .unwrap()
        .entries;
    assert_eq!(answer.head, entries.last().unwrap().digest);
}
