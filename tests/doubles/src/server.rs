//! A few lines of HTTP/1.1: one request a connection, answered by a function.
//!
//! Not a server library, because a double must be able to do what a library rightly prevents: close a connection in the
//! middle of an answer, or never answer. It reads a head and a body of known length and nothing else.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The largest request that is read: some times what any of our clients sends.
const REQUEST_LIMIT: usize = 4 << 20;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without the question mark, as it was sent.
    pub query: String,
    /// Headers by lower-case name; of two with one name, the later.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The values of a query parameter: several, or one with commas, mean the same.
    pub fn parameter(&self, name: &str) -> Vec<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>())
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is answered.
    Answer {
        /// The status.
        status: u16,
        /// The headers, beside those about length and connection.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// It is never answered.
    Hang,
    /// The connection is closed without a word.
    Cut,
    /// Head and half of the promised body, then the end.
    Truncated,
    /// It is answered after a while.
    Late {
        /// How long that is.
        wait: Duration,
        /// The answer.
        reply: Box<Reply>,
    },
}

impl Reply {
    /// An answer of JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::typed(status, "application/json;charset=utf-8", body.to_string())
    }

    /// An answer of HTML, as proxies and Odoo's router give.
    pub fn html(status: u16, body: &str) -> Self {
        Self::typed(status, "text/html; charset=utf-8", body.to_owned())
    }

    /// The same answer after a while.
    #[must_use]
    pub fn late(self, wait: Duration) -> Self {
        Self::Late {
            wait,
            reply: Box::new(self),
        }
    }

    fn typed(status: u16, kind: &str, body: String) -> Self {
        Self::Answer {
            status,
            headers: vec![("Content-Type".to_owned(), kind.to_owned())],
            body: body.into_bytes(),
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// The machine has no free port.
    pub async fn start(answer: impl Fn(Request) -> Reply + Send + Sync + 'static) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("no free port on 127.0.0.1")?;
        let addr = listener.local_addr()?;
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                // a client that goes away in the middle is its own affair
                tokio::spawn(async move { drop(converse(stream, &*answer).await) });
            }
        });
        Ok(Self { addr, task })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, answer: &(dyn Fn(Request) -> Reply + Sync)) -> anyhow::Result<()> {
    let request = read(&mut stream).await?;
    let mut reply = answer(request);
    while let Reply::Late { wait, reply: then } = reply {
        tokio::time::sleep(wait).await;
        reply = *then;
    }
    let (status, headers, body, cut) = match reply {
        Reply::Answer {
            status,
            headers,
            body,
        } => (status, headers, body, 0),
        Reply::Truncated => (200, Vec::new(), br#"{"results": []}"#.to_vec(), 10),
        // waited for above
        Reply::Cut | Reply::Late { .. } => return Ok(()),
        Reply::Hang => {
            // until the client gives up, which closes the connection
            while stream.read(&mut [0; 64]).await? > 0 {}
            return Ok(());
        }
    };
    let mut head = format!(
        "HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len() + cut
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await?;
    Ok(())
}

/// Reads a whole request.
pub(crate) async fn read(stream: &mut TcpStream) -> anyhow::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes).await?;
    };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(Ok(0), |length| length.parse())?;
    while bytes.len() < end + 4 + length {
        more(stream, &mut bytes).await?;
    }
    let body = bytes.get(end + 4..end + 4 + length).unwrap_or_default().to_vec();
    Ok(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body,
    })
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    if bytes.len() > REQUEST_LIMIT {
        bail!("the request is larger than {REQUEST_LIMIT} bytes");
    }
    if stream.read_buf(bytes).await? == 0 {
        bail!("the client went away");
    }
    Ok(())
}
