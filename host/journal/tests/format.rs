//! A journal of every past format opens, verifies, and says what it said.
//!
//! `data/format-1.db` was written by the first host. To write the file of a new
//! format, raise `FORMAT`, let [`write_down`] record what the format is about, and
//! run this test once with `CAMBIST_WRITE_FORMAT=6`. Never write the file of a
//! released format again: it is the proof that old files can be read.

use std::{fs, path::Path};

use cambist_contract::{
    Decimal,
    canonical::{EntityKind, EntityRef},
    delivery::{Effect, Receipt},
    digest::Digest,
    fault::Reason,
    message::{Message, MessageId},
    plugin::LogLine,
    rollout::{Act, Origin, Step},
    share::Share,
    stage::Stage,
};
use cambist_journal::{
    Erasures as _, Event, Journal as _, Ledger as _, Replays as _, Shadows as _,
    comparison::{Compared, Comparison, Difference, Pair, Took, Which},
    erasure::{Erasure, Extent, Ground},
    journal::{Accepted, Filter},
    replay::{Differing, Field, Moved, Order, Progress, Revisions, Total, Wanted},
    store::SqliteJournal,
};
use jiff::Timestamp;
use serde_json::{Value, json};

#[tokio::test]
async fn a_journal_of_every_format_says_what_it_said() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    if let Some(format) = std::env::var_os("CAMBIST_WRITE_FORMAT") {
        let path = data.join(format!("format-{}.db", format.display()));
        anyhow::ensure!(!path.exists(), "{} is there; it stays as it is", path.display());
        let journal = SqliteJournal::open(&path)?;
        write_down(&journal).await?;
        let told = serde_json::to_string_pretty(&tell(&journal).await?)?;
        fs::write(path.with_extension("json"), told + "\n")?;
        drop(journal);
        fs::remove_file(path.with_extension("db.lock"))?;
    }

    for format in [1, 2, 3, 4, 5, 6] {
        let name = format!("format-{format}.db");
        let dir = tempfile::tempdir()?;
        let copy = dir.path().join(&name);
        fs::copy(data.join(&name), &copy)?;
        let expected: Value = serde_json::from_slice(&fs::read(data.join(&name).with_extension("json"))?)?;

        assert_eq!(tell(&SqliteJournal::open_read_only(&copy)?).await?, expected);
        let journal = SqliteJournal::open(&copy)?;
        assert_eq!(tell(&journal).await?, expected);
        // message 3 is on its way; kept since format 3, and worked out for older files
        assert_eq!(journal.pinned(&[Digest::of(b"map")]).await?, [1]);
        // It goes on from where it was: old receipts are known, new ones are taken.
        let both = journal.accept(vec![message(1), message(99)]).await?;
        assert_eq!(both, [Accepted::Duplicate, Accepted::New]);
        journal.verify().await?;
        drop(journal);
        // it was brought along: SQLite keeps `user_version` at byte 60 of the file
        assert_eq!(fs::read(&copy)?.get(60..64), Some([0, 0, 0, 6].as_slice()));
    }
    Ok(())
}

/// All that a journal says.
async fn tell(journal: &SqliteJournal) -> anyhow::Result<Value> {
    let verified = journal.verify().await?;
    let counts = journal.counts().await?;
    let all = Filter {
        limit: 99,
        ..Filter::default()
    };
    let mut messages = Vec::new();
    for status in journal.list(all).await? {
        let found = journal
            .message(&status.id)
            .await?
            .ok_or_else(|| anyhow::anyhow!("{} is gone", status.id))?;
        messages.push(json!({ "status": status, "message": found.message, "entries": found.entries }));
    }
    let records = [("res.partner".to_owned(), "crm_account_7".to_owned())];
    let mut told = json!({
        "entries": verified.entries,
        "head": verified.head,
        "by-state": counts.by_state,
        "oldest-due": counts.oldest_due,
        "written": journal.written("odoo", &records).await?,
        "link": journal.link(&account(), "odoo").await?.and_then(|link| link.id),
        "messages": messages,
    });
    // since format 3
    let acts = journal.acts().await?;
    if !acts.is_empty() {
        told.as_object_mut()
            .map(|told| told.insert("acts".to_owned(), json!(acts)));
    }
    // since format 4
    let which = Which {
        limit: 9,
        money: false,
    };
    let shadow = journal.comparisons("map-crm", &Digest::of(b"new"), which).await?;
    if !shadow.tallies.is_empty() {
        told.as_object_mut()
            .map(|told| told.insert("shadow".to_owned(), json!(shadow)));
    }
    // since format 5
    let known = journal.known("odoo", &[account()]).await.unwrap_or_default();
    let fields = known.into_iter().next().unwrap_or_default().told;
    if !fields.is_empty() {
        told.as_object_mut()
            .map(|told| told.insert("told".to_owned(), json!(fields)));
    }
    // since format 6
    let replays = journal.replays(9).await?;
    for replay in &replays {
        let differing = journal.differing(replay.number, 9).await?;
        told.as_object_mut()
            .map(|told| told.insert("replays".to_owned(), json!([replay, differing])));
    }
    Ok(told)
}

/// What is there since format 6: one message of which all is erased, and one of which the
/// payloads are.
async fn erase(journal: &SqliteJournal) -> anyhow::Result<()> {
    for (n, extent) in [(10, Extent::All), (11, Extent::Payloads)] {
        journal.accept(vec![message(n)]).await?;
        let merged = Event::Merged {
            entity: EntityRef {
                id: n.to_string(),
                ..account()
            },
            into: account(),
        };
        journal
            .record(&message(n).id, at(40)?, vec![merged, Event::Done])
            .await?;
        let erasure = Erasure {
            messages: vec![message(n).id],
            extent,
            end: false,
            ground: Ground {
                by: "b.keller".into(),
                reason: "she asked for it".into(),
                request: Some("DSR-12".into()),
            },
        };
        journal.erase(at(41)?, erasure).await?;
    }
    Ok(())
}

fn at(seconds: i64) -> anyhow::Result<Timestamp> {
    Ok(Timestamp::new(1_790_000_000 + seconds, 120_000_000)?)
}

fn message(n: u32) -> Message {
    Message {
        id: MessageId::of("crm", &n.to_string()),
        system: "crm".into(),
        event: "deal.propertyChange".into(),
        object_kind: "deal".into(),
        object_id: n.to_string(),
        dedupe: n.to_string(),
        key: format!("deal/{}", n % 8),
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::constant(1_790_000_000, 0),
        headers: [("user-agent".to_owned(), "crm/1".to_owned())].into(),
        body: r#"{"amount":"1200.50","name":"Größe"}"#.into(),
    }
}

fn account() -> EntityRef {
    EntityRef {
        kind: EntityKind::Account,
        system: "crm".into(),
        id: "7".into(),
    }
}

/// A small journal with every event and every state in it.
async fn write_down(journal: &SqliteJournal) -> anyhow::Result<()> {
    journal.accept((1..=9).map(message).collect()).await?;
    let reasons = vec![Reason {
        code: "above-limit".into(),
        text: "the deal is above 50 000 EUR".into(),
        basis: Some("deal desk rule 4".into()),
    }];
    let routed = Event::Routed {
        flow: "crm-to-odoo".into(),
        region: "de".into(),
        unit: String::new(),
        target: "odoo".into(),
        pins: [(Stage::Read, Digest::of(b"map"))].into(),
        step: None,
    };
    let passed = |stage| Event::Passed {
        stage,
        output: json!({"amount": "1200.50", "lines": [1, null, true]}).into(),
        took_us: 812,
        fuel: Some(104_000),
        links: vec![],
        log: vec![LogLine {
            level: "info".into(),
            text: "one line".into(),
        }],
    };
    let called = Event::Called {
        stage: Stage::Judge,
        took_us: 512,
        fuel: 51_000,
        log: vec![LogLine {
            level: "warn".into(),
            text: "no owner".into(),
        }],
        links: vec![],
    };
    let delivered = Event::Delivered {
        target: "odoo".into(),
        receipts: vec![Receipt {
            model: "res.partner".into(),
            external_id: "crm_account_7".into(),
            effect: Effect::Written,
            target_id: Some("42".into()),
            written: Some(Digest::of(b"values")),
            stands_for: Some(account()),
            fields: [("name".to_owned(), Digest::of(b"Gr\xc3\xb6\xc3\x9fe"))].into(),
        }],
    };
    let failed = Event::Failed {
        stage: Stage::Deliver,
        attempt: 1,
        error: "no answer within 30 s".into(),
        retry_at: at(900)?,
    };
    let parked = Event::Parked {
        stage: Stage::Write,
        code: "refused".into(),
        reason: "the account has no country".into(),
    };
    let held = || Event::Held {
        role: "finance".into(),
        reasons: reasons.clone(),
    };
    let waiting = |stage, entity| Event::Waiting { stage, entity };
    let other = EntityRef {
        kind: EntityKind::Project,
        ..account()
    };
    let released = Event::Released {
        role: "finance".into(),
        by: "b.keller".into(),
    };
    let resumed = Event::Resumed {
        by: "b.keller".into(),
        from: Stage::Fetch,
        live: true,
        why: Some("the tax was wrong".into()),
        order: Some(1),
    };
    let ways = [
        (2, vec![waiting(Stage::Write, account())]),
        (
            1,
            vec![routed.clone(), passed(Stage::Read), delivered, Event::Done],
        ),
        (3, vec![routed, passed(Stage::Read), failed]),
        (4, vec![parked]),
        (5, vec![called, held()]),
        (6, vec![waiting(Stage::Draft, other)]),
        (
            7,
            vec![Event::Ignored {
                reason: "no flow takes it".into(),
            }],
        ),
        (
            8,
            vec![Event::Denied {
                reasons: reasons.clone(),
            }],
        ),
        (9, vec![held(), released, Event::Done, resumed]),
    ];
    for (n, events) in ways {
        journal.record(&message(n).id, at(i64::from(n))?, events).await?;
    }
    let steps = [
        Step::Registered { from: Origin::Folder },
        Step::Refused {
            reason: "its case `deal` fails".into(),
        },
        Step::Registered { from: Origin::Push },
        Step::Passed {
            version: Some("1.2.0".into()),
        },
        Step::Live {
            revisions: [("read".to_owned(), Digest::of(b"map"))].into(),
            held: false,
        },
        Step::Shadow {
            revisions: [("read".to_owned(), Digest::of(b"new map"))].into(),
        },
        Step::Share {
            share: Share::of(10),
            revisions: [("read".to_owned(), Digest::of(b"new map"))].into(),
        },
        Step::Withdrawn {
            reason: "3 of its 3 calls broke, and 5 % may".into(),
        },
        Step::Killed {
            reason: "wrong totals".into(),
        },
        Step::Retired,
    ];
    for (second, step) in (10..).zip(steps) {
        let act = Act {
            plugin: "map-crm".into(),
            component: Digest::of(b"component"),
            by: "b.keller".into(),
            step,
        };
        journal.act(at(second)?, vec![act]).await?;
    }
    let took = |fuel, us, error: Option<&str>| Took {
        fuel,
        us,
        error: error.map(str::to_owned),
    };
    let pair = Pair {
        plugin: "map-crm".into(),
        live: Digest::of(b"component"),
        shadow: Digest::of(b"new"),
        stage: Stage::Read,
    };
    let comparison = Comparison {
        pair: pair.clone(),
        message: message(1).id,
        at: at(30)?,
        live_cost: took(104_000, 812, None),
        shadow_cost: took(99_000, 760, None),
        differences: vec![Difference {
            path: "[0].entity.account.name".into(),
            live: Some("\"Größe\"".into()),
            shadow: None,
            money: false,
        }],
        more: 2,
    };
    journal
        .compared(vec![Compared::Called(comparison), Compared::Skipped(pair, 3)])
        .await?;
    erase(journal).await?;
    let order = Order {
        wanted: Wanted {
            from: Some(at(0)?),
            region: Some("de".into()),
            ..Wanted::default()
        },
        revisions: Revisions::Named(Digest::of(b"map")),
        dry: true,
        begin: Stage::Fetch,
        by: "b.keller".into(),
        why: "to see what differs".into(),
        at: at(40)?,
    };
    let number = journal.order(order).await?;
    let moved = Moved {
        totals: 1,
        up: Decimal::new(1240, 2),
        down: Decimal::ZERO,
    };
    let mut progress = Progress {
        last: Some(9),
        reached: 5,
        messages: 4,
        ..Progress::default()
    };
    progress.report.money.insert("EUR".into(), moved);
    let differing = Differing {
        message: message(1).id,
        arrival: 1,
        received_at: at(0)?,
        object: "deal/1".into(),
        flow: "crm-to-odoo".into(),
        region: "de".into(),
        begins_at: Some(Stage::Read),
        ends: None,
        totals: vec![Total {
            of: account(),
            currency: "EUR".into(),
            then: Decimal::new(120_050, 2),
            now: Decimal::new(121_290, 2),
        }],
        fields: vec![Field {
            stage: Stage::Write,
            path: "commands[0].upsert.values.name".into(),
            then: Some("\"Größe\"".into()),
            now: None,
            money: false,
        }],
        more: 2,
    };
    journal.proceed(number, progress, vec![differing]).await?;
    Ok(())
}
