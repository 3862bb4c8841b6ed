//! Content-Security-Policy as helmet-csp 2 writes it, and helmet 3 with it: every directive has a type, and is checked by it.

use super::options::{Options, near_or, one_of};
use super::report::{Place, Report};
use super::value::{Kind, Value, shown};
use super::{Outcome, Result};

/// What a directive takes.
#[derive(Clone, Copy)]
enum Type {
    /// `false`, or a list of sources.
    Sources,
    /// A list of media types.
    PluginTypes,
    /// `true` or `false`.
    Flag,
    /// `false`, or one address or group.
    Report,
    /// A list of what needs integrity.
    Integrity,
    /// `true`, `false`, or a list of what is allowed all the same.
    Sandbox,
}

const DIRECTIVES: [(&str, Type); 23] = [
    ("base-uri", Type::Sources),
    ("block-all-mixed-content", Type::Flag),
    ("child-src", Type::Sources),
    ("connect-src", Type::Sources),
    ("default-src", Type::Sources),
    ("font-src", Type::Sources),
    ("form-action", Type::Sources),
    ("frame-ancestors", Type::Sources),
    ("frame-src", Type::Sources),
    ("img-src", Type::Sources),
    ("manifest-src", Type::Sources),
    ("media-src", Type::Sources),
    ("object-src", Type::Sources),
    ("plugin-types", Type::PluginTypes),
    ("prefetch-src", Type::Sources),
    ("report-to", Type::Report),
    ("report-uri", Type::Report),
    ("require-sri-for", Type::Integrity),
    ("sandbox", Type::Sandbox),
    ("script-src", Type::Sources),
    ("style-src", Type::Sources),
    ("upgrade-insecure-requests", Type::Flag),
    ("worker-src", Type::Sources),
];

const SANDBOX: [&str; 12] = [
    "allow-downloads",
    "allow-downloads-without-user-activation",
    "allow-forms",
    "allow-modals",
    "allow-orientation-lock",
    "allow-pointer-lock",
    "allow-popups",
    "allow-popups-to-escape-sandbox",
    "allow-presentation",
    "allow-same-origin",
    "allow-scripts",
    "allow-top-navigation",
];

pub(super) fn read(mut options: Options<'_>) -> Result {
    let report_only = options.boolean("reportOnly", false)?;
    let loose = options.boolean("loose", false)?;
    let all_headers = options.boolean("setAllHeaders", false)?;
    let android = options.boolean("disableAndroid", false)?;
    let sniff = options.boolean("browserSniff", true)?;
    options.outdated("useDefaults", "came with helmet 4", "helmet 3 has no default directives: take it out");
    let remedy = "name some: { directives: { defaultSrc: [\"'self'\"] } }";
    let Some(found) = options.get("directives") else {
        return Err(options.report.error(&options.place, "`directives` is missing", remedy));
    };
    let map = match found.value.as_map() {
        Some([]) => return Err(options.report.error(&found.place, "`directives` is empty", remedy)),
        Some(map) => map,
        None => return Err(options.wrong_type("directives", &found, "a table of directives")),
    };
    // A directive that is written in both spellings stands where it was first, as it was last.
    let mut parts: Vec<(String, Option<String>)> = Vec::new();
    for (key, value) in map {
        let name = if loose { loosely(&key.name) } else { kebab(&key.name) };
        let place = found.place.key(&key.name, &value.span);
        let value = if loose {
            unchecked(value, &place, options.report)?
        } else {
            let Some((_, kind)) = DIRECTIVES.iter().find(|(n, _)| *n == name) else {
                let remedy = near_or(&name, DIRECTIVES.map(|(n, _)| n), "`loose` = true lets it pass, as does a newer helmet");
                let place = found.place.key(&key.name, &key.span);
                return Err(options.report.error(&place, format!("helmet 3 knows no directive {}", shown(&key.name)), remedy));
            };
            checked(&name, *kind, value, &place, options.report)?
        };
        match parts.iter_mut().find(|(n, _)| *n == name) {
            Some(earlier) => {
                options.report.warn(
                    &place,
                    format!("the directive {} stands here twice, this one counts", shown(&name)),
                    "keep one of the two",
                );
                earlier.1 = value;
            }
            None => parts.push((name, value)),
        }
    }
    if android || (sniff && options.get("browserSniff").is_some()) {
        options.report.warn(
            &options.place,
            "casque does not choose headers by the name of the browser: every one of today knows Content-Security-Policy",
            "take `browserSniff` and `disableAndroid` out",
        );
    }
    if all_headers {
        options.report.warn(
            &options.place,
            "X-Content-Security-Policy and X-WebKit-CSP were for browsers of before 2013",
            "take `setAllHeaders` out; Content-Security-Policy took their place",
        );
    }
    options.finish()?;
    let policy: Vec<String> = parts.into_iter().filter_map(|(name, value)| value.map(|v| format!("{name}{v}"))).collect();
    let policy = policy.join("; ");
    let names: &[&'static str] = match (report_only, all_headers) {
        (false, false) => &["content-security-policy"],
        (false, true) => &["content-security-policy", "x-content-security-policy", "x-webkit-csp"],
        (true, false) => &["content-security-policy-report-only"],
        (true, true) => &["content-security-policy-report-only", "x-content-security-policy-report-only", "x-webkit-csp-report-only"],
    };
    Ok(Outcome { set: names.iter().map(|n| (*n, policy.clone())).collect(), remove: Vec::new() })
}

/// What follows the name in loose mode, where anything goes that can be written down.
fn unchecked(value: &Value, place: &Place, report: &Report) -> Result<Option<String>> {
    match &value.kind {
        Kind::Bool(true) => Ok(Some(String::new())),
        Kind::Text(text) => Ok(Some(spaced(text))),
        Kind::List(list) => Ok(Some(spaced(&texts(list, place, report)?.join(" ")))),
        _ if value.is_null() || value.as_bool().is_some() => Ok(None),
        _ => Err(report.error(place, format!("a directive is {}", value.described()), "expected a list of texts in quotes")),
    }
}

/// What follows the name, or `None` for a directive that is switched off.
fn checked(name: &str, kind: Type, value: &Value, place: &Place, report: &Report) -> Result<Option<String>> {
    let wrong = |wanted: &str| report.error(place, format!("{name} is {}", value.described()), format!("expected {wanted}"));
    match (kind, value.as_bool(), value.as_list()) {
        (Type::Sources | Type::Report | Type::Flag | Type::Sandbox, Some(false), _) => Ok(None),
        (Type::Flag | Type::Sandbox, Some(true), _) => Ok(Some(String::new())),
        (Type::Flag, ..) => Err(wrong("`true` or `false`")),
        (Type::Report, ..) => match value.as_text() {
            Some(text) if !text.is_empty() => Ok(Some(spaced(text))),
            _ => Err(wrong("a text that is not empty")),
        },
        (Type::Sources | Type::PluginTypes | Type::Integrity | Type::Sandbox, _, Some(list)) => {
            if list.is_empty() {
                let remedy = match kind {
                    Type::Sandbox => "`true` forbids everything",
                    Type::Integrity => "leave it out to demand nothing",
                    _ => "[\"'none'\"] allows nothing",
                };
                return Err(report.error(place, format!("{name} is an empty list"), remedy));
            }
            let texts = texts(list, place, report)?;
            for (i, text) in texts.iter().enumerate() {
                if let Some((message, remedy)) = objection(name, kind, text) {
                    return Err(report.error(&place.item(i, &list[i].span), message, remedy));
                }
            }
            Ok(Some(spaced(&texts.join(" "))))
        }
        _ => Err(wrong("a list of texts in quotes")),
    }
}

/// What is wrong with one element of a list, and its remedy.
fn objection(name: &str, kind: Type, text: &str) -> Option<(String, String)> {
    match kind {
        Type::Sandbox if !SANDBOX.contains(&text) => {
            let message = format!("sandbox knows no {}", shown(text));
            Some((message, near_or(text, SANDBOX, "take it out")))
        }
        Type::Integrity if !["script", "style"].contains(&text) => {
            Some((format!("require-sri-for knows no {}", shown(text)), format!("expected {}", one_of(&["script", "style"]))))
        }
        Type::Sources | Type::PluginTypes => {
            let bare = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).unwrap_or(text);
            let quoted = bare.len() != text.len();
            match keyword(name, bare) {
                Keyword::Senseless => Some((format!("{} has no meaning in {name}", shown(text)), "take it out".to_owned())),
                Keyword::Quoted if !quoted => {
                    Some((format!("{} without its quotes is the name of a host", shown(text)), format!("write \"'{text}'\"")))
                }
                _ if text.is_empty() => Some((format!("an empty text in {name}"), "take it out".to_owned())),
                _ => None,
            }
        }
        _ => None,
    }
}

enum Keyword {
    /// It means nothing in this directive, quoted or not.
    Senseless,
    /// It means something, in quotes.
    Quoted,
    /// It is no keyword that helmet-csp 2 looks at.
    Other,
}

/// The five keywords that helmet-csp 2 looks at, by directive.
fn keyword(directive: &str, word: &str) -> Keyword {
    let of_scripts = directive == "script-src";
    let of_code = of_scripts || matches!(directive, "style-src" | "worker-src");
    match word {
        "self" if directive == "plugin-types" => Keyword::Senseless,
        "self" | "none" => Keyword::Quoted,
        "unsafe-inline" | "unsafe-eval" if of_code => Keyword::Quoted,
        "strict-dynamic" if of_scripts || matches!(directive, "default-src" | "plugin-types") => Keyword::Quoted,
        "unsafe-inline" | "unsafe-eval" | "strict-dynamic" => Keyword::Senseless,
        _ => Keyword::Other,
    }
}

fn texts<'v>(list: &'v [Value], place: &Place, report: &Report) -> Result<Vec<&'v str>> {
    let mut texts = Vec::new();
    for (i, item) in list.iter().enumerate() {
        match item.as_text() {
            Some(text) => texts.push(text),
            None => {
                let message = format!("an element is {}", item.described());
                return Err(report.error(&place.item(i, &item.span), message, "expected a text in quotes"));
            }
        }
    }
    Ok(texts)
}

fn spaced(value: &str) -> String {
    if value.is_empty() { String::new() } else { format!(" {value}") }
}

/// Loose mode takes underscores and dots for dashes.
fn loosely(name: &str) -> String {
    let name = kebab(name);
    name.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// `scriptSrc`, `ScriptSrc` and `scriptSRC` are `script-src`: a dash where a small letter meets a capital.
fn kebab(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && small {
            out.push('-');
        }
        small = c.is_ascii_lowercase();
        out.push(c.to_ascii_lowercase());
    }
    out
}
