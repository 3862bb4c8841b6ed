//! The Tower layer.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::house::Guards;
use super::policy::LoginPolicy;
use super::service::LoginGuarded;
use crate::client_ip::ClientIp;
use crate::limit::MemoryStore;
use crate::{RequestId, Scheme};

/// Guards the routes of the service inside that take passwords. Needs a [`ClientIp`] on every request, as
/// [`crate::LimitLayer`] does; a guarded request without one is answered 500.
///
/// Cookies are Secure and `__Host-` when [`Scheme::Https`] stands in the request's extensions, or always with
/// [`LoginGuardLayer::https`].
///
/// The bodies of guarded requests are read before the service inside is called, up to 64 KiB, and go on byte for byte; the
/// server must end bodies that come too slowly, as `casque::serve` does.
pub struct LoginGuardLayer<S = MemoryStore> {
    pub(super) source: Source,
    pub(super) guards: Arc<Guards<S>>,
    pub(super) assume_https: bool,
}

/// Where the policy of a request comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Fixed(Arc<LoginPolicy>),
    PerRequest(fn(&http::Extensions) -> Option<GuardedRequest>),
}

/// What an outer layer knows of a request that may be an attempt.
#[derive(Debug, Clone)]
pub struct GuardedRequest {
    /// The guards.
    pub policy: Arc<LoginPolicy>,
    /// Who asks.
    pub client: ClientIp,
    /// The scheme that the browser used.
    pub scheme: Scheme,
    /// What a refusal is to call the request.
    pub request_id: Option<RequestId>,
}

impl LoginGuardLayer {
    /// These guards, in memory.
    #[must_use]
    pub fn new(policy: LoginPolicy) -> Self {
        Self { source: Source::Fixed(Arc::new(policy)), guards: Arc::new(Guards::new(Arc::default())), assume_https: false }
    }

    /// Guards that an outer layer put on the request, found by `find`. A request without them is let through.
    #[must_use]
    pub fn per_request(find: fn(&http::Extensions) -> Option<GuardedRequest>) -> Self {
        Self { source: Source::PerRequest(find), guards: Arc::new(Guards::new(Arc::default())), assume_https: false }
    }
}

impl<S> LoginGuardLayer<S> {
    /// Keeps the state elsewhere, where it may be shared with other layers.
    #[must_use]
    pub fn guards<T>(self, guards: Arc<Guards<T>>) -> LoginGuardLayer<T> {
        LoginGuardLayer { source: self.source, guards, assume_https: self.assume_https }
    }

    /// Treats every request as HTTPS, for apps that are reached through a TLS-ending proxy and no other way. Default: `false`.
    #[must_use]
    pub fn https(mut self, always: bool) -> Self {
        self.assume_https = always;
        self
    }
}

impl<S> Clone for LoginGuardLayer<S> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), guards: self.guards.clone(), assume_https: self.assume_https }
    }
}

impl<S> fmt::Debug for LoginGuardLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginGuardLayer").field("source", &self.source).finish_non_exhaustive()
    }
}

impl<I, S> Layer<I> for LoginGuardLayer<S> {
    type Service = LoginGuarded<I, S>;

    fn layer(&self, inner: I) -> LoginGuarded<I, S> {
        LoginGuarded { inner, layer: self.clone() }
    }
}
