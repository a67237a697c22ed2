//! HubSpot's words: a won deal as account, contacts, opportunity, contract and
//! project, and back.
//!
//! `read` takes what the connector read of a deal, a company or a contact, with
//! HubSpot's default property names and the portal's own ones from the settings.
//! `write` tells HubSpot what another system knows of an account, a contact,
//! an opportunity, and of what became of a deal: its bills and its project. README.md lists every field, both ways.
//!
//! # What is not here
//!
//! Whether the deal may become a project (policy), what tax falls on it (tax),
//! how HubSpot is called (the connector).
//!
//! # Where to start reading
//!
//! [`deal`] for what a won deal implies, then one file for each thing that is
//! mapped; [`settings`] for what a region can set.

mod billing;
mod cleared;
mod company;
mod contact;
mod country;
mod deal;
mod event;
mod line_item;
mod merge;
mod offset;
mod project;
mod settings;
mod source;
mod subdivision;
mod write;

use cambist_sdk::prelude::*;

use crate::{settings::Settings, source::Source};

/// The plugin.
#[derive(Debug)]
pub struct HubSpot;

impl Mapping for HubSpot {
    fn read(context: &Context, input: Inbound) -> Result<Vec<Change>> {
        event::refuse_what_is_not_mapped(&input.event)?;
        let settings: Settings = context.settings()?;
        let source = Source {
            system: &input.system,
            time: &context.time,
            settings: &settings,
        };
        let body = Fields::parse(&input.body, "")?;
        let is_merge = merge::is_merge(&input.event);
        let mut changes = match input.object_kind.as_str() {
            // what became of two deals is for people, whatever their stage
            "deal" if is_merge => Vec::new(),
            "deal" => deal::read(&source, &body)?,
            "company" => vec![company::read(&source, &first(&body, "companies")?)?],
            "contact" => contact::read_with_company(&source, &body, &first(&body, "contacts")?)?,
            other => return Err(unhandled(format!("no mapping for a HubSpot {other}"))),
        };
        if is_merge {
            merge::read(&source, &input.object_kind, &body, &mut changes)?;
        }
        Ok(changes)
    }

    fn write(context: &Context, input: Outbound) -> Result<Plan> {
        let settings: Settings = context.settings()?;
        write::plan(&settings, &input)
    }
}

/// The object that an event of its own is about: the first in its list, and with
/// contacts and companies the only one.
fn first<'a>(body: &Fields<'a>, list: &str) -> Result<Fields<'a>> {
    body.objects(list)?
        .into_iter()
        .next()
        .required(format!("{list}[0]"))
}

cambist_sdk::export!(HubSpot: mapping);
