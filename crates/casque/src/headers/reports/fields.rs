//! From the fields of a report's body to a [`Report`]: which field means what, for each kind.
//!
//! Names come in three spellings: `document-uri` in `csp-report` (CSP3 5.3), `documentURL` in the Reporting API, and `document_url`
//! in CSP3's example of `csp-hash` and in Network Error Logging. All are read everywhere.

use serde_json::{Map, Value};

use super::address::{Address, without_queries};
use super::clean::visible;
use super::kind::Kind;
use super::policy_id::PolicyId;
use super::report::{Agent, Disposition, Report, Source};
use super::resource::Resource;

/// Longest directive, feature or type that is kept, in bytes.
const WORD: usize = 64;
/// Longest sample, in bytes: 40 characters (CSP3 4.2.3), and before them the name of a Trusted Types sink.
const SAMPLE: usize = 120;
/// Longest message, in bytes.
const MESSAGE: usize = 200;

const DOCUMENT: [&str; 4] = ["document-uri", "documentURL", "document_url", "documentURI"];
const BLOCKED: [&str; 4] = ["blocked-uri", "blockedURL", "blocked_url", "blockedURI"];
const SUBRESOURCE: [&str; 2] = ["subresourceURL", "subresource_url"];
const DIRECTIVE: [&str; 4] = ["effective-directive", "effectiveDirective", "violated-directive", "violatedDirective"];

/// What a detail may be.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// One word, number or truth value.
    Word,
    /// A sentence, in which URLs lose their queries.
    Message,
    /// A URL, of which the address is kept.
    Url,
}

/// A field that is kept as a detail: its names, its name here, its form.
type Detail = (&'static [&'static str], &'static str, Form);

/// The fields that name the broken rule.
fn rule(kind: &Kind) -> &'static [&'static str] {
    match kind {
        Kind::CspViolation => &DIRECTIVE,
        Kind::CspHash | Kind::IntegrityViolation => &["destination"],
        Kind::Coop | Kind::Coep | Kind::NetworkError => &["type"],
        Kind::PermissionsPolicyViolation => &["featureId", "policyId"],
        Kind::DocumentPolicyViolation => &["policyId"],
        Kind::Deprecation | Kind::Intervention => &["id"],
        Kind::Crash => &["reason"],
        Kind::Other(_) => &[],
    }
}

/// The fields that are kept as details, in this order.
fn details(kind: &Kind) -> &'static [Detail] {
    use Form::{Message, Url, Word};
    match kind {
        Kind::CspViolation | Kind::IntegrityViolation | Kind::Other(_) => &[],
        Kind::CspHash => &[(&["type"], "type", Word)],
        Kind::Coop => &[
            (&["effectivePolicy"], "effective-policy", Word),
            (&["property"], "property", Word),
            (&["previousResponseURL"], "previous-response", Url),
            (&["nextResponseURL"], "next-response", Url),
            (&["openerURL"], "opener", Url),
            (&["openeeURL"], "openee", Url),
            (&["otherDocumentURL"], "other-document", Url),
            (&["initialPopupURL"], "initial-popup", Url),
        ],
        Kind::Coep => &[(&["destination"], "destination", Word)],
        Kind::NetworkError => &[
            (&["phase"], "phase", Word),
            (&["protocol"], "protocol", Word),
            (&["method"], "method", Word),
            (&["elapsed_time"], "elapsed-ms", Word),
            (&["sampling_fraction"], "sampling-fraction", Word),
        ],
        Kind::PermissionsPolicyViolation => {
            &[(&["message"], "message", Message), (&["allowAttribute"], "allow", Message), (&["srcAttribute"], "src", Url)]
        }
        Kind::DocumentPolicyViolation | Kind::Intervention => &[(&["message"], "message", Message)],
        Kind::Deprecation => &[(&["anticipatedRemoval"], "anticipated-removal", Word), (&["message"], "message", Message)],
        Kind::Crash => &[(&["is_top_level"], "is-top-level", Word), (&["visibility_state"], "visibility-state", Word)],
    }
}

/// A member of the Reporting API's array (Reporting API); `None` if it has no `type` or no `body`.
pub(super) fn entry(entry: &Map<String, Value>) -> Option<Report> {
    let kind = Kind::read(entry.get("type")?.as_str()?);
    let mut report = body(kind, entry.get("body")?.as_object()?, entry.get("url").and_then(Value::as_str));
    report.agent = entry.get("user_agent").and_then(Value::as_str).map(Agent::of);
    report.age = number(entry.get("age")).unwrap_or(0);
    Some(report)
}

/// The body of a report; `url` is where the Reporting API says that it happened.
pub(super) fn body(kind: Kind, body: &Map<String, Value>, url: Option<&str>) -> Report {
    let text = |names: &[&str]| names.iter().find_map(|name| body.get(*name)?.as_str()).filter(|text| !text.is_empty());
    let value = |names: &[&str]| names.iter().find_map(|name| body.get(*name));
    let is_csp = kind == Kind::CspViolation;
    let resource = |names: &[&str]| text(names).and_then(Resource::read);
    let source = resource(&["source-file", "sourceFile", "source_file"]).map(|file| Source {
        file,
        line: number(value(&["line-number", "lineNumber", "line_number"])),
        column: number(value(&["column-number", "columnNumber", "column_number"])),
    });
    Report {
        document: text(&DOCUMENT).or(url).and_then(Address::parse),
        directive: text(rule(&kind)).and_then(|rule| directive(rule, is_csp)),
        blocked: if kind == Kind::CspHash { resource(&SUBRESOURCE) } else { resource(&BLOCKED) },
        sample: text(&["script-sample", "sample"]).filter(|_| is_csp).map(|s| visible(&without_queries(s), SAMPLE)),
        source: source.filter(|_| !matches!(kind, Kind::Other(_))),
        disposition: disposition(text(&["disposition"]), value(&["reportOnly", "report_only"])),
        status: number(value(&["status-code", "statusCode", "status_code"])).and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0),
        referrer: text(&["referrer"]).and_then(Address::parse).map(|address| address.origin),
        policy: text(&["original-policy", "originalPolicy"]).map(PolicyId::of),
        agent: None,
        hash: text(&["hash"]).filter(|hash| kind == Kind::CspHash && is_hash(hash)).map(Into::into),
        age: 0,
        details: details(&kind).iter().filter_map(|(names, name, form)| Some((*name, detail(value(names)?, *form)?))).collect(),
        kind,
    }
}

/// Older browsers send the whole directive, sources and all; only its name counts.
fn directive(text: &str, is_csp: bool) -> Option<Box<str>> {
    let word = if is_csp { text.split_ascii_whitespace().next()?.to_ascii_lowercase() } else { without_queries(text) };
    Some(visible(&word, WORD))
}

fn disposition(written: Option<&str>, report_only: Option<&Value>) -> Disposition {
    // COOP, COEP and Integrity-Policy each say it in their own way.
    match (written, report_only.and_then(Value::as_bool)) {
        (Some("report" | "reporting"), _) | (None, Some(true)) => Disposition::Report,
        _ => Disposition::Enforce,
    }
}

fn detail(value: &Value, form: Form) -> Option<Box<str>> {
    match (value, form) {
        (Value::String(text), Form::Url) => Address::parse(text).map(|address| address.to_string().into()),
        (Value::String(text), Form::Word) => Some(visible(&without_queries(text), WORD)),
        (Value::String(text), Form::Message) => Some(visible(&without_queries(text), MESSAGE)),
        (Value::Number(number), Form::Word) => Some(visible(&number.to_string(), WORD)),
        (Value::Bool(truth), Form::Word) => Some(if *truth { "true" } else { "false" }.into()),
        _ => None,
    }
}

/// A whole number, or one in quotes, as some browsers send it.
fn number(value: Option<&Value>) -> Option<u32> {
    match value? {
        Value::Number(number) => number.as_u64().map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

/// A CSP hash source without its quotes (CSP3 2.3.1), not longer than SHA-512 makes it.
fn is_hash(text: &str) -> bool {
    let digest = ["sha256-", "sha384-", "sha512-"].iter().find_map(|algorithm| text.strip_prefix(algorithm));
    digest.is_some_and(|d| {
        let digits = d.trim_end_matches('=');
        (40..=88).contains(&d.len()) && digits.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_'))
    })
}
