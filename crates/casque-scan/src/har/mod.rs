//! Recordings of browsers (HAR 1.2), one [`Capture`] for each site in them.
//!
//! A recording is text that sites had a hand in: every address, header and body in it is hostile. What is kept is bounded: files
//! up to [`MAX_BYTES`], [`MAX_ENTRIES`] entries, [`MAX_SITES`] sites, bodies of pages only and up to 2 MiB each. Members that are
//! not needed are skipped without being stored, however deep they are.

mod file;

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use self::file::{Field, File, Indexed};
use crate::address::Address;
use crate::capture::{Capture, Hop, Other, Role, Source};
use crate::exchange::Exchange;
use crate::raw::{MAX_BODY, MAX_FIELDS};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 128 * 1024 * 1024;
/// How many entries are looked at; those after are left out, and the report says so.
pub const MAX_ENTRIES: usize = 10_000;
/// How many sites are graded.
pub const MAX_SITES: usize = 50;
/// How many other responses of one site are kept.
const MAX_OTHERS: usize = 500;
/// How long a chain of redirects is followed.
const MAX_HOPS: usize = 20;

/// Why a file is no recording that can be graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HarError {
    /// It is larger than [`MAX_BYTES`]; its size in bytes.
    TooLarge(usize),
    /// It is no JSON, or not of a HAR file's form.
    Form {
        /// The line, counted from 1; 0 when unknown.
        line: usize,
        /// The column, counted from 1; 0 when unknown.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// It has no response of an http or https address.
    Empty,
}

impl fmt::Display for HarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(size) => {
                write!(f, "{size} bytes are too many: at most {MAX_BYTES} are read; record again without the bodies of images")
            }
            Self::Form { line, column, message } => write!(f, "not a HAR file: line {line}, column {column}: {message}"),
            Self::Empty => f.write_str("the recording has no response of an http or https address; record with the page loading"),
        }
    }
}

impl std::error::Error for HarError {}

/// Reads a recording: one capture for each host that gave a page, in their order; if none gave one, for each host.
///
/// # Errors
/// [`HarError`] names the place in the file.
pub fn captures(bytes: &[u8]) -> Result<Vec<Capture>, HarError> {
    if bytes.len() > MAX_BYTES {
        return Err(HarError::TooLarge(bytes.len()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: File<'_> = serde_json::from_slice(bytes).map_err(|e| form(&e))?;
    let entries: Vec<Read<'_>> = file.log.entries.kept.into_iter().filter_map(read).collect();
    let mut hosts: Vec<String> = Vec::new();
    let any_page = entries.iter().any(Read::is_page);
    for entry in entries.iter().filter(|e| e.is_page() || !any_page) {
        let site = entry.address.site();
        if !hosts.contains(&site) && hosts.len() < MAX_SITES {
            hosts.push(site);
        }
    }
    if hosts.is_empty() {
        return Err(HarError::Empty);
    }
    let mut captures: Vec<Capture> = hosts.iter().map(|site| gather(site, &entries)).collect();
    if file.log.entries.left_out > 0 {
        let note = format!("{} entries of the recording: only the first {MAX_ENTRIES} are read", file.log.entries.left_out);
        captures.iter_mut().for_each(|c| c.notes.push(note.clone()));
    }
    Ok(captures)
}

fn form(error: &serde_json::Error) -> HarError {
    let text = error.to_string();
    // The place is told apart from the message.
    let message = text.split(" at line ").next().unwrap_or_default();
    let message: String = message.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(200).collect();
    HarError::Form { line: error.line(), column: error.column(), message }
}

/// One site out of all entries.
fn gather(site: &str, entries: &[Read<'_>]) -> Capture {
    let mut capture = Capture { source: Source::Recording, ..Capture::default() };
    let own: Vec<&Read<'_>> = entries.iter().filter(|e| e.address.site() == site).collect();
    let page = own.iter().copied().find(|e| e.is_page()).or_else(|| own.first().copied());
    let mut used: Vec<usize> = Vec::new();
    if let Some(page) = page {
        capture.host.clone_from(&page.address.host);
        capture.port = page.address.port;
        used.push(page.index);
        if page.address.https {
            capture.https = Some(page.exchange(true));
        } else {
            capture.http = Some(page.exchange(true));
        }
    }
    if let Some(first) = own.iter().find(|e| !e.address.https && e.is_navigation()) {
        let last = follow(first, entries, &mut capture.redirects);
        capture.http.get_or_insert_with(|| last.exchange(true));
        used.push(first.index);
    }
    for entry in own {
        entry.exchange(false).fill(&mut capture.cookies);
        if used.contains(&entry.index) {
            continue;
        }
        if entry.method == "OPTIONS" && entry.has_origin() {
            capture.preflight.get_or_insert_with(|| entry.exchange(false));
        } else if capture.others.len() < MAX_OTHERS {
            let role = entry.role();
            capture.others.push(Other { role, exchange: entry.exchange(role == Role::SecurityTxt) });
        }
    }
    capture
}

/// Walks the redirects that start here, as far as the recording has them, and gives the response they end at.
fn follow<'e>(first: &'e Read<'e>, entries: &'e [Read<'e>], hops: &mut Vec<Hop>) -> &'e Read<'e> {
    let mut last = first;
    loop {
        hops.push(Hop { url: last.address.to_string(), status: last.status });
        let next = last.location().and_then(|to| entries.iter().find(|e| e.index > last.index && e.address == to));
        match next {
            Some(next) if hops.len() < MAX_HOPS => last = next,
            _ => return last,
        }
    }
}

impl Address {
    /// What one capture is about: the host, and the port if it is a port of its own.
    fn site(&self) -> String {
        self.authority()
    }
}

/// An entry that is a response from the web.
struct Read<'a> {
    index: usize,
    address: Address,
    method: String,
    status: u16,
    request_headers: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<(Cow<'a, str>, bool)>,
}

fn read(entry: Indexed<'_>) -> Option<Read<'_>> {
    let Indexed(index, entry) = entry;
    let status = u16::try_from(entry.response.status).ok().filter(|s| (100..600).contains(s))?;
    let address = Address::parse(&entry.request.url)?;
    let content = entry.response.content;
    let base64 = content.encoding.as_deref().is_some_and(|e| e.eq_ignore_ascii_case("base64"));
    let origin = |(name, _): &(String, String)| name.eq_ignore_ascii_case("origin");
    Some(Read {
        index,
        address,
        method: entry.request.method.chars().take(20).collect::<String>().to_ascii_uppercase(),
        status,
        request_headers: lines(entry.request.headers).into_iter().filter(origin).collect(),
        headers: lines(entry.response.headers),
        body: content.text.map(|text| (text, base64)),
    })
}

/// Header fields as they were: browsers join several lines of one name by line breaks, and add names that start with a colon.
fn lines(fields: Vec<Field<'_>>) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for field in fields.into_iter().filter(|f| !f.name.starts_with(':')) {
        for value in field.value.split('\n') {
            if lines.len() == MAX_FIELDS {
                return lines;
            }
            lines.push((field.name.clone().into_owned(), value.trim_matches([' ', '\t', '\r']).to_owned()));
        }
    }
    lines
}

impl Read<'_> {
    fn exchange(&self, with_body: bool) -> Exchange {
        let (body, truncated) = if with_body { self.decoded() } else { (Vec::new(), false) };
        Exchange {
            url: self.address.to_string(),
            method: self.method.clone(),
            request_headers: self.request_headers.clone(),
            // A browser sends cookies with everything, so they say little of what an answer is about.
            credentials: Vec::new(),
            status: self.status,
            headers: self.headers.clone(),
            body,
            truncated,
            // A browser shows no page whose certificate it does not accept, unless its user insisted.
            verified: self.address.https,
        }
    }

    fn decoded(&self) -> (Vec<u8>, bool) {
        let Some((text, base64)) = &self.body else { return (Vec::new(), false) };
        if *base64 {
            // Four letters are three bytes; a cut at a multiple of four can be decoded by itself.
            let cut = text.len().min(MAX_BODY / 3 * 4 / 4 * 4);
            let start = text.as_bytes().get(..cut).unwrap_or_default();
            return (STANDARD.decode(start).unwrap_or_default(), cut < text.len());
        }
        let cut = text.len().min(MAX_BODY);
        (text.as_bytes()[..cut].to_vec(), cut < text.len())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    fn media_type(&self) -> String {
        self.value("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    fn is_html(&self) -> bool {
        matches!(self.media_type().as_str(), "text/html" | "application/xhtml+xml")
    }

    /// A page that somebody looked at: HTML, neither a redirect nor an error.
    fn is_page(&self) -> bool {
        self.method == "GET" && self.is_html() && ((200..300).contains(&self.status) || matches!(self.status, 401 | 403))
    }

    /// What leads to a page: one, or a redirect that is no resource of another page.
    fn is_navigation(&self) -> bool {
        self.method == "GET" && (self.is_page() || (300..400).contains(&self.status) && self.status != 304)
    }

    fn location(&self) -> Option<Address> {
        if !(300..400).contains(&self.status) {
            return None;
        }
        self.address.join(self.value("location")?)
    }

    fn has_origin(&self) -> bool {
        !self.request_headers.is_empty()
    }

    fn role(&self) -> Role {
        let path = self.address.path.split('?').next().unwrap_or_default();
        let media_type = self.media_type();
        let is_static = ["image/", "font/", "text/css", "text/javascript", "application/javascript", "application/x-javascript"];
        match path {
            "/.well-known/security.txt" => Role::SecurityTxt,
            "/robots.txt" => Role::Robots,
            _ if self.is_html() && self.status >= 400 => Role::ErrorPage,
            _ if self.status == 200 && is_static.iter().any(|t| media_type.starts_with(t)) => Role::Static,
            _ => Role::Recorded,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn entry(method: &str, url: &str, status: i64, headers: &[(&str, &str)], text: &str) -> Value {
        let headers: Vec<Value> = headers.iter().map(|(n, v)| json!({"name": n, "value": v})).collect();
        json!({
            "request": {"method": method, "url": url, "headers": [{"name": "Origin", "value": "https://a.example"}], "cookies": []},
            "response": {"status": status, "headers": headers, "content": {"text": text, "size": 1}},
            "timings": {"wait": 1.5},
        })
    }

    fn har(entries: &[Value]) -> Vec<u8> {
        json!({"log": {"version": "1.2", "entries": entries}}).to_string().into_bytes()
    }

    const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");

    #[test]
    fn each_site_with_a_page_is_one_capture() {
        let found = captures(&har(&[
            entry("GET", "http://shop.example/", 301, &[("Location", "https://shop.example/")], ""),
            entry("GET", "https://shop.example/", 200, &[HTML, ("Set-Cookie", "a=1\nb=2"), (":status", "200")], "<p>hi"),
            entry("GET", "https://cdn.example/x.js", 200, &[("content-type", "text/javascript")], "1"),
            entry("GET", "https://shop.example/app.css", 200, &[("content-type", "text/css")], "p{}"),
            entry("OPTIONS", "https://shop.example/api", 204, &[], ""),
            entry("GET", "https://shop.example/gone", 404, &[HTML], "gone"),
            entry("GET", "https://blog.example/", 200, &[HTML], "blog"),
            entry("GET", "https://failed.example/", 0, &[], ""),
            entry("GET", "chrome-extension://x/y.js", 200, &[], ""),
        ]))
        .unwrap();
        assert_eq!(found.iter().map(|c| c.host.as_str()).collect::<Vec<_>>(), ["shop.example", "blog.example"]);
        let shop = &found[0];
        let page = shop.https.as_ref().unwrap();
        assert_eq!((page.status, page.body.as_slice(), page.verified), (200, &b"<p>hi"[..], true));
        assert_eq!(page.values("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(page.headers.len(), 3);
        assert_eq!(shop.cookies.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(shop.redirects.iter().map(|h| h.status).collect::<Vec<_>>(), [301, 200]);
        assert!(shop.preflight.is_some());
        assert_eq!(shop.others.iter().map(|o| o.role).collect::<Vec<_>>(), [Role::Static, Role::ErrorPage]);
    }

    #[test]
    fn bodies_in_base64_are_decoded() {
        let mut page = entry("GET", "https://shop.example/", 200, &[HTML], "PHA+aGk8L3A+");
        page["response"]["content"]["encoding"] = json!("base64");
        assert_eq!(captures(&har(&[page.clone()])).unwrap()[0].https.as_ref().unwrap().body, b"<p>hi</p>");
        page["response"]["content"]["text"] = json!("no base64 at all");
        assert_eq!(captures(&har(&[page])).unwrap()[0].https.as_ref().unwrap().body, b"");
    }

    #[test]
    fn a_recording_of_an_api_alone_is_graded_too() {
        let found =
            captures(&har(&[entry("POST", "http://127.0.0.1:3000/api", 500, &[("content-type", "application/json")], "{}")])).unwrap();
        assert_eq!((found[0].host.as_str(), found[0].port, found[0].http.as_ref().unwrap().status), ("127.0.0.1", Some(3000), 500));
    }

    #[test]
    fn what_is_no_recording_is_told_with_its_place() {
        let wrong = |text: &str| captures(text.as_bytes()).unwrap_err();
        assert_eq!(
            wrong("{\"log\":\n  {\"entries\": 5}}"),
            HarError::Form { line: 2, column: 15, message: "invalid type: integer `5`, expected the array of entries".to_owned() }
        );
        assert!(matches!(wrong("<html>"), HarError::Form { line: 1, column: 1, .. }));
        assert!(matches!(wrong("{}"), HarError::Form { .. }));
        assert_eq!(wrong("{\"log\":{\"entries\":[]}}"), HarError::Empty);
        let deep = format!("{{\"x\":{}", "[".repeat(1_000_000));
        assert!(matches!(wrong(&deep), HarError::Form { .. }));
        let terminal = "{\"log\":{\"entries\":\"\\u001b]0;owned\\u0007\"}}";
        assert!(!wrong(terminal).to_string().contains(['\u{1b}', '\u{7}']));
    }

    #[test]
    fn more_than_enough_entries_are_counted_not_kept() {
        let one = entry("GET", "https://shop.example/", 200, &[HTML], "x");
        let found = captures(&har(&vec![one; MAX_ENTRIES + 7])).unwrap();
        assert_eq!(found[0].notes, ["7 entries of the recording: only the first 10000 are read"]);
        assert_eq!(found[0].others.len(), MAX_OTHERS);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}", url in "(https?://)?.{0,30}", status in any::<i64>(), location in ".{0,30}") {
            let _ = captures(text.as_bytes());
            let _ = captures(&har(&[entry("GET", &url, status, &[HTML, ("Location", &location)], &text)]));
        }
    }
}
