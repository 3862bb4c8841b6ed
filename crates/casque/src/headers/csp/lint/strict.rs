//! Against a policy of nonces or hashes with `'strict-dynamic'`, and whether anyone hears of violations.

use super::effective::{is_hash, is_nonce};
use super::finding::{FindingKind, Report, Severity};
use crate::headers::csp::policy::Csp;

pub(super) fn check(csp: &Csp, report: &mut Report) {
    if let Some(scripts) = csp.effective("script-src") {
        let has = |word: &str| scripts.values().iter().any(|v| v == word);
        let trusted = scripts.values().iter().any(|v| is_nonce(v) || is_hash(v));
        let mut advise = |kind, severity, description: &str, remedy: &str| {
            report.add(kind, severity, scripts.name(), None, description, remedy);
        };
        if has("'strict-dynamic'") {
            if !trusted {
                advise(
                    FindingKind::StrictDynamicNotStandalone,
                    Severity::Info,
                    "'strict-dynamic' hands trust on, but no nonce and no hash is there to begin with: no script loads",
                    "add 'nonce' for a nonce of each response, or the hashes of the page's scripts",
                );
            }
            if !scripts.values().iter().any(|v| matches!(v.as_str(), "http:" | "https:" | "*") || v.contains('.')) {
                advise(
                    FindingKind::AllowlistFallback,
                    Severity::StrictCsp,
                    "browsers that do not know 'strict-dynamic' find no address that scripts may come from",
                    "add https: for them; the others pass it over",
                );
            }
        } else if scripts.values().iter().any(|v| !v.starts_with('\'')) {
            advise(
                FindingKind::StrictDynamic,
                Severity::StrictCsp,
                "a list of hosts is hard to keep free of ways around it",
                "use nonces or hashes with 'strict-dynamic' instead of hosts",
            );
        }
        if trusted && !has("'unsafe-inline'") {
            advise(
                FindingKind::UnsafeInlineFallback,
                Severity::StrictCsp,
                "browsers that know neither nonces nor hashes run no inline script",
                "add 'unsafe-inline' for them; the others pass it over",
            );
        }
    }
    let typed = csp.get("require-trusted-types-for").is_some_and(|d| d.values().iter().any(|v| v == "'script'"));
    if !typed {
        report.add(
            FindingKind::RequireTrustedTypesForScripts,
            Severity::Info,
            "require-trusted-types-for",
            None,
            "any text can reach innerHTML and its kin, where scripts hide",
            "add require-trusted-types-for 'script' when the page's code is ready for it; try it in report-only first",
        );
    }
}

pub(super) fn reporting(csp: &Csp, report: &mut Report) {
    let goes = |name| csp.get(name).is_some_and(|d| !d.values().is_empty());
    if goes("report-uri") {
        return;
    }
    if goes("report-to") {
        report.add(
            FindingKind::ReportToOnly,
            Severity::Info,
            "report-to",
            None,
            "browsers that do not know report-to report nowhere",
            "add report-uri too; where report-to works it is passed over",
        );
    } else {
        report.add(
            FindingKind::ReportingDestinationMissing,
            Severity::Info,
            "report-uri",
            None,
            "nobody hears of what the policy blocks, be it an attack or a part of the page",
            "add report-uri and report-to",
        );
    }
}
