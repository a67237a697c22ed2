//! The journal as a file in operators' hands: verified, copied beside the host, damaged, put
//! back, made smaller; and one that a newer host wrote.

use std::{fs, process::Output};

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Deal, Setup, World, host, sender};
use serde_json::Value;

fn told(output: &Output) -> String {
    let words = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&words).into_owned()
}

/// Runs a command that answers JSON, whatever its exit code is.
async fn asked(world: &World, arguments: &[&str]) -> Result<(Option<i32>, Value)> {
    let mut all = arguments.to_vec();
    all.push("--json");
    let output = world.cambist(&all).await?;
    let answer = serde_json::from_slice(&output.stdout).with_context(|| told(&output))?;
    Ok((output.status.code(), answer))
}

fn head(answer: &Value) -> Result<String> {
    let entries = answer
        .get("entries")
        .and_then(Value::as_u64)
        .context("no entries")?;
    let digest = answer.get("head").and_then(Value::as_str).context("no head")?;
    Ok(format!("{entries}:{digest}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_beside_the_host_brings_a_damaged_journal_back() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    let first: Vec<Deal> = (1..=10).map(Deal::german).collect();
    world.won(&first).await?;
    world.settled().await?;
    // beside the host, while messages are under way
    let second: Vec<Deal> = (11..=20).map(Deal::german).collect();
    world.won(&second).await?;
    let (code, copied) = asked(&world, &["journal", "backup", "copy.db"]).await?;
    assert_eq!(code, Some(0), "{copied}");
    let kept = head(&copied)?;
    world.settled().await?;
    let (code, verified) = asked(&world, &["journal", "verify", "--expect", &kept]).await?;
    assert_eq!(
        (code, verified.get("good")),
        (Some(0), Some(&Value::Bool(true))),
        "{verified}"
    );
    for refused in [
        ["journal", "restore", "copy.db"].as_slice(),
        &["journal", "compact"],
    ] {
        let output = world.cambist(refused).await?;
        assert_eq!(output.status.code(), Some(1));
        assert!(
            told(&output).contains("another host has the journal"),
            "{}",
            told(&output)
        );
    }
    world.stop().await?;

    // the leaf of the table that has the first message is torn, as by a disk that dies
    let id = world.wait(&Deal::german(1), "done").await?.id().to_owned();
    let path = world.data().join("journal.db");
    let mut bytes = fs::read(&path)?;
    for page in bytes.chunks_mut(4096) {
        if page.first() == Some(&13) && page.windows(id.len()).any(|window| window == id.as_bytes()) {
            page.iter_mut().for_each(|byte| *byte = 0x5A);
        }
    }
    fs::write(&path, bytes)?;
    let (code, broken) = asked(&world, &["journal", "verify"]).await?;
    assert_eq!(
        (code, broken.get("good")),
        (Some(1), Some(&Value::Bool(false))),
        "{broken}"
    );
    assert_eq!(broken.get("entry"), Some(&Value::from(1)), "{broken}");
    world.restart(None).await?;
    // nobody has met it before somebody asks for that message
    let (status, shown) = world.page(&format!("/api/messages/{id}")).await?;
    assert!(
        status == 500 && shown.contains("journal-damaged"),
        "{status} {shown}"
    );
    assert_eq!(world.post(&[sender::won(30, 1)]).await?, 503);
    let (status, ready) = world.page("/readyz").await?;
    assert!(
        status == 500 && ready.contains("journal-damaged"),
        "{status} {ready}"
    );
    assert!(world.logs()?.contains("until the journal is whole"));
    world.kill()?;

    let (code, restored) = asked(&world, &["journal", "restore", "copy.db"]).await?;
    assert_eq!((code, head(&restored)?), (Some(0), kept.clone()), "{restored}");
    assert!(world.data().join("journal.db.replaced").exists());
    world.restart(None).await?;
    // senders' second attempts bring in what came after the copy, and nothing twice
    world.won(&first).await?;
    world.won(&second).await?;
    for story in world.settled().await? {
        story.done_once()?;
    }
    assert_eq!(world.messages().await?.len(), 20);
    let (code, verified) = asked(&world, &["journal", "verify", "--expect", &kept]).await?;
    assert_eq!(code, Some(0), "{verified}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_cut_short_is_held_to_a_head_that_was_kept() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    world.won(&[Deal::german(1)]).await?;
    world.wait(&Deal::german(1), "done").await?;
    world.operate(&["journal", "backup", "early.db"]).await?;
    world.won(&[Deal::german(2)]).await?;
    world.wait(&Deal::german(2), "done").await?;
    let (_, verified) = asked(&world, &["journal", "verify"]).await?;
    let kept = head(&verified)?;

    let early = ["journal", "verify", "early.db"];
    let words = told(&world.cambist(&early).await?);
    assert!(words.contains("early.db: good, format "), "{words}");
    let held = world
        .cambist(&[&early[..], &["--expect", &kept]].concat())
        .await?;
    assert_eq!(held.status.code(), Some(1));
    assert!(told(&held).contains("the journal ends at"), "{}", told(&held));

    world.stop().await?;
    let (code, compacted) = asked(&world, &["journal", "compact"]).await?;
    assert_eq!((code, head(&compacted)?), (Some(0), kept), "{compacted}");
    world.restart(None).await?;
    world.won(&[Deal::german(3)]).await?;
    world.wait(&Deal::german(3), "done").await?;
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_a_newer_host_is_refused_and_left_as_it_is() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    world.won(&[Deal::german(1)]).await?;
    world.wait(&Deal::german(1), "done").await?;
    world.stop().await?;
    // SQLite keeps `user_version` at byte 60 of the file
    let path = world.data().join("journal.db");
    let mut bytes = fs::read(&path)?;
    bytes
        .iter_mut()
        .skip(60)
        .zip([0, 0, 0, 99])
        .for_each(|(byte, new)| *byte = new);
    fs::write(&path, &bytes)?;

    let serve = ["serve", "--config", "cambist.toml"];
    let refused = tokio::task::block_in_place(|| host::run(world.folder(), &world.setup, &serve))?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains("has format 99"), "{}", told(&refused));
    assert!(
        told(&refused).contains("run the newer host"),
        "{}",
        told(&refused)
    );
    for refused in [
        ["journal", "verify"].as_slice(),
        &["journal", "compact"],
        &["messages"],
    ] {
        let output = world.cambist(refused).await?;
        ensure!(!output.status.success(), "{refused:?} did something");
        assert!(told(&output).contains("run the newer host"), "{}", told(&output));
    }
    assert_eq!(fs::read(&path)?, bytes);
    Ok(())
}
