//! A HubSpot contact is a person at an account.

use cambist_sdk::prelude::*;

use crate::{cleared, company, source::Source};

/// Which properties fill a contact. The account is not among them: that a contact
/// has no company in HubSpot is no reason to take it out of one in the target.
const FILLED: [cleared::Filled<'_>; 5] = [
    ("given-name", &["firstname"]),
    ("family-name", &["lastname"]),
    ("job-title", &["jobtitle"]),
    ("email", &["email"]),
    ("phone", &["phone"]),
];

/// HubSpot's own property with the id of a contact's primary company.
const COMPANY: &str = "associatedcompanyid";

/// The canonical name of the contact.
pub(crate) fn name(source: &Source<'_>, contact: &Fields<'_>) -> Result<EntityRef> {
    Ok(source.name(EntityKind::Contact, &contact.required_text("id")?))
}

/// A contact that an event of its own is about, after the company it works for:
/// the target can only be told of an account that it has.
pub(crate) fn read_with_company(
    source: &Source<'_>,
    body: &Fields<'_>,
    contact: &Fields<'_>,
) -> Result<Vec<Change>> {
    let Some(company) = body.objects("companies")?.into_iter().next() else {
        return Ok(vec![read(source, contact, None)?]);
    };
    let account = company::name(source, &company)?;
    Ok(vec![
        company::read(source, &company)?,
        read(source, contact, Some(&account))?,
    ])
}

/// The contact. It works for `known`, the account that comes before it, only
/// where HubSpot says so: a deal also has advisers and partners among its
/// contacts, and they stay with their own firms.
pub(crate) fn read(source: &Source<'_>, contact: &Fields<'_>, known: Option<&EntityRef>) -> Result<Change> {
    let from = contact.object("properties")?;
    let company = from.text(COMPANY)?;
    let person = Contact {
        account: known
            .filter(|account| company.as_ref() == Some(&account.id))
            .cloned(),
        given_name: from.text("firstname")?,
        family_name: from.text("lastname")?,
        job_title: from.text("jobtitle")?,
        email: from.text("email")?,
        phone: from.text("phone")?,
        ..Contact::named(name(source, contact)?)
    };
    source.change(contact, person, &FILLED)
}
