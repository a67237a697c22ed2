//! What is asked of a journal: lists, counts, written digests, links.

use std::collections::BTreeMap;

use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    delivery::{Effect, Receipt},
    digest::Digest,
    plugin::Link,
    stage::Stage,
};

use super::kit::{
    TARGET, accept, account, at, claim, delivered, delivery, failed, id, message, parked, receipt, record,
    resumed, routed,
};
use crate::{
    Event, Journal, JournalError,
    journal::{Counts, Filter},
};

/// By flow and region once they are known, by the system before.
pub async fn what_stands_in_each_backlog_follows_the_states<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert_eq!(journal.standing().await?, []);
    accept(&journal, 4, |n| format!("deal/{n}")).await?;
    record(&journal, 1, 5, [routed("deals", "de"), parked()]).await?;
    record(&journal, 2, 5, [routed("deals", "de"), Event::Done]).await?;
    record(&journal, 3, 5, [routed("deals", "fr")]).await?;
    drop(journal);

    let journal = open().await?;
    let standing = journal.standing().await?;
    let told: Vec<_> = standing
        .iter()
        .map(|it| {
            let states: Vec<_> = it
                .by_state
                .iter()
                .map(|(state, count)| format!("{state} {count}"))
                .collect();
            (
                it.backlog.flow.as_deref(),
                it.backlog.of.as_str(),
                states.join(", "),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (None, "crm", "due 1".to_owned()),
            (Some("deals"), "de", "done 1, parked 1".to_owned()),
            (Some("deals"), "fr", "due 1".to_owned()),
        ]
    );
    journal.verify().await?;
    Ok(())
}

/// An empty list.
const NOTHING: [u64; 0] = [];

async fn list(journal: &impl Journal, filter: Filter) -> Result<Vec<u64>, JournalError> {
    Ok(journal
        .list(filter)
        .await?
        .iter()
        .map(|status| status.arrival)
        .collect())
}

/// Every part of a filter narrows the list.
pub async fn a_list_is_newest_first_and_filtered<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 6, |n| format!("deal/{n}")).await?;
    let ways = [("deals", "de"), ("hours", "de"), ("deals", "in"), ("hours", "in")];
    for (n, (flow, region)) in (1..).zip(ways) {
        record(&journal, n, 9, [routed(flow, region)]).await?;
    }
    record(&journal, 4, 10, [parked()]).await?;
    record(&journal, 6, 10, [parked()]).await?;

    let all = Filter {
        limit: 99,
        ..Filter::default()
    };
    assert_eq!(list(&journal, all.clone()).await?, [6, 5, 4, 3, 2, 1]);
    let state = |name: &str| Filter {
        state: Some(name.into()),
        ..all.clone()
    };
    assert_eq!(list(&journal, state("parked")).await?, [6, 4]);
    assert_eq!(list(&journal, state("due")).await?, [5, 3, 2, 1]);
    assert_eq!(list(&journal, state("nonsense")).await?, NOTHING);
    let hours = Filter {
        flow: Some("hours".into()),
        ..all.clone()
    };
    assert_eq!(list(&journal, hours.clone()).await?, [4, 2]);
    let india = Filter {
        region: Some("in".into()),
        ..hours
    };
    assert_eq!(list(&journal, india.clone()).await?, [4]);
    assert_eq!(
        list(
            &journal,
            Filter {
                state: Some("due".into()),
                ..india
            }
        )
        .await?,
        NOTHING
    );

    let statuses = journal.list(all).await?;
    for status in statuses {
        let known = journal.message(&status.id).await?.map(|found| found.status);
        assert_eq!(Some(status), known);
    }
    Ok(())
}

/// `before` takes the next page up where the last one ended.
pub async fn pages_follow_each_other<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 7, |n| format!("deal/{n}")).await?;
    let mut before = None;
    let mut pages = Vec::new();
    loop {
        let page = list(
            &journal,
            Filter {
                before,
                limit: 3,
                ..Filter::default()
            },
        )
        .await?;
        let Some(last) = page.last() else { break };
        before = Some(*last);
        pages.push(page);
    }
    assert_eq!(pages, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
    assert_eq!(list(&journal, Filter::default()).await?, NOTHING);
    Ok(())
}

/// No state is counted that no message is in.
pub async fn counts_follow_the_states<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert_eq!(journal.counts().await?, Counts::default());
    accept(&journal, 4, |n| format!("deal/{n}")).await?;
    record(&journal, 1, 9, [Event::Done]).await?;
    record(&journal, 2, 9, [parked()]).await?;
    record(&journal, 3, 9, [parked()]).await?;
    record(&journal, 3, 9, [resumed(Stage::Fetch)]).await?;
    let expected = [("done", 1), ("due", 2), ("parked", 1)].map(|(state, n)| (state.to_owned(), n));
    assert_eq!(journal.counts().await?.by_state, expected.clone().into());
    drop(journal);

    let journal = open().await?;
    assert_eq!(journal.counts().await?.by_state, expected.into());
    record(&journal, 2, 9, [resumed(Stage::Fetch)]).await?;
    assert_eq!(journal.counts().await?.by_state.get("parked"), None);
    Ok(())
}

/// A message behind a parked one does not count: nothing is late but the person.
pub async fn lag_is_that_of_the_message_longest_due<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 3, |n| if n < 3 { "a" } else { "b" }.into()).await?;
    assert_eq!(journal.counts().await?.oldest_due, Some(at(1)));
    record(&journal, 1, 9, [parked()]).await?;
    assert_eq!(journal.counts().await?.oldest_due, Some(at(3)));
    // Being worked on or tried again, it is still due.
    assert_eq!(claim(&journal, 9, 9).await?, [3]);
    record(&journal, 3, 9, [failed(50)]).await?;
    assert_eq!(journal.counts().await?.oldest_due, Some(at(3)));
    record(&journal, 3, 60, [Event::Done]).await?;
    assert_eq!(journal.counts().await?.oldest_due, None);
    Ok(())
}

fn partner(external_id: &str, written: Option<&str>) -> Receipt {
    Receipt {
        external_id: external_id.into(),
        written: written.map(|values| Digest::of(values.as_bytes())),
        stands_for: None,
        fields: BTreeMap::new(),
        ..receipt(&account("1"))
    }
}

async fn written(
    journal: &impl Journal,
    target: &str,
    ids: &[&str],
) -> Result<Vec<Option<Digest>>, JournalError> {
    let records: Vec<_> = ids
        .iter()
        .map(|id| ("res.partner".to_owned(), (*id).to_owned()))
        .collect();
    journal.written(target, &records).await
}

/// In the order asked, each by target, model and external id.
pub async fn written_digests_are_the_last_of_each_record<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 2, |n| format!("deal/{n}")).await?;
    let first = Event::Delivered {
        target: TARGET.into(),
        receipts: vec![partner("a", Some("1")), partner("b", Some("2"))],
    };
    record(&journal, 1, 9, [first]).await?;
    record(&journal, 2, 9, [delivery(TARGET, partner("a", Some("3")))]).await?;
    // An action writes no values, and takes nothing away.
    record(&journal, 2, 9, [delivery(TARGET, partner("b", None))]).await?;
    drop(journal);

    let journal = open().await?;
    let digest = |values: &str| Some(Digest::of(values.as_bytes()));
    assert_eq!(
        written(&journal, TARGET, &["b", "c", "a"]).await?,
        [digest("2"), None, digest("3")]
    );
    assert_eq!(written(&journal, "odoo-in", &["a"]).await?, [None]);
    let other = [("sale.order".to_owned(), "a".to_owned())];
    assert_eq!(journal.written(TARGET, &other).await?, [None]);
    Ok(())
}

/// A target that goes live under the same name must not be taken to have it, nor
/// its records to have an id.
pub async fn what_a_dry_run_showed_was_not_written<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    let shown = Receipt {
        effect: Effect::Shown,
        stands_for: Some(account("1")),
        ..partner("a", Some("1"))
    };
    record(&journal, 1, 9, [delivery(TARGET, shown)]).await?;
    assert_eq!(written(&journal, TARGET, &["a"]).await?, [None]);
    assert_eq!(journal.link(&account("1"), TARGET).await?, None);
    Ok(())
}

/// Our external id, and the target's own id where it is known.
pub async fn a_link_is_the_targets_id_where_it_is_known<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    let entity: EntityRef = account("7");
    let told = |target_id: Option<&str>, external_id: &str| {
        let (target_id, external_id) = (target_id.map(str::to_owned), external_id.to_owned());
        delivery(
            TARGET,
            Receipt {
                target_id,
                external_id,
                ..receipt(&entity)
            },
        )
    };
    let link = async || journal.link(&entity, TARGET).await;
    let is = |external_id: Option<&str>, id: Option<&str>| {
        Some(Link {
            model: receipt(&entity).model,
            external_id: external_id.map(str::to_owned),
            id: id.map(str::to_owned),
        })
    };

    assert_eq!(link().await?, None);
    record(&journal, 1, 9, [told(None, "x")]).await?;
    assert_eq!(link().await?, is(Some("x"), None));
    record(&journal, 1, 9, [told(Some("42"), "x")]).await?;
    assert_eq!(link().await?, is(Some("x"), Some("42")));
    // A receipt for an unchanged record need not tell the id again.
    record(&journal, 1, 9, [told(None, "x")]).await?;
    assert_eq!(link().await?, is(Some("x"), Some("42")));
    record(&journal, 1, 9, [told(None, "y")]).await?;
    assert_eq!(link().await?, is(Some("y"), None));
    // A record that is known by the target's own id alone.
    record(&journal, 1, 9, [told(None, "#901")]).await?;
    assert_eq!(link().await?, is(None, Some("901")));
    assert_eq!(journal.link(&entity, "odoo-in").await?, None);
    assert_eq!(journal.link(&account("8"), TARGET).await?, None);
    Ok(())
}

/// Asked by a target's own id, the answer is what the record was made from.
pub async fn a_record_is_found_by_the_name_its_system_gave_it<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    let born = account("7");
    let there = EntityRef {
        system: TARGET.to_owned(),
        id: "47".to_owned(),
        ..born.clone()
    };
    let record_of = |entity: &EntityRef, target: &str, key: &str, id: &str| {
        delivery(
            target,
            Receipt {
                external_id: key.to_owned(),
                target_id: Some(id.to_owned()),
                ..receipt(entity)
            },
        )
    };
    assert_eq!(journal.link(&there, &born.system).await?, None);
    record(&journal, 1, 9, [record_of(&born, TARGET, "x", "47")]).await?;
    let origin = Some(Link {
        model: "account".to_owned(),
        external_id: None,
        id: Some("7".to_owned()),
    });
    assert_eq!(journal.link(&there, &born.system).await?, origin);
    // another kind of record may have the same id
    let other = EntityRef {
        kind: EntityKind::Contract,
        ..there.clone()
    };
    assert_eq!(journal.link(&other, &born.system).await?, None);
    // what goes back is no new record, by its own name either,
    record(&journal, 1, 9, [record_of(&born, &born.system, "#7", "7")]).await?;
    let known = journal.known(&born.system, std::slice::from_ref(&born)).await?;
    assert!(known.iter().all(|known| known.origin.is_none()));
    // and what goes back by the target's name is none either, and a third system is asked by any of the names
    record(&journal, 1, 9, [record_of(&there, &born.system, "#7", "7")]).await?;
    assert_eq!(
        journal.link(&born, TARGET).await?.and_then(|link| link.id),
        Some("47".to_owned())
    );
    assert_eq!(journal.link(&there, &born.system).await?, origin);
    record(&journal, 1, 9, [record_of(&born, "third", "y", "1")]).await?;
    assert_eq!(
        journal.link(&there, "third").await?,
        journal.link(&born, "third").await?
    );
    Ok(())
}

/// By whichever system's name it is asked for.
pub async fn what_was_told_is_kept_by_field_and_known_by_either_name<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    let born = account("7");
    let there = EntityRef {
        system: TARGET.to_owned(),
        id: "47".to_owned(),
        ..born.clone()
    };
    let told = |entity: &EntityRef, target: &str, effect, fields: &[(&str, &str)]| {
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| ((*name).to_owned(), Digest::of(value.as_bytes())));
        let receipt = Receipt {
            fields: fields.collect(),
            effect,
            ..receipt(entity)
        };
        delivery(target, receipt)
    };
    let is = |fields: &[(&str, &str)]| -> BTreeMap<String, Digest> {
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| ((*name).to_owned(), Digest::of(value.as_bytes())));
        fields.collect()
    };
    record(
        &journal,
        1,
        9,
        [told(
            &born,
            TARGET,
            Effect::Written,
            &[("name", "a"), ("phone", "1")],
        )],
    )
    .await?;
    record(
        &journal,
        1,
        9,
        [told(&born, TARGET, Effect::Unchanged, &[("name", "b")])],
    )
    .await?;
    record(
        &journal,
        1,
        9,
        [told(&born, TARGET, Effect::Shown, &[("name", "c")])],
    )
    .await?;
    // back to where it was born, by the name that it has at the target
    record(
        &journal,
        1,
        9,
        [told(&there, &born.system, Effect::Written, &[("terms", "30")])],
    )
    .await?;
    drop(journal);
    let journal = open().await?;
    let told_to = async |system: &str, name: &EntityRef| {
        let known = journal.known(system, std::slice::from_ref(name)).await?;
        Ok::<_, JournalError>(known.into_iter().next().unwrap_or_default().told)
    };
    for name in [&born, &there] {
        assert_eq!(told_to(TARGET, name).await?, is(&[("name", "b"), ("phone", "1")]));
        assert_eq!(told_to(&born.system, name).await?, is(&[("terms", "30")]));
    }
    assert_eq!(told_to(TARGET, &account("8")).await?, is(&[]));
    // what the source of a message says is its own word from then on
    let other = told(&born, TARGET, Effect::Written, &[("terms", "60")]);
    record(&journal, 1, 9, [other]).await?;
    assert_eq!(told_to(&born.system, &born).await?, is(&[]));
    let known = journal.known(TARGET, &[there, born.clone()]).await?;
    let origins = known.into_iter().map(|known| known.origin);
    assert_eq!(origins.collect::<Vec<_>>(), [Some(born), None]);
    Ok(())
}

/// Whatever an entity that was merged is called, it is the other one, with one link to each
/// system; a chain of merges is one step.
pub async fn what_was_merged_is_the_other_one_by_all_its_names<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |n| format!("deal/{n}")).await?;
    for n in 1..=3 {
        record(
            &journal,
            n,
            10,
            [delivered(&account(&n.to_string())), Event::Done],
        )
        .await?;
    }
    let merged = |one: &str, into: &str| Event::Merged {
        entity: account(one),
        into: account(into),
    };
    // 3 goes to 2, which goes to 1; 9 was never delivered
    record(
        &journal,
        4,
        11,
        [merged("3", "2"), merged("2", "1"), merged("9", "3"), Event::Done],
    )
    .await?;
    drop(journal);
    let journal = open().await?;
    for one in ["1", "2", "3", "9"] {
        let link = journal.link(&account(one), TARGET).await?;
        assert_eq!(link.and_then(|link| link.id).as_deref(), Some("41"), "{one}");
        let known = journal.known("crm", &[account(one)]).await?;
        let origin = (one != "1").then(|| account("1"));
        assert_eq!(
            known.first().and_then(|known| known.origin.clone()),
            origin,
            "{one}"
        );
    }
    // one record stands for it, and only that one is looked after
    assert_eq!(journal.records(TARGET, "res.partner", None, 9).await?, ["41"]);
    // a late delivery under the old name is one of the other
    journal.accept(vec![super::kit::message(5, "deal/5")]).await?;
    record(&journal, 5, 12, [delivered(&account("3")), Event::Done]).await?;
    let link = journal.link(&account("1"), TARGET).await?;
    assert_eq!(link.and_then(|link| link.id).as_deref(), Some("43"));
    let known = journal.known("crm", &[account("1")]).await?;
    assert_eq!(known.first().and_then(|known| known.origin.clone()), None);
    journal.verify().await?;
    Ok(())
}

/// Whoever waits for work hears of an arrival, a return, a retry and an end.
pub async fn who_waits_for_work_is_told<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let mut changed = journal.changed();
    let mut told = move || {
        let told = changed.has_changed().unwrap_or(false);
        changed.mark_unchanged();
        told
    };

    journal.accept(vec![message(1, "a")]).await?;
    assert!(told(), "an arrival");
    journal.accept(vec![message(1, "a")]).await?;
    assert!(!told(), "a duplicate");
    assert_eq!(claim(&journal, 9, 9).await?, [1]);
    assert!(!told(), "a claim");
    journal.release(&id(1));
    assert!(told(), "a claim given back");
    record(&journal, 1, 9, [failed(20)]).await?;
    assert!(told(), "a retry");
    record(&journal, 1, 20, [Event::Done]).await?;
    assert!(told(), "an end");
    Ok(())
}
