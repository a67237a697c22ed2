//! Odoo's hints.

use http::Request;

use crate::double::{Site, TOKEN, hubspot_at, post};

const LEAD: &str = r#"{"_action": "hub webhook(#484)", "_id": 2, "_model": "crm.lead", "write_date": "2026-11-21 22:51:02.113083"}"#;

#[tokio::test]
async fn a_hint_is_taken_at_the_address_with_the_token() {
    let site = Site::new();
    let path = format!("/in/odoo-de/{TOKEN}");
    assert!(site.send(post(&path, LEAD)).await.is_taken(1, 0));
    assert!(site.send(post(&path, LEAD)).await.is_taken(0, 1));
    let message = &site.journal.messages()[0];
    assert_eq!(message.key, "odoo-de/crm.lead/2");
    assert_eq!(message.event, cambist_ingress::ODOO_HINT);
    assert!(!serde_json::to_string(message).unwrap().contains(TOKEN));
}

#[tokio::test]
async fn a_hint_that_names_no_record_is_refused() {
    let site = Site::new();
    let answer = site
        .send(post(&format!("/in/odoo-de/{TOKEN}"), r#"{"_model":"crm.lead"}"#))
        .await;
    assert!(answer.is_problem(400, "unreadable"), "{answer:?}");
    assert_eq!(answer.json["detail"], "`_id` is missing or malformed");
}

#[tokio::test]
async fn a_wrong_token_and_an_unknown_system_hear_the_same() {
    let site = Site::new();
    let unknown = site.send(post(&format!("/in/nobody/{TOKEN}"), LEAD)).await;
    assert!(unknown.is_problem(404, "not-found"));
    for path in [
        "/in/nobody".to_owned(),
        "/in/odoo-de".to_owned(),
        format!("/in/odoo-de/{}", TOKEN.to_uppercase()),
        format!("/in/odoo-de/{TOKEN}x"),
        format!("/in/odoo-de/{TOKEN}/more"),
        "/in/odoo-de/%ff%fe".to_owned(),
        format!("/in/hubspot-de/{TOKEN}"),
        format!("/in/ODOO-DE/{TOKEN}"),
    ] {
        assert_eq!(site.send(post(&path, LEAD)).await, unknown, "{path}");
        // nor does anything else tell that there is a system
        let bare = Request::post(&path).body("no JSON".into()).unwrap();
        assert_eq!(site.send(bare).await, unknown, "{path}");
    }
    // a good signature of HubSpot is no token
    let signed = hubspot_at(0, &format!("/in/hubspot-de/{TOKEN}"), b"[]");
    assert_eq!(site.send(signed).await, unknown);
    assert_eq!(site.journal.len(), 0);
}
