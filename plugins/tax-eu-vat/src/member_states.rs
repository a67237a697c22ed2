//! The member states: how their VAT ids begin, and how they say reverse charge.

/// One member state.
#[derive(Debug, Eq, PartialEq)]
pub struct MemberState {
    /// ISO 3166-1 code.
    pub code: &'static str,
    /// The first letters of its VAT ids: the ISO code, but `EL` for Greece
    /// (article 215).
    pub vat_prefix: &'static str,
    /// The words of article 226(11a) in the language of its invoices. Invoices in
    /// another language of the state may need other words.
    pub reverse_charge: &'static str,
}

const fn state(code: &'static str, vat_prefix: &'static str, reverse_charge: &'static str) -> MemberState {
    MemberState {
        code,
        vat_prefix,
        reverse_charge,
    }
}

/// All 27, by code. The words are those of the directive's language versions.
pub static MEMBER_STATES: [MemberState; 27] = [
    state("AT", "AT", "Steuerschuldnerschaft des Leistungsempfängers"),
    state("BE", "BE", "Btw verlegd / Autoliquidation"),
    state("BG", "BG", "обратно начисляване"),
    state("CY", "CY", "Αντίστροφη επιβάρυνση"),
    state("CZ", "CZ", "daň odvede zákazník"),
    state("DE", "DE", "Steuerschuldnerschaft des Leistungsempfängers"),
    state("DK", "DK", "omvendt betalingspligt"),
    state("EE", "EE", "pöördmaksustamine"),
    state("ES", "ES", "inversión del sujeto pasivo"),
    state("FI", "FI", "käännetty verovelvollisuus"),
    state("FR", "FR", "Autoliquidation"),
    state("GR", "EL", "Αντίστροφη επιβάρυνση"),
    state("HR", "HR", "Prijenos porezne obveze"),
    state("HU", "HU", "fordított adózás"),
    state("IE", "IE", "Reverse charge"),
    state("IT", "IT", "inversione contabile"),
    state("LT", "LT", "Atvirkštinis apmokestinimas"),
    state("LU", "LU", "Autoliquidation"),
    state("LV", "LV", "nodokļa apgrieztā maksāšana"),
    state("MT", "MT", "Reverse charge"),
    state("NL", "NL", "Btw verlegd"),
    state("PL", "PL", "odwrotne obciążenie"),
    state("PT", "PT", "Autoliquidação"),
    state("RO", "RO", "taxare inversă"),
    state("SE", "SE", "omvänd betalningsskyldighet"),
    state("SI", "SI", "obrnjena davčna obveznost"),
    state("SK", "SK", "prenesenie daňovej povinnosti"),
];

/// The member state of an ISO code.
pub fn by_code(code: &str) -> Option<&'static MemberState> {
    MEMBER_STATES.iter().find(|state| state.code == code)
}

/// The member state whose VAT ids begin so.
pub fn by_vat_prefix(prefix: &str) -> Option<&'static MemberState> {
    MEMBER_STATES.iter().find(|state| state.vat_prefix == prefix)
}
