//! An operator's input in the place of what was fetched: it is the one that is read, and nothing
//! is fetched again.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use cambist_contract::{
    Json,
    fault::{Fault, Violation},
    mapping::Inbound,
    plugin::CallError,
    policy::Decision,
    stage::Stage,
};
use cambist_journal::{Event, State};
use serde_json::{Value, json};

use crate::double::{Does, Pack, Site, flow_with, id, message, verdict};

/// A site whose source counts how often it is asked, and answers with this object.
fn counted(mut site: Site, object: Value) -> (Site, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let source = Does::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(object.clone()))
    });
    site.systems.insert_source("crm", source);
    (site, asked)
}

/// What an operator records to edit the input of the first deal.
fn edit(body: &Value, live: bool) -> Vec<Event> {
    let message = message("crm", "deal", 0);
    let input = Inbound {
        system: message.system,
        event: message.event,
        object_kind: message.object_kind,
        object_id: message.object_id,
        body: body.into(),
    };
    let resumed = Event::Resumed {
        by: "ada".to_owned(),
        from: Stage::Fetch,
        live,
        why: None,
        order: None,
    };
    vec![
        resumed,
        Event::edited("ada", "it was wrong", Json::of(&input).unwrap()),
    ]
}

async fn record(site: &Site, events: Vec<Event>) {
    let at = jiff::Timestamp::UNIX_EPOCH;
    site.journal.record(&id("crm", 0), at, events).await.unwrap();
}

/// What a stage made, each time.
fn made(events: &[Event], wanted: Stage) -> Vec<String> {
    let made = events.iter().filter_map(|event| match event {
        Event::Passed { stage, output, .. } if *stage == wanted => Some(output.as_str().to_owned()),
        _ => None,
    });
    made.collect()
}

fn routes(events: &[Event]) -> Vec<(String, String)> {
    let routes = events.iter().filter_map(|event| match event {
        Event::Routed { region, target, .. } => Some((region.clone(), target.clone())),
        _ => None,
    });
    routes.collect()
}

/// A site whose plugin refuses the name `bad`, as one that finds a rule broken.
fn picky() -> Site {
    let pack = Pack {
        judges: Box::new(|proposal| {
            let text = serde_json::to_string(&proposal.changes).unwrap();
            if !text.contains("bad") {
                return verdict(Decision::Allow);
            }
            let (field, rule) = ("name".to_owned(), "is not bad".to_owned());
            crate::double::called(Err(CallError::Fault(Fault::Invalid(Violation { field, rule }))))
        }),
        ..Pack::default()
    };
    let mut site = Site::with(pack);
    site.routes.flows = vec![flow_with("deals", &["judge"])];
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_input_goes_on_from_read_on_its_way_and_nothing_is_fetched() {
    let (site, asked) = counted(picky(), json!({"name": "bad"}));
    site.accept("crm", 0..1).await;
    let (_, before) = site.bring(&id("crm", 0), "parked").await;
    // another region in it does not send it another way: that takes the live one
    record(&site, edit(&json!({"name": "good", "region": "fr"}), false)).await;
    let (_, after) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(after.get(..before.len()).unwrap(), before);
    assert_eq!(routes(&after), [("de".to_owned(), "odoo".to_owned())]);
    let fetched = made(&after, Stage::Fetch);
    assert!(fetched.len() == 2 && fetched[0].contains("bad") && fetched[1].contains("good"));
    let read = made(&after, Stage::Read);
    assert!(
        read.len() == 2 && read[0].contains("bad") && read[1].contains("good"),
        "{read:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_input_is_routed_where_the_fetched_one_led_nowhere() {
    let (site, asked) = counted(Site::new(), json!({"name": "Acme", "region": "atlantis"}));
    site.accept("crm", 0..1).await;
    let (status, _) = site.bring(&id("crm", 0), "parked").await;
    assert!(matches!(status.state, State::Parked { code, .. } if code == "no-route"));
    // still nowhere: it is not fetched over the edit, and can be edited again
    record(&site, edit(&json!({"name": "Acme", "region": "utopia"}), false)).await;
    let (status, events) = site.bring(&id("crm", 0), "parked").await;
    assert!(matches!(status.state, State::Parked { code, .. } if code == "no-route"));
    assert_eq!(routes(&events), []);
    record(&site, edit(&json!({"name": "Acme", "region": "fr"}), false)).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(routes(&events), [("fr".to_owned(), "odoo-fr".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_input_of_another_region_goes_there_on_the_live_way() {
    let (site, asked) = counted(picky(), json!({"name": "bad"}));
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "parked").await;
    record(&site, edit(&json!({"name": "good", "region": "fr"}), true)).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let to = |region: &str, target: &str| (region.to_owned(), target.to_owned());
    assert_eq!(routes(&events), [to("de", "odoo"), to("fr", "odoo-fr")]);
    assert!(made(&events, Stage::Write).len() == 1, "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_from_the_start_reads_the_source_again_and_forgets_the_edit() {
    let (site, asked) = counted(picky(), json!({"name": "bad"}));
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "parked").await;
    record(&site, edit(&json!({"name": "good"}), false)).await;
    site.bring(&id("crm", 0), "done").await;
    let again = Event::Resumed {
        by: "ada".to_owned(),
        from: Stage::Fetch,
        live: false,
        why: None,
        order: None,
    };
    record(&site, vec![again]).await;
    let (_, events) = site.bring(&id("crm", 0), "parked").await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(made(&events, Stage::Fetch).last().unwrap().contains("bad"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_fetched_at_all_goes_on_with_an_input_of_its_own() {
    let mut site = Site::new();
    let gone = || {
        std::future::ready(Err(cambist_connect::ConnectError::Gone {
            system: "crm".to_owned(),
            what: "deal 0".to_owned(),
        }))
    };
    site.systems.insert_source("crm", Does::new(gone));
    site.accept("crm", 0..1).await;
    let (status, _) = site.bring(&id("crm", 0), "parked").await;
    assert!(matches!(status.state, State::Parked { code, .. } if code == "gone"));
    record(&site, edit(&json!({"name": "Acme"}), false)).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(routes(&events), [("de".to_owned(), "odoo".to_owned())]);
}
