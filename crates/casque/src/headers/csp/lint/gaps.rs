//! What csp-evaluator does not look for.

use super::finding::{FindingKind, Report, Severity};
use super::hosts::{host_and_path, matches_host};
use super::syntax::LONG_RETIRED;
use crate::headers::csp::names::{self, Shape};
use crate::headers::csp::policy::{Csp, Directive};
use crate::headers::csp::source::{Keyword, Source};
use crate::headers::csp::source_check::{fits, is_complete};

/// Header lines of more bytes than this do not fit beside the others into the buffers of some proxies (nginx: 4 KiB or 8 KiB).
const LONG: usize = 4096;
/// Of more than this they fit into none of them.
const TOO_LONG: usize = 8192;

/// Parents of names that anyone can have, by opening an account. After `*.` any parent below is one too, as the regions of a cloud are.
const SHARED_PARENTS: [&str; 43] = [
    "*.amazonaws.com",
    "*.azurestaticapps.net",
    "*.cloudapp.azure.com",
    "*.digitaloceanspaces.com",
    "*.railway.app",
    "*.run.app",
    "appspot.com",
    "azureedge.net",
    "azurefd.net",
    "azurewebsites.net",
    "b-cdn.net",
    "blob.core.windows.net",
    "blogspot.com",
    "cloudapp.net",
    "cloudfront.net",
    "cloudfunctions.net",
    "deno.dev",
    "firebaseapp.com",
    "firebaseio.com",
    "fly.dev",
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "glitch.me",
    "herokuapp.com",
    "myshopify.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.io",
    "onrender.com",
    "pages.dev",
    "r2.dev",
    "replit.app",
    "storage.googleapis.com",
    "supabase.co",
    "surge.sh",
    "trycloudflare.com",
    "vercel.app",
    "web.app",
    "web.core.windows.net",
    "wixsite.com",
    "wordpress.com",
    "workers.dev",
];

/// Hosts that serve whatever anyone has published.
const OPEN_HOSTS: [&str; 17] = [
    "bundle.run",
    "cdn.jsdelivr.net",
    "cdn.rawgit.com",
    "cdn.skypack.dev",
    "esm.run",
    "esm.sh",
    "fastly.jsdelivr.net",
    "ga.jspm.io",
    "gist.githubusercontent.com",
    "jspm.dev",
    "raw.githack.com",
    "raw.githubusercontent.com",
    "rawgit.com",
    "s3.amazonaws.com",
    "storage.googleapis.com",
    "unpkg.com",
    "www.unpkg.com",
];

/// Directives through which what was read in a page can leave it.
const WAYS_OUT: [(&str, &str); 8] = [
    ("connect-src", "scripts can send what they read"),
    ("img-src", "an injected image or style can send what it read"),
    ("style-src", "injected styles can load more of themselves"),
    ("font-src", "an injected style can send what it read, letter by letter"),
    ("frame-src", "an injected frame can send what it read, or show a false sign-in"),
    ("media-src", "an injected element can send what it read"),
    ("manifest-src", "an injected link can send what it read"),
    ("worker-src", "a worker can be made of anything"),
];

pub(super) fn check(csp: &Csp, report: &mut Report) {
    ways_out(csp, report);
    framing_and_forms(csp, report);
    styles(csp, report);
    attributes(csp, report);
    reports(csp, report);
    length(csp, report);
    for directive in csp.directives() {
        if let Some(known) = names::known(directive.name()) {
            if let Some(instead) = known.retired.filter(|_| !LONG_RETIRED.contains(&known.name)) {
                let description = format!("browsers no longer heed {}", known.name);
                report.add(FindingKind::DeprecatedDirective, Severity::Info, known.name, None, description, instead);
            }
            if matches!(known.shape, Shape::Sources | Shape::Ancestors) {
                directive.values().iter().for_each(|v| entry(csp, directive, v, report));
            }
        }
    }
    if csp.get("sandbox").is_some_and(|d| ["allow-scripts", "allow-same-origin"].iter().all(|w| d.values().iter().any(|v| v == w))) {
        let description = "allow-scripts with allow-same-origin leaves scripts the rights of the site";
        report.add(FindingKind::SandboxEscape, Severity::Info, "sandbox", None, description, "leave one of them out");
    }
}

/// `*`, `https:`, `https://*`.
fn is_everything(value: &str) -> bool {
    match Source::parse(value) {
        Some(Source::Any) => true,
        Some(Source::Scheme(scheme)) => matches!(scheme, "http" | "https" | "ws" | "wss"),
        Some(Source::Host(host)) => host.name == "*",
        _ => false,
    }
}

fn everything(directive: &Directive) -> Option<&str> {
    directive.values().iter().map(String::as_str).find(|v| is_everything(v))
}

fn ways_out(csp: &Csp, report: &mut Report) {
    if csp.get("default-src").is_none() && !csp.is_empty() {
        let description = "without default-src whatever the policy does not name is not restricted";
        report.add(FindingKind::DefaultSrcMissing, Severity::Info, "default-src", None, description, "add default-src 'self', or 'none'");
    }
    for (name, what) in WAYS_OUT {
        let Some(ruling) = csp.effective(name) else {
            let description = format!("nothing rules {name}: {what}, to anywhere");
            report.add(
                FindingKind::ExfiltrationOpen,
                Severity::MediumMaybe,
                name,
                None,
                description,
                format!("add {name}, or default-src"),
            );
            continue;
        };
        if let Some(value) = everything(ruling) {
            let description = format!("{value} lets data out to anywhere: {what}");
            let place = ruling.name();
            report.add(FindingKind::ExfiltrationOpen, Severity::MediumMaybe, place, Some(value), description, "name the hosts");
        }
    }
}

fn framing_and_forms(csp: &Csp, report: &mut Report) {
    match csp.get("frame-ancestors") {
        None => report.add(
            FindingKind::FrameAncestorsOpen,
            Severity::Medium,
            "frame-ancestors",
            None,
            "any site may show the page in a frame and lead clicks into it; default-src does not rule this",
            "add frame-ancestors 'self', or 'none'; older browsers take X-Frame-Options",
        ),
        Some(directive) => {
            if let Some(value) = everything(directive) {
                let description = format!("{value} lets any site show the page in a frame and lead clicks into it");
                report.add(
                    FindingKind::FrameAncestorsOpen,
                    Severity::Medium,
                    "frame-ancestors",
                    Some(value),
                    description,
                    "name the sites",
                );
            }
        }
    }
    match csp.get("form-action") {
        None => report.add(
            FindingKind::FormActionOpen,
            Severity::Medium,
            "form-action",
            None,
            "an injected form can send what visitors or password managers fill in to anywhere; default-src does not rule this",
            "add form-action 'self' and the hosts that sign-in and checkout lead to: redirects count too",
        ),
        Some(directive) => {
            if let Some(value) = everything(directive) {
                let description = format!("{value} lets an injected form send to anywhere");
                report.add(FindingKind::FormActionOpen, Severity::Medium, "form-action", Some(value), description, "name the hosts");
            }
        }
    }
    if csp.get("base-uri").is_none() {
        let description = "an injected <base> changes where the page's relative addresses lead; default-src does not rule this";
        report.add(FindingKind::BaseUriMissing, Severity::Info, "base-uri", None, description, "add base-uri 'none', or 'self'");
    }
}

fn is_trusted(directive: &Directive) -> bool {
    directive.sources().any(|s| matches!(s, Source::Nonce(_) | Source::Hash(..) | Source::ResponseNonce))
}

fn styles(csp: &Csp, report: &mut Report) {
    for name in ["style-src", "style-src-elem", "style-src-attr"] {
        let Some(ruling) = csp.effective(name).filter(|d| has(d, "'unsafe-inline'")) else { continue };
        let place = ruling.name();
        if is_trusted(ruling) {
            let description = "'unsafe-inline' counts for nothing to styles, because a nonce or a hash stands beside it";
            let remedy = "take it out, or allow attributes by style-src-attr 'unsafe-inline'";
            report.add(FindingKind::Ignored, Severity::None, place, Some("'unsafe-inline'"), description, remedy);
        } else {
            let description =
                "'unsafe-inline' applies every style that an attacker gets into the page; styles can read forms and cover the page";
            let remedy = "use nonces or hashes for <style>";
            report.add(FindingKind::StyleUnsafeInline, Severity::MediumMaybe, place, Some("'unsafe-inline'"), description, remedy);
        }
    }
}

fn has(directive: &Directive, word: &str) -> bool {
    directive.values().iter().any(|v| v == word)
}

/// Handlers such as `onclick`, whose directive is easily forgotten.
fn attributes(csp: &Csp, report: &mut Report) {
    let inline = |d: &Directive| has(d, "'unsafe-inline'") && !is_trusted(d) && !has(d, "'strict-dynamic'");
    let elements = csp.effective("script-src-elem");
    match (csp.get("script-src-attr"), csp.effective("script-src")) {
        (Some(attributes), _) if attributes.is_none() && elements.is_some_and(inline) => {
            let description = "inline scripts run, but handlers such as onclick do not";
            report.add(
                FindingKind::ScriptAttributes,
                Severity::Info,
                "script-src-attr",
                None,
                description,
                "if they shall run too, take it out",
            );
        }
        (None, Some(ruling)) if inline(ruling) || has(ruling, "'unsafe-hashes'") => {
            let description = format!("handlers such as onclick are ruled by {} and run", ruling.name());
            let remedy = "add script-src-attr 'none' if the page has none";
            report.add(FindingKind::ScriptAttributes, Severity::MediumMaybe, "script-src-attr", None, description, remedy);
        }
        (None, None) if elements.is_some() => {
            let description = "script-src-elem rules script elements alone: handlers, eval and workers are free";
            report.add(
                FindingKind::ScriptAttributes,
                Severity::High,
                "script-src-elem",
                None,
                description,
                "write script-src instead, or too",
            );
        }
        _ => {}
    }
}

fn reports(csp: &Csp, report: &mut Report) {
    if !["report-uri", "report-to"].iter().any(|n| csp.get(n).is_some_and(|d| !d.values().is_empty())) {
        return;
    }
    for name in ["script-src", "style-src"] {
        let Some(ruling) = csp.effective(name).filter(|d| !has(d, "'report-sample'")) else { continue };
        let description = "reports of inline code do not say which";
        let remedy = format!("add 'report-sample' to {}", ruling.name());
        report.add(FindingKind::ReportDetail, Severity::Info, ruling.name(), Some("'report-sample'"), description, remedy);
    }
    let hashes = |d: &&Directive| d.values().iter().any(|v| v.starts_with("'report-sha"));
    if let Some(ruling) = csp.effective("script-src").filter(|d| !hashes(d) && csp.get("report-to").is_some()) {
        let description = "reports do not say which scripts the page has loaded";
        let remedy = format!("add 'report-sha256' to {}: browsers that know it report every script's hash", ruling.name());
        report.add(FindingKind::ReportDetail, Severity::Info, ruling.name(), Some("'report-sha256'"), description, remedy);
    }
}

fn length(csp: &Csp, report: &mut Report) {
    let bytes = csp.to_string().len();
    let severity = match bytes {
        0..=LONG => return,
        ..=TOO_LONG => Severity::MediumMaybe,
        _ => Severity::HighMaybe,
    };
    let place = csp.directives().iter().max_by_key(|d| d.to_string().len()).map_or("", Directive::name);
    let description = format!("the policy has {bytes} bytes; proxies refuse responses whose head does not fit into 4 or 8 KiB");
    report.add(FindingKind::PolicyLength, severity, place, None, description, "use a nonce instead of many hashes, and fewer hosts");
}

/// One entry of a source list.
fn entry(csp: &Csp, directive: &Directive, value: &str, report: &mut Report) {
    let name = directive.name();
    let Some(source) = Source::parse(value) else { return };
    let mut add = |kind, severity, description: String, remedy: &str| report.add(kind, severity, name, Some(value), description, remedy);
    let runs = runs_scripts(csp, name);
    if !fits(name, source) {
        add(FindingKind::MisplacedKeyword, Severity::Syntax, format!("{value} means nothing in {name}"), "take it out");
    }
    match source {
        Source::None if directive.values().len() > 1 => {
            let description = "'none' counts for nothing beside other sources".to_owned();
            add(FindingKind::Ignored, Severity::Syntax, description, "leave one of them out");
        }
        Source::Hash(algorithm, hash) if !is_complete(algorithm, hash) => {
            add(
                FindingKind::IncompleteHash,
                Severity::Syntax,
                format!("{value} is too short or too long to match anything"),
                "copy the whole hash",
            );
        }
        Source::Scheme("blob" | "filesystem" | "mediastream") if runs => {
            let description = format!("{value} runs what a script has put together, which may be what an attacker gave it");
            add(
                FindingKind::LocalScheme,
                Severity::HighMaybe,
                description,
                "load scripts from files; workers need blob: in worker-src alone",
            );
        }
        Source::Scheme("http" | "ws") if !runs => {
            add(
                FindingKind::InsecureScheme,
                Severity::Medium,
                format!("{value} lets loads go over the network in clear"),
                "write https: or wss:",
            );
        }
        Source::Host(host) if host.name != "*" => shared(value, runs, &mut add),
        Source::Keyword(Keyword::WasmUnsafeEval) if fits(name, source) => {
            let description = "'wasm-unsafe-eval' lets the page compile WebAssembly from any bytes".to_owned();
            add(FindingKind::ScriptUnsafeEval, Severity::Info, description, "keep it only if the page uses WebAssembly");
        }
        Source::Keyword(Keyword::TrustedTypesEval) if csp.get("require-trusted-types-for").is_none() => {
            let description = "'trusted-types-eval' opens eval only where Trusted Types are required".to_owned();
            add(FindingKind::MisplacedKeyword, Severity::Info, description, "add require-trusted-types-for 'script'");
        }
        Source::Keyword(Keyword::UnsafeWebtransportHashes) if fits(name, source) => {
            let description = "'unsafe-webtransport-hashes' lets scripts connect to any server whose certificate they name".to_owned();
            add(FindingKind::ExfiltrationOpen, Severity::MediumMaybe, description, "take it out, and give the servers proper certificates");
        }
        Source::Keyword(Keyword::ReportSha256 | Keyword::ReportSha384 | Keyword::ReportSha512) if csp.get("report-to").is_none() => {
            let description = format!("{value} reports to an endpoint of report-to, and there is none");
            add(FindingKind::MisplacedKeyword, Severity::Info, description, "add report-to");
        }
        _ => {}
    }
}

/// Whether what the directive lets in can run as a script.
fn runs_scripts(csp: &Csp, name: &str) -> bool {
    match name {
        "default-src" => csp.get("script-src").is_none() || csp.get("object-src").is_none(),
        "script-src" | "script-src-elem" | "object-src" => true,
        _ => false,
    }
}

fn shared(value: &str, runs: bool, add: &mut impl FnMut(FindingKind, Severity, String, &str)) {
    let (host, path) = host_and_path(value);
    let severity = if runs { Severity::High } else { Severity::Medium };
    let host = host.to_ascii_lowercase();
    if let Some(parent) = host.strip_prefix("*.") {
        let parent = parent.trim_end_matches('.');
        if !parent.contains('.') {
            add(FindingKind::SharedHost, severity, format!("{value} is every site under .{parent}"), "name the hosts");
        } else if SHARED_PARENTS.iter().any(|p| parent == p.trim_start_matches("*.") || matches_host(p, parent)) {
            add(FindingKind::SharedHost, severity, format!("anyone can have a name under {parent}"), "name the one host that is yours");
        }
    } else if runs && matches!(path, "" | "/") && OPEN_HOSTS.contains(&host.as_str()) {
        let description = format!("{value} serves what anyone has published there");
        add(FindingKind::SharedHost, severity, description, "write the folder of the package and its version, or use nonces or hashes");
    }
}
