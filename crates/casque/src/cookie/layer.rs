//! The Tower layer.

use std::sync::Arc;

use tower_layer::Layer;

use super::policy::CookiePolicy;
use super::service::Cookies;
use crate::Scheme;

/// Hardens the `Set-Cookie` lines of every response of the service inside.
///
/// Secure is added when [`crate::Scheme::Https`] stands in the request's extensions, or always with [`CookieLayer::https`].
#[derive(Debug, Clone)]
pub struct CookieLayer {
    pub(super) source: Source,
    pub(super) assume_https: bool,
    pub(super) tells: bool,
}

/// Finds the policy, and the scheme that the browser used, on a request.
pub type Find = fn(&http::Extensions) -> Option<(Arc<CookiePolicy>, Scheme)>;

#[derive(Debug, Clone)]
pub(super) enum Source {
    Fixed(Arc<CookiePolicy>),
    PerRequest(Find),
}

impl Default for CookieLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl CookieLayer {
    /// The default policy.
    #[must_use]
    pub fn new() -> Self {
        Self::with(CookiePolicy::default())
    }

    /// The same policy for every response.
    #[must_use]
    pub fn with(policy: CookiePolicy) -> Self {
        Self { source: Source::Fixed(Arc::new(policy)), assume_https: false, tells: true }
    }

    /// A policy, and the scheme that the browser used, which an outer layer put on the request and `find` finds there. A request
    /// without them is left alone.
    #[must_use]
    pub fn per_request(find: Find) -> Self {
        Self { source: Source::PerRequest(find), assume_https: false, tells: true }
    }

    /// Treat every request as HTTPS, for apps that are reached through a TLS-ending proxy and no other way. Default: `false`.
    /// With `true` on an app that is also reached over plain HTTP, browsers there refuse the cookies.
    #[must_use]
    pub fn https(mut self, always: bool) -> Self {
        self.assume_https = always;
        self
    }

    /// Whether what was done to a response's cookies is put into its extensions as [`super::CookieChanges`]. Default: `true`. With `false`
    /// a response whose cookies were changed costs three allocations less, and nobody learns of it.
    #[must_use]
    pub fn tell(mut self, changes: bool) -> Self {
        self.tells = changes;
        self
    }
}

impl<S> Layer<S> for CookieLayer {
    type Service = Cookies<S>;

    fn layer(&self, inner: S) -> Cookies<S> {
        Cookies { inner, layer: self.clone() }
    }
}
