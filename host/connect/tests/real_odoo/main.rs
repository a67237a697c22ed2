//! The Odoo connector against a real Odoo 19, started by `tests/odoo/up.sh`.
//!
//! `CAMBIST_ODOO_ENV` names the env file that the script prints. Without it every test here is skipped, and says so.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod books;
mod hints;
mod lost;
mod once;
mod poll;
mod refusals;
mod support;
mod table;
