//! Is this a VAT id of that member state? Prefix, shape and check digits.
//!
//! Says nothing about whether the id is in use: only VIES can, and its answer is
//! an input. Ids are taken as invoices print them, so spaces, points and hyphens
//! are passed over.
//!
//! Written here although a crate exists: `vat_id_validator` brings a regular
//! expression engine, 1.2 MB of module and its compilation in every call, and
//! knows neither `XI` nor ids of eight digits from Greece. `tests/stdnum.rs`
//! compares these checks with an independent implementation.

use crate::member_states::{MemberState, by_vat_prefix};

mod digits;
mod states;

/// Why an id is not one of the state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrong {
    /// It begins with the letters of another place, or with none.
    Prefix,
    /// It is one of Northern Ireland, which counts for goods only (Protocol on
    /// Ireland/Northern Ireland, article 8).
    NorthernIreland,
    /// The length, a letter or a check digit is not what the state issues.
    Malformed,
}

impl Wrong {
    /// The rule that the id breaks, without the id.
    pub fn rule(self, state: &MemberState) -> String {
        let prefix = state.vat_prefix;
        match self {
            Self::Prefix => format!(
                "must begin with `{prefix}`: a service is supplied where the establishment that receives it is \
                 (article 44), so address and VAT id belong to one member state"
            ),
            Self::NorthernIreland => {
                format!("must begin with `{prefix}`; an id of Northern Ireland (`XI`) counts for goods only")
            }
            Self::Malformed => {
                format!(
                    "is no VAT id as `{prefix}` issues them; compare its length and check digits with VIES"
                )
            }
        }
    }
}

/// Checks an id against the state that should have issued it.
///
/// # Errors
///
/// What is wrong with it.
pub fn check(id: &str, state: &MemberState) -> Result<(), Wrong> {
    let compact: String = id
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '/'))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let (prefix, number) = compact.split_at_checked(2).ok_or(Wrong::Malformed)?;
    if prefix == "XI" {
        return Err(Wrong::NorthernIreland);
    }
    if by_vat_prefix(prefix) != Some(state) {
        return Err(Wrong::Prefix);
    }
    if number.is_ascii() && states::issues(state.code, number) {
        Ok(())
    } else {
        Err(Wrong::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member_states::by_code;

    fn verdict(id: &str, state: &str) -> Result<(), Wrong> {
        check(id, by_code(state).ok_or(Wrong::Prefix)?)
    }

    #[test]
    fn an_id_belongs_to_the_state_of_its_prefix() {
        assert_eq!(verdict("DE136695976", "DE"), Ok(()));
        assert_eq!(verdict("DE 136 695 976", "DE"), Ok(()));
        assert_eq!(verdict("DE136695976", "FR"), Err(Wrong::Prefix));
        assert_eq!(verdict("136695976", "DE"), Err(Wrong::Prefix));
        assert_eq!(verdict("EL094259216", "GR"), Ok(()));
        assert_eq!(verdict("GR094259216", "GR"), Err(Wrong::Prefix));
        assert_eq!(verdict("XI123456789", "IE"), Err(Wrong::NorthernIreland));
    }

    #[test]
    fn one_wrong_digit_is_found() {
        assert_eq!(verdict("DE136695978", "DE"), Err(Wrong::Malformed));
        assert_eq!(verdict("DE13669597", "DE"), Err(Wrong::Malformed));
        assert_eq!(verdict("DE", "DE"), Err(Wrong::Malformed));
        assert_eq!(verdict("", "DE"), Err(Wrong::Malformed));
        assert_eq!(verdict("DEéé", "DE"), Err(Wrong::Malformed));
    }

    /// One of each state, made up for this test and confirmed by python-stdnum.
    #[test]
    fn each_state_knows_its_own_ids_and_no_neighbour_of_them() {
        let ids = [
            "ATU39099603",
            "BE0695722008",
            "BG261995822",
            "CY88914865I",
            "CZ14078066",
            "DE400571727",
            "DK23598523",
            "EE506710483",
            "ESB73268195",
            "FI27780772",
            "FR17185119393",
            "EL985504639",
            "HR86605259023",
            "HU82039945",
            "IE9703940W",
            "IT72469330012",
            "LT220654511",
            "LU79867174",
            "LV51994781813",
            "MT92301670",
            "NL194763729B01",
            "PL6844440273",
            "PT401669947",
            "RO85048512",
            "SE142327958501",
            "SI48898481",
            "SK2399222650",
        ];
        for id in ids {
            let state = by_vat_prefix(id.get(..2).unwrap_or_default());
            let Some(state) = state else { unreachable!("{id}") };
            assert_eq!(check(id, state), Ok(()), "{id}");
            // one digit more by one, in a place that every state checks
            let at = 5;
            let neighbour: String = id
                .char_indices()
                .map(|(index, c)| match c.to_digit(10) {
                    Some(digit) if index == at => char::from_digit((digit + 1) % 10, 10).unwrap_or(c),
                    _ => c,
                })
                .collect();
            assert_eq!(check(&neighbour, state), Err(Wrong::Malformed), "{neighbour}");
        }
    }
}
