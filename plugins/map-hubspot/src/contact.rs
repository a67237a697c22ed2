//! A HubSpot contact is a person at an account.

use cambist_sdk::prelude::*;

use crate::source::Source;

/// The canonical name of the contact.
pub(crate) fn name(source: &Source<'_>, contact: &Fields<'_>) -> Result<EntityRef> {
    Ok(source.name(EntityKind::Contact, &contact.required_text("id")?))
}

/// The contact, working for `account` if one is known.
pub(crate) fn read(source: &Source<'_>, contact: &Fields<'_>, account: Option<EntityRef>) -> Result<Change> {
    let from = contact.object("properties")?;
    let person = Contact {
        account,
        given_name: from.text("firstname")?,
        family_name: from.text("lastname")?,
        job_title: from.text("jobtitle")?,
        email: from.text("email")?,
        phone: from.text("phone")?,
        ..Contact::named(name(source, contact)?)
    };
    source.change(contact, person)
}
