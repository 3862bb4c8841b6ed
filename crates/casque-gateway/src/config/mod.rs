//! casque.toml as it was written, every value with its place.
//!
//! The sections that belong to a part of the library are read by that part; the ones here are the gateway's own.

mod listen;
mod upstream;

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use casque::client_ip::ForwardedHeader;
use casque::config::{At, Document, Section};
use casque::headers::fetch_metadata;
use casque::host::HostPattern;
use casque::limit::Limit;
use casque::limit::store::redis::config::Written as Store;
use casque::login::config::SecretSection;
use casque::login::{self, Login};
use casque::{Scheme, cookie, headers, limit};

pub use listen::parse as parse_listen;
pub use upstream::Upstream;

/// The whole file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[upstream]`
    pub upstream: UpstreamSection,
    /// `[client-ip]`
    pub client_ip: ClientIp,
    /// `[headers]`
    pub headers: headers::config::Written,
    /// `[[limit]]`; `None` when the file says nothing of limits, so that the standard ones apply.
    pub limits: Option<Vec<Limit>>,
    /// Where `limit = []` stands, if it does.
    pub no_limits: Option<Range<usize>>,
    /// `[store]`
    pub store: Store,
    /// `[[login]]`; `None` when the file says nothing of log-ins, so that the standard guard applies.
    pub logins: Option<Vec<Login>>,
    /// Where `login = []` stands, if it does.
    pub no_logins: Option<Range<usize>>,
    /// `[login-secret]`
    pub login_secret: SecretSection,
    /// `[cookies]`
    pub cookies: cookie::config::Written,
    /// `[fetch-metadata]`
    pub fetch_metadata: fetch_metadata::config::Written,
    /// `[reports]`
    pub reports: Reports,
    /// `[admin]`
    pub admin: Admin,
    /// `[log]`
    pub log: Log,
    /// `[[route]]`
    pub routes: Vec<Route>,
}

/// `[server]`: what faces the clients. Times and sizes have the defaults of [`casque::serve::Settings`].
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// Where to listen. Default: 127.0.0.1:8080.
    pub listen: Option<At<SocketAddr>>,
    /// Worker threads. Default: one per core.
    pub threads: Option<u64>,
    pub max_connections: Option<At<u64>>,
    pub max_connections_per_client: Option<At<u64>>,
    pub max_header_bytes: Option<u64>,
    pub max_headers: Option<u64>,
    pub max_target_bytes: Option<u64>,
    pub header_timeout: Option<At<Duration>>,
    pub idle_timeout: Option<At<Duration>>,
    pub body_idle_timeout: Option<At<Duration>>,
    pub min_body_rate: Option<At<u64>>,
    pub write_timeout: Option<At<Duration>>,
    pub half_close_timeout: Option<At<Duration>>,
    pub drain_timeout: Option<Duration>,
    /// The largest request body. Default: no limit.
    pub max_body_size: Option<Option<u64>>,
}

/// `[upstream]`: the app.
#[derive(Debug, Clone, Default)]
pub struct UpstreamSection {
    /// Where it is.
    pub url: Option<At<Upstream>>,
    /// Default: 5 s.
    pub connect_timeout: Option<Duration>,
    /// From the end of the request to the head of the response. Default: 60 s.
    pub response_timeout: Option<Duration>,
    /// How long an idle connection is kept. Default: 4 s, one less than Node's own.
    pub idle_timeout: Option<Duration>,
    /// The most idle connections kept by each worker. Default: 256.
    pub max_idle: Option<u64>,
    /// Protocols that clients may switch to. Default: `websocket`.
    pub upgrades: Option<Vec<String>>,
}

/// `[client-ip]`
#[derive(Debug, Clone, Default)]
pub struct ClientIp {
    pub trusted_proxies: Option<At<Vec<At<String>>>>,
    pub header: ForwardedHeader,
    /// The scheme that browsers use, when it is known for sure; `None` is `auto`.
    pub scheme: Option<At<Option<Scheme>>>,
}

/// `[reports]`: where browsers report violations to.
#[derive(Debug, Clone)]
pub struct Reports {
    enabled: bool,
    path: String,
}

impl Default for Reports {
    fn default() -> Self {
        Self { enabled: true, path: "/_casque/reports".to_owned() }
    }
}

/// `[admin]`: pages for whoever runs the gateway.
#[derive(Debug, Clone, Default)]
pub struct Admin {
    /// A loopback address. Default: no pages.
    pub listen: Option<SocketAddr>,
    /// A Unix socket, for `casque limits`. Default: none.
    pub socket: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub access: AccessLog,
}

/// What is written about each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessLog {
    /// One short line.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// Nothing.
    Off,
}

/// `[[route]]`: what differs for some hosts and paths.
#[derive(Debug, Clone)]
pub struct Route {
    /// Where it stands.
    pub span: Range<usize>,
    /// `shop.example` or `*.shop.example`; `None` is any.
    pub host: Option<At<HostPattern>>,
    /// A path and everything below it. Default: `/`.
    pub path: Option<At<String>>,
    pub upstream: Option<At<Upstream>>,
    pub response_timeout: Option<Duration>,
    pub max_body_size: Option<Option<u64>>,
    pub headers: headers::config::Written,
    pub fetch_metadata: fetch_metadata::config::Written,
    pub cookies: cookie::config::Written,
    pub limits: Option<Vec<Limit>>,
    pub logins: Option<Vec<Login>>,
}

impl Config {
    /// Reads a file of the gateway alone. What is wrong with it stands in the document's problems afterwards; the result holds what
    /// could be read.
    #[must_use]
    pub fn read(document: &Document<'_>) -> Self {
        let mut root = document.root();
        let config = Self::read_from(&mut root);
        root.finish();
        config
    }

    /// Reads the gateway's sections of a file that has others too. Whoever reads those finishes the section.
    #[must_use]
    pub fn read_from(root: &mut Section<'_, '_>) -> Self {
        let limits = root.sections("limit");
        let no_limits = limits.as_ref().filter(|l| l.is_empty()).and_then(|_| root.value_span("limit"));
        let logins = root.sections("login");
        let no_logins = logins.as_ref().filter(|l| l.is_empty()).and_then(|_| root.value_span("login"));
        Self {
            server: root.section("server").map(Server::read).unwrap_or_default(),
            upstream: root.section("upstream").map(UpstreamSection::read).unwrap_or_default(),
            client_ip: root.section("client-ip").map(ClientIp::read).unwrap_or_default(),
            headers: root.section("headers").map(headers::config::Written::read).unwrap_or_default(),
            limits: limits.map(limit::config::read),
            no_limits,
            store: root.section("store").map(Store::read).unwrap_or_default(),
            logins: logins.map(login::config::read),
            no_logins,
            login_secret: root.section("login-secret").map(SecretSection::read).unwrap_or_default(),
            cookies: root.section("cookies").map(cookie::config::Written::read).unwrap_or_default(),
            fetch_metadata: root.section("fetch-metadata").map(fetch_metadata::config::Written::read).unwrap_or_default(),
            reports: root.section("reports").map(Reports::read).unwrap_or_default(),
            admin: root.section("admin").map(Admin::read).unwrap_or_default(),
            log: root.section("log").map(Log::read).unwrap_or_default(),
            routes: root.sections("route").unwrap_or_default().into_iter().map(Route::read).collect(),
        }
    }
}

impl Server {
    fn read(mut s: Section<'_, '_>) -> Self {
        let server = Self {
            listen: s.parsed("listen", "an address such as \"127.0.0.1:8080\"", listen::parse),
            threads: s.integer("threads", 0..=1024).map(|t| t.value),
            max_connections: s.integer("max-connections", 0..=10_000_000),
            max_connections_per_client: s.integer("max-connections-per-client", 0..=10_000_000),
            max_header_bytes: s.size("max-header-bytes").and_then(|v| within(&s, v, 1024, 1 << 20, "max-header-bytes")),
            max_headers: s.integer("max-headers", 8..=10_000).map(|v| v.value),
            max_target_bytes: s.size("max-target-bytes").and_then(|v| within(&s, v, 256, 1 << 16, "max-target-bytes")),
            header_timeout: s.duration("header-timeout"),
            idle_timeout: s.duration("idle-timeout"),
            body_idle_timeout: s.duration("body-idle-timeout"),
            min_body_rate: s.size("min-body-rate"),
            write_timeout: s.duration("write-timeout"),
            half_close_timeout: s.duration("half-close-timeout"),
            drain_timeout: s.duration("drain-timeout").map(|v| v.value),
            max_body_size: s.size_or("max-body-size", "none").map(|v| v.value),
        };
        s.finish();
        server
    }
}

fn within(section: &Section<'_, '_>, size: At<u64>, min: u64, max: u64, key: &str) -> Option<u64> {
    if (min..=max).contains(&size.value) {
        return Some(size.value);
    }
    section.error(size.span, format!("`{key}` cannot be {} bytes", size.value), format!("expected {min} to {max} bytes"));
    None
}

impl UpstreamSection {
    fn read(mut s: Section<'_, '_>) -> Self {
        let upstream = Self {
            url: s.parsed("url", "an address such as \"http://127.0.0.1:3000\"", Upstream::parse),
            connect_timeout: s.duration("connect-timeout").map(|v| v.value),
            response_timeout: s.duration("response-timeout").map(|v| v.value),
            idle_timeout: s.duration("idle-timeout").map(|v| v.value),
            max_idle: s.integer("max-idle", 0..=100_000).map(|v| v.value),
            upgrades: s.strings("upgrades").map(|list| upgrades(&s, list)),
        };
        s.finish();
        upstream
    }
}

fn upgrades(section: &Section<'_, '_>, list: At<Vec<At<String>>>) -> Vec<String> {
    let mut kept = Vec::new();
    for protocol in list.value {
        let name = protocol.value.to_ascii_lowercase();
        let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
        if !token {
            section.error(protocol.span, format!("`{}` is no protocol name", protocol.value), "for example \"websocket\"");
        } else if name == "h2c" || name.starts_with("http") || name.starts_with("tls") {
            section.error(
                protocol.span,
                format!("switching to `{name}` cannot be allowed"),
                "requests inside it would pass unseen: no limits, no headers, no log",
            );
        } else {
            kept.push(name);
        }
    }
    kept
}

impl ClientIp {
    fn read(mut s: Section<'_, '_>) -> Self {
        let headers = [("x-forwarded-for", ForwardedHeader::XForwardedFor), ("forwarded", ForwardedHeader::Forwarded)];
        let schemes = [("auto", None), ("http", Some(Scheme::Http)), ("https", Some(Scheme::Https))];
        let client_ip = Self {
            trusted_proxies: s.strings("trusted-proxies"),
            header: s.choice("header", &headers).map(|h| h.value).unwrap_or_default(),
            scheme: s.choice("scheme", &schemes),
        };
        s.finish();
        client_ip
    }
}

impl Reports {
    fn read(mut s: Section<'_, '_>) -> Self {
        let default = Self::default();
        let path = s.parsed("path", "a path such as \"/_casque/reports\"", |p| {
            // It goes into header values, and is compared letter for letter.
            let plain = p.len() > 1 && p.starts_with('/') && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b));
            // `//other.example/x` is another site to browsers, and a dot segment reaches nobody.
            let own = p.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."));
            match (plain, own) {
                (true, true) => Ok(p.to_owned()),
                (true, false) => Err("expected a path without empty or dot segments".to_owned()),
                _ => Err("expected a path below `/`, of letters, digits, `/`, `-`, `_`, `.` and `~`".to_owned()),
            }
        });
        let reports = Self { enabled: s.boolean("enabled").is_none_or(|b| b.value), path: path.map_or(default.path, |p| p.value) };
        s.finish();
        reports
    }

    /// The path, if reports are taken at all.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.enabled.then_some(self.path.as_str())
    }
}

impl Admin {
    fn read(mut s: Section<'_, '_>) -> Self {
        let listen = s.parsed("listen", "an address such as \"127.0.0.1:9901\"", |text| {
            let address = listen::parse(text)?;
            if address.ip().is_loopback() {
                Ok(address)
            } else {
                Err("it must be on loopback: the pages have no password; reach them by `ssh -L`".to_owned())
            }
        });
        let socket = s.parsed("socket", "a path such as \"/run/casque/admin.sock\"", |text| {
            // The system's own bound is 107 bytes.
            match text.len() {
                0 => Err("expected a path: only the gateway's own user may open the socket".to_owned()),
                1..=107 if !text.contains('\0') && !text.ends_with('/') => Ok(PathBuf::from(text)),
                _ => Err("expected the path of a file, of at most 107 bytes".to_owned()),
            }
        });
        s.finish();
        Self { listen: listen.map(|l| l.value), socket: socket.map(|s| s.value) }
    }
}

impl Log {
    fn read(mut s: Section<'_, '_>) -> Self {
        let access = s.choice("access", &[("text", AccessLog::Text), ("json", AccessLog::Json), ("off", AccessLog::Off)]);
        s.finish();
        Self { access: access.map(|a| a.value).unwrap_or_default() }
    }
}

impl Route {
    fn read(mut s: Section<'_, '_>) -> Self {
        let span = s.span();
        let host = s.parsed("host", "a host such as \"shop.example\"", HostPattern::parse);
        let path = s.parsed("path", "a path such as \"/api\"", |p| {
            if p.starts_with('/') && !p.contains('*') {
                Ok(p.to_owned())
            } else {
                Err("expected a path that starts with `/`, without `*`: it stands for everything below it".to_owned())
            }
        });
        let route = Self {
            span: span.clone(),
            upstream: s.parsed("upstream", "an address such as \"http://127.0.0.1:3000\"", Upstream::parse),
            response_timeout: s.duration("response-timeout").map(|v| v.value),
            max_body_size: s.size_or("max-body-size", "none").map(|v| v.value),
            headers: s.section("headers").map(headers::config::Written::read).unwrap_or_default(),
            fetch_metadata: s.section("fetch-metadata").map(fetch_metadata::config::Written::read).unwrap_or_default(),
            cookies: s.section("cookies").map(cookie::config::Written::read).unwrap_or_default(),
            limits: s.sections("limit").map(limit::config::read),
            logins: s.sections("login").map(login::config::read),
            host,
            path,
        };
        if !s.has("host") && !s.has("path") {
            s.error(span, "[[route]] without `host` or `path`", "say which requests it is for, or put its settings at the top of the file");
        }
        s.finish();
        route
    }
}
