//! `res.partner`: an account as a company, a contact as a person below it.

use cambist_sdk::prelude::*;

use crate::{
    cleared,
    columns::{Columns as _, record},
    external_id, many2one, place,
    settings::Settings,
    source::Source,
};

const ACCOUNT_COLUMNS: [cleared::Columns; 7] = [
    ("tax-id", &["vat"]),
    (
        "billing",
        &["street", "street2", "city", "zip", "state_id/id", "country_id/id"],
    ),
    ("parent", &["parent_id/id"]),
    ("payment-terms", &["property_payment_term_id/id"]),
    ("email", &["email"]),
    ("phone", &["phone"]),
    ("website", &["website"]),
];

const CONTACT_COLUMNS: [cleared::Columns; 4] = [
    ("account", &["parent_id/id"]),
    ("job-title", &["function"]),
    ("email", &["email"]),
    ("phone", &["phone"]),
];

/// What an account is read from, and is empty with.
const ACCOUNT_READ: [cleared::Filled; 7] = [
    ("tax-id", &["vat"]),
    (
        "billing",
        &["street", "street2", "city", "zip", "state_id", "country_code"],
    ),
    ("parent", &["parent_id"]),
    ("payment-terms", &["property_payment_term_id"]),
    ("email", &["email"]),
    ("phone", &["phone"]),
    ("website", &["website"]),
];

const CONTACT_READ: [cleared::Filled; 3] = [
    ("job-title", &["function"]),
    ("email", &["email"]),
    ("phone", &["phone"]),
];

/// The command for an account. Odoo prints the partner's name on invoices, so
/// the legal name goes first.
///
/// # Errors
///
/// The payment terms have no counterpart in the settings.
pub(crate) fn write_account(
    (settings, target): (&Settings, &str),
    change: &Change,
    account: &Account,
) -> Result<Command> {
    if change.kind == ChangeKind::Remove {
        return Ok(archive(target, &account.ref_));
    }
    let values = Values::new()
        .optional("name", account.legal_name.as_ref().or(account.name.as_ref()))
        .optional(
            "is_company",
            account.business.map(|business| if business { "1" } else { "0" }),
        )
        .optional("vat", account.tax_id.as_ref())
        .reference(target, "parent_id", account.parent.as_ref())
        .optional("property_payment_term_id/id", payment_term(settings, account)?)
        .optional("email", account.email.as_ref())
        .optional("phone", account.phone.as_ref())
        .optional("website", account.website.as_ref());
    let values = match &account.billing {
        Some(address) => write_address(values, address),
        None => values,
    };
    let values = cleared::empty(change, &ACCOUNT_COLUMNS, values);
    Ok(Command::Upsert(record(
        target,
        "res.partner",
        &account.ref_,
        values,
    )))
}

/// An address is one value: what the new one lacks is emptied, or the second floor
/// of the old house would stand in the new street.
fn write_address(values: Values, address: &Address) -> Values {
    let state = address.subdivision.as_deref().and_then(place::state);
    let country = address.country.as_deref().map(place::country);
    let parts = [
        ("street", address.street.as_deref()),
        ("street2", address.street2.as_deref()),
        ("city", address.city.as_deref()),
        ("zip", address.postcode.as_deref()),
        ("state_id/id", state.as_deref()),
        ("country_id/id", country.as_deref()),
    ];
    parts
        .into_iter()
        .fold(values, |values, (column, part)| match part {
            Some(part) => values.text(column, part),
            None => values.empty(column),
        })
}

fn payment_term<'a>(settings: &'a Settings, account: &Account) -> Result<Option<&'a String>> {
    let Some(name) = &account.payment_terms else {
        return Ok(None);
    };
    let rule = "must be a key of `payment-terms` in the settings, with the term's external id";
    settings
        .payment_terms
        .get(name)
        .map(Some)
        .ok_or_else(|| invalid("account.payment-terms", rule))
}

/// The command for a contact. HubSpot shows the e-mail of people without a name,
/// and so does Odoo then.
pub(crate) fn write_contact(target: &str, change: &Change, person: &Contact) -> Command {
    if change.kind == ChangeKind::Remove {
        return archive(target, &person.ref_);
    }
    let name = match (&person.given_name, &person.family_name) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (Some(name), None) | (None, Some(name)) => Some(name.clone()),
        (None, None) => person.email.clone(),
    };
    let values = Values::new()
        .optional("name", name)
        .text("type", "contact")
        .reference(target, "parent_id", person.account.as_ref())
        .optional("function", person.job_title.as_ref())
        .optional("email", person.email.as_ref())
        .optional("phone", person.phone.as_ref());
    let values = cleared::empty(change, &CONTACT_COLUMNS, values);
    Command::Upsert(record(target, "res.partner", &person.ref_, values))
}

/// Partners stand on invoices: the connector archives them, and deletes none.
fn archive(target: &str, name: &EntityRef) -> Command {
    Command::Remove(RecordName {
        model: "res.partner".to_owned(),
        key: external_id::key(target, name),
    })
}

/// Two partners become one: what refers to the one that goes, its external id among it, follows.
/// None for what is no partner.
pub(crate) fn merge(target: &str, entity: &Entity, into: &EntityRef) -> Option<Command> {
    let (Entity::Account(_) | Entity::Contact(_)) = entity else {
        return None;
    };
    let left = match external_id::key(target, into) {
        RecordKey::External(id) => id,
        // as the host writes what is found by an id of Odoo's own
        RecordKey::Own(id) => format!("#{id}"),
    };
    Some(Command::Act(Action {
        model: "res.partner".to_owned(),
        key: external_id::key(target, entity.name()),
        name: "merge".to_owned(),
        arguments: Values::new().text("into", &left).json(),
        from: Values::new().json(),
        to: Values::new().text("into", &left).json(),
    }))
}

/// A company, or a person below none, is an account; a person below a company is
/// a contact.
///
/// # Errors
///
/// A field is not what Odoo sends.
pub(crate) fn read(source: &Source<'_>, from: &Fields<'_>) -> Result<Change> {
    let company = from.flag("is_company")? == Some(true);
    let parent = source.name(EntityKind::Account, from, "parent_id")?;
    if !company && parent.is_some() {
        let name = from.text("name")?.unwrap_or_default();
        let (given, family) = names(&name);
        let contact = Contact {
            account: parent,
            given_name: given.map(str::to_owned),
            family_name: (!family.is_empty()).then(|| family.to_owned()),
            job_title: from.text("function")?,
            email: from.text("email")?,
            phone: from.text("phone")?,
            ..Contact::named(source.own_name(EntityKind::Contact, from)?)
        };
        return said(source, from, contact, &CONTACT_READ);
    }
    let account = Account {
        name: from.text("name")?,
        business: business(from)?,
        tax_id: from.text("vat")?,
        billing: read_address(from)?,
        parent,
        payment_terms: many2one::name(from, "property_payment_term_id")?,
        email: from.text("email")?,
        phone: from.text("phone")?,
        website: from.text("website")?,
        ..Account::named(source.own_name(EntityKind::Account, from)?)
    };
    said(source, from, account, &ACCOUNT_READ)
}

/// A change to what a partner says, also where it says nothing any more.
fn said(
    source: &Source<'_>,
    from: &Fields<'_>,
    entity: impl Into<Entity>,
    table: &[cleared::Filled],
) -> Result<Change> {
    let mut change = source.change(from, entity)?;
    if change.kind == ChangeKind::Upsert {
        change.cleared = cleared::read(from, table)?;
    }
    Ok(change)
}

/// A company, or a person with a tax id: who trades under the own name is no
/// company in Odoo, and buys for the business all the same.
fn business(from: &Fields<'_>) -> Result<Option<bool>> {
    match from.text("vat")? {
        Some(_) => Ok(Some(true)),
        None => from.flag("is_company"),
    }
}

/// Odoo keeps a person's name as one text; the last word is taken for the family
/// name.
fn names(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once(' ') {
        Some((given, family)) => (Some(given), family),
        None => (None, name),
    }
}

/// `country_code` is a field of `res.partner`; the state has a code only in a
/// record of its own and is left out.
fn read_address(from: &Fields<'_>) -> Result<Option<Address>> {
    let address = Address {
        street: from.text("street")?,
        street2: from.text("street2")?,
        city: from.text("city")?,
        postcode: from.text("zip")?,
        subdivision: subdivision(from)?,
        country: from.text("country_code")?,
    };
    Ok((!address.is_empty()).then_some(address))
}

/// The state, where the connector has read its code: Odoo's are those of ISO 3166-2 without the
/// country, for the countries whose states matter to tax.
fn subdivision(from: &Fields<'_>) -> Result<Option<String>> {
    let code = match from.raw("state_id").is_some_and(|raw| raw.starts_with('{')) {
        true => from.object("state_id")?.text("code")?,
        false => None,
    };
    let country = from.text("country_code")?;
    Ok(country
        .zip(code)
        .map(|(country, code)| format!("{country}-{code}")))
}
