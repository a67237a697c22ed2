//! `cambist demo`: the main job, on screen.
//!
//! A real host with the real plugins and the real journal; the CRM is a double,
//! and it says so. The target is a dry run, or a real Odoo with `--odoo`. It fails
//! if a message does not end as `examples/demo/story.json` says.

mod narrate;
mod odoo;
mod stage_set;
mod story;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use super::serve;
use crate::{
    host::{Host, Surroundings},
    telemetry,
};

/// How the demo is shown.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Delivers into a real Odoo 19, which it installs and starts (some minutes the
    /// first time, seconds later), and prints the records it finds there.
    #[arg(long)]
    odoo: bool,
    /// Goes on serving afterwards, until it is told to stop.
    #[arg(long)]
    stay: bool,
}

/// Shows it. Exits with 1 if a message ended otherwise than the story says.
///
/// # Errors
///
/// Something it needs cannot be had.
pub async fn run(options: Options) -> Result<ExitCode> {
    let set = stage_set::StageSet::open()?;
    telemetry::log_to(&set.folder.join("host.log"))?;
    narrate::opening(options.odoo);
    narrate::step("building the plugins to components (cargo tells how far it is)");
    set.build_plugins()?;
    let books = match options.odoo {
        true => Some(odoo::Odoo::start(&set)?),
        false => None,
    };
    let portal = set.portal()?;
    let double = cambist_doubles::HubSpotDouble::start(portal)
        .await
        .context("cannot start the HubSpot double")?;
    let (config, secrets) = set.config(&double.url(), books.as_ref())?;
    let metrics = telemetry::metrics()?;
    let host = Host::start(
        &config,
        Surroundings {
            file: set.config_path(),
            secrets,
            metrics,
            reached: None,
            seed: 0,
        },
    )
    .await?;
    narrate::step(&format!(
        "the host is up: senders at {}, operators at {}",
        host.ingress, host.admin
    ));

    let steps = story::tell(&set, &config, &host).await?;
    let outcomes = story::follow(&host, &steps).await?;
    narrate::table(&steps, &outcomes);
    narrate::times(&outcomes);
    if let Some(books) = &books {
        odoo::print(&books.read_back().await?);
    }
    let as_told = story::as_told(&steps, &outcomes);
    narrate::closing(&set, as_told, options.stay);
    if options.stay {
        narrate::step(&format!(
            "serving on: senders at {}, operators at {}; Ctrl-C ends it",
            host.ingress, host.admin
        ));
        serve::stopped().await?;
    }
    host.stop().await;
    Ok(if as_told {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
