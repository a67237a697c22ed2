//! `cambist plugin shadow|share|withdraw`: what stands beside the live component.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{
    super::operator,
    step::{name, take},
};
use crate::cli;

/// What is to be called beside the live component.
#[derive(Args, Clone, Debug)]
pub struct Shadow {
    #[command(flatten)]
    common: cli::Printed,
    /// The plugin.
    plugin: String,
    /// The component's digest, or how it begins; left out, the latest that waits.
    component: Option<String>,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// What is to serve a share of the keys.
#[derive(Args, Clone, Debug)]
pub struct Share {
    #[command(flatten)]
    common: cli::Printed,
    /// The plugin.
    plugin: String,
    /// Percent of the keys, 1 to 99. A key is in the share or not for good, and stays in it
    /// when the share grows.
    #[arg(value_parser = clap::value_parser!(u8).range(1..=99))]
    percent: u8,
    /// The component's digest, or how it begins; left out, the latest that waits or stands
    /// beside.
    component: Option<String>,
    /// Percent of its calls that may break, and so many more than of the live one's that it may refuse; with more it is
    /// withdrawn. [default: 5]
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=99))]
    broken_percent: Option<u8>,
    /// How many times as long as the live one's its calls may take; with more it is
    /// withdrawn. [default: 3]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    slower_times: Option<u16>,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// What is to stand beside no more.
#[derive(Args, Clone, Debug)]
pub struct Withdraw {
    #[command(flatten)]
    common: cli::Printed,
    /// The plugin.
    plugin: String,
    /// Why: it stands with the component.
    #[arg(long)]
    reason: String,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Puts a shadow beside the live component.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn shadow(options: &Shadow) -> Result<()> {
    let mut body = json!({"by": operator::who(options.by.as_ref())});
    name(&mut body, options.component.as_ref());
    let body = operator::Body::Json(body);
    take(&options.common, &options.plugin, "shadow", body, "is a shadow").await
}

/// Lets a component serve a share.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn share(options: &Share) -> Result<()> {
    let mut body = json!({
        "by": operator::who(options.by.as_ref()),
        "percent": options.percent,
        "broken-percent": options.broken_percent,
        "slower-times": options.slower_times,
    });
    name(&mut body, options.component.as_ref());
    let done = format!("serves {} % of the keys", options.percent);
    let body = operator::Body::Json(body);
    take(&options.common, &options.plugin, "share", body, &done).await
}

/// Takes away what stands beside.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn withdraw(options: &Withdraw) -> Result<()> {
    let body = json!({"by": operator::who(options.by.as_ref()), "reason": options.reason});
    let body = operator::Body::Json(body);
    take(
        &options.common,
        &options.plugin,
        "withdraw",
        body,
        "stands beside no more",
    )
    .await
}
