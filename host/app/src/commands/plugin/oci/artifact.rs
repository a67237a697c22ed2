//! A plugin as an OCI artifact: the layout that the CNCF's TAG Runtime has for WebAssembly
//! (tag-runtime.cncf.io, "Wasm OCI Artifact layout"), with its fields as the crate `oci-wasm` 0.6 has them.
//!
//! One layer, which is the component's file, byte for byte, and a config that says what it
//! imports and exports. Nothing here talks to anybody.

use std::collections::HashMap;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use cambist_contract::{digest::Digest, limits::MAX_COMPONENT};
use jiff::Timestamp;
use oci_spec::image::{
    Descriptor, ImageManifest, ImageManifestBuilder, MediaType, SCHEMA_VERSION, Sha256Digest,
};
use serde_json::json;

use super::inspect::About;

/// The media type of the config: what tells the artifact of a component from all others.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The media type of the layer.
const LAYER: &str = "application/wasm";

/// How tools that fetch any artifact name the file of a layer.
const TITLE: &str = "org.opencontainers.image.title";

/// What is sent to a registry beside the component.
pub(super) struct Artifact {
    pub(super) config: Vec<u8>,
    pub(super) manifest: Vec<u8>,
}

/// Where the component is.
#[derive(Debug)]
pub(super) struct Layer {
    /// Of the component's file, and so the component's.
    pub(super) digest: Digest,
    /// In bytes; `MAX_COMPONENT` at most.
    pub(super) size: usize,
}

/// Makes what goes with a component.
pub(super) fn make(
    component: &[u8],
    about: &About,
    exports: &[String],
    created: Timestamp,
) -> Result<Artifact> {
    let mut layer = descriptor(LAYER, component)?;
    if let Some(name) = &about.name {
        layer.set_annotations(Some(HashMap::from([(TITLE.to_owned(), format!("{name}.wasm"))])));
    }
    // `target` is for a world, and a plugin may serve several
    let config = json!({
        "created": created.to_string(),
        "author": about.authors,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer.digest().to_string()],
        "component": {"exports": exports, "imports": about.imports, "target": null},
    });
    let config = config.to_string().into_bytes();
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(CONFIG, &config)?)
        .layers(vec![layer])
        .build()?;
    let manifest = serde_json::to_vec(&manifest)?;
    Ok(Artifact { config, manifest })
}

fn descriptor(kind: &str, bytes: &[u8]) -> Result<Descriptor> {
    let digest: Sha256Digest = Digest::of(bytes).to_string().parse()?;
    let size = u64::try_from(bytes.len())?;
    Ok(Descriptor::new(MediaType::from(kind), size, digest))
}

/// Finds the component in a manifest.
///
/// # Errors
///
/// It is the manifest of something else, or of a component that is too large.
pub(super) fn read(manifest: &[u8]) -> Result<Layer> {
    // not its own words, which quote what they found
    let manifest: ImageManifest = serde_json::from_slice(manifest)
        .map_err(|_| anyhow!("what is there is no manifest of a single artifact"))?;
    let [layer] = manifest.layers().as_slice() else {
        bail!(
            "it has {} layers, and a component is one; publish it by `cambist plugin publish`",
            manifest.layers().len()
        );
    };
    let kind = layer.media_type();
    ensure!(
        *kind == MediaType::from(LAYER),
        "its layer is not of the media type {LAYER}, as of a component; publish it by `cambist plugin publish`"
    );
    let digest = layer
        .as_digest_sha256()
        .context("its layer's digest is not a sha256")?;
    let size = usize::try_from(layer.size()).unwrap_or(usize::MAX);
    ensure!(
        size <= MAX_COMPONENT,
        "it has {size} bytes, and {MAX_COMPONENT} are the most; leave out what it does not need"
    );
    Ok(Layer {
        digest: digest.parse()?,
        size,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use serde_json::Value;

    use super::*;

    fn manifest(change: impl FnOnce(&mut Value)) -> Result<Layer> {
        let mut manifest = json!({
            "schemaVersion": 2,
            "config": {"mediaType": CONFIG, "digest": format!("sha256:{}", Digest::of(b"{}")), "size": 2},
            "layers": [{"mediaType": LAYER, "digest": format!("sha256:{}", Digest::of(b"a")), "size": 1}],
        });
        change(&mut manifest);
        read(manifest.to_string().as_bytes())
    }

    #[test]
    fn a_component_is_one_layer_of_its_media_type() {
        let layer = manifest(|_| {}).unwrap();
        assert_eq!((layer.digest, layer.size), (Digest::of(b"a"), 1));
        let two = |it: &mut Value| {
            let layers = it["layers"].as_array_mut().unwrap();
            layers.push(layers[0].clone());
        };
        let told = |error: Result<Layer>| error.unwrap_err().to_string();
        assert!(told(manifest(two)).starts_with("it has 2 layers"));
        let docker =
            |it: &mut Value| it["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar");
        assert!(told(manifest(docker)).starts_with("its layer is not of the media type"));
        let index = |it: &mut Value| *it = json!({"schemaVersion": 2, "manifests": []});
        assert!(told(manifest(index)).starts_with("what is there is no manifest"));
    }

    #[test]
    fn a_size_that_is_too_large_is_refused_before_anything_is_fetched() {
        let sized = |size: u64| manifest(|it| it["layers"][0]["size"] = json!(size));
        assert!(sized(MAX_COMPONENT as u64).is_ok());
        let told = sized(MAX_COMPONENT as u64 + 1).unwrap_err().to_string();
        assert!(
            told.starts_with("it has 33554433 bytes, and 33554432 are the most"),
            "{told}"
        );
    }
}
