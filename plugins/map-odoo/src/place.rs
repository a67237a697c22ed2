//! Odoo's external ids of countries and states.
//!
//! A country is `base.` and its ISO code in small letters, but for the United
//! Kingdom. States follow no rule: those of a few countries are known here, and
//! those of all others are left out rather than guessed, because Odoo refuses a
//! row with an id that it does not know.

/// The external id of a country, from its ISO 3166-1 code.
pub(crate) fn country(code: &str) -> String {
    match code {
        "GB" => "base.uk".to_owned(),
        code => format!("base.{}", code.to_ascii_lowercase()),
    }
}

/// The external id of a state, from its ISO 3166-2 code; none where it is not
/// known. Checked against Odoo 19.
pub(crate) fn state(code: &str) -> Option<String> {
    let (country, state) = code.split_once('-')?;
    let name = match (country, state) {
        ("US", state) => UNITED_STATES
            .iter()
            .find(|(code, _)| *code == state)?
            .1
            .to_owned(),
        // Odoo's ids are older than the codes
        ("IN", "OD") => "or".to_owned(),
        // codes that ISO 3166-2 had before 2023
        ("IN", "CT") => "cg".to_owned(),
        ("IN", "TG") => "ts".to_owned(),
        ("IN", "UT") => "uk".to_owned(),
        ("IN", "LA") => return None,
        // Odoo keeps the two that were joined in 2020; the larger one stands for both
        ("IN", "DH") => "dn".to_owned(),
        ("BR" | "CA" | "DE" | "IN", state) => state.to_ascii_lowercase(),
        _ => return None,
    };
    Some(format!("base.state_{}_{name}", country.to_ascii_lowercase()))
}

/// The states and the district of the United States: Odoo numbers them.
const UNITED_STATES: [(&str, &str); 51] = [
    ("AK", "2"),
    ("AL", "1"),
    ("AR", "4"),
    ("AZ", "3"),
    ("CA", "5"),
    ("CO", "6"),
    ("CT", "7"),
    ("DC", "9"),
    ("DE", "8"),
    ("FL", "10"),
    ("GA", "11"),
    ("HI", "12"),
    ("IA", "16"),
    ("ID", "13"),
    ("IL", "14"),
    ("IN", "15"),
    ("KS", "17"),
    ("KY", "18"),
    ("LA", "19"),
    ("MA", "34"),
    ("MD", "33"),
    ("ME", "20"),
    ("MI", "35"),
    ("MN", "36"),
    ("MO", "38"),
    ("MS", "37"),
    ("MT", "21"),
    ("NC", "28"),
    ("ND", "29"),
    ("NE", "22"),
    ("NH", "24"),
    ("NJ", "25"),
    ("NM", "26"),
    ("NV", "23"),
    ("NY", "27"),
    ("OH", "30"),
    ("OK", "31"),
    ("OR", "32"),
    ("PA", "39"),
    ("RI", "40"),
    ("SC", "41"),
    ("SD", "42"),
    ("TN", "43"),
    ("TX", "44"),
    ("UT", "45"),
    ("VA", "47"),
    ("VT", "46"),
    ("WA", "48"),
    ("WI", "50"),
    ("WV", "49"),
    ("WY", "51"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn britain_is_the_exception() {
        assert_eq!(country("GB"), "base.uk");
        assert_eq!(country("DE"), "base.de");
    }

    #[test]
    fn states_have_the_ids_that_odoo_gives_them() {
        for (code, id) in [
            ("DE-BY", "base.state_de_by"),
            ("IN-MH", "base.state_in_mh"),
            ("IN-OD", "base.state_in_or"),
            ("US-IL", "base.state_us_14"),
            ("CA-QC", "base.state_ca_qc"),
        ] {
            assert_eq!(state(code).as_deref(), Some(id), "{code}");
        }
    }

    #[test]
    fn a_state_that_is_not_known_is_left_out() {
        for code in ["GB-LND", "IN-LA", "US-GU", "DE"] {
            assert_eq!(state(code), None, "{code}");
        }
    }
}
