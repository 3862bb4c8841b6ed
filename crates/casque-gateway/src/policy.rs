//! What runs: everything checked, compiled and shared.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use casque::Scheme;
use casque::client_ip::TrustedProxies;
use casque::config::{At, Document, Problem, Severity};
use casque::cookie::{self, CookiePolicy};
use casque::headers::fetch_metadata::{self, IsolationPolicy};
use casque::headers::{self, HeaderPolicy};
use casque::host::HostPattern;
use casque::limit::store::redis::{OnError, RedisOptions};
use casque::limit::{Limit, Limits};
use casque::login::challenge::Vouching;
use casque::login::{Login, LoginPolicy, Secrets, Worry};
use casque::serve::Settings;

use crate::config::{AccessLog, Config, Upstream};
use crate::route::Routes;

/// The policy of a running gateway. Nothing in it can be invalid.
#[derive(Debug)]
pub struct Policy {
    pub(crate) listen: SocketAddr,
    pub(crate) threads: usize,
    pub(crate) settings: Arc<Settings>,
    pub(crate) trusted: TrustedProxies,
    /// The scheme that browsers use, when it is known for sure.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) access_log: AccessLog,
    pub(crate) routes: Routes,
    /// Where the limits' state is, if not in memory.
    pub(crate) store: Option<RedisOptions>,
    /// The path that browsers report violations to.
    pub(crate) reports: Option<String>,
    /// Where the operator's pages are.
    pub(crate) admin: Option<SocketAddr>,
    /// Where the operator's verbs are.
    pub(crate) admin_socket: Option<PathBuf>,
}

/// The policy of some hosts and paths.
#[derive(Debug)]
pub struct RoutePolicy {
    /// `None` where the policy names no app.
    pub(crate) upstream: Option<Arc<Target>>,
    pub(crate) headers: Arc<HeaderPolicy>,
    /// `None` where other sites' requests are let through.
    pub(crate) isolation: Option<Arc<IsolationPolicy>>,
    pub(crate) cookies: Arc<CookiePolicy>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) logins: Arc<LoginPolicy>,
    pub(crate) max_body_size: Option<u64>,
    pub(crate) response_timeout: Duration,
}

/// An app and how to reach it.
#[derive(Debug)]
pub struct Target {
    pub(crate) upstream: Upstream,
    pub(crate) authority: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_idle: usize,
    pub(crate) upgrades: Vec<String>,
}

/// What the command line says over the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--upstream`, or the port that a child was given.
    pub upstream: Option<Upstream>,
    /// Looks up what the file writes as `env:NAME`. `None`: no variable is set.
    pub variable: Option<fn(&str) -> Option<String>>,
    /// What `[login-secret]` leads to.
    pub login_secrets: LoginSecrets,
}

/// The secrets of the login guard, as they were found.
#[derive(Debug, Clone, Default)]
pub struct LoginSecrets {
    /// What makes and opens the guard's cookies and challenges. `None`: one that lasts as long as this process.
    pub secrets: Option<Secrets>,
    /// What the operator's captcha page vouches with.
    pub vouching: Option<Vouching>,
}

/// The secret of a process that was given none. It stays through changes of policy; after a restart no browser is known.
static OF_THIS_PROCESS: LazyLock<Secrets> = LazyLock::new(|| Secrets::random(rand::random()));

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

impl Policy {
    /// The crossing from what was written to what runs. Reports what only a comparison of values shows to the document, and
    /// makes a policy of the rest; whether there are errors is for the caller to ask the document.
    ///
    /// `None` when neither the file nor the command line names any app.
    #[must_use]
    pub fn compile(config: &Config, over: &Overrides, document: &Document<'_>) -> Option<Self> {
        let trusted = trusted_proxies(config, document);
        warn_of_weak_settings(config, document);
        let listen = over.listen.or_else(|| config.server.listen.as_ref().map(|l| l.value)).unwrap_or(DEFAULT_LISTEN);
        let upstream = over.upstream.clone().or_else(|| config.upstream.url.as_ref().map(|u| u.value.clone()));
        // Routes may name their own apps; what belongs to none of them then gets a 404, and never somebody else's app.
        if upstream.is_none() && config.routes.iter().all(|r| r.upstream.is_none()) {
            return None;
        }
        let default = upstream.map(|u| Arc::new(target(config, u)));
        if let Some(default) = &default {
            warn_of_loop(config, default, listen, document);
        }
        let scheme = config.client_ip.scheme.as_ref().and_then(|s| s.value);
        Some(Self {
            listen,
            threads: config.server.threads.and_then(|t| usize::try_from(t).ok()).unwrap_or(0),
            settings: Arc::new(settings(config)),
            trusted,
            scheme,
            access_log: config.log.access,
            routes: routes(config, over, default.as_ref(), document),
            // What cannot be had as written is an error of the document, and nothing runs by this policy.
            store: config.store.options(|name| over.variable.and_then(|look_up| look_up(name)), document),
            reports: config.reports.path().map(str::to_owned),
            admin: config.admin.listen,
            admin_socket: config.admin.socket.clone(),
        })
    }

    /// The headers of the route that a request belongs to. `host` as in the `Host` field.
    #[must_use]
    pub fn headers(&self, host: &str, path: &str) -> &HeaderPolicy {
        &self.routes.find(Some(host), path).headers
    }

    /// Where the limits' state is, for people to read; `None`: in memory.
    #[must_use]
    pub fn store(&self) -> Option<String> {
        let store = self.store.as_ref()?;
        let otherwise = match store.when_it_fails() {
            OnError::Local => "counted on here while it cannot answer",
            OnError::Allow => "no limits while it cannot answer",
            OnError::Deny => "503 while it cannot answer",
        };
        Some(format!("{}; {otherwise}", store.addresses()))
    }

    /// The guards of log-ins, of all routes.
    pub(crate) fn logins(&self) -> impl Iterator<Item = &LoginPolicy> {
        self.routes.all().map(|route| &*route.logins)
    }

    /// All limits of all routes, each once.
    #[must_use]
    pub fn limits(&self) -> Vec<&Limit> {
        let mut all: Vec<&Limit> = Vec::new();
        for limit in self.routes.all().flat_map(|route| route.limits.as_slice()) {
            if !all.iter().any(|known| known.id() == limit.id() && known.quota() == limit.quota()) {
                all.push(limit);
            }
        }
        all
    }

    /// The limits of a request of which the host is not known; `None` if it is a violation report, which no limit counts.
    pub(crate) fn limits_without_host(&self, path: &str) -> Option<&Limits> {
        (self.reports.as_deref() != Some(path)).then(|| &*self.routes.find(None, path).limits)
    }

    /// Whether some routes are for some hosts only.
    pub(crate) fn has_hosts(&self) -> bool {
        self.routes.has_hosts()
    }

    /// Whether an address is a trusted proxy's.
    pub(crate) fn trusts(&self, address: std::net::IpAddr) -> bool {
        self.trusted.contains(address)
    }

    /// Guards of log-ins that seem not to fit their apps.
    pub(crate) fn worries(&self) -> Vec<Worry> {
        self.routes.all().flat_map(|route| route.logins.worries()).collect()
    }

    /// Where it listens.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }
}

/// A report of one line for each thing that the policy does, for people to read at start. `store` is [`Policy::store`].
#[must_use]
pub fn summary(config: &Config, store: Option<String>) -> Vec<(&'static str, String)> {
    let cookies = match config.cookies.policy().mode {
        cookie::Mode::Enforce => "hardened",
        cookie::Mode::Observe => "observed",
        cookie::Mode::Off => "left alone",
    };
    let limits = effective_limits(config.limits.as_ref());
    let limits = if limits.as_slice().is_empty() {
        "none".to_owned()
    } else {
        limits.as_slice().iter().map(|l| format!("{} {}", l.name(), l.quota())).collect::<Vec<_>>().join("; ")
    };
    let logins = match &config.logins {
        None => "guarded where paths end like log-in forms".to_owned(),
        Some(logins) if logins.iter().all(Login::is_off) => "not guarded".to_owned(),
        Some(logins) => logins.iter().filter(|l| !l.is_off()).map(Login::name).collect::<Vec<_>>().join(", "),
    };
    let mut lines =
        vec![("headers", config.headers.base().to_owned()), ("cookies", cookies.to_owned()), ("limits", limits), ("logins", logins)];
    lines.extend(store.map(|store| ("store", store)));
    lines.extend(config.reports.path().map(|path| ("reports", format!("taken at {path}"))));
    lines.extend(config.admin.listen.map(|address| ("admin", format!("http://{address}/"))));
    lines.extend(config.admin.socket.as_ref().map(|path| ("admin", format!("unix:{}", path.display()))));
    lines
}

fn effective_limits(written: Option<&Vec<Limit>>) -> Limits {
    written.map_or_else(Limits::standard, |l| Limits::new(l.iter().cloned()))
}

/// The guards of a file; what says nothing of log-ins has the standard one.
fn effective_logins(written: Option<&Vec<Login>>) -> Vec<Login> {
    written.cloned().unwrap_or_else(|| Login::standard().into_iter().collect())
}

fn login_policy(logins: &[Login], secrets: &LoginSecrets) -> LoginPolicy {
    let own = secrets.secrets.clone().unwrap_or_else(|| OF_THIS_PROCESS.clone());
    LoginPolicy::new(logins.iter().cloned(), own).vouching(secrets.vouching.clone())
}

fn trusted_proxies(config: &Config, document: &Document<'_>) -> TrustedProxies {
    let mut good = Vec::new();
    for entry in config.client_ip.trusted_proxies.iter().flat_map(|l| &l.value) {
        match TrustedProxies::parse([&entry.value]) {
            Ok(one) => {
                if one.trusts_everyone() {
                    let message = format!("`{}` trusts every client", entry.value);
                    warn(
                        document,
                        &entry.span,
                        message,
                        "anybody can then forge the address that limits and logs go by; name your proxies",
                    );
                }
                good.push(entry.value.clone());
            }
            Err(error) => document.report(Problem {
                severity: Severity::Error,
                span: entry.span.clone(),
                message: error.to_string(),
                label: "for example \"10.0.0.0/8\" or \"192.0.2.7\"".to_owned(),
            }),
        }
    }
    TrustedProxies::parse(good).unwrap_or_default().with_header(config.client_ip.header)
}

fn warn(document: &Document<'_>, span: &std::ops::Range<usize>, message: impl Into<String>, label: impl Into<String>) {
    document.report(Problem { severity: Severity::Warning, span: span.clone(), message: message.into(), label: label.into() });
}

/// Settings that work and protect less than they could. Said, not forbidden.
fn warn_of_weak_settings(config: &Config, document: &Document<'_>) {
    let server = &config.server;
    let minute = Duration::from_secs(60);
    for (key, setting) in [
        ("header-timeout", &server.header_timeout),
        ("idle-timeout", &server.idle_timeout),
        ("body-idle-timeout", &server.body_idle_timeout),
        ("write-timeout", &server.write_timeout),
        ("half-close-timeout", &server.half_close_timeout),
    ] {
        if let Some(At { value, span }) = setting {
            if value.is_zero() {
                warn(document, span, format!("`{key}` is off"), "a client that does nothing can hold a connection for ever");
            } else if *value > minute {
                warn(document, span, format!("`{key}` is longer than a minute"), "slow clients can hold connections this long");
            }
        }
    }
    if let Some(At { value: 0, span }) = &server.min_body_rate {
        warn(document, span, "`min-body-rate` is off", "a body of one byte a second can hold a connection for ever");
    }
    for (key, setting) in [("max-connections", &server.max_connections), ("max-connections-per-client", &server.max_connections_per_client)]
    {
        if let Some(At { value: 0, span }) = setting {
            warn(document, span, format!("`{key}` is off"), "one client can use up every connection");
        }
    }
    if let Some(At { value: Some(Scheme::Https), span }) = &config.client_ip.scheme
        && server.listen.as_ref().is_some_and(|l| !l.value.ip().is_loopback())
    {
        warn(
            document,
            span,
            "`scheme` is \"https\", but clients can reach the plain port directly",
            "let only the TLS proxy reach it, or use \"auto\" with trusted-proxies",
        );
    }
    if let Some(span) = &config.no_limits {
        warn(
            document,
            span,
            "there are no limits: passwords can be guessed as fast as the app answers",
            "take this out for the standard limits",
        );
    }
    if let Some(span) = &config.no_logins {
        let remedy = "take this out for the standard guard of paths that end like log-in forms";
        warn(document, span, "no log-in is guarded: a botnet can guess at one account as fast as the limits let it", remedy);
    }
    if let Some(span) = &config.headers.switched_off() {
        warn(document, span, "no security headers are added", "\"balanced\" suits every app");
    }
    if let Some(span) = &config.cookies.switched_off() {
        warn(document, span, "cookies are left as the app sends them", "\"observe\" tells what would change");
    }
}

fn warn_of_loop(config: &Config, target: &Target, listen: SocketAddr, document: &Document<'_>) {
    let Upstream::Tcp { host, port } = &target.upstream else { return };
    let ip: Option<std::net::IpAddr> = host.parse().ok();
    let on_this_machine = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified());
    let same_host = ip == Some(listen.ip()) || (on_this_machine && (listen.ip().is_loopback() || listen.ip().is_unspecified()));
    if same_host && *port == listen.port() && *port != 0 {
        let span = config.upstream.url.as_ref().map_or(0..0, |u| u.span.clone());
        document.report(Problem {
            severity: Severity::Error,
            span,
            message: format!("the upstream {} is the address that casque listens on", target.upstream),
            label: "give the app another port".to_owned(),
        });
    }
}

/// Limits of one name share their counts, also where a route has them. With two quotas each would be used up by the other's requests.
fn warn_of_shared_counts(config: &Config, all: &Limits, document: &Document<'_>) {
    let mut known: Vec<&Limit> = all.as_slice().iter().collect();
    for route in &config.routes {
        let own = route.limits.as_deref().unwrap_or_default();
        for limit in own {
            if known.iter().any(|other| other.id() == limit.id() && other.quota() != limit.quota()) {
                let message = format!("a limit of this route is called `{}`, as one with another rate is", limit.name());
                warn(document, &route.span, message, "limits of one name share their counts; give it its own");
            }
        }
        known.extend(own);
    }
}

fn target(config: &Config, upstream: Upstream) -> Target {
    let section = &config.upstream;
    Target {
        authority: upstream.authority(),
        upstream,
        connect_timeout: section.connect_timeout.unwrap_or(Duration::from_secs(5)),
        idle_timeout: section.idle_timeout.unwrap_or(Duration::from_secs(4)),
        max_idle: section.max_idle.and_then(|n| usize::try_from(n).ok()).unwrap_or(256),
        upgrades: section.upgrades.clone().unwrap_or_else(|| vec!["websocket".to_owned()]),
    }
}

fn settings(config: &Config) -> Settings {
    let server = &config.server;
    let mut s = Settings::default();
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let time = |slot: &mut Duration, written: &Option<At<Duration>>| {
        if let Some(at) = written {
            *slot = at.value;
        }
    };
    time(&mut s.header_timeout, &server.header_timeout);
    time(&mut s.idle_timeout, &server.idle_timeout);
    time(&mut s.body_idle_timeout, &server.body_idle_timeout);
    time(&mut s.write_timeout, &server.write_timeout);
    time(&mut s.half_close_timeout, &server.half_close_timeout);
    s.drain_timeout = server.drain_timeout.unwrap_or(s.drain_timeout);
    s.min_body_rate = server.min_body_rate.as_ref().map_or(s.min_body_rate, |r| r.value);
    s.max_head_bytes = server.max_header_bytes.map_or(s.max_head_bytes, size);
    s.max_headers = server.max_headers.map_or(s.max_headers, size);
    s.max_target_bytes = server.max_target_bytes.map_or(s.max_target_bytes, size);
    s.max_connections = server.max_connections.as_ref().map_or(s.max_connections, |n| size(n.value));
    s.max_connections_per_client = server.max_connections_per_client.as_ref().map_or(s.max_connections_per_client, |n| size(n.value));
    s.pass_refusals = true;
    s
}

fn routes(config: &Config, over: &Overrides, default: Option<&Arc<Target>>, document: &Document<'_>) -> Routes {
    let response_timeout = config.upstream.response_timeout.unwrap_or(Duration::from_secs(60));
    let max_body_size = config.server.max_body_size.flatten();
    let limits = Arc::new(effective_limits(config.limits.as_ref()));
    let logins = Arc::new(login_policy(&effective_logins(config.logins.as_ref()), &over.login_secrets));
    let policy = |upstream: Option<Arc<Target>>,
                  headers: &headers::config::Written,
                  isolation: &fetch_metadata::config::Written,
                  cookies: &cookie::config::Written,
                  limits: Arc<Limits>,
                  logins: Arc<LoginPolicy>| RoutePolicy {
        upstream,
        headers: Arc::new(headers.policy(config.reports.path())),
        isolation: Some(isolation.policy()).filter(|p| p.mode() != fetch_metadata::Mode::Off).map(Arc::new),
        cookies: Arc::new(cookies.policy()),
        limits,
        logins,
        max_body_size,
        response_timeout,
    };
    let standard = policy(default.cloned(), &config.headers, &config.fetch_metadata, &config.cookies, limits.clone(), logins.clone());
    let mut routes = Routes::new(Arc::new(standard));
    warn_of_shared_counts(config, &limits, document);
    for route in &config.routes {
        let upstream = match &route.upstream {
            Some(own) => Some(Arc::new(target(config, own.value.clone()))),
            None => default.cloned(),
        };
        let own_limits = route.limits.as_ref().map_or_else(|| limits.clone(), |own| Arc::new(Limits::new(own.iter().cloned())));
        let own_logins = match (&route.logins, &route.upstream) {
            (None, None) => logins.clone(),
            (own, upstream) => {
                let own = own.clone().unwrap_or_else(|| effective_logins(config.logins.as_ref()));
                // Another app has other accounts, of the same names perhaps.
                let realm = upstream.as_ref().map(|u| u.value.to_string()).unwrap_or_default();
                Arc::new(login_policy(&own, &over.login_secrets).realm(realm))
            }
        };
        let mut narrowed = policy(
            upstream,
            &config.headers.overlaid(&route.headers),
            &config.fetch_metadata.overlaid(&route.fetch_metadata),
            &config.cookies.overlaid(&route.cookies),
            own_limits,
            own_logins,
        );
        narrowed.response_timeout = route.response_timeout.unwrap_or(response_timeout);
        narrowed.max_body_size = route.max_body_size.unwrap_or(max_body_size);
        let host = route.host.as_ref().map_or(HostPattern::ANY, |h| h.value.clone());
        let path = route.path.as_ref().map_or("/", |p| p.value.as_str());
        if !routes.add(host, path, Arc::new(narrowed)) {
            document.report(Problem {
                severity: Severity::Error,
                span: route.span.clone(),
                message: "a second route for the same host and path".to_owned(),
                label: "only one can apply; join them".to_owned(),
            });
        }
    }
    routes
}
