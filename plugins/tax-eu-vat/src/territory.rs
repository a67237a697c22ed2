//! Is an address inside the Union's VAT area, and whose rates apply there?
//!
//! The VAT area is not the Union: article 6 takes parts of member states out of
//! it, article 7 puts Monaco in. Such a part is known by its subdivision or, where
//! it has none of its own, by its postcode. An address without either counts as
//! the mainland's.
//!
//! Not told apart: the British bases on Cyprus (article 7, as Cyprus), the areas
//! of Cyprus outside the Republic's control, and the Italian waters of Lake Lugano.

use cambist_sdk::prelude::*;

use crate::member_states::{MemberState, by_code};

/// Where an address is, as VAT law sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Territory {
    /// In the VAT area.
    Inside {
        /// The member state.
        state: &'static MemberState,
        /// Whose rates apply, as the table of rates calls it: the state's code,
        /// or `PT-20` (Azores), `PT-30` (Madeira), `AT-JM` (Jungholz and
        /// Mittelberg).
        rates_of: &'static str,
    },
    /// Outside of it.
    Outside {
        /// The member state that it is a part of all the same, if it is of one.
        part_of: Option<&'static MemberState>,
    },
}

/// The member states whose own law takes the parts that article 6 excludes out of
/// its territory, so that a service to a business there is supplied abroad for a
/// supplier of the state too, and the place of the law that says so.
///
/// The others tax such supplies by rules that are not in this plugin: Finnish VAT
/// is levied on Åland, the French overseas departments have rates and exemptions
/// of their own (CGI articles 294 to 296), and Greece exempts Mount Athos.
const OUTSIDE_BY_OWN_LAW: &[(&str, &str)] = &[
    ("DE", "UStG §1(2)"),
    ("ES", "Ley 37/1992 art. 3(Dos)(1)"),
    ("IT", "DPR 633/1972 art. 7(1)(a)"),
];

/// The law by which the excluded parts of a member state are no territory of its
/// own VAT; none where they are, or where that is not known.
pub fn outside_by_own_law(state: &MemberState) -> Option<&'static str> {
    let found = OUTSIDE_BY_OWN_LAW.iter().find(|(code, _)| *code == state.code);
    found.map(|(_, law)| *law)
}

/// Parts of member states outside the VAT area: country, subdivisions, and the
/// first digits of their postcodes. Article 6(1) and (2).
const EXCLUDED: &[(&str, &[&str], &[&str])] = &[
    // Büsingen, Heligoland
    ("DE", &[], &["78266", "27498"]),
    // Canary Islands, Ceuta, Melilla
    (
        "ES",
        &["ES-CN", "ES-GC", "ES-TF", "ES-CE", "ES-ML"],
        &["35", "38", "51", "52"],
    ),
    // Åland
    ("FI", &["FI-01"], &["22"]),
    // The overseas departments and territories (articles 349 and 355(1) TFEU)
    (
        "FR",
        &[
            "FR-971", "FR-972", "FR-973", "FR-974", "FR-976", "FR-GP", "FR-MQ", "FR-GF", "FR-RE", "FR-YT",
            "FR-BL", "FR-MF", "FR-PM", "FR-WF", "FR-PF", "FR-NC", "FR-TF",
        ],
        &[
            "971", "972", "973", "974", "975", "976", "977", "978", "984", "986", "987", "988",
        ],
    ),
    // Mount Athos
    ("GR", &["GR-69"], &["63086", "63087"]),
    // Livigno, Campione d'Italia
    ("IT", &[], &["23041", "22061"]),
];

/// Parts with rates of their own, inside the VAT area.
const OWN_RATES: &[(&str, &str, &[&str])] = &[
    ("AT", "AT-JM", &["6691", "6991", "6992", "6993"]),
    ("PT", "PT-20", &["95", "96", "97", "98", "99"]),
    ("PT", "PT-30", &["90", "91", "92", "93", "94"]),
];

/// The member state of a part that has an ISO 3166-1 code of its own. Greenland and
/// the Faroes, Aruba and the rest of the Kingdom of the Netherlands are countries
/// of their own for VAT, and not here.
fn own_code(country: &str) -> Option<&'static MemberState> {
    match country {
        "AX" => by_code("FI"),
        "GP" | "MQ" | "GF" | "RE" | "YT" | "BL" | "MF" | "PM" | "WF" | "PF" | "NC" | "TF" => by_code("FR"),
        _ => None,
    }
}

/// Where an address is. `path` is how faults call the address.
///
/// # Errors
///
/// The address has no country.
pub fn of(address: &Address, path: &str) -> Result<Territory> {
    let country = address.country.as_deref().required(format!("{path}.country"))?;
    // Monaco counts as France: article 7(1).
    let Some(state) = by_code(if country == "MC" { "FR" } else { country }) else {
        return Ok(Territory::Outside {
            part_of: own_code(country),
        });
    };
    let postcode: String = address
        .postcode
        .iter()
        .flat_map(|postcode| postcode.chars())
        .filter(char::is_ascii_digit)
        .collect();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| postcode.starts_with(prefix));
    let subdivision = address.subdivision.as_deref().unwrap_or_default();

    let excluded = EXCLUDED
        .iter()
        .any(|(of, parts, codes)| *of == country && (parts.contains(&subdivision) || begins(codes)));
    if excluded {
        return Ok(Territory::Outside { part_of: Some(state) });
    }
    let part = OWN_RATES
        .iter()
        .find(|(of, part, codes)| *of == country && (*part == subdivision || begins(codes)));
    Ok(Territory::Inside {
        state,
        rates_of: part.map_or(state.code, |(_, part, _)| part),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn place(country: &str, subdivision: &str, postcode: &str) -> Option<&'static str> {
        let address = Address {
            street: None,
            street2: None,
            city: None,
            postcode: Some(postcode.to_owned()),
            subdivision: Some(subdivision.to_owned()),
            country: Some(country.to_owned()),
        };
        match of(&address, "address").unwrap() {
            Territory::Inside { rates_of, .. } => Some(rates_of),
            Territory::Outside { .. } => None,
        }
    }

    #[test]
    fn parts_named_in_article_6_are_outside_the_vat_area() {
        for (country, subdivision, postcode) in [
            ("DE", "DE-BW", "78266"),
            ("DE", "DE-SH", "D-27498"),
            ("ES", "ES-CN", ""),
            ("ES", "", "35001"),
            ("ES", "", "52001"),
            ("FI", "FI-01", "22100"),
            ("FR", "", "97400"),
            ("FR", "FR-GP", ""),
            ("GR", "GR-69", ""),
            ("IT", "IT-SO", "23041"),
            ("AX", "", ""),
            ("GL", "", ""),
            ("GB", "GB-NIR", "BT1 1AA"),
            ("IM", "", ""),
        ] {
            assert_eq!(
                place(country, subdivision, postcode),
                None,
                "{country} {subdivision} {postcode}"
            );
        }
    }

    #[test]
    fn a_part_with_a_code_of_its_own_is_still_a_part() {
        for (country, postcode, part_of) in [
            ("AX", "22100", Some("FI")),
            ("RE", "97400", Some("FR")),
            ("FR", "97400", Some("FR")),
            ("DE", "27498", Some("DE")),
            ("GL", "3900", None),
            ("CH", "8001", None),
        ] {
            let address = Address {
                street: None,
                street2: None,
                city: None,
                postcode: Some(postcode.to_owned()),
                subdivision: None,
                country: Some(country.to_owned()),
            };
            let found = match of(&address, "address").unwrap() {
                Territory::Outside { part_of } => Some(part_of.map(|state| state.code)),
                Territory::Inside { .. } => None,
            };
            assert_eq!(found, Some(part_of), "{country} {postcode}");
        }
    }

    #[test]
    fn the_rest_of_a_member_state_is_inside_with_the_rates_of_its_part() {
        for (country, subdivision, postcode, rates_of) in [
            ("DE", "DE-BY", "80331", "DE"),
            ("ES", "ES-MD", "28001", "ES"),
            ("FR", "", "98000", "FR"),
            ("MC", "", "98000", "FR"),
            ("PT", "", "1000-001", "PT"),
            ("PT", "PT-20", "", "PT-20"),
            ("PT", "", "9500-321", "PT-20"),
            ("PT", "", "9000-001", "PT-30"),
            ("AT", "AT-8", "6991", "AT-JM"),
            ("AT", "AT-9", "1010", "AT"),
            ("GR", "", "10431", "GR"),
        ] {
            assert_eq!(
                place(country, subdivision, postcode),
                Some(rates_of),
                "{country} {postcode}"
            );
        }
    }
}
