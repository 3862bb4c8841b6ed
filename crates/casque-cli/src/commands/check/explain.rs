//! Which headers a response would get, and who said so.

use casque::Scheme;
use casque::headers::{Asked, CacheGuard, Channel, Class, Explained, Explanation, Mode, Origin};
use casque_gateway::Policy;

use crate::cli::RequestArgs;
use crate::policy_file::PolicyFile;
use crate::printer::{self, BOLD, DIM};

/// # Errors
/// The profile that was named is not there.
pub(super) fn print(policy: &Policy, file: &PolicyFile, path: &str, request: &RequestArgs) -> Result<(), String> {
    let scheme = if request.scheme == "http" { Scheme::Http } else { Scheme::Https };
    let channel = Channel::of(scheme, Some(request.host.as_bytes()));
    let headers = policy.headers(&request.host, path);
    let asked = Asked { method: &request.method, host: Some(&request.host), path };
    let selection = headers.select(channel, &asked);
    let named = request.profile.as_deref();
    if let Some(name) = named.filter(|name| headers.profile_names().all(|n| n != *name)) {
        let names: Vec<&str> = headers.profile_names().collect();
        let known = if names.is_empty() { "there are none".to_owned() } else { format!("known here: {}", names.join(", ")) };
        return Err(format!("no profile is called `{name}` on this path; {known}"));
    }
    let Some(class) = Class::of(request.status, Some(request.content_type.as_bytes())) else { return Ok(()) };
    let Explanation { profile, rules, removed, cache_guard } = headers.explain(&selection, request.status, class, named);

    let RequestArgs { method, host, scheme, status, content_type, .. } = request;
    printer::tell(format_args!("{BOLD}{method} {scheme}://{host}{path}{BOLD:#} answered {status} {content_type}"));
    printer::tell(format_args!("{DIM}profile{DIM:#} {}", profile.unwrap_or("default")));
    printer::tell("");
    let (sent, left): (Vec<_>, Vec<_>) = rules.iter().partition(|r| r.outcome.is_ok());
    for rule in &sent {
        sent_header(rule, file);
    }
    if !left.is_empty() {
        printer::tell("");
        printer::tell(format_args!("{DIM}left out{DIM:#}"));
    }
    for Explained { name, outcome, origin } in left {
        let reason = outcome.as_ref().err().map_or("", |why| why.reason());
        printer::tell(format_args!("  {name}  {DIM}{reason} ({}){DIM:#}", place(origin, file)));
    }
    printer::tell("");
    let names: Vec<&str> = removed.iter().map(http::HeaderName::as_str).collect();
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    printer::tell(format_args!("{DIM}removed from the app's{DIM:#}  {names}"));
    let guard = match cache_guard {
        CacheGuard::Off => "left alone",
        CacheGuard::Fill => "get `private, no-cache` if the app says nothing of caches",
        CacheGuard::Enforce => "are kept out of shared caches",
    };
    printer::tell(format_args!("{DIM}responses with cookies{DIM:#}  {guard}"));
    Ok(())
}

fn sent_header(rule: &Explained<'_>, file: &PolicyFile) {
    let Ok(entry) = rule.outcome else { return };
    let value = entry.template().unwrap_or_else(|| String::from_utf8_lossy(entry.value(None).as_bytes()).into_owned());
    let app = match entry.mode() {
        Mode::Fill => "unless the app sets it",
        Mode::Floor => "unless the app's is as strict",
        Mode::Override => "instead of the app's",
        Mode::Append => "besides the app's",
    };
    printer::tell(format_args!("{BOLD}{}{BOLD:#}: {value}", rule.name));
    printer::tell(format_args!("    {DIM}{}, {app}{DIM:#}", place(rule.origin, file)));
}

fn place(origin: &Origin, file: &PolicyFile) -> String {
    match origin {
        Origin::File(at) => file.place(at.start),
        Origin::Helmet(at) => format!("helmet options, {}", file.place(at.start)),
        other => other.to_string(),
    }
}
