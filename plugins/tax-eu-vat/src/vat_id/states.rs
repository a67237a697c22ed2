//! The shape and the check digits of each member state's ids.
//!
//! One function a state, in the order of the codes. The rules are the public
//! ones of the national authorities, as the European Commission has collected
//! them for VIES. Where a state leaves room, the id passes: refusing a good id
//! stops a deal, and VIES has the last word.

use super::digits::{Digits, exactly, luhn, luhn_sum, mod_11_10, mod_97_10, value, weighted};

/// Whether the state issues ids like this number, given without prefix, in
/// ASCII capitals.
pub(super) fn issues(state: &str, number: &str) -> bool {
    match state {
        "AT" => austria(number),
        "BE" => belgium(number),
        "BG" => bulgaria(number),
        "CY" => cyprus(number),
        "CZ" => czechia(number),
        "DE" => not_from_zero(9, number).is_some_and(|n| mod_11_10(&n)),
        "DK" => not_from_zero(8, number)
            .is_some_and(|n| weighted(&n, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)),
        "EE" => {
            exactly(9, number).is_some_and(|n| weighted(&n, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10))
        }
        "ES" => spain(number),
        "FI" => {
            exactly(8, number).is_some_and(|n| weighted(&n, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11))
        }
        "FR" => france(number),
        "GR" => greece(number),
        "HR" => exactly(11, number).is_some_and(|n| mod_11_10(&n)),
        "HU" => {
            exactly(8, number).is_some_and(|n| weighted(&n, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10))
        }
        "IE" => ireland(number),
        "IT" => italy(number),
        "LT" => lithuania(number),
        "LU" => exactly(8, number).is_some_and(|n| value(&n) / 100 % 89 == value(&n) % 100),
        "LV" => latvia(number),
        "MT" => not_from_zero(8, number)
            .is_some_and(|n| weighted(&n, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37)),
        "NL" => netherlands(number),
        "PL" => checked(exactly(10, number), |n| {
            weighted(n, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11
        }),
        "PT" => checked(not_from_zero(9, number), |n| {
            (11 - weighted(n, &DOWN_FROM_9) % 11) % 11 % 10
        }),
        "RO" => romania(number),
        "SE" => sweden(number),
        // a remainder of 0 leaves 11, which is no digit: such numbers are not issued
        "SI" => checked(not_from_zero(8, number), |n| {
            match 11 - weighted(n, &DOWN_FROM_8) % 11 {
                10 => 0,
                check => check,
            }
        }),
        "SK" => slovakia(number),
        _ => false,
    }
}

const DOWN_FROM_9: [u32; 8] = [9, 8, 7, 6, 5, 4, 3, 2];
const DOWN_FROM_8: [u32; 7] = [8, 7, 6, 5, 4, 3, 2];

fn not_from_zero(len: usize, number: &str) -> Option<Digits> {
    exactly(len, number).filter(|digits| digits.first() != Some(&0))
}

/// Whether the last digit is what `of` makes of the others.
fn checked(digits: Option<Digits>, of: impl Fn(&[u32]) -> u32) -> bool {
    digits.is_some_and(|digits| {
        digits
            .split_last()
            .is_some_and(|(check, body)| of(body) == *check)
    })
}

/// `U` and eight digits; the sum of Luhn over the first seven, and 4 added.
fn austria(number: &str) -> bool {
    let digits = number.strip_prefix('U').and_then(|rest| exactly(8, rest));
    checked(digits, |n| (10 - (luhn_sum(n) + 4) % 10) % 10)
}

/// Ten digits; the last two and the others make 97.
fn belgium(number: &str) -> bool {
    exactly(10, number).is_some_and(|digits| {
        let number = value(&digits);
        matches!(digits.first(), Some(0 | 1)) && number > 0 && 97 - number / 100 % 97 == number % 100
    })
}

/// Nine digits for a firm; ten for a person, a foreigner or another.
fn bulgaria(number: &str) -> bool {
    let firm = checked(exactly(9, number), |n| {
        match weighted(n, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11 {
            10 => weighted(n, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10,
            check => check,
        }
    });
    let person = |n: &[u32]| weighted(n, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    let foreigner = |n: &[u32]| weighted(n, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10;
    // a remainder of 1 leaves 10, which is no digit
    let other = |n: &[u32]| (11 - weighted(n, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    let ten = exactly(10, number);
    firm || checked(ten.clone().filter(|n| born(n, &[0, 20, 40])), person)
        || checked(ten.clone(), foreigner)
        || checked(ten, other)
}

/// Eight digits and a letter; digits at odd places count through a table.
fn cyprus(number: &str) -> bool {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let Some((digits, letter)) = number.split_at_checked(8) else {
        return false;
    };
    let Some(digits) = exactly(8, digits) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => ODD.get(*digit as usize).copied().unwrap_or_default(),
            _ => *digit,
        })
        .sum();
    !digits.starts_with(&[1, 2])
        && letter.len() == 1
        && letter_at("ABCDEFGHIJKLMNOPQRSTUVWXYZ", sum % 26, letter)
}

/// Eight digits for a firm; nine or ten for a person, by birth number or
/// beginning with 6.
fn czechia(number: &str) -> bool {
    let firm = not_nine(exactly(8, number));
    let firm = checked(firm, |n| match (11 - weighted(n, &DOWN_FROM_8) % 11) % 11 {
        0 => 1,
        check => check % 10,
    });
    let special = number.strip_prefix('6').and_then(|rest| exactly(8, rest));
    let special = checked(special, |n| {
        (18 - (21 - weighted(n, &DOWN_FROM_8) % 11) % 11) % 10
    });
    firm || special || birth_number(number)
}

/// The birth number of Czechia and Slovakia: nine digits without a check digit
/// for births before 1954, ten since then.
fn birth_number(number: &str) -> bool {
    let nine = exactly(9, number).filter(|n| !(54..80).contains(&(value(n) / 10_000_000)));
    let ten = exactly(10, number).filter(|n| value(n) / 10 % 11 % 10 == value(n) % 10);
    nine.or(ten).is_some_and(|n| born(&n, &[0, 20, 50, 70]))
}

fn not_nine(digits: Option<Digits>) -> Option<Digits> {
    digits.filter(|digits| digits.first() != Some(&9))
}

/// Whether a number begins with a day of birth: year, month, day. The month is
/// raised by one of `shifts` for women, other centuries, or days of many births.
/// Takes a 31st of any month.
fn born(digits: &[u32], shifts: &[u64]) -> bool {
    let date = value(digits.get(..6).unwrap_or_default());
    let (month, day) = (date / 100 % 100, date % 100);
    shifts
        .iter()
        .any(|shift| (shift + 1..=shift + 12).contains(&month))
        && (1..=31).contains(&day)
}

/// Nine characters: a citizen's number and letter, a foreigner's with `X`, `Y`,
/// `Z`, or a firm's letter, seven digits and a check digit or letter.
fn spain(number: &str) -> bool {
    const LETTERS: &str = "TRWAGMYFPDXBNJZSQVHLCKE";
    if number.len() != 9 {
        return false;
    }
    let (Some((first, _)), Some((body, last))) = (number.split_at_checked(1), number.split_at_checked(8))
    else {
        return false;
    };
    let rest = body.get(1..).unwrap_or_default();
    let person = |digits: String| {
        exactly(digits.len(), &digits).is_some_and(|n| letter_at(LETTERS, (value(&n) % 23) as u32, last))
    };
    match first {
        "X" => person(format!("0{rest}")),
        "Y" => person(format!("1{rest}")),
        "Z" => person(format!("2{rest}")),
        "K" | "L" | "M" => person(rest.to_owned()),
        _ if first.starts_with(|c: char| c.is_ascii_digit()) => person(body.to_owned()),
        _ if "ABCDEFGHJNPQRSUVW".contains(first) => exactly(7, rest).is_some_and(|n| {
            let check = (10 - luhn_sum(&[n.as_slice(), &[0]].concat()) % 10) % 10;
            last == check.to_string() || letter_at("JABCDEFGHI", check, last)
        }),
        _ => false,
    }
}

/// Two characters, and a number of Luhn; the characters check the number.
/// Monaco's numbers begin with 000 and follow no Luhn.
fn france(number: &str) -> bool {
    // no I and no O
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let Some((key, siren)) = number.split_at_checked(2) else {
        return false;
    };
    let Some(digits) = exactly(9, siren) else {
        return false;
    };
    if !siren.starts_with("000") && !luhn(&digits) {
        return false;
    }
    let siren = value(&digits);
    if let Some(key) = exactly(2, key) {
        return value(&key) == (12 + 3 * (siren % 97)) % 97;
    }
    let mut places = key
        .chars()
        .map(|c| ALPHABET.chars().position(|letter| letter == c));
    let (Some(Some(first)), Some(Some(second))) = (places.next(), places.next()) else {
        return false;
    };
    let check = if first < 10 {
        first * 24 + second - 10
    } else {
        first * 34 + second - 100
    } as u64;
    (siren + 1 + check / 11) % 11 == check % 11
}

/// Nine digits, or the eight of old numbers; weights are powers of two.
fn greece(number: &str) -> bool {
    let nine = if number.len() == 8 {
        format!("0{number}")
    } else {
        number.to_owned()
    };
    checked(exactly(9, &nine), |n| {
        weighted(n, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10
    })
}

/// Seven digits, a check letter, perhaps one more letter; old numbers have a
/// letter or sign in the second place.
fn ireland(number: &str) -> bool {
    const LETTERS: &str = "WABCDEFGHIJKLMNOPQRSTUV";
    let Some((body, letters)) = number.split_at_checked(7) else {
        return false;
    };
    let (check, second) = letters.split_at_checked(1).unwrap_or_default();
    let second = match second.as_bytes() {
        [] | [b'W'] => 0,
        [letter @ b'A'..=b'V'] => u32::from(letter - b'A') + 1,
        _ => return false,
    };
    if let Some(digits) = exactly(7, body) {
        let sum = weighted(&digits, &DOWN_FROM_8) + 9 * second;
        return letter_at(LETTERS, sum % 23, check);
    }
    // old: the first digit moves to the end, a zero to the front
    let (Some(first), Some(sign), Some(rest)) = (body.get(..1), body.get(1..2), body.get(2..)) else {
        return false;
    };
    let old = exactly(7, &format!("0{rest}{first}"));
    sign.starts_with(|c: char| c.is_ascii_uppercase() || c == '+' || c == '*')
        && letters.len() == 1
        && old.is_some_and(|digits| letter_at(LETTERS, weighted(&digits, &DOWN_FROM_8) % 23, check))
}

/// Eleven digits of Luhn; the eighth to the tenth name the province's office.
fn italy(number: &str) -> bool {
    exactly(11, number).is_some_and(|digits| {
        let office = value(&digits) / 10 % 1000;
        let known = (1..=100).contains(&office) || [120, 121, 888, 999].contains(&office);
        value(&digits) / 10_000 > 0 && known && luhn(&digits)
    })
}

/// Nine digits for a firm, twelve for those registered for a time; a 1 before
/// the check digit.
fn lithuania(number: &str) -> bool {
    let digits = exactly(9, number).or_else(|| exactly(12, number));
    let marked = |digits: &Digits| digits.iter().rev().nth(1) == Some(&1);
    checked(digits.filter(marked), |n| {
        let sum = |from: usize| -> u32 {
            let weights = (1..=9).cycle().skip(from);
            n.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
        };
        match sum(0) % 11 {
            10 => sum(2) % 11 % 10,
            check => check,
        }
    })
}

/// Eleven digits: a firm's begins above 3, a person's with the day of birth or
/// with 32.
fn latvia(number: &str) -> bool {
    let Some(digits) = exactly(11, number) else {
        return false;
    };
    if digits.first() > Some(&3) {
        return weighted(&digits, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3;
    }
    let (day, month) = (value(&digits) / 1_000_000_000, value(&digits) / 10_000_000 % 100);
    let born = (1..=31).contains(&day) && (1..=12).contains(&month);
    (born || day == 32)
        && checked(Some(digits), |n| {
            (1 + weighted(n, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10
        })
}

/// Nine digits, `B`, two digits; a firm's by the eleven test, a self-employed
/// person's by MOD 97-10 since 2020.
fn netherlands(number: &str) -> bool {
    let Some((digits, suffix)) = number.split_once('B') else {
        return false;
    };
    let Some(digits) = exactly(9, digits) else {
        return false;
    };
    let eleven = weighted(&digits, &DOWN_FROM_9) % 11 == digits.last().copied().unwrap_or(11);
    exactly(2, suffix).is_some_and(|suffix| value(&suffix) > 0)
        && value(&digits) > 0
        && (eleven || mod_97_10(&format!("NL{number}")))
}

/// Two to ten digits.
fn romania(number: &str) -> bool {
    let padded = format!("{number:0>10}");
    (2..=10).contains(&number.len())
        && !number.starts_with('0')
        && checked(exactly(10, &padded), |n| {
            weighted(n, &[7, 5, 3, 2, 1, 7, 5, 3, 2]) * 10 % 11 % 10
        })
}

/// Ten digits, divisible by 11, or a person's birth number.
fn slovakia(number: &str) -> bool {
    exactly(10, number).is_some_and(|digits| {
        let third = matches!(digits.get(2), Some(2 | 3 | 4 | 7 | 8 | 9));
        digits.first() != Some(&0) && third && value(&digits).is_multiple_of(11)
    }) || (number.len() == 10 && birth_number(number))
}

/// Ten digits of Luhn and a running number from 01 to 94.
fn sweden(number: &str) -> bool {
    exactly(12, number).is_some_and(|digits| {
        let (body, suffix) = digits.split_at(10);
        luhn(body) && (1..=94).contains(&value(suffix))
    })
}

/// Whether `text` is the letter at a place of an alphabet.
fn letter_at(alphabet: &str, at: u32, text: &str) -> bool {
    let letter = alphabet.chars().nth(at as usize);
    letter.is_some_and(|letter| text.chars().eq([letter]))
}
