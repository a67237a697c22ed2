//! Headers: the one value of a name, and the two worth keeping with a message.

use std::collections::BTreeMap;

use http::{HeaderMap, header};

/// How much of a user agent is kept: enough to tell senders and versions apart.
const USER_AGENT_CHARS: usize = 200;

/// Length of version 00 of `traceparent` (W3C Trace Context, section 3.2).
const TRACEPARENT_LENGTH: usize = 55;

/// The text of a header that is there exactly once.
///
/// A second one of the same name is refused: a proxy and we might look at
/// different ones.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        None
    } else {
        first.to_str().ok()
    }
}

/// What is kept with a message: `traceparent` when it is valid, so that a trace
/// goes on from the sender, and the user agent, for support. Nothing else, because
/// any other header may be a credential.
pub(crate) fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    if let Some(parent) = only(headers, "traceparent").and_then(traceparent) {
        kept.insert("traceparent".to_owned(), parent.to_owned());
    }
    if let Some(agent) = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
    {
        kept.insert(
            header::USER_AGENT.to_string(),
            agent.chars().take(USER_AGENT_CHARS).collect(),
        );
    }
    kept
}

/// A valid `traceparent`, or of a version we do not know the four fields that all
/// versions begin with (W3C Trace Context, section 3.2).
fn traceparent(text: &str) -> Option<&str> {
    let known = text.get(..TRACEPARENT_LENGTH)?;
    let rest = text.get(TRACEPARENT_LENGTH..)?;
    let mut fields = known.split('-');
    let version = fields.next().filter(|field| is_hex(field, 2) && *field != "ff")?;
    fields
        .next()
        .filter(|field| is_hex(field, 32) && field.bytes().any(|b| b != b'0'))?;
    fields
        .next()
        .filter(|field| is_hex(field, 16) && field.bytes().any(|b| b != b'0'))?;
    fields.next().filter(|field| is_hex(field, 2))?;
    let whole = if version == "00" {
        rest.is_empty()
    } else {
        rest.is_empty() || rest.starts_with('-')
    };
    (fields.next().is_none() && whole).then_some(known)
}

fn is_hex(field: &str, length: usize) -> bool {
    field.len() == length && field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// The example of W3C Trace Context, section 3.2.
    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_valid_trace_goes_on_and_another_does_not() {
        assert_eq!(traceparent(GOOD), Some(GOOD));
        for wrong in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319cb7ad6b7169203331--01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
        ] {
            assert_eq!(traceparent(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn of_a_later_version_the_four_known_fields_are_kept() {
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(
            traceparent(&format!("{later}-what-the-future-brings")),
            Some(later)
        );
    }

    #[test]
    fn only_two_headers_are_kept() {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", GOOD.parse().unwrap());
        headers.insert("user-agent", "x".repeat(300).parse().unwrap());
        headers.insert("authorization", "Basic aHVudGVyMg==".parse().unwrap());
        headers.insert("cookie", "a=b".parse().unwrap());
        let kept = kept(&headers);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["traceparent", "user-agent"]);
        assert_eq!(kept["user-agent"].len(), USER_AGENT_CHARS);
    }

    #[test]
    fn a_header_that_is_there_twice_does_not_count() {
        let mut headers = HeaderMap::new();
        headers.append("webhook-id", "a".parse().unwrap());
        assert_eq!(only(&headers, "webhook-id"), Some("a"));
        headers.append("webhook-id", "b".parse().unwrap());
        assert_eq!(only(&headers, "webhook-id"), None);
    }
}
