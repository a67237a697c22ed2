//! Every answer that was recorded from a running Odoo 19.0, and what it means.

use serde_json::json;

use super::*;

fn answer(status: u16, is_json: bool, body: &str) -> Answer {
    Answer {
        status,
        is_json,
        retry_after: None,
        body: body.as_bytes().to_vec(),
    }
}

fn fault(status: u16, name: &str, message: &str) -> Fault {
    let body = json!({"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback"});
    read(&answer(status, true, &body.to_string())).unwrap_err()
}

#[test]
fn bare_values_are_values_whatever_they_are() {
    for text in [
        // create: a list even for one
        "[226]",
        "[15, 16]",
        // write and action_set_won, action_post, action_set_lost and button_draft
        "true",
        "false",
        "null",
        // read, of a record that is there and of one that is not
        r#"[{"id": 1, "phone": "+49 30 1"}]"#,
        "[]",
        // search_count, check_object_reference, get_external_id
        "8",
        r#"["res.partner", 1]"#,
        r#"{"1": "base.main_partner"}"#,
        // load, and /web/version
        r#"{"ids": [15, 16], "messages": [], "nextrow": 0}"#,
        r#"{"ids": false, "messages": [{"record": 0, "type": "error", "message": "Contacts require a name"}], "nextrow": 0}"#,
        r#"{"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}"#,
    ] {
        assert!(read(&answer(200, true, text)).is_ok(), "{text}");
    }
}

#[test]
fn a_wrong_or_missing_key_is_one_thing() {
    for message in [
        "Invalid apikey",
        "User not authenticated, use an API Key with a Bearer Authorization header.",
    ] {
        assert_eq!(
            fault(401, "werkzeug.exceptions.Unauthorized", message),
            Fault::KeyRefused
        );
    }
}

#[test]
fn a_404_of_html_is_the_database_and_one_of_json_is_the_model() {
    let html = "<!doctype html>\n<title>404 Not Found</title>\n<p>No database is selected";
    assert_eq!(read(&answer(404, false, html)).unwrap_err(), Fault::NoDatabase);
    for message in [
        "the model 'x' does not exist",
        "The method 'res.partner.nosuch' does not exist",
        "Did you mean POST /json/2/<model>/<method>?",
    ] {
        assert!(
            matches!(
                fault(404, "werkzeug.exceptions.NotFound", message),
                Fault::Misfit(_)
            ),
            "{message}"
        );
    }
    // written to, acted on, or pointed at by a column
    let message = "Record does not exist or has been deleted.\n(Record: res.partner(99999999,), User: 5)";
    assert_eq!(
        fault(404, "odoo.exceptions.MissingError", message),
        Fault::Gone(reason(message))
    );
}

#[test]
fn what_we_say_wrongly_is_a_misfit_at_any_status() {
    let cases = [
        (
            400,
            "werkzeug.exceptions.BadRequest",
            "could not parse the body as json: Expecting value",
        ),
        (
            422,
            "werkzeug.exceptions.UnprocessableEntity",
            "missing a required argument: 'domain'",
        ),
        (
            422,
            "werkzeug.exceptions.UnprocessableEntity",
            "got an unexpected keyword argument 'foo'",
        ),
        (
            422,
            "werkzeug.exceptions.UnprocessableEntity",
            "cannot call res.partner.search_count with ids",
        ),
        (
            500,
            "builtins.ValueError",
            "Invalid field 'nofield' in 'res.partner'",
        ),
        (
            500,
            "builtins.ValueError",
            "Invalid field res.partner.nofield in condition ('nofield', '=', 1)",
        ),
        (500, "builtins.ValueError", "Invalid field name 'nofield'"),
        (500, "builtins.KeyError", "nofield"),
        (
            500,
            "builtins.ValueError",
            "Wrong value for res.partner.type: 'bogus'",
        ),
        (
            500,
            "builtins.ValueError",
            "invalid literal for int() with base 10: 'red'",
        ),
        (
            500,
            "builtins.ValueError",
            "time data '2026-01-01T00:00:00Z' does not match format '%Y-%m-%d %H:%M:%S'",
        ),
        (
            500,
            "builtins.AttributeError",
            "'bool' object has no attribute 'lower'",
        ),
        (
            500,
            "psycopg2.errors.InvalidTextRepresentation",
            "invalid input syntax for type integer",
        ),
    ];
    for (status, name, message) in cases {
        assert!(
            matches!(fault(status, name, message), Fault::Misfit(_)),
            "{name}: {message}"
        );
    }
    assert!(matches!(
        read(&answer(415, false, "<html>")).unwrap_err(),
        Fault::Misfit(_)
    ));
}

#[test]
fn business_rules_refuse_in_their_own_words() {
    let cases = [
        (
            "odoo.exceptions.ValidationError",
            "The operation cannot be completed: Contacts require a name",
        ),
        (
            "odoo.exceptions.ValidationError",
            "\nThe VAT number [1] for partner [One] does not seem to be valid.  \nNote: the expected format is DE123456788 or \
             12/345/67890",
        ),
        // a column that points at a record that is not there: Odoo's words lead astray, and are all there is
        (
            "odoo.exceptions.ValidationError",
            "The operation cannot be completed: Another model is using the record you are trying to delete.\n\nThe troublemaker \
             is: 'Contact' (res.partner)",
        ),
        (
            "odoo.exceptions.UserError",
            "The entry INV/2026/00001 (id 1) must be in draft.",
        ),
        (
            "odoo.exceptions.UserError",
            "Even magicians can't post nothing! The 'Customer' field is required",
        ),
        (
            "odoo.exceptions.UserError",
            "You don't have the rights to export data. Please contact an Administrator.",
        ),
    ];
    for (name, message) in cases {
        assert_eq!(fault(422, name, message), Fault::Refused(reason(message)));
    }
}

#[test]
fn rights_are_named_as_odoo_names_them() {
    for message in [
        "Private methods (such as 'res.partner._write') cannot be called remotely.",
        "You are not allowed to create 'Models' (ir.model) records.\n\nThis operation is allowed for the following groups:\n\t- \
         Access Rights",
        "You are not allowed to access 'Model Data' (ir.model.data) records.",
    ] {
        let expected = Fault::NotAllowed(reason(message));
        assert_eq!(fault(403, "odoo.exceptions.AccessError", message), expected);
    }
}

#[test]
fn a_lost_race_is_a_500_that_goes_away() {
    for name in [
        "psycopg2.errors.SerializationFailure",
        "psycopg2.errors.DeadlockDetected",
        "psycopg2.errors.LockNotAvailable",
    ] {
        assert_eq!(
            fault(500, name, "could not serialize access due to concurrent update\n"),
            Fault::Contended
        );
    }
    assert_eq!(
        fault(409, "odoo.exceptions.LockError", "Cannot grab a lock"),
        Fault::Contended
    );
}

#[test]
fn trouble_of_its_own_passes_and_tells_whether_something_may_have_been_done() {
    let server = "connection to server at \"127.0.0.1\", port 5432 failed: Connection refused";
    let slots = "connection to server on socket \"/run/.s.PGSQL.5432\" failed: FATAL:  sorry, too many clients already";
    for (name, message) in [
        ("psycopg2.pool.PoolError", "The Connection Pool Is Full"),
        ("psycopg2.OperationalError", server),
        ("psycopg2.OperationalError", slots),
        (
            "psycopg2.errors.TooManyConnections",
            "sorry, too many clients already",
        ),
        (
            "psycopg2.errors.CannotConnectNow",
            "the database system is starting up",
        ),
    ] {
        assert_eq!(fault(500, name, message), Fault::Busy(None), "{name}");
    }
    for name in [
        "psycopg2.errors.DiskFull",
        "psycopg2.errors.OutOfMemory",
        "psycopg2.errors.ReadOnlySqlTransaction",
        "psycopg2.errors.InFailedSqlTransaction",
        "psycopg2.errors.QueryCanceled",
    ] {
        assert_eq!(fault(500, name, "?"), Fault::TakenBack(name.to_owned()));
    }
    for (name, message) in [
        (
            "psycopg2.errors.AdminShutdown",
            "terminating connection due to administrator command",
        ),
        (
            "psycopg2.errors.CrashShutdown",
            "terminating connection because of crash",
        ),
        (
            "psycopg2.OperationalError",
            "server closed the connection unexpectedly",
        ),
        ("psycopg2.InterfaceError", "connection already closed"),
        ("builtins.Exception", "CPU time limit exceeded."),
        ("builtins.MemoryError", ""),
        ("builtins.OSError", "[Errno 28] No space left on device"),
    ] {
        assert_eq!(fault(500, name, message), Fault::Troubled(name.to_owned()));
    }
    // any other of that class is a mistake of somebody's
    assert!(matches!(fault(500, "builtins.Exception", "no"), Fault::Misfit(_)));
}

#[test]
fn an_unknown_external_id_is_told_from_other_wrong_values() {
    let message = "External ID not found in the system: hub.none";
    assert_eq!(fault(500, "builtins.ValueError", message), Fault::UnknownId);
}

#[test]
fn proxies_and_strangers_are_told_apart() {
    assert_eq!(read(&answer(429, false, "")).unwrap_err(), Fault::Busy(None));
    for status in [502, 503, 504] {
        assert_eq!(
            read(&answer(status, false, "<html>")).unwrap_err(),
            Fault::Troubled(format!("status {status}"))
        );
    }
    assert!(matches!(
        read(&answer(200, false, "<html>login")).unwrap_err(),
        Fault::Strange(_)
    ));
    assert!(matches!(
        read(&answer(302, false, "")).unwrap_err(),
        Fault::Strange(_)
    ));
    assert_eq!(
        read(&answer(200, true, "{\"ids\": [1")).unwrap_err(),
        Fault::Strange("broken JSON".to_owned())
    );
    assert_eq!(
        fault(500, "somebody.elses.Error", "?"),
        Fault::Troubled("status 500".to_owned())
    );
}

#[test]
fn nothing_of_the_traceback_is_kept() {
    let body = json!({"name": "odoo.exceptions.UserError", "message": "No.", "debug": "SECRET /opt/odoo"});
    let fault = read(&answer(422, true, &body.to_string())).unwrap_err();
    assert_eq!(fault, Fault::Refused("No".to_owned()));
}
