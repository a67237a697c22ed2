//! Traces for a collector: OTLP over HTTP, where the config names one.
//!
//! One trace follows a message from its sender's call to its last stage: the call
//! takes up the sender's `traceparent` (W3C Trace Context), its own goes into the
//! journal with the message, and the message's span hangs from it, also after a
//! restart; calls to CRMs and Odoo tell which stage's span they are part of. Spans bear what the log's do, so there is no payload and no secret in
//! them.
//!
//! A collector that is not there costs spans and nothing else: they are batched in
//! a bounded queue on a thread of their own.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use axum::{extract::Request, http::HeaderMap, middleware::Next, response::Response};
use cambist_contract::secret::{Secret, SecretRef};
use opentelemetry::{KeyValue, propagation::TextMapPropagator as _, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HeaderExtractor, HeaderInjector, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tracing::{Instrument as _, Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};
use url::Url;

/// How long one batch may take. A collector stands near; what takes longer is down.
const TIME: Duration = Duration::from_secs(10);

/// Most bytes of a collector's answer that are read: a status and a sentence.
const ANSWER: usize = 64 << 10;

/// Where traces go.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The collector's address for OTLP over HTTP, such as
    /// `http://127.0.0.1:4318`; traces go to `/v1/traces` under it.
    pub endpoint: Url,
    /// The value of the `Authorization` header, where the collector wants one.
    #[serde(default)]
    pub authorization: Option<SecretRef>,
}

/// Sends spans until it is [shut down](Self::shutdown).
#[derive(Clone, Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins, in a running runtime.
    ///
    /// # Errors
    ///
    /// The address or the client cannot be used. Nothing is sent yet.
    pub fn start(options: &Options, authorization: Option<&Secret>) -> Result<Self> {
        let mut address = options.endpoint.clone();
        address
            .path_segments_mut()
            .map_err(|()| anyhow::anyhow!("`otlp.endpoint` must be http or https"))?
            .pop_if_empty()
            .extend(["v1", "traces"]);
        let client = Client {
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(TIME)
                .build()
                .context("cannot set up the client for traces")?,
            runtime: Handle::current(),
        };
        let headers = authorization.map(|it| ("authorization".to_owned(), it.expose().to_owned()));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .with_timeout(TIME)
            .with_headers(HashMap::from_iter(headers))
            .build()
            .context("cannot set up the export of traces")?;
        let host = Resource::builder_empty()
            .with_service_name("cambist")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(host)
            .build();
        Ok(Self(provider))
    }

    /// The part of the log's machinery that makes spans of ours into theirs:
    /// whatever `RUST_LOG` says, the spans of the way are in a trace.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let ours = |of: &Metadata<'_>| of.target().starts_with("cambist") && *of.level() <= Level::INFO;
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("cambist"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(ours))
    }

    /// Sends what is left. Blocks for as long as the collector takes, at most some
    /// seconds; the runtime must go on meanwhile.
    pub fn shutdown(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(TIME) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Makes a call's span part of its sender's trace, and the call's messages part of
/// the call's: what it puts into `traceparent` is what they keep.
pub(crate) async fn call(mut request: Request, next: Next) -> Response {
    let span = tracing::info_span!("call");
    let sender = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    // fails only where no collector is named, and then nobody calls this
    drop(span.set_parent(sender));
    TraceContextPropagator::new().inject_context(&span.context(), &mut HeaderInjector(request.headers_mut()));
    next.run(request).instrument(span).await
}

/// Hangs a message's span from the call that brought it.
pub(crate) fn continued(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    drop(span.set_parent(TraceContextPropagator::new().extract(&carrier)));
}

/// Makes a call to a system part of the trace that the current span is in.
pub(crate) fn carried(headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(headers));
}

/// Sends batches on the host's runtime: the exporter's own thread has none.
#[derive(Clone, Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let mut answer = http.execute(request.try_into()?).await?;
            let mut head = http::Response::new(());
            *head.status_mut() = answer.status();
            *head.headers_mut() = std::mem::take(answer.headers_mut());
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await? {
                body.extend(part.iter().take(ANSWER - body.len()));
                if body.len() == ANSWER {
                    break;
                }
            }
            Ok::<_, reqwest::Error>(head.map(|()| Bytes::from(body)))
        });
        Ok(sent.await??)
    }
}
