//! The other way: what HubSpot is told of an account, a contact or an opportunity, and of a
//! deal's bills and project (`billing.rs`).
//!
//! Commands are in the words of HubSpot's batch upsert: the model is the type of
//! object (`companies`, `contacts`, `deals`), the values are its properties, all
//! of them texts. Contracts and the rest have no object in HubSpot and nothing is written for
//! them.

use cambist_sdk::prelude::*;

use crate::{billing, country, settings::Settings};

/// The commands for all changes that HubSpot has an object for.
///
/// # Errors
///
/// A change removes or merges an object: that is not carried out here. Or a date is none.
pub(crate) fn plan(settings: &Settings, input: &Outbound) -> Result<Plan> {
    let mut commands = Vec::with_capacity(input.changes.len());
    for change in &input.changes {
        let (model, values) = match &change.entity {
            Entity::Account(account) => ("companies", company(settings, account)),
            Entity::Contact(person) => ("contacts", contact(person)),
            Entity::Opportunity(opportunity) => ("deals", deal(settings, opportunity)?),
            Entity::Project(project) if change.kind == ChangeKind::Upsert => {
                commands.extend(billing::of_project(&settings.properties, &input.system, project));
                continue;
            }
            _ => continue,
        };
        let name = change.entity.name();
        if change.kind != ChangeKind::Upsert {
            return Err(broken(format!(
                "{model} are neither removed nor merged in HubSpot by this plugin"
            )));
        }
        commands.push(Command::Upsert(Record {
            model: model.to_owned(),
            key: key(&input.system, name),
            values: emptied(settings, change, values).json(),
            stands_for: Some(name.clone()),
        }));
    }
    commands.extend(billing::of_deals(&settings.properties, input)?);
    Ok(Plan { commands })
}

/// HubSpot's own id for what was born in this HubSpot; for all else a text that
/// stands in the portal's unique property. Entities that differ get ids that
/// differ: only the system's name could hold a colon, and there it is escaped.
pub(crate) fn key(target: &str, name: &EntityRef) -> RecordKey {
    if name.system == target {
        return RecordKey::Own(name.id.clone());
    }
    let system = name.system.replace('%', "%25").replace(':', "%3A");
    RecordKey::External(format!("{system}:{}", name.id))
}

fn company(settings: &Settings, from: &Account) -> Values {
    let own = &settings.properties;
    let values = Values::new()
        .optional("name", from.name.as_ref())
        .optional(&own.legal_name, from.legal_name.as_ref())
        .optional(&own.tax_id, from.tax_id.as_ref())
        .optional(&own.tax_id_confirmed, from.tax_id_confirmed.as_ref())
        .optional(&own.payment_terms, from.payment_terms.as_ref())
        .optional(&own.invoice_email, from.email.as_ref())
        .optional("phone", from.phone.as_ref())
        .optional("website", from.website.as_ref());
    let Some(address) = &from.billing else {
        return values;
    };
    values
        .optional("address", address.street.as_ref())
        .optional("address2", address.street2.as_ref())
        .optional("city", address.city.as_ref())
        .optional("zip", address.postcode.as_ref())
        .optional("state", address.subdivision.as_ref())
        .optional(
            "country",
            address
                .country
                .as_deref()
                .map(|code| country::name_of(code).unwrap_or(code)),
        )
}

fn contact(from: &Contact) -> Values {
    Values::new()
        .optional("firstname", from.given_name.as_ref())
        .optional("lastname", from.family_name.as_ref())
        .optional("jobtitle", from.job_title.as_ref())
        .optional("email", from.email.as_ref())
        .optional("phone", from.phone.as_ref())
}

fn deal(settings: &Settings, from: &Opportunity) -> Result<Values> {
    let stage = from.status.and_then(|status| match status {
        OpportunityStatus::Open => settings.stage.open.as_ref(),
        OpportunityStatus::Won => settings.stage.won.as_ref(),
        OpportunityStatus::Lost => settings.stage.lost.as_ref(),
    });
    let closed = from.close_date.as_deref();
    let closed = closed.map(|day| settings.utc_offset.start_of(day)).transpose()?;
    Ok(Values::new()
        .optional("dealname", from.name.as_ref())
        .optional("dealstage", stage)
        .optional("amount", from.amount.map(|amount| amount.to_string()))
        .optional("deal_currency_code", from.currency.as_ref())
        .optional("closedate", closed)
        .optional("hubspot_owner_id", from.owner.as_ref()))
}

/// Empties the properties of the fields that are to be emptied.
fn emptied(settings: &Settings, change: &Change, values: Values) -> Values {
    let own = &settings.properties;
    change.cleared.iter().fold(values, |values, field| {
        let properties: &[&str] = match (&change.entity, field.as_str()) {
            (Entity::Account(_), "legal-name") => &[&own.legal_name],
            (Entity::Account(_), "tax-id") => &[&own.tax_id],
            (Entity::Account(_), "tax-id-confirmed") => &[&own.tax_id_confirmed],
            (Entity::Account(_), "payment-terms") => &[&own.payment_terms],
            (Entity::Account(_), "email") => &[&own.invoice_email],
            (Entity::Account(_), "website") => &["website"],
            (Entity::Account(_), "billing") => &["address", "address2", "city", "zip", "state", "country"],
            (Entity::Account(_) | Entity::Contact(_), "phone") => &["phone"],
            (Entity::Contact(_), "given-name") => &["firstname"],
            (Entity::Contact(_), "family-name") => &["lastname"],
            (Entity::Contact(_), "job-title") => &["jobtitle"],
            (Entity::Contact(_), "email") => &["email"],
            (Entity::Opportunity(_), "amount") => &["amount"],
            (Entity::Opportunity(_), "close-date") => &["closedate"],
            (Entity::Opportunity(_), "owner") => &["hubspot_owner_id"],
            _ => &[],
        };
        properties
            .iter()
            .fold(values, |values, property| values.empty(property))
    })
}
