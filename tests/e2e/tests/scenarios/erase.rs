//! Somebody asks to be forgotten: what is there about them goes from a running host's journal,
//! all else stays, and the chain holds for whoever checks it.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Deal, Setup, World, sender};
use serde_json::Value;

/// In how many files of the journal a text is.
fn files_with(data: &Path, text: &str) -> Result<usize> {
    let mut files = 0;
    for file in fs::read_dir(data)? {
        let path = file?.path();
        if path.is_file() {
            let bytes = fs::read(&path)?;
            files += usize::from(bytes.windows(text.len()).any(|window| window == text.as_bytes()));
        }
    }
    Ok(files)
}

/// What an erasure answers.
async fn erase(world: &World, more: &[&str]) -> Result<(bool, Value)> {
    let mut arguments = vec![
        "journal",
        "erase",
        "--reason",
        "she asked for it",
        "--by",
        "b.keller",
        "--json",
    ];
    arguments.extend(["--request", "DSR-12"]);
    arguments.extend(more);
    let output = world.cambist(&arguments).await?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer = serde_json::from_slice(&output.stdout).with_context(|| told)?;
    Ok((output.status.success(), answer))
}

fn became(answer: &Value) -> Vec<&str> {
    let messages = answer.get("messages").and_then(Value::as_array);
    let became = messages.into_iter().flatten();
    became
        .filter_map(|message| message.get("became")?.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_be_forgotten_is_and_the_chain_holds() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let (hers, other) = (Deal::german(21), Deal::german(22));
    world.won(&[hers.clone(), other.clone()]).await?;
    for story in world.settled().await? {
        story.done_once()?;
    }
    let data = world.data();
    let head = world.journal()?;
    let before = cambist_journal::Journal::verify(&head).await?;
    drop(head);
    for text in ["eva.21@example.com", "eva.22@example.com", "Rollout 21"] {
        ensure!(files_with(&data, text)? > 0, "{text} is in no file");
    }

    // her contact came with the deal alone, and is known by the contract's word for it
    let contact = format!("hubspot:contact/{}", hers.contact_id());
    let who = ["--object", contact.as_str(), "--text", "eva.21@example.com"];
    let (_, shown) = erase(&world, &[who.as_slice(), &["--dry"]].concat()).await?;
    ensure!(became(&shown) == ["now"], "{shown}");
    ensure!(
        files_with(&data, "eva.21@example.com")? > 0,
        "a dry run erased something"
    );

    let (success, answer) = erase(&world, &who).await?;
    ensure!(success && became(&answer) == ["now"], "{answer}");
    for text in ["eva.21@example.com", "Rollout 21", "Beispiel 21"] {
        ensure!(files_with(&data, text)? == 0, "{text} is in a file still");
    }
    ensure!(
        files_with(&data, "eva.22@example.com")? > 0,
        "another one's data is gone"
    );

    // the chain holds, with the head of before, for a check that shares no code with us too
    world.verify().await?;
    let kept = format!("{}:{}", before.entries, before.head);
    world.operate(&["journal", "verify", "--expect", &kept]).await?;
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chain/verify.py");
    let outside = Command::new("python3")
        .arg(check)
        .arg(data.join("journal.db"))
        .arg(&kept)
        .output();
    if let Ok(outside) = outside {
        let told = String::from_utf8_lossy(&outside.stdout).into_owned();
        ensure!(outside.status.success(), "{told}");
    }

    // it is told, cannot be replayed, and does not come back by the same event
    let erased = shown
        .pointer("/messages/0/status/id")
        .and_then(Value::as_str)
        .context("an id")?;
    let told = world.cambist(&["show", erased]).await?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    ensure!(
        told.contains("all of it erased by b.keller on request DSR-12: she asked for it"),
        "{told}"
    );
    let replay = world.cambist(&["replay", erased]).await?;
    let refused = String::from_utf8_lossy(&replay.stderr).into_owned();
    ensure!(
        !replay.status.success() && refused.contains("erased"),
        "{refused}"
    );
    let messages = world.messages().await?.len();
    ensure!(
        world.post(&[sender::won(hers.id, 1)]).await? < 300,
        "it is refused"
    );
    world.settled().await?;
    ensure!(world.messages().await?.len() == messages, "it was taken in again");
    ensure!(files_with(&data, "eva.21@example.com")? == 0, "it came back");

    // a second time nothing is there
    let (success, again) = erase(&world, &who).await?;
    ensure!(success && became(&again).is_empty(), "{again}");
    Ok(())
}
