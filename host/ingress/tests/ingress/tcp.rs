//! Over a real connection: the same answers, and callers that take their time.

use std::time::Duration;

use cambist_ingress::serve::{Limits, serve};
use http::HeaderMap;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::double::{OPTIONS, Site, batch, deal, hubspot};

/// A server on a port of its own that ends with the test.
struct Server {
    site: Site,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(options: &str, limits: Limits) -> Self {
        let site = Site::with(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = site.router.clone();
        let running =
            tokio::spawn(async move { serve(listener, router, limits, async { drop(stopped.await) }).await });
        Self {
            site,
            address,
            stop,
            running,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }
}

/// A call as it goes over the wire.
fn wire(headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut text = String::from("POST /in/hubspot-de HTTP/1.1\r\nhost: hooks.example.com\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text += &format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [text.as_bytes(), body].concat()
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_signed_batch_is_taken_over_tcp() {
    let server = Server::start(OPTIONS, Limits::default()).await;
    let body = batch(&[deal(1, 10)]);
    for expected in [
        r#"{"accepted":1,"duplicates":0}"#,
        r#"{"accepted":0,"duplicates":1}"#,
    ] {
        let mut stream = server.connect().await;
        stream
            .write_all(&wire(hubspot(&body).headers(), &body))
            .await
            .unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
        assert!(answer.ends_with(expected), "{answer}");
    }
    assert_eq!(server.site.journal.len(), 1);
    server.end().await;
}

#[tokio::test]
async fn a_caller_that_sends_no_headers_is_let_go() {
    let limits = Limits {
        header_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Server::start(OPTIONS, limits).await;
    for begin in [
        "",
        "PO",
        "PRI * HTTP",
        "POST /in/hubspot-de HTTP/1.1\r\nhost: a\r\nx-slow: ",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(begin.as_bytes()).await.unwrap();
        // the connection ends by itself; without our limit it would stay for 30 s, which is hyper's own
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_caller_that_sends_no_body_is_told_so() {
    let server = Server::start(&format!("body-time-ms = 50\n{OPTIONS}"), Limits::default()).await;
    let mut stream = server.connect().await;
    let whole = wire(hubspot(b"[]").headers(), &batch(&[deal(1, 10)]));
    stream.write_all(&whole[..whole.len() - 1]).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    server.end().await;
}

#[tokio::test]
async fn the_end_waits_for_a_call_that_has_begun() {
    let server = Server::start(OPTIONS, Limits::default()).await;
    server.site.journal.stall(true);
    let body = batch(&[deal(1, 10)]);
    let mut stream = server.connect().await;
    stream
        .write_all(&wire(hubspot(&body).headers(), &body))
        .await
        .unwrap();
    // the journal is asked for only after the call has begun
    let site = server.site.clone();
    while !site.journal.is_asked() {
        tokio::task::yield_now().await;
    }
    let ended = tokio::spawn(server.end());
    site.journal.stall(false);
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    ended.await.unwrap();
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused() {
    let server = Server::start(OPTIONS, Limits::default()).await;
    let mut stream = server.connect().await;
    let head = format!(
        "POST /in/hubspot-de HTTP/1.1\r\nx-long: {}\r\n\r\n",
        "x".repeat(64 << 10)
    );
    // the server may answer and close before it has read everything
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert_eq!(server.site.journal.len(), 0);
    server.end().await;
}
