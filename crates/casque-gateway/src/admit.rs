//! Steps two and three of a request: who is calling, and which policy is theirs.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use casque::client_ip::ClientIp;
use casque::cookie::CookiePolicy;
use casque::headers::HeaderPolicy;
use casque::headers::fetch_metadata::IsolationPolicy;
use casque::limit::LimitedRequest;
use casque::login::GuardedRequest;
use casque::serve::Connection;
use casque::{RequestId, Scheme};
use http::{HeaderName, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::observe::Who;
use crate::policy::RoutePolicy;
use crate::server::Current;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What is known about a request before anything is decided; in its extensions for every layer below.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) route: Arc<RoutePolicy>,
    pub(crate) client: ClientIp,
    /// The socket's other end.
    pub(crate) peer: IpAddr,
    pub(crate) scheme: Scheme,
    /// Whether the socket's peer is a trusted proxy, whose `X-Forwarded-*` fields are kept.
    pub(crate) peer_is_trusted: bool,
    pub(crate) id: RequestId,
    /// Whether it is a violation report, which ends here.
    pub(crate) is_report: bool,
}

impl Exchange {
    pub(crate) fn headers(extensions: &http::Extensions) -> Option<(Arc<HeaderPolicy>, Scheme)> {
        extensions.get::<Self>().map(|e| (e.route.headers.clone(), e.scheme))
    }

    pub(crate) fn isolation(extensions: &http::Extensions) -> Option<Arc<IsolationPolicy>> {
        extensions.get::<Self>().and_then(|e| e.route.isolation.clone())
    }

    pub(crate) fn cookies(extensions: &http::Extensions) -> Option<(Arc<CookiePolicy>, Scheme)> {
        extensions.get::<Self>().map(|e| (e.route.cookies.clone(), e.scheme))
    }

    pub(crate) fn logins(extensions: &http::Extensions) -> Option<GuardedRequest> {
        let e = extensions.get::<Self>()?;
        (!e.route.logins.is_empty()).then(|| GuardedRequest {
            policy: e.route.logins.clone(),
            client: e.client,
            scheme: e.scheme,
            request_id: Some(e.id),
        })
    }

    pub(crate) fn limits(extensions: &http::Extensions) -> Option<LimitedRequest> {
        extensions.get::<Self>().map(|e| LimitedRequest { limits: e.route.limits.clone(), client: e.client, request_id: Some(e.id) })
    }
}

/// Puts the [`Exchange`] on every request.
#[derive(Debug, Clone)]
pub(crate) struct AdmitLayer {
    current: Rc<Current>,
}

impl AdmitLayer {
    pub(crate) fn new(current: Rc<Current>) -> Self {
        Self { current }
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit { inner, current: self.current.clone() }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Admit<S> {
    inner: S,
    current: Rc<Current>,
}

impl<S, B> Service<Request<B>> for Admit<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request<B>) -> S::Future {
        let policy = self.current.policy();
        let peer = req.extensions().get::<Arc<Connection>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |c| c.peer());
        let caller = policy.trusted.identify(peer, req.headers());
        // Most likely a proxy that nobody named: then everybody behind it is one client to us.
        if !caller.peer_is_trusted && req.headers().keys().any(|name| *name == X_FORWARDED_FOR) {
            self.current.unheard_proxy(peer);
        }
        let scheme = policy.scheme.or(caller.reported_scheme).unwrap_or_default();
        // The authority of an absolute-form target stands above the Host field (RFC 9112 3.2.2).
        let host = req
            .uri()
            .authority()
            .map(|a| a.as_str())
            .or_else(|| casque::host::field(req.headers()).and_then(|h| std::str::from_utf8(h.as_bytes()).ok()));
        let route = policy.routes.find(host, req.uri().path()).clone();
        let id = RequestId::fresh();
        let is_report = policy.reports.as_deref() == Some(req.uri().path());
        let exchange = Exchange { route, client: caller.ip, peer, scheme, peer_is_trusted: caller.peer_is_trusted, id, is_report };
        let extensions = req.extensions_mut();
        if let Some(who) = extensions.get::<Who>() {
            let _ = who.set((caller.ip, id));
        }
        extensions.insert(exchange);
        self.inner.call(req)
    }
}
