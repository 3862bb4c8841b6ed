//! The Tower layer.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::decision::MAX_LIMITS;
use super::fields::{Fields, FieldsWhen};
use super::quota::Quota;
use super::rule::Limit;
use super::service::Limited;
use super::store::memory::MemoryStore;
use crate::RequestId;
use crate::client_ip::ClientIp;
use crate::clock::{Clock, SystemClock};

/// Paths that take passwords, in the spellings of the usual frameworks.
pub const LOGIN_PATHS: [&str; 17] = [
    "**/login",
    "**/login.*",
    "**/log-in",
    "**/log-in.*",
    "**/log_in",
    "**/log_in.*",
    "**/signin",
    "**/signin.*",
    "**/sign-in",
    "**/sign-in.*",
    "**/sign_in",
    "**/sign_in.*",
    "**/authenticate",
    "**/authenticate.*",
    "**/login.php/*",
    "**/wp-login.php/*",
    "**/auth/local",
];

/// A set of limits and how their answers are told.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    limits: Vec<Limit>,
    /// Whether one of the limits wants its fields on every response.
    one_tells_always: bool,
    /// The form of the rate limit fields, of limits that do not say otherwise.
    pub fields: Fields,
    /// When they are sent, of limits that do not say otherwise.
    pub fields_when: FieldsWhen,
}

impl Limits {
    /// These limits, in the order in which they are asked. Beyond [`MAX_LIMITS`] that apply to one request, the later are not
    /// asked; [`Limits::too_many`] tells.
    #[must_use]
    pub fn new(limits: impl IntoIterator<Item = Limit>) -> Self {
        let limits: Vec<Limit> = limits.into_iter().collect();
        let one_tells_always = limits.iter().any(|l| l.own_fields().1 == Some(FieldsWhen::Always));
        Self { limits, one_tells_always, ..Self::default() }
    }

    /// The limits that protect an app of which nothing is known: 100 requests a second with bursts of 200 per client, and 20
    /// log-in attempts a minute per client, which is any `POST` to a path that ends like a log-in form's.
    #[must_use]
    pub fn standard() -> Self {
        let login = Limit::new("login", Quota::per_minute(20)).methods([http::Method::POST]).paths(LOGIN_PATHS);
        Self::new([Limit::new("per-client", Quota::per_second(100).burst(200))].into_iter().chain(login))
    }

    /// The limits.
    #[must_use]
    pub fn as_slice(&self) -> &[Limit] {
        &self.limits
    }

    /// The form of a limit's fields.
    pub(super) fn form(&self, limit: &Limit) -> Fields {
        limit.own_fields().0.unwrap_or(self.fields)
    }

    /// When a limit's fields are sent.
    pub(super) fn when(&self, limit: &Limit) -> FieldsWhen {
        limit.own_fields().1.unwrap_or(self.fields_when)
    }

    /// Whether a response to a request that passed may have something to tell.
    #[inline]
    pub(super) fn tell_always(&self) -> bool {
        self.one_tells_always || self.fields_when == FieldsWhen::Always
    }

    /// Whether there are more limits than one request can be charged for.
    #[must_use]
    pub fn too_many(&self) -> bool {
        self.limits.len() > MAX_LIMITS
    }
}

/// Limits the requests of the service inside. Needs a [`crate::client_ip::ClientIp`] on every request: `casque::serve` puts it
/// there, and so does [`crate::client_ip::ClientIpLayer`]. A request without one is answered 500, because a limit that cannot
/// tell clients apart would either lock everybody out or nobody.
pub struct LimitLayer<S = MemoryStore> {
    pub(super) source: Source,
    pub(super) store: Arc<S>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Where the limits of a request come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Fixed(Arc<Limits>),
    PerRequest(fn(&http::Extensions) -> Option<LimitedRequest>),
}

/// What an outer layer knows of a request that is to be limited.
#[derive(Debug, Clone)]
pub struct LimitedRequest {
    /// Its limits.
    pub limits: Arc<Limits>,
    /// Whom they count.
    pub client: ClientIp,
    /// What a refusal is to call it.
    pub request_id: Option<RequestId>,
}

impl LimitLayer {
    /// One limit on every request, called `default`, in memory.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self::of([Limit::new("default", quota)])
    }

    /// Several limits, all of which must agree, in memory.
    #[must_use]
    pub fn of(limits: impl IntoIterator<Item = Limit>) -> Self {
        Self::with(Limits::new(limits))
    }

    /// A whole set with its options, in memory.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        Self { source: Source::Fixed(Arc::new(limits)), store: Arc::default(), clock: Arc::new(SystemClock) }
    }

    /// Limits that an outer layer put on the request, found by `find`. A request without any is not limited.
    #[must_use]
    pub fn per_request(find: fn(&http::Extensions) -> Option<LimitedRequest>) -> Self {
        Self { source: Source::PerRequest(find), store: Arc::default(), clock: Arc::new(SystemClock) }
    }
}

impl<S> LimitLayer<S> {
    /// Keeps the state in another store, which may be shared with other layers.
    #[must_use]
    pub fn store<T>(self, store: Arc<T>) -> LimitLayer<T> {
        LimitLayer { source: self.source, store, clock: self.clock }
    }

    /// Reads the time from another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl<S> Clone for LimitLayer<S> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), store: self.store.clone(), clock: self.clock.clone() }
    }
}

impl<S> fmt::Debug for LimitLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitLayer").field("source", &self.source).finish_non_exhaustive()
    }
}

impl<I, S> Layer<I> for LimitLayer<S> {
    type Service = Limited<I, S>;

    fn layer(&self, inner: I) -> Limited<I, S> {
        Limited { inner, layer: self.clone() }
    }
}
