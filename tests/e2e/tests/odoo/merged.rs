//! Two companies of HubSpot become one: so do their partners in Odoo, by its own wizard, with all
//! that refers to them, and nothing is doubled afterwards.

#![expect(
    clippy::indexing_slicing,
    reason = "what is indexed are JSON objects, and a test may panic"
)]

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use cambist_doubles::hubspot::webhook::{merged, property_change};
use cambist_e2e::{Deal, Setup, World, odoo::Odoo, sender};
use cambist_journal::Journal as _;
use serde_json::{Value, json};

/// The company that comes of the merge: HubSpot makes a new one.
const LEFT: u64 = 9541;

/// When HubSpot says that it happened.
const AT_MS: i64 = 1_795_104_000_000;

/// A deal whose customer is the company that is left.
fn moved(world: &World, deal: &Deal) {
    for (kind, id, mut object) in deal.objects() {
        if kind == "deals" {
            object["associations"]["companies"] = json!([LEFT.to_string()]);
        }
        if kind == "contacts" {
            object["properties"]["associatedcompanyid"] = json!(LEFT.to_string());
        }
        if kind != "companies" {
            world.hubspot.put(kind, &id, object);
        }
    }
    world.hubspot.remove("companies", &deal.company_id());
}

async fn companies(odoo: &Odoo) -> Result<Vec<Value>> {
    let ours = json!([["is_company", "=", true], ["name", "like", "Kunde 4%"]]);
    odoo.records("res.partner", ours, &["id", "name", "child_ids"])
        .await
}

/// The one partner, with the contacts and orders of both, found by every external id.
async fn one(odoo: &Odoo, orders: usize) -> Result<u64> {
    let found = companies(odoo).await?;
    let [partner] = found.as_slice() else {
        anyhow::bail!("{} partners: {found:?}", found.len());
    };
    let id = partner.get("id").and_then(Value::as_u64).context("an id")?;
    let contacts = partner
        .get("child_ids")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    ensure!(contacts == 2, "{contacts} contacts: {partner}");
    let of_partner = json!([["partner_id", "=", id]]);
    let found = odoo.records("sale.order", of_partner, &["id"]).await?;
    ensure!(found.len() == orders, "{} orders", found.len());
    let named = odoo.ours().await?;
    let accounts = named.get("res.partner").context("no partner of ours")?.iter();
    let ids: BTreeSet<u64> = accounts
        .filter(|(name, _)| name.contains("_account_"))
        .map(|(_, id)| *id)
        .collect();
    ensure!(
        ids == BTreeSet::from([id]),
        "external ids lead to {ids:?}, not to {id}"
    );
    Ok(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_companies_that_become_one_become_one_partner() -> Result<()> {
    let Some(odoo) = Odoo::fresh("merged")? else {
        return Ok(());
    };
    let world = World::start(Setup::to_odoo(&odoo)).await?;
    let (first, second) = (Deal::german(41), Deal::german(42));
    world.won(&[first.clone(), second.clone()]).await?;
    for story in world.settled().await? {
        story.done_once()?;
    }
    ensure!(companies(&odoo).await?.len() == 2, "not two partners");

    let mut left = first.company.clone();
    left["name"] = json!("Kunde 4");
    left["legal_name"] = json!("Kunde 41 und 42 GmbH");
    world
        .hubspot
        .put("companies", &LEFT.to_string(), json!({"properties": left}));
    moved(&world, &first);
    moved(&world, &second);
    let gone = [first.company_id().parse()?, second.company_id().parse()?];
    let event = merged("company", gone[0], &gone[1..], LEFT, 77, AT_MS);
    ensure!(world.post(std::slice::from_ref(&event)).await? == 202);
    for story in world.settled().await? {
        story.done_once()?;
    }
    let partner = one(&odoo, 2).await?;
    // the links are those of what is left, by whichever name
    let journal = world.journal()?;
    for id in [gone[0], gone[1], LEFT] {
        let account = cambist_contract::canonical::EntityRef {
            kind: cambist_contract::canonical::EntityKind::Account,
            system: "hubspot".to_owned(),
            id: id.to_string(),
        };
        let link = journal.link(&account, "odoo-de").await?;
        let found = link.and_then(|link| link.id);
        ensure!(
            found == Some(partner.to_string()),
            "account {id} is linked to {found:?}"
        );
    }

    // told again, changed, and sold to again: one partner
    let again = merged("company", gone[0], &gone[1..], LEFT, 78, AT_MS + 1);
    let changed = property_change("company", LEFT, "name", "Kunde 4", 79, AT_MS + 2);
    ensure!(world.post(&[again, changed, sender::won(42, 2)]).await? == 202);
    let third = Deal::german(43).customer_of(&first);
    moved(&world, &third);
    ensure!(world.post(&[sender::won(43, 1)]).await? == 202);
    for story in world.settled().await? {
        let is_well = ["done", "ignored"].contains(&story.state());
        ensure!(
            is_well,
            "{} is {} ({})",
            story.0.status.object,
            story.state(),
            story.reason()
        );
    }
    ensure!(one(&odoo, 3).await? == partner, "another partner");
    world.verify().await
}
