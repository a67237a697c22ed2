//! What shadows answered: counted for good, kept within bounds, and no part of the evidence.

use cambist_contract::{digest::Digest, stage::Stage};

use super::kit::{at, id};
use crate::{
    JournalError, Shadows,
    comparison::{Compared, Comparison, Difference, KEPT_CALLS, KEPT_PATHS, Pair, Took, Which},
    journal::{Journal, Verified},
};

const ALL: Which = Which {
    money: false,
    limit: 9,
};

fn pair(shadow: &str) -> Pair {
    Pair {
        plugin: "map-crm".into(),
        live: Digest::of(b"live"),
        shadow: Digest::of(shadow.as_bytes()),
        stage: Stage::Read,
    }
}

fn differs(path: &str, money: bool) -> Difference {
    Difference {
        path: path.into(),
        live: Some("1".into()),
        shadow: None,
        money,
    }
}

fn compared(shadow: &str, n: i64, differences: Vec<Difference>) -> Comparison {
    let took = |fuel, us| Took {
        fuel,
        us,
        error: None,
    };
    Comparison {
        pair: pair(shadow),
        message: id(n),
        at: at(n),
        live_cost: took(100, 7),
        shadow_cost: took(90, 9),
        differences,
        more: 0,
    }
}

/// Each comparison counts, for its own shadow; those that differ can be opened.
pub async fn what_they_answered_is_counted_after_a_restart<J: Shadows>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let money = compared(
        "new",
        2,
        vec![differs("lines[0].net", true), differs("lines[1].net", true)],
    );
    let name = compared(
        "new",
        3,
        vec![differs("name", false), differs("lines[7].net", true)],
    );
    let mut failed = compared("new", 4, vec![differs("", false)]);
    failed.shadow_cost.error = Some("the plugin trapped".into());
    let journal = open().await?;
    let batch = [
        compared("new", 1, vec![]),
        money.clone(),
        name.clone(),
        failed.clone(),
    ];
    let batch = batch.map(Compared::Called).into_iter();
    let skipped = [
        Compared::Skipped(pair("new"), 3),
        Compared::Skipped(pair("other"), 1),
    ];
    journal.compared(batch.chain(skipped).collect()).await?;
    drop(journal);

    let journal = open().await?;
    let shadow = Digest::of(b"new");
    let told = journal.comparisons("map-crm", &shadow, ALL).await?;
    let [tally] = &told.tallies[..] else {
        unreachable!("one pair, one stage: {:?}", told.tallies)
    };
    assert_eq!(tally.pair, pair("new"));
    let counted = (tally.compared, tally.differ, tally.money, tally.skipped);
    assert_eq!(counted, (4, 3, 2, 3));
    assert_eq!((tally.live_errors, tally.shadow_errors), (0, 1));
    assert_eq!((tally.live_cost.fuel, tally.shadow_cost.fuel), (400, 360));
    assert_eq!((tally.live_cost.us, tally.shadow_cost.us), (28, 36));
    let paths: Vec<_> = told
        .paths
        .iter()
        .map(|path| (path.path.as_str(), path.money, path.messages))
        .collect();
    assert_eq!(
        paths,
        [("lines[].net", true, 2), ("", false, 1), ("name", false, 1)]
    );
    assert_eq!(told.calls, [failed, name.clone(), money.clone()]);
    let in_money = Which {
        money: true,
        limit: 1,
    };
    let told = journal.comparisons("map-crm", &shadow, in_money).await?;
    assert_eq!(told.calls, [name]);
    let other = journal.comparisons("map-other", &shadow, ALL).await?;
    assert_eq!(other, Default::default());
    Ok(())
}

/// A retry is compared again; what is kept is its last comparison.
pub async fn a_message_that_is_compared_again_is_kept_once<J: Shadows>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    for path in ["name", "net"] {
        let comparison = compared("new", 1, vec![differs(path, path == "net")]);
        journal.compared(vec![Compared::Called(comparison)]).await?;
    }
    let told = journal.comparisons("map-crm", &Digest::of(b"new"), ALL).await?;
    assert_eq!(told.calls, [compared("new", 1, vec![differs("net", true)])]);
    assert_eq!(told.tallies.first().map(|tally| tally.compared), Some(2));
    Ok(())
}

/// A shadow that differs everywhere, for ever, fills no disk.
pub async fn what_is_kept_is_bounded_and_what_is_counted_is_not<J: Shadows>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let many = i64::try_from(KEPT_CALLS).unwrap_or(i64::MAX) + 20;
    let turns = (1..=many).map(|n| {
        let path = format!("field-{n}");
        Compared::Called(compared(
            "new",
            n,
            vec![differs(&path, false), differs("name", false)],
        ))
    });
    journal.compared(turns.collect()).await?;
    journal
        .compared(vec![Compared::Called(compared(
            "other",
            1,
            vec![differs("name", false)],
        ))])
        .await?;
    let all = Which {
        money: false,
        limit: usize::MAX,
    };
    let told = journal.comparisons("map-crm", &Digest::of(b"new"), all).await?;
    assert_eq!(told.calls.len() as u64, KEPT_CALLS);
    assert_eq!(told.paths.len() as u64, KEPT_PATHS);
    let name = told.paths.first().map(|path| (path.path.as_str(), path.messages));
    assert_eq!(name, Some(("name", many.unsigned_abs())));
    assert_eq!(
        told.tallies.first().map(|tally| tally.differ),
        Some(many.unsigned_abs())
    );
    let other = journal.comparisons("map-crm", &Digest::of(b"other"), all).await?;
    assert_eq!(other.calls.len(), 1, "each has its own room");
    Ok(())
}

/// They change nothing in what the journal has to prove.
pub async fn they_are_no_entries_of_the_chain<J: Shadows + Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let comparison = compared("new", 1, vec![differs("name", false)]);
    journal.compared(vec![Compared::Called(comparison)]).await?;
    let nothing = Verified {
        entries: 0,
        head: Digest::default(),
    };
    assert_eq!(journal.verify().await?, nothing);
    Ok(())
}
