//! Countries as HubSpot holds them, free text, and as ISO 3166-1 writes them.
//!
//! HubSpot fills a company's country from what somebody typed or from a data
//! provider, in English most of the time. Known are the alpha-2 codes, the
//! English short names, and names that people write; the settings add a
//! region's own. What is unknown is a fault and never a guess, because the
//! country decides the tax.

mod names;

use cambist_sdk::prelude::*;

use crate::settings::Settings;

/// The code of the country that a field names; none where the field is empty.
///
/// # Errors
///
/// The field names no country that is known. The fault never repeats the value:
/// people type whole addresses there.
pub(crate) fn read(from: &Fields<'_>, name: &str, settings: &Settings) -> Result<Option<String>> {
    let Some(text) = from.text(name)? else {
        return Ok(None);
    };
    let code = settings
        .countries
        .get(&text)
        .map(String::as_str)
        .or_else(|| code_of(&text));
    match code {
        Some(code) => Ok(Some(code.to_owned())),
        None => Err(invalid(
            from.path(name),
            "must be a country by its English name or ISO 3166 code; add other spellings to `countries` in the settings",
        )),
    }
}

/// The English short name of a country, which is how HubSpot's own forms write it.
pub(crate) fn name_of(code: &str) -> Option<&'static str> {
    let at = names::BY_CODE
        .binary_search_by_key(&code, |(code, _)| code)
        .ok()?;
    names::BY_CODE.get(at).map(|(_, name)| *name)
}

fn code_of(text: &str) -> Option<&'static str> {
    if text.len() == 2 {
        let upper = text.to_ascii_uppercase();
        if let Ok(at) = names::BY_CODE.binary_search_by_key(&upper.as_str(), |(code, _)| code) {
            return names::BY_CODE.get(at).map(|(code, _)| *code);
        }
    }
    let lower = text.to_lowercase();
    let at = names::BY_NAME
        .binary_search_by_key(&lower.as_str(), |(name, _)| name)
        .ok()?;
    names::BY_NAME.get(at).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_sorted_and_agree() {
        assert!(names::BY_CODE.is_sorted_by(|one, two| one.0 < two.0));
        assert!(names::BY_NAME.is_sorted_by(|one, two| one.0 < two.0));
        for (code, name) in names::BY_CODE {
            assert_eq!(code_of(name), Some(*code), "{name}");
        }
        for (name, code) in names::BY_NAME {
            assert!(name_of(code).is_some(), "{name}");
        }
    }

    #[test]
    fn codes_names_and_spellings_lead_to_one_country() {
        for text in ["DE", "de", "Germany", "GERMANY", "Deutschland"] {
            assert_eq!(code_of(text), Some("DE"), "{text}");
        }
        for text in ["GB", "UK", "United Kingdom", "England"] {
            assert_eq!(code_of(text), Some("GB"), "{text}");
        }
        assert_eq!(code_of("Österreich"), Some("AT"));
        assert_eq!(code_of("Atlantis"), None);
    }
}
