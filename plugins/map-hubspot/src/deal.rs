//! What a won deal implies: an account, its contacts, an opportunity, a contract
//! and a project, in this order, so that each comes after what it refers to.

use cambist_sdk::prelude::*;

use crate::{cleared, company, contact, line_item, project, source::Source};

/// HubSpot's type of the association with a deal's primary company.
const PRIMARY: &str = "deal_to_company";

/// The changes that a deal implies.
///
/// # Errors
///
/// [`Fault::Unhandled`] while the deal is not won; [`Fault::Invalid`] where it
/// lacks what a contract needs.
pub(crate) fn read(source: &Source<'_>, body: &Fields<'_>) -> Result<Vec<Change>> {
    let deal = body.object("deal")?;
    let from = deal.object("properties")?;
    refuse_unless_won(source, &from)?;

    let companies = body.objects("companies")?;
    let company = customer(&deal, &companies)?;
    let account = company::name(source, company)?;
    let contacts = body.objects("contacts")?;
    let contact = contacts
        .first()
        .map(|first| contact::name(source, first))
        .transpose()?;

    let id = deal.required_text("id")?;
    let closed = source.day(&from, "closedate")?.required(from.path("closedate"))?;
    let opportunity = Opportunity {
        name: Some(from.required_text("dealname")?),
        account: Some(account.clone()),
        contact,
        status: Some(OpportunityStatus::Won),
        amount: from.decimal("amount")?,
        currency: Some(currency(source, &from)?),
        close_date: Some(closed.clone()),
        owner: from.text("hubspot_owner_id")?,
        ..Opportunity::named(source.name(EntityKind::Opportunity, &id))
    };
    let lines = line_item::read(source, body, &opportunity)?;
    let contract = contract(source, &from, &opportunity, lines)?;
    let project = project::read(source, &from, &closed, &contract)?;

    let mut changes = Vec::with_capacity(contacts.len() + 4);
    changes.push(company::read(source, company)?);
    for person in &contacts {
        changes.push(contact::read(source, person, Some(&account))?);
    }
    let own = &source.settings.properties;
    let of_opportunity: [cleared::Filled<'_>; 2] =
        [("amount", &["amount"]), ("owner", &["hubspot_owner_id"])];
    let of_contract: [cleared::Filled<'_>; 4] = [
        ("terms", &[&own.terms]),
        ("customer-reference", &[&own.customer_reference]),
        ("start", &[&own.start]),
        ("end", &[&own.end]),
    ];
    // without days of its own a project has those of the deal and its milestones
    let of_project: [cleared::Filled<'_>; 1] = [("delivery-owner", &[&own.delivery_owner])];
    changes.push(source.change(&deal, opportunity, &of_opportunity)?);
    changes.push(source.change(&deal, contract, &of_contract)?);
    changes.push(source.change(&deal, project, &of_project)?);
    Ok(changes)
}

/// The company that buys: the deal's primary one, or the only one. Partners and
/// resellers are companies of a deal as well, in no order that means anything, so
/// a first one is never taken for the customer.
fn customer<'b, 'a>(deal: &Fields<'a>, companies: &'b [Fields<'a>]) -> Result<&'b Fields<'a>> {
    let wrong = |rule: &str| Err(invalid("companies", rule));
    let primary = primary(deal)?;
    match (companies, primary.as_slice()) {
        ([], _) => wrong("must name a company: associate the deal with its customer in HubSpot, then replay"),
        (_, [id]) => {
            for company in companies {
                if company.text("id")?.as_ref() == Some(id) {
                    return Ok(company);
                }
            }
            wrong("must hold the deal's primary company: HubSpot does not show it to our key, or it is gone")
        }
        ([only], []) => Ok(only),
        _ => wrong(
            "must have one that is primary: mark the customer as the deal's primary company in HubSpot, then replay",
        ),
    }
}

/// The ids of the companies that HubSpot calls the deal's primary one, each once. One in
/// portals of today; each, in those from before there were labels.
fn primary(deal: &Fields<'_>) -> Result<Vec<String>> {
    let companies = deal.object("associations")?.object("companies")?;
    let mut ids = Vec::new();
    for association in companies.objects("results")? {
        if association.text("type")?.as_deref() == Some(PRIMARY) {
            ids.push(association.required_text("id")?);
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

fn refuse_unless_won(source: &Source<'_>, from: &Fields<'_>) -> Result<()> {
    if from.flag("hs_is_closed_won")? == Some(true) {
        return Ok(());
    }
    let stage = from.text("dealstage")?.unwrap_or_default();
    if source.settings.won_stages.contains(&stage) {
        return Ok(());
    }
    Err(unhandled(format!("deal stage `{stage}` is not won")))
}

/// The deal's currency, or the portal's: HubSpot fills the property only in
/// portals with several currencies.
fn currency(source: &Source<'_>, from: &Fields<'_>) -> Result<String> {
    let rule = "is required: turn on several currencies in HubSpot, or set `currency` in the settings";
    match from.currency("deal_currency_code")? {
        Some(currency) => Ok(currency),
        None => source
            .settings
            .currency
            .clone()
            .ok_or_else(|| invalid(from.path("deal_currency_code"), rule)),
    }
}

/// The contract has no id of its own in HubSpot and bears the deal's.
fn contract(
    source: &Source<'_>,
    from: &Fields<'_>,
    deal: &Opportunity,
    lines: Vec<ContractLine>,
) -> Result<Contract> {
    let own = &source.settings.properties;
    Ok(Contract {
        opportunity: Some(deal.ref_.clone()),
        account: deal.account.clone(),
        contact: deal.contact.clone(),
        name: deal.name.clone(),
        status: Some(ContractStatus::Approved),
        billing: Some(billing(source, from)?),
        terms: from.text(&own.terms)?,
        customer_reference: from.text(&own.customer_reference)?,
        currency: deal.currency.clone(),
        signed: deal.close_date.clone(),
        start: source.day(from, &own.start)?,
        end: source.day(from, &own.end)?,
        lines: Some(lines),
        ..Contract::named(source.name(EntityKind::Contract, &deal.ref_.id))
    })
}

fn billing(source: &Source<'_>, from: &Fields<'_>) -> Result<BillingMethod> {
    let name = &source.settings.properties.billing;
    match from.text(name)?.as_deref() {
        None => Ok(source.settings.billing),
        Some("time-and-material") => Ok(BillingMethod::TimeAndMaterial),
        Some("capped") => Ok(BillingMethod::Capped),
        Some("fixed-price") => Ok(BillingMethod::FixedPrice),
        Some(_) => Err(invalid(
            from.path(name),
            "must be `time-and-material`, `capped` or `fixed-price`: the internal values of the property's options",
        )),
    }
}
