//! Headers written in parts, so that nobody has to know their punctuation.

use crate::config::{At, OpenValue, Section, duration};
use crate::headers::merge::Mode;

/// The modes, and the one that takes a header out (`None`).
pub(super) const MODES: [(&str, Option<Mode>); 5] = [
    ("fill", Some(Mode::Fill)),
    ("floor", Some(Mode::Floor)),
    ("override", Some(Mode::Override)),
    ("append", Some(Mode::Append)),
    ("remove", None),
];

/// A header written as a list.
pub(super) fn list(name: &str, texts: &[At<&str>]) -> Option<String> {
    let texts = texts.iter().map(|t| t.value);
    Some(match name {
        // One directive each; or one quoted word each.
        "content-security-policy" | "content-security-policy-report-only" => texts.collect::<Vec<_>>().join("; "),
        "clear-site-data" => texts.map(|t| format!("\"{}\"", t.trim_matches('"'))).collect::<Vec<_>>().join(", "),
        _ => texts.collect::<Vec<_>>().join(", "),
    })
}

/// A header written as a table of its parts; `None` when there are none, or for a header that has no parts.
pub(super) fn table(name: &str, t: &mut Section<'_, '_>) -> Option<String> {
    match name {
        "content-security-policy" | "content-security-policy-report-only" => {
            Some(members(t, "directives")?.iter().filter_map(directive).collect::<Vec<_>>().join("; "))
        }
        "permissions-policy" | "permissions-policy-report-only" => Some(
            members(t, "features")?
                .iter()
                .map(|(key, value)| format!("{}={}", key.value, allow_list(value)))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        "reporting-endpoints" => {
            let endpoints = members(t, "endpoints")?;
            Some(
                endpoints
                    .iter()
                    .map(|(key, value)| format!("{}={}", key.value, quoted(value.as_str().unwrap_or_default())))
                    .collect::<Vec<_>>()
                    .join(", "),
            )
        }
        "strict-transport-security" => strict_transport_security(t),
        "nel" => network_error_logging(t),
        "integrity-policy" | "integrity-policy-report-only" => integrity(t),
        "cross-origin-opener-policy"
        | "cross-origin-opener-policy-report-only"
        | "cross-origin-embedder-policy"
        | "cross-origin-embedder-policy-report-only"
        | "document-isolation-policy"
        | "document-isolation-policy-report-only" => {
            let (policy, endpoint) = (t.string("policy"), t.string("report-to"));
            let endpoint = endpoint.map(|e| format!("; report-to={}", quoted(&e.value))).unwrap_or_default();
            policy.map(|p| p.value + &endpoint)
        }
        _ => None,
    }
}

/// The keys of a table whose keys are open, in the order they were written, which is the order they are sent in.
fn members<'d, 'i>(t: &mut Section<'d, 'i>, key: &'static str) -> Option<Vec<(At<String>, OpenValue<'d, 'i>)>> {
    let mut table = t.section(key)?;
    let mut members = table.open_keys();
    members.sort_by_key(|(key, _)| key.span.start);
    table.finish_open();
    Some(members)
}

/// `img-src = ["'self'", "data:"]`, `upgrade-insecure-requests = true`; `false` leaves one out.
fn directive((key, value): &(At<String>, OpenValue<'_, '_>)) -> Option<String> {
    let name = kebab(&key.value);
    match (value.as_bool(), value.as_str(), value.as_texts()) {
        (Some(false), ..) => None,
        (Some(true), ..) => Some(name),
        (_, Some(text), _) => Some(format!("{name} {text}")),
        (_, _, Some(texts)) => Some(texts.iter().fold(name, |all, t| format!("{all} {}", t.value))),
        // What is none of these is said to be no value by the check that follows.
        _ => Some(format!("{name} \u{fffd}")),
    }
}

/// helmet's option names are camelCase.
fn kebab(name: &str) -> String {
    name.chars().fold(String::new(), |mut all, c| {
        if c.is_ascii_uppercase() {
            all.push('-');
        }
        all.push(c.to_ascii_lowercase());
        all
    })
}

/// `[]` is nobody, `"*"` everybody, `["self", "https://maps.example"]` some.
fn allow_list(value: &OpenValue<'_, '_>) -> String {
    let one = |t: &str| if matches!(t, "self" | "*" | "src") { t.to_owned() } else { quoted(t) };
    match (value.as_bool(), value.as_str(), value.as_texts()) {
        (Some(false), ..) => "()".to_owned(),
        (_, Some(text), _) => one(text),
        (_, _, Some(texts)) => format!("({})", texts.iter().map(|t| one(t.value)).collect::<Vec<_>>().join(" ")),
        _ => "\u{fffd}".to_owned(),
    }
}

/// A structured-field string (RFC 9651 section 3.3.3).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn seconds(t: &mut Section<'_, '_>, key: &'static str) -> Option<u64> {
    t.parsed(key, "a duration such as \"365d\"", |text| duration(text).map(|d| d.as_secs())).map(|s| s.value)
}

fn strict_transport_security(t: &mut Section<'_, '_>) -> Option<String> {
    let age = seconds(t, "max-age");
    let subdomains = t.boolean("include-subdomains").is_some_and(|b| b.value);
    let preload = t.boolean("preload").is_some_and(|b| b.value);
    if age.is_none() && !subdomains && !preload {
        return None;
    }
    let mut value = format!("max-age={}", age.unwrap_or(365 * 24 * 3600));
    for (is_set, word) in [(subdomains, "; includeSubDomains"), (preload, "; preload")] {
        if is_set {
            value.push_str(word);
        }
    }
    Some(value)
}

fn network_error_logging(t: &mut Section<'_, '_>) -> Option<String> {
    let group = t.string("report-to");
    let age = seconds(t, "max-age");
    let subdomains = t.boolean("include-subdomains").is_some_and(|b| b.value);
    let group = group?.value.replace('\\', "\\\\").replace('"', "\\\"");
    let age = age.unwrap_or(30 * 24 * 3600);
    let subdomains = if subdomains { ",\"include_subdomains\":true" } else { "" };
    Some(format!("{{\"report_to\":\"{group}\",\"max_age\":{age}{subdomains}}}"))
}

fn integrity(t: &mut Section<'_, '_>) -> Option<String> {
    let mut parts = Vec::new();
    for key in ["blocked-destinations", "sources", "endpoints"] {
        if let Some(words) = t.strings(key) {
            let words: Vec<String> = words.value.into_iter().map(|w| w.value).collect();
            parts.push(format!("{key}=({})", words.join(" ")));
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
