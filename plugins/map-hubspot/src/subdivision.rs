//! States and provinces: HubSpot's free text as ISO 3166-2.
//!
//! Read where a tax or an address form asks for them: India (GST is split by
//! state), the United States and Germany. Elsewhere a text counts only when it
//! is an ISO 3166-2 code already, and is left out otherwise.

mod names;

use cambist_sdk::prelude::*;

use crate::settings::Settings;

/// The subdivision that a field names, within `country`.
///
/// # Errors
///
/// The country is India or the United States, where tax depends on the state,
/// and the field names none that is known.
pub(crate) fn read(
    from: &Fields<'_>,
    name: &str,
    country: Option<&str>,
    settings: &Settings,
) -> Result<Option<String>> {
    let (Some(country), Some(text)) = (country, from.text(name)?) else {
        return Ok(None);
    };
    if let Some(code) = settings.subdivisions.get(&text) {
        return Ok(Some(code.clone()));
    }
    let (table, decides_tax) = match country {
        "IN" => (names::INDIA, true),
        "US" => (names::UNITED_STATES, true),
        "DE" => (names::GERMANY, false),
        _ => return Ok(written_in_full(&text, country).map(str::to_owned)),
    };
    let short = written_in_full(&text, country).map_or(text.as_str(), |code| code.split_at(3).1);
    match code_of(short, table) {
        Some(code) => Ok(Some(format!("{country}-{code}"))),
        None if decides_tax => Err(invalid(
            from.path(name),
            "must be a state by its English name or ISO 3166-2 code; add other spellings to `subdivisions` in the settings",
        )),
        None => Ok(None),
    }
}

/// The text itself where it is an ISO 3166-2 code of the country: `IT-MI`.
fn written_in_full<'a>(text: &'a str, country: &str) -> Option<&'a str> {
    let code = text.strip_prefix(country)?.strip_prefix('-')?;
    let fits = (1..=3).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    fits.then_some(text)
}

fn code_of(text: &str, table: &[(&str, &'static str)]) -> Option<&'static str> {
    if text.len() == 2 {
        let same = |row: &&(&str, &str)| row.1.eq_ignore_ascii_case(text);
        return table.iter().find(same).map(|(_, code)| *code);
    }
    let lower = text.to_lowercase();
    let at = table
        .binary_search_by_key(&lower.as_str(), |(name, _)| name)
        .ok()?;
    table.get(at).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tables_are_sorted() {
        for table in [names::INDIA, names::UNITED_STATES, names::GERMANY] {
            assert!(table.is_sorted_by(|one, two| one.0 < two.0));
        }
    }

    #[test]
    fn a_state_is_known_by_name_and_by_code() {
        assert_eq!(code_of("Maharashtra", names::INDIA), Some("MH"));
        assert_eq!(code_of("mh", names::INDIA), Some("MH"));
        assert_eq!(
            code_of("Bayern", names::GERMANY),
            code_of("Bavaria", names::GERMANY)
        );
        assert_eq!(code_of("Bavaria", names::UNITED_STATES), None);
    }

    #[test]
    fn a_code_in_full_belongs_to_its_country() {
        assert_eq!(written_in_full("IT-MI", "IT"), Some("IT-MI"));
        assert_eq!(written_in_full("IT-MI", "FR"), None);
        assert_eq!(written_in_full("Milano", "IT"), None);
    }
}
