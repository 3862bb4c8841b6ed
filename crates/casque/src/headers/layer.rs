//! The Tower layer.

use std::sync::Arc;

use tower_layer::Layer;

use super::policy::HeaderPolicy;
use super::preset::Preset;
use super::service::Headers;
use crate::Scheme;

/// Adds a [`HeaderPolicy`] to every response of the service inside.
///
/// Put it outside everything that can answer by itself (limits, timeouts, error pages), so that those answers carry the headers too.
#[derive(Debug, Clone)]
pub struct HeadersLayer {
    pub(super) source: Source,
    pub(super) assume_https: bool,
    pub(super) behind_gateway: bool,
}

/// Finds the policy, and the scheme that the browser used, on a request.
pub type Find = fn(&http::Extensions) -> Option<(Arc<HeaderPolicy>, Scheme)>;

/// Where the policy of a request comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Fixed(Arc<HeaderPolicy>),
    PerRequest(Find),
}

impl HeadersLayer {
    /// The same policy for every request.
    #[must_use]
    pub fn new(policy: HeaderPolicy) -> Self {
        Self { source: Source::Fixed(Arc::new(policy)), assume_https: false, behind_gateway: false }
    }

    /// [`Preset::Balanced`].
    #[must_use]
    pub fn balanced() -> Self {
        Self::new(HeaderPolicy::preset(Preset::Balanced))
    }

    /// [`Preset::Helmet`].
    #[must_use]
    pub fn helmet() -> Self {
        Self::new(HeaderPolicy::preset(Preset::Helmet))
    }

    /// [`Preset::Strict`].
    #[must_use]
    pub fn strict() -> Self {
        Self::new(HeaderPolicy::preset(Preset::Strict))
    }

    /// [`Preset::Api`].
    #[must_use]
    pub fn api() -> Self {
        Self::new(HeaderPolicy::preset(Preset::Api))
    }

    /// A policy, and the scheme that the browser used, which an outer layer put on the request and `find` finds there. A request
    /// without them is left alone.
    ///
    /// This is how one static stack serves routes with different policies and reloads them.
    #[must_use]
    pub fn per_request(find: Find) -> Self {
        Self { source: Source::PerRequest(find), assume_https: false, behind_gateway: false }
    }

    /// Treat every request as HTTPS, for apps that are reached through a TLS-ending proxy and no other way.
    ///
    /// Default `false`: a request counts as HTTPS when [`crate::Scheme::Https`] stands in its extensions. With `true` on an
    /// app that is also reached over plain HTTP, browsers see HSTS where RFC 6797 forbids it and ignore it.
    #[must_use]
    pub fn https(mut self, always: bool) -> Self {
        self.assume_https = always;
        self
    }

    /// For a proxy: the app is another process, so it is told its nonce in request headers ([`CSP_NONCE`] and
    /// `Content-Security-Policy`), and chooses by response headers ([`PROFILE`], [`CSP_ADD`]), which are taken out.
    ///
    /// Default `false`: extensions carry all of that. Where clients can reach the layer directly, their own headers of these
    /// names must be taken out before: when a request has a [`Nonce`] in its extensions, they are this layer's.
    ///
    /// [`CSP_NONCE`]: super::CSP_NONCE
    /// [`PROFILE`]: super::PROFILE
    /// [`CSP_ADD`]: super::CSP_ADD
    /// [`Nonce`]: super::Nonce
    #[must_use]
    pub fn behind_gateway(mut self, yes: bool) -> Self {
        self.behind_gateway = yes;
        self
    }
}

impl<S> Layer<S> for HeadersLayer {
    type Service = Headers<S>;

    fn layer(&self, inner: S) -> Headers<S> {
        Headers { inner, layer: self.clone() }
    }
}
