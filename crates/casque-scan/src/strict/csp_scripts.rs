//! What a Content-Security-Policy says about scripts, as a browser of today (CSP Level 3) takes it: a nonce or hash switches
//! `'unsafe-inline'` off, and with `'strict-dynamic'` hosts and schemes too (6.7.2.2, 6.7.2.3).

use casque::headers::csp::lint::{self, FindingKind};
use casque::headers::csp::{Csp, Directive, Keyword, Source};

use super::book::bad;
use super::csp::TEST;
use super::fixes::{in_the_app, send_with_helmet};
use super::site::Site;
use crate::domain::{is_public_suffix, registrable};
use crate::report::{Finding, Fix, Severity};

/// A way for a foreign script to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hole {
    /// Nothing limits scripts.
    Unlimited,
    /// Inline scripts run.
    Inline,
    /// Scripts load from any host.
    Anywhere,
    /// Scripts load from `data:` or `blob:`.
    Data,
    /// Inline event handlers run.
    Handlers,
    /// A host is allowed that serves whatever is asked of it.
    Bypass,
    /// Text becomes code.
    Eval,
    /// Scripts load over plain HTTP.
    Http,
}

impl Hole {
    const ALL: [Self; 8] =
        [Self::Unlimited, Self::Inline, Self::Anywhere, Self::Data, Self::Handlers, Self::Bypass, Self::Eval, Self::Http];
}

/// What every policy lets through.
pub(super) fn holes(policies: &[Csp]) -> Vec<Hole> {
    let of_each: Vec<Vec<Hole>> = policies.iter().map(of).collect();
    let open = |hole: &Hole| of_each.iter().all(|holes| holes.contains(hole) || holes.contains(&Hole::Unlimited));
    let mut open: Vec<Hole> = Hole::ALL.into_iter().filter(open).collect();
    if open.contains(&Hole::Unlimited) {
        open.truncate(1);
    }
    open
}

fn of(policy: &Csp) -> Vec<Hole> {
    let mut found = Vec::new();
    let (Some(elements), Some(attributes)) = (policy.effective("script-src-elem"), policy.effective("script-src-attr")) else {
        // A sandbox without allow-scripts runs none at all.
        let sandboxed = policy.get("sandbox").is_some_and(|s| !s.values().iter().any(|v| v.eq_ignore_ascii_case("allow-scripts")));
        return if sandboxed { found } else { vec![Hole::Unlimited] };
    };
    let list = List::of(elements);
    for source in elements.sources() {
        found.extend(list.hole(source));
    }
    if List::of(attributes).allows_inline(attributes) && !found.contains(&Hole::Inline) {
        found.push(Hole::Handlers);
    }
    if !found.contains(&Hole::Anywhere) && !found.contains(&Hole::Bypass) && trusts_everybodys_host(policy) {
        found.push(Hole::Bypass);
    }
    // eval follows script-src alone, not its -elem and -attr kin.
    let eval = |s: Source<'_>| s == Source::Keyword(Keyword::UnsafeEval);
    if policy.effective("script-src").is_some_and(|d| d.sources().any(eval)) {
        found.push(Hole::Eval);
    }
    found
}

/// What a source list has that changes the meaning of the rest.
struct List {
    trusts_by_name: bool,
    strict_dynamic: bool,
}

impl List {
    fn of(directive: &Directive) -> Self {
        let has = |wanted: fn(Source<'_>) -> bool| directive.sources().any(wanted);
        Self {
            trusts_by_name: has(|s| matches!(s, Source::Nonce(_) | Source::Hash(..))),
            strict_dynamic: has(|s| s == Source::Keyword(Keyword::StrictDynamic)),
        }
    }

    fn allows_inline(&self, directive: &Directive) -> bool {
        !self.trusts_by_name && !self.strict_dynamic && directive.sources().any(|s| s == Source::Keyword(Keyword::UnsafeInline))
    }

    fn hole(&self, source: Source<'_>) -> Option<Hole> {
        match source {
            Source::Keyword(Keyword::UnsafeInline) => (!self.trusts_by_name && !self.strict_dynamic).then_some(Hole::Inline),
            _ if self.strict_dynamic => None,
            Source::Any => Some(Hole::Anywhere),
            Source::Scheme(scheme) => match scheme.to_ascii_lowercase().as_str() {
                "data" | "blob" | "filesystem" => Some(Hole::Data),
                "http" | "https" | "ftp" | "ws" | "wss" => Some(Hole::Anywhere),
                _ => None,
            },
            Source::Host(host) => {
                let name = host.name.to_ascii_lowercase();
                let below = name.strip_prefix("*.").filter(|parent| is_public_suffix(parent) && *parent != "localhost");
                match below {
                    // All names of a registry, or all that one provider gives away.
                    Some(parent) => Some(if registrable(parent).is_none() { Hole::Anywhere } else { Hole::Bypass }),
                    None if name == "*" => Some(Hole::Anywhere),
                    None => host.scheme.is_some_and(|s| s.eq_ignore_ascii_case("http")).then_some(Hole::Http),
                }
            }
            _ => None,
        }
    }
}

/// Whether a policy trusts a host that serves anybody's scripts, by the linter's lists.
fn trusts_everybodys_host(policy: &Csp) -> bool {
    let scripts = |f: &lint::Finding| f.directive.starts_with("script-src") || f.directive == "default-src";
    let bypass = |f: &lint::Finding| match f.kind {
        FindingKind::ScriptAllowlistBypass => f.severity == lint::Severity::High,
        FindingKind::SharedHost => scripts(f),
        _ => false,
    };
    lint::lint(policy, lint::Version::Csp3).iter().chain(&lint::gaps(policy)).any(bypass)
}

/// A hole in words.
pub(super) fn finding(hole: Hole) -> Finding {
    const ACTS: &str = "A script that an attacker gets into the page runs as if it were the site's own: it reads what the visitor reads \
                        and does what the visitor may do.";
    let (id, severity, takes, title, why) = match hole {
        Hole::Unlimited => ("csp-scripts-not-limited", Severity::Medium, 20, "The Content-Security-Policy does not limit scripts", ACTS),
        Hole::Inline => ("csp-unsafe-inline", Severity::Medium, 20, "The Content-Security-Policy allows inline scripts", ACTS),
        Hole::Anywhere => {
            ("csp-scripts-from-anywhere", Severity::Medium, 20, "The Content-Security-Policy allows scripts from any host", ACTS)
        }
        Hole::Data => (
            "csp-scripts-from-data",
            Severity::Medium,
            20,
            "The Content-Security-Policy allows scripts from data: or blob: addresses",
            "The script stands in the address itself, so whoever can add a script element needs no server to load it from.",
        ),
        Hole::Handlers => (
            "csp-inline-handlers",
            Severity::Medium,
            10,
            "The Content-Security-Policy allows inline event handlers",
            "An injected <img onerror=...> runs, though <script> would not.",
        ),
        Hole::Bypass => (
            "csp-bypassable-host",
            Severity::Medium,
            10,
            "The Content-Security-Policy allows a host that serves anybody's scripts",
            "The attacker loads a library with a known hole, or an answer that calls a function of their choice, from the host that is allowed. Name the file by hash or use a nonce.",
        ),
        Hole::Eval => (
            "csp-unsafe-eval",
            Severity::Low,
            10,
            "The Content-Security-Policy allows eval",
            "Text that reaches eval, new Function or setTimeout becomes code: one careless template is enough.",
        ),
        Hole::Http => (
            "csp-scripts-over-http",
            Severity::Medium,
            10,
            "The Content-Security-Policy allows scripts over plain http",
            "Whoever sits on the network can change the script on its way.",
        ),
    };
    bad(TEST, id, severity, takes, title, why)
}

/// What to do about it.
pub(super) fn fix(hole: Hole, site: &Site<'_>) -> Fix {
    match hole {
        Hole::Unlimited | Hole::Anywhere | Hole::Data => super::csp::start(site),
        Hole::Inline => super::csp::start_with_nonce(site.page),
        Hole::Handlers if super::csp::has_inline_scripts(&site.document) => super::csp::start_with_nonce(site.page),
        Hole::Handlers => send_with_helmet(
            site.page,
            "content-security-policy",
            "default-src 'self'; script-src-attr 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'",
            "contentSecurityPolicy: { directives: { scriptSrcAttr: [\"'none'\"] } }",
        ),
        Hole::Bypass => in_the_app(
            "// serve the library from your own origin, or allow the one file by its hash:\n// scriptSrc: [\"'self'\", \"'sha384-...'\"] with <script src=\"...\" integrity=\"sha384-...\" crossorigin>",
        ),
        Hole::Eval => in_the_app("// take 'unsafe-eval' out of script-src; for WebAssembly alone say 'wasm-unsafe-eval'"),
        Hole::Http => in_the_app("// write the hosts of script-src without a scheme, or with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(policies: &[&str]) -> Vec<Hole> {
        holes(&policies.iter().flat_map(|p| Csp::parse_header(p)).collect::<Vec<_>>())
    }

    #[test]
    fn each_hole_is_seen() {
        for (policy, found) in [
            ("default-src 'self'", &[][..]),
            ("img-src 'self'", &[Hole::Unlimited]),
            ("sandbox", &[]),
            ("sandbox allow-scripts", &[Hole::Unlimited]),
            ("script-src 'self' 'unsafe-inline'", &[Hole::Inline]),
            ("script-src 'self' 'unsafe-inline' 'nonce-abcdefgh'", &[]),
            ("script-src 'self'; script-src-elem 'unsafe-inline'", &[Hole::Inline]),
            ("script-src 'self'; script-src-attr 'unsafe-inline'", &[Hole::Handlers]),
            ("script-src *", &[Hole::Anywhere]),
            ("script-src https:", &[Hole::Anywhere]),
            ("script-src https: 'strict-dynamic' 'nonce-abcdefgh'", &[]),
            ("script-src *.com", &[Hole::Anywhere]),
            ("script-src https://*", &[Hole::Anywhere]),
            ("script-src blob:", &[Hole::Data]),
            ("script-src DATA:", &[Hole::Data]),
            ("script-src 'self' 'unsafe-eval'", &[Hole::Eval]),
            ("script-src 'self' http://a.example", &[Hole::Http]),
            ("script-src cdnjs.cloudflare.com", &[Hole::Bypass]),
            ("script-src *.googleapis.com", &[Hole::Bypass]),
            ("script-src *.github.io", &[Hole::Bypass]),
            ("script-src https://cdn.jsdelivr.net/npm/vue@3.4.0/vue.js", &[]),
            ("script-src cdn.shop.example", &[]),
        ] {
            assert_eq!(of_text(&[policy]), found, "{policy}");
        }
    }

    #[test]
    fn a_hole_is_open_only_if_every_policy_has_it() {
        assert_eq!(of_text(&["script-src 'unsafe-inline'", "script-src 'self'"]), []);
        assert_eq!(of_text(&["frame-ancestors 'none', script-src 'unsafe-inline'"]), [Hole::Inline]);
        assert_eq!(of_text(&["script-src * 'unsafe-inline'", "script-src 'unsafe-inline' 'unsafe-eval'"]), [Hole::Inline]);
    }
}
