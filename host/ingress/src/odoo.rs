//! Odoo's "Send Webhook Notification": a hint that a record changed.
//!
//! Odoo signs nothing, sends no time and no id, waits one second and never sends
//! again. So whoever calls the unguessable address is believed, but only that
//! something happened: the record is read back before anything is done. A hint
//! that is taken twice costs one reading; a hint that is lost is lost until
//! the record changes again.

use cambist_contract::{digest::Digest, secret::Secret};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    call::{Call, Event, is_name},
    rejection::{Flaw, Rejection},
};

/// What every hint is called: Odoo does not say what happened. The automation's
/// own name stays in the body, under `_action`.
pub const EVENT: &str = "hint";

/// How `write_date` looks with its microseconds, as Odoo's webhooks send it.
const EXACT_LENGTH: usize = "2026-11-21 22:51:02.113083".len();

/// Shortest token: 22 characters of base64 hold 128 bits.
const TOKEN_LENGTH: usize = 22;

/// Longest token that is looked at; a longer one is not one.
const TOKEN_LIMIT: usize = 256;

/// Takes the hints of one database.
pub(crate) struct Odoo {
    tokens: Vec<Token>,
}

/// A token, by its digest: all digests have one length, so that a comparison takes
/// one time.
pub(crate) struct Token(Digest);

impl Token {
    /// Takes a token that is long enough and needs no coding in an address; none
    /// for any other text.
    pub(crate) fn new(secret: &Secret) -> Option<Self> {
        let text = secret.expose();
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let fits = (TOKEN_LENGTH..=TOKEN_LIMIT).contains(&text.len());
        (plain && fits).then(|| Self(Digest::of(text.as_bytes())))
    }
}

impl Odoo {
    /// Takes hints that are sent to an address with one of `tokens`.
    pub(crate) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens }
    }

    /// Knows no token, and takes as long to say so as a database with one.
    pub(crate) fn nobody() -> Self {
        // no text is known whose SHA-256 is all zeros
        Self {
            tokens: vec![Token(Digest::default())],
        }
    }

    /// Whether an address has one of the tokens. Looks at every token, in constant
    /// time.
    pub(crate) fn knows(&self, claimed: &str) -> bool {
        let claimed = Digest::of(claimed.as_bytes());
        let mut fits = Choice::from(0);
        for Token(token) in &self.tokens {
            fits |= token.as_bytes().ct_eq(claimed.as_bytes());
        }
        fits.into()
    }

    /// Reads the hint. Whoever set the automation up sees a refusal as a warning in
    /// Odoo's log; a hint that names no record could not be followed anyway.
    pub(crate) fn split(&self, call: &Call<'_>) -> Result<Vec<Event>, Rejection> {
        let event = read(call).map_err(Rejection::Unreadable)?;
        Ok(vec![event])
    }
}

fn read(call: &Call<'_>) -> Result<Event, Flaw> {
    let text = call.text()?;
    let json: Value = serde_json::from_str(text).map_err(|_| Flaw::NotJson)?;
    let Value::Object(fields) = json else {
        return Err(Flaw::NotAnObject);
    };
    let model = fields
        .get("_model")
        .and_then(Value::as_str)
        .filter(|model| is_model(model))
        .ok_or(Flaw::Field("_model"))?;
    let id = fields
        .get("_id")
        .and_then(Value::as_u64)
        .filter(|id| *id > 0)
        .ok_or(Flaw::Field("_id"))?;
    let written = write_date(&fields);
    Ok(Event {
        event: EVENT.to_owned(),
        object_kind: model.to_owned(),
        object_id: id.to_string(),
        dedupe: dedupe(model, id, written, text, call.received_at),
        occurred_at: written.map_or(call.received_at, |written| written.at),
        body: text.to_owned(),
    })
}

/// When the record was written, in UTC.
#[derive(Clone, Copy)]
struct WriteDate<'f> {
    text: &'f str,
    at: Timestamp,
}

fn write_date(fields: &Map<String, Value>) -> Option<WriteDate<'_>> {
    let text = fields.get("write_date")?.as_str()?;
    let at = text
        .parse::<DateTime>()
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()?
        .timestamp();
    Some(WriteDate { text, at })
}

/// What makes two hints one.
///
/// Odoo fires one rule twice with equal bodies. With a `write_date` to the
/// microsecond, model, id, that time and the body's digest are the same then, and
/// of no other change, because every transaction has a time of its own.
///
/// Without one, an equal body may be another change, made after the first hint was
/// followed; taking it for a duplicate would lose it. So the time of receipt takes
/// the place of the write's, and every such hint is a new one. There is nothing to
/// win by being stricter: Odoo never sends again.
fn dedupe(
    model: &str,
    id: u64,
    written: Option<WriteDate<'_>>,
    text: &str,
    received_at: Timestamp,
) -> String {
    let digest = Digest::of(text.as_bytes()).short();
    match written.filter(|written| written.text.len() == EXACT_LENGTH) {
        Some(written) => format!("{model}/{id}/{}/{digest}", written.text),
        None => format!("{model}/{id}/received {received_at}/{digest}"),
    }
}

/// A model's name, by Odoo's own rule for it: `a-z`, `0-9`, `_` and `.`.
fn is_model(name: &str) -> bool {
    is_name(name)
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use axum::body::Bytes;
    use http::HeaderMap;

    use super::*;

    /// A real one.
    const LEAD: &str = r#"{"_action": "hub webhook(#484)", "_id": 2, "_model": "crm.lead", "expected_revenue": 1234.5, "id": 2, "name": "Deal A", "partner_id": 15, "stage_id": 4, "won_status": "won", "write_date": "2026-11-21 22:51:02.113083"}"#;
    /// Another real one, without `write_date`.
    const MOVE: &str = r#"{"_action": "hub webhook inv(#486)", "_id": 4, "_model": "account.move", "amount_tax": 0.0, "amount_total": 100.0, "id": 4, "invoice_date": "2026-11-21", "name": "INV/2026/00002", "partner_id": 15, "payment_state": "not_paid", "state": "posted"}"#;

    fn at(body: &str, received: &str) -> Result<Event, Flaw> {
        read(&Call {
            system: "odoo",
            path_and_query: "/in/odoo/x",
            headers: &HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            received_at: received.parse().unwrap(),
        })
    }

    const NOW: &str = "2026-11-21T22:51:03Z";
    const LATER: &str = "2026-11-21T22:51:03.000001Z";

    #[test]
    fn a_real_hint_is_read() {
        let event = at(LEAD, NOW).unwrap();
        assert_eq!(
            (event.object_kind.as_str(), event.object_id.as_str()),
            ("crm.lead", "2")
        );
        assert_eq!(event.occurred_at.to_string(), "2026-11-21T22:51:02.113083Z");
        assert_eq!((event.event.as_str(), event.body.as_str()), (EVENT, LEAD));
    }

    #[test]
    fn a_rule_that_fired_twice_is_one_hint() {
        assert_eq!(at(LEAD, NOW).unwrap().dedupe, at(LEAD, LATER).unwrap().dedupe);
    }

    #[test]
    fn another_write_another_rule_or_another_record_is_another_hint() {
        let one = at(LEAD, NOW).unwrap().dedupe;
        for (from, to) in [
            ("113083", "113084"),
            ("#484", "#485"),
            (r#""_id": 2"#, r#""_id": 3"#),
            ("crm.lead", "res.partner"),
        ] {
            assert_ne!(at(&LEAD.replace(from, to), NOW).unwrap().dedupe, one, "{to}");
        }
    }

    #[test]
    fn a_hint_without_an_exact_time_is_always_new() {
        let event = at(MOVE, NOW).unwrap();
        assert_eq!(event.occurred_at.to_string(), NOW);
        assert_ne!(event.dedupe, at(MOVE, LATER).unwrap().dedupe);
        for inexact in ["2026-11-21 22:51:02", "yesterday", ""] {
            let body = LEAD.replace("2026-11-21 22:51:02.113083", inexact);
            assert_ne!(
                at(&body, NOW).unwrap().dedupe,
                at(&body, LATER).unwrap().dedupe,
                "{inexact}"
            );
        }
    }

    #[test]
    fn a_hint_that_names_no_record_is_refused() {
        for (body, flaw) in [
            ("", Flaw::NotJson),
            ("{", Flaw::NotJson),
            ("[]", Flaw::NotAnObject),
            ("{}", Flaw::Field("_model")),
            (r#"{"_model": "crm/lead", "_id": 1}"#, Flaw::Field("_model")),
            (r#"{"_model": 1, "_id": 1}"#, Flaw::Field("_model")),
            (r#"{"_model": "crm.lead"}"#, Flaw::Field("_id")),
            (r#"{"_model": "crm.lead", "_id": 0}"#, Flaw::Field("_id")),
            (r#"{"_model": "crm.lead", "_id": false}"#, Flaw::Field("_id")),
        ] {
            assert_eq!(at(body, NOW).err(), Some(flaw), "{body}");
        }
    }

    #[test]
    fn a_token_that_can_be_guessed_or_needs_coding_is_none() {
        let token = |text: &str| Token::new(&Secret::parse(text).unwrap()).is_some();
        assert!(token("0123456789abcdef012345"));
        assert!(!token("0123456789abcdef01234"), "21 characters");
        assert!(!token("0123456789abcdef/12345"));
        assert!(!token(&"x".repeat(257)));
    }

    #[test]
    fn only_a_whole_token_is_known() {
        let tokens = ["0123456789abcdef012345", "543210fedcba9876543210"];
        let odoo = Odoo::new(
            tokens
                .iter()
                .map(|t| Token::new(&Secret::parse(t).unwrap()).unwrap())
                .collect(),
        );
        assert!(tokens.iter().all(|token| odoo.knows(token)));
        for wrong in [
            "",
            "0123456789abcdef01234",
            "0123456789abcdef0123456",
            "0123456789ABCDEF012345",
        ] {
            assert!(!odoo.knows(wrong), "{wrong}");
        }
        assert!(!Odoo::new(vec![]).knows(""));
    }
}
