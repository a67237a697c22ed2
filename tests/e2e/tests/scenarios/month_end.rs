//! A backlog of several regions before one Odoo, most of it one region's: who comes when, and what becomes of each.
//!
//! The Odoo is a double; what the host does at full size is measured by `cambist-bench --only month-end`.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use cambist_doubles::{OdooDouble, odoo::Pace};
use cambist_e2e::{
    Setup, Story, World,
    month_end::{MonthEnd, changed, company, external_id},
};
use cambist_journal::Event;
use serde_json::{Value, json};

/// The region that has most of it.
const LARGE: &str = "r0";
const SMALL: [&str; 5] = ["r1", "r2", "r3", "r4", "r5"];

/// The company whose VAT number Odoo refuses.
const BAD: u64 = 1_050;
/// Companies that change twice.
const TWICE: std::ops::Range<u64> = 1_000..1_030;

/// A company's id and region, those of the large region first.
fn companies() -> Vec<(u64, &'static str)> {
    let large = (1_000..1_600).map(|id| (id, LARGE));
    let small = SMALL
        .iter()
        .zip(2_u64..)
        .flat_map(|(region, at)| (at * 1_000..at * 1_000 + 20).map(|id| (id, *region)));
    large.chain(small).collect()
}

/// A host with a backlog that came while Odoo was not there, and has been looked at.
async fn backlog(odoo: &OdooDouble) -> Result<World> {
    let month_end = MonthEnd {
        odoo: odoo.url(),
        database: "d".to_owned(),
        key: "E2E_HUBSPOT_TOKEN",
        company: None,
        regions: SMALL
            .iter()
            .chain([&LARGE])
            .map(|region| (*region).to_owned())
            .collect(),
    };
    let world = World::start(Setup {
        // plain HTTP is for this machine alone
        whole: Some(month_end.config()),
        ..Setup::default()
    })
    .await?;
    odoo.shut(true);
    for (id, region) in companies() {
        let mut object = company(id, region);
        let properties = object.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties.filter(|_| id == BAD) {
            properties.insert("vat_id".to_owned(), json!("DE1"));
        }
        world.hubspot.put("companies", &id.to_string(), object);
    }
    let first: Vec<_> = companies()
        .iter()
        .map(|(id, _)| changed("company", *id, 1))
        .collect();
    let second: Vec<_> = TWICE.map(|id| changed("company", id, 2)).collect();
    for batch in first.chunks(100).chain([second.as_slice()]) {
        assert_eq!(world.post(batch).await?, 202);
    }
    world
        .until("all looked at", async || {
            // those behind another one of their key are not
            let mut heads = world.messages().await?.into_iter().take(companies().len());
            Ok(heads.all(|status| status.region.is_some()).then_some(()))
        })
        .await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_region_starves_and_a_bad_row_parks_its_own_message_alone() -> Result<()> {
    // slow enough that messages wait for it, on a slow machine too
    let odoo = OdooDouble::start(Pace {
        call: Duration::from_millis(200),
        ..Pace::default()
    })
    .await?;
    let world = backlog(&odoo).await?;
    odoo.shut(false);
    let stories = world.settled().await?;

    assert_eq!(stories.len(), companies().len() + TWICE.count());
    for story in &stories {
        let ends = story.0.entries.iter().map(|entry| entry.event.name());
        let ends: Vec<_> = ends.filter(|name| ["done", "parked"].contains(name)).collect();
        let expected = match story.0.status.object == format!("company/{BAD}") {
            true => "parked",
            false => "done",
        };
        assert_eq!(
            ends,
            [expected],
            "{}: {:?}",
            story.0.status.object,
            story.0.status.state
        );
    }
    in_order(&stories)?;

    // by the order in which Odoo was told, not by time: the others are through before half of the large one is
    let written = odoo.written();
    let place = |company: u64| {
        let name = external_id(company);
        written
            .iter()
            .position(|row| row.external_id == name)
            .with_context(|| format!("{name} is not in Odoo"))
    };
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (id, region) in companies().into_iter().filter(|(id, _)| *id != BAD) {
        places.entry(region).or_default().push(place(id)?);
    }
    let large = places.remove(LARGE).unwrap_or_default();
    for (region, places) in places {
        let last = places.into_iter().max().unwrap_or_default();
        let before = large.iter().filter(|place| **place < last).count();
        assert!(
            before < large.len() / 2,
            "{region} waited for {before} of {LARGE}"
        );
    }
    // and they went together: a call for each would be as many as rows
    assert!(
        odoo.loads() * 2 < written.len(),
        "{} loads of {} rows",
        odoo.loads(),
        written.len()
    );
    world.verify().await
}

/// That no message of a key was begun before the one before it had ended.
fn in_order(stories: &[Story]) -> Result<()> {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut followed = 0;
    for story in stories {
        let claim = &story.0;
        let routed = claim
            .entries
            .iter()
            .find(|entry| matches!(entry.event, Event::Routed { .. }));
        let begun = routed.context("it was routed")?.place;
        let end = claim.entries.last().context("it has entries")?.place;
        if let Some(earlier) = last.insert(&claim.status.key, end) {
            followed += 1;
            ensure!(
                begun > earlier,
                "{} was begun before its turn",
                claim.status.object
            );
        }
    }
    ensure!(followed == TWICE.count(), "{followed} came behind another one");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_what_is_left_and_which_system_is_left_alone() -> Result<()> {
    let odoo = OdooDouble::start(Pace::default()).await?;
    let world = backlog(&odoo).await?;
    let told = world.cambist(&["status", "--json"]).await?;
    let told: Value = serde_json::from_slice(&told.stdout)?;
    assert_eq!(due(&told, LARGE), Some(600));
    assert_eq!(due(&told, "r1"), Some(20));
    // it is tried each second, by one message at a time
    let state = found(&told, "systems", ("system", "odoo")).and_then(|it| it.get("state")?.as_str());
    assert!(matches!(state, Some("left-alone" | "tried")), "{state:?}");

    odoo.shut(false);
    world.settled().await?;
    let (status, page) = world.page("/api/status").await?;
    assert_eq!(status, 200);
    let told: Value = serde_json::from_str(&page)?;
    let number = |name: &str| told.get(name).and_then(Value::as_u64);
    let ended = (companies().len() + TWICE.count() - 1) as u64;
    assert_eq!(number("due"), Some(0));
    assert_eq!(number("seconds-left"), Some(0));
    assert_eq!(number("resting"), Some(1));
    assert_eq!(number("ended"), Some(ended));
    assert_eq!(due(&told, LARGE), Some(0));
    assert!(found(&told, "parked", ("code", "refused")).is_some(), "{page}");
    let text = world.cambist(&["status"]).await?;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("nothing is due, 1 rest"), "{text}");
    Ok(())
}

/// The object of a list that has this text under a name.
fn found<'t>(told: &'t Value, list: &str, (name, text): (&str, &str)) -> Option<&'t Value> {
    let mut all = told.get(list)?.as_array()?.iter();
    all.find(|it| it.get(name).and_then(Value::as_str) == Some(text))
}

/// How many of a region are due.
fn due(told: &Value, region: &str) -> Option<u64> {
    found(told, "backlogs", ("region", region))?.get("due")?.as_u64()
}
