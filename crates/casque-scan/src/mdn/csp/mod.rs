//! Test `content-security-policy`.

mod policy;
mod verdicts;

use std::collections::BTreeMap;

use super::TestResult;
use super::detail::Detail;
use super::page::Page;
use super::verdict::Verdict;

pub use policy::{Policy, PolicyError};

const TEST: &str = "content-security-policy";
const HEADER: &str = "content-security-policy";

/// Sources that are as good as everywhere.
const BROAD: [&str; 8] = ["ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"];
/// Sources that let inline scripts and styles run.
const INLINE: [&str; 2] = ["'unsafe-inline'", "data:"];
/// What has no effect in `<meta>` (CSP3, section 3.3).
const NOT_IN_META: [&str; 3] = ["frame-ancestors", "report-uri", "sandbox"];
/// With what sources start that single out scripts.
const NONCE_OR_HASH: [&str; 4] = ["'nonce-", "'sha256-", "'sha384-", "'sha512-"];

/// What the test read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CspDetail {
    /// All policies as one, sorted by code unit, with what is ignored beside nonces and hashes taken out; `None` if there is none that counts.
    pub data: Option<BTreeMap<String, Vec<String>>>,
    /// What the policy allows; `None` if there is none that counts.
    pub policy: Option<CspFlags>,
    /// Whether headers had a policy that counts.
    pub http: bool,
    /// Whether `<meta>` had one.
    pub meta: bool,
    /// How many policies there were.
    pub num_policies: usize,
}

/// What a policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CspFlags {
    /// `frame-ancestors` in a header limits who may frame the page.
    pub anti_clickjacking: bool,
    /// `default-src` is `'none'` and nothing else.
    pub default_none: bool,
    /// `base-uri` is missing or broad.
    pub insecure_base_uri: bool,
    /// `form-action` is missing or broad.
    pub insecure_form_action: bool,
    /// On an https page: something but images and media may come over http or ftp.
    pub insecure_scheme_active: bool,
    /// On an https page: images or media may come over http or ftp.
    pub insecure_scheme_passive: bool,
    /// Scripts are singled out and hand their trust on.
    pub strict_dynamic: bool,
    /// `'unsafe-eval'` for scripts or styles.
    pub unsafe_eval: bool,
    /// Scripts may be inline or come from anywhere, or plug-ins may.
    pub unsafe_inline: bool,
    /// Styles may be inline or come from anywhere.
    pub unsafe_inline_style: bool,
    /// Plug-ins may come from anywhere.
    pub unsafe_objects: bool,
}

/// Which policies a page has.
struct Policies<'p> {
    header: Vec<&'p str>,
    meta: Vec<&'p str>,
}

impl<'p> Policies<'p> {
    fn of(page: &'p Page<'_>) -> Self {
        let header = page.exchange.values(HEADER).flat_map(|line| line.split(',')).collect();
        let meta = page.meta_csp.iter().flat_map(|content| content.split(',')).collect();
        Self { header, meta }
    }

    fn merged(&self) -> Result<Policy, PolicyError> {
        Policy::parse(self.header.iter().chain(&self.meta).copied())
    }

    fn of_header(&self) -> Policy {
        Policy::parse(self.header.iter().copied()).unwrap_or_default()
    }
}

/// Whether acceptable policies say who may frame the page, whatever they say. Beside another directive, what `<meta>` says of it
/// counts too, though browsers ignore it there.
pub(super) fn limits_frames(page: &Page<'_>) -> bool {
    let policies = Policies::of(page);
    policies.merged().is_ok_and(|merged| !says_nothing(&merged, &policies) && merged.get("frame-ancestors").is_some())
}

pub(super) fn test(page: Option<&Page<'_>>) -> TestResult {
    let Some(page) = page else {
        return TestResult::new(TEST, &verdicts::MISSING, Detail::Csp(CspDetail::default()));
    };
    let policies = Policies::of(page);
    let num_policies = policies.header.len() + policies.meta.len();
    let (verdict, detail) = match policies.merged() {
        Err(_) => (&verdicts::INVALID, CspDetail { num_policies, ..CspDetail::default() }),
        Ok(merged) if says_nothing(&merged, &policies) => {
            let reported = page.first("content-security-policy-report-only").is_some();
            let verdict = if reported { &verdicts::ONLY_REPORTED } else { &verdicts::MISSING };
            (verdict, CspDetail { num_policies, ..CspDetail::default() })
        }
        Ok(merged) => {
            let header = policies.of_header();
            let (data, verdict, flags) = judge(merged, &header, page.https);
            let (http, meta) = (!policies.header.is_empty(), !policies.meta.is_empty());
            (verdict, CspDetail { data: Some(data), policy: Some(flags), http, meta, num_policies })
        }
    };
    let shown = page.shown(HEADER).chain(page.meta_csp.iter().map(|m| format!("<meta http-equiv=\"{HEADER}\">: {m}")));
    TestResult::new(TEST, verdict, Detail::Csp(detail)).with_evidence(shown)
}

/// Whether nothing is left of the policies: what has no effect in `<meta>` does not make one.
fn says_nothing(merged: &Policy, policies: &Policies<'_>) -> bool {
    let in_header = policies.of_header();
    merged.repeated.is_empty() && merged.directives.keys().all(|d| NOT_IN_META.contains(&d.as_str()) && in_header.get(d).is_none())
}

/// The sources of a policy that the verdict is about, the ignored ones taken out.
fn judge(mut policy: Policy, header: &Policy, https: bool) -> (BTreeMap<String, Vec<String>>, &'static Verdict, CspFlags) {
    let any = [String::from("*")];
    let directives = &mut policy.directives;
    let mut singled_out = false;
    if let Some(script) = fallback(directives, "script-src") {
        singled_out = script.iter().any(|s| NONCE_OR_HASH.iter().any(|p| s.starts_with(p)));
        let dynamic = script.iter().any(|s| s == "'strict-dynamic'");
        if singled_out {
            script.retain(|s| s != "'unsafe-inline'" && !(dynamic && ignored_beside_strict_dynamic(s)));
        }
    }
    if let Some(style) = fallback(directives, "style-src")
        && style.iter().any(|s| NONCE_OR_HASH.iter().any(|p| s.starts_with(p)))
    {
        style.retain(|s| s != "'unsafe-inline'");
    }
    let of = |name: &str| policy.get(name).or_else(|| policy.get("default-src")).unwrap_or(&any);
    let (script, style, object) = (of("script-src"), of("style-src"), of("object-src"));
    let dynamic = has(script, &["'strict-dynamic'"]);
    let loose = |sources: &[String]| has(sources, &BROAD) || has(sources, &INLINE);
    let active = policy.directives.iter().filter(|(name, _)| !matches!(name.as_str(), "img-src" | "media-src"));
    let flags = CspFlags {
        anti_clickjacking: header.get("frame-ancestors").is_some_and(|f| !has(f, &BROAD)),
        default_none: policy.get("default-src").is_some_and(|d| d == ["'none'"]),
        insecure_base_uri: policy.get("base-uri").is_none_or(loose),
        insecure_form_action: policy.get("form-action").is_none_or(|f| has(f, &BROAD)),
        insecure_scheme_active: https && active.into_iter().any(|(_, sources)| insecure(sources)),
        insecure_scheme_passive: https && (insecure(of("img-src")) || insecure(of("media-src"))),
        strict_dynamic: singled_out && dynamic,
        unsafe_eval: has(script, &["'unsafe-eval'"]) || has(style, &["'unsafe-eval'"]),
        unsafe_inline: loose(script) || has(object, &BROAD),
        unsafe_inline_style: loose(style),
        unsafe_objects: has(object, &BROAD),
    };
    for sources in policy.directives.values_mut() {
        sources.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    }
    let verdict = if dynamic && !singled_out { &verdicts::INVALID } else { verdict(flags, !policy.repeated.is_empty()) };
    (policy.directives, verdict, flags)
}

fn verdict(flags: CspFlags, repeated: bool) -> &'static Verdict {
    let verdict = if flags.unsafe_inline {
        &verdicts::INLINE
    } else if flags.insecure_scheme_active {
        &verdicts::ACTIVE
    } else if flags.unsafe_eval {
        &verdicts::EVAL
    } else if flags.insecure_scheme_passive {
        &verdicts::PASSIVE
    } else if flags.unsafe_inline_style {
        &verdicts::STYLE
    } else if flags.default_none {
        &verdicts::NONE_BY_DEFAULT
    } else {
        &verdicts::NO_UNSAFE
    };
    if verdict.pass && repeated { &verdicts::REPEATED } else { verdict }
}

/// A directive's sources, or those of `default-src`, to be changed.
fn fallback<'d>(directives: &'d mut BTreeMap<String, Vec<String>>, name: &str) -> Option<&'d mut Vec<String>> {
    let name = if directives.contains_key(name) { name } else { "default-src" };
    directives.get_mut(name)
}

/// What browsers ignore beside `'strict-dynamic'`, as far as the Observatory knows it.
fn ignored_beside_strict_dynamic(source: &str) -> bool {
    source == "'self'" || source == "*" || ["http:", "https:", "ftp:"].iter().any(|scheme| source.starts_with(scheme))
}

fn has(sources: &[String], wanted: &[&str]) -> bool {
    sources.iter().any(|s| wanted.contains(&s.as_str()))
}

fn insecure(sources: &[String]) -> bool {
    sources.iter().any(|s| s.starts_with("http:") || s.starts_with("ftp:"))
}
