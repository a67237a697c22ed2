//! Odoo's words: what was agreed as customer, order and project, and back.
//!
//! `write` makes a plan of rows for Odoo's `load`, each under an external id that
//! is always the same for the same entity, confirms the order of an approved
//! contract once its totals are those of the assessment, and leaves a confirmed
//! order alone that others were agreed on for. `read` tells what an
//! Odoo record means that the connector has read back. README.md lists every
//! column, both ways.
//!
//! An order that came with what its bills rest on is read whole ([`billing`]), and a bill that was drafted of it is
//! written as a draft ([`draft`]).
//!
//! # What is not here
//!
//! Which tax falls on a line (tax plugins say, [`tax`] only finds Odoo's name for
//! it); how Odoo is called, and which rows it has already (the connector).
//!
//! # Where to start reading
//!
//! [`order`] for what a contract becomes, then one file for each model;
//! [`external_id`] for how records are found again; [`settings`] for what a
//! region can set.

mod billing;
mod cleared;
mod columns;
mod draft;
mod external_id;
mod invoice;
mod many2one;
mod milestone;
mod order;
mod order_line;
mod partner;
mod payment;
mod place;
mod plan;
mod product;
mod project;
mod settings;
mod source;
mod tax;

use cambist_sdk::prelude::*;

use crate::{settings::Settings, source::Source};

/// The plugin.
#[derive(Debug)]
pub struct Odoo;

impl Mapping for Odoo {
    fn read(context: &Context, input: Inbound) -> Result<Vec<Change>> {
        let source = Source {
            system: &input.system,
            time: &context.time,
        };
        let record = Fields::parse(&input.body, "")?;
        let change = match input.object_kind.as_str() {
            "account.move" => return invoice::read(&source, &record),
            "res.partner" => partner::read(&source, &record)?,
            "sale.order" if billing::is_there(&record) => {
                return billing::read(&source, &context.settings()?, &record);
            }
            "sale.order" => order::read(&source, &record)?,
            "project.project" => project::read(&source, &record)?,
            "account.payment" => payment::read(&source, &record)?,
            other => return Err(unhandled(format!("no mapping for the Odoo model {other}"))),
        };
        Ok(vec![change])
    }

    fn write(context: &Context, input: Outbound) -> Result<Plan> {
        let settings: Settings = context.settings()?;
        plan::write(&settings, &input)
    }
}

cambist_sdk::export!(Odoo: mapping);
