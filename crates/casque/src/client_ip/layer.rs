//! The Tower layer, for apps that are not served by `casque::serve`.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::TrustedProxies;
use crate::Scheme;

/// Puts the [`super::ClientIp`] and, where a trusted proxy reported it, the [`Scheme`] on every request.
///
/// `casque::serve` does this by itself. With another server, say where the socket's peer is to be found; with axum's own:
///
/// ```
/// use std::net::SocketAddr;
/// use axum::extract::ConnectInfo;
/// use casque::client_ip::{ClientIpLayer, TrustedProxies};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = ClientIpLayer::new(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()))
///     .trusting(TrustedProxies::parse(["10.0.0.0/8"])?);
/// # drop(layer); Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ClientIpLayer {
    peer: fn(&http::Extensions) -> Option<IpAddr>,
    trusted: Arc<TrustedProxies>,
}

impl ClientIpLayer {
    /// Takes the peer's address from where `peer` finds it. A request on which it finds none gets no [`super::ClientIp`].
    #[must_use]
    pub fn new(peer: fn(&http::Extensions) -> Option<IpAddr>) -> Self {
        Self { peer, trusted: Arc::default() }
    }

    /// Believes these proxies. Default: none.
    #[must_use]
    pub fn trusting(mut self, proxies: TrustedProxies) -> Self {
        self.trusted = Arc::new(proxies);
        self
    }
}

impl<S> Layer<S> for ClientIpLayer {
    type Service = Identify<S>;

    fn layer(&self, inner: S) -> Identify<S> {
        Identify { inner, layer: self.clone() }
    }
}

/// See [`ClientIpLayer`].
#[derive(Debug, Clone)]
pub struct Identify<S> {
    inner: S,
    layer: ClientIpLayer,
}

impl<S, B> Service<Request<B>> for Identify<S>
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
        if let Some(peer) = (self.layer.peer)(req.extensions()) {
            mark(&mut req, peer, &self.layer.trusted);
        }
        self.inner.call(req)
    }
}

/// Puts what is known of the caller on a request.
pub(crate) fn mark<B>(req: &mut Request<B>, peer: IpAddr, trusted: &TrustedProxies) {
    let caller = trusted.identify(peer, req.headers());
    req.extensions_mut().insert(caller.ip);
    if let Some(scheme) = caller.reported_scheme {
        req.extensions_mut().insert::<Scheme>(scheme);
    }
}
