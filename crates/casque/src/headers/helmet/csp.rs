//! Content-Security-Policy as helmet 4 to 8 write it.

use super::features::dashed;
use super::options::Options;
use super::release::Release;
use super::report::{Place, Report};
use super::value::{Key, Kind, Value, shown};
use super::{Outcome, Result};

/// helmet 8's defaults, in their order. Those of other releases are told apart below.
const DEFAULTS: [(&str, &str); 12] = [
    ("default-src", "'self'"),
    ("base-uri", "'self'"),
    ("block-all-mixed-content", ""),
    ("font-src", "'self' https: data:"),
    ("form-action", "'self'"),
    ("frame-ancestors", "'self'"),
    ("img-src", "'self' data:"),
    ("object-src", "'none'"),
    ("script-src", "'self'"),
    ("script-src-attr", "'none'"),
    ("style-src", "'self' https: 'unsafe-inline'"),
    ("upgrade-insecure-requests", ""),
];

fn defaults(release: Release) -> impl Iterator<Item = Directive> {
    let had = move |name: &str| match name {
        "form-action" => release >= Release::V5,
        "block-all-mixed-content" => release <= Release::V5,
        _ => true,
    };
    DEFAULTS.iter().filter(move |(name, _)| had(name)).map(|(name, value)| Directive {
        name: (*name).to_owned(),
        value: Some(if value.is_empty() { String::new() } else { format!(" {value}") }),
    })
}

/// A directive: what follows its name, or nothing if it is taken out.
struct Directive {
    name: String,
    value: Option<String>,
}

/// What helmet calls `dangerouslyDisableDefaultSrc`, a symbol there and a text here.
const NO_DEFAULT_SRC: [&str; 2] = ["dangerouslyDisableDefaultSrc", "dangerously-disable-default-src"];

pub(super) fn read(release: Release, mut options: Options<'_>) -> Result {
    let report_only = options.boolean("reportOnly", false)?;
    let use_defaults = options.boolean("useDefaults", release >= Release::V5)?;
    for name in ["loose", "setAllHeaders", "disableAndroid", "browserSniff"] {
        options.outdated(name, "does nothing since helmet 4", "take it out");
    }
    let found = options.get("directives").filter(|f| release == Release::V4 || !f.value.is_null());
    let written: &[(Key, Value)] = match &found {
        None => &[],
        Some(found) => match (&found.value.kind, found.value.is_null()) {
            (Kind::Map(map), _) => map,
            (_, true) => &[],
            _ => return Err(options.wrong_type("directives", found, "a table of directives")),
        },
    };
    // Until helmet 7 no directives at all meant the defaults, whatever `useDefaults` said.
    let use_defaults = use_defaults || (found.is_none() && release < Release::V8);
    let place = found.map_or_else(|| options.place.clone(), |f| f.place);
    let mut own = Vec::new();
    let mut no_default_src = false;
    for (key, value) in written {
        let name = directive_name(release, key, &place, options.report)?;
        let at = place.key(&key.name, &value.span);
        if own.iter().any(|d: &Directive| d.name == name) || (no_default_src && name == "default-src") {
            let message = format!("the directive {name} stands here twice");
            return Err(options.report.error(
                &place.key(&key.name, &key.span),
                message,
                "camelCase and kebab-case are the same directive: keep one",
            ));
        }
        if value.as_text().is_some_and(|t| NO_DEFAULT_SRC.contains(&t)) {
            if name != "default-src" {
                let message = format!("{name} cannot be disabled like default-src");
                return Err(options.report.error(&at, message, "take the directive out"));
            }
            no_default_src = true;
            continue;
        }
        let value = directive_value(release, &name, value, &at, options.report)?;
        if value.is_none() && name == "default-src" {
            return Err(options.report.error(&at, "default-src cannot be taken out", DEFAULT_SRC_REMEDY));
        }
        own.push(Directive { name, value });
    }
    let all = if use_defaults { merged(release, own, no_default_src) } else { own };
    let parts: Vec<String> = all.iter().filter_map(|d| d.value.as_ref().map(|v| format!("{}{v}", d.name))).collect();
    if parts.is_empty() {
        return Err(options.report.error(
            &place,
            "a policy without directives",
            "name some, or switch `contentSecurityPolicy` off with false",
        ));
    }
    if !no_default_src && !all.iter().any(|d| d.name == "default-src") {
        return Err(options.report.error(&place, "a policy without default-src", DEFAULT_SRC_REMEDY));
    }
    options.finish()?;
    let name = if report_only { "content-security-policy-report-only" } else { "content-security-policy" };
    Ok(Outcome::one(name, parts.join(";")))
}

const DEFAULT_SRC_REMEDY: &str = "write one, such as [\"'self'\"]; to do without it on purpose, set it to \"dangerouslyDisableDefaultSrc\"";

/// helmet 8 keeps the defaults' order and puts what is new behind them; earlier releases put what was written first.
fn merged(release: Release, own: Vec<Directive>, no_default_src: bool) -> Vec<Directive> {
    let defaults = defaults(release).filter(|d| !(no_default_src && d.name == "default-src"));
    if release < Release::V8 {
        let mut all = own;
        for default in defaults {
            if !all.iter().any(|d| d.name == default.name) {
                all.push(default);
            }
        }
        return all;
    }
    let mut all: Vec<Directive> = defaults.collect();
    for directive in own {
        match all.iter_mut().find(|d| d.name == directive.name) {
            Some(default) => *default = directive,
            None => all.push(directive),
        }
    }
    all
}

fn directive_name(release: Release, key: &Key, place: &Place, report: &Report) -> Result<String> {
    let name = &key.name;
    let letters = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let strict = release < Release::V8 || (name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-'));
    if letters && strict {
        return Ok(dashed(name));
    }
    let remedy = "a directive's name is in camelCase or kebab-case, such as scriptSrc or script-src";
    Err(report.error(&place.key(name, &key.span), format!("{} is no directive's name", shown(name)), remedy))
}

/// What follows the name, with its space; `None` for `null`.
fn directive_value(release: Release, name: &str, value: &Value, place: &Place, report: &Report) -> Result<Option<String>> {
    if value.is_null() {
        return Ok(None);
    }
    let one = std::slice::from_ref(value);
    let (list, in_list) = match (value.as_list(), value.as_text()) {
        (Some(list), _) => (list, true),
        (_, Some(_)) => (one, false),
        _ => {
            let message = format!("{name} is {}", value.described());
            return Err(report.error(place, message, "expected a list of texts in quotes; [] for a directive without a value"));
        }
    };
    let mut sources = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let place = if in_list { place.item(i, &item.span) } else { place.clone() };
        let Some(text) = item.as_text() else {
            return Err(report.error(&place, format!("a source is {}", item.described()), "expected a text in quotes"));
        };
        if text.contains([';', ',']) {
            let remedy = "a semicolon would begin another directive, a comma another policy: write each on its own";
            return Err(report.error(&place, format!("{} holds a semicolon or a comma", shown(text)), remedy));
        }
        if should_be_quoted(text) && release >= Release::V7 {
            let message = format!("{} without its quotes is the name of a host", shown(text));
            let remedy = format!("write \"'{text}'\"");
            if release >= Release::V8 {
                return Err(report.error(&place, message, remedy));
            }
            report.warn(&place, message, remedy);
        }
        sources.push(text);
    }
    let joined = sources.join(" ");
    // Until helmet 7 only a list without elements was no value; an empty text left a space behind.
    let nothing = if release < Release::V8 { sources.is_empty() } else { joined.is_empty() };
    Ok(Some(if nothing { joined } else { format!(" {joined}") }))
}

/// The words that mean something only in single quotes (CSP 3 2.3.1), as far as helmet knows them.
pub(super) fn should_be_quoted(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "none",
        "self",
        "strict-dynamic",
        "report-sample",
        "inline-speculation-rules",
        "unsafe-inline",
        "unsafe-eval",
        "unsafe-hashes",
        "wasm-unsafe-eval",
    ];
    const STARTS: [&str; 4] = ["nonce-", "sha256-", "sha384-", "sha512-"];
    WORDS.contains(&text) || STARTS.iter().any(|s| text.starts_with(s))
}
