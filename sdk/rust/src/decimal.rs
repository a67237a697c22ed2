//! Exact decimal numbers: the contract's form and the one to compute with.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::prelude::{Decimal, Fault, broken};

/// A literal, exact and checked when the plugin is compiled: `dec!(0.19)`.
#[doc(inline)]
pub use crate::dec;
/// A number to compute with: 28 digits, exact.
pub use rust_decimal::Decimal as Amount;

/// An exact number to compute with, written in the source: `dec!(0.19)`.
///
/// `rust_decimal`'s own macro needs that crate among the plugin's dependencies.
#[macro_export]
macro_rules! dec {
    ($number:literal) => {
        const { $crate::decimal::literal(stringify!($number)) }
    };
}

/// The largest number of units in the contract's form of a number, and with a minus the
/// smallest: what a float of 64 bits holds exactly. See `decimal` in `types.wit`.
pub const MAX_UNITS: i64 = (1 << 53) - 1;

/// What `dec!` makes of its text; runs in the compiler.
#[doc(hidden)]
#[expect(
    clippy::panic,
    reason = "an error in a literal ends the compilation, not a call"
)]
pub const fn literal(text: &str) -> Amount {
    let mut rest = text.as_bytes();
    let (mut mantissa, mut scale, mut point, mut negative) = (0u128, 0u32, false, false);
    while let [byte, tail @ ..] = rest {
        match *byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + (*byte - b'0') as u128;
                scale += point as u32;
            }
            b'.' if !point => point = true,
            b'-' => negative = true,
            b'_' | b' ' => {}
            _ => panic!("a decimal is written in digits, such as 0.19"),
        }
        rest = tail;
    }
    assert!(
        mantissa < 1 << 96 && scale <= 28,
        "a decimal has 28 digits at most"
    );
    Amount::from_parts(
        mantissa as u32,
        (mantissa >> 32) as u32,
        (mantissa >> 64) as u32,
        negative,
        scale,
    )
}

impl Decimal {
    /// The number to compute with.
    ///
    /// A scale above 28 cannot come from the host, which refuses it; it counts
    /// as zero here rather than as a panic.
    pub fn value(&self) -> Amount {
        Amount::try_from_i128_with_scale(i128::from(self.units), u32::from(self.scale)).unwrap_or_default()
    }

    /// The number as text, with at least so many digits behind the point and no zeros
    /// behind these: 2050 and 0.125 with two are `2050.00` and `0.125`.
    pub fn text(&self, digits: u32) -> String {
        let mut text = String::with_capacity(24);
        self.write(&mut text, digits);
        text
    }

    /// Writes [`text`](Self::text) behind another. Without `fmt`, whose calls by
    /// pointer cost a fresh instance more than the number does.
    pub(crate) fn write(&self, to: &mut String, digits: u32) {
        let (mut units, mut scale) = (self.units.unsigned_abs(), u32::from(self.scale));
        while scale > digits && units.is_multiple_of(10) {
            (units, scale) = (units / 10, scale - 1);
        }
        let Some(one) = 10_u64.checked_pow(scale) else {
            // no number of the contract has such a scale
            let _ = write!(to, "{}", self.value().normalize());
            return;
        };
        let mut buffer = itoa::Buffer::new();
        if self.units < 0 {
            to.push('-');
        }
        to.push_str(buffer.format(units / one));
        if digits == 0 && scale == 0 {
            return;
        }
        to.push('.');
        if scale > 0 {
            let behind = buffer.format(units % one);
            (behind.len()..scale as usize).for_each(|_| to.push('0'));
            to.push_str(behind);
        }
        (scale..digits).for_each(|_| to.push('0'));
    }
}

/// From the number to compute with to the contract's form.
pub trait Exact {
    /// The contract's form of the number.
    ///
    /// # Errors
    ///
    /// The number has more digits than the contract carries (15, or 16 up to
    /// [`MAX_UNITS`]): it was divided and not rounded.
    fn exact(self) -> Result<Decimal, Fault>;
}

/// The form that nearly all numbers have: digits, at most 16 of them, and perhaps
/// a sign before and a point among them. Four times as fast as the general way.
fn plain(text: &str) -> Option<Decimal> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits.as_bytes()),
        None => (false, text.as_bytes()),
    };
    if !digits.first()?.is_ascii_digit() || !digits.last()?.is_ascii_digit() || digits.len() > 17 {
        return None;
    }
    let (mut units, mut scale, mut point) = (0_i64, 0_u8, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                units = units.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                scale += u8::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    let units = if negative { -units } else { units };
    (units.abs() <= MAX_UNITS && scale <= 18).then_some(Decimal { units, scale })
}

/// A number that the source keeps as a float, rounded half away from zero; none
/// where the text is no number, or has more digits than can be computed with.
pub(crate) fn rounded(text: &str, digits: u32) -> Option<Decimal> {
    let number = Amount::from_str(text)
        .or_else(|_| Amount::from_scientific(text))
        .ok()?;
    let number = number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    number.normalize().exact().ok()
}

impl Exact for Amount {
    fn exact(self) -> Result<Decimal, Fault> {
        // zeros behind the point need no digits
        let number = if fits(&self) { self } else { self.normalize() };
        match (i64::try_from(number.mantissa()), u8::try_from(number.scale())) {
            (Ok(units), Ok(scale)) if fits(&number) => Ok(Decimal { units, scale }),
            _ => Err(broken(
                "a number has more than 15 digits; round it before it is answered",
            )),
        }
    }
}

/// Whether the contract carries the number as it stands.
fn fits(number: &Amount) -> bool {
    number.scale() <= 18 && number.mantissa().unsigned_abs() <= u128::from(MAX_UNITS.unsigned_abs())
}

/// A whole number, up to [`MAX_UNITS`]: the host refuses more.
impl From<i64> for Decimal {
    fn from(units: i64) -> Self {
        Self { units, scale: 0 }
    }
}

impl FromStr for Decimal {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if let Some(number) = plain(text) {
            return Ok(number);
        }
        Amount::from_str(text)
            .map_err(|_| broken(format!("`{text}` is no decimal number")))?
            .exact()
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text(0))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map_err(|_| D::Error::custom(format!("`{text}` is no decimal number")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_of_the_contract_comes_back(units in -MAX_UNITS..=MAX_UNITS, scale in 0u8..=18) {
            let number = Decimal { units, scale };
            prop_assert_eq!(number.value().exact().ok(), Some(number));
        }

        #[test]
        fn a_text_has_the_digits_that_are_wanted_and_those_that_count(
            units in prop_oneof![any::<i64>(), -1000i64..1000, (-1000i64..1000).prop_map(|it| it * 10_000)],
            scale in 0u8..=20, digits in 0u32..6,
        ) {
            let number = Decimal { units, scale };
            let mut wanted = number.value().normalize();
            if wanted.scale() < digits && scale <= 18 {
                wanted.rescale(digits);
            }
            // a long number has no room for more zeros in the library's form
            prop_assume!(wanted.scale() >= digits || scale > 18);
            prop_assert_eq!(number.text(digits), wanted.to_string());
        }
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_way_reads(text in "-?[0-9]{0,21}[._+e]?[0-9]{0,21}") {
            if let Some(number) = plain(&text) {
                let long = Amount::from_str(&text).ok().and_then(|long| long.exact().ok());
                prop_assert_eq!(Some((number.units, number.scale)), long.map(|long| (long.units, long.scale)));
            }
        }
    }

    #[test]
    fn literals_are_exact() {
        for (literal, text) in [
            (dec!(0.19), "0.19"),
            (dec!(-12.50), "-12.50"),
            (dec!(50_000), "50000"),
            (
                dec!(79228162514264337593543950335),
                "79228162514264337593543950335",
            ),
        ] {
            assert_eq!(literal.to_string(), text);
        }
    }

    #[test]
    fn equal_values_are_equal_whatever_their_scale() {
        assert_eq!(
            Decimal { units: 119, scale: 0 },
            Decimal {
                units: 11900,
                scale: 2
            }
        );
    }

    #[test]
    fn a_third_is_refused_until_it_is_rounded() {
        let third = Amount::ONE / Amount::from(3);
        assert!(third.exact().is_err());
        assert_eq!(
            third.round_dp(2).exact().ok(),
            Some(Decimal { units: 33, scale: 2 })
        );
    }
}
