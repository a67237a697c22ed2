//! The second direction: what is billed and paid in Odoo, how far a project is and what a
//! customer's terms are, told to the HubSpot deal and company that it all came from.

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{delivery::Effect, stage::Stage};
use cambist_doubles::hubspot::webhook;
use cambist_e2e::{Deal, Setup, Story, World, odoo::Odoo, sender::OCCURRED_MS, setup::ODOO_TOKEN};
use serde_json::{Value, json};

/// The property of an object that the double holds, as text.
pub(crate) fn property(world: &World, kind: &str, id: &str, name: &str) -> String {
    let objects = world.hubspot.objects(kind);
    let value = objects
        .get(id)
        .and_then(|object| object.get("properties")?.get(name));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Waits until a property has this value.
pub(crate) async fn told(world: &World, kind: &str, id: &str, name: &str, value: &str) -> Result<()> {
    let what = format!("{kind} {id}: {name} = {value}");
    world
        .until(&what, async || {
            Ok((property(world, kind, id, name) == value).then_some(()))
        })
        .await
}

pub(crate) fn first(answer: &Value) -> Result<u64> {
    let id = answer.as_array().and_then(|ids| ids.first()).unwrap_or(answer);
    id.as_u64().context("no id")
}

/// What an administrator does in the German company.
pub(crate) struct Clerk<'a> {
    pub(crate) odoo: &'a Odoo,
    pub(crate) company: u64,
}

impl Clerk<'_> {
    pub(crate) async fn call(
        &self,
        model: &str,
        method: &str,
        mut body: Value,
        context: Value,
    ) -> Result<Value> {
        let mut whole = json!({"allowed_company_ids": [self.company]});
        if let (Some(whole), Some(more)) = (whole.as_object_mut(), context.as_object()) {
            whole.extend(more.clone());
        }
        if let Some(body) = body.as_object_mut() {
            body.insert("context".to_owned(), whole);
        }
        self.odoo.call(model, method, body).await
    }

    /// The order of a deal.
    pub(crate) async fn order(&self, deal: &Deal) -> Result<u64> {
        let domain = json!([["client_order_ref", "=", deal.id.to_string()]]);
        let found = self.odoo.records("sale.order", domain, &["id"]).await?;
        first(
            &found
                .first()
                .and_then(|order| order.get("id"))
                .cloned()
                .unwrap_or_default(),
        )
    }

    /// The project of a deal.
    pub(crate) async fn project(&self, deal: &Deal) -> Result<u64> {
        let name = format!("Kunde {} GmbH", deal.id);
        let domain = json!([["partner_id.name", "=", name]]);
        let found = self.odoo.records("project.project", domain, &["id"]).await?;
        first(
            &found
                .first()
                .and_then(|it| it.get("id"))
                .cloned()
                .unwrap_or_default(),
        )
    }

    /// A posted invoice of a part of an order: its id, its number and its total.
    pub(crate) async fn bill(&self, order: u64, percent: u32) -> Result<(u64, String, f64)> {
        let wizard = json!({"vals_list": {
            "advance_payment_method": "percentage", "amount": percent, "sale_order_ids": [[6, 0, [order]]],
        }});
        let wizard = first(
            &self
                .call("sale.advance.payment.inv", "create", wizard, json!({}))
                .await?,
        )?;
        self.call(
            "sale.advance.payment.inv",
            "create_invoices",
            json!({"ids": [wizard]}),
            json!({}),
        )
        .await?;
        let domain = json!([
            ["state", "=", "draft"],
            ["line_ids.sale_line_ids.order_id", "=", order]
        ]);
        let found = self.odoo.records("account.move", domain, &["id"]).await?;
        let id = first(
            &found
                .first()
                .and_then(|it| it.get("id"))
                .cloned()
                .unwrap_or_default(),
        )?;
        self.call("account.move", "action_post", json!({"ids": [id]}), json!({}))
            .await?;
        let (number, total, _) = self.invoice(id).await?;
        Ok((id, number, total))
    }

    pub(crate) async fn pay(&self, invoice: u64) -> Result<()> {
        let context = json!({"active_model": "account.move", "active_ids": [invoice]});
        let wizard = json!({"vals_list": {}});
        let wizard = first(
            &self
                .call("account.payment.register", "create", wizard, context.clone())
                .await?,
        )?;
        self.call(
            "account.payment.register",
            "action_create_payments",
            json!({"ids": [wizard]}),
            context,
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn invoice(&self, id: u64) -> Result<(String, f64, f64)> {
        let fields = ["name", "amount_total", "amount_residual"];
        let found = self
            .odoo
            .records("account.move", json!([["id", "=", id]]), &fields)
            .await?;
        let record = found.first().context("no invoice")?;
        let number = |name: &str| record.get(name).and_then(Value::as_f64).unwrap_or_default();
        let name = record.get("name").and_then(Value::as_str).unwrap_or_default();
        Ok((name.to_owned(), number("amount_total"), number("amount_residual")))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_billed_and_paid_in_odoo_is_told_to_the_deal() -> Result<()> {
    let Some(odoo) = Odoo::fresh("books")? else {
        return Ok(());
    };
    let setup = Setup {
        back: true,
        ..Setup::to_odoo(&odoo)
    };
    let world = World::start(setup).await?;
    let (deal, other) = (Deal::german(41), Deal::german(42));
    world.won(&[deal.clone(), other.clone()]).await?;
    for deal in [&deal, &other] {
        world.wait(deal, "done").await?.done_once()?;
    }
    let clerk = Clerk {
        odoo: &odoo,
        company: odoo.fact("COMPANY_DE").parse()?,
    };
    let order = clerk.order(&deal).await?;
    let id = deal.id.to_string();

    // found by asking: nobody hints
    let (one, number, total) = clerk.bill(order, 30).await?;
    let money = |amount: f64| format!("{amount:.2}");
    told(&world, "deals", &id, "invoice_status", "invoiced").await?;
    told(&world, "deals", &id, "invoice_numbers", &number).await?;
    told(&world, "deals", &id, "amount_invoiced", &money(total)).await?;
    told(&world, "deals", &id, "amount_paid", "0.00").await?;

    // paid, and a second one posted: the sums are those of both
    clerk.pay(one).await?;
    told(&world, "deals", &id, "invoice_status", "paid").await?;
    let (_, second, more) = clerk.bill(order, 20).await?;
    told(
        &world,
        "deals",
        &id,
        "invoice_numbers",
        &format!("{number}, {second}"),
    )
    .await?;
    told(&world, "deals", &id, "amount_invoiced", &money(total + more)).await?;
    told(&world, "deals", &id, "amount_paid", &money(total)).await?;
    told(&world, "deals", &id, "amount_outstanding", &money(more)).await?;
    told(&world, "deals", &id, "invoice_status", "partly-paid").await?;

    // how far the project is
    let project = clerk.project(&deal).await?;
    let update =
        json!({"vals_list": {"project_id": project, "status": "on_hold", "name": "Waiting for access"}});
    clerk.call("project.update", "create", update, json!({})).await?;
    told(&world, "deals", &id, "project_status", "paused").await?;

    // who owns what: terms go to HubSpot, a name does not
    let term = odoo
        .records(
            "account.payment.term",
            json!([["name", "ilike", "30 days"]]),
            &["id", "name"],
        )
        .await?;
    let term = term.first().context("no payment term")?;
    let domain = json!([["name", "=", "Kunde 41 GmbH"]]);
    let partner = odoo.records("res.partner", domain, &["id"]).await?;
    let partner = first(
        &partner
            .first()
            .and_then(|it| it.get("id"))
            .cloned()
            .unwrap_or_default(),
    )?;
    let vals = json!({"property_payment_term_id": term.get("id"), "name": "Renamed in Odoo"});
    clerk
        .call(
            "res.partner",
            "write",
            json!({"ids": [partner], "vals": vals}),
            json!({}),
        )
        .await?;
    let name = term.get("name").and_then(Value::as_str).context("no name")?;
    told(&world, "companies", &deal.company_id(), "payment_terms", name).await?;
    assert_eq!(
        property(&world, "companies", &deal.company_id(), "name"),
        "Kunde 41"
    );
    let changed = world
        .until("what Odoo may not change is told of", async || {
            for status in world.messages().await? {
                if status.object == format!("res.partner/{partner}") {
                    let story = world.story(&status.id).await?;
                    let own = story.output(Stage::Own).unwrap_or_default();
                    if own.to_string().contains("\"field\":\"name\"") {
                        return Ok(Some(own));
                    }
                }
            }
            Ok(None)
        })
        .await?;
    assert!(changed.to_string().contains("\"owner\":\"crm\""), "{changed}");

    // it is told of once, and not with each message of the partner
    clerk
        .call(
            "res.partner",
            "write",
            json!({"ids": [partner], "vals": {"property_payment_term_id": false}}),
            json!({}),
        )
        .await?;
    told(&world, "companies", &deal.company_id(), "payment_terms", "").await?;
    world.settled().await?;
    let mut of_name = 0;
    for status in world.messages().await? {
        if status.object == format!("res.partner/{partner}") {
            let story = world.story(&status.id).await?;
            let own = story.output(Stage::Own).unwrap_or_default();
            let told_of = format!("{own}{}", story.reason());
            of_name +=
                usize::from(told_of.contains("\"field\":\"name\"") || told_of.contains("account.name"));
        }
    }
    assert_eq!(of_name, 1, "the name is told of once");

    // what is deleted leaves no trace, and is found all the same, once; a project that was billed Odoo keeps
    let project = clerk.project(&other).await?;
    let unlink = json!({"ids": [project]});
    clerk.call("project.project", "unlink", unlink, json!({})).await?;
    let gone = format!("project.project/{project}");
    let is_gone = |it: &&cambist_journal::Status| it.event == "gone" && it.object == gone;
    let found = world
        .until("the deleted project is missed", async || {
            let all = world.messages().await?;
            Ok(all
                .iter()
                .find(is_gone)
                .filter(|it| it.state.name() == "parked")
                .cloned())
        })
        .await?;
    assert!(format!("{:?}", found.state).contains("gone"), "{found:?}");
    // another look goes by
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(world.messages().await?.iter().filter(is_gone).count(), 1);
    world.verify().await
}

/// Customers that are changed on both sides, and how often each.
const CUSTOMERS: u64 = 12;
const ROUNDS: u64 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn odoos_own_webhook_is_a_hint_and_both_directions_come_to_rest() -> Result<()> {
    let Some(odoo) = Odoo::fresh("echo")? else {
        return Ok(());
    };
    let setup = Setup {
        back: true,
        ..Setup::to_odoo(&odoo)
    };
    let world = World::start(setup).await?;
    let deals: Vec<Deal> = (501..501 + CUSTOMERS).map(Deal::german).collect();
    world.won(&deals).await?;
    for deal in &deals {
        world.wait(deal, "done").await?.done_once()?;
    }
    automation(
        &odoo,
        &format!("http://{}/in/odoo-de/{ODOO_TOKEN}", world.host()?.ingress),
    )
    .await?;

    let company: u64 = odoo.fact("COMPANY_DE").parse()?;
    let mut heard = 0;
    // changes on both sides, and each that we make at HubSpot comes back from there
    for round in 0..ROUNDS {
        let events: Vec<Value> = deals
            .iter()
            .map(|deal| {
                let company = deal.company_id();
                let phone = format!("+49 30 {round}{}", deal.id);
                let objects = world.hubspot.objects("companies");
                let mut object = objects.get(&company).cloned().unwrap_or_default();
                if let Some(slot) = object.get_mut("properties").and_then(Value::as_object_mut) {
                    slot.insert("phone".to_owned(), json!(phone));
                }
                world.hubspot.put("companies", &company, object);
                webhook::property_change(
                    "company",
                    company.parse().unwrap_or_default(),
                    "phone",
                    &phone,
                    1_000 + round * 1_000 + deal.id,
                    OCCURRED_MS,
                )
            })
            .collect();
        ensure!(world.post(&events).await? == 202, "not taken");
        let domain = json!([["name", "like", "Kunde 5__ GmbH"], ["is_company", "=", true]]);
        let partners = odoo.records("res.partner", domain, &["id"]).await?;
        let ids: Vec<&Value> = partners.iter().filter_map(|it| it.get("id")).collect();
        let term = if round % 2 == 0 {
            "account.account_payment_term_30days"
        } else {
            "account.account_payment_term_immediate"
        };
        let (module, name) = term.split_once('.').context("no dot")?;
        let found = odoo
            .call(
                "ir.model.data",
                "check_object_reference",
                json!({"module": module, "xml_id": name}),
            )
            .await?;
        let term = found.get(1).cloned().unwrap_or_default();
        odoo.call(
            "res.partner",
            "write",
            json!({"ids": ids, "vals": {"property_payment_term_id": term}, "context": {"allowed_company_ids": [company]}}),
        )
        .await?;
        echo(&world, &mut heard).await?;
    }
    // nobody changes anything any more: after a while nothing comes either
    let mut before = usize::MAX;
    world
        .until("both directions are at rest", async || {
            echo(&world, &mut heard).await?;
            world.settled().await?;
            let now = world.messages().await?.len();
            let rests = now == before;
            before = now;
            // three rounds of asking go by
            tokio::time::sleep(std::time::Duration::from_millis(1_600)).await;
            Ok(rests.then_some(()))
        })
        .await?;
    let last = |deal: &Deal| format!("+49 30 {}{}", ROUNDS - 1, deal.id);
    for deal in &deals {
        let name = deal.company.get("legal_name").cloned().unwrap_or_default();
        let found = odoo
            .records("res.partner", json!([["name", "=", name]]), &["phone"])
            .await?;
        let phone = found.first().and_then(|it| it.get("phone")).cloned();
        assert_eq!(phone, Some(json!(last(deal))));
        assert_eq!(
            property(&world, "companies", &deal.company_id(), "phone"),
            last(deal)
        );
        assert!(!property(&world, "companies", &deal.company_id(), "payment_terms").is_empty());
    }
    let stories = world.settled().await?;
    let stuck: Vec<_> = stories
        .iter()
        .filter(|it| !["done", "ignored"].contains(&it.state()))
        .collect();
    assert!(stuck.is_empty(), "{stuck:?}");
    let hints = stories.iter().filter(|it| it.0.status.event == "hint").count();
    assert!(hints > 0);

    // what was sent by whom: each side no more than the other one's people have changed
    let people = CUSTOMERS * ROUNDS;
    let is_phone = |it: &&Story| it.0.status.event == "company.propertyChange";
    let to_odoo: usize = stories
        .iter()
        .filter(is_phone)
        .flat_map(Story::receipts)
        .filter(|receipt| receipt.effect == Effect::Written)
        .count();
    let changes = world.hubspot.changes();
    let to_hubspot = changes.iter().filter(|it| it.property == "payment_terms").count();
    let echoes = stories
        .iter()
        .filter(|it| it.reason().contains("an echo"))
        .count();
    let counts = format!(
        "people changed {people} times on each side; {to_odoo} went to Odoo, {to_hubspot} to HubSpot, {echoes} of {} ended as echoes",
        stories.len()
    );
    assert!((1..=people).contains(&(to_odoo as u64)), "{counts}");
    assert!((1..=people).contains(&(to_hubspot as u64)), "{counts}");
    assert!(echoes > 0, "{counts}");
    // Odoo has one name where HubSpot has two, and nobody changed it
    // of those that came from HubSpot: partners that were there before have names of Odoo's own
    let is_ours = |it: &&Story| {
        it.output(Stage::Read)
            .is_some_and(|read| read.to_string().contains("Kunde 5"))
    };
    let of_names = stories.iter().filter(is_ours).map(Story::reason);
    let of_names: Vec<String> = of_names.filter(|it| it.contains("account.name")).collect();
    assert!(of_names.is_empty(), "{of_names:?}");
    world.verify().await
}

/// What we changed in HubSpot is told to us by HubSpot: what nobody has `heard` of yet.
async fn echo(world: &World, heard: &mut usize) -> Result<()> {
    let changes = world.hubspot.changes();
    let new = changes.iter().enumerate().skip(*heard);
    let events: Vec<Value> = new
        .map(|(number, changed)| webhook::written(changed, 500_000 + number as u64, OCCURRED_MS))
        .collect();
    *heard = changes.len();
    if events.is_empty() {
        return Ok(());
    }
    ensure!(world.post(&events).await? == 202, "not taken");
    Ok(())
}

/// Has Odoo tell of changed partners, by an automation as people make them.
async fn automation(odoo: &Odoo, url: &str) -> Result<()> {
    let model = odoo
        .records("ir.model", json!([["model", "=", "res.partner"]]), &["id"])
        .await?;
    let model = model
        .first()
        .and_then(|it| it.get("id"))
        .cloned()
        .unwrap_or_default();
    let domain = json!([
        ["model", "=", "res.partner"],
        ["name", "in", ["name", "write_date"]]
    ]);
    let fields = odoo.records("ir.model.fields", domain, &["id"]).await?;
    let fields: Vec<&Value> = fields.iter().filter_map(|it| it.get("id")).collect();
    let action = json!({"name": "to cambist", "model_id": model, "state": "webhook", "webhook_url": url,
        "webhook_field_ids": [[6, 0, fields]]});
    let rule = json!({"vals_list": {"name": "cambist: partners", "model_id": model, "trigger": "on_create_or_write",
        "active": true, "action_server_ids": [[0, 0, action]]}});
    odoo.call("base.automation", "create", rule).await?;
    Ok(())
}
