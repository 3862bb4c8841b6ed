//! The Tower layer: requests for the endpoint end here, all others pass.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use casque::client_ip::ClientIp;
use casque::headers::reports::{Answer, Endpoint, Limits, Refusal, Sender, parse};
use casque::host::without_port;
use casque::serve::Body as ClientBody;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use tower_layer::Layer;
use tower_service::Service;

use super::inbox::Inbox;
use crate::admit::Exchange;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Takes reports out of the stream of requests.
#[derive(Debug, Clone)]
pub(crate) struct IntakeLayer {
    inbox: Arc<Inbox>,
}

impl IntakeLayer {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox }
    }
}

impl<S> Layer<S> for IntakeLayer {
    type Service = Intake<S>;

    fn layer(&self, inner: S) -> Intake<S> {
        Intake { inner, inbox: self.inbox.clone() }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Intake<S> {
    inner: S,
    inbox: Arc<Inbox>,
}

impl<S, ResBody> Service<Request<ClientBody>> for Intake<S>
where
    S: Service<Request<ClientBody>, Response = Response<ResBody>>,
    ResBody: From<Bytes> + 'static,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<ClientBody>) -> Self::Future {
        match req.extensions().get::<Exchange>() {
            Some(exchange) if exchange.is_report => {
                let client = exchange.client;
                ResponseFuture::Taken { answer: Box::pin(take(self.inbox.clone(), client, req)) }
            }
            _ => ResponseFuture::Passed { inner: self.inner.call(req) },
        }
    }
}

pin_project_lite::pin_project! {
    #[project = Projection]
    pub(crate) enum ResponseFuture<F, ResBody> {
        Passed { #[pin] inner: F },
        Taken { answer: Pin<Box<dyn Future<Output = Response<ResBody>>>> },
    }
}

impl<F, ResBody, E> Future for ResponseFuture<F, ResBody>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
{
    type Output = Result<Response<ResBody>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Passed { inner } => inner.poll(cx),
            Projection::Taken { answer } => answer.as_mut().poll(cx).map(Ok),
        }
    }
}

/// Reads a report, if it is to be read, and answers.
async fn take<ResBody: From<Bytes>>(inbox: Arc<Inbox>, client: ClientIp, req: Request<ClientBody>) -> Response<ResBody> {
    let (parts, body) = req.into_parts();
    let (client, text) = (inbox.sender(client), |name: HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok()));
    let site = parts.headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    if parts.method == Method::POST && inbox.admit(client, site) {
        let kind = parts.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        // Parsed before the lock is taken: this is where a hostile body costs time.
        let parsed = match read(&parts.headers, body).await {
            Some(body) => parse(kind, &body, &Limits::default()),
            None => Err(Refusal::TooLarge),
        };
        let host = parts.uri.authority().map(|a| a.as_str()).or_else(|| text(HOST)).unwrap_or("");
        inbox.keep(parsed, &Sender { client, hosts: &[without_port(host)], user_agent: text(USER_AGENT) });
    }
    let answer = Answer::to(parts.method.as_str().as_bytes(), Endpoint::SameOrigin);
    let mut response = Response::new(Bytes::new().into());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::NO_CONTENT);
    for (name, value) in answer.fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The body, if it is no larger than a report may be.
async fn read(headers: &HeaderMap, mut body: ClientBody) -> Option<Vec<u8>> {
    let limit = Limits::default().body;
    let announced = headers.get(CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|n| n > limit) {
        return None;
    }
    let mut read = Vec::with_capacity(announced.unwrap_or(1024));
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if read.len() + data.len() > limit {
            return None;
        }
        read.extend_from_slice(&data);
    }
    Some(read)
}
