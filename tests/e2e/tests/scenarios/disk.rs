//! A disk in trouble under a running host: everybody is told, nothing that was accepted is
//! lost, and the host goes on by itself.

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{
    Deal, Setup, World,
    disk::{Disk, Small},
    plugins, sender,
};
use serde_json::Value;

/// The problem's name.
fn code(problem: &Value) -> String {
    let kind = problem.get("type").and_then(Value::as_str).unwrap_or_default();
    kind.trim_start_matches("urn:cambist:problem:").to_owned()
}

/// What the ingress answers to a deal: status, the problem's code, and when to send again.
async fn refused(world: &World, deal: &Deal) -> Result<(u16, String, Option<String>)> {
    let events = [sender::won(deal.id, 1)];
    let answer = sender::ask(&world.client, world.host()?.ingress, &sender::signed(&events)).await?;
    let header = |name| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
    let (status, again, kind) = (
        answer.status().as_u16(),
        header("retry-after"),
        header("content-type"),
    );
    let problem: Value = serde_json::from_str(&answer.text().await?)?;
    ensure!(
        status < 300 || kind.as_deref() == Some("application/problem+json"),
        "an answer of {kind:?}: {problem}"
    );
    Ok((status, code(&problem), again))
}

/// The status and the code of `/readyz`.
async fn readiness(world: &World) -> Result<(u16, String)> {
    let (status, body) = world.page("/readyz").await?;
    let problem: Value = serde_json::from_str(&body)?;
    Ok((status, code(&problem)))
}

/// Some deals under way when the fault comes, one refused while it lasts, and all of them
/// done when it is gone.
async fn through(
    world: &World,
    code: &str,
    log: &str,
    begin: impl FnOnce() -> Result<()>,
    end: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let deals: Vec<Deal> = (1..=30).map(Deal::german).collect();
    let late = Deal::german(99);
    world.know(std::slice::from_ref(&late));
    world.won(&deals).await?;
    begin()?;

    // a disk that is full may have a last page for a small one
    world
        .until("a call is refused", async || {
            Ok((refused(world, &late).await?.0 == 503).then_some(()))
        })
        .await?;
    let told = refused(world, &late).await?;
    assert_eq!(told, (503, code.to_owned(), Some("30".to_owned())));
    let ready = world
        .until("it is not ready", async || {
            let ready = readiness(world).await?;
            Ok((ready.0 != 200).then_some(ready))
        })
        .await?;
    assert_eq!(ready, (503, code.to_owned()));
    assert_eq!(
        world.page("/healthz").await?.0,
        200,
        "to start it again would not help"
    );
    assert!(
        world
            .page("/metrics")
            .await?
            .1
            .contains("cambist_journal_writable 0")
    );
    assert!(world.logs()?.contains(log), "the log does not say `{log}`");
    // what can be read is read
    ensure!(world.messages().await?.len() >= deals.len(), "a message is gone");
    world.operate(&["messages"]).await?;

    end()?;
    // nobody does anything, and it goes on
    world
        .until("it is ready again", async || {
            Ok((readiness(world).await?.0 == 200).then_some(()))
        })
        .await?;
    assert_eq!(refused(world, &late).await?.0, 202);
    for story in world.settled().await? {
        story.done_once()?;
    }
    assert_eq!(world.messages().await?.len(), deals.len() + 1);
    assert!(world.logs()?.contains("the journal can be written again"));
    world.verify().await
}

/// A world whose journal is on a disk with faults.
async fn on(disk: &Disk) -> Result<World> {
    World::start(Setup {
        environment: disk.environment(),
        ..Setup::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_the_journal_nothing_is_accepted_and_nothing_is_lost() -> Result<()> {
    let Some(disk) = Disk::new()? else {
        return Ok(());
    };
    let world = on(&disk).await?;
    let log = "no space left for the journal";
    through(&world, "journal-full", log, || disk.fault("full"), || disk.heal()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_turns_read_only_is_told_apart_and_survived() -> Result<()> {
    let Some(disk) = Disk::new()? else {
        return Ok(());
    };
    let world = on(&disk).await?;
    let log = "is read-only; mount it for writing";
    through(
        &world,
        "journal-read-only",
        log,
        || disk.fault("read-only"),
        || disk.heal(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_is_never_an_acknowledgement() -> Result<()> {
    let Some(disk) = Disk::new()? else {
        return Ok(());
    };
    let world = on(&disk).await?;
    through(
        &world,
        "journal",
        "disk I/O error",
        || disk.fault("sync-fails"),
        || disk.heal(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_really_full_is_survived_too() -> Result<()> {
    let mut world = World::quiet(Setup::default()).await?;
    let Some(small) = Small::over(&world.data())? else {
        return Ok(());
    };
    plugins::warm(&world.data())?;
    world.restart(None).await?;
    let log = "no space left for the journal";
    let outcome = through(&world, "journal-full", log, || small.fill(), || small.free()).await;
    world.kill()?;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_that_is_full_or_read_only_a_start_says_why_it_fails() -> Result<()> {
    let mut world = World::quiet(Setup::default()).await?;
    let Some(small) = Small::over(&world.data())? else {
        return Ok(());
    };
    plugins::warm(&world.data())?;
    world.restart(None).await?;
    let deal = Deal::german(1);
    world.won(std::slice::from_ref(&deal)).await?;
    world.wait(&deal, "done").await?;
    world.stop().await?;

    small.writable(false)?;
    let told = world.restart(None).await.err().context("it started")?.to_string();
    assert!(told.contains("is read-only; mount it for writing"), "{told}");
    small.writable(true)?;
    small.fill()?;
    if let Err(error) = world.restart(None).await {
        let told = error.to_string();
        assert!(told.contains("no space left"), "{told}");
    }
    world.kill()?;
    small.free()?;
    world.restart(None).await?;
    world.wait(&deal, "done").await?.done_once()?;
    world.verify().await?;
    world.kill()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_is_told_and_a_call_that_it_took_all_the_same_is_one_message() -> Result<()> {
    let Some(disk) = Disk::new()? else {
        return Ok(());
    };
    let world = on(&disk).await?;
    let deal = Deal::german(1);
    world.know(std::slice::from_ref(&deal));
    disk.fault("slow")?;
    let told = refused(&world, &deal).await?;
    assert_eq!(told, (503, "journal-slow".to_owned(), Some("30".to_owned())));
    assert_eq!(readiness(&world).await?, (503, "journal".to_owned()));
    assert!(world.logs()?.contains("the journal did not answer within"));

    disk.heal()?;
    // it was durable when the disk was: the second attempt is a duplicate
    world.wait(&deal, "done").await?.done_once()?;
    assert_eq!(refused(&world, &deal).await?.0, 202);
    assert_eq!(world.stories(&deal).await?.len(), 1);
    assert_eq!(readiness(&world).await?.0, 200);
    world.verify().await
}
