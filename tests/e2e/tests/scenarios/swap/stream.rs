//! A stream of signed webhooks from all regions, as long as it is asked for more. What is not
//! acknowledged is sent again, as HubSpot does.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use cambist_e2e::{Deal, World, sender};
use tokio::{sync::Semaphore, task::JoinHandle};

/// How long is waited before something is sent again: the host is being killed.
const AGAIN: Duration = Duration::from_millis(20);

/// A sender that sends while others do other things.
pub(crate) struct Stream {
    host: Arc<Mutex<SocketAddr>>,
    /// How many may still be sent.
    wanted: Arc<Semaphore>,
    task: JoinHandle<Result<u64>>,
}

/// The deal number `id`: every region in turn.
fn deal(id: u64) -> Deal {
    match id % 4 {
        0 => Deal::german(id),
        1 => Deal::french(id),
        2 => Deal::american(id),
        _ => Deal::gujarati(id),
    }
}

impl Stream {
    /// Knows so many deals, and waits to be asked.
    pub(crate) fn of(world: &World, deals: u64) -> Result<Self> {
        let all: Vec<Deal> = (1..=deals).map(deal).collect();
        world.know(&all);
        let host = Arc::new(Mutex::new(world.host()?.ingress));
        let (wanted, client) = (Arc::new(Semaphore::new(0)), world.client.clone());
        let (asked, at) = (Arc::clone(&wanted), Arc::clone(&host));
        let task = tokio::spawn(async move {
            for id in 1..=deals {
                let Ok(permit) = asked.acquire().await else {
                    return Ok(id - 1);
                };
                permit.forget();
                loop {
                    let to = *at.lock().unwrap_or_else(PoisonError::into_inner);
                    let webhook = sender::signed(&[sender::won(id, 1)]);
                    match sender::post(&client, to, &webhook).await {
                        Ok(202) => break,
                        _ => tokio::time::sleep(AGAIN).await,
                    }
                }
            }
            Ok(deals)
        });
        Ok(Self { host, wanted, task })
    }

    /// Sends so many more, meanwhile.
    pub(crate) fn more(&self, deals: usize) {
        self.wanted.add_permits(deals);
    }

    /// The host is another one.
    pub(crate) fn moved(&self, world: &World) -> Result<()> {
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = world.host()?.ingress;
        Ok(())
    }

    /// Sends what is left of what was asked for, and tells how many were acknowledged.
    pub(crate) async fn end(self) -> Result<u64> {
        while self.wanted.available_permits() > 0 {
            tokio::time::sleep(AGAIN).await;
        }
        self.wanted.close();
        self.task.await.context("the sender ended early")?
    }
}
