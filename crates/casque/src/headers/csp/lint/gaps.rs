//! What csp-evaluator does not look for.

use super::entries;
use super::finding::{FindingKind, Report, Severity};
use super::syntax::LONG_RETIRED;
use crate::headers::csp::names::{self, Shape};
use crate::headers::csp::policy::{Csp, Directive};
use crate::headers::csp::source::Source;

/// Header lines of more bytes than this do not fit beside the others into the buffers of some proxies (nginx: 4 KiB or 8 KiB).
const LONG: usize = 4096;
/// Of more than this they fit into none of them.
const TOO_LONG: usize = 8192;

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
                directive.values().iter().for_each(|v| entries::check(csp, directive, v, report));
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
    if bytes <= LONG {
        return;
    }
    let severity = if bytes <= TOO_LONG { Severity::MediumMaybe } else { Severity::HighMaybe };
    let place = csp.directives().iter().max_by_key(|d| d.to_string().len()).map_or("", Directive::name);
    let description = format!("the policy has {bytes} bytes; proxies refuse responses whose head does not fit into 4 or 8 KiB");
    report.add(FindingKind::PolicyLength, severity, place, None, description, "use a nonce instead of many hashes, and fewer hosts");
}

#[cfg(test)]
mod tests {
    use crate::headers::csp::{Csp, lint};

    /// A policy that leaves no gap, so that a case shows its own alone.
    const CLOSED: &str = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    fn gaps(text: &str) -> Vec<String> {
        let found = lint::gaps(&Csp::parse_lenient(text));
        let show = |f: &lint::Finding| {
            format!("{} {} {} {}", f.kind.name(), f.severity.name(), f.directive, f.value.as_deref().unwrap_or_default())
                .trim_end()
                .to_owned()
        };
        found.iter().map(show).collect()
    }

    #[test]
    fn a_closed_policy_has_no_gaps() {
        assert_eq!(gaps(CLOSED), [""; 0]);
        assert_eq!(
            gaps(&format!(
                "{CLOSED}; script-src 'nonce-aaaaaaaaaaaaaaaa' 'strict-dynamic'; style-src 'self' cdn.example; img-src 'self' data:"
            )),
            [""; 0]
        );
    }

    #[test]
    fn what_is_not_named_is_open() {
        assert_eq!(
            gaps("script-src 'self'"),
            [
                "DEFAULT_SRC_MISSING INFO default-src",
                "EXFILTRATION_OPEN MEDIUM_MAYBE connect-src",
                "EXFILTRATION_OPEN MEDIUM_MAYBE img-src",
                "EXFILTRATION_OPEN MEDIUM_MAYBE style-src",
                "EXFILTRATION_OPEN MEDIUM_MAYBE font-src",
                "EXFILTRATION_OPEN MEDIUM_MAYBE frame-src",
                "EXFILTRATION_OPEN MEDIUM_MAYBE media-src",
                "EXFILTRATION_OPEN MEDIUM_MAYBE manifest-src",
                "FRAME_ANCESTORS_OPEN MEDIUM frame-ancestors",
                "FORM_ACTION_OPEN MEDIUM form-action",
                "BASE_URI_MISSING INFO base-uri",
            ]
        );
    }

    #[test]
    fn each_gap_is_found() {
        for (text, wanted) in [
            ("img-src https:", "EXFILTRATION_OPEN MEDIUM_MAYBE img-src https:"),
            ("connect-src *", "EXFILTRATION_OPEN MEDIUM_MAYBE connect-src *"),
            ("frame-src https://*", "EXFILTRATION_OPEN MEDIUM_MAYBE frame-src https://*"),
            ("style-src 'unsafe-inline'", "STYLE_UNSAFE_INLINE MEDIUM_MAYBE style-src 'unsafe-inline'"),
            ("style-src 'unsafe-inline' 'nonce-aaaaaaaaaaaaaaaa'", "IGNORED NONE style-src 'unsafe-inline'"),
            ("script-src 'unsafe-inline'", "SCRIPT_ATTRIBUTES MEDIUM_MAYBE script-src-attr"),
            ("script-src 'unsafe-inline'; script-src-attr 'none'", "SCRIPT_ATTRIBUTES INFO script-src-attr"),
            ("script-src blob:", "LOCAL_SCHEME HIGH_MAYBE script-src blob:"),
            ("script-src https://*.com", "SHARED_HOST HIGH script-src https://*.com"),
            ("script-src *.cloudfront.net", "SHARED_HOST HIGH script-src *.cloudfront.net"),
            ("script-src *.s3.eu-west-1.amazonaws.com", "SHARED_HOST HIGH script-src *.s3.eu-west-1.amazonaws.com"),
            ("script-src https://UNPKG.com", "SHARED_HOST HIGH script-src https://UNPKG.com"),
            ("img-src *.github.io:8443", "SHARED_HOST MEDIUM img-src *.github.io:8443"),
            ("media-src http:", "INSECURE_SCHEME MEDIUM media-src http:"),
            ("img-src 'unsafe-eval'", "MISPLACED_KEYWORD SYNTAX img-src 'unsafe-eval'"),
            ("style-src 'strict-dynamic'", "MISPLACED_KEYWORD SYNTAX style-src 'strict-dynamic'"),
            ("script-src 'trusted-types-eval'", "MISPLACED_KEYWORD INFO script-src 'trusted-types-eval'"),
            ("script-src 'report-sha256'", "MISPLACED_KEYWORD INFO script-src 'report-sha256'"),
            ("script-src 'wasm-unsafe-eval'", "SCRIPT_UNSAFE_EVAL INFO script-src 'wasm-unsafe-eval'"),
            ("connect-src 'unsafe-webtransport-hashes'", "EXFILTRATION_OPEN MEDIUM_MAYBE connect-src 'unsafe-webtransport-hashes'"),
            ("script-src 'sha256-abc'", "INCOMPLETE_HASH SYNTAX script-src 'sha256-abc'"),
            ("img-src 'none' a.example", "IGNORED SYNTAX img-src 'none'"),
            ("sandbox allow-scripts allow-same-origin", "SANDBOX_ESCAPE INFO sandbox"),
            ("plugin-types a/b", "DEPRECATED_DIRECTIVE INFO plugin-types"),
            ("report-uri /x", "REPORT_DETAIL INFO default-src 'report-sample'"),
            ("report-to x; script-src 'self' 'report-sample'", "REPORT_DETAIL INFO script-src 'report-sha256'"),
        ] {
            let found = gaps(&format!("{CLOSED}; {text}"));
            assert!(found.iter().any(|f| f == wanted), "{text}: {found:#?}");
        }
        assert!(gaps("script-src-elem 'self'").contains(&"SCRIPT_ATTRIBUTES HIGH script-src-elem".to_owned()));
        for closed in [
            "img-src *.mine.vercel.app",
            "script-src https://cdn.jsdelivr.net/npm/vue@3.5.13/",
            "script-src 'self' 'report-sample' 'inline-speculation-rules'",
        ] {
            assert_eq!(gaps(&format!("{CLOSED}; {closed}")), [""; 0], "{closed}");
        }
    }

    #[test]
    fn long_policies_are_noted() {
        let policy = |hosts: usize| format!("{CLOSED}; img-src {}", (0..hosts).map(|i| format!("host{i:04}.example ")).collect::<String>());
        assert_eq!(gaps(&policy(200)), [""; 0]);
        assert_eq!(gaps(&policy(300)), ["POLICY_LENGTH MEDIUM_MAYBE img-src"]);
        assert_eq!(gaps(&policy(600)), ["POLICY_LENGTH HIGH_MAYBE img-src"]);
    }

    proptest::proptest! {
        #[test]
        fn no_policy_panics_and_texts_are_fit_for_a_terminal(
            text in "((script|style|object|default|img|foo)-src|sandbox|report-to|base-uri)(-attr|-elem)?( ('[a-z0-9=-]{0,12}'?|\\*|\\PC|[a-z*./:\\[\\]0-9]{0,12})){0,5};?|[ -~]{0,60}",
        ) {
            let csp = Csp::parse_lenient(&text);
            let versions = [lint::Version::Csp1, lint::Version::Csp2, lint::Version::Csp3];
            let all = versions.iter().flat_map(|v| lint::lint(&csp, *v)).chain(lint::gaps(&csp)).chain(lint::reporting(&csp));
            for finding in all {
                let texts = format!("{finding} {}", finding.remedy);
                proptest::prop_assert!(texts.bytes().all(|b| (b' '..=b'~').contains(&b)), "{}", texts);
                proptest::prop_assert!(!finding.description.is_empty());
            }
        }
    }
}
