//! `cambist plugin key`: makes a key pair to sign plugins with, in minisign's format. And
//! how a secret key is read again.

use std::{
    fs::OpenOptions,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use minisign::{KeyPair, SecretKey, SecretKeyBox};

use super::file;

/// Where a key's password is read from where nobody can be asked. No option takes it: what
/// is typed there can be read by every process of the machine.
const PASSWORD: &str = "CAMBIST_KEY_PASSWORD";

/// How the base64 of a secret key begins that has a password: `Ed`, `Sc`, `B2`, the names
/// of the algorithms.
const SEALED: &str = "RWRTY0Iy";

/// And of one that has none: two zeros in the place of `Sc`.
const OPEN: &str = "RWQAAEIy";

/// Bytes of a key file that are read; minisign's has some 300.
const MAX_FILE: u64 = 4096;

/// What is made.
#[derive(Args, Clone, Debug)]
pub struct Key {
    /// The secret key's file, for you alone. The public key goes beside it, as FILE.pub.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Writes the secret key without a password, for a build machine that keeps its
    /// secrets elsewhere. Else the password is asked for, or read from
    /// CAMBIST_KEY_PASSWORD.
    #[arg(long)]
    no_password: bool,
}

/// Makes the pair.
///
/// # Errors
///
/// One of the files is there already or cannot be written, or no password can be had.
pub(super) fn run(options: &Key) -> Result<()> {
    let public = file::with_suffix(&options.to, ".pub");
    for path in [&options.to, &public] {
        let is_free = path.symlink_metadata().is_err();
        ensure!(
            is_free,
            "{} is there already, and a key is never overwritten; name another file",
            path.display()
        );
    }
    let pair = match options.no_password {
        true => KeyPair::generate_unencrypted_keypair(),
        false => KeyPair::generate_encrypted_keypair(password()),
    };
    let pair = pair.map_err(|error| {
        anyhow!("cannot make a key: {error}; a password is asked for at a terminal, or taken from {PASSWORD}")
    })?;
    let line = pair.pk.to_base64();
    let secret = pair.sk.to_box(None).map_err(|error| anyhow!("{error}"))?;
    write(&options.to, 0o600, secret.into_string().as_bytes())?;
    let shown = pair.pk.to_box().map_err(|error| anyhow!("{error}"))?;
    write(&public, 0o644, shown.into_string().as_bytes())?;
    let name = options.to.file_stem().unwrap_or_default().to_string_lossy();
    say!("{}: the secret key; keep it to yourself", options.to.display());
    say!("{}: the public key, for the host's config:", public.display());
    say!();
    say!("[trust.keys.{}]", toml::Value::from(name.as_ref()));
    say!("public-key = \"{line}\"");
    Ok(())
}

/// Reads a secret key.
///
/// # Errors
///
/// It is none, or the password is wrong.
pub(super) fn read(path: &Path) -> Result<SecretKey> {
    let wrong = |why: String| anyhow!("{}: {why}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(MAX_FILE)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let line = text.lines().nth(1).unwrap_or_default();
    let is_sealed = line.starts_with(SEALED);
    if !is_sealed && !line.starts_with(OPEN) {
        let what = "no secret key of minisign; `cambist plugin key --to FILE` makes one";
        return Err(wrong(what.to_owned()));
    }
    if !is_sealed {
        // minisign writes no checksum into such a key, and the crate's own reader wants one
        let bytes = STANDARD.decode(line.trim());
        let bytes = bytes.map_err(|_| wrong("the key is damaged".to_owned()))?;
        return SecretKey::from_bytes(&bytes).map_err(|error| wrong(error.to_string()));
    }
    let boxed = SecretKeyBox::from_string(&text).map_err(|error| wrong(error.to_string()))?;
    boxed.into_secret_key(password()).map_err(|error| {
        wrong(format!(
            "{error}; it asks at a terminal, or takes the password from {PASSWORD}"
        ))
    })
}

/// The password; none where a person is to be asked.
fn password() -> Option<String> {
    std::env::var(PASSWORD)
        .ok()
        .filter(|password| !password.is_empty())
}

fn write(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_its_owner_alone_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("munich");
        let options = Key {
            to: to.clone(),
            no_password: true,
        };
        run(&options).unwrap();
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let public = std::fs::read_to_string(folder.path().join("munich.pub")).unwrap();
        let line = public.lines().nth(1).unwrap();
        assert!(
            line.parse::<cambist_registry::trust::PublicKey>().is_ok(),
            "{line}"
        );
        let before = std::fs::read(&to).unwrap();
        for gone in ["munich.pub", "nothing"] {
            drop(std::fs::remove_file(folder.path().join(gone)));
            assert!(run(&options).is_err());
            assert_eq!(std::fs::read(&to).unwrap(), before);
        }
        assert!(read(&to).is_ok());
    }

    /// The lines that `minisign -G -W` of version 0.11 wrote, for this test alone.
    const SECRET: &str = "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAp7yKa2CyVLC/J3TCcorscG7mOyXe\
                          7yEpNjQZYIMzQvlSSk5lFEP72vdCiBhBQvO7W+ecu6jpNmHrbhwF9Rud5mtvU1guKFqrAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const PUBLIC: &str = "RWSnvIprYLJUsPdCiBhBQvO7W+ecu6jpNmHrbhwF9Rud5mtvU1guKFqr";

    #[test]
    fn a_key_of_minisign_itself_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("untrusted comment: x\n{SECRET}\n")).unwrap();
        let key = read(file.path()).unwrap();
        let public = minisign::PublicKey::from_secret_key(&key).unwrap();
        assert_eq!(public.to_base64(), PUBLIC);
    }

    #[test]
    fn what_is_no_secret_key_is_refused_without_a_word_of_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let public = format!("untrusted comment: x\n{PUBLIC}");
        for text in ["", "geheim", &public, "untrusted comment: x\nRWQAAEIy!geheim"] {
            std::fs::write(file.path(), text).unwrap();
            let Err(error) = read(file.path()) else {
                unreachable!("{text} is no key")
            };
            assert!(!error.to_string().contains("geheim"), "{error}");
        }
    }
}
