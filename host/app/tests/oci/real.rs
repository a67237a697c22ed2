//! Against a real registry: what was published is pulled, and nothing else is.

use std::fs;

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{Door, PASSWORD, Real, USER, names, plugin, run, sha256};

#[tokio::test]
async fn what_was_published_is_pulled_with_its_signature() -> Result<()> {
    let Some(real) = Real::start(Door::Open).await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let (here, at) = (folder.path(), format!("{}/plugins/deal-desk:1.0.0", real.addr));
    fs::write(here.join("own.wasm"), &*plugin()?)?;
    assert!(
        run(here, &["key", "--to", "munich", "--no-password"], None)
            .await?
            .is_done
    );
    assert!(
        run(here, &["sign", "own.wasm", "--key", "munich"], None)
            .await?
            .is_done
    );
    let signed = fs::read(here.join("own.wasm"))?;

    let published = run(here, &["publish", "own.wasm", &at, "--json"], None).await?;
    assert!(published.is_done, "{}", published.err);
    let published: Value = serde_json::from_str(&published.out)?;
    assert_eq!(
        format!("sha256:{}", published["component"].as_str().unwrap()),
        sha256(&signed)
    );
    let artifact = published["artifact"].as_str().unwrap();

    // by tag, into a folder; by digest in the reference; by tag or nothing, with the digest beside it
    fs::create_dir(here.join("live"))?;
    let bare = format!("{}/plugins/deal-desk", real.addr);
    let pinned = published["pinned"].as_str().unwrap();
    assert_eq!(pinned, format!("{bare}@{artifact}"));
    for arguments in [
        vec!["pull", &at, "--out", "live"],
        vec!["pull", pinned, "--out", "live/deal-desk.wasm"],
        vec!["pull", &at, "--digest", artifact, "--out", "live"],
        vec!["pull", &bare, "--digest", artifact, "--out", "live"],
    ] {
        let pulled = run(here, &arguments, None).await?;
        assert!(pulled.is_done, "{arguments:?}: {}", pulled.err);
        assert_eq!(names(&here.join("live")), ["deal-desk.wasm"]);
        assert!(
            fs::read(here.join("live/deal-desk.wasm"))? == signed,
            "other bytes"
        );
        let pin = format!("component = \"{}\"", published["component"].as_str().unwrap());
        assert!(pulled.out.contains(&pin), "{}", pulled.out);
        assert!(pulled.out.contains(", not verified here"), "{}", pulled.out);
        fs::remove_file(here.join("live/deal-desk.wasm"))?;
    }
    // without --out, here and under the repository's name
    assert!(run(here, &["pull", &at], None).await?.is_done);
    assert!(here.join("deal-desk.wasm").is_file());
    Ok(())
}

/// What other tools read, by the page of TAG Runtime: media types, and each field of the
/// config by its name.
#[tokio::test]
async fn it_is_laid_out_as_other_tools_expect() -> Result<()> {
    let Some(real) = Real::start(Door::Open).await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let component = plugin()?;
    fs::write(folder.path().join("own.wasm"), &*component)?;
    let at = format!("{}/deal-desk:1", real.addr);
    let published = run(folder.path(), &["publish", "own.wasm", &at], None).await?;
    assert!(published.is_done, "{}", published.err);

    let manifest: Value = serde_json::from_slice(&real.get("deal-desk/manifests/1").await?)?;
    let layer = json!({
        "mediaType": "application/wasm", "digest": sha256(&component), "size": component.len(),
        "annotations": {"org.opencontainers.image.title": "policy-deal-desk.wasm"},
    });
    assert_eq!(manifest["schemaVersion"], 2);
    assert_eq!(
        manifest["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(manifest["layers"], json!([layer]));
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.wasm.config.v0+json"
    );
    let config = manifest["config"]["digest"].as_str().unwrap();
    let mut config: Value = serde_json::from_slice(&real.get(&format!("deal-desk/blobs/{config}")).await?)?;
    let created = config["created"].take();
    assert!(created.as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let expected = json!({
        "created": null, "author": null, "architecture": "wasm", "os": "wasip2",
        "layerDigests": [sha256(&component)],
        "component": {
            "exports": ["cambist:plugin/policy@0.1.0"],
            "imports": ["cambist:plugin/log@0.1.0"],
            "target": null,
        },
    });
    assert_eq!(config, expected);
    Ok(())
}

#[tokio::test]
async fn another_digest_than_asked_for_is_refused() -> Result<()> {
    let Some(real) = Real::start(Door::Open).await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let here = folder.path();
    fs::write(here.join("own.wasm"), &*plugin()?)?;
    let at = format!("{}/deal-desk:1", real.addr);
    assert!(run(here, &["publish", "own.wasm", &at], None).await?.is_done);
    let other = sha256(b"other");
    let pulled = run(here, &["pull", &at, "--digest", &other], None).await?;
    assert!(!pulled.is_done);
    assert!(
        pulled.err.contains(&format!("and {other} was asked for")),
        "{}",
        pulled.err
    );
    let by_name = format!("{}/deal-desk@{other}", real.addr);
    let pulled = run(here, &["pull", &by_name], None).await?;
    assert!(!pulled.is_done);
    let told = format!("the registry {} has no `{other}` in /v2/deal-desk/", real.addr);
    assert!(pulled.err.contains(&told), "{}", pulled.err);
    let gone = run(here, &["pull", &format!("{}/deal-desk:2", real.addr)], None).await?;
    assert!(gone.err.contains("has no `2` in /v2/deal-desk/"), "{}", gone.err);
    assert_eq!(names(here), ["own.wasm"]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_plugin_is_neither_pulled_nor_published() -> Result<()> {
    let Some(real) = Real::start(Door::Open).await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let here = folder.path();
    let empty_component = b"\0asm\x0d\0\x01\0";
    for (tag, kind, bytes, told) in [
        (
            "text",
            "application/wasm",
            &b"no wasm"[..],
            "not a WebAssembly component: ",
        ),
        (
            "other",
            "application/wasm",
            &empty_component[..],
            "exports none of mapping, policy",
        ),
        (
            "image",
            "application/vnd.oci.image.layer.v1.tar",
            b"tar",
            "is no plugin: its layer is not of",
        ),
    ] {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": sha256(b"{}"), "size": 2},
            "layers": [{"mediaType": kind, "digest": sha256(bytes), "size": bytes.len()}],
        });
        real.put("other", tag, manifest.to_string().as_bytes(), &[b"{}", bytes])
            .await?;
        let at = format!("{}/other:{tag}", real.addr);
        let pulled = run(here, &["pull", &at], None).await?;
        assert!(!pulled.is_done);
        assert!(pulled.err.contains(told), "{}", pulled.err);
        assert_eq!(names(here), [""; 0]);
    }
    fs::write(here.join("text.wasm"), "no wasm")?;
    let at = format!("{}/mine:1", real.addr);
    let published = run(here, &["publish", "text.wasm", &at], None).await?;
    assert!(
        published.err.contains("not a WebAssembly component: "),
        "{}",
        published.err
    );
    assert!(real.get("mine/tags/list").await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_user_is_asked_for_and_the_password_is_not_told() -> Result<()> {
    let Some(real) = Real::start(Door::Password).await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let here = folder.path();
    fs::write(here.join("own.wasm"), &*plugin()?)?;
    fs::write(here.join("password"), format!("{PASSWORD}\n"))?;
    let at = format!("{}/deal-desk:1", real.addr);
    let publish = ["publish", "own.wasm", &at, "--user", USER];

    let nobody = run(here, &publish[..3], None).await?;
    assert!(
        nobody.err.contains("wants to know who asks; add --user"),
        "{}",
        nobody.err
    );
    let without = run(here, &publish, None).await?;
    let told = "the password of `munich` is to be in the environment variable CAMBIST_REGISTRY_PASSWORD: it is not set";
    assert!(without.err.contains(told), "{}", without.err);
    let wrong = run(here, &publish, Some("wrong-7531")).await?;
    assert!(!wrong.is_done);
    assert!(
        wrong.err.contains("does not take the user with that password"),
        "{}",
        wrong.err
    );
    assert!(!wrong.said().contains("wrong-7531"), "{}", wrong.said());

    let by_env = run(here, &publish, Some(PASSWORD)).await?;
    assert!(by_env.is_done, "{}", by_env.err);
    let by_file = ["pull", &at, "--user", USER, "--password-file", "password"];
    let by_file = run(here, &by_file, None).await?;
    assert!(by_file.is_done, "{}", by_file.err);
    for said in [by_env.said(), by_file.said()] {
        assert!(!said.contains(PASSWORD), "{said}");
    }
    let nobody = run(here, &["pull", &at], None).await?;
    assert!(
        nobody.err.contains("wants to know who asks; add --user"),
        "{}",
        nobody.err
    );
    Ok(())
}
