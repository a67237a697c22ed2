//! HubSpot's request signature, version 3.
//!
//! `base64(HMAC-SHA256(client secret, method + URI + body + timestamp))`, as
//! HubSpot's developer documentation describes it under "request validation". It
//! covers neither headers nor the time of receipt; the age is checked elsewhere.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::rejection::Doubt;

/// The characters that HubSpot writes plainly before it signs, by their percent
/// code. All other codes stay as they are.
const DECODED: [(&str, char); 12] = [
    ("3A", ':'),
    ("2F", '/'),
    ("3F", '?'),
    ("40", '@'),
    ("21", '!'),
    ("24", '$'),
    ("27", '\''),
    ("28", '('),
    ("29", ')'),
    ("2A", '*'),
    ("2C", ','),
    ("3B", ';'),
];

/// A client secret, ready for use.
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// A key of any length but zero.
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            None
        } else {
            Hmac::new_from_slice(secret).ok().map(Self)
        }
    }
}

/// Checks that one of the keys made the signature. Compares in constant time, and
/// looks at every key.
pub(super) fn verify(
    keys: &[Key],
    method: &str,
    uri: &str,
    body: &[u8],
    timestamp: &str,
    signature: &str,
) -> Result<(), Doubt> {
    let claimed = STANDARD.decode(signature).map_err(|_| Doubt::NoProof)?;
    let uri = decoded(uri);
    let mut fits = false;
    for Key(key) in keys {
        let mut mac = key.clone();
        mac.update(method.as_bytes());
        mac.update(uri.as_bytes());
        mac.update(body);
        mac.update(timestamp.as_bytes());
        fits |= mac.verify_slice(&claimed).is_ok();
    }
    if fits { Ok(()) } else { Err(Doubt::Forged) }
}

/// The URI as HubSpot signs it: some percent codes are written plainly, once.
fn decoded(uri: &str) -> String {
    let mut plain = String::with_capacity(uri.len());
    let mut rest = uri;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let code = after.get(..2).unwrap_or_default();
        match DECODED.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)) {
            Some((_, character)) => {
                plain.push(*character);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push('%');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // The vector of HubSpot's own SDK for Python, tests/spec/utils/test_signature.py.
    const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
    const BODY: &str = "{'example_field':'example_value'}";
    const URI: &str = "https://www.example.com/webhook_uri";
    const TIMESTAMP: &str = "1693657560000";
    const SIGNATURE: &str = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=";

    fn keys(secrets: &[&str]) -> Vec<Key> {
        secrets
            .iter()
            .map(|secret| Key::new(secret.as_bytes()).unwrap())
            .collect()
    }

    fn check(uri: &str, body: &[u8], timestamp: &str, signature: &str) -> Result<(), Doubt> {
        verify(&keys(&[SECRET]), "POST", uri, body, timestamp, signature)
    }

    #[test]
    fn the_vector_of_the_sdk_fits() {
        assert_eq!(check(URI, BODY.as_bytes(), TIMESTAMP, SIGNATURE), Ok(()));
    }

    #[test]
    fn the_method_is_signed() {
        let result = verify(
            &keys(&[SECRET]),
            "PUT",
            URI,
            BODY.as_bytes(),
            TIMESTAMP,
            SIGNATURE,
        );
        assert_eq!(result, Err(Doubt::Forged));
    }

    #[test]
    fn any_secret_will_do_while_they_rotate() {
        for secrets in [[SECRET, "new"], ["new", SECRET]] {
            let result = verify(
                &keys(&secrets),
                "POST",
                URI,
                BODY.as_bytes(),
                TIMESTAMP,
                SIGNATURE,
            );
            assert_eq!(result, Ok(()));
        }
        let result = verify(
            &keys(&["new"]),
            "POST",
            URI,
            BODY.as_bytes(),
            TIMESTAMP,
            SIGNATURE,
        );
        assert_eq!(result, Err(Doubt::Forged));
    }

    #[test]
    fn no_key_and_an_empty_key_fit_nothing() {
        assert!(Key::new(b"").is_none());
        let result = verify(&[], "POST", URI, BODY.as_bytes(), TIMESTAMP, SIGNATURE);
        assert_eq!(result, Err(Doubt::Forged));
    }

    #[test]
    fn the_documented_codes_are_written_plainly_once() {
        let coded = "%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B";
        assert_eq!(decoded(coded), ":/?@!$'()*,;");
        assert_eq!(decoded(&coded.to_lowercase()), ":/?@!$'()*,;");
        assert_eq!(decoded("a%20b%26c%253Ad%"), "a%20b%26c%253Ad%");
        assert_eq!(decoded("%%3A%3"), "%:%3");
    }

    proptest! {
        #[test]
        fn a_flipped_byte_of_the_body_is_refused(at in 0..BODY.len(), bit in 0..8u8) {
            let mut body = BODY.as_bytes().to_vec();
            body[at] ^= 1 << bit;
            prop_assert!(check(URI, &body, TIMESTAMP, SIGNATURE).is_err());
        }

        #[test]
        fn a_flipped_byte_of_the_uri_is_refused(at in 0..URI.len(), bit in 0..7u8) {
            let mut uri = URI.as_bytes().to_vec();
            uri[at] ^= 1 << bit;
            prop_assert!(check(&String::from_utf8(uri).unwrap(), BODY.as_bytes(), TIMESTAMP, SIGNATURE).is_err());
        }

        #[test]
        fn a_flipped_byte_of_the_timestamp_is_refused(at in 0..TIMESTAMP.len(), bit in 0..7u8) {
            let mut timestamp = TIMESTAMP.as_bytes().to_vec();
            timestamp[at] ^= 1 << bit;
            let timestamp = String::from_utf8(timestamp).unwrap();
            prop_assert!(check(URI, BODY.as_bytes(), &timestamp, SIGNATURE).is_err());
        }

        #[test]
        fn a_flipped_byte_of_the_signature_is_refused(at in 0..SIGNATURE.len(), bit in 0..7u8) {
            let mut signature = SIGNATURE.as_bytes().to_vec();
            signature[at] ^= 1 << bit;
            let signature = String::from_utf8(signature).unwrap();
            prop_assert!(check(URI, BODY.as_bytes(), TIMESTAMP, &signature).is_err());
        }

        #[test]
        fn a_documented_character_signs_the_same_coded_or_plain(
            pieces in proptest::collection::vec(("[a-z0-9/?&=%+-]{0,5}", 0..DECODED.len(), any::<bool>()), 0..8),
        ) {
            let (mut called, mut plain) = (String::new(), String::new());
            for (text, at, coded) in pieces {
                // a code, not a percent sign that happens to stand before one
                let text = text.replace('%', "%25");
                let (code, character) = DECODED[at];
                called += &text;
                called += &if coded { format!("%{code}") } else { character.to_string() };
                plain += &text;
                plain.push(character);
            }
            prop_assert_eq!(decoded(&called), plain);
        }
    }
}
