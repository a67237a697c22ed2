//! What both sides may change, and both have.

use std::sync::{Arc, Mutex};

use cambist_pipeline::Flow;
use serde_json::json;

use crate::double::{Does, Site, id};

/// A site where both sides may change an account's name, with what Odoo has now.
fn site() -> (Site, Arc<Mutex<String>>) {
    let mut site = Site::new();
    let back =
        json!({"name": "back", "from": ["odoo"], "events": ["hint"], "to": {"*": "crm"}, "stages": []});
    site.routes
        .flows
        .push(Arc::new(serde_json::from_value::<Flow>(back).unwrap()));
    let owners = json!({"account.name": "both"});
    site.routes.ownership = Arc::new(serde_json::from_value(owners).unwrap());
    let has = Arc::new(Mutex::new("crm".to_owned()));
    let told = Arc::clone(&has);
    let odoo = Does::new(move || {
        let name = told.lock().unwrap().clone();
        async move { Ok(json!({ "name": name })) }
    });
    site.systems.insert_source("odoo", odoo);
    (site, has)
}

/// Has the CRM say another name from now on.
fn renames(site: &mut Site, name: &'static str) {
    let crm = Does::new(move || async move { Ok(json!({ "name": name })) });
    site.systems.insert_source("crm", crm);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_side_has_changed_passes() {
    let (mut site, _) = site();
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    renames(&mut site, "renamed by sales");
    site.accept_again("crm", 0, 100).await;
    site.bring(&id("crm", 100), "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_have_changed_waits_with_both_values_until_they_agree() {
    let (mut site, odoo) = site();
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    renames(&mut site, "renamed by sales");
    "renamed by accounting".clone_into(&mut odoo.lock().unwrap());
    site.accept_again("crm", 0, 100).await;
    let (status, _) = site.bring(&id("crm", 100), "parked").await;
    let text = serde_json::to_string(&status.state).unwrap();
    assert!(text.contains("\"conflict\""), "{text}");
    assert!(
        text.contains("renamed by sales") && text.contains("renamed by accounting"),
        "{text}"
    );

    "renamed by sales".clone_into(&mut odoo.lock().unwrap());
    site.replay(&id("crm", 100)).await;
    site.bring(&id("crm", 100), "done").await;
}
