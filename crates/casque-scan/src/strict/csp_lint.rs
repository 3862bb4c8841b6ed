//! What the linter of `casque::headers::csp` says beyond what `csp` and `csp_scripts` judge by themselves.

use casque::headers::csp::Csp;
use casque::headers::csp::lint::{self, FindingKind, Version};

use super::book::{Book, bad};
use super::csp::TEST;
use super::fixes::in_the_app;
use super::site::Site;
use crate::report::Severity;

/// How many of them are shown: a policy can be wrong in every word.
const MOST: usize = 8;

pub(super) fn judge(site: &Site<'_>, policies: &[Csp], book: &mut Book) {
    let found = policies.iter().flat_map(|p| lint::lint(p, Version::Csp3).into_iter().chain(lint::gaps(p)));
    let weighed = found.filter_map(|f| weigh(f.kind).map(|w| (f, w)));
    for (found, (id, severity, takes, why)) in weighed.take(MOST) {
        let title = format!("Content-Security-Policy, {}: {}", found.directive, found.description);
        let mut finding = bad(TEST, id, severity, takes, title, why).at(&site.page.url);
        finding.evidence = Some(match &found.value {
            Some(value) => format!("Content-Security-Policy: … {} {value} …", found.directive),
            None => format!("Content-Security-Policy: … {} …", found.directive),
        });
        if !found.remedy.is_empty() {
            finding = finding.mended_by(in_the_app(&format!("// {}", found.remedy)));
        }
        book.add(finding);
    }
}

/// What a kind of finding weighs here; `None` for what is judged elsewhere, and for advice on the way to nonces.
fn weigh(kind: FindingKind) -> Option<(&'static str, Severity, i32, &'static str)> {
    const NOT_MEANT: &str = "Browsers do not read it as it was meant, so the policy is another than it looks.";
    const OVER_HTTP: &str = "Whoever sits on the network can read or change what goes there.";
    Some(match kind {
        FindingKind::MissingSemicolon
        | FindingKind::UnknownDirective
        | FindingKind::InvalidKeyword
        | FindingKind::MisplacedKeyword
        | FindingKind::NonceCharset
        | FindingKind::IncompleteHash => ("csp-not-as-meant", Severity::Low, 5, NOT_MEANT),
        FindingKind::NonceLength => {
            ("csp-nonce-short", Severity::Medium, 10, "An attacker who guesses the nonce has a script that is trusted.")
        }
        FindingKind::SrcHttp | FindingKind::InsecureScheme => ("csp-over-http", Severity::Low, 5, OVER_HTTP),
        FindingKind::SandboxEscape => ("csp-sandbox-escape", Severity::Low, 5, "The page can take its sandbox off."),
        FindingKind::DeprecatedDirective => ("csp-directive-of-the-past", Severity::Info, 0, "Browsers no longer heed it."),
        FindingKind::StrictDynamicNotStandalone => {
            ("csp-strict-dynamic-alone", Severity::Low, 5, "No script is trusted to begin with, so none runs.")
        }
        FindingKind::PolicyLength => {
            ("csp-long", Severity::Info, 0, "Proxies refuse large response headers, and the page is then an error.")
        }
        _ => return None,
    })
}
