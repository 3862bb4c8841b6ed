//! One line of an access log: casque's own, as text or JSON, and the common and combined formats of Apache and nginx.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

/// What a line tells.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// A request.
    Request(Request),
    /// Nothing.
    Empty,
    /// That something was asked which is no HTTP request.
    NoRequest,
    /// A request of nobody whose address is known.
    NoAddress,
    /// That casque could not log so many lines.
    Lost(u64),
    /// It is of none of these formats; why.
    Unreadable(&'static str),
}

/// A request as it was logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// When it came, since 1970; where only the end of its answer was logged with no duration, that.
    pub at: Duration,
    /// Whether the time is known to the second only.
    pub whole_seconds: bool,
    /// Who asked.
    pub client: IpAddr,
    /// How.
    pub method: Method,
    /// For what, without the query.
    pub path: String,
    /// Whether it was answered before any limit was asked.
    pub ended_before: bool,
}

/// casque's JSON, as far as it counts here.
#[derive(Deserialize)]
struct Own<'l> {
    #[serde(borrow)]
    time: Cow<'l, str>,
    #[serde(borrow)]
    client: Option<Cow<'l, str>>,
    #[serde(borrow)]
    method: Option<Cow<'l, str>>,
    #[serde(borrow)]
    path: Option<Cow<'l, str>>,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    ms: f64,
    #[serde(borrow, rename = "cross-site")]
    cross_site: Option<Cow<'l, str>>,
    #[serde(rename = "lost-lines")]
    lost: Option<u64>,
}

impl Line {
    /// Reads a line without its end.
    #[must_use]
    pub fn parse(line: &[u8]) -> Self {
        let line = line.trim_ascii();
        let Ok(text) = std::str::from_utf8(line) else { return Self::Unreadable("no UTF-8") };
        match text.bytes().next() {
            None => Self::Empty,
            Some(b'{') => own_json(text),
            Some(_) if text.contains('"') && !text.split(' ').next().is_some_and(|first| first.contains('T')) => combined(text),
            Some(_) => own_text(text),
        }
    }
}

fn own_json(text: &str) -> Line {
    let Ok(own) = serde_json::from_str::<Own<'_>>(text) else { return Line::Unreadable("not casque's JSON") };
    let Some(at) = moment(&own.time) else { return Line::Unreadable("no time as casque writes it") };
    if let Some(lost) = own.lost {
        return Line::Lost(lost);
    }
    let (Some(method), Some(path)) = (own.method, own.path) else { return Line::Unreadable("neither method nor path") };
    let took = Duration::try_from_secs_f64(own.ms / 1000.0).unwrap_or_default();
    let ended_before = own.cross_site.is_some() && own.status == 403;
    request(own.client.as_deref(), &method, &path, at.saturating_sub(took), false, ended_before)
}

/// `TIME CLIENT METHOD PATH STATUS 12B 3ms ...`
fn own_text(text: &str) -> Line {
    const WHAT: &str = "neither casque's log nor the common or combined format";
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap_or("");
    let Some(at) = moment(next()) else { return Line::Unreadable(WHAT) };
    let client = next();
    if let Some(lost) = text.ends_with("lines were lost: the log is read too slowly").then(|| client.parse().ok()).flatten() {
        return Line::Lost(lost);
    }
    let (method, path, status) = (next(), next(), next());
    let took = [next(), next()][1].strip_suffix("ms").and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
    let (Some(took), true) = (took, status.parse::<u16>().is_ok()) else { return Line::Unreadable(WHAT) };
    let ended_before = status == "403" && text.contains(" cross-site=");
    request(Some(client), method, path, at.saturating_sub(took), false, ended_before)
}

/// `HOST IDENT USER [TIME] "METHOD TARGET VERSION" STATUS BYTES ...`
///
/// A user's name may hold spaces and brackets, but no quote that is not escaped: the request is between the first two, and the
/// time right before it.
fn combined(text: &str) -> Line {
    const WHAT: &str = "neither the common nor the combined format";
    let Some((before, rest)) = text.split_once('"') else { return Line::Unreadable(WHAT) };
    let time = before.strip_suffix("] ").and_then(|b| b.rsplit_once('[')).map(|(_, time)| time);
    let Some(at) = time.and_then(common_time) else { return Line::Unreadable(WHAT) };
    let Some(asked) = unescaped(rest) else { return Line::Unreadable(WHAT) };
    let mut words = asked.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Line::NoRequest;
    };
    if !version.starts_with("HTTP/") {
        return Line::NoRequest;
    }
    request(before.split(' ').next(), method, target, at, true, false)
}

/// What stands before the next quote, its escapes undone as Apache and nginx write them.
fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    loop {
        match bytes.next()? {
            b'"' => return Some(String::from_utf8_lossy(&out).into_owned()),
            b'\\' => match bytes.next()? {
                b'x' => {
                    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
                    let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                    out.push(high << 4 | low);
                }
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}

fn request(client: Option<&str>, method: &str, target: &str, at: Duration, whole_seconds: bool, ended_before: bool) -> Line {
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return Line::NoRequest };
    let path = target.split(['?', '#']).next().unwrap_or("");
    // The absolute form of a target (RFC 9112 3.2.2).
    let path = match path.split_once("://") {
        Some((_, rest)) if !path.starts_with('/') => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"),
        _ => path,
    };
    if !path.starts_with('/') && path != "*" {
        return Line::NoRequest;
    }
    let Some(client) = client.and_then(|client| client.parse().ok()) else { return Line::NoAddress };
    Line::Request(Request { at, whole_seconds, client, method, path: path.to_owned(), ended_before })
}

/// `10/Oct/2026:13:55:36 -0700`
fn common_time(text: &str) -> Option<Duration> {
    let time = jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?.to_timestamp().ok()?;
    since_1970(time)
}

/// `2026-10-10T13:55:36.123Z`
fn moment(text: &str) -> Option<Duration> {
    since_1970(text.parse().ok()?)
}

/// No log is older than the web, and none will be read after 2100: the limiter's clock reaches a little further.
fn since_1970(time: Timestamp) -> Option<Duration> {
    let since = Duration::try_from(time.as_duration()).ok()?;
    (since.as_secs() < 4_102_444_800).then_some(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        match Line::parse(line.as_bytes()) {
            Line::Request(r) => format!("{:?} {} {} {}", r.at, r.client, r.method, r.path),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_format_tells_the_same() {
        let same = "1700000000s 192.0.2.1 POST /login";
        for line in [
            "{\"time\":\"2023-11-14T22:13:20.500Z\",\"client\":\"192.0.2.1\",\"method\":\"POST\",\"path\":\"/login\",\"status\":200,\"bytes\":5,\"ms\":500.0,\"complete\":true}",
            "2023-11-14T22:13:20.500Z 192.0.2.1 POST /login 200 5B 500ms id=00ff limited=login",
            "192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"POST /login?next=%2F HTTP/1.1\" 200 5",
            "192.0.2.1 - al [ice] [14/Nov/2023:23:13:20 +0100] \"POST http://a/login HTTP/1.1\" 200 5 \"https://ref/\" \"agent \\\" x\"",
            "192.0.2.1 - [01/Jan/2001:00:00:00 +0000] x [14/Nov/2023:22:13:20 +0000] \"POST /login HTTP/1.0\" 200 -",
        ] {
            assert_eq!(told(line), same, "{line}");
        }
    }

    #[test]
    fn what_is_no_request_is_told_apart_from_what_cannot_be_read() {
        for (line, other) in [
            ("", "Empty"),
            ("192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"\\x16\\x03\\x01\" 400 150", "NoRequest"),
            ("192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"-\" 408 0", "NoRequest"),
            ("192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"GET / x HTTP/1.1\" 400 0", "NoRequest"),
            ("192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"CONNECT a:443 HTTP/1.1\" 400 0", "NoRequest"),
            ("a.example - - [14/Nov/2023:22:13:20 +0000] \"GET / HTTP/1.1\" 200 0", "NoAddress"),
            ("2023-11-14T22:13:20.500Z - GET / 200 5B 5ms", "NoAddress"),
            ("2023-11-14T22:13:20.500Z 7 lines were lost: the log is read too slowly", "Lost(7)"),
            ("{\"time\":\"2023-11-14T22:13:20.500Z\",\"lost-lines\":9}", "Lost(9)"),
        ] {
            assert_eq!(told(line), other, "{line}");
        }
        for line in [
            "nonsense",
            "{\"time\":1}",
            "{\"time\":\"yesterday\",\"method\":\"GET\",\"path\":\"/\"}",
            "{\"time\":\"2023-11-14T22:13:20Z\"}",
            "192.0.2.1 - - [14/Nov/2023] \"GET / HTTP/1.1\" 200 0",
            "192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"GET / HTTP/1.1",
            "192.0.2.1 - - [14/Nov/9999:22:13:20 +0000] \"GET / HTTP/1.1\" 200 0",
            "2023-11-14T22:13:20.500Z 192.0.2.1 GET /",
        ] {
            assert!(told(line).starts_with("Unreadable"), "{line}: {}", told(line));
        }
        assert_eq!(Line::parse(b"\xff\xfe"), Line::Unreadable("no UTF-8"));
    }

    #[test]
    fn what_ended_before_the_limits_is_known_where_it_was_logged() {
        let before = |line: &str| matches!(Line::parse(line.as_bytes()), Line::Request(r) if r.ended_before);
        assert!(before("2023-11-14T22:13:20.500Z 192.0.2.1 GET / 403 5B 5ms cross-site=navigate"));
        assert!(!before("2023-11-14T22:13:20.500Z 192.0.2.1 GET / 200 5B 5ms cross-site=navigate"));
        assert!(before(
            "{\"time\":\"2023-11-14T22:13:20.500Z\",\"client\":\"192.0.2.1\",\"method\":\"GET\",\"path\":\"/\",\"status\":403,\"cross-site\":\"x\"}"
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(bytes: Vec<u8>, text: String, user in "\\PC{0,20}", target in "\\PC{0,40}") {
            let _ = (Line::parse(&bytes), Line::parse(text.as_bytes()));
            let line = format!("::1 - {user} [14/Nov/2023:22:13:20 +0000] \"GET {target} HTTP/1.1\" 200 0");
            let _ = Line::parse(line.as_bytes());
            let _ = Line::parse(format!("{{\"time\":\"2023-11-14T22:13:20Z\",\"path\":\"{target}\",\"ms\":1e999}}").as_bytes());
        }
    }
}
