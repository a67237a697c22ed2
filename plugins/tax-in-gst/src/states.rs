//! The states and union territories: their codes in GSTINs and in ISO 3166-2.

/// A state or union territory.
#[derive(Debug, Eq, PartialEq)]
pub struct State {
    /// The two digits that GSTINs begin with.
    pub code: &'static str,
    /// Its ISO 3166-2 codes, the valid one first, then those it had before.
    pub iso: &'static [&'static str],
    /// Its name.
    pub name: &'static str,
    /// Whether it is a union territory without a legislature, where the UTGST
    /// Act (s. 1(2), 2(8)) stands in for a state's own act. Delhi, Puducherry and
    /// Jammu and Kashmir have legislatures and so levy SGST (CGST Act s. 2(103)).
    pub utgst: bool,
}

const fn state(code: &'static str, iso: &'static [&'static str], name: &'static str) -> State {
    State {
        code,
        iso,
        name,
        utgst: false,
    }
}

const fn territory(code: &'static str, iso: &'static [&'static str], name: &'static str) -> State {
    State {
        code,
        iso,
        name,
        utgst: true,
    }
}

/// All of them, by GST code, as the GST network lists them. 97 is the continental
/// shelf and the exclusive economic zone (CGST Act s. 2(81)).
pub static STATES: [State; 37] = [
    state("01", &["IN-JK"], "Jammu and Kashmir"),
    state("02", &["IN-HP"], "Himachal Pradesh"),
    state("03", &["IN-PB"], "Punjab"),
    territory("04", &["IN-CH"], "Chandigarh"),
    state("05", &["IN-UK", "IN-UT"], "Uttarakhand"),
    state("06", &["IN-HR"], "Haryana"),
    state("07", &["IN-DL"], "Delhi"),
    state("08", &["IN-RJ"], "Rajasthan"),
    state("09", &["IN-UP"], "Uttar Pradesh"),
    state("10", &["IN-BR"], "Bihar"),
    state("11", &["IN-SK"], "Sikkim"),
    state("12", &["IN-AR"], "Arunachal Pradesh"),
    state("13", &["IN-NL"], "Nagaland"),
    state("14", &["IN-MN"], "Manipur"),
    state("15", &["IN-MZ"], "Mizoram"),
    state("16", &["IN-TR"], "Tripura"),
    state("17", &["IN-ML"], "Meghalaya"),
    state("18", &["IN-AS"], "Assam"),
    state("19", &["IN-WB"], "West Bengal"),
    state("20", &["IN-JH"], "Jharkhand"),
    state("21", &["IN-OD", "IN-OR"], "Odisha"),
    state("22", &["IN-CG", "IN-CT"], "Chhattisgarh"),
    state("23", &["IN-MP"], "Madhya Pradesh"),
    state("24", &["IN-GJ"], "Gujarat"),
    territory(
        "26",
        &["IN-DH", "IN-DN", "IN-DD"],
        "Dadra and Nagar Haveli and Daman and Diu",
    ),
    state("27", &["IN-MH"], "Maharashtra"),
    state("29", &["IN-KA"], "Karnataka"),
    state("30", &["IN-GA"], "Goa"),
    territory("31", &["IN-LD"], "Lakshadweep"),
    state("32", &["IN-KL"], "Kerala"),
    state("33", &["IN-TN"], "Tamil Nadu"),
    state("34", &["IN-PY"], "Puducherry"),
    territory("35", &["IN-AN"], "Andaman and Nicobar Islands"),
    state("36", &["IN-TS", "IN-TG"], "Telangana"),
    state("37", &["IN-AP"], "Andhra Pradesh"),
    territory("38", &["IN-LA"], "Ladakh"),
    territory("97", &[], "Other Territory"),
];

/// The state of a GST code. 25 (Daman and Diu, now part of 26) and 28 (Andhra
/// Pradesh before Telangana left it, now 37) stand in old GSTINs.
pub fn by_code(code: &str) -> Option<&'static State> {
    let code = match code {
        "25" => "26",
        "28" => "37",
        code => code,
    };
    STATES.iter().find(|state| state.code == code)
}

/// The state of an ISO 3166-2 code, new or old.
pub fn by_iso(iso: &str) -> Option<&'static State> {
    STATES.iter().find(|state| state.iso.contains(&iso))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_to_one_state_each() {
        for state in &STATES {
            assert_eq!(by_code(state.code), Some(state));
            for iso in state.iso {
                assert_eq!(by_iso(iso), Some(state));
            }
        }
        assert_eq!(by_code("25"), by_iso("IN-DD"));
        assert_eq!(by_code("28"), by_iso("IN-AP"));
        assert_eq!(by_code("96"), None);
    }

    #[test]
    fn only_territories_without_a_legislature_levy_utgst() {
        let codes: Vec<_> = STATES
            .iter()
            .filter(|state| state.utgst)
            .map(|state| state.code)
            .collect();
        assert_eq!(codes, ["04", "26", "31", "35", "38", "97"]);
    }
}
