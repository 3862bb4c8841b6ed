//! A small model of a browser, to hold the comparison of policies against: each load is matched by the algorithms of CSP Level 3
//! (6.7.2, 6.7.3) over a universe of a few addresses, nonces and hashes.

mod proofs;

use super::policy::{Csp, Directive};
use super::source::strip_prefix_any_case;

/// An address, in parts.
#[derive(Debug, Clone, Copy)]
struct Address {
    scheme: &'static str,
    host: &'static str,
    /// 0 is the scheme's own.
    port: u16,
    path: &'static str,
}

const PAGES: [Address; 2] = [at("http", "self.example", 0, "/"), at("https", "self.example", 0, "/")];

const fn at(scheme: &'static str, host: &'static str, port: u16, path: &'static str) -> Address {
    Address { scheme, host, port, path }
}

const ADDRESSES: [Address; 17] = [
    at("http", "self.example", 0, "/x/a.js"),
    at("https", "self.example", 0, "/x/a.js"),
    at("https", "a.example", 0, "/x/a.js"),
    at("https", "a.example", 0, "/x/"),
    at("https", "a.example", 0, "/xy"),
    at("https", "a.example", 0, "/"),
    at("http", "a.example", 0, "/x/a.js"),
    at("https", "a.example", 8080, "/x/a.js"),
    at("http", "a.example", 8080, "/x/a.js"),
    at("https", "b.a.example", 0, "/x/a.js"),
    at("https", "c.b.a.example", 0, "/x/a.js"),
    at("http", "b.a.example", 443, "/"),
    at("https", "b.a.example", 80, "/"),
    at("wss", "a.example", 0, "/"),
    at("ws", "a.example", 0, "/"),
    at("data", "", 0, ""),
    at("blob", "", 0, ""),
];

/// What a page may try.
#[derive(Debug, Clone, Copy)]
enum Load {
    /// A load of a kind that its address decides, or framing, a form, a base address.
    Plain(&'static str, Address),
    /// A script file: its address, nonce, hash, and whether the parser put it there.
    Script(Address, Option<&'static str>, Option<&'static str>, bool),
    Style(Address, Option<&'static str>),
    Worker(Address),
    Prefetch(Address),
    /// An element: scripts or styles, nonce, hash.
    Inline(bool, Option<&'static str>, &'static str),
    /// A handler or a `style` attribute.
    Attribute(bool, &'static str),
    JavascriptAddress(&'static str),
    SpeculationRules(&'static str),
    Eval {
        trusted: bool,
    },
    Wasm,
}

const NONCES: [&str; 2] = ["aaa", "bbb"];
const H: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const K: &str = "RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc=";
const HASHES: [&str; 2] = [H, K];

fn all_loads() -> Vec<Load> {
    let mut loads = Vec::new();
    let nonces = || NONCES.iter().map(|n| Some(*n)).chain([None]);
    for address in ADDRESSES {
        for kind in [
            "connect-src",
            "font-src",
            "frame-src",
            "fenced-frame-src",
            "img-src",
            "object-src",
            "base-uri",
            "form-action",
            "frame-ancestors",
        ] {
            loads.push(Load::Plain(kind, address));
        }
        for nonce in nonces() {
            for hash in HASHES.iter().map(|h| Some(*h)).chain([None]) {
                loads.extend([true, false].map(|parser| Load::Script(address, nonce, hash, parser)));
            }
            loads.push(Load::Style(address, nonce));
        }
        loads.extend([Load::Worker(address), Load::Prefetch(address)]);
    }
    for hash in HASHES {
        for scripts in [true, false] {
            loads.extend(nonces().map(|nonce| Load::Inline(scripts, nonce, hash)));
            loads.push(Load::Attribute(scripts, hash));
        }
        loads.extend([Load::JavascriptAddress(hash), Load::SpeculationRules(hash)]);
    }
    loads.extend([Load::Eval { trusted: true }, Load::Eval { trusted: false }, Load::Wasm]);
    loads
}

fn chain(kind: &str) -> &'static [&'static str] {
    match kind {
        "fenced-frame-src" => &["fenced-frame-src", "frame-src", "child-src", "default-src"],
        "frame-src" => &["frame-src", "child-src", "default-src"],
        "connect-src" => &["connect-src", "default-src"],
        "font-src" => &["font-src", "default-src"],
        "img-src" => &["img-src", "default-src"],
        "object-src" => &["object-src", "default-src"],
        "script-elem" => &["script-src-elem", "script-src", "default-src"],
        "script-attr" => &["script-src-attr", "script-src", "default-src"],
        "style-elem" => &["style-src-elem", "style-src", "default-src"],
        "style-attr" => &["style-src-attr", "style-src", "default-src"],
        "worker" => &["worker-src", "child-src", "script-src", "default-src"],
        "eval" => &["script-src", "default-src"],
        "base-uri" => &["base-uri"],
        "form-action" => &["form-action"],
        _ => &["frame-ancestors"],
    }
}

fn ruling<'c>(csp: &'c Csp, kind: &str) -> Option<&'c Directive> {
    chain(kind).iter().find_map(|n| csp.get(n))
}

fn has(d: &Directive, word: &str) -> bool {
    d.values().iter().any(|v| v.eq_ignore_ascii_case(word))
}

/// 6.7.2.8 to 6.7.2.12.
fn address_matches(d: &Directive, url: Address, page: Address) -> bool {
    d.values().iter().any(|v| source_matches(v, url, page))
}

fn scheme_matches(a: &str, b: &str) -> bool {
    a == b || matches!((a, b), ("http", "https") | ("ws", "wss" | "http" | "https") | ("wss", "https"))
}

fn source_matches(source: &str, url: Address, page: Address) -> bool {
    if source == "*" {
        return matches!(url.scheme, "http" | "https" | "ws" | "wss") || scheme_matches(page.scheme, url.scheme);
    }
    if source == "'self'" {
        let secure = matches!(url.scheme, "https" | "wss") || (page.scheme == "http" && matches!(url.scheme, "http" | "ws"));
        return url.host == page.host && url.port == 0 && secure;
    }
    if source.starts_with('\'') {
        return false;
    }
    if let Some(scheme) = source.strip_suffix(':') {
        return scheme_matches(scheme, url.scheme);
    }
    let (scheme, rest) = source.split_once("://").unwrap_or((page.scheme, source));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let host_fits = match host.strip_prefix('*') {
        Some("") => !url.host.is_empty(),
        Some(ending) => url.host.ends_with(ending),
        None => host == url.host,
    };
    let own = match url.scheme {
        "https" | "wss" => 443,
        _ => 80,
    };
    let url_port = if url.port == 0 { own } else { url.port };
    let port_fits = match port {
        "*" => true,
        "" => url_port == own,
        n => n.parse::<u16>() == Ok(url_port),
    };
    let path_fits = path.is_empty() || if path.ends_with('/') { url.path.starts_with(path) } else { url.path == path };
    scheme_matches(scheme, url.scheme) && host_fits && port_fits && path_fits
}

fn nonce_matches(d: &Directive, nonce: Option<&str>) -> bool {
    nonce.is_some_and(|n| d.values().contains(&format!("'nonce-{n}'")))
}

fn hash_matches(d: &Directive, hash: &str) -> bool {
    d.values().contains(&format!("'sha256-{hash}'"))
}

/// 6.7.3.2.
fn allows_all_inline(d: &Directive, scripts: bool) -> bool {
    let cancelled = d
        .values()
        .iter()
        .any(|v| ["'nonce-", "'sha256-"].iter().any(|p| strip_prefix_any_case(v, p).is_some()) || (scripts && v == "'strict-dynamic'"));
    has(d, "'unsafe-inline'") && !cancelled
}

fn allows(csp: &Csp, load: Load, page: Address) -> bool {
    let rule = |kind: &str, check: &dyn Fn(&Directive) -> bool| ruling(csp, kind).is_none_or(check);
    match load {
        Load::Plain(kind, url) => rule(kind, &|d| address_matches(d, url, page)),
        Load::Script(url, nonce, hash, parser) => rule("script-elem", &|d| {
            let named = nonce_matches(d, nonce) || hash.is_some_and(|h| hash_matches(d, h));
            named || if has(d, "'strict-dynamic'") { !parser } else { address_matches(d, url, page) }
        }),
        Load::Style(url, nonce) => rule("style-elem", &|d| nonce_matches(d, nonce) || address_matches(d, url, page)),
        Load::Worker(url) => {
            rule("worker", &|d| address_matches(d, url, page) || (has(d, "'strict-dynamic'") && d.name().starts_with("script")))
        }
        Load::Prefetch(url) => {
            csp.get("default-src").is_none()
                || csp.directives().iter().filter(|d| d.name().contains("-src")).any(|d| address_matches(d, url, page))
        }
        Load::Inline(scripts, nonce, hash) => rule(if scripts { "script-elem" } else { "style-elem" }, &|d| {
            allows_all_inline(d, scripts) || nonce_matches(d, nonce) || hash_matches(d, hash)
        }),
        Load::Attribute(scripts, hash) => rule(if scripts { "script-attr" } else { "style-attr" }, &|d| {
            allows_all_inline(d, scripts) || (has(d, "'unsafe-hashes'") && hash_matches(d, hash))
        }),
        Load::JavascriptAddress(hash) => {
            rule("script-elem", &|d| allows_all_inline(d, true) || (has(d, "'unsafe-hashes'") && hash_matches(d, hash)))
        }
        Load::SpeculationRules(hash) => {
            rule("script-elem", &|d| allows_all_inline(d, true) || has(d, "'inline-speculation-rules'") || hash_matches(d, hash))
        }
        Load::Eval { trusted } => {
            let typed = csp.get("require-trusted-types-for").is_some_and(|d| has(d, "'script'"));
            let listed = rule("eval", &|d| has(d, "'unsafe-eval'") || (typed && trusted && has(d, "'trusted-types-eval'")));
            listed && (trusted || !typed)
        }
        Load::Wasm => rule("eval", &|d| has(d, "'unsafe-eval'") || has(d, "'wasm-unsafe-eval'")),
    }
}
