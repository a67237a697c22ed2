//! The table of failures (`src/failures.txt`), row by row, as far as a real Odoo can be brought to say it: what it means by
//! each answer is then not our guess. Each row is provoked, or stands among those that are not, with the reason.
//!
//! What PostgreSQL has to say is raised by a trigger on partners, with its error's own code: from there on, psycopg2, Odoo's
//! own repetitions, `load` and JSON-2 are the real ones. One row is the real end of a connection.

use std::{collections::BTreeSet, sync::Arc};

use cambist_connect::{ConnectError, Target};
use cambist_contract::{
    delivery::NextTry,
    mapping::{Action, Command, RecordKey, RecordName},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::*;

const TABLE: &str = include_str!("../../src/failures.txt");

/// A partner that is given a phone `raise:CODE:text`, or archived with such a reference, raises that; `end` ends the
/// connection.
const TRIGGER: &str = "
    create or replace function cambist_raise() returns trigger language plpgsql as $$
    declare said text := case when not new.active then new.ref else new.phone end;
    begin
        if said like 'raise:end%' then
            perform pg_terminate_backend(pg_backend_pid());
            perform pg_sleep(1);
        elsif said like 'raise:%' then
            raise exception '%', split_part(said, ':', 3) using errcode = split_part(said, ':', 2);
        end if;
        return new;
    end $$;
    create or replace trigger cambist_raise before insert or update of phone, active on res_partner
        for each row execute function cambist_raise();
";

/// How a row is provoked.
enum How {
    /// PostgreSQL's error of this code.
    Code(&'static str),
    /// PostgreSQL's error of this code, in these words.
    Words(&'static str, &'static str),
    /// Its connection ends.
    End,
    /// This action on a partner that is there, with these arguments.
    Act(&'static str, Value),
    /// With a key that Odoo does not know.
    WrongKey,
    /// On a record that our user may not write.
    NotOurs,
    /// On an external id that no record has.
    NoRecord,
    /// Confirming an order that is confirmed.
    Confirmed,
    /// It is not, for this reason.
    Not(&'static str),
}

/// What Odoo's exceptions are provoked by, in the table's order of names.
fn provoked(name: &str, says: &str) -> How {
    match (name, says) {
        ("psycopg2.errors.SerializationFailure", _) => How::Code("40001"),
        ("psycopg2.errors.DeadlockDetected", _) => How::Code("40P01"),
        ("psycopg2.errors.LockNotAvailable", _) => How::Code("55P03"),
        ("psycopg2.errors.TooManyConnections", _) => How::Code("53300"),
        ("psycopg2.errors.CannotConnectNow", _) => How::Code("57P03"),
        ("psycopg2.errors.DiskFull", _) => How::Code("53100"),
        ("psycopg2.errors.OutOfMemory", _) => How::Code("53200"),
        ("psycopg2.errors.InsufficientResources", _) => How::Code("53000"),
        ("psycopg2.errors.ReadOnlySqlTransaction", _) => How::Code("25006"),
        ("psycopg2.errors.InFailedSqlTransaction", _) => How::Code("25P02"),
        ("psycopg2.errors.QueryCanceled", _) => How::Code("57014"),
        ("psycopg2.errors.IdleInTransactionSessionTimeout", _) => How::Code("25P03"),
        ("psycopg2.errors.AdminShutdown", _) => How::End,
        ("psycopg2.errors.CrashShutdown", _) => How::Code("57P02"),
        ("psycopg2.errors.DatabaseDropped", _) => How::Code("57P04"),
        ("psycopg2.errors.IoError", _) => How::Code("58030"),
        ("psycopg2.errors.Connection", _) => How::Code("08006"),
        ("psycopg2.", _) => How::Code("22012"),
        ("werkzeug.exceptions.Unauthorized", _) => How::WrongKey,
        ("odoo.exceptions.AccessError", _) => How::NotOurs,
        ("odoo.exceptions.MissingError", _) => How::Act("write", json!({"vals": {"parent_id": 999_999_999}})),
        ("builtins.ValueError", "External ID not found in the system") => How::NoRecord,
        ("psycopg2.errors.UniqueViolation", _) => {
            How::Not("`load` says it in PostgreSQL's words, and of other calls Odoo makes a ValidationError")
        }
        ("odoo.exceptions.ValidationError", "duplicate key value violates unique constraint") => {
            How::Words("23505", "duplicate key value violates unique constraint")
        }
        ("odoo.exceptions.ValidationError", _) => {
            How::Act("write", json!({"vals": {"country_id": 57, "vat": "DE1"}}))
        }
        ("odoo.exceptions.UserError", _) => How::Confirmed,
        ("werkzeug.exceptions.NotFound", _) => How::Act("no_such_method", json!({})),
        ("werkzeug.exceptions.UnprocessableEntity", _) => How::Act("write", json!({"value": 1})),
        ("builtins.", _) => How::Act("write", json!({"vals": {"no_such_field": 1}})),
        ("psycopg2.pool.PoolError" | "odoo.sql_db.PoolError", _) => How::Not(
            "every connection of the server would have to be taken, and all other tests fail with it",
        ),
        ("psycopg2.OperationalError", "connection to server at" | "connection to server on") => {
            How::Not("its PostgreSQL would have to be down, which all tests share")
        }
        ("psycopg2.OperationalError" | "psycopg2.InterfaceError", _) => {
            How::Not("psycopg2 names the end of a connection by its code wherever PostgreSQL still says it")
        }
        ("psycopg2.extensions.TransactionRollbackError" | "psycopg2.extensions.QueryCanceledError", _) => {
            How::Not("older psycopg2 says it in the place of the errors with a code")
        }
        ("odoo.exceptions.LockError" | "odoo.exceptions.ConcurrencyError", _) => {
            How::Not("no method of what we write to raises it")
        }
        ("builtins.Exception", _) => How::Not("a call would have to use up its processor time, 10 min here"),
        (
            "builtins.MemoryError"
            | "builtins.OSError"
            | "builtins.TimeoutError"
            | "builtins.Connection"
            | "builtins.BrokenPipeError",
            _,
        ) => How::Not("its machine would have to be in trouble"),
        (
            "odoo.http.SessionExpiredException"
            | "odoo.exceptions.AccessDenied"
            | "werkzeug.exceptions.Forbidden",
            _,
        ) => How::Not("what logs in by a key never has a session, and is told Unauthorized"),
        ("odoo.exceptions.RedirectWarning", _) => How::Not("no method of what we write to raises it"),
        ("werkzeug.exceptions.BadRequest", _) => How::Not("our calls are well-formed JSON"),
        ("any other", _) => How::Not("it stands for what we do not know"),
        other => panic!("{other:?} is in the table and not here: say how it is provoked, or why not"),
    }
}

/// The rows of a part of the table, without its heading.
fn rows(part: &str) -> Vec<Vec<&'static str>> {
    let (_, from) = TABLE.split_once(part).unwrap();
    let rows = from.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|line| line.split('|').map(str::trim).collect())
        .collect()
}

fn then(error: &ConnectError) -> String {
    match error.next_try() {
        NextTry::SendAgain { not_before: None } => "send again".to_owned(),
        NextTry::SendAgain {
            not_before: Some(wait),
        } => format!("send again after {}s", wait.as_secs()),
        NextTry::LookUpFirst { not_before } => format!("look up after {}s", not_before.as_secs()),
        NextTry::Park => "park".to_owned(),
    }
}

/// Writes a partner's phone by an action, which must not be done twice.
fn writes(id: &str, name: &str, arguments: Value) -> Command {
    let mut command = act(
        "res.partner",
        id,
        name,
        json!({"city": "here"}),
        json!({"city": "there"}),
    );
    if let Command::Act(action) = &mut command {
        action.arguments = fields(arguments);
    }
    command
}

fn archives(key: RecordKey, model: &str) -> Command {
    Command::Remove(RecordName {
        model: model.to_owned(),
        key,
    })
}

/// What Odoo is told to provoke a row: as a write, which may be repeated, where there is one, and as an action.
async fn commands(odoo: &Odoo, target: &Arc<dyn Target>, how: &How) -> (Option<Command>, Command) {
    let id = fresh("row");
    let external = RecordKey::External(id.clone());
    let said = match how {
        How::Code(code) => format!("raise:{code}:provoked"),
        How::Words(code, words) => format!("raise:{code}:{words}"),
        How::End => "raise:end".to_owned(),
        _ => String::new(),
    };
    let there = upsert(
        "res.partner",
        &id,
        json!({"name": "Row", "city": "here", "ref": said}),
    );
    target.deliver(&[there], &[]).await.unwrap();
    match how {
        How::Code(_) | How::Words(..) | How::End => (
            Some(archives(external, "res.partner")),
            writes(&id, "write", json!({"vals": {"phone": said}})),
        ),
        How::Act(name, arguments) => (None, writes(&id, name, arguments.clone())),
        How::WrongKey => (
            Some(archives(external, "res.partner")),
            writes(&id, "write", json!({"vals": {"city": "there"}})),
        ),
        How::NotOurs => {
            let tax = odoo.sql(&format!(
                "select min(id) from account_tax where active and company_id = {}",
                odoo.fact("COMPANY_DE")
            ));
            let key = RecordKey::Own(tax);
            let write = Command::Act(Action {
                model: "account.tax".to_owned(),
                key: key.clone(),
                name: "write".to_owned(),
                arguments: fields(json!({"vals": {"amount": 1}})),
                from: fields(json!({"active": true})),
                to: fields(json!({"active": false})),
            });
            (Some(archives(key, "account.tax")), write)
        }
        How::NoRecord => (None, writes(&fresh("never"), "write", json!({"vals": {}}))),
        How::Confirmed => {
            let (plan, order) = deal(&fresh("row"));
            target.deliver(&plan, &[]).await.unwrap();
            let again = act(
                "sale.order",
                &order,
                "action_confirm",
                json!({"state": "sale"}),
                json!({"state": "cancel"}),
            );
            (None, again)
        }
        How::Not(_) => unreachable!("it is not provoked"),
    }
}

#[tokio::test]
async fn each_row_of_odoos_exceptions_is_what_a_real_odoo_comes_to() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    odoo.sql(TRIGGER);
    let odoo = Arc::new(odoo);
    let (mut cases, mut without) = (JoinSet::new(), BTreeSet::new());
    for row in rows("# Odoo, by exception") {
        let &[name, says, code, write, action] = row.as_slice() else {
            panic!("a row of another form: {row:?}");
        };
        let how = provoked(name, says);
        if let How::Not(why) = how {
            assert!(!why.is_empty());
            without.insert(name);
            continue;
        }
        let odoo = Arc::clone(&odoo);
        cases.spawn(async move {
            let target = odoo.target();
            let (as_write, as_action) = commands(&odoo, &target, &how).await;
            let target = match how {
                How::WrongKey => {
                    let key = "0123456789abcdef0123456789abcdef01234567";
                    odoo.systems(odoo.fact("DB"), key).target("odoo").unwrap()
                }
                _ => target,
            };
            for (command, follows) in [(as_write, write), (Some(as_action), action)] {
                let Some(command) = command else { continue };
                let what = format!("{name} {says}: {command:?}");
                let error = match target.deliver(&[command], &[]).await {
                    Ok(receipts) => panic!("{what} was done: {receipts:?}"),
                    Err(error) => error.error,
                };
                assert_eq!(
                    (error.code(), then(&error).as_str()),
                    (code, follows),
                    "{what}: {error}"
                );
            }
        });
    }
    let provoked = cases.len();
    while let Some(case) = cases.join_next().await {
        case?;
    }
    assert!(provoked >= 28, "{provoked} rows were provoked, not: {without:?}");
    Ok(())
}

#[tokio::test]
async fn each_text_that_load_hides_an_exception_in_is_what_a_real_odoo_says() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    odoo.sql(TRIGGER);
    let target = odoo.target();
    for row in rows("# Odoo, of a row of `load`") {
        let &[text, code, write, _] = row.as_slice() else {
            panic!("a row of another form: {row:?}");
        };
        // PostgreSQL's own code for each of its own sentences
        let state = match text {
            "could not serialize access" => "40001",
            "deadlock detected" => "40P01",
            "duplicate key value violates unique constraint" => "23505",
            "could not obtain lock on row" | "canceling statement due to lock timeout" => "55P03",
            "canceling statement due to" => "57014",
            "current transaction is aborted" => "25P02",
            "in a read-only transaction" => "25006",
            "No space left on device" => "53100",
            "out of memory" => "53200",
            // Odoo's, and no method of partners says it
            "Cannot grab a lock on records" => continue,
            other => panic!("`{other}` is in the table and not here"),
        };
        let id = fresh("hidden");
        let phone = format!("raise:{state}:{text}");
        let command = upsert("res.partner", &id, json!({"name": "Hidden", "phone": phone}));
        let error = failure(&target, command).await.error;
        assert_eq!(
            (error.code(), then(&error).as_str()),
            (code, write),
            "{text}: {error}"
        );
        assert_eq!(
            odoo.sql(&format!(
                "select count(*) from res_partner where phone = '{phone}'"
            )),
            "0"
        );
    }
    Ok(())
}
