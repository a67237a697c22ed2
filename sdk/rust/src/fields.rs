//! Reading a system's JSON by field names, with faults that name the field.
//!
//! A mapping is then mostly a table:
//!
//! ```
//! use cambist_sdk::prelude::*;
//!
//! let deal = Fields::parse(r#"{"properties": {"dealname": "Rollout", "amount": "1200.50", "hs_owner": ""}}"#, "deal")?;
//! let properties = deal.object("properties")?;
//! assert_eq!(properties.text("dealname")?, Some("Rollout".to_owned()));
//! assert_eq!(properties.decimal("amount")?, Some("1200.5".parse()?));
//! assert_eq!(properties.text("hs_owner")?, None);
//! # Ok::<(), Fault>(())
//! ```
//!
//! Values are looked at only when they are asked for, and a number keeps all
//! its digits. An empty text, `null` and Odoo's `false` all mean that there is
//! no value.

mod path;

use std::{borrow::Cow, fmt, rc::Rc};

pub use self::path::Path;
use crate::{
    fault::{Required as _, invalid},
    prelude::{Decimal, Fault},
    tape::Tape,
};

/// A JSON object, and the path that leads to it.
#[derive(Clone)]
pub struct Fields<'a> {
    document: Rc<Document<'a>>,
    /// The object's node.
    at: usize,
    /// The path, where the object is an empty one in place of no value.
    missing: Option<Rc<str>>,
}

/// A text that was cut up once, for all objects in it.
struct Document<'a> {
    tape: Tape<'a>,
    /// How faults call it.
    name: Cow<'static, str>,
}

impl<'a> Fields<'a> {
    /// Reads a JSON object. `path` is how faults call it, such as `deal`; an
    /// empty one leaves a field its bare name.
    ///
    /// # Errors
    ///
    /// The text is not a JSON object, or is nested deeper than 127 levels.
    pub fn parse(text: &'a str, path: impl Into<Cow<'static, str>>) -> Result<Self, Fault> {
        let name = path.into();
        let not_an_object = |name: Cow<'static, str>| match name.as_ref() {
            "" => invalid("body", "must be a JSON object"),
            _ => invalid(name, "must be a JSON object"),
        };
        let Some(tape) = Tape::cut(text) else {
            return Err(not_an_object(name));
        };
        let fields = Self {
            document: Rc::new(Document { tape, name }),
            at: 0,
            missing: None,
        };
        if fields.document.tape.value(0).starts_with('{') {
            Ok(fields)
        } else {
            Err(not_an_object(fields.document.name.clone()))
        }
    }

    /// The path of a field, as faults call it. It is written only when it is
    /// turned into a text, so that naming a field that is there costs nothing.
    pub fn path<'f>(&'f self, name: &'f str) -> Path<'f> {
        Path { of: self, name }
    }

    /// The names of the fields, in the order of the text.
    pub fn names(&self) -> impl Iterator<Item = Cow<'a, str>> {
        let at = self.missing.is_none().then_some(self.at);
        at.into_iter()
            .flat_map(|at| self.document.tape.parts(at))
            .map(|at| self.document.tape.name(at))
    }

    /// Whether the text shows a field without a value; none where it does not show
    /// the field at all.
    ///
    /// # Errors
    ///
    /// The field is an object or a list.
    pub fn emptied(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.find(name) {
            None => Ok(None),
            Some(_) => Ok(Some(self.scalar(name)?.is_none())),
        }
    }

    /// A field as it stands in the text; none where there is no value.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.value(name).map(|(_, text)| text)
    }

    /// A field as text. Numbers and `true` come as they are written; white space
    /// around a text is taken off.
    ///
    /// # Errors
    ///
    /// The field is an object or a list.
    pub fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.scalar(name)?.map(Cow::into_owned))
    }

    /// A field as text that must be there.
    ///
    /// # Errors
    ///
    /// The field has no value, or is an object or a list.
    pub fn required_text(&self, name: &str) -> Result<String, Fault> {
        self.text(name)?.required(self.path(name))
    }

    /// A field as an exact number, from a JSON number or a text.
    ///
    /// # Errors
    ///
    /// The field is not a decimal number.
    pub fn decimal(&self, name: &str) -> Result<Option<Decimal>, Fault> {
        let rule = "must be a decimal number with a point and at most 15 digits";
        self.scalar(name)?
            .map(|text| text.parse().map_err(|_| invalid(self.path(name), rule)))
            .transpose()
    }

    /// A field as a number that the source keeps as a float, such as Odoo's
    /// `3.5299999999999994`, rounded to so many digits behind the point, a half
    /// away from zero.
    ///
    /// # Errors
    ///
    /// The field is not a number.
    pub fn rounded(&self, name: &str, digits: u32) -> Result<Option<Decimal>, Fault> {
        let Some(text) = self.scalar(name)? else {
            return Ok(None);
        };
        let number = crate::decimal::rounded(&text, digits);
        number
            .map(Some)
            .ok_or_else(|| invalid(self.path(name), "must be a number"))
    }

    /// A field as a currency.
    ///
    /// # Errors
    ///
    /// The field is no ISO 4217 code in capitals.
    pub fn currency(&self, name: &str) -> Result<Option<String>, Fault> {
        let Some(code) = self.scalar(name)? else {
            return Ok(None);
        };
        match iso_currency::Currency::from_code(&code) {
            Some(_) => Ok(Some(code.into_owned())),
            None => Err(invalid(self.path(name), "must be an ISO 4217 code such as EUR")),
        }
    }

    /// A field as a moment in UTC: RFC 3339, `2026-11-22 04:00:00` (Odoo), or
    /// milliseconds since 1970 (HubSpot's older form).
    ///
    /// # Errors
    ///
    /// The field is none of these.
    pub fn moment(&self, name: &str) -> Result<Option<String>, Fault> {
        let Some(text) = self.scalar(name)? else {
            return Ok(None);
        };
        crate::calendar::moment_of(&text)
            .map(Some)
            .ok_or_else(|| invalid(self.path(name), "must be a moment such as 2026-11-22T04:00:00Z"))
    }

    /// A field as a day: `2026-11-22`, or the day in UTC of a moment such as
    /// `2026-11-22T04:00:00Z`, `2026-11-22 04:00:00` (Odoo), or milliseconds
    /// since 1970 (HubSpot's older form).
    ///
    /// # Errors
    ///
    /// The field is none of these.
    pub fn date(&self, name: &str) -> Result<Option<String>, Fault> {
        let Some(text) = self.scalar(name)? else {
            return Ok(None);
        };
        crate::calendar::day_of(&text)
            .map(Some)
            .ok_or_else(|| invalid(self.path(name), "must be a date such as 2026-11-22"))
    }

    /// A field as yes or no: `true`, `"true"`, `"yes"`, `"1"` and their opposites.
    ///
    /// # Errors
    ///
    /// The field is something else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let Some((_, text)) = self.find(name) else {
            return Ok(None);
        };
        let text = text.trim_matches('"');
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(&["null", ""]) {
            Ok(None)
        } else if is(&["true", "yes", "1"]) {
            Ok(Some(true))
        } else if is(&["false", "no", "0"]) {
            Ok(Some(false))
        } else {
            Err(invalid(self.path(name), "must be true or false"))
        }
    }

    /// A field that is an object; an empty one when there is no value.
    ///
    /// # Errors
    ///
    /// The field is something else.
    pub fn object(&self, name: &str) -> Result<Fields<'a>, Fault> {
        match self.value(name) {
            None => Ok(self.empty(self.path(name))),
            Some((at, text)) if text.starts_with('{') => Ok(self.inner(at)),
            Some(_) => Err(invalid(self.path(name), "must be a JSON object")),
        }
    }

    /// A field that is a list of objects; empty when there is no value.
    ///
    /// # Errors
    ///
    /// The field is something else.
    pub fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Fault> {
        let (list, text) = match self.value(name) {
            None => return Ok(Vec::new()),
            Some(found) => found,
        };
        if !text.starts_with('[') {
            return Err(invalid(self.path(name), "must be a list of objects"));
        }
        let items = self.document.tape.parts(list).enumerate();
        items
            .map(
                |(index, at)| match self.document.tape.value(at).starts_with('{') {
                    true => Ok(self.inner(at)),
                    false => Err(invalid(
                        format!("{}[{index}]", self.path(name)),
                        "must be a JSON object",
                    )),
                },
            )
            .collect()
    }

    fn scalar(&self, name: &str) -> Result<Option<Cow<'a, str>>, Fault> {
        let Some((at, raw)) = self.value(name) else {
            return Ok(None);
        };
        let rule = "must be a text or a number";
        match raw.as_bytes().first() {
            Some(b'"') => {
                let text = self.document.tape.text(at);
                let text = text.ok_or_else(|| invalid(self.path(name), rule))?;
                Ok((!text.is_empty()).then_some(text))
            }
            Some(b'{' | b'[') => Err(invalid(self.path(name), rule)),
            _ => Ok(Some(Cow::Borrowed(raw))),
        }
    }

    /// A field's place and text; none where there is no value.
    #[inline]
    fn value(&self, name: &str) -> Option<(usize, &'a str)> {
        match self.find(name)? {
            (_, "null" | "false" | "\"\"") => None,
            found => Some(found),
        }
    }

    /// A field's place and text, whatever it holds.
    fn find(&self, name: &str) -> Option<(usize, &'a str)> {
        if self.missing.is_some() {
            return None;
        }
        let at = self.document.tape.find(self.at, name)?;
        Some((at, self.document.tape.value(at)))
    }

    fn inner(&self, at: usize) -> Self {
        Self {
            document: Rc::clone(&self.document),
            at,
            missing: None,
        }
    }

    fn empty(&self, path: Path<'_>) -> Self {
        Self {
            document: Rc::clone(&self.document),
            at: self.at,
            missing: Some(path.to_string().into()),
        }
    }
}

impl fmt::Debug for Fields<'_> {
    /// The path and never the text, which may be a person's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.path(""))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "name": " Müller \u0026 Söhne ", "empty": "", "none": null, "odoo": false,
        "big": 90071992547409.91, "huge": 9007199254740993.25, "amount": "1,5", "won": "true", "closed": "1795305600000",
        "moment": "2026-11-22 23:59:59", "lines": [{"id": 7}, {"id": "x"}], "deep": {"a": {"b": "c"}}
    }"#;

    fn fields() -> Fields<'static> {
        Fields::parse(TEXT, "deal").unwrap()
    }

    #[test]
    fn texts_are_trimmed_and_unescaped() {
        assert_eq!(fields().text("name").unwrap().as_deref(), Some("Müller & Söhne"));
    }

    #[test]
    fn nothing_empty_null_and_false_are_no_value() {
        for name in ["nothing", "empty", "none", "odoo"] {
            assert_eq!(fields().text(name).unwrap(), None, "{name}");
        }
    }

    #[test]
    fn a_number_keeps_all_its_digits() {
        assert_eq!(
            fields().decimal("big").unwrap().unwrap().to_string(),
            "90071992547409.91"
        );
    }

    #[test]
    fn a_number_with_more_digits_than_the_contract_carries_is_refused_and_not_rounded() {
        let fault = fields().decimal("huge").unwrap_err();
        assert!(matches!(fault, Fault::Invalid(it) if it.field == "deal.huge"));
    }

    #[test]
    fn faults_name_the_field_and_not_its_value() {
        let fault = fields().decimal("amount").unwrap_err();
        assert_eq!(
            fault,
            invalid(
                "deal.amount",
                "must be a decimal number with a point and at most 15 digits"
            )
        );
        let lines = fields().objects("lines").unwrap();
        assert_eq!(lines[1].path("id").to_string(), "deal.lines[1].id");
        let missing = fields()
            .object("deep")
            .unwrap()
            .object("a")
            .unwrap()
            .required_text("z");
        assert_eq!(missing.unwrap_err(), invalid("deal.deep.a.z", "is required"));
    }

    #[test]
    fn dates_come_from_days_moments_and_milliseconds() {
        assert_eq!(fields().date("closed").unwrap().as_deref(), Some("2026-11-22"));
        assert_eq!(fields().date("moment").unwrap().as_deref(), Some("2026-11-22"));
        assert!(fields().date("name").is_err());
    }

    #[test]
    fn moments_come_in_utc_whatever_their_form() {
        let text = r#"{"rfc": "2026-11-22T05:00:00.250+01:00", "odoo": "2026-11-22 04:00:00", "ms": "1795320000000"}"#;
        let fields = Fields::parse(text, "").unwrap();
        assert_eq!(
            fields.moment("rfc").unwrap().as_deref(),
            Some("2026-11-22T04:00:00.25Z")
        );
        assert_eq!(
            fields.moment("odoo").unwrap().as_deref(),
            Some("2026-11-22T04:00:00Z")
        );
        assert_eq!(
            fields.moment("ms").unwrap().as_deref(),
            Some("2026-11-22T04:00:00Z")
        );
    }

    #[test]
    fn a_float_is_rounded_and_may_have_an_exponent() {
        let text = r#"{"a": 3.5299999999999994, "b": 1.075, "c": 1e-05, "d": 123456789.35299999999999994, "e": [1]}"#;
        let fields = Fields::parse(text, "").unwrap();
        for (name, expected) in [("a", "3.53"), ("b", "1.08"), ("c", "0"), ("d", "123456789.35")] {
            assert_eq!(
                fields.rounded(name, 2).unwrap().unwrap().to_string(),
                expected,
                "{name}"
            );
        }
        assert_eq!(
            fields.rounded("e", 2).unwrap_err(),
            invalid("e", "must be a text or a number")
        );
    }

    #[test]
    fn a_currency_is_a_code_that_exists() {
        let fields = Fields::parse(r#"{"a": "EUR", "b": "euro"}"#, "deal").unwrap();
        assert_eq!(fields.currency("a").unwrap().as_deref(), Some("EUR"));
        assert_eq!(
            fields.currency("b").unwrap_err(),
            invalid("deal.b", "must be an ISO 4217 code such as EUR")
        );
    }

    #[test]
    fn flags_are_read_in_all_their_spellings() {
        assert_eq!(fields().flag("won").unwrap(), Some(true));
        assert_eq!(fields().flag("odoo").unwrap(), Some(false));
        assert_eq!(fields().flag("nothing").unwrap(), None);
        assert!(fields().flag("name").is_err());
    }
}
