//! A server that answers what a test tells it, and remembers what it was asked.
//!
//! For what no healthy system does, and for recorded answers. It knows no system; a test that uses it proves how an answer
//! is taken, not that anybody gives it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;

use crate::server::{Reply, Request, Server};

/// A running server with a script.
#[derive(Debug)]
pub struct Scripted {
    server: Server,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// Answers the first request with the first reply, and so on; requests after the last get 500.
    ///
    /// # Errors
    ///
    /// The machine has no free port.
    pub async fn start(script: Vec<Reply>) -> anyhow::Result<Self> {
        let replies = Mutex::new(VecDeque::from(script));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let server = Server::start(move |request| {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            let next = replies.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.unwrap_or_else(|| {
                Reply::json(500, &json!({"name": "script", "message": "the script has ended"}))
            })
        })
        .await?;
        Ok(Self { server, seen })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// What it was asked so far, oldest first.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
