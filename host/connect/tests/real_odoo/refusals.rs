//! What Odoo refuses, and what we make of it.

use cambist_contract::{delivery::NextTry, mapping::Command};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn what_odoo_refuses_parks_with_a_reason_a_person_understands() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let partner = fresh("known");
    target
        .deliver(&[upsert("res.partner", &partner, json!({"name": "Known"}))], &[])
        .await?;
    let anything = || json!({"name": "Known"});
    let never = || json!({"name": "Never"});
    let nope = fresh("nope");
    let cases = [
        // what `load` answers with 200
        (
            upsert(
                "res.partner",
                &fresh("x"),
                json!({"name": "X", "parent_id/id": nope}),
            ),
            "refused",
            "No matching record found",
        ),
        (
            upsert(
                "res.partner",
                &fresh("x"),
                json!({"name": "X", "vat": "DE1", "country_id/id": "base.de"}),
            ),
            "refused",
            "DE1",
        ),
        (
            upsert("res.partner", &fresh("x"), json!({"name": "X", "type": "bogus"})),
            "refused",
            "bogus",
        ),
        (
            upsert("res.partner", &fresh("x"), json!({"name": "X", "color": "red"})),
            "refused",
            "red",
        ),
        (
            upsert("account.tax", &fresh("x"), json!({"name": "X"})),
            "refused",
            "not allowed",
        ),
        // what it answers with an error of its own
        (
            upsert("res.partner", &fresh("x"), json!({"name": "X", "nofield": "1"})),
            "misfit",
            "nofield",
        ),
        (
            upsert("res.nomodel", &fresh("x"), json!({"name": "X"})),
            "misfit",
            "does not exist",
        ),
        // actions
        (
            act("res.partner", &partner, "no_such_method", anything(), never()),
            "misfit",
            "does not exist",
        ),
        (
            act("res.partner", &partner, "_write", anything(), never()),
            "misfit",
            "is no public method",
        ),
        // one that Odoo keeps to itself by another mark than its name
        (
            act("res.partner", &partner, "ensure_one", anything(), never()),
            "not-allowed",
            "Private methods",
        ),
        (
            act(
                "res.partner",
                &partner,
                "action_archive",
                json!({"nofield": 1}),
                never(),
            ),
            "misfit",
            "nofield",
        ),
        (
            act("res.partner", &nope, "action_archive", anything(), never()),
            "gone",
            "is not in odoo",
        ),
        (
            act("sale.order", &partner, "action_confirm", anything(), never()),
            "refused",
            "belongs to a record of res.partner",
        ),
    ];
    for (command, code, part) in cases {
        let error = failure(&target, command).await;
        assert_eq!(
            (error.error.code(), error.next_try()),
            (code, NextTry::Park),
            "{error}"
        );
        assert!(error.to_string().contains(part), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn exceptions_are_read_by_name_whatever_their_status() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let partner = fresh("named");
    target
        .deliver(&[upsert("res.partner", &partner, json!({"name": "Named"}))], &[])
        .await?;
    let cases = [
        // 422 for a wrong call, 500 for a wrong name or value, 422 for a rule
        ("write", json!({}), "misfit", "missing a required argument"),
        (
            "write",
            json!({"vals": {}, "foo": 1}),
            "misfit",
            "unexpected keyword argument",
        ),
        ("search_count", json!({"domain": []}), "misfit", "with ids"),
        ("write", json!({"vals": {"nofield": 1}}), "misfit", "nofield"),
        ("write", json!({"vals": {"type": "bogus"}}), "misfit", "bogus"),
        ("write", json!({"vals": {"color": "red"}}), "misfit", ""),
        ("write", json!({"vals": {"parent_id": 999_999_999}}), "gone", ""),
        (
            "write",
            json!({"vals": {"name": false}}),
            "refused",
            "Contacts require a name",
        ),
    ];
    for (method, arguments, code, part) in cases {
        let mut command = act(
            "res.partner",
            &partner,
            method,
            json!({"name": "Named"}),
            json!({"name": "Never"}),
        );
        if let Command::Act(action) = &mut command {
            action.arguments = fields(arguments);
        }
        let error = failure(&target, command).await;
        assert_eq!(
            (error.error.code(), error.next_try()),
            (code, NextTry::Park),
            "{method}: {error}"
        );
        assert!(error.to_string().contains(part), "{error}");
        assert!(!error.to_string().contains("Traceback"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn an_action_that_a_rule_forbids_is_refused_in_odoos_words() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let (plan, order) = deal(&fresh("rule"));
    target.deliver(&plan, &[]).await?;
    let command = act(
        "sale.order",
        &order,
        "action_confirm",
        json!({"state": "sale"}),
        json!({"state": "cancel"}),
    );
    let error = failure(&target, command).await;
    assert_eq!(error.error.code(), "refused");
    assert!(
        error
            .to_string()
            .contains("not in a state requiring confirmation"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn wrong_keys_and_databases_are_told_apart() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let wrong_key = odoo.systems(odoo.fact("DB"), "0123456789abcdef0123456789abcdef01234567");
    let error = wrong_key.target("odoo").unwrap().ready().await.unwrap_err();
    assert_eq!((error.code(), error.next_try()), ("key-refused", NextTry::Park));
    let wrong_database = odoo.systems("no_such_database", odoo.fact("KEY"));
    let error = wrong_database.target("odoo").unwrap().ready().await.unwrap_err();
    assert_eq!((error.code(), error.next_try()), ("no-database", NextTry::Park));
    Ok(())
}

#[tokio::test]
async fn a_bad_row_is_named_and_nothing_of_its_call_is_written() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let (good, bad) = (fresh("good"), fresh("bad"));
    let plan = [
        upsert("res.partner", &good, json!({"name": "Good"})),
        upsert("res.partner", &bad, json!({"name": ""})),
    ];
    let error = target.deliver(&plan, &[]).await.unwrap_err();
    assert_eq!(error.next_try(), NextTry::Park);
    assert!(
        error
            .to_string()
            .starts_with(&format!("odoo refused res.partner `{bad}`")),
        "{error}"
    );
    assert!(error.receipts.is_empty());
    let name = good.split_once('.').unwrap().1;
    assert_eq!(
        odoo.sql(&format!(
            "select count(*) from ir_model_data where name = '{name}'"
        )),
        "0"
    );
    Ok(())
}

#[tokio::test]
async fn the_third_of_three_new_contacts_is_named_when_it_is_the_bad_one() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let ids = [fresh("first"), fresh("second"), fresh("third")];
    let vat =
        |number: &str| json!({"name": "N", "is_company": true, "country_id/id": "base.de", "vat": number});
    let cases = [
        // a rule of Odoo's, told for all three first and in the first one's name
        [vat("DE136695976"), vat("DE811569869"), vat("DE1")],
        // a column
        ["base.de", "base.fr", "base.nowhere"].map(|country| json!({"name": "N", "country_id/id": country})),
        // the database
        ["A", "B", ""].map(|name| json!({"name": name})),
    ];
    for values in cases {
        let plan: Vec<Command> = ids
            .iter()
            .zip(values)
            .map(|(id, values)| upsert("res.partner", id, values))
            .collect();
        let error = target.deliver(&plan, &[]).await.unwrap_err();
        let [.., third] = &ids;
        let expected = format!("odoo refused res.partner `{third}`");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(error.receipts.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn an_order_whose_totals_are_not_the_expected_ones_is_not_confirmed() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let target = odoo.target();
    let (mut plan, order) = deal(&fresh("cent"));
    plan.pop();
    let from = json!({"state": "draft", "amount_total": "178.50"});
    plan.push(act(
        "sale.order",
        &order,
        "action_confirm",
        from,
        json!({"state": "sale"}),
    ));
    let error = target.deliver(&plan, &[]).await.unwrap_err();
    assert_eq!(
        (error.error.code(), error.next_try()),
        ("wrong-state", NextTry::Park)
    );
    assert!(
        error
            .to_string()
            .contains("with amount_total=178.49, state=draft;"),
        "{error}"
    );
    assert_eq!(error.receipts.len(), 6);
    Ok(())
}
