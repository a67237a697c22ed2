//! Is this a GSTIN? Length, state, PAN, check character.
//!
//! Says nothing about whether the registration is active. Numbers of embassies
//! (UIN), of those who deduct or collect tax, and of foreigners without a PAN have
//! other shapes and are refused: a service is not invoiced to them as such.

use crate::states::{State, by_code};

/// Digits and letters in the order of their values, 0 to 35.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The rule that a GSTIN follows, for faults.
pub const RULE: &str = "must be a GSTIN of 15 characters: two digits of the state, the PAN, an entity number, Z and a \
                        check character";

/// The state in which the holder of a GSTIN is registered; none when it is no
/// GSTIN. Of the codes without a state, 97 is taken and 96 and 99 (foreigners
/// and the centre) are not.
pub fn state_of(gstin: &str) -> Option<&'static State> {
    let (body, check) = gstin.split_at_checked(14)?;
    (shaped(gstin) && check.chars().eq([check_character(body)?])).then_some(())?;
    by_code(gstin.get(..2)?)
}

/// `27AAPFU0939F1ZV`: 2 digits, 5 letters, 4 digits, a letter, an entity number
/// from 1 on, `Z`, a check character. The PAN's fourth letter is the kind of its
/// holder.
fn shaped(gstin: &str) -> bool {
    let kinds = *b"ABCEFGHJKLPT";
    gstin.len() == 15
        && gstin.bytes().enumerate().all(|(at, byte)| match at {
            0 | 1 | 7..=10 => byte.is_ascii_digit(),
            5 => kinds.contains(&byte),
            2..=6 | 11 => byte.is_ascii_uppercase(),
            12 => byte.is_ascii_uppercase() || (b'1'..=b'9').contains(&byte),
            13 => byte == b'Z',
            _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        })
}

/// Luhn's sum over 36 characters instead of 10 digits.
pub fn check_character(body: &str) -> Option<char> {
    let mut sum = 0;
    for (at, c) in body.chars().rev().enumerate() {
        let value = c.to_digit(36)? * if at % 2 == 0 { 2 } else { 1 };
        sum += value / 36 + value % 36;
    }
    ALPHABET
        .get(((36 - sum % 36) % 36) as usize)
        .map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(gstin: &str) -> Option<&'static str> {
        state_of(gstin).map(|state| state.code)
    }

    #[test]
    fn a_gstin_names_the_state_of_its_holder() {
        assert_eq!(code("27AAPFU0939F1ZV"), Some("27"));
        assert_eq!(code("24AAGCC7144L6ZD"), Some("24"));
    }

    #[test]
    fn one_wrong_character_is_found() {
        for wrong in [
            "27AAPFU0939F1ZO",
            "24AAGCC7144L6ZE",
            "27AAPFU0938F1ZV",
            "28AAPFU0939F1ZV",
            "27AAPFU0939F1Z",
            "27aapfu0939f1zv",
            "27AAPFU0939F1AV",
            "00AAPFU0939F1ZV",
            "",
            "27ÄÄPFU0939F1Z",
        ] {
            assert_eq!(code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn states_younger_than_gst_have_gstins_and_foreigners_have_none() {
        for (state, known) in [("38", true), ("97", true), ("96", false), ("40", false)] {
            let body = format!("{state}AAPFU0939F1Z");
            let gstin: String = body.chars().chain(check_character(&body)).collect();
            assert_eq!(code(&gstin).is_some(), known, "{state}");
        }
    }
}
