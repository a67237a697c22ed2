//! Writing a target's JSON by field names.
//!
//! ```
//! use cambist_sdk::prelude::*;
//!
//! let values = Values::new().text("name", "Acme").optional("email", None::<&str>).flag("is_company", true);
//! assert_eq!(values.json(), r#"{"name":"Acme","is_company":true}"#);
//! ```

use std::fmt::Write as _;

use crate::{prelude::Decimal, tape::plain};

/// A JSON object that is being written, in the order of the calls.
#[derive(Clone, Debug)]
pub struct Values(String);

impl Default for Values {
    fn default() -> Self {
        Self::new()
    }
}

impl Values {
    /// An object without fields.
    pub fn new() -> Self {
        let mut text = String::with_capacity(256);
        text.push('{');
        Self(text)
    }

    /// A text.
    #[must_use]
    pub fn text(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.name(name);
        quote(&mut self.0, value.as_ref());
        self
    }

    /// A text if there is one; the field is left alone if not.
    #[must_use]
    pub fn optional(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A number, with all its digits.
    #[must_use]
    pub fn number(mut self, name: &str, value: &Decimal) -> Self {
        self.name(name);
        value.write(&mut self.0, 0);
        self
    }

    /// Yes or no.
    #[must_use]
    pub fn flag(mut self, name: &str, value: bool) -> Self {
        self.name(name);
        self.0.push_str(if value { "true" } else { "false" });
        self
    }

    /// Empties the field at the target.
    #[must_use]
    pub fn empty(mut self, name: &str) -> Self {
        self.name(name);
        self.0.push_str("null");
        self
    }

    /// A field that is JSON already.
    #[must_use]
    pub fn raw(mut self, name: &str, json: &str) -> Self {
        self.name(name);
        self.0.push_str(json);
        self
    }

    /// The JSON text.
    pub fn json(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(&mut self.0, name);
        self.0.push(':');
    }
}

/// Writes a JSON string: RFC 8259, section 7.
fn quote(to: &mut String, text: &str) {
    to.reserve(text.len() + 4);
    to.push('"');
    let mut rest = text;
    while let Some((clear, special)) = rest.split_at_checked(plain(rest.as_bytes(), 0)) {
        to.push_str(clear);
        let mut characters = special.chars();
        match characters.next() {
            None => break,
            Some('"') => to.push_str("\\\""),
            Some('\\') => to.push_str("\\\\"),
            Some(control) => {
                let _ = write!(to, "\\u{:04x}", u32::from(control));
            }
        }
        rest = characters.as_str();
    }
    to.push('"');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back_through_a_json_parser(name: String, value in "[ -~\\\\\"\u{0}-\u{1f}é€𝄞]{0,40}") {
            let json = Values::new().text(&name, &value).json();
            let parsed: std::collections::BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(parsed.get(&name), Some(&value));
        }
    }
}
