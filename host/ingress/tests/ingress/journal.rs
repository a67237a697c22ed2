//! A journal in trouble: always our fault, never a loss.

use cambist_journal::JournalError;

use crate::double::{OPTIONS, Site, batch, deal, hubspot};

fn full() -> JournalError {
    JournalError::Full {
        path: "/var/lib/cambist".to_owned(),
    }
}

fn read_only() -> JournalError {
    JournalError::ReadOnly {
        path: "/var/lib/cambist".to_owned(),
    }
}

fn damaged() -> JournalError {
    JournalError::Damaged {
        path: "/var/lib/cambist".to_owned(),
        detail: "malformed".to_owned(),
    }
}

fn broken() -> JournalError {
    JournalError::Store {
        path: "/var/lib/cambist".to_owned(),
        detail: "disk I/O error".to_owned(),
    }
}

fn newer() -> JournalError {
    JournalError::Newer {
        path: "/var/lib/cambist".to_owned(),
        found: 2,
        known: 1,
    }
}

#[tokio::test]
async fn whatever_the_journal_says_the_sender_sends_again() {
    let site = Site::new();
    let body = batch(&[deal(1, 10), deal(2, 11)]);
    let all = [
        (full as fn() -> JournalError, "journal-full"),
        (read_only, "journal-read-only"),
        (damaged, "journal-damaged"),
        (broken, "journal"),
        (newer, "journal"),
    ];
    for (error, code) in all {
        site.journal.fail_with(Some(error));
        let answer = site.send(hubspot(&body)).await;
        assert!(answer.is_problem(503, code), "{answer:?}");
        assert_eq!(answer.headers["retry-after"], "30");
        assert!(!answer.json.to_string().contains("/var/lib"));
        assert_eq!(site.journal.len(), 0);
    }
    site.journal.fail_with(None);
    assert!(site.send(hubspot(&body)).await.is_taken(2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_takes_too_long_may_take_the_call_yet() {
    let site = Site::new();
    site.journal.stall(true);
    let body = batch(&[deal(1, 10)]);
    let answer = site.send(hubspot(&body)).await;
    assert!(answer.is_problem(503, "journal-slow"), "{answer:?}");
    site.journal.stall(false);
    site.journal.has(1).await;
    assert!(site.send(hubspot(&body)).await.is_taken(0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_hangs_up_has_been_heard() {
    let site = Site::new();
    site.journal.stall(true);
    let call = {
        let site = site.clone();
        tokio::spawn(async move { site.send(hubspot(&batch(&[deal(1, 10)]))).await })
    };
    while !site.journal.is_asked() {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.is_err());
    site.journal.stall(false);
    site.journal.has(1).await;
}

#[tokio::test]
async fn a_defect_is_our_fault_and_ends_nothing_else() {
    let site = Site::new();
    site.journal.panic();
    let answer = site.send(hubspot(&batch(&[deal(1, 10)]))).await;
    assert!(answer.is_problem(500, "defect"), "{answer:?}");

    let site = Site::at(OPTIONS, || unreachable!("a clock that is out of order"));
    let answer = site.send(hubspot(&batch(&[deal(1, 10)]))).await;
    assert!(answer.is_problem(500, "defect"), "{answer:?}");
}
