//! Webhooks durably accepted in a second: ingress and journal as the host has
//! them, over HTTP on loopback, with nobody behind the journal.
//!
//! One call is one webhook with one event, signed as HubSpot signs. Every answer is
//! a 202, which is given when the journal has synced.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroU32,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use cambist_contract::secret::{Secret, SecretRef};
use cambist_e2e::{
    sender,
    setup::{CLIENT_SECRET, HUBSPOT, PUBLIC_URL},
};
use cambist_ingress::{
    Ingress, Options,
    options::{HubSpot, Rate, Sender},
    serve,
};
use cambist_journal::store::SqliteJournal;
use jiff::Timestamp;
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{clock::us, disk};

/// How long each number of callers calls.
const FOR: Duration = Duration::from_secs(3);

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// Bytes of one webhook's body.
    pub(crate) bytes: usize,
    /// One write of so many bytes and its `fdatasync`, in a loop.
    pub(crate) sync_us: f64,
    /// Such writes in a second.
    pub(crate) syncs_per_second: f64,
    /// By the number of callers.
    pub(crate) callers: Vec<Rated>,
}

/// So many callers, each of which waits for its answer before it calls again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Rated {
    /// How many.
    pub(crate) callers: usize,
    /// Webhooks accepted in a second.
    pub(crate) per_second: f64,
    /// How many times the loop's syncs that is: above 1 where the journal commits
    /// several webhooks with one sync.
    pub(crate) ratio: f64,
}

/// Measures it on the disk of `folder`.
pub(crate) async fn measure(folder: &Path) -> Result<Measured> {
    let folder = tempfile::tempdir_in(folder)?;
    let bytes = sender::signed(&[sender::won(1, 1)]).body.len();
    let sync = disk::sync_time(folder.path(), bytes)?;
    let syncs_per_second = 1.0 / sync.as_secs_f64();
    let mut rated = Vec::new();
    for callers in [1, 16, 64] {
        let journal = folder.path().join(format!("{callers}.db"));
        let per_second = accepted_per_second(&journal, callers).await?;
        rated.push(Rated {
            callers,
            per_second,
            ratio: per_second / syncs_per_second,
        });
    }
    Ok(Measured {
        bytes,
        sync_us: us(sync),
        syncs_per_second,
        callers: rated,
    })
}

async fn accepted_per_second(journal: &Path, callers: usize) -> Result<f64> {
    let reference = SecretRef::Env("CLIENT_SECRET".to_owned());
    let fast = NonZeroU32::MAX;
    let hubspot = HubSpot {
        secrets: vec![reference.clone()],
        batch_limit: 100,
        rate: Rate {
            per_second: fast,
            burst: fast,
        },
    };
    let options = Options {
        public_url: Some(PUBLIC_URL.parse()?),
        systems: BTreeMap::from([(HUBSPOT.to_owned(), Sender::HubSpot(hubspot))]),
        ..Options::default()
    };
    let secrets = BTreeMap::from([(reference, Secret::parse(CLIENT_SECRET)?)]);
    let journal = Arc::new(SqliteJournal::open(journal)?);
    let ingress = Ingress::new(&options, &secrets, journal, Arc::new(now))
        .map_err(|problems| anyhow::anyhow!("{problems:?}"))?;

    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let host = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve::serve(
        listener,
        ingress.router(),
        serve::Limits::default(),
        async move { drop(stopped.await) },
    ));

    let started = Instant::now();
    let mut calls = JoinSet::new();
    for caller in 0..callers as u64 {
        calls.spawn(async move {
            let client = sender::client()?;
            let mut accepted = 0_u32;
            while started.elapsed() < FOR {
                let event = sender::won(caller, u64::from(accepted));
                let status = sender::post(&client, host, &sender::signed(&[event])).await?;
                ensure!(status == 202, "the host answered {status}");
                accepted += 1;
            }
            Ok(accepted)
        });
    }
    let mut total = 0.0;
    while let Some(accepted) = calls.join_next().await {
        total += f64::from(accepted??);
    }
    let rate = total / started.elapsed().as_secs_f64();
    drop(stop);
    server.await??;
    Ok(rate)
}

#[expect(clippy::disallowed_methods, reason = "the clock of this process")]
fn now() -> Timestamp {
    Timestamp::now()
}
