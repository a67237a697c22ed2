//! What operators ask of messages that rest and of records, and how they repair.

use cambist_contract::{
    Json,
    delivery::{Effect, Receipt},
    message::MessageId,
    stage::Stage,
};

use super::kit::{
    NOBODY, TARGET, accept, account, claim, delivered, delivery, held, id, message, parked, passed, receipt,
    record, resumed, routed, state, waiting,
};
use crate::{Event, Journal, JournalError, journal::Filter};

/// Parked before a stage for a code.
fn parked_for(stage: Stage, code: &str) -> Event {
    Event::Parked {
        stage,
        code: code.into(),
        reason: format!("why it is {code}"),
    }
}

/// A cause counts those of one code before one stage, and tells the one that arrived first.
pub async fn causes_are_counted_with_the_oldest_of_each<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert_eq!(journal.causes().await?, []);
    accept(&journal, 9, |n| format!("deal/{n}")).await?;
    record(
        &journal,
        2,
        20,
        [passed(Stage::Fetch), parked_for(Stage::Write, "refused")],
    )
    .await?;
    record(&journal, 3, 19, [parked_for(Stage::Write, "refused")]).await?;
    record(&journal, 4, 18, [parked_for(Stage::Deliver, "refused")]).await?;
    record(&journal, 5, 18, [held("finance")]).await?;
    record(&journal, 6, 18, [waiting(&account("1"))]).await?;
    record(&journal, 7, 18, [waiting(&account("2"))]).await?;
    record(&journal, 8, 18, [waiting(&account("2"))]).await?;
    record(&journal, 9, 18, [Event::Done]).await?;
    drop(journal);
    let journal = open().await?;
    let causes = journal.causes().await?;
    let told: Vec<_> = causes
        .iter()
        .map(|cause| {
            (
                cause.code.as_str(),
                cause.stage,
                cause.messages,
                cause.oldest.arrival,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("waiting", Stage::Write, 3, 6),
            ("refused", Stage::Write, 2, 2),
            ("held", Stage::Judge, 1, 5),
            ("refused", Stage::Deliver, 1, 4),
        ]
    );
    for cause in causes {
        let known = journal.message(&cause.oldest.id).await?.map(|found| found.status);
        assert_eq!(Some(cause.oldest), known);
    }
    Ok(())
}

/// A list takes a cause, whichever of the resting states it is of, and narrows with the rest.
pub async fn those_of_a_cause_are_listed_whatever_their_state<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 6, |n| format!("deal/{n}")).await?;
    record(
        &journal,
        1,
        20,
        [routed("deals", "de"), parked_for(Stage::Write, "refused")],
    )
    .await?;
    record(
        &journal,
        2,
        20,
        [routed("deals", "fr"), parked_for(Stage::Deliver, "refused")],
    )
    .await?;
    record(&journal, 3, 20, [parked_for(Stage::Read, "invalid")]).await?;
    record(&journal, 4, 20, [held("finance")]).await?;
    record(&journal, 5, 20, [waiting(&account("1"))]).await?;
    // it was parked for it once, and has ended since
    record(&journal, 6, 20, [parked_for(Stage::Write, "refused")]).await?;
    record(&journal, 6, 21, [resumed(Stage::Fetch), Event::Done]).await?;
    let list = async |filter: Filter| {
        let found = journal.list(Filter { limit: 9, ..filter }).await?;
        let arrivals = found.iter().map(|status| status.arrival);
        Ok::<_, JournalError>(arrivals.collect::<Vec<_>>())
    };
    let cause = |code: &str| Filter {
        cause: Some(code.into()),
        ..Filter::default()
    };
    assert_eq!(list(cause("refused")).await?, [2, 1]);
    assert_eq!(list(cause("held")).await?, [4]);
    assert_eq!(list(cause("waiting")).await?, [5]);
    assert!(list(cause("done")).await?.is_empty());
    let french = Filter {
        region: Some("fr".into()),
        ..cause("refused")
    };
    assert_eq!(list(french).await?, [2]);
    for (system, found) in [("crm", vec![3]), ("erp", vec![])] {
        let of = Filter {
            system: Some(system.into()),
            ..cause("invalid")
        };
        assert_eq!(list(of).await?, found, "{system}");
    }
    Ok(())
}

/// A resume and an end in one list leave a message ended, whatever it rested for.
pub async fn a_skipped_message_lets_the_next_one_of_its_key_go<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    for rest in [parked(), held("finance"), waiting(&account("1"))] {
        let journal = open().await?;
        accept(&journal, 2, |_| "deal/1".into()).await?;
        if state(&journal, 1).await? == "ignored" {
            // the store is the one of the round before
            record(&journal, 1, 29, [resumed(Stage::Fetch)]).await?;
        }
        record(&journal, 1, 30, [rest]).await?;
        assert_eq!(claim(&journal, 40, 9).await?, NOBODY);
        record(
            &journal,
            1,
            40,
            [resumed(Stage::Write), Event::skipped("ada", "a test")],
        )
        .await?;
        assert_eq!(state(&journal, 1).await?, "ignored");
        assert_eq!(claim(&journal, 40, 9).await?, [2]);
        journal.release(&id(2));
        journal.verify().await?;
    }
    Ok(())
}

/// Both inputs are there afterwards, in order, and the message stands behind the first stage.
pub async fn an_edited_input_stands_behind_the_one_that_was_fetched<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |n| format!("deal/{n}")).await?;
    record(
        &journal,
        1,
        20,
        [
            passed(Stage::Fetch),
            routed("deals", "de"),
            passed(Stage::Read),
            parked(),
        ],
    )
    .await?;
    let edited = Event::edited("ada", "the country was wrong", Json::empty_object());
    record(&journal, 1, 30, [resumed(Stage::Fetch), edited]).await?;
    assert_eq!(state(&journal, 1).await?, "due");
    drop(journal);
    let journal = open().await?;
    let found = journal.claim(super::kit::at(30), 9).await?;
    let passed = found.iter().map(|claim| claim.status.passed);
    assert_eq!(passed.collect::<Vec<_>>(), [Some(Stage::Fetch)]);
    let is_input = |event: &Event| matches!(event, Event::Passed { stage, .. } if *stage == Stage::Fetch);
    let inputs: Vec<_> = found
        .iter()
        .flat_map(|claim| &claim.entries)
        .filter(|entry| is_input(&entry.event))
        .map(|entry| entry.event.edit())
        .collect();
    assert_eq!(inputs, [None, Some("edited by ada: the country was wrong")]);
    journal.verify().await?;
    Ok(())
}

/// By the target's id and by ours, the newest first, whether the record stands for an entity or
/// not, and by what was done as well as by what was found unchanged.
pub async fn a_record_leads_back_to_the_messages_that_touched_it<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 6, |n| format!("deal/{n}")).await?;
    let partner = account("1");
    record(&journal, 1, 20, [delivered(&partner), Event::Done]).await?;
    let unchanged = Receipt {
        effect: Effect::Unchanged,
        target_id: None,
        ..receipt(&partner)
    };
    record(&journal, 2, 20, [delivery(TARGET, unchanged), Event::Done]).await?;
    record(&journal, 3, 20, [delivered(&account("2")), Event::Done]).await?;
    let line = |external_id: &str, own: Option<&str>, effect| Receipt {
        model: "sale.order.line".into(),
        external_id: external_id.into(),
        target_id: own.map(str::to_owned),
        stands_for: None,
        effect,
        ..receipt(&partner)
    };
    record(
        &journal,
        4,
        20,
        [delivery(TARGET, line("line_9", Some("41"), Effect::Written))],
    )
    .await?;
    record(
        &journal,
        5,
        20,
        [delivery(TARGET, line("#41", None, Effect::Unchanged))],
    )
    .await?;
    record(
        &journal,
        6,
        20,
        [delivery("elsewhere", line("line_9", Some("41"), Effect::Shown))],
    )
    .await?;
    drop(journal);

    let journal = open().await?;
    let touched = async |target: &str, model: &str, id: &str, limit: usize| {
        let found = journal.touched(target, model, id, limit).await?;
        let number = |id: &MessageId| (1..=6).find(|n| message(*n, "").id == *id);
        Ok::<_, JournalError>(found.iter().filter_map(number).collect::<Vec<i64>>())
    };
    for name in ["41", "crm_account_1"] {
        assert_eq!(touched(TARGET, "res.partner", name, 9).await?, [2, 1], "{name}");
    }
    assert_eq!(touched(TARGET, "res.partner", "41", 1).await?, [2]);
    assert_eq!(touched(TARGET, "res.partner", "42", 9).await?, [3]);
    assert_eq!(touched(TARGET, "sale.order.line", "41", 9).await?, [5, 4]);
    assert_eq!(touched(TARGET, "sale.order.line", "line_9", 9).await?, [4]);
    assert_eq!(touched("elsewhere", "sale.order.line", "line_9", 9).await?, [6]);
    // part of a name is none
    for name in ["4", "line", "account"] {
        assert_eq!(touched(TARGET, "res.partner", name, 9).await?, NOBODY, "{name}");
    }
    Ok(())
}
