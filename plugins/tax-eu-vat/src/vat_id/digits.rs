//! The arithmetic of check digits. It knows no country.

/// A number of digits only, each 0 to 9.
pub(super) type Digits = Vec<u32>;

/// The digits of a text of exactly `len` digits.
pub(super) fn exactly(len: usize, text: &str) -> Option<Digits> {
    let digits: Digits = text.chars().map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    (digits.len() == len).then_some(digits)
}

/// The value of a text of digits, which the caller knows to be short.
pub(super) fn value(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit))
}

/// The sum of digits times weights, as far as both go.
pub(super) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum()
}

/// The sum of digits in which every second one, from the second last, is
/// doubled and its digits summed.
pub(super) fn luhn_sum(digits: &[u32]) -> u32 {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            if at % 2 == 1 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                *digit
            }
        })
        .sum()
}

/// Luhn (ISO/IEC 7812-1): the last digit is the check digit.
pub(super) fn luhn(digits: &[u32]) -> bool {
    luhn_sum(digits).is_multiple_of(10)
}

/// ISO 7064, MOD 11,10: the last digit is the check digit.
pub(super) fn mod_11_10(digits: &[u32]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *check
}

/// ISO 7064, MOD 97-10, over digits and letters (`A` counts 10).
pub(super) fn mod_97_10(text: &str) -> bool {
    let rest = text.chars().try_fold(0, |rest, c| {
        let value = c.to_digit(36)?;
        Some(
            if value < 10 {
                rest * 10 + value
            } else {
                rest * 100 + value
            } % 97,
        )
    });
    rest == Some(1)
}
