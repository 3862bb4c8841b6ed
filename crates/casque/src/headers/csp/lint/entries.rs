//! What one entry of a source list gives away.

use super::finding::{FindingKind, Report, Severity};
use super::hosts::{host_and_path, matches_host};
use crate::headers::csp::policy::{Csp, Directive};
use crate::headers::csp::source::{Keyword, Source};
use crate::headers::csp::source_check::{fits, is_complete};

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

/// One entry of a source list.
pub(super) fn check(csp: &Csp, directive: &Directive, value: &str, report: &mut Report) {
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
