//! However often and however many at once: every record once, every action once.

use std::sync::Arc;

use cambist_contract::{
    delivery::{Effect, NextTry},
    mapping::Command,
};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn a_deal_delivered_three_times_is_one_customer_one_order_its_lines_once() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    target.ready().await?;
    let (plan, _) = deal(&fresh("deal"));

    let first = target.deliver(&plan, &[]).await?;
    let mut expected = vec![Effect::Written; 6];
    expected.push(Effect::Done);
    assert_eq!(effects(&first), expected);

    // again with nothing remembered, then with everything
    let second = target.deliver(&plan, &[]).await?;
    assert_eq!(effects(&second).last(), Some(&Effect::AlreadyDone));
    // the service was only to be there; the confirmed order refuses its own price list, and is found to have it
    assert_eq!(
        effects(&second).get(2..4),
        Some([Effect::Unchanged; 2].as_slice())
    );
    for index in [0, 1, 3, 4, 5, 6] {
        assert_eq!(target_id(&first, index), target_id(&second, index));
    }
    let written: Vec<_> = first.iter().map(|receipt| receipt.written).collect();
    let third = target.deliver(&plan, &written).await?;
    let mut expected = vec![Effect::Unchanged; 6];
    expected.push(Effect::AlreadyDone);
    assert_eq!(effects(&third), expected);

    let order = target_id(&first, 3);
    assert_eq!(
        odoo.sql(&format!(
            "select count(*) from sale_order_line where order_id = {order}"
        )),
        "2"
    );
    assert_eq!(
        odoo.sql(&format!("select state from sale_order where id = {order}")),
        "sale"
    );
    let customer = target_id(&first, 0);
    assert_eq!(
        odoo.sql(&format!(
            "select count(*) from sale_order where partner_id = {customer}"
        )),
        "1"
    );
    assert_eq!(
        odoo.sql(&format!("select company_id from sale_order where id = {order}")),
        odoo.fact("COMPANY_DE")
    );
    Ok(())
}

#[tokio::test]
async fn two_at_once_confirm_an_order_once() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let (mut plan, _) = deal(&fresh("twice"));
    let confirm = [plan.pop().unwrap()];
    let receipts = target.deliver(&plan, &[]).await?;
    let order = target_id(&receipts, 3);
    let (one, other) = tokio::join!(target.deliver(&confirm, &[]), target.deliver(&confirm, &[]));
    let mut done = 0;
    for result in [one, other] {
        match result {
            Ok(receipts) => done += usize::from(effects(&receipts) == [Effect::Done]),
            // the loser of a race is told to come again
            Err(error) => assert!(matches!(error.next_try(), NextTry::SendAgain { .. }), "{error}"),
        }
    }
    assert!(done >= 1);
    assert_eq!(
        odoo.sql(&format!(
            "select count(*) from project_project where reinvoiced_sale_order_id = {order}"
        )),
        "1"
    );
    Ok(())
}

#[tokio::test]
async fn ensure_leaves_alone_what_is_there() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let id = fresh("ensure");
    let ensure = |name: &str| [Command::Ensure(record("res.partner", &id, json!({"name": name})))];
    let first = target.deliver(&ensure("Before"), &[]).await?;
    assert_eq!(effects(&first), [Effect::Written]);
    let partner = target_id(&first, 0);
    assert_eq!(
        effects(&target.deliver(&ensure("After"), &[]).await?),
        [Effect::Unchanged]
    );
    // archived is there, too
    odoo.sql(&format!(
        "update res_partner set active = false where id = {partner}"
    ));
    let archived = target.deliver(&ensure("After"), &[]).await?;
    assert_eq!(
        (effects(&archived), target_id(&archived, 0)),
        (vec![Effect::Unchanged], partner.clone())
    );
    assert_eq!(
        odoo.sql(&format!("select name from res_partner where id = {partner}")),
        "Before"
    );
    Ok(())
}

#[tokio::test]
async fn loads_of_the_same_records_at_once_make_them_once_and_losers_come_again() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let base = fresh("race");
    let rows = |from: usize| -> Vec<Command> {
        (0..20)
            .map(|row| format!("{base}_{}", (row + from) % 20))
            .map(|id| upsert("res.partner", &id, json!({"name": id})))
            .collect()
    };
    let mut racers = tokio::task::JoinSet::new();
    for racer in 0..6 {
        let (target, plan) = (Arc::clone(&target), rows(racer * 3));
        racers.spawn(async move {
            loop {
                match target.deliver(&plan, &[]).await {
                    Ok(receipts) => return receipts.len(),
                    Err(error) => assert_eq!(error.error.code(), "contended", "{error}"),
                }
            }
        });
    }
    assert_eq!(racers.join_all().await, [20; 6]);
    let name = base.split_once('.').unwrap().1;
    assert_eq!(
        odoo.sql(&format!(
            "select count(*) from ir_model_data where module = 'hub' and name like '{name}%'"
        )),
        "20"
    );
    assert_eq!(
        odoo.sql(&format!(
            "select count(*) from res_partner where name like 'hub.{name}%'"
        )),
        "20"
    );
    Ok(())
}

#[tokio::test]
async fn a_deleted_customer_is_made_anew_when_an_order_needs_it() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let (parent, child) = (fresh("parent"), fresh("child"));
    let plan = [
        upsert("res.partner", &parent, json!({"name": "Parent"})),
        upsert(
            "res.partner",
            &child,
            json!({"name": "Child", "parent_id/id": parent}),
        ),
    ];
    let first = target.deliver(plan.get(..1).unwrap(), &[]).await?;
    // deletes it, and then finds nothing to read the state of
    let delete = act(
        "res.partner",
        &parent,
        "unlink",
        json!({"name": "Parent"}),
        json!({"name": "gone"}),
    );
    assert_eq!(failure(&target, delete).await.error.code(), "gone");

    let written = [first.first().unwrap().written, None];
    let receipts = target.deliver(&plan, &written).await?;
    assert_eq!(effects(&receipts), [Effect::Written; 2]);
    assert_ne!(target_id(&receipts, 0), target_id(&first, 0));
    Ok(())
}

#[tokio::test]
async fn what_odoo_makes_beside_a_record_may_be_made_by_two_at_once() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    // a PAN that no other run has used: five letters, the fourth of which is the kind, four digits and a letter
    let id = fresh("pan");
    let number: u64 = id.bytes().filter(u8::is_ascii_digit).fold(0, |all, digit| {
        all.wrapping_mul(31).wrapping_add(u64::from(digit))
    });
    let letter = |place: u32| char::from(b'A' + u8::try_from(number / 26_u64.pow(place) % 26).unwrap());
    let pan = format!(
        "{}{}{}F{}{:04}F",
        letter(0),
        letter(1),
        letter(2),
        letter(3),
        number % 9_999 + 1
    );
    let customer = [upsert(
        "res.partner",
        &id,
        json!({"name": "Two at once", "is_company": "1", "country_id/id": "base.in", "vat": format!("24{pan}1Z1")}),
    )];

    // somebody is making it, and has not ended
    let mut other = odoo.session();
    other.say(&format!(
        "begin; insert into l10n_in_pan_entity (name) values ('{pan}') returning 'made';"
    ));
    assert_eq!(other.hear(), "made");
    let ours = Arc::clone(&target);
    let plan = customer.clone();
    let first = tokio::spawn(async move { ours.deliver(&plan, &[]).await });
    while odoo.sql("select count(*) from pg_locks where not granted") == "0" {
        assert!(!first.is_finished(), "it waits for nobody");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    other.say("commit; select 'ended';");
    assert_eq!(other.hear(), "ended");
    let error = first.await?.unwrap_err().error;
    assert_eq!(error.code(), "contended", "{error}");

    let second = target.deliver(&customer, &[]).await?;
    assert_eq!(
        odoo.sql(&format!(
            "select e.name from res_partner p join l10n_in_pan_entity e on e.id = p.l10n_in_pan_entity_id where p.id = {}",
            target_id(&second, 0)
        )),
        pan
    );
    Ok(())
}
