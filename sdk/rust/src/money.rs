//! Rounding to currencies, by name.

use rust_decimal::RoundingStrategy;

use crate::decimal::Amount;

/// How a half is rounded. There is no default: law or contract says which.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// A half goes away from zero: 0.125 to 0.13. Usual for invoices; Odoo's way.
    HalfUp,
    /// A half goes to the even neighbour: 0.125 to 0.12. Banker's rounding.
    HalfEven,
    /// Digits are cut off: 0.129 to 0.12.
    Down,
    /// Any rest goes away from zero: 0.121 to 0.13.
    Up,
}

/// How many digits a currency has behind the point, by ISO 4217: 2 for `EUR`,
/// 0 for `JPY`, 3 for `KWD`; 2 for one that is not in the list.
pub fn minor_units(currency: &str) -> u32 {
    iso_currency::Currency::from_code(currency)
        .and_then(|currency| currency.exponent())
        .map_or(2, u32::from)
}

/// Rounds an amount to what the currency can express.
pub fn round_to_currency(amount: Amount, currency: &str, rounding: Rounding) -> Amount {
    let strategy = match rounding {
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::Down => RoundingStrategy::ToZero,
        Rounding::Up => RoundingStrategy::AwayFromZero,
    };
    let digits = minor_units(currency);
    let mut rounded = amount.round_dp_with_strategy(digits, strategy);
    rounded.rescale(digits);
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::dec;

    #[test]
    fn digits_are_those_of_iso_4217() {
        for (currency, digits) in [("EUR", 2), ("INR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)] {
            assert_eq!(minor_units(currency), digits, "{currency}");
        }
    }

    #[test]
    fn each_rounding_does_what_its_name_says() {
        for (rounding, plus, minus) in [
            (Rounding::HalfUp, dec!(1.08), dec!(-1.08)),
            (Rounding::HalfEven, dec!(1.08), dec!(-1.08)),
            (Rounding::Down, dec!(1.07), dec!(-1.07)),
            (Rounding::Up, dec!(1.08), dec!(-1.08)),
        ] {
            assert_eq!(round_to_currency(dec!(1.075), "EUR", rounding), plus);
            assert_eq!(round_to_currency(dec!(-1.075), "EUR", rounding), minus);
        }
        assert_eq!(
            round_to_currency(dec!(1.085), "EUR", Rounding::HalfEven),
            dec!(1.08)
        );
        assert_eq!(round_to_currency(dec!(31.5), "JPY", Rounding::HalfUp), dec!(32));
    }
}
