//! Responses as they are on the wire, or as `curl -si` prints them: heads and a body.
//!
//! Everything in one is hostile: it came from the site. A head is at most [`MAX_HEAD`] bytes and [`MAX_FIELDS`] lines, a body is
//! kept up to [`MAX_BODY`]. A line that is no header field is left out rather than guessed at.

use std::fmt;

use crate::capture::{Capture, Source};
use crate::exchange::Exchange;

/// The longest head that is read, in bytes.
pub const MAX_HEAD: usize = 256 * 1024;
/// How many header fields of one response are kept.
pub const MAX_FIELDS: usize = 500;
/// How much of a body is kept, in bytes.
pub const MAX_BODY: usize = 2 * 1024 * 1024;
/// How many heads may come before the last: those of redirects, proxies and 1xx.
const MAX_HEADS: usize = 50;

/// Why bytes are no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: &'static str,
}

impl fmt::Display for RawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for RawError {}

/// Reads what `curl -si URL` or `curl -siL URL` printed. With several heads one after another, the last is the page.
///
/// Nothing in it says where it came from, so whatever depends on the way there (https, redirects, the certificate) is left open.
///
/// # Errors
/// When the first line is no status line, or a head does not end within [`MAX_HEAD`] bytes.
pub fn capture(bytes: &[u8]) -> Result<Capture, RawError> {
    let mut rest = bytes;
    let mut line = 1;
    for _ in 0..MAX_HEADS {
        let (mut exchange, after, lines) = head(rest, line)?;
        // curl prints the heads of 1xx, of redirects and of a proxy's answer to CONNECT one after another, without their bodies.
        let connected = exchange.status == 200 && exchange.values("content-type").next().is_none();
        if after.starts_with(b"HTTP/") && (matches!(exchange.status, 100..=199 | 300..=399) || connected) {
            rest = after;
            line += lines;
            continue;
        }
        exchange.truncated = after.len() > MAX_BODY;
        exchange.body = after[..after.len().min(MAX_BODY)].to_vec();
        exchange.verified = true;
        return Ok(Capture { https: Some(exchange), source: Source::Response, ..Capture::default() });
    }
    Err(RawError { line, message: "more than 50 response heads follow one another" })
}

/// One head: the exchange, what follows it, and how many lines it took.
fn head(bytes: &[u8], line: usize) -> Result<(Exchange, &[u8], usize), RawError> {
    let mut rest = bytes;
    let mut lines = 0;
    let mut exchange = Exchange::default();
    loop {
        let read = bytes.len() - rest.len();
        let Some(end) = rest.iter().take(MAX_HEAD.saturating_sub(read)).position(|b| *b == b'\n') else {
            if read + rest.len() > MAX_HEAD {
                return Err(RawError { line: line + lines, message: "the head is longer than 256 KiB" });
            }
            // A head alone, without its empty line: `curl -sI`, cut off by an editor.
            push(&mut exchange, rest, lines, line)?;
            return Ok((exchange, &[], lines + 1));
        };
        let text = &rest[..end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        rest = &rest[end + 1..];
        if text.is_empty() && lines > 0 {
            return Ok((exchange, rest, lines + 1));
        }
        push(&mut exchange, text, lines, line)?;
        lines += 1;
    }
}

fn push(exchange: &mut Exchange, text: &[u8], index: usize, first_line: usize) -> Result<(), RawError> {
    if index == 0 {
        exchange.status = status(text).ok_or(RawError {
            line: first_line,
            message: "expected the head of a response, such as `HTTP/1.1 200 OK` (print one with `curl -si URL`)",
        })?;
        return Ok(());
    }
    let text = String::from_utf8_lossy(text);
    if let Some((name, value)) = text.split_once(':')
        && !name.is_empty()
        && !name.contains(|c: char| c.is_ascii_whitespace())
        && exchange.headers.len() < MAX_FIELDS
    {
        exchange.headers.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
    Ok(())
}

fn status(line: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(line).ok()?;
    let mut words = text.strip_prefix("HTTP/")?.split(' ');
    let version = words.next()?;
    if !version.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let code = words.next()?;
    (code.len() == 3).then(|| code.parse().ok()).flatten().filter(|c| (100..600).contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(text: &str) -> Exchange {
        capture(text.as_bytes()).unwrap().https.unwrap()
    }

    #[test]
    fn what_curl_prints_is_read() {
        let page = page("HTTP/2 200 \r\ncontent-type: text/html\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n<p>\r\n\r\nhi");
        assert_eq!(page.status, 200);
        assert_eq!(page.values("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(page.body, b"<p>\r\n\r\nhi");
    }

    #[test]
    fn the_last_of_several_heads_is_the_page() {
        let text = "HTTP/1.1 301 Moved\r\nLocation: /x\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-B: 2\r\n\r\nbody";
        let page = page(text);
        assert_eq!((page.status, page.values("x-a").count(), page.values("x-b").count()), (200, 0, 1));
        // A page whose body happens to begin so, after an answer that is final, stays a page.
        assert_eq!(capture(b"HTTP/1.1 404 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").unwrap().https.unwrap().status, 404);
    }

    #[test]
    fn what_is_no_response_is_told_with_its_line() {
        assert_eq!(capture(b"<html>").unwrap_err().line, 1);
        assert_eq!(capture(b"").unwrap_err().line, 1);
        assert_eq!(capture(b"HTTP/1.1 301 x\n\nHTTP/1.1 x\n\n").unwrap_err().line, 3);
        assert_eq!(capture(b"HTTP/1.1 99999 x\n\n").unwrap_err().line, 1);
        let mut long = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
        long.resize(MAX_HEAD + 100, b'a');
        assert_eq!(capture(&long).unwrap_err().line, 2);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), start in prop::bool::ANY) {
            let mut text = if start { b"HTTP/1.1 200 OK\r\n".to_vec() } else { Vec::new() };
            text.extend(bytes);
            let _ = capture(&text);
        }
    }
}
