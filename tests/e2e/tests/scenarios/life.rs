//! A plugin's life at a running host: sent in, made live, taken out, brought back; and
//! what becomes of the messages meanwhile.

use std::{collections::BTreeSet, io::Write as _, time::Duration};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::digest::Digest;
use cambist_e2e::{Deal, Setup, World, host::Halt, plugins};
use cambist_journal::{Ledger as _, State};
use serde_json::{Value, json};

/// What the command says of a plugin.
async fn status(world: &World, plugin: &str) -> Result<Value> {
    let output = world.cambist(&["plugin", "status", plugin, "--json"]).await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told: Value = serde_json::from_slice(&output.stdout)?;
    told.pointer("/plugins/0")
        .cloned()
        .context("nothing is known of it")
}

/// The steps that were taken with a plugin and who took them, from the journal; without
/// those that the host takes by itself, some time or other.
async fn steps(world: &World, plugin: &str) -> Result<Vec<String>> {
    let acts = world.journal()?.acts().await?.into_iter().map(|acted| acted.act);
    let taken = acts.filter(|act| act.plugin == plugin && act.by != "host");
    Ok(taken
        .map(|act| format!("{} by {}", act.step.name(), act.by))
        .collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_one_waits_goes_live_is_taken_out_and_the_old_one_comes_back() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    let old = Digest::of(&cambist_guests::component("map-odoo")?);
    let component = plugins::another(&cambist_guests::component("map-odoo")?);
    let new = Digest::of(&component);
    let file = world.folder().join("map-odoo.wasm");
    std::fs::write(&file, &component)?;
    let file = file.display().to_string();
    let live_and_waiting = async |world: &World| -> Result<[Value; 2]> {
        let told = status(world, "map-odoo").await?;
        Ok(["live", "waits"].map(|name| told.get(name).cloned().unwrap_or_default()))
    };

    // sent in, it is checked and waits; messages go on with the old one
    world.operate(&["plugin", "push", &file, "--by", "ci"]).await?;
    assert_eq!(live_and_waiting(&world).await?, [json!(old), json!(new)]);
    let first = Deal::german(1);
    world.won(std::slice::from_ref(&first)).await?;
    let before = world.wait(&first, "done").await?.pins();

    world
        .operate(&["plugin", "live", "map-odoo", "--by", "b.keller"])
        .await?;
    let held = Deal::german(2).lines(vec![
        json!({"name": "Rollout", "quantity": "1", "price": "50000.01"}),
    ]);
    world.won(std::slice::from_ref(&held)).await?;
    let held_story = world.wait(&held, "held").await?;
    assert_ne!(held_story.pins(), before);

    // taken out, nothing is called that has it: not for a message that is pinned to it,
    // and not for a new one
    let kill = [
        "plugin",
        "kill",
        "map-odoo",
        "--reason",
        "wrong totals",
        "--by",
        "b.keller",
    ];
    world.operate(&kill).await?;
    world
        .operate(&["release", held_story.id(), "--role", "finance"])
        .await?;
    let third = Deal::german(3);
    world.won(std::slice::from_ref(&third)).await?;
    for (deal, expected) in [(&held, "plugin-killed"), (&third, "no-route")] {
        let parked = world.wait(deal, "parked").await?;
        assert!(
            matches!(&parked.0.status.state, State::Parked { code, reason }
                if code == expected && reason.contains("was taken out: wrong totals")),
            "{:?}",
            parked.0.status.state
        );
        assert_eq!(parked.count("delivered"), 0);
    }
    let (ready, text) = world.page("/readyz").await?;
    assert_eq!(ready, 503, "{text}");
    world.stop().await?;
    world.restart(None).await?;
    assert_eq!(
        live_and_waiting(&world).await?,
        [Value::Null, Value::Null],
        "also after a restart"
    );

    // the way out: the old one, and the parked messages take it
    let named = old.short();
    world
        .operate(&["plugin", "live", "map-odoo", &named, "--by", "b.keller"])
        .await?;
    for code in ["plugin-killed", "no-route"] {
        let told = world.cambist(&["parked"]).await?;
        let retry = format!("cambist parked retry --code {code} --all --live");
        let told = String::from_utf8(told.stdout)?;
        assert!(
            told.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains(&retry),
            "{told}"
        );
        world
            .operate(&["parked", "retry", "--code", code, "--all", "--live"])
            .await?;
    }
    let story = world.wait(&third, "done").await?;
    story.done_once()?;
    assert_eq!(story.pins(), before);
    // what was approved counts: it goes on from where it stood
    world.wait(&held, "done").await?.done_once()?;
    let taken = steps(&world, "map-odoo").await?;
    let known = [
        "registered by folder",
        "passed by folder",
        "live by folder",
        "registered by ci",
        "passed by ci",
        "live by b.keller",
        "killed by b.keller",
        "live by b.keller",
    ];
    assert_eq!(taken, known);
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_one_drains_with_its_last_message_and_retires() -> Result<()> {
    let mut world = World::quiet(Setup::default()).await?;
    let deal = Deal::german(1);
    world.killed_at("judge", &deal).await?;
    // the host that comes finds another file, makes it live, and halts before it is done
    let old = Digest::of(&cambist_guests::component("map-odoo")?);
    let good = plugins::another(&cambist_guests::component("map-odoo")?);
    plugins::put(&world.plugins(), "map-odoo", &good)?;
    world.restart(Some(Halt("tax"))).await?;
    world.halted().await?;
    world.kill()?;
    let mut pins = Vec::new();
    for (_, pin) in world.wait(&deal, "due").await?.pins() {
        pins.push(pin.parse::<Digest>()?);
    }
    let pinned = async |world: &World| -> Result<Vec<u64>> { Ok(world.journal()?.pinned(&pins).await?) };
    assert!(pinned(&world).await?.iter().all(|messages| *messages == 1));
    let acts = world.journal()?.acts().await?;
    assert!(acts.iter().all(|acted| acted.act.step.name() != "retired"));

    world.restart(None).await?;
    world.wait(&deal, "done").await?.done_once()?;
    assert!(pinned(&world).await?.iter().all(|messages| *messages == 0));
    // a file that means nothing, so that the host need not wait for its next look
    plugins::put(&world.plugins(), "nobodys", b"")?;
    world
        .until("the old one is retired", async || {
            let told = status(&world, "map-odoo").await?;
            let components = told.get("components").and_then(Value::as_array).cloned();
            let mut components = components.unwrap_or_default().into_iter();
            let found = components.find(|it| it.get("component") == Some(&json!(old)));
            Ok(found.filter(|it| it.get("state") == Some(&json!("retired"))))
        })
        .await?;
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_slowly_is_waited_for_and_one_that_cannot_be_is_refused() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let refused = async |words: &str| {
        world
            .until(words, async || {
                let told = status(&world, "map-odoo").await?;
                let why = told.get("refused").and_then(Value::as_str);
                Ok(why.filter(|why| why.contains(words)).map(|_| ()))
            })
            .await
    };
    let component = plugins::another(&cambist_guests::component("map-odoo")?);
    let path = world.plugins().join("map-odoo.wasm");
    // over the old file, as `cp` and `scp` do, and with pauses
    let mut file = std::fs::File::create(&path)?;
    let (first, rest) = component.split_at(component.len() / 2);
    file.write_all(first)?;
    refused("its file is being written").await?;
    for part in rest.chunks(rest.len() / 20) {
        file.write_all(part)?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(file);
    let live = async |of: Digest| {
        world
            .until("it is live", async || {
                let told = status(&world, "map-odoo").await?;
                Ok((told.get("live") == Some(&json!(of))).then_some(()))
            })
            .await
    };
    live(Digest::of(&component)).await?;
    let known = [
        "registered by folder",
        "passed by folder",
        "live by folder",
        "registered by folder",
        "passed by folder",
        "live by folder",
    ];
    assert_eq!(steps(&world, "map-odoo").await?, known);

    // so large that to read it would take a while; there is nothing in it
    let aside = world.folder().join("large");
    std::fs::File::create(&aside)?.set_len(200_000_000)?;
    std::fs::rename(aside, &path)?;
    refused("200000000 bytes, and 33554432 are the most").await?;
    assert_eq!(steps(&world, "map-odoo").await?, known);
    plugins::put(&world.plugins(), "map-odoo", first)?;
    refused("in the midst of a section").await?;
    let taken = steps(&world, "map-odoo").await?;
    assert_eq!(
        taken.get(known.len()..),
        Some(
            ["registered by folder", "refused by folder"]
                .map(str::to_owned)
                .as_slice()
        )
    );

    let deal = Deal::german(1);
    world.won(std::slice::from_ref(&deal)).await?;
    world.wait(&deal, "done").await?.done_once()?;
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_four_files_at_once_all_are_told_of_before_the_first_is_live() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let mut wanted = Vec::new();
    for name in ["map-hubspot", "map-odoo", "policy-deal-desk", "tax-eu-vat"] {
        let component = plugins::another(&cambist_guests::component(name)?);
        plugins::put(&world.plugins(), name, &component)?;
        wanted.push((name, json!(Digest::of(&component))));
    }
    let (mut told, mut live) = (BTreeSet::new(), BTreeSet::new());
    world
        .until("all are live", async || {
            let answer = world.cambist(&["plugin", "status", "--json"]).await?;
            let answer: Value = serde_json::from_slice(&answer.stdout)?;
            let plugins = answer.get("plugins").and_then(Value::as_array).cloned();
            let plugins = plugins.unwrap_or_default();
            for (name, component) in &wanted {
                let status = plugins.iter().find(|it| it.get("plugin") == Some(&json!(name)));
                let status = status.context("it is listed")?;
                if status.get("live") == Some(component) {
                    live.insert(*name);
                } else if status.get("checking").is_some_and(Value::is_string) {
                    told.insert(*name);
                }
            }
            let all: BTreeSet<_> = told.union(&live).collect();
            ensure!(live.is_empty() || all.len() == wanted.len(), "{told:?}, {live:?}");
            Ok((live.len() == wanted.len()).then_some(()))
        })
        .await?;
    world.verify().await
}

/// Who has the folder and `plugin status` alone, as people read it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_gone_back_from_and_comes_again_tells_its_author_who_and_what_to_do() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let old = Digest::of(&cambist_guests::component("map-odoo")?).short();
    let component = plugins::another(&cambist_guests::component("map-odoo")?);
    let new = Digest::of(&component).short();
    let told = async |words: &[String]| {
        world
            .until("it is told", async || {
                let output = world.cambist(&["plugin", "status", "map-odoo"]).await?;
                let text = String::from_utf8(output.stdout)?;
                Ok(words.iter().all(|words| text.contains(words)).then_some(()))
            })
            .await
    };
    plugins::put(&world.plugins(), "map-odoo", &component)?;
    told(&[format!("{new} is live")]).await?;
    world
        .operate(&["plugin", "back", "map-odoo", "--by", "b.keller"])
        .await?;
    let words = [
        format!("{old} stays live, and what stands in the folder is not:"),
        format!("component {new} was live, and b.keller made {old} live in its place at "),
        format!("`cambist plugin live map-odoo {new}` makes it live, or drop a new build"),
    ];
    told(&words).await?;
    std::fs::remove_file(world.plugins().join("map-odoo.wasm"))?;
    told(&["map-odoo.wasm is not in the plugin folder any more".to_owned()]).await?;
    plugins::put(&world.plugins(), "map-odoo", &component)?;
    told(&words).await?;
    world
        .operate(&["plugin", "live", "map-odoo", &new, "--by", "b.keller"])
        .await?;
    told(&[format!("{new} is live")]).await?;
    world.verify().await
}
