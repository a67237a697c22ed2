//! Countries with whose customers no business is done.

use cambist_sdk::prelude::*;

use crate::{RULES, settings::Settings};

/// The reason to deny, when a customer of the message is in a denied country.
/// Nobody can release it: the list is what must change.
pub fn denied(changes: &[Change], settings: &Settings) -> Option<Reason> {
    let country = changes
        .iter()
        .find_map(|change| match (&change.entity, change.kind) {
            (Entity::Account(account), ChangeKind::Upsert) => account
                .billing
                .as_ref()
                .and_then(|billing| billing.country.as_ref())
                .filter(|country| settings.denied_countries.contains(country)),
            _ => None,
        })?;
    Some(
        reason(
            "denied-country",
            format!("account.billing.country is {country}, with whose customers no business is done"),
        )
        .by(RULES),
    )
}
