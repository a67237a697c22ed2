//! Same input, same output: a replay on the pinned revisions is answered as before.

use std::time::Duration;

use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    stage::Stage,
};
use cambist_journal::Event;
use jiff::Timestamp;

use crate::double::{Pack, Site, id};

/// What `read` made, each time.
fn read(events: &[Event]) -> Vec<String> {
    let read = events.iter().filter_map(|event| match event {
        Event::Passed {
            stage: Stage::Read,
            output,
            ..
        } => Some(output.as_str().to_owned()),
        _ => None,
    });
    read.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_gets_the_links_it_got_and_makes_the_same_bytes_and_a_live_one_asks_anew() {
    let asked = EntityRef {
        kind: EntityKind::Account,
        system: "other".to_owned(),
        id: "5".to_owned(),
    };
    let site = Site::with(Pack {
        reads: Box::new(move |links| format!(", linked to {:?}", links.find(&asked, "odoo", Duration::MAX))),
        ..Pack::default()
    });
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    // what was asked for comes into being
    site.accept("other", 5..6).await;
    site.bring(&id("other", 5), "done").await;

    let again = |live| Event::Resumed {
        by: "ada".to_owned(),
        from: Stage::Read,
        live,
        why: None,
        order: None,
    };
    let mut all = Vec::new();
    for live in [false, true] {
        let at = Timestamp::UNIX_EPOCH;
        site.journal
            .record(&id("crm", 0), at, vec![again(live)])
            .await
            .unwrap();
        let (_, events) = site.bring(&id("crm", 0), "done").await;
        all = read(&events);
    }
    let [first, replayed, live] = &all[..] else {
        unreachable!("it was read three times: {all:?}")
    };
    assert!(first.contains("linked to None"), "{first}");
    assert_eq!(first, replayed, "byte for byte");
    assert!(live.contains("id of 5"), "{live}");
}
