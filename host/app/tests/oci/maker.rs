//! A real registry that wants tokens. Who makes them is a few lines here, after the page of the
//! distribution project, "Token Authentication Specification"; the registry verifies them.

use std::{
    io::ErrorKind,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use cambist_doubles::server::{Reply, Request, Server};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::SigningKey,
};
use serde_json::{Value, json};

use crate::support::{Door, PASSWORD, Real, USER, names, plugin, run, skipped};

/// A key, and its certificate, which registries want to know it by; none without `openssl`.
fn key(folder: &Path) -> Result<bool> {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=tests",
        ])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    match made {
        Ok(status) => ensure!(status.success(), "openssl makes no key"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skipped("no registry that wants tokens; openssl is not there to make a key");
            return Ok(false);
        }
        Err(error) => return Err(error).context("cannot start openssl"),
    }
    Ok(true)
}

/// A token that lets its bearer do what the scope says.
fn token(key: &dyn SigningKey, certificate: &CertificateDer<'_>, scope: &str, may_push: bool) -> String {
    let mut words = scope.split(':');
    let (kind, name) = (words.next().unwrap(), words.next().unwrap());
    let asked = words.next().unwrap().split(',');
    let actions: Vec<_> = asked.filter(|action| may_push || *action == "pull").collect();
    let head = json!({"typ": "JWT", "alg": "RS256", "x5c": [STANDARD.encode(certificate)]});
    let claims = json!({
        "iss": "tests", "sub": "", "aud": "registry.test", "jti": "1",
        // always, for a registry whose clock nobody looks at
        "nbf": 0, "iat": 0, "exp": 4_102_444_800_u64,
        "access": [{"type": kind, "name": name, "actions": actions}],
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap();
    let signature = signer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_real_registry_takes_the_token_that_was_made_for_the_password() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let here = folder.path();
    if !key(here)? {
        return Ok(());
    }
    let key = any_supported_type(&PrivateKeyDer::from_pem_file(here.join("key.pem"))?)?;
    let certificate = CertificateDer::from_pem_file(here.join("certificate.pem"))?;
    let known = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let maker = Server::start(move |request: Request| {
        let user = request.headers.get("authorization");
        if user.is_some_and(|user| *user != known) {
            return Reply::json(401, &json!({}));
        }
        let scope = request.parameter("scope").join(",");
        let token = token(&*key, &certificate, &scope, user.is_some());
        Reply::json(200, &json!({"access_token": token, "expires_in": 60}))
    })
    .await?;
    let door = Door::Tokens {
        realm: format!("http://{}/token", maker.addr()),
        certificate: &here.join("certificate.pem"),
    };
    let Some(real) = Real::start(door).await? else {
        return Ok(());
    };
    std::fs::create_dir(here.join("work"))?;
    let work = here.join("work");
    std::fs::write(work.join("own.wasm"), &*plugin()?)?;
    let at = format!("{}/plugins/deal-desk:1", real.addr);
    let publish = ["publish", "own.wasm", &at, "--user", USER];

    // what everybody may read, nobody may write
    let nobody = run(&work, &publish[..3], None).await?;
    assert!(
        nobody.err.contains("wants to know who asks; add --user"),
        "{}",
        nobody.err
    );
    let wrong = run(&work, &publish, Some("wrong-7531")).await?;
    assert!(
        wrong.err.contains("does not take the user with that password"),
        "{}",
        wrong.err
    );
    let published = run(&work, &publish, Some(PASSWORD)).await?;
    assert!(published.is_done, "{}", published.err);
    for (arguments, password) in [
        (&["pull", &at, "--user", USER][..], Some(PASSWORD)),
        (&["pull", &at], None),
    ] {
        let pulled = run(&work, arguments, password).await?;
        assert!(pulled.is_done, "{}", pulled.err);
        assert_eq!(names(&work), ["deal-desk.wasm", "own.wasm"]);
        std::fs::remove_file(work.join("deal-desk.wasm"))?;
    }
    Ok(())
}
