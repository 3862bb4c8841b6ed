//! How a body has to be read: its type, coding and charset.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::refusal::Refusal;

/// A reading of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Json,
    /// A form by its type, or whatever has no type or `text/plain`.
    Form,
    Multipart {
        boundary: String,
    },
}

/// Charsets in which ASCII is ASCII. Of their other letters there is one more reading at most.
const CHARSETS: [&str; 9] = ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso8859-1", "latin1", "iso-8859-15", "windows-1252"];

/// How a request's body is read.
pub(super) fn reading(headers: &HeaderMap) -> Result<Reading, Refusal> {
    let plain = |value: &HeaderValue| value.is_empty() || value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err(Refusal::Encoding);
    }
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let Some(line) = lines.next() else { return Ok(Reading::Form) };
    let (essence, parameters) = match (line.to_str(), lines.next()) {
        (Ok(line), None) => read_type(line).ok_or(Refusal::MediaType)?,
        _ => return Err(Refusal::MediaType),
    };
    check_charset(&parameters)?;
    let (kind, subtype) = essence.split_once('/').ok_or(Refusal::MediaType)?;
    match (kind, subtype) {
        ("application", "x-www-form-urlencoded") | ("text", "plain") => Ok(Reading::Form),
        ("multipart", "form-data") => boundary(&parameters).map(|boundary| Reading::Multipart { boundary }),
        (_, json) if json.contains("json") => Ok(Reading::Json),
        _ => Err(Refusal::MediaType),
    }
}

/// A media type without its parameters, in lower case, and its parameters; none if it is not as RFC 9110 8.3.1 has it.
pub(super) fn read_type(line: &str) -> Option<(String, Vec<(String, String)>)> {
    let (essence, rest) = line.split_at(line.find(';').unwrap_or(line.len()));
    let essence = essence.trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    (is_token(kind) && is_token(subtype)).then_some(())?;
    let parameters = parameters(rest)?;
    Some((essence, parameters))
}

/// Parameters from their first semicolon on, names in lower case. None if they are malformed: a name twice, an escape in a quoted
/// value, an apostrophe at the start of a value (PHP takes it for a quote).
pub(super) fn parameters(mut rest: &str) -> Option<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return Some(found);
        }
        rest = rest.strip_prefix(';')?.trim_start_matches([' ', '\t']);
        if rest.is_empty() || rest.starts_with(';') {
            continue;
        }
        let (name, behind) = rest.split_once('=')?;
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').filter(|(value, _)| !value.contains('\\'))?,
            None => {
                let end = behind.find([';', ' ', '\t']).unwrap_or(behind.len());
                Some(behind.split_at(end)).filter(|(value, _)| is_token(value) && !value.starts_with('\''))?
            }
        };
        let name = name.to_ascii_lowercase();
        if !is_token(&name) || found.iter().any(|(n, _)| *n == name) {
            return None;
        }
        found.push((name, value.to_owned()));
        rest = behind;
    }
}

/// The value of a parameter.
pub(super) fn parameter<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// Refuses charsets in which the letters of a name could be other bytes.
pub(super) fn check_charset(parameters: &[(String, String)]) -> Result<(), Refusal> {
    let Some(charset) = parameter(parameters, "charset") else { return Ok(()) };
    if is_charset(charset) { Ok(()) } else { Err(Refusal::Charset) }
}

/// Whether a charset's ASCII is ASCII.
pub(super) fn is_charset(name: &str) -> bool {
    CHARSETS.iter().any(|c| name.trim().eq_ignore_ascii_case(c))
}

/// The boundary, if all servers agree on it. PHP takes what follows the first `boundary` in the line, so there may be no parameter that
/// could hold one more.
fn boundary(parameters: &[(String, String)]) -> Result<String, Refusal> {
    let alone = parameters.iter().all(|(name, _)| matches!(name.as_str(), "boundary" | "charset"));
    // RFC 2046 5.1.1, without the characters at which some servers cut an unquoted one, and not of dashes alone.
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"'()+_-./=?".contains(&b);
    let boundary = parameter(parameters, "boundary").unwrap_or_default();
    let good = (1..=70).contains(&boundary.len()) && boundary.bytes().all(fits) && boundary.bytes().any(|b| b.is_ascii_alphanumeric());
    if alone && good { Ok(boundary.to_owned()) } else { Err(Refusal::Multipart) }
}

/// RFC 9110 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&'static str, &str)]) -> Result<Reading, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        reading(&headers)
    }

    #[test]
    fn types() {
        let of = |value: &str| read(&[("content-type", value)]);
        for json in [
            "application/json",
            "Application/JSON; charset=\"UTF-8\"",
            "application/vnd.api+json",
            "text/json;",
            "application/json ; charset=latin1",
        ] {
            assert_eq!(of(json), Ok(Reading::Json), "{json}");
        }
        assert_eq!(of("application/x-www-form-urlencoded;charset=UTF-8"), Ok(Reading::Form));
        assert_eq!(of("text/plain"), Ok(Reading::Form));
        assert_eq!(read(&[]), Ok(Reading::Form));
        let multipart = |boundary: &str| Ok(Reading::Multipart { boundary: boundary.to_owned() });
        assert_eq!(of("multipart/form-data; boundary=----WebKitFormBoundary7MA4"), multipart("----WebKitFormBoundary7MA4"));
        assert_eq!(of("multipart/form-data; boundary=\"a=b\""), multipart("a=b"));
        for odd in [
            "",
            "json",
            "application/xml",
            "application/",
            "*/*",
            "application/json, text/plain",
            "application/json; charset",
            "text/xml",
            "application/json; charset=utf-8; charset=utf-16",
            "application/octet-stream",
            "multipart/mixed; boundary=a",
            "application/json; a=\"\\\"\"",
        ] {
            assert_eq!(of(odd), Err(Refusal::MediaType), "{odd}");
        }
        for charset in ["utf-16", "utf-16le", "utf-7", "utf-32", "cp037", "x", "\"\""] {
            assert_eq!(of(&format!("application/json; charset={charset}")), Err(Refusal::Charset), "{charset}");
        }
        for boundary in [
            "x-boundary=a; boundary=b",
            "boundary=\"a b\"",
            "charset=utf-8",
            "boundary=\"a,b\"",
            "boundary=----",
            "boundary*=a",
            "x=\";boundary=a\"; boundary=b",
        ] {
            assert_eq!(of(&format!("multipart/form-data; {boundary}")), Err(Refusal::Multipart), "{boundary}");
        }
        assert_eq!(of("multipart/form-data; boundary=a; boundary=b"), Err(Refusal::MediaType));
        assert_eq!(of("multipart/form-data; boundary='a'"), Err(Refusal::MediaType));
        assert_eq!(read(&[("content-type", "text/plain"), ("content-type", "application/json")]), Err(Refusal::MediaType));
    }

    #[test]
    fn codings() {
        for coding in ["gzip", "br", "identity, gzip", "GZIP", "x"] {
            assert_eq!(read(&[("content-encoding", coding)]), Err(Refusal::Encoding), "{coding}");
        }
        assert_eq!(read(&[("content-encoding", "Identity")]), Ok(Reading::Form));
        assert_eq!(read(&[("content-encoding", "identity"), ("content-encoding", "gzip")]), Err(Refusal::Encoding));
    }
}
