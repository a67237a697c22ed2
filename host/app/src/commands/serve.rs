//! `cambist serve`: receives messages and carries them, until it is told to stop.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use cambist_pipeline::Reached;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli,
    host::{self, Host, Surroundings},
    telemetry::{self, otlp::Traces},
};

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
///
/// The host does not start.
pub async fn run(options: cli::Config) -> Result<ExitCode> {
    let (config, secrets) = host::prepare(&options.config)?;
    let traces = config
        .otlp
        .as_ref()
        .map(|otlp| Traces::start(otlp, otlp.authorization.as_ref().and_then(|it| secrets.get(it))))
        .transpose()?;
    telemetry::log(config.host.log, traces.as_ref())?;
    let metrics = telemetry::metrics()?;
    let seed = getrandom::u64().context("the system gives no randomness")?;
    let host = Host::start(
        &config,
        Surroundings {
            file: options.config,
            secrets,
            metrics,
            reached: halt(),
            seed,
        },
    )
    .await?;
    tracing::info!(ingress = %host.ingress, admin = %host.admin, seed, "ready");
    stopped().await?;
    tracing::info!("stopping: what is under way comes to its end");
    host.stop().await;
    if let Some(traces) = traces {
        // it blocks, and the sending needs the runtime meanwhile
        tokio::task::spawn_blocking(move || traces.shutdown())
            .await
            .context("the last traces were not sent")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns when the process is told to stop.
///
/// # Errors
///
/// The system does not let signals be waited for.
pub async fn stopped() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => {}
        done = tokio::signal::ctrl_c() => done.context("cannot wait for SIGINT")?,
    }
    Ok(())
}

/// For crash tests: `CAMBIST_HALT_AFTER=STAGE` makes the host write a line with the
/// stage's name to the file `CAMBIST_HALT_FILE` once that stage is recorded (or, for
/// `delivered`, once the target has answered and before that is recorded), and go
/// no further with the message, so that a test can kill it right there.
fn halt() -> Option<Reached> {
    let stage = std::env::var("CAMBIST_HALT_AFTER").ok()?;
    let file = std::env::var_os("CAMBIST_HALT_FILE")?;
    Some(Arc::new(move |reached: &str| {
        if reached == stage {
            let _ = std::fs::write(&file, reached);
            loop {
                std::thread::park();
            }
        }
    }))
}
