//! What operators' commands print, for people and for programs.

use std::{fs, process::Output};

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Deal, Setup, World};
use cambist_journal::Ledger as _;
use serde_json::{Value, json};

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn parsed(output: &Output) -> Result<Value> {
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it ended with {}: {told}", output.status);
    serde_json::from_slice(&output.stdout).context("it is no JSON")
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A world with a deal that is done and one that is held for finance.
async fn done_and_held() -> Result<(World, Deal, Deal)> {
    let world = World::start(Setup::default()).await?;
    let done = Deal::german(1);
    let held = Deal::german(2).lines(vec![
        json!({"name": "Rollout", "quantity": "1", "price": "50001"}),
    ]);
    world.won(&[done.clone(), held.clone()]).await?;
    world.wait(&done, "done").await?;
    world.wait(&held, "held").await?;
    Ok((world, done, held))
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_listed_for_people_and_for_programs() -> Result<()> {
    let (world, done, held) = done_and_held().await?;
    let table = words(&world.cambist(&["messages"]).await?);
    let line = |deal: &Deal| {
        table
            .lines()
            .find(|line| line.contains(&deal.object()))
            .unwrap_or_default()
    };
    assert!(line(&done).contains("done"), "{table}");
    assert!(line(&held).contains("for finance"), "{table}");

    let all = parsed(&world.cambist(&["messages", "--json"]).await?)?;
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    assert_eq!(text(&all, "/0/object"), held.object(), "the newest comes first");
    let some = parsed(&world.cambist(&["messages", "--state", "held", "--json"]).await?)?;
    assert_eq!(some.as_array().map(Vec::len), Some(1), "{some}");
    assert_eq!(text(&some, "/0/role"), "finance");
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_none_is_refused_with_those_that_are() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let no = [
        (
            ["messages", "--state", "typo"],
            ["due", "parked", "held", "waiting", "ignored", "denied", "done"].as_slice(),
        ),
        (
            ["replay", "--begin=typo", "id"],
            ["fetch", "judge", "deliver"].as_slice(),
        ),
        (
            ["serve", "--json", "--help"],
            ["unexpected argument", "--json"].as_slice(),
        ),
    ];
    for (arguments, names) in no {
        let output = world.cambist(&arguments).await?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        for name in names {
            assert!(told.contains(name), "{arguments:?} does not name {name}: {told}");
        }
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_shown_as_json_with_all_its_entries() -> Result<()> {
    let (world, done, _) = done_and_held().await?;
    let story = world.wait(&done, "done").await?;
    let shown = parsed(&world.cambist(&["show", story.id(), "--json"]).await?)?;
    assert_eq!(text(&shown, "/message/id"), story.id());
    assert_eq!(text(&shown, "/status/state"), "done");
    let entries = shown.pointer("/entries").and_then(Value::as_array).map(Vec::len);
    assert_eq!(entries, Some(story.0.entries.len()));
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_answered_as_json_and_need_no_secret_but_the_token() -> Result<()> {
    // the world's operator has none of the systems' secrets
    let (world, done, held) = done_and_held().await?;
    let id = world.wait(&held, "held").await?.id().to_owned();
    let release = ["release", &id, "--role", "finance", "--by", "ada", "--json"];
    let decided = parsed(&world.cambist(&release).await?)?;
    assert_eq!(text(&decided, "/event/what"), "released", "{decided}");
    assert_eq!(text(&decided, "/status/id"), id);
    world.wait(&held, "done").await?;

    let id = world.wait(&done, "done").await?.id().to_owned();
    let decided = parsed(
        &world
            .cambist(&["replay", &id, "--begin", "judge", "--json"])
            .await?,
    )?;
    assert_eq!(text(&decided, "/event/what"), "resumed", "{decided}");
    assert_eq!(text(&decided, "/event/from"), "judge");
    // while it is being worked on it can not be replayed
    world.wait(&done, "done").await?;
    let short = id.get(..12).unwrap_or(&id);
    let told = words(&world.cambist(&["replay", short]).await?);
    assert_eq!(told.trim(), format!("{id} goes again from fetch"));
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_with_mistakes_keeps_nobody_from_a_host_that_is_well() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal = Deal::german(1);
    world.won(std::slice::from_ref(&deal)).await?;
    let story = world.wait(&deal, "done").await?;
    let path = world.folder().join("operator.toml");
    let good = fs::read_to_string(&path)?;
    for (what, line, wrong) in [
        (
            "an unknown key",
            "stage = \"judge\"",
            "stage = \"judge\"\nsetings = 1",
        ),
        ("another type", "listen = ", "at-once = \"many\"\nlisten = "),
        ("no TOML", "stage = \"judge\"", "stage = judge ]"),
    ] {
        fs::write(&path, good.replacen(line, wrong, 1))?;
        for arguments in [
            &["kill", "map-odoo", "--reason", what][..],
            &["status", "map-odoo"],
            &["live", "map-odoo", &live_before(&world).await?],
        ] {
            let output = world.cambist(&[&["plugin"], arguments].concat()).await?;
            let told = String::from_utf8(output.stderr)?;
            assert!(output.status.success(), "{what}: {arguments:?}: {told}");
            let is_warned = told.contains("warning: the config has problems, which `cambist check` lists");
            assert!(is_warned && told.contains("operator.toml:"), "{what}: {told}");
        }
        for arguments in [&["messages"][..], &["show", story.id()], &["parked"], &["status"]] {
            world.operate(arguments).await?;
        }
        assert!(!world.cambist(&["check"]).await?.status.success(), "{what}");
    }
    // where the mistake may be the host itself, no other is asked
    let admin = good.lines().find(|line| line.starts_with("admin = "));
    let misspelt = good.replacen(admin.context("it has the port")?, "admn = \"127.0.0.1:1\"", 1);
    fs::write(&path, misspelt)?;
    let output = world
        .cambist(&["plugin", "kill", "map-odoo", "--reason", "typo"])
        .await?;
    let told = String::from_utf8(output.stderr)?;
    assert!(
        !output.status.success() && told.contains("does not say where operators reach the host for sure"),
        "{told}"
    );
    fs::write(&path, good)?;
    world.verify().await
}

/// The component of `map-odoo` that is live, or was.
async fn live_before(world: &World) -> Result<String> {
    let acts = world.journal()?.acts().await?;
    let mut lives = acts.into_iter().filter(|acted| acted.act.plugin == "map-odoo");
    Ok(lives.next().context("it came in")?.act.component.to_string())
}
