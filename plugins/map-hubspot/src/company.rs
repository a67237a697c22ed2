//! A HubSpot company is an account.

use cambist_sdk::prelude::*;

use crate::{cleared, country, source::Source, subdivision};

/// The properties of an address, which is one value: with one of them filled it is
/// there, and the target takes it whole.
const ADDRESS: [&str; 6] = ["address", "address2", "city", "zip", "state", "country"];

/// The canonical name of the account.
pub(crate) fn name(source: &Source<'_>, company: &Fields<'_>) -> Result<EntityRef> {
    Ok(source.name(EntityKind::Account, &company.required_text("id")?))
}

/// The account.
///
/// HubSpot keeps organisations as companies and private persons as contacts
/// without one, so a company is a business.
pub(crate) fn read(source: &Source<'_>, company: &Fields<'_>) -> Result<Change> {
    let own = &source.settings.properties;
    let from = company.object("properties")?;
    let account = Account {
        name: Some(from.required_text("name")?),
        legal_name: from.text(&own.legal_name)?,
        business: Some(true),
        tax_id: from.text(&own.tax_id)?.map(|text| without_separators(&text)),
        tax_id_confirmed: source.day(&from, &own.tax_id_confirmed)?,
        billing: address(source, &from)?,
        payment_terms: from.text(&own.payment_terms)?,
        email: from.text(&own.invoice_email)?,
        phone: from.text("phone")?,
        website: match from.text("website")? {
            None => from.text("domain")?,
            website => website,
        },
        ..Account::named(name(source, company)?)
    };
    let filled: [cleared::Filled<'_>; 8] = [
        ("legal-name", &[&own.legal_name]),
        ("tax-id", &[&own.tax_id]),
        ("tax-id-confirmed", &[&own.tax_id_confirmed]),
        ("billing", &ADDRESS),
        ("payment-terms", &[&own.payment_terms]),
        ("email", &[&own.invoice_email]),
        ("phone", &["phone"]),
        ("website", &["website", "domain"]),
    ];
    source.change(company, account, &filled)
}

fn address(source: &Source<'_>, from: &Fields<'_>) -> Result<Option<Address>> {
    let country = country::read(from, "country", source.settings)?;
    let address = Address {
        street: from.text("address")?,
        street2: from.text("address2")?,
        city: from.text("city")?,
        postcode: from.text("zip")?,
        subdivision: subdivision::read(from, "state", country.as_deref(), source.settings)?,
        country,
    };
    Ok((!address.is_empty()).then_some(address))
}

/// People write `DE 136 695 976`, `de136695976` and `CHE-123.456.788`; the number
/// is the letters and digits.
fn without_separators(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '/'));
    kept.map(|c| c.to_ascii_uppercase()).collect()
}
