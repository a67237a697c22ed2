//! A double of an OpenTelemetry collector: takes traces by OTLP over HTTP with
//! protobuf, as the OTLP specification (1.x, "OTLP/HTTP") says, and keeps them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use cambist_doubles::server::{Reply, Server};
use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
use prost::Message as _;

/// A running collector.
#[derive(Debug)]
pub struct Collector {
    server: Server,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// Starts one. It takes nothing from who does not send `authorization` as the value of that header.
    ///
    /// # Errors
    ///
    /// The machine has no free port.
    pub async fn start(authorization: &'static str) -> anyhow::Result<Self> {
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&spans);
        let server = Server::start(move |request| {
            let kind = request.headers.get("content-type").map(String::as_str);
            if request.path != "/v1/traces" || kind != Some("application/x-protobuf") {
                return Reply::html(404, "no such receiver");
            }
            if request.headers.get("authorization").map(String::as_str) != Some(authorization) {
                return Reply::html(401, "who are you?");
            }
            let Ok(batch) = ExportTraceServiceRequest::decode(request.body.as_slice()) else {
                return Reply::html(400, "this is no batch of spans");
            };
            let of_scopes = batch.resource_spans.into_iter().flat_map(|it| it.scope_spans);
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(of_scopes.flat_map(|it| it.spans));
            Reply::Answer {
                status: 200,
                headers: vec![("Content-Type".to_owned(), "application/x-protobuf".to_owned())],
                body: Vec::new(),
            }
        })
        .await?;
        Ok(Self { server, spans })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The spans it has, in the order they came.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
