//! helmet's options, as helmet reads them: what its JavaScript users have written can be pasted as JSON or TOML.
//!
//! ```
//! use casque::headers::helmet::{Release, Value, read};
//!
//! let options = Value::from_json(r#"{
//!     "contentSecurityPolicy": { "directives": { "script-src": ["'self'", "cdn.example.com"], "styleSrc": null } },
//!     "frameguard": { "action": "deny" },
//!     "noSniff": false
//! }"#).unwrap();
//! let (outcome, problems) = read(Release::V8, &options);
//! assert!(problems.is_empty());
//! assert!(outcome.set.contains(&("x-frame-options", "DENY".to_owned())));
//! assert!(!outcome.set.iter().any(|(name, _)| *name == "x-content-type-options"));
//! ```
//!
//! Every option helmet has had since 3 is here, under its old and its new name, in camelCase and kebab-case, with the defaults and
//! checks of the [`Release`] it was written for; what it sends was recorded by running helmet. Middlewares that a release has lost
//! (hpkp, noCache, expectCt, featurePolicy) still work, and warn of what has become of their headers.
//!
//! - [`headers`] and [`middleware`] are helmet's own reading, its leniency included.
//! - [`read`] is what casque runs: besides, it refuses what helmet lets pass although it cannot work.
//!
//! In both, an option that helmet would ignore without a word is an error with the nearest name: a misspelt setting of a security
//! tool must never be one that silently does nothing. So is a value of a wrong type, which JavaScript would bend into some
//! other (`"false"` is true there).
//!
//! What is left out: functions, which no file can hold (a function that always gives the same is that value), and what helmet 3
//! chose by the browser's name (`browserSniff`, `disableAndroid`, `0` instead of `1` for old Internet Explorers): responses that
//! depend on it cannot be cached, and the browsers are gone.
//!
//! **Attacks and answers.** Options are the operator's, but pasted from anywhere. A line break or NUL in a value would split
//! the response, or fail it: both readings refuse control bytes when the options are read, where helmet fails each request. A semicolon
//! or comma cannot smuggle a directive into a policy. Problems quote what was written escaped and shortened, so that no text can
//! command the terminal it is shown on. Depth and length of JSON are bounded.

mod csp;
mod csp2;
mod features;
mod json;
mod middleware;
mod options;
mod plain;
mod release;
mod report;
mod strict;
#[cfg(test)]
mod tests;
mod transport;
mod value;

use middleware::Middleware;
use options::{Options, Part, near_or};
pub use release::Release;
use report::{Place, Report, Reported};
pub use report::{Problem, Severity};
pub use value::{Key, Kind, Value};

type Result<T = Outcome> = std::result::Result<T, Reported>;

/// What is done to the headers of every response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Names, in lower case, and values, in the order in which helmet sets them. Each replaces what was there.
    pub set: Vec<(&'static str, String)>,
    /// Names, in lower case, that are taken out.
    pub remove: Vec<&'static str>,
}

impl Outcome {
    fn one(name: &'static str, value: impl Into<String>) -> Self {
        Self { set: vec![(name, value.into())], remove: Vec::new() }
    }

    fn without(name: &'static str) -> Self {
        Self { set: Vec::new(), remove: vec![name] }
    }

    fn extend(&mut self, other: Self) {
        self.set.extend(other.set);
        self.remove.extend(other.remove);
    }
}

/// Reads a whole options object as casque runs it: as [`headers`] does, and besides refuses sources of a Content-Security-Policy
/// that cannot mean what they say, values that are empty and values with anything but ASCII.
///
/// A middleware with an error in its options gives no headers; unless there is no [`Severity::Error`], do not use the outcome.
#[must_use]
pub fn read(release: Release, options: &Value) -> (Outcome, Vec<Problem>) {
    whole(release, options, true)
}

/// Reads a whole options object exactly as helmet does. For one of the packages the options are its own.
///
/// A middleware with an error in its options gives no headers.
#[must_use]
pub fn headers(release: Release, options: &Value) -> (Outcome, Vec<Problem>) {
    whole(release, options, false)
}

/// Reads one middleware's options exactly as helmet does. Its name may be an old or a new one; `None` is for a call without options.
///
/// ```
/// use casque::headers::helmet::{Release, Value, middleware};
///
/// let options = Value::from_json(r#"{ "action": "ALLOW-FROM", "domain": "https://example.com" }"#).unwrap();
/// let (outcome, problems) = middleware(Release::V3, "frameguard", Some(&options));
/// assert_eq!(outcome.set, [("x-frame-options", "ALLOW-FROM https://example.com".to_owned())]);
/// assert!(problems[0].message.contains("no browser of today"));
/// assert!(problems[0].remedy.contains("frame-ancestors"));
/// ```
#[must_use]
pub fn middleware(release: Release, name: &str, options: Option<&Value>) -> (Outcome, Vec<Problem>) {
    let report = Report::default();
    let place = Place { path: String::new(), span: options.map_or(0..0, |o| o.span.clone()) };
    let outcome = match Middleware::named(name) {
        Some(middleware) => standalone(release, middleware, options, place, &report, false).unwrap_or_default(),
        None => {
            report.error(&place, format!("no middleware {}", value::shown(name)), near_or(name, Middleware::names(), ""));
            Outcome::default()
        }
    };
    (outcome, report.into_problems())
}

fn standalone(release: Release, middleware: Middleware, options: Option<&Value>, place: Place, report: &Report, strict: bool) -> Result {
    if release.only().is_some_and(|only| only != middleware) {
        return Err(report.error(&place, format!("{} has no {}", release.name(), middleware.header()), "name another release"));
    }
    let read = match options {
        Some(value) => Options::read(value, place, Part::Alone, report)?,
        None => Options::none(place, Part::Alone, report),
    };
    run(release, middleware, options, read, strict)
}

fn whole(release: Release, options: &Value, strict: bool) -> (Outcome, Vec<Problem>) {
    let report = Report::default();
    let place = Place { path: String::new(), span: options.span.clone() };
    if let Some(only) = release.only() {
        let outcome = standalone(release, only, Some(options), place, &report, strict).unwrap_or_default();
        return (outcome, report.into_problems());
    }
    let mut outcome = Outcome::default();
    let written = written(release, options, &place, &report);
    // What this release lacks runs after what it has.
    let extra = written.iter().map(|w| w.middleware).filter(|m| !m.is_in(release));
    for middleware in release.order().iter().copied().chain(extra) {
        let own = written.iter().find(|w| w.middleware == middleware);
        if let Ok(headers) = one(release, middleware, own, &place, &report, strict) {
            outcome.extend(headers);
        }
    }
    (outcome, report.into_problems())
}

/// A top-level option.
struct Written<'v> {
    middleware: Middleware,
    key: &'v Key,
    value: &'v Value,
}

fn written<'v>(release: Release, options: &'v Value, place: &Place, report: &Report) -> Vec<Written<'v>> {
    let Some(map) = options.as_map() else {
        report.error(place, format!("the options are {}", options.described()), "expected a table of options");
        return Vec::new();
    };
    let mut all: Vec<Written<'v>> = Vec::new();
    for (key, value) in map {
        let at = place.key(&key.name, &key.span);
        let Some(middleware) = Middleware::named(&key.name) else {
            let remedy = near_or(&key.name, Middleware::names(), "helmet has had no option of this name since helmet 3");
            report.error(&at, format!("unknown option {}", value::shown(&key.name)), remedy);
            continue;
        };
        // helmet 3 takes every `null` for not written; later ones that of the names that came with helmet 6.
        if value.kind == Kind::Null && (release == Release::V3 || (release >= Release::V6 && Middleware::is_new_name(&key.name))) {
            continue;
        }
        if let Some(other) = all.iter().find(|w| w.middleware == middleware) {
            let message = format!("`{}` and `{}` are both about {}", other.key.name, key.name, middleware.header());
            report.error(&at, message, "keep one of the two");
            continue;
        }
        all.push(Written { middleware, key, value });
    }
    all
}

/// One middleware of the whole: switched on or off, given options, or left to the release's default.
fn one(release: Release, middleware: Middleware, own: Option<&Written<'_>>, top: &Place, report: &Report, strict: bool) -> Result {
    let Some(own) = own else {
        if !release.runs_by_default(middleware) {
            return Ok(Outcome::default());
        }
        return run(release, middleware, None, Options::none(top.clone(), Part::ByDefault, report), strict);
    };
    let place = top.key(&own.key.name, &own.value.span);
    let takes_none = matches!(
        middleware,
        Middleware::OriginAgentCluster
            | Middleware::XContentTypeOptions
            | Middleware::XDownloadOptions
            | Middleware::XPoweredBy
            | Middleware::XXssProtection
    );
    let options = match &own.value.kind {
        _ if own.value.as_bool() == Some(false) => return Ok(Outcome::default()),
        Kind::Bool(_) => Options::none(place, Part::OfTheWhole, report),
        Kind::Map(_) => Options::read(own.value, place, Part::OfTheWhole, report)?,
        Kind::Null if takes_none => {
            let options = Options::none(place, Part::OfTheWhole, report);
            options.warn_of_options(middleware.header());
            options
        }
        _ => {
            let message = format!("`{}` is {}", own.key.name, own.value.described());
            return Err(report.error(&place, message, "expected `true`, `false` or a table of options"));
        }
    };
    if !middleware.is_in(release) {
        let message = format!("{} has no `{}`; casque sends it all the same", release.name(), own.key.name);
        report.warn(&top.key(&own.key.name, &own.key.span), message, "nothing needs to be done, unless it is no longer wanted");
    }
    run(release, middleware, Some(own.value), options, strict)
}

/// Runs a middleware by the rules of its dialect, and checks that what comes out can be sent.
fn run(release: Release, middleware: Middleware, value: Option<&Value>, options: Options<'_>, strict: bool) -> Result {
    let (place, report) = (options.place.clone(), options.report);
    let dialect = middleware.dialect(release);
    let outcome = match middleware {
        Middleware::ContentSecurityPolicy if dialect == Release::V3 => csp2::read(options),
        Middleware::ContentSecurityPolicy => csp::read(dialect, options),
        Middleware::CrossOriginEmbedderPolicy => plain::embedder(dialect, options),
        Middleware::CrossOriginOpenerPolicy => plain::opener(dialect, options),
        Middleware::CrossOriginResourcePolicy => plain::resource(options),
        Middleware::ExpectCt => transport::expect_ct(dialect, options),
        Middleware::FeaturePolicy => features::feature_policy(dialect, options),
        Middleware::Hpkp => transport::hpkp(options),
        Middleware::NoCache => plain::no_cache(dialect, release, options),
        Middleware::OriginAgentCluster => plain::fixed(&options, "origin-agent-cluster", "?1"),
        Middleware::PermissionsPolicy => features::permissions_policy(options),
        Middleware::ReferrerPolicy => plain::referrer(options),
        Middleware::StrictTransportSecurity => transport::hsts(dialect, options),
        Middleware::XContentTypeOptions => plain::fixed(&options, "x-content-type-options", "nosniff"),
        Middleware::XDnsPrefetchControl => plain::dns_prefetch(options),
        Middleware::XDownloadOptions => plain::fixed(&options, "x-download-options", "noopen"),
        Middleware::XFrameOptions => plain::frameguard(dialect, options),
        Middleware::XPermittedCrossDomainPolicies => plain::cross_domain(options),
        Middleware::XPoweredBy => plain::powered_by(dialect, options),
        Middleware::XXssProtection => plain::xss_filter(dialect, options),
    }?;
    not_split(&outcome, &place, report)?;
    if strict {
        strict::check(middleware, value, &outcome, &place, report)?;
    }
    Ok(outcome)
}

/// What Node refuses to send when a request comes: control bytes but the tab, and what has no byte in Latin-1.
fn not_split(outcome: &Outcome, place: &Place, report: &Report) -> Result<()> {
    let bad = |c: &char| !matches!(c, '\t' | ' '..='~' | '\u{80}'..='\u{ff}');
    for (name, value) in &outcome.set {
        if let Some(c) = value.chars().find(bad) {
            return Err(report.error(place, format!("the header {name} cannot hold {}", value::shown(&c.to_string())), "take it out"));
        }
    }
    Ok(())
}
