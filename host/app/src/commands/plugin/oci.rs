//! `cambist plugin pull|publish`: fetches a plugin from a registry of OCI artifacts, and puts
//! one there. A running host has no part in either.

mod artifact;
mod proof;
mod repository;
mod wire;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use cambist_contract::digest::Digest;
use cambist_sdk_build::metadata;
use clap::Args;
use oci_spec::distribution::Reference;
use serde_json::json;

use self::{proof::Access, repository::Repository};
use super::{file, inspect};
use crate::host::now;

/// What is fetched.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example: what was reviewed, if the tag still leads to it, into the folder that a host watches

  cambist plugin pull registry.example.com/plugins/map-odoo:1.2.0 \\
    --digest sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \\
    --out plugins-live")]
pub struct Pull {
    /// Where the plugin is, as REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST.
    reference: String,
    /// The artifact's digest, as `plugin publish` says it. What the reference leads to has to
    /// be that.
    #[arg(long, value_name = "sha256:…", value_parser = digest)]
    digest: Option<Digest>,
    /// The file, or the folder for it; left out, the repository's last name with `.wasm`,
    /// here. It takes its place as a whole, so a host may be watching.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// What is put there.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example:

  read -rs CAMBIST_REGISTRY_PASSWORD && export CAMBIST_REGISTRY_PASSWORD
  cambist plugin publish plugins-live/map-odoo.wasm --user munich \\
    registry.example.com/plugins/map-odoo:1.2.0")]
pub struct Publish {
    /// The component. It has to load and to do what its cases say, and is published as it is,
    /// with its signatures.
    file: PathBuf,
    /// Where it goes, as REGISTRY/REPOSITORY:TAG. A tag that is there already is moved.
    reference: String,
    #[command(flatten)]
    access: Access,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Fetches it.
///
/// # Errors
///
/// The registry does not answer, refuses, or has something else there than a plugin with
/// this digest. Nothing is written then.
pub(super) async fn pull(options: &Pull) -> Result<()> {
    let at = reference(&options.reference)?;
    let out = place(&at, options.out.as_deref());
    let pinned = at.digest().map(digest).transpose();
    let pinned = pinned.map_err(|why| anyhow!("{}: {why}", options.reference))?;
    let repository = Repository::open(&at, &options.access, "pull").await?;
    let name = match (at.digest(), options.digest) {
        (Some(digest), _) => digest.to_owned(),
        // a reference that names no version at all
        (None, Some(digest)) if !is_tagged(&options.reference) => format!("sha256:{digest}"),
        (None, _) => at.tag().unwrap_or_default().to_owned(),
    };
    let manifest = repository.manifest(&name).await?;
    let artifact = Digest::of(&manifest);
    for wanted in pinned.iter().chain(&options.digest) {
        ensure!(
            artifact == *wanted,
            "{at} is artifact sha256:{artifact}, and sha256:{wanted} was asked for; ask who publishes it whether the tag was moved"
        );
    }
    let layer = artifact::read(&manifest).with_context(|| format!("{at} is no plugin"))?;
    let component = repository.blob(&layer.digest, layer.size).await?;
    ensure!(
        Digest::of(&component) == layer.digest,
        "the registry sent other bytes than component {}; pull again, and if that does not help, publish it again",
        layer.digest
    );
    let about = inspect::look(&component, None).context(at.to_string())?;
    file::put(&out, &component, None)?;
    if options.json {
        let told = json!({"file": out, "artifact": format!("sha256:{artifact}"), "plugin": about});
        say!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    let name = about.name.as_deref().unwrap_or("a plugin without a name");
    let version = about.version.as_deref().unwrap_or_default();
    say!("{}: {}", out.display(), format!("{name} {version}").trim_end());
    say!("  artifact   sha256:{artifact}");
    match about.signers().as_slice() {
        [] => say!("  signed     no"),
        keys => say!("  signed     {}, not verified here", keys.join(", ")),
    }
    say!("a binding takes this one alone by");
    say!("component = \"{}\"", layer.digest);
    Ok(())
}

/// Puts it there.
///
/// # Errors
///
/// The component does not load or do what its cases say, or the registry does not answer or
/// refuses it.
pub(super) async fn publish(options: &Publish) -> Result<()> {
    let at = reference(&options.reference)?;
    ensure!(
        is_tagged(&options.reference) && at.digest().is_none(),
        "name the tag that it gets, as in {}/{}:1.2.0; its digest comes of it",
        at.registry(),
        at.repository()
    );
    let component = file::read(&options.file)?;
    let about = inspect::look(&component, None).context(options.file.display().to_string())?;
    let exports = metadata::read(&component).map_err(anyhow::Error::msg)?.exports;
    let made = artifact::make(&component, &about, &exports, now())?;
    let (artifact, digest) = (Digest::of(&made.manifest), Digest::of(&component));
    let repository = Repository::open(&at, &options.access, "pull,push").await?;
    repository.upload(component).await?;
    repository.upload(made.config).await?;
    repository
        .put_manifest(at.tag().unwrap_or_default(), made.manifest)
        .await?;
    let pinned = format!("{}/{}@sha256:{artifact}", at.registry(), at.repository());
    if options.json {
        let told = json!({
            "reference": at.to_string(), "pinned": pinned,
            "artifact": format!("sha256:{artifact}"), "component": digest,
        });
        say!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    say!("{at} is component {digest}");
    say!("tags can be moved; this is what was published now:");
    say!("cambist plugin pull {pinned}");
    Ok(())
}

/// A reference, with its registry spelled out: what is left out would mean Docker Hub, where
/// a typing error would be published for all the world.
fn reference(text: &str) -> Result<Reference> {
    let at: Reference = text
        .parse()
        .with_context(|| format!("`{text}` is no reference; one is REGISTRY/REPOSITORY:TAG"))?;
    let rest = text.strip_prefix(at.registry());
    if !rest.is_some_and(|rest| rest.starts_with('/')) {
        bail!("`{text}` names no registry; begin with it, as in registry.example.com/{text}");
    }
    Ok(at)
}

/// Whether a reference says its tag; `latest` is what the parser puts there.
fn is_tagged(reference: &str) -> bool {
    let name = reference.split('@').next().unwrap_or_default();
    name.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// The file a plugin goes to.
fn place(at: &Reference, out: Option<&Path>) -> PathBuf {
    let last = at.repository().rsplit('/').next().unwrap_or_default();
    let name = format!("{last}.wasm");
    match out {
        Some(out) if out.is_dir() => out.join(name),
        Some(out) => out.to_owned(),
        None => PathBuf::from(name),
    }
}

/// Reads a digest as registries write it; without the algorithm it is ours.
fn digest(text: &str) -> Result<Digest, String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.parse()
        .map_err(|_| "a digest is `sha256:` and 64 hex digits; no other algorithm is taken".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_says_which_registry() {
        for text in [
            "localhost:5000/map-odoo:1",
            "r.example/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            assert!(reference(text).is_ok(), "{text}");
        }
        for text in [
            "map-odoo:1",
            "plugins/map-odoo",
            "",
            "r.example/UPPER:1",
            "r.example/a:1 ",
        ] {
            assert!(reference(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tag_is_not_the_registrys_port() {
        assert!(is_tagged("localhost:5000/a:1"));
        assert!(!is_tagged("localhost:5000/a"));
        assert!(!is_tagged("r.example/a@sha256:00"));
    }
}
