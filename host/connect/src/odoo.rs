//! Odoo 19 and later, by its JSON-2 API.
//!
//! `POST /json/2/<model>/<method>` with named arguments; one call is one transaction. What is used of it:
//!
//! | for | call |
//! |---|---|
//! | upsert | `<model>/load`, up to 100 rows a call, of several plans where many are under way (`lane.rs`): by external id, all or nothing; a refused row is compared with what is there (`settle.rs`) |
//! | ensure | `ir.model.data/check_object_reference`, or `<model>/read` by Odoo's own id, then `load` for what is not there |
//! | act | `check_object_reference`, `<model>/read` of the state, `<model>/<action>`, `read` again |
//! | remove | `check_object_reference`, `<model>/read` of `active`, `<model>/write`: archived, never deleted |
//! | hint | `<model>/read`; `<model>/web_read` for fields of other records; for an invoice `sale.order/search_read` and the other invoices of its orders (`record.rs`); for an order `search_read` of what its bills rest on (`bills.rs`) |
//! | poll | `<model>/search_read` by `write_date` (`changes.rs`) |
//! | compare | `sale.order/search_read`, `account.move/search_read`, by ids and by dates (`books.rs`) |
//! | ready | `res.company/search_read` |
//!
//! None of them needs an administrator's rights.
//!
//! # What a record's values may look like
//!
//! A value's name is a column of `load`: a field (`name`), another record by its external id (`partner_id/id`) or by Odoo's
//! own id (`partner_id/.id`). Text goes as it is, so amounts are best written as text; `true` and `false` become `1` and `0`,
//! `null` empties the field, a list of texts becomes several external ids (`tax_ids/id`), an object JSON text. Only the
//! columns that are named change. A line needs its own external id: a record of its own that names its order, never
//! a part of the order, because Odoo would add those again with every resend.
//!
//! # What an action's state may look like
//!
//! Plain fields, as `read` shows them. Text of digits is compared with a number as an exact decimal, at the digits the text
//! shows: `"119.00"` is 119.0 and 118.9999999. A record that a field points to is compared by Odoo's id; `null`, `false` and
//! an empty text are the same.
//!
//! # Where to start reading
//!
//! [`answer`] for what Odoo's answers mean, then [`mod@target`].

mod action;
pub mod answer;
mod batch;
mod bills;
pub mod books;
mod cell;
pub mod changes;
mod check;
pub(crate) mod client;
mod fields;
mod hint;
mod lane;
mod load;
mod loaded;
mod lookup;
mod merge;
mod record;
mod remove;
mod settle;
mod state;
pub mod target;

pub use books::OdooBooks;
pub use changes::OdooChanges;
pub use hint::OdooHints;
pub use target::OdooTarget;

pub(crate) use client::OdooClient;

use cambist_contract::secret::Secret;
use reqwest::header::InvalidHeaderValue;

use crate::{http, line::Line, options};

/// The fields that are read of a model where the config names none.
pub(crate) fn usual_fields(model: &str) -> Option<Vec<String>> {
    fields::usual(model)
}

/// A connection to a database, as the config describes it.
pub(crate) fn connect(
    client: http::Client,
    system: &str,
    options: &options::Odoo,
    key: &Secret,
    line: Line,
) -> Result<OdooClient, InvalidHeaderValue> {
    let settings = client::Settings {
        database: &options.database,
        company: options.company,
        language: &options.language,
        read_time: options.read_time.get(),
        write_time: options.write_time.get(),
    };
    OdooClient::new(client, system, options.address.clone(), key, &settings, line)
}
