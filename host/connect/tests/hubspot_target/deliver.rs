//! What a plan does there: updates, upserts, what is left out, what is made, what is archived.

use std::collections::BTreeMap;

use cambist_connect::target::digest_of;
use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    delivery::{Effect, Receipt},
    mapping::Command,
};
use cambist_doubles::hubspot::{Changed, webhook};
use serde_json::json;

use crate::support::{
    API, companies, effects, ensure, external, own, portal, record, remove, target, target_at, upsert, writes,
};

#[tokio::test]
async fn what_was_born_there_is_updated_by_its_own_id() -> anyhow::Result<()> {
    let double = portal().await;
    let deal = EntityRef {
        kind: EntityKind::Opportunity,
        system: "hubspot-eu".to_owned(),
        id: "9001".to_owned(),
    };
    let mut wanted = record(
        "deals",
        own("9001"),
        json!({"invoice_number": "INV/7", "amount": "1200.00", "dealname": null}),
    );
    wanted.stands_for = Some(deal.clone());
    let receipts = target(&double)
        .deliver(&[Command::Upsert(wanted.clone())], &[])
        .await?;
    let expected = Receipt {
        model: "deals".to_owned(),
        external_id: "#9001".to_owned(),
        effect: Effect::Written,
        target_id: Some("9001".to_owned()),
        written: Some(digest_of(&wanted)),
        stands_for: Some(deal),
        fields: BTreeMap::new(),
    };
    assert_eq!(receipts, [expected]);
    assert_eq!(
        double.objects("deals")["9001"]["properties"],
        json!({"dealname": null, "amount": "1200.00", "invoice_number": "INV/7"})
    );
    assert_eq!(double.seen(), [format!("POST {API}/deals/batch/update")]);
    // what was the same before is no change, and no event
    let changed = |property: &str, value: &str| Changed {
        kind: "deals".to_owned(),
        id: "9001".to_owned(),
        property: property.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        double.changes(),
        [changed("invoice_number", "INV/7"), changed("dealname", "")]
    );
    let event = webhook::written(&double.changes()[0], 1, 2);
    assert_eq!(event["changeSource"], "INTEGRATION");
    Ok(())
}

#[tokio::test]
async fn an_external_id_makes_one_record_and_finds_it_again() -> anyhow::Result<()> {
    let double = portal().await;
    let target = target_at(&double.url(), "unique-property = \"odoo_id\"");
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        let plan = [upsert(
            "companies",
            external("odoo:res.partner,7"),
            json!({"name": name}),
        )];
        let receipts = target.deliver(&plan, &[]).await?;
        assert_eq!(effects(&receipts), [Effect::Written]);
        ids.extend(receipts[0].target_id.clone());
    }
    assert_eq!(ids[0], ids[1]);
    let companies = double.objects("companies");
    assert_eq!(companies.len(), 2);
    assert_eq!(
        companies[&ids[0]]["properties"],
        json!({"name": "b", "odoo_id": "odoo:res.partner,7"})
    );
    Ok(())
}

#[tokio::test]
async fn what_was_written_before_is_left_out() -> anyhow::Result<()> {
    let double = portal().await;
    let target = target(&double);
    let plan = companies(3, &[]);
    let first = target.deliver(&plan, &[]).await?;
    let mut written: Vec<_> = first.iter().map(|receipt| receipt.written).collect();
    let again = target.deliver(&plan, &written).await?;
    assert_eq!(effects(&again), [Effect::Unchanged; 3]);
    assert_eq!(again[0].written, first[0].written);
    assert_eq!(writes(&double, "upsert"), 1);
    // what is not known to be there goes alone
    written[1] = None;
    assert_eq!(
        effects(&target.deliver(&plan, &written).await?),
        [Effect::Unchanged, Effect::Written, Effect::Unchanged]
    );
    Ok(())
}

#[tokio::test]
async fn what_a_plan_changed_itself_is_not_taken_for_what_it_was_before() -> anyhow::Result<()> {
    let double = portal().await;
    let name = |name: &str| upsert("companies", own("501"), json!({ "name": name }));
    let before = digest_of(&record("companies", own("501"), json!({"name": "b"})));
    let receipts = target(&double)
        .deliver(&[name("a"), name("b")], &[Some(before), Some(before)])
        .await?;
    assert_eq!(effects(&receipts), [Effect::Written; 2]);
    assert_eq!(double.objects("companies")["501"]["properties"]["name"], "b");
    Ok(())
}

#[tokio::test]
async fn many_go_in_batches_of_a_hundred_and_receipts_keep_the_plans_order() -> anyhow::Result<()> {
    let double = portal().await;
    let receipts = target(&double).deliver(&companies(250, &[]), &[]).await?;
    assert_eq!(writes(&double, "upsert"), 3);
    let made = double.objects("companies");
    assert_eq!(made.len(), 251);
    for (at, receipt) in receipts.iter().enumerate() {
        assert_eq!(receipt.external_id, format!("odoo:{at}"));
        let id = receipt.target_id.as_deref().unwrap();
        assert_eq!(made[id]["properties"]["name"], format!("n{at}"));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_removed_is_archived_once_and_then_done_already() -> anyhow::Result<()> {
    let double = portal().await;
    let target = target(&double);
    let company = upsert("companies", external("odoo:7"), json!({"name": "a"}));
    let made = target.deliver(std::slice::from_ref(&company), &[]).await?;
    let plan = [
        remove("companies", external("odoo:7")),
        remove("companies", external("odoo:8")),
        remove("companies", own("501")),
        remove("companies", own("502")),
    ];
    let receipts = target.deliver(&plan, &[]).await?;
    assert_eq!(
        effects(&receipts),
        [
            Effect::Done,
            Effect::AlreadyDone,
            Effect::Done,
            Effect::AlreadyDone
        ]
    );
    assert_eq!(receipts[0].target_id, made[0].target_id);
    assert_eq!(receipts[2].target_id.as_deref(), Some("501"));
    assert!(double.objects("companies").is_empty());
    assert_eq!(writes(&double, "archive"), 2);

    let again = target.deliver(&plan, &[]).await?;
    assert_eq!(effects(&again), [Effect::AlreadyDone; 4]);
    assert_eq!(writes(&double, "archive"), 2);

    // the same values are then no longer what was written last
    for command in [
        company,
        ensure("companies", external("odoo:9"), json!({"name": "b"})),
    ] {
        let back = target.deliver(&[command], &[receipts[0].written]).await?;
        assert_eq!(effects(&back), [Effect::Written]);
    }
    Ok(())
}

#[tokio::test]
async fn ensure_makes_what_is_not_there_and_leaves_alone_what_is() -> anyhow::Result<()> {
    let double = portal().await;
    double.put(
        "companies",
        "502",
        json!({"properties": {"name": "theirs", "cambist_id": "odoo:7"}}),
    );
    let target = target(&double);
    let plan = [
        ensure("companies", external("odoo:7"), json!({"name": "ours"})),
        ensure("companies", external("odoo:8"), json!({"name": "new"})),
        ensure("companies", own("501"), json!({"name": "ours"})),
    ];
    let receipts = target.deliver(&plan, &[]).await?;
    assert_eq!(
        effects(&receipts),
        [Effect::Unchanged, Effect::Written, Effect::Unchanged]
    );
    let ids: Vec<_> = receipts
        .iter()
        .map(|receipt| receipt.target_id.as_deref())
        .collect();
    assert_eq!((ids[0], ids[2]), (Some("502"), Some("501")));
    let companies = double.objects("companies");
    assert_eq!(companies["502"]["properties"]["name"], "theirs");
    assert_eq!(companies["501"]["properties"]["name"], "Muster GmbH");
    assert_eq!(companies[ids[1].unwrap()]["properties"]["name"], "new");

    // what we wrote once is not even looked for
    let calls = double.seen().len();
    let written = [receipts[1].written];
    let again = target.deliver(&plan[1..2], &written).await?;
    assert_eq!(
        (effects(&again), again[0].written),
        (vec![Effect::Unchanged], written[0])
    );
    assert_eq!(double.seen().len(), calls);
    Ok(())
}
