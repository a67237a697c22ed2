//! Asking what has changed, and what is gone.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command as Process, Stdio},
};

use cambist_contract::mapping::{Command, RecordKey, RecordName};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::{Odoo, fresh, target_id, upsert};

const MODEL: &str = "res.partner";

/// Makes a partner, and gives Odoo's id of it.
async fn partner(odoo: &Odoo, id: &str, name: &str) -> anyhow::Result<String> {
    let plan = [upsert(MODEL, id, json!({ "name": name }))];
    Ok(target_id(&odoo.target().deliver(&plan, &[]).await?, 0))
}

#[tokio::test]
async fn a_write_that_ends_late_is_found_behind_a_younger_one() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let polled = odoo.polled();
    let (slow, quick) = (fresh("slow"), fresh("quick"));
    let (slow_id, quick_id) = (
        partner(&odoo, &slow, "Slow").await?,
        partner(&odoo, &quick, "Quick").await?,
    );
    // Odoo's clock moves on, so that the writes above are in a second of their own
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;

    // a transaction as Odoo's are: what it writes bears the time at which it began
    let mut session = Process::new("psql")
        .args(["-qAt", odoo.fact("SQL")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = session.stdin.take().unwrap();
    let mut output = BufReader::new(session.stdout.take().unwrap()).lines();
    writeln!(
        input,
        "BEGIN; UPDATE res_partner SET write_date = timezone('utc', now()), phone = 'late' WHERE id = {slow_id}; SELECT 'held';"
    )?;
    assert_eq!(output.next().unwrap()?, "held");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;

    // a younger write is there first, and a round goes by that sees nothing of the other
    let plan = [upsert(MODEL, &quick, json!({"phone": "quick"}))];
    odoo.target().deliver(&plan, &[]).await?;
    let latest = polled.latest(MODEL).await?.unwrap();
    let since = latest - SignedDuration::from_secs(600);
    let found = |page: Vec<cambist_connect::poll::Changed>, id: &str| page.into_iter().find(|it| it.id == id);
    let first = polled.since(MODEL, since, None).await?;
    let before = found(first.clone(), &slow_id).unwrap();
    assert!(found(first, &quick_id).unwrap().at >= before.at);

    writeln!(input, "COMMIT; SELECT 'done';")?;
    assert_eq!(output.next().unwrap()?, "done");
    drop(input);
    session.wait()?;
    // it bears a time before the latest that was seen, and another state
    let after = found(polled.since(MODEL, since, None).await?, &slow_id).unwrap();
    assert!(after.at < latest, "{} {latest}", after.at);
    assert_ne!(after.state, before.state);
    Ok(())
}

#[tokio::test]
async fn what_is_archived_is_found_and_what_is_deleted_is_missed() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let polled = odoo.polled();
    let (kept, gone) = (fresh("kept"), fresh("gone"));
    let (kept_id, gone_id) = (
        partner(&odoo, &kept, "Kept").await?,
        partner(&odoo, &gone, "Gone").await?,
    );
    let archive = Command::Remove(RecordName {
        model: MODEL.to_owned(),
        key: RecordKey::External(kept.clone()),
    });
    odoo.target().deliver(&[archive], &[]).await?;
    odoo.sql(&format!("DELETE FROM res_partner WHERE id = {gone_id}"));
    let since = Timestamp::UNIX_EPOCH;
    let after = (kept_id.parse::<u64>()? - 1).to_string();
    let page = polled.since(MODEL, since, Some(&after)).await?;
    assert!(page.iter().any(|changed| changed.id == kept_id));
    let asked = [kept_id.clone(), gone_id];
    assert_eq!(polled.there(MODEL, &asked).await?, [kept_id].into());
    Ok(())
}

#[tokio::test]
async fn a_record_of_odoos_own_is_written_by_its_id_and_none_is_made() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let id = odoo.sql("INSERT INTO res_partner (name, active, autopost_bills, type) VALUES ('Born there', true, 'ask', 'contact') RETURNING id");
    let own = |id: &str, phone: &str| match upsert(MODEL, "x.y", json!({ "phone": phone })) {
        Command::Upsert(record) => Command::Upsert(cambist_contract::mapping::Record {
            key: RecordKey::Own(id.to_owned()),
            ..record
        }),
        other => other,
    };
    let receipts = odoo.target().deliver(&[own(&id, "+49 30 7")], &[]).await?;
    assert_eq!(target_id(&receipts, 0), id);
    assert_eq!(
        odoo.sql(&format!("SELECT phone FROM res_partner WHERE id = {id}")),
        "+49 30 7"
    );
    // by what it would bear: other tests make partners in this database meanwhile
    let made = || odoo.sql("SELECT count(*) FROM res_partner WHERE phone = 'nobody has it'");
    let error = odoo
        .target()
        .deliver(&[own("999999999", "nobody has it")], &[])
        .await
        .unwrap_err();
    assert_eq!(
        error.error.next_try(),
        cambist_contract::delivery::NextTry::Park,
        "{error}"
    );
    assert_eq!(made(), "0");
    Ok(())
}
