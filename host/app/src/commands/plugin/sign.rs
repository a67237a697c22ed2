//! `cambist plugin sign`: puts a signature into a component's file.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow};
use cambist_contract::digest::Digest;
use cambist_registry::{signature, trust::KeyId};
use clap::Args;
use minisign::{PublicKey, SecretKey};

use super::{file, key};
use crate::host::now;

/// What is signed.
#[derive(Args, Clone, Debug)]
pub struct Sign {
    /// The component's file. The signature goes into it, beside those that it has; an
    /// older one by the same key goes out.
    file: PathBuf,
    /// The secret key's file, of `cambist plugin key` or `minisign -G`.
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
}

/// Signs it.
///
/// # Errors
///
/// The file is no component, or the key cannot be read.
pub(super) fn run(options: &Sign) -> Result<()> {
    // a link stays one: what it leads to is signed
    let path = options.file.canonicalize();
    let path = path.with_context(|| format!("cannot read {}", options.file.display()))?;
    let permissions = path.metadata().map(|it| it.permissions()).ok();
    let bytes = file::read(&path)?;
    let key = key::read(&options.key)?;
    let (signed, id) = signed(&bytes, &key, &comment(&path)).context(options.file.display().to_string())?;
    file::put(&path, &signed, permissions)?;
    say!("{}: signed by {id}", options.file.display());
    say!("it is component {} now", Digest::of(&signed));
    Ok(())
}

/// What the signature says besides, and covers: when, and of which file, as minisign's own.
fn comment(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().filter(|sign| !sign.is_control()).collect();
    format!("timestamp:{}\tfile:{name}", now().as_second())
}

/// A component with one more signature.
fn signed(bytes: &[u8], key: &SecretKey, comment: &str) -> Result<(Vec<u8>, KeyId)> {
    let failed = |error| anyhow!("cannot sign: {error}");
    let parts = signature::split(bytes)?;
    let public = PublicKey::from_secret_key(key).map_err(failed)?;
    // with the public key at hand, what was signed is verified too
    let content = Cursor::new(parts.content);
    let made = minisign::sign(
        Some(&public),
        key,
        content,
        Some(comment),
        Some("signature of a plugin"),
    );
    let made = made.map_err(failed)?.into_string();
    let id = key_id(&made).context("the signature names no key")?;
    let mut all = parts.signatures;
    all.retain(|text| key_id(text) != Some(id));
    all.push(&made);
    Ok((signature::join(parts.content, &all)?, id))
}

fn key_id(signature: &str) -> Option<KeyId> {
    signature.lines().nth(1).and_then(KeyId::of)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_registry::{Trust, trust::Verdict};
    use minisign::KeyPair;

    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn pair() -> KeyPair {
        KeyPair::generate_unencrypted_keypair().unwrap()
    }

    #[test]
    fn what_is_signed_here_is_good_there() {
        let (one, two) = (pair(), pair());
        let config = format!(
            "[keys.one]\npublic-key = \"{}\"\n[keys.two]\npublic-key = \"{}\"",
            one.pk.to_base64(),
            two.pk.to_base64()
        );
        let trust: Trust = toml::from_str(&config).unwrap();
        let (by_one, _) = signed(EMPTY, &one.sk, "timestamp:1").unwrap();
        let (by_both, _) = signed(&by_one, &two.sk, "timestamp:2").unwrap();
        // once more by the first: the new one takes the old one's place
        let (by_both, id) = signed(&by_both, &one.sk, "timestamp:3").unwrap();
        let found = trust.look(&by_both).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|it| (it.comment.as_str(), &it.verdict))
            .collect();
        let good = |key: &str| Verdict::Good { key: key.to_owned() };
        assert_eq!(
            told,
            [("timestamp:2", &good("two")), ("timestamp:3", &good("one"))]
        );
        assert_eq!(id, trust.keys.get("one").unwrap().public_key.id());
    }

    #[test]
    fn what_is_no_component_is_not_signed() {
        let error = signed(b"no component", &pair().sk, "").unwrap_err();
        assert!(
            error.to_string().contains("not a WebAssembly component"),
            "{error}"
        );
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_comment_its_line() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (wasm, secret) = (folder.path().join("a\nb.wasm"), folder.path().join("key"));
        std::fs::write(&wasm, EMPTY).unwrap();
        std::fs::set_permissions(&wasm, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::fs::write(&secret, pair().sk.to_box(None).unwrap().into_string()).unwrap();
        run(&Sign {
            file: wasm.clone(),
            key: secret,
        })
        .unwrap();
        assert_eq!(wasm.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        let found = Trust::default().look(&std::fs::read(&wasm).unwrap()).unwrap();
        assert!(found.first().unwrap().comment.ends_with("\tfile:ab.wasm"));
    }
}
