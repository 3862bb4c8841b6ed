//! The Content-Security-Policy: what all policies together still let through.
//!
//! Browsers enforce every policy they are sent, so a hole is only open if every one of them has it. What a policy says about scripts
//! is judged in `csp_scripts`.

use casque::headers::csp::{Csp, Keyword, Source};

use super::Context;
use super::book::{Book, bad, good};
use super::csp_lint;
use super::csp_scripts::{self, Hole};
use super::fixes::{send, send_with_helmet};
use super::site::{Site, evidence};
use crate::exchange::Exchange;
use crate::html::Document;
use crate::mdn::http_equiv;
use crate::report::{Finding, Fix, Severity};

pub(super) const TEST: &str = "content-security-policy";
const HEADER: &str = "content-security-policy";
const WHY_NONE: &str = "If an attacker ever gets a script into a page (a comment, a name, a library gone bad), nothing keeps it from \
                        acting as the visitor. A policy is the second wall behind escaping.";
/// A policy to start from that most server-rendered pages can live with.
const START: &str = "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'";

/// The same for pages with inline scripts, which `'self'` would stop; casque puts a fresh nonce in place of `'nonce'`.
const START_WITH_NONCE: &str =
    "script-src 'nonce' 'strict-dynamic'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";

/// The policies that the headers of a response enforce.
pub(super) fn enforced(exchange: &Exchange) -> Vec<Csp> {
    exchange.values(HEADER).flat_map(Csp::parse_header).collect()
}

/// Those of the page, `<meta>` elements included, without what these cannot say (HTML, 4.2.5.3).
fn of_page(site: &Site<'_>) -> Vec<Csp> {
    let mut policies = enforced(site.page);
    if super::site::is_html(site.page) {
        for text in http_equiv(&site.page.body).0 {
            let mut policy = Csp::parse_lenient(&text);
            for name in ["frame-ancestors", "report-uri", "sandbox"] {
                policy.remove(name);
            }
            policies.push(policy);
        }
    }
    policies.retain(|p| !p.is_empty());
    policies
}

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    if !site.is_document() {
        return;
    }
    let policies = of_page(site);
    let seen = evidence(site.page, HEADER);
    if policies.is_empty() {
        book.add(absent(site, seen));
        return;
    }
    let seen = seen.unwrap_or_else(|| format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">", policies[0]));
    if !policies.iter().any(|p| p.directives().iter().any(is_known)) {
        let title = "The Content-Security-Policy has no directive that browsers know";
        book.add(at(site, bad(TEST, "csp-header-invalid", Severity::Medium, 25, title, WHY_NONE)).seen(seen).mended_by(start(site)));
        return;
    }
    let holes = csp_scripts::holes(&policies);
    for hole in &holes {
        book.add(at(site, csp_scripts::finding(*hole)).seen(&*seen).mended_by(csp_scripts::fix(*hole, site)));
    }
    plugins(site, &policies, &seen, book);
    base(site, &policies, &holes, &seen, book);
    notes(site, &policies, &seen, book);
    csp_lint::judge(site, &policies, book);
    if !book.is_clean(TEST) {
        return;
    }
    let closed = |name: &str| policies.iter().any(|p| p.get(name).is_some());
    let default_none = policies.iter().any(|p| p.get("default-src").is_some_and(|d| d.is_none()));
    // default-src covers neither: a page that loads nothing can still post its form to an attacker.
    let finding = if default_none && closed("form-action") && closed("base-uri") && closed("frame-ancestors") {
        good(TEST, "csp-nothing-but-what-is-listed", 10, "The Content-Security-Policy allows nothing but what it lists")
    } else {
        good(TEST, "csp-no-unsafe-script", 5, "The Content-Security-Policy lets no script in but the site's own")
    };
    book.add(at(site, finding).seen(seen));
}

fn absent(site: &Site<'_>, seen: Option<String>) -> Finding {
    let reporting = evidence(site.page, "content-security-policy-report-only");
    let finding = match (seen, reporting) {
        (Some(seen), _) => {
            let title = "The Content-Security-Policy is empty";
            bad(TEST, "csp-header-invalid", Severity::Medium, 25, title, WHY_NONE).seen(seen)
        }
        (None, Some(seen)) => {
            let title = "The Content-Security-Policy only reports and stops nothing";
            bad(TEST, "csp-not-implemented-but-reporting-enabled", Severity::Medium, 25, title, WHY_NONE).seen(seen)
        }
        (None, None) => bad(TEST, "csp-not-implemented", Severity::Medium, 25, "No Content-Security-Policy", WHY_NONE),
    };
    at(site, finding).mended_by(start(site))
}

/// `object-src`: plug-ins are gone from browsers, but an `<object>` still shows foreign pages inside this one's frame of trust.
fn plugins(site: &Site<'_>, policies: &[Csp], seen: &str, book: &mut Book) {
    let open = |policy: &Csp| match policy.effective("object-src") {
        None => true,
        Some(directive) => directive.sources().any(|s| match s {
            Source::Any | Source::Scheme(_) => true,
            Source::Host(host) => host.name == "*",
            _ => false,
        }),
    };
    if policies.iter().all(open) {
        let title = "The Content-Security-Policy does not limit <object> and <embed>";
        let why = "Old browsers run plug-ins from there, outside of every other rule. No page of today needs it: say object-src 'none'.";
        book.add(at(site, bad(TEST, "csp-object-open", Severity::Low, 5, title, why)).seen(seen).mended_by(start(site)));
    }
}

/// `base-uri` matters where scripts are trusted by nonce or hash: their relative addresses then follow an injected `<base>`.
fn base(site: &Site<'_>, policies: &[Csp], holes: &[Hole], seen: &str, book: &mut Book) {
    let trusted = |s: Source<'_>| matches!(s, Source::Nonce(_) | Source::Hash(..));
    let by_nonce = policies.iter().any(|p| p.effective("script-src").is_some_and(|d| d.sources().any(trusted)));
    if by_nonce && holes.is_empty() && policies.iter().all(|p| p.get("base-uri").is_none()) {
        let title = "The Content-Security-Policy trusts scripts by nonce or hash but does not limit <base>";
        let why = "An injected <base href> makes the site's own trusted <script src> load from the attacker's server.";
        book.add(at(site, bad(TEST, "csp-base-open", Severity::Low, 5, title, why)).seen(seen).mended_by(start(site)));
    }
}

/// Worth knowing, without points.
fn notes(site: &Site<'_>, policies: &[Csp], seen: &str, book: &mut Book) {
    let style_inline = |p: &Csp| match p.effective("style-src") {
        None => true,
        Some(d) => {
            let strong = d.sources().any(|s| matches!(s, Source::Nonce(_) | Source::Hash(..)));
            !strong && d.sources().any(|s| s == Source::Keyword(Keyword::UnsafeInline))
        }
    };
    if policies.iter().all(style_inline) {
        let title = "The Content-Security-Policy allows inline styles";
        let why = "Injected styles cannot run code, but they can cover the page or read what is typed, letter by letter.";
        book.add(at(site, bad(TEST, "csp-style-inline", Severity::Info, 0, title, why)).seen(seen));
    }
    if policies.iter().all(|p| p.get("form-action").is_none()) {
        let title = "The Content-Security-Policy does not say where forms may go";
        let why = "An injected form, or a changed one, sends what is typed to the attacker. Browsers apply form-action to where a form's \
                   answer redirects too, so list the log-in provider if there is one.";
        book.add(at(site, bad(TEST, "csp-form-open", Severity::Info, 0, title, why)).seen(seen));
    }
}

fn is_known(directive: &casque::headers::csp::Directive) -> bool {
    const KNOWN: [&str; 27] = [
        "base-uri",
        "child-src",
        "connect-src",
        "default-src",
        "fenced-frame-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "report-to",
        "report-uri",
        "require-trusted-types-for",
        "sandbox",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "trusted-types",
        "upgrade-insecure-requests",
        "webrtc",
        "worker-src",
    ];
    KNOWN.contains(&directive.name())
}

fn at(site: &Site<'_>, finding: Finding) -> Finding {
    finding.at(&site.page.url)
}

/// A policy to start from, one that keeps the page's own scripts running.
pub(super) fn start(site: &Site<'_>) -> Fix {
    if has_inline_scripts(&site.document) {
        return start_with_nonce(site.page);
    }
    send_with_helmet(
        site.page,
        HEADER,
        START,
        "contentSecurityPolicy: { directives: { defaultSrc: [\"'self'\"], baseUri: [\"'self'\"], formAction: [\"'self'\"], frameAncestors: [\"'self'\"], objectSrc: [\"'none'\"] } }",
    )
}

/// A policy by which the scripts run that bear this response's nonce. nginx and Caddy cannot print one into pages.
pub(super) fn start_with_nonce(page: &Exchange) -> Fix {
    const ELSEWHERE: &str = "# let the app send the header: the nonce must be fresh for each response and stand on the page's scripts";
    let casque = send(page, HEADER, START_WITH_NONCE).casque;
    Fix {
        casque: format!(
            "# print the request header casque-csp-nonce on the scripts that are yours, or they stop: <script nonce=\"...\">\n{casque}"
        ),
        express: "// a fresh nonce for each response; print it on the scripts that are yours: <script nonce=\"<%= nonce %>\">\napp.use((req, res, next) => { res.locals.nonce = require('crypto').randomBytes(16).toString('base64'); next(); });\napp.use(helmet({ contentSecurityPolicy: { directives: { scriptSrc: [\"'strict-dynamic'\", (req, res) => `'nonce-${res.locals.nonce}'`] } } }));".to_owned(),
        nginx: ELSEWHERE.to_owned(),
        caddy: ELSEWHERE.to_owned(),
    }
}

/// Whether scripts stand in the page itself. Blocks of data (JSON, say) are none.
pub(super) fn has_inline_scripts(document: &Document) -> bool {
    let runs = |kind: &str| {
        let kind = kind.trim().to_ascii_lowercase();
        kind.is_empty() || kind.ends_with("javascript") || matches!(kind.as_str(), "module" | "importmap" | "speculationrules")
    };
    document.scripts.iter().any(|e| e.attribute("src").is_none() && runs(e.attribute("type").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_in_the_page_are_told_from_data() {
        for (html, inline) in [
            ("<script>start()</script>", true),
            ("<script type=module>start()</script>", true),
            ("<script type=' Text/JavaScript '>start()</script>", true),
            ("<script type=application/ld+json>{}</script>", false),
            ("<script src=/app.js></script>", false),
            ("", false),
        ] {
            assert_eq!(has_inline_scripts(&crate::html::read(html.as_bytes())), inline, "{html}");
        }
    }
}
