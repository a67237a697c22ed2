//! The HubSpot source against the double, which does what HubSpot's documents say. It is not HubSpot.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cambist_connect::{ConnectError, Source, Systems, options::Options};
use cambist_contract::{
    delivery::NextTry,
    message::{Message, MessageId},
    secret::{Secret, SecretRef},
};
use cambist_doubles::{Fault, HubSpotDouble, hubspot::TOKEN};
use serde_json::{Value, json};

fn portal() -> Value {
    json!({
        "deals": {"9001": {
            "properties": {"dealname": "Rollout", "amount": "1200.00", "delivery_owner": "ada", "unasked": "x"},
            "associations": {"companies": ["501", "501"], "contacts": ["701"], "line_items": ["802", "801", "899"]},
        }},
        "companies": {"501": {"properties": {"name": "Muster GmbH", "vat": "DE136695976"}}},
        "contacts": {
            "701": {"properties": {"email": "a@example.com", "associatedcompanyid": "501"}},
            "702": {"properties": {"email": "b@example.com", "associatedcompanyid": null}},
        },
        "line_items": {
            "801": {"properties": {"name": "Design", "price": "100"}},
            "802": {"properties": {"name": "Build", "price": "200"}},
        },
    })
}

fn source(double: &HubSpotDouble, token: &str) -> Arc<dyn Source> {
    let config = format!(
        "[systems.hubspot-eu]\nkind = \"hubspot\"\naddress = \"{}\"\nkey = {{ env = \"TOKEN\" }}\nread-time = \"300ms\"\n\
         properties = {{ deals = [\"delivery_owner\"], companies = [\"vat\"] }}",
        double.url()
    );
    let options: Options = toml::from_str(&config).unwrap();
    let secrets = BTreeMap::from([(SecretRef::Env("TOKEN".to_owned()), Secret::parse(token).unwrap())]);
    Systems::new(&options, &secrets, None)
        .unwrap()
        .source("hubspot-eu")
        .unwrap()
}

fn message(kind: &str, id: &str, event: &str) -> Message {
    let at = jiff::Timestamp::UNIX_EPOCH;
    Message {
        id: MessageId::of("hubspot-eu", id),
        system: "hubspot-eu".to_owned(),
        event: event.to_owned(),
        object_kind: kind.to_owned(),
        object_id: id.to_owned(),
        dedupe: id.to_owned(),
        key: id.to_owned(),
        occurred_at: at,
        received_at: at,
        headers: BTreeMap::new(),
        body: "{}".to_owned(),
    }
}

fn deal() -> Message {
    message("deal", "9001", "deal.propertyChange")
}

async fn failure(double: &HubSpotDouble, fault: Fault) -> ConnectError {
    double.faults().next(fault);
    source(double, TOKEN).fetch(&deal()).await.unwrap_err()
}

#[tokio::test]
async fn a_deal_comes_with_all_that_belongs_to_it_in_hubspots_order() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    let source = source(&double, TOKEN);
    source.ready().await?;
    let body = source.fetch(&deal()).await?;

    assert_eq!(body.pointer("/deal/id"), Some(&json!("9001")));
    assert_eq!(body.pointer("/deal/properties/amount"), Some(&json!("1200.00")));
    assert_eq!(
        body.pointer("/deal/properties/delivery_owner"),
        Some(&json!("ada"))
    );
    assert_eq!(body.pointer("/deal/properties/unasked"), None);
    assert_eq!(
        body.pointer("/deal/associations"),
        Some(&json!({"companies": {"results": [
            {"id": "501", "type": "deal_to_company"},
            {"id": "501", "type": "deal_to_company_unlabeled"},
            {"id": "501", "type": "deal_to_company_unlabeled"},
        ]}}))
    );
    assert_eq!(
        body.pointer("/companies/0/properties/vat"),
        Some(&json!("DE136695976"))
    );
    let ids = |list: &str| -> Vec<String> {
        let items = body.get(list).and_then(Value::as_array).unwrap();
        items
            .iter()
            .map(|item| item.get("id").and_then(Value::as_str).unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("companies"), ["501"]);
    assert_eq!(ids("contacts"), ["701"]);
    assert_eq!(ids("line_items"), ["802", "801"], "899 is gone and left out");
    // the same deal twice is the same bytes
    assert_eq!(source.fetch(&deal()).await?.to_string(), body.to_string());
    Ok(())
}

#[tokio::test]
async fn the_primary_company_comes_first_wherever_hubspot_names_it() -> anyhow::Result<()> {
    let mut portal = portal();
    portal["companies"]["502"] = json!({"properties": {"name": "Partner AG"}});
    portal["deals"]["9001"]["associations"]["companies"] = json!([
        {"id": "502", "type": "deal_to_company_unlabeled"},
        {"id": "502", "type": "facilitator"},
        {"id": "501", "type": "deal_to_company_unlabeled"},
        {"id": "501", "type": "deal_to_company"},
    ]);
    let double = HubSpotDouble::start(portal).await?;
    let body = source(&double, TOKEN).fetch(&deal()).await?;
    assert_eq!(body.pointer("/companies/0/id"), Some(&json!("501")));
    assert_eq!(body.pointer("/companies/1/id"), Some(&json!("502")));
    Ok(())
}

#[tokio::test]
async fn a_company_comes_alone_and_a_deletion_is_not_asked_about() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    let source = source(&double, TOKEN);
    let body = source
        .fetch(&message("company", "501", "company.propertyChange"))
        .await?;
    assert_eq!(body.get("deal"), Some(&Value::Null));
    assert_eq!(
        body.pointer("/companies/0/properties/name"),
        Some(&json!("Muster GmbH"))
    );

    let asked = double.seen().len();
    let body = source.fetch(&message("deal", "9001", "deal.deletion")).await?;
    assert_eq!(body.pointer("/deal/archived"), Some(&json!(true)));
    assert_eq!(double.seen().len(), asked);
    Ok(())
}

#[tokio::test]
async fn a_contact_comes_with_the_company_it_works_for() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    let source = source(&double, TOKEN);
    let body = source
        .fetch(&message("contact", "701", "contact.propertyChange"))
        .await?;
    assert_eq!(body.get("deal"), Some(&Value::Null));
    assert_eq!(body.pointer("/contacts/0/id"), Some(&json!("701")));
    assert_eq!(body.pointer("/companies/0/id"), Some(&json!("501")));

    let alone = source
        .fetch(&message("contact", "702", "contact.propertyChange"))
        .await?;
    assert_eq!(alone.pointer("/contacts/0/id"), Some(&json!("702")));
    assert_eq!(alone.get("companies"), Some(&json!([])));
    Ok(())
}

#[tokio::test]
async fn more_than_a_hundred_line_items_are_read_in_batches() -> anyhow::Result<()> {
    let mut portal = portal();
    let ids: Vec<String> = (1000..1250).map(|id| id.to_string()).collect();
    for id in &ids {
        portal["line_items"][id] = json!({"properties": {"name": id}});
    }
    portal["deals"]["9001"]["associations"]["line_items"] = json!(ids);
    let double = HubSpotDouble::start(portal).await?;
    let body = source(&double, TOKEN).fetch(&deal()).await?;
    assert_eq!(
        body.get("line_items").and_then(Value::as_array).map(Vec::len),
        Some(250)
    );
    let reads = double
        .seen()
        .into_iter()
        .filter(|path| path.ends_with("line_items/batch/read"))
        .count();
    assert_eq!(reads, 3);
    Ok(())
}

#[tokio::test]
async fn lines_that_are_not_listed_or_not_read_are_never_taken_for_gone() -> anyhow::Result<()> {
    let mut truncated = portal();
    truncated["deals"]["9001"]["truncated"] = json!(["line_items"]);
    let double = HubSpotDouble::start(truncated).await?;
    let error = source(&double, TOKEN).fetch(&deal()).await.unwrap_err();
    assert_eq!((error.code(), error.next_try()), ("too-many", NextTry::Park));
    assert_eq!(
        error.to_string(),
        "deal 9001 of hubspot-eu has more line_items than are read with it; make several of it there, then replay"
    );

    for category in ["INTERNAL_ERROR", ""] {
        let mut failing = portal();
        failing["line_items"]["802"]["fails"] = json!(category);
        let double = HubSpotDouble::start(failing).await?;
        let source = source(&double, TOKEN);
        let error = source.fetch(&deal()).await.unwrap_err();
        assert_eq!(error.code(), "troubled", "{error}");
        assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });
        double.put("line_items", "802", json!({"properties": {"name": "Build"}}));
        source.fetch(&deal()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_token_parks_and_says_what_to_do() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    let error = source(&double, "pat-wrong").fetch(&deal()).await.unwrap_err();
    assert_eq!(error.next_try(), NextTry::Park);
    assert_eq!(
        error.to_string(),
        "hubspot-eu does not accept our key; make a new one there and put it where the config's `key` points"
    );
    Ok(())
}

#[tokio::test]
async fn a_deal_that_is_gone_parks() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    double.remove("deals", "9001");
    let error = source(&double, TOKEN).fetch(&deal()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "deal 9001 is not in hubspot-eu, or not for our user to see"
    );
    assert_eq!(error.next_try(), NextTry::Park);
    Ok(())
}

#[tokio::test]
async fn every_fault_says_what_may_be_done_next() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    let again = |seconds: Option<u64>| NextTry::SendAgain {
        not_before: seconds.map(Duration::from_secs),
    };
    let cases = [
        (Fault::TooMany { retry_after: Some(3) }, "busy", again(Some(3))),
        (Fault::TooMany { retry_after: None }, "busy", again(Some(10))),
        (Fault::Status(500), "troubled", again(None)),
        (Fault::Status(502), "troubled", again(None)),
        (Fault::Status(403), "not-allowed", NextTry::Park),
        (Fault::Status(400), "misfit", NextTry::Park),
        (Fault::Cut, "cut-off", again(None)),
        (Fault::Truncated, "cut-off", again(None)),
        (Fault::Html, "strange-answer", again(None)),
    ];
    for (fault, code, next) in cases {
        let error = failure(&double, fault.clone()).await;
        assert_eq!(
            (error.code(), error.next_try()),
            (code, next),
            "{fault:?}: {error}"
        );
    }
    let error = failure(&double, Fault::Hang).await;
    assert_eq!(error.code(), "no-answer");
    assert!(matches!(error.next_try(), NextTry::SendAgain { .. }));
    Ok(())
}

#[tokio::test]
async fn what_is_no_deal_company_or_contact_and_what_is_no_id_is_not_asked_about() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    let source = source(&double, TOKEN);
    for (kind, id, code) in [
        ("ticket", "1", "unsupported"),
        ("deal", "../owners", "misfit"),
        ("deal", "", "misfit"),
    ] {
        let error = source.fetch(&message(kind, id, "x.creation")).await.unwrap_err();
        assert_eq!((error.code(), error.next_try()), (code, NextTry::Park));
    }
    assert!(double.seen().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_a_link_names_by_the_kind_of_its_entity_is_read() -> anyhow::Result<()> {
    let double = HubSpotDouble::start(portal()).await?;
    let source = source(&double, TOKEN);
    for kind in ["opportunity", "contract", "project"] {
        let body = source.fetch(&message(kind, "9001", "look")).await?;
        assert_eq!(body.pointer("/deal/id"), Some(&json!("9001")), "{kind}");
    }
    for (kind, list, id) in [("account", "companies", "501"), ("contact", "contacts", "701")] {
        let body = source.fetch(&message(kind, id, "look")).await?;
        assert_eq!(body.pointer(&format!("/{list}/0/id")), Some(&json!(id)), "{kind}");
    }
    Ok(())
}
