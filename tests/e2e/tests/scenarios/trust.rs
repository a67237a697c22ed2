//! A host that takes nothing but what is signed.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use cambist_contract::digest::Digest;
use cambist_e2e::{Deal, Setup, World, host, plugins};
use cambist_journal::State;
use serde_json::Value;

/// Runs a command that asks no host, and gives what it says.
fn run(world: &World, arguments: &[&str]) -> Result<String> {
    let output = host::run(world.folder(), &world.setup, arguments)?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {told}");
    Ok(String::from_utf8(output.stdout)?)
}

fn sign(world: &World, plugin: &str, key: &str) -> Result<()> {
    let file = format!("plugins/{plugin}.wasm");
    run(world, &["plugin", "sign", &file, "--key", key]).map(|_| ())
}

/// Makes a key without a password, and gives the line of its public key.
fn key(world: &World, name: &str) -> Result<String> {
    let said = run(world, &["plugin", "key", "--to", name, "--no-password"])?;
    let line = said.lines().find(|line| line.starts_with("public-key = "));
    line.map(str::to_owned).context(said.clone())
}

/// What the command says of why `map-odoo` is not live; none when it is.
async fn refused(world: &World) -> Result<Option<String>> {
    let output = world.cambist(&["plugin", "status", "map-odoo", "--json"]).await?;
    let told: Value = serde_json::from_slice(&output.stdout)?;
    let plugin = told.pointer("/plugins/0").context("nothing is known of it")?;
    if plugin.get("live").is_some_and(Value::is_string) {
        return Ok(None);
    }
    let why = plugin.get("refused").and_then(Value::as_str);
    why.map(|why| Some(why.to_owned())).context("no reason is told")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_plugin_serves_and_one_that_is_not_signed_does_not() -> Result<()> {
    let mut world = World::quiet(Setup::default()).await?;
    let (firm, old) = (key(&world, "firm")?, key(&world, "old")?);
    world.setup.trust =
        format!("\n[trust]\nsignatures = \"required\"\n[trust.keys.firm]\n{firm}\n[trust.keys.old]\n{old}\n");
    for plugin in plugins::SHIPPED.iter().filter(|plugin| **plugin != "map-odoo") {
        sign(&world, plugin, "firm")?;
    }
    world.restart(None).await?;
    let why = refused(&world).await?.context("it is live")?;
    assert!(
        why.contains("it is not signed, and signatures are required: it needs one by `firm` (")
            && why.contains("`cambist plugin sign FILE --key KEYFILE` makes it"),
        "{why}"
    );
    let deal = Deal::german(1);
    world.won(std::slice::from_ref(&deal)).await?;
    let parked = world.wait(&deal, "parked").await?;
    assert!(
        matches!(&parked.0.status.state, State::Parked { code, reason }
            if code == "no-route" && reason.contains("it is not signed")),
        "{:?}",
        parked.0.status.state
    );

    // nor does it come in by another way
    let unsigned = world.folder().join("map-odoo.wasm");
    fs::write(
        &unsigned,
        plugins::another(&cambist_guests::component("map-odoo")?),
    )?;
    let file = unsigned.display().to_string();
    let output = world.cambist(&["plugin", "push", &file, "--live"]).await?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && told.contains("it is not signed"),
        "{told}"
    );

    // signed where it stands, it is live; and nobody has to say so
    sign(&world, "map-odoo", "old")?;
    world
        .until("the signed one is live", async || {
            Ok(refused(&world).await?.is_none().then_some(()))
        })
        .await?;
    world.operate(&["replay", parked.id(), "--live"]).await?;
    world.wait(&deal, "done").await?.done_once()?;
    let config = [
        "plugin",
        "inspect",
        "plugins/map-odoo.wasm",
        "--config",
        "operator.toml",
        "--json",
    ];
    let about: Value = serde_json::from_str(&run(&world, &config)?)?;
    let verdict = ["verdict", "key"].map(|name| about.pointer(&format!("/signatures/0/{name}")));
    assert_eq!(verdict, [Some(&"good".into()), Some(&"old".into())], "{about}");

    // its key revoked, it is not brought back; signed by another as well, it is
    world.setup.trust.push_str("revoked = true\n");
    world.stop().await?;
    world.restart(None).await?;
    let why = refused(&world).await?.context("it is live")?;
    assert!(why.contains("`old` (") && why.contains(") is revoked"), "{why}");
    sign(&world, "map-odoo", "firm")?;
    world
        .until("the one that both signed is live", async || {
            Ok(refused(&world).await?.is_none().then_some(()))
        })
        .await?;
    world.verify().await
}

/// Lets another `[trust]` hold in the host that runs, or tells why it does not: what `cambist reload` says.
async fn trusted(world: &mut World, trust: String) -> Result<Result<String, String>> {
    world.setup.trust = trust;
    let host = world.host()?;
    let (ingress, admin) = (host.ingress.to_string(), host.admin.to_string());
    // the ports are those that it was started with
    let any = "127.0.0.1:0";
    for (file, [ingress, admin]) in [
        ("cambist.toml", [any, any]),
        ("operator.toml", [&ingress, &admin]),
    ] {
        let text = world.setup.config(&world.hubspot.url(), ingress, admin);
        fs::write(world.folder().join(file), text)?;
    }
    let output = world.cambist(&["reload"]).await?;
    let [said, told] = [output.stdout, output.stderr].map(String::from_utf8);
    Ok(if output.status.success() {
        Ok(said?)
    } else {
        Err(told?)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_takes_out_what_a_revoked_key_signed_and_nothing_else() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    let firm = key(&world, "firm")?;
    let trust = |signatures: &str, more: &str| {
        format!("\n[trust]\nsignatures = \"{signatures}\"\n[trust.keys.firm]\n{firm}\n{more}")
    };
    // required over what nobody signed: each plugin is named with the key that it needs, and all goes on
    let told = trusted(&mut world, trust("required", "")).await?;
    let told = told.err().context("it holds")?;
    let output = host::run(world.folder(), &world.setup, &["check"])?;
    let check = String::from_utf8(output.stdout)?;
    for plugin in plugins::SHIPPED {
        let needs = format!(
            "plugin `{plugin}`: it is not signed, and signatures are required: it needs one by `firm` ("
        );
        ensure!(told.contains(&needs), "{told}");
        ensure!(check.contains(&needs), "{check}");
    }
    ensure!(
        told.contains("it serves now, so the config does not hold"),
        "{told}"
    );
    assert_eq!(refused(&world).await?, None, "it is live still");
    let first = Deal::german(1);
    world.won(std::slice::from_ref(&first)).await?;
    world.wait(&first, "done").await?.done_once()?;

    // signed while they are not required yet, it holds
    trusted(&mut world, trust("optional", ""))
        .await?
        .map_err(anyhow::Error::msg)?;
    for plugin in plugins::SHIPPED {
        sign(&world, plugin, "firm")?;
    }
    world
        .until("what is signed is live", async || {
            let (_, text) = world.page("/api/plugins").await?;
            let told: Value = serde_json::from_str(&text)?;
            let all = told.get("plugins").and_then(Value::as_array).context("plugins")?;
            let mut signed = 0;
            for plugin in plugins::SHIPPED {
                let file = fs::read(world.plugins().join(format!("{plugin}.wasm")))?;
                let digest = Value::from(Digest::of(&file).to_string());
                signed += all.iter().filter(|it| it.get("live") == Some(&digest)).count();
            }
            Ok((signed == plugins::SHIPPED.len()).then_some(()))
        })
        .await?;
    trusted(&mut world, trust("required", ""))
        .await?
        .map_err(anyhow::Error::msg)?;
    assert_eq!(refused(&world).await?, None);

    // a revoked key waits for nobody, and the answer says what it took along
    let revoked = trust("optional", "revoked = true\n");
    let said = trusted(&mut world, revoked).await?.map_err(anyhow::Error::msg)?;
    ensure!(
        said.contains("  map-odoo: component ") && said.contains(" WAS TAKEN OUT, "),
        "{said}"
    );
    ensure!(said.contains(") is revoked"), "{said}");
    ensure!(refused(&world).await?.is_some(), "nothing of it serves");
    ensure!(
        world.logs()?.contains("the config has taken a component out"),
        "nor is the log silent"
    );
    world.verify().await
}
