//! Countries with whose customers no business is done.

use cambist_sdk::prelude::*;

use crate::{RULES, settings::Settings};

/// The reason to deny, when a customer of the message is in a denied country.
/// Nobody can release it: the list is what must change.
pub fn denied(changes: &[Change], settings: &Settings) -> Option<Reason> {
    let there = changes.iter().filter(|change| change.kind == ChangeKind::Upsert);
    let addresses = there.flat_map(|change| match &change.entity {
        Entity::Account(account) => [
            ("billing", account.billing.as_ref()),
            ("established", account.established.as_ref()),
        ],
        _ => [("", None), ("", None)],
    });
    let (field, country) = addresses
        .filter_map(|(field, address)| Some((field, address?.country.as_ref()?)))
        .find(|(_, country)| settings.denied_countries.contains(country))?;
    Some(
        reason(
            "denied-country",
            format!("account.{field}.country is {country}, with whose customers no business is done"),
        )
        .by(RULES),
    )
}
