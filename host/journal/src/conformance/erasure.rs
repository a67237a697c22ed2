//! What is erased is gone, the chain holds, and all else is as it was.

use cambist_contract::{canonical::EntityRef, stage::Stage};

use super::{
    kit::{
        accept, account, at, claim, delivered, history, id, ignored, message, parked, passed, receipt,
        record, resumed, routed, state, status,
    },
    replays,
};
use crate::{
    Erasures, Event, Journal, JournalError, Replays, Reports,
    erasure::{Erased, Erasure, Expiry, Extent, Ground, Subject, Unlinking},
    journal::Accepted,
    replay::Progress,
    reports::Report,
};

fn erasure(messages: impl IntoIterator<Item = i64>, extent: Extent) -> Erasure {
    Erasure {
        messages: messages.into_iter().map(id).collect(),
        extent,
        end: false,
        ground: Ground {
            by: "b.keller".into(),
            reason: "she asked for it".into(),
            request: Some("DSR-12".into()),
        },
    }
}

/// Two messages that are done, each of an entity of its own.
async fn two_done<J: Journal>(journal: &J) -> Result<(), JournalError> {
    accept(journal, 2, |n| format!("deal/{n}")).await?;
    for n in 1..=2 {
        let entity = account(&n.to_string());
        let events = [
            routed("won", "de"),
            passed(Stage::Fetch),
            passed(Stage::Read),
            delivered(&entity),
            Event::Done,
        ];
        record(journal, n, n, events).await?;
    }
    Ok(())
}

/// All that the journal tells of a message, as text.
async fn told<J: Journal>(journal: &J, n: i64) -> Result<String, JournalError> {
    Ok(format!("{:?}", journal.message(&id(n)).await?))
}

/// Nothing a sender or a stage said is left, another message is as it was, and the chain
/// holds, after a restart too.
pub async fn what_was_said_is_gone_and_the_chain_holds<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    two_done(&journal).await?;
    let (before, other) = (journal.verify().await?, told(&journal, 2).await?);
    assert!(told(&journal, 1).await?.contains("1200.50"));

    let became = journal.erase(at(9), erasure([1, 77], Extent::All)).await?;
    assert_eq!(became, [Erased::Now, Erased::Unknown]);
    drop(journal);

    let journal = open().await?;
    let left = told(&journal, 1).await?;
    for gone in ["1200.50", "10.10", "crm/1", "crm_account_1", "event-1", "deal/1"] {
        assert!(!left.contains(gone), "{gone} is in {left}");
    }
    assert_eq!(told(&journal, 2).await?, other);
    let verified = journal.verify().await?;
    assert_eq!(verified.entries, before.entries + 1);
    let names = history(&journal, 1).await?;
    assert_eq!(
        names,
        [
            "received",
            "routed",
            "passed",
            "passed",
            "delivered",
            "done",
            "erased"
        ]
    );
    let is = status(&journal, 1).await?;
    assert_eq!((is.state.name(), is.erased), ("done", Some(Extent::All)));
    assert_eq!(
        (is.flow.as_deref(), is.region.as_deref()),
        (Some("won"), Some("de"))
    );
    Ok(())
}

/// What a replay made of it goes, and every report that names it or its object; what names others stays.
pub async fn what_was_worked_out_of_it_is_gone_too<J: Journal + Erasures + Replays + Reports>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    two_done(&journal).await?;
    let number = journal.order(replays::order(true, "what if")).await?;
    let found = vec![replays::differing(1, 5), replays::differing(2, 9)];
    journal.proceed(number, Progress::default(), found).await?;
    let report = |period: &str, text: String| Report {
        flow: "deals".to_owned(),
        region: "de".to_owned(),
        period: period.to_owned(),
        at: at(7),
        text,
    };
    let reports = vec![
        report("2026-09", format!(r#"{{"why":{{"message":"{}"}}}}"#, id(1))),
        report("2026-10", r#"{"deal":{"kind":"deal","id":"1"}}"#.to_owned()),
        report("2026-11", r#"{"deal":{"kind":"deal","id":"2"}}"#.to_owned()),
    ];
    journal.keep_reports(reports).await?;

    // a report holds nothing that goes with the payloads alone
    journal.erase(at(9), erasure([1], Extent::Payloads)).await?;
    let left = journal.differing(number, 9).await?;
    let left: Vec<_> = left.into_iter().map(|it| it.message).collect();
    assert_eq!(left, [id(2)]);
    assert_eq!(journal.reports().await?.len(), 3);

    journal.erase(at(9), erasure([1], Extent::All)).await?;
    let left: Vec<_> = journal.reports().await?.into_iter().map(|it| it.period).collect();
    assert_eq!(left, ["2026-11"]);
    Ok(())
}

/// Who had it done, on which request and why, is in the evidence.
pub async fn an_erasure_says_on_what_ground<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    two_done(&journal).await?;
    let asked = erasure([1], Extent::All);
    journal.erase(at(9), asked.clone()).await?;
    let found = journal.message(&id(1)).await?;
    let last = found.and_then(|claim| claim.entries.last().map(|entry| entry.event.clone()));
    let told = match last {
        Some(Event::Erased { extent, ground, .. }) => Some((extent, ground)),
        _ => None,
    };
    assert_eq!(told, Some((Extent::All, asked.ground)));
    Ok(())
}

/// Where payloads go, what was delivered and decided stays; the rest may go later, and once.
pub async fn payloads_go_first_and_the_rest_may_follow<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    two_done(&journal).await?;
    assert_eq!(
        journal.erase(at(9), erasure([1], Extent::Payloads)).await?,
        [Erased::Now]
    );
    let left = told(&journal, 1).await?;
    assert!(!left.contains("1200.50") && !left.contains("10.10"), "{left}");
    assert!(
        left.contains("crm_account_1") && left.contains("deal/1"),
        "{left}"
    );
    journal.verify().await?;

    assert_eq!(
        journal.erase(at(10), erasure([1], Extent::Payloads)).await?,
        [Erased::Before]
    );
    assert_eq!(
        journal.erase(at(10), erasure([1], Extent::All)).await?,
        [Erased::Now]
    );
    assert!(!told(&journal, 1).await?.contains("crm_account_1"));
    for extent in [Extent::Payloads, Extent::All] {
        assert_eq!(
            journal.erase(at(11), erasure([1], extent)).await?,
            [Erased::Before]
        );
    }
    journal.verify().await?;
    Ok(())
}

/// Nothing can be made of it any more, and it is not received again.
pub async fn an_erased_message_takes_nothing_and_is_not_received_again<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    two_done(&journal).await?;
    journal.erase(at(9), erasure([1], Extent::Payloads)).await?;
    for event in [resumed(Stage::Fetch), ignored(), passed(Stage::Read)] {
        let refused = record(&journal, 1, 10, [event]).await;
        assert!(
            matches!(refused, Err(JournalError::OutOfTurn { state: "erased", .. })),
            "{refused:?}"
        );
    }
    let again = journal.accept(vec![message(1, "deal/1")]).await?;
    assert_eq!(again, [Accepted::Duplicate]);
    assert!(!told(&journal, 1).await?.contains("1200.50"));
    Ok(())
}

/// What has not ended stays unless it is to be ended; what is being worked on stays.
pub async fn what_has_not_ended_is_ended_only_if_asked<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |n| format!("deal/{}", n % 3)).await?;
    record(&journal, 1, 9, [passed(Stage::Read), parked()]).await?;
    assert_eq!(claim(&journal, 9, 1).await?, [2]);
    let all = [1, 2, 3];
    assert_eq!(
        journal.erase(at(9), erasure(all, Extent::All)).await?,
        [Erased::Open, Erased::Claimed, Erased::Open]
    );
    let ending = Erasure {
        end: true,
        ..erasure(all, Extent::All)
    };
    assert_eq!(
        journal.erase(at(9), ending).await?,
        [Erased::Now, Erased::Claimed, Erased::Now]
    );
    // the next of the first one's key goes on
    assert_eq!(claim(&journal, 9, 9).await?, [4]);
    assert_eq!(state(&journal, 1).await?, "ignored");
    journal.verify().await?;
    Ok(())
}

/// Found are the messages about an object, those that brought it, and those that have a text.
pub async fn what_concerns_somebody_is_found<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |n| format!("deal/{n}")).await?;
    // 1 is about the object and brings it, 2 is about another and brings it along
    let along = Event::Delivered {
        target: "odoo".into(),
        receipts: vec![receipt(&account("2")), receipt(&account("1"))],
    };
    record(&journal, 1, 9, [delivered(&account("1")), Event::Done]).await?;
    record(&journal, 2, 9, [along, Event::Done]).await?;
    // what its record is in the target is heard of in a message of the target
    let mut heard = message(5, "partner/41");
    (heard.system, heard.object_kind, heard.object_id) = ("odoo".into(), "res.partner".into(), "41".into());
    journal.accept(vec![heard]).await?;
    let found =
        async |objects: &[&str], texts: &[&str]| -> Result<(Vec<i64>, Vec<EntityRef>), JournalError> {
            let subject = Subject {
                objects: objects
                    .iter()
                    .map(|it| ("crm".to_owned(), (*it).to_owned()))
                    .collect(),
                texts: texts.iter().map(|it| (*it).to_owned()).collect(),
            };
            let concerned = journal.concerning(&subject).await?;
            let arrivals = concerned
                .messages
                .iter()
                .filter_map(|it| i64::try_from(it.arrival).ok());
            Ok((arrivals.collect(), concerned.entities))
        };
    assert_eq!(
        found(&["deal/1"], &[]).await?,
        (vec![1, 2, 5], vec![account("1")])
    );
    assert_eq!(found(&["deal/3"], &[]).await?, (vec![3], vec![]));
    // what only came along is known by the contract's word
    assert_eq!(found(&["account/2"], &[]).await?, (vec![2], vec![account("2")]));
    assert_eq!(found(&[], &["Größe ≠"]).await?, (vec![1, 2, 3, 4, 5], vec![]));
    assert_eq!(found(&[], &["crm_account_2"]).await?, (vec![2], vec![]));
    assert_eq!(found(&["deal/99"], &["nobody"]).await?, (vec![], vec![]));
    // what is wholly erased is not found again
    journal.erase(at(10), erasure([1], Extent::Payloads)).await?;
    journal.erase(at(10), erasure([2], Extent::All)).await?;
    assert_eq!(found(&["deal/1"], &[]).await?.0, [1, 5]);
    Ok(())
}

/// Of age is what ended before a moment in a state, and was not erased that far.
pub async fn what_has_come_of_age_is_found_the_oldest_first<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 6, |n| format!("deal/{n}")).await?;
    for (n, ended) in [(1, 30), (2, 20), (3, 40)] {
        record(&journal, n, ended, [Event::Done]).await?;
    }
    record(&journal, 4, 10, [ignored()]).await?;
    record(&journal, 5, 10, [parked()]).await?;
    let expired = async |states: &[&str], extent, before, limit| {
        let expiry = Expiry {
            states: states.iter().map(|&state| state.to_owned()).collect(),
            extent,
            before: at(before),
            limit,
        };
        journal.expired(expiry).await
    };
    let all = ["done", "ignored", "denied", "parked", "due"];
    assert_eq!(expired(&["done"], Extent::Payloads, 40, 9).await?, [id(2), id(1)]);
    assert_eq!(
        expired(&all, Extent::Payloads, 99, 3).await?,
        [id(4), id(2), id(1)]
    );
    journal.erase(at(90), erasure([2], Extent::Payloads)).await?;
    journal.erase(at(90), erasure([1], Extent::All)).await?;
    assert_eq!(expired(&all, Extent::Payloads, 99, 9).await?, [id(4), id(3)]);
    // an erasure makes nothing younger
    assert_eq!(expired(&all, Extent::All, 21, 9).await?, [id(4), id(2)]);
    Ok(())
}

/// Links are forgotten to one system or to all, with what was written and told, and the
/// decision is a message that has ended.
pub async fn links_are_forgotten_by_a_decision<J: Journal + Erasures>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    two_done(&journal).await?;
    let records = ["crm_account_1", "crm_account_2"].map(|id| ("res.partner".to_owned(), id.to_owned()));
    let unlinking = |n: i64, system: Option<&str>| Unlinking {
        entities: vec![account("1")],
        system: system.map(str::to_owned),
        decision: message(n, &format!("operator/{n}")),
    };
    let linked = journal.links("crm", "account/1").await?;
    assert_eq!(linked, journal.links("crm", "deal/1").await?);
    assert_eq!(linked, journal.links("odoo", "res.partner/41").await?);
    assert_eq!(linked.len(), 1);
    assert!(journal.unlink(unlinking(7, Some("elsewhere"))).await?.is_empty());
    assert!(journal.link(&account("1"), "odoo").await?.is_some());
    assert_eq!(state(&journal, 7).await?, "done");

    let gone = journal.unlink(unlinking(8, Some("odoo"))).await?;
    assert_eq!(
        gone.iter()
            .map(|link| (link.external_id.as_str(), link.id.as_deref()))
            .collect::<Vec<_>>(),
        [("crm_account_1", Some("41"))]
    );
    assert_eq!(journal.link(&account("1"), "odoo").await?, None);
    assert!(journal.link(&account("2"), "odoo").await?.is_some());
    let written = journal.written("odoo", &records).await?;
    assert_eq!(
        written.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(journal.unlink(unlinking(9, None)).await?.is_empty());
    drop(journal);
    let journal = open().await?;
    assert_eq!(journal.link(&account("1"), "odoo").await?, None);
    assert_eq!(history(&journal, 8).await?, ["received", "done"]);
    assert!(claim(&journal, 99, 9).await?.is_empty());
    journal.verify().await?;
    assert!(journal.forget().await?);
    Ok(())
}
