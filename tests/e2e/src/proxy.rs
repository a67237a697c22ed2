//! Stands between the host and Odoo, and holds one request: the place where a
//! test kills the host in the middle of a plan.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// Which moment of a request is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// Odoo has not seen it.
    Before,
    /// Odoo has done it, and the host has not heard.
    After,
}

/// A proxy that holds the first request to one path, for good.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    held: Arc<Notify>,
    armed: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens before `upstream`, and holds the first request whose path ends
    /// with `path`.
    ///
    /// # Errors
    ///
    /// The machine has no free port.
    pub async fn start(upstream: &str, path: &'static str, moment: Moment) -> Result<Self> {
        let upstream: SocketAddr = upstream
            .trim_start_matches("http://")
            .parse()
            .context("no address")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (held, armed) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(true)));
        let (told, wanted) = (Arc::clone(&held), Arc::clone(&armed));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (told, wanted) = (Arc::clone(&told), Arc::clone(&wanted));
                tokio::spawn(async move {
                    // a connection that breaks is the host's to judge
                    let _ = serve(client, upstream, path, moment, &told, &wanted).await;
                });
            }
        });
        Ok(Self {
            address,
            held,
            armed,
            task,
        })
    }

    /// Its address, as the config of an Odoo system names it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns when the request is held.
    pub async fn held(&self) {
        self.held.notified().await;
    }

    /// Whether the request is still to come.
    pub fn armed(&self) -> bool {
        self.armed.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Odoo closes after each answer, so that a connection is a request.
async fn serve(
    mut client: TcpStream,
    upstream: SocketAddr,
    path: &str,
    moment: Moment,
    held: &Notify,
    armed: &AtomicBool,
) -> Result<()> {
    let mut head = Vec::new();
    while !head.windows(2).any(|end| end == b"\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let asked = String::from_utf8_lossy(line)
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let hold = asked.ends_with(path) && armed.swap(false, Ordering::SeqCst);
    if hold && moment == Moment::Before {
        held.notify_one();
        return std::future::pending().await;
    }
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(&head).await?;
    if !hold {
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    // the rest of the request goes on; the answer is waited for and kept
    let (mut from, mut to) = client.split();
    let (mut answer, mut onward) = server.split();
    let mut first = [0; 1];
    tokio::select! {
        _ = tokio::io::copy(&mut from, &mut onward) => {}
        read = answer.read(&mut first) => { read?; }
    }
    let _ = to.flush().await;
    held.notify_one();
    std::future::pending().await
}
