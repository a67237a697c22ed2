//! Serving a router on a TCP listener, with a time limit on headers and a limit on
//! connections, neither of which `axum::serve` offers.
//!
//! HTTP/1.1 only: a proxy that ends TLS speaks it, and a connection whose version
//! is still being guessed would be under no time limit. It knows nothing of
//! ingress, so the app serves its other routers with it too.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// Most bytes of one request's head. Browsers and proxies stop at 8 to 16 KiB.
const HEAD_LIMIT: usize = 32 << 10;

/// How long to wait after the system has no sockets left, before asking again.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// What a server gives its callers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long the headers of a request may take, from the connection's beginning
    /// or the answer before it. Default 10 s: headers fit one packet; this also
    /// bounds how long an idle connection stays.
    pub header_time: Duration,
    /// Connections at once; one more waits until another ends. Default 512, half of
    /// the 1024 open files that a process usually may have.
    pub connections: usize,
    /// How long requests that have begun may go on after `stop`. Default 10 s.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_time: Duration::from_secs(10),
            connections: 512,
            grace: Duration::from_secs(10),
        }
    }
}

/// Serves `app` until `stop` is ready; then takes no new connection, lets requests
/// that have begun come to their answer, and returns.
///
/// # Errors
///
/// The listener cannot be used. What goes wrong with one connection ends that
/// connection only.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.local_addr()?;
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(HEAD_LIMIT);
    let service = TowerToHyperService::new(app);
    let graceful = GracefulShutdown::new();
    let seats = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    tokio::pin!(stop);
    loop {
        let (stream, seat) = tokio::select! {
            () = &mut stop => break,
            next = next(&listener, &seats) => next,
        };
        let connection = server
            .serve_connection(TokioIo::new(stream), service.clone())
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A caller that goes away, sends no HTTP or is too slow is none of our trouble.
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended early: {error}");
            }
            drop(seat);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            "requests were still open {} s after the end",
            limits.grace.as_secs()
        );
    }
    Ok(())
}

/// The next connection, once there is a seat for it.
async fn next(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> (tokio::net::TcpStream, Option<OwnedSemaphorePermit>) {
    // never closed, so there is always a permit
    let seat = Arc::clone(seats).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // an answer is one small write; waiting for more would only cost time
                let _ = stream.set_nodelay(true);
                return (stream, seat);
            }
            Err(error) => {
                tracing::error!("cannot take a connection: {error}");
                tokio::time::sleep(OUT_OF_SOCKETS).await;
            }
        }
    }
}
