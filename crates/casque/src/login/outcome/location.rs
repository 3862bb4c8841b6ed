//! Where an answer redirects to.

use http::header::LOCATION;

use super::Answer;
use crate::path::{Pattern, normalize};

/// A redirect's target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    /// The host in lower case with its port, if the target names one.
    pub(super) host: Option<String>,
    /// The path in normal form.
    pub(super) path: String,
    /// What follows the path, in lower case: query and fragment.
    pub(super) rest: String,
}

impl Redirect {
    /// None if the answer is no redirect, or has no target, or two.
    pub(super) fn of(answer: Answer<'_>) -> Option<Self> {
        if !matches!(answer.status.as_u16(), 201 | 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let mut lines = answer.headers.get_all(LOCATION).iter();
        let line = lines.next().filter(|_| lines.next().is_none())?;
        // Browsers drop tabs and read `\` as `/` (WHATWG URL 4.4).
        let target: String = std::str::from_utf8(line.as_bytes()).ok()?.trim().replace('\t', "").replace('\\', "/");
        Some(Self::read(&target, answer.path))
    }

    pub(super) fn read(target: &str, from: &str) -> Self {
        let (scheme, rest) = match target.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, target),
        };
        let (host, target) = match (scheme, rest.strip_prefix("//")) {
            (_, Some(rest)) => {
                let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                (Some(host.to_ascii_lowercase()), if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
            }
            // `app:callback`: nothing of ours.
            (Some(scheme), None) if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") => {
                (Some(format!("{}:", scheme.to_ascii_lowercase())), format!("/{rest}"))
            }
            (_, None) => (None, rest.to_owned()),
        };
        let (path, rest) = target.split_at(target.find(['?', '#']).unwrap_or(target.len()));
        let from = from.split(['?', '#']).next().unwrap_or("");
        let path = match path {
            "" => normalize(from).into_owned(),
            path if path.starts_with('/') => normalize(path).into_owned(),
            // Relative to the folder of what was asked.
            path => normalize(&format!("{}/{path}", from.rsplit_once('/').map_or("", |(folder, _)| folder))).into_owned(),
        };
        Self { host, path, rest: rest.to_lowercase() }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// A redirect's place as it is written in signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    host: Option<String>,
    path: Pattern,
}

impl Place {
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let address = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://"));
        let (host, path) = match address {
            Some(address) => {
                let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
                if host.is_empty() {
                    return Err("must name a host between `//` and the path".to_owned());
                }
                (Some(host.to_ascii_lowercase()), if path.is_empty() { "/*" } else { path })
            }
            None => (None, written),
        };
        if path.contains(['?', '#']) {
            return Err("must be a path without query and fragment".to_owned());
        }
        Ok(Self { host, path: Pattern::parse(path)? })
    }

    pub(super) fn fits(&self, redirect: &Redirect) -> bool {
        self.host.as_ref().is_none_or(|host| redirect.host.as_ref() == Some(host)) && self.path.matches(&redirect.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        for (target, from, host, path, rest) in [
            ("/Account/", "/login", None, "/account", ""),
            ("account?x=1", "/a/login", None, "/a/account", "?x=1"),
            ("", "/login?next=/", None, "/login", ""),
            ("?Error", "/login", None, "/login", "?error"),
            ("#x", "/login/", None, "/login", "#x"),
            ("https://Shop.example:8443/login", "/x", Some("shop.example:8443"), "/login", ""),
            ("//evil.example", "/x", Some("evil.example"), "/", ""),
            ("https://u:p@shop.example?e", "/x", Some("shop.example"), "/", "?e"),
            ("http:/login", "/x", None, "/login", ""),
            ("../login", "/a/b/c", None, "/a/login", ""),
            ("app:done", "/x", Some("app:"), "/done", ""),
            ("app://done/x", "/x", Some("done"), "/x", ""),
            ("/a:b", "/x", None, "/a:b", ""),
        ] {
            let redirect = Redirect::read(target, from);
            assert_eq!((redirect.host.as_deref(), &*redirect.path, &*redirect.rest), (host, path, rest), "{target}");
        }
    }

    #[test]
    fn places() {
        let fits = |place: &str, target: &str| Place::parse(place).unwrap().fits(&Redirect::read(target, "/login"));
        assert!(fits("/login", "https://inner:3000/LOGIN/?a") && fits("/login", "?e") && !fits("/login", "/login/x"));
        assert!(fits("https://sso.example/*", "//sso.example/x") && !fits("https://sso.example", "/x"));
        for wrong in ["login", "/login?x", "https:///x", "/l*n"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
