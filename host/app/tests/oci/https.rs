//! Over TLS, with a certificate by an authority that nobody knows but who is told.

use std::{
    fs,
    io::ErrorKind,
    net::{IpAddr, ToSocketAddrs as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::support::{Door, Real, command, plugin, run, skipped};

/// A name of this machine's own that is not `localhost`: that is spoken to by plain HTTP.
fn name() -> Option<(String, IpAddr)> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_owned();
    let mut all = (name.as_str(), 0).to_socket_addrs().ok()?.map(|addr| addr.ip());
    let at = all.find(|ip| ip.is_loopback() && name != "localhost")?;
    Some((name, at))
}

/// An authority (`authority.pem`), and a key with its certificate for a name; false without
/// `openssl`.
fn certified(folder: &Path, name: &str) -> Result<bool> {
    fs::write(
        folder.join("terms"),
        format!("subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n"),
    )?;
    let subject = format!("/CN={name}");
    let new_key = ["req", "-newkey", "rsa:2048", "-nodes"];
    let authority = [
        "-x509",
        "-days",
        "2",
        "-subj",
        "/CN=tests",
        "-keyout",
        "authority.key",
        "-out",
        "authority.pem",
    ];
    let request = ["-subj", &subject, "-keyout", "key.pem", "-out", "request.pem"];
    let sign = [
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        "request.pem",
        "-CA",
        "authority.pem",
        "-CAkey",
        "authority.key",
        "-CAcreateserial",
        "-extfile",
        "terms",
        "-out",
        "certificate.pem",
    ];
    let steps = [
        [&new_key[..], &authority].concat(),
        [&new_key[..], &request].concat(),
        sign.to_vec(),
    ];
    for arguments in steps {
        let made = Command::new("openssl")
            .args(arguments)
            .current_dir(folder)
            .stderr(Stdio::null())
            .status();
        match made {
            Ok(status) => ensure!(status.success(), "openssl makes no certificate"),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                skipped("no registry over TLS; openssl is not there to make a certificate");
                return Ok(false);
            }
            Err(error) => return Err(error).context("cannot start openssl"),
        }
    }
    Ok(true)
}

#[tokio::test]
async fn over_tls_the_registrys_certificate_has_to_be_known() -> Result<()> {
    let Some((name, at)) = name() else {
        skipped("no registry over TLS; this machine has no name of its own for itself");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let here = folder.path();
    if !certified(here, &name)? {
        return Ok(());
    }
    let Some(real) = Real::start(Door::Tls { at, folder: here }).await? else {
        return Ok(());
    };
    let component = plugin()?;
    fs::write(here.join("own.wasm"), &*component)?;
    let reference = format!("{name}:{}/plugins/deal-desk:1", real.addr.port());
    let publish = ["publish", "own.wasm", &reference];

    let unknown = run(here, &publish, None).await?;
    let told = format!("cannot reach the registry {name}:{} by https", real.addr.port());
    assert!(
        !unknown.is_done && unknown.err.contains(&told) && unknown.err.contains("certificate"),
        "{}",
        unknown.err
    );
    for arguments in [&publish[..], &["pull", &reference]] {
        let known = command(here, arguments)
            .env("SSL_CERT_FILE", here.join("authority.pem"))
            .output()
            .await?;
        assert!(
            known.status.success(),
            "{}",
            String::from_utf8_lossy(&known.stderr)
        );
    }
    assert!(
        fs::read(here.join("deal-desk.wasm"))? == *component,
        "other bytes"
    );
    Ok(())
}
