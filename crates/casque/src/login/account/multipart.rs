//! multipart/form-data (RFC 7578), as browsers and client libraries write it.
//!
//! Servers disagree on nearly everything else: lone LF as line ends, text in front of the first boundary, spaces behind one, folded lines,
//! escapes, `name*`, apostrophes as quotes, parts within parts. All of that is refused, so there is one reading left.

use super::form::{decoded, go};
use super::media::{check_charset, is_charset, is_token, parameter, parameters, read_type};
use super::refusal::Refusal;
use super::walk::{Value, Walk};

/// Walks the parts that have a field's name, files too: some servers take a file without a name for a field.
pub(super) fn read(body: &[u8], boundary: &str, walk: &mut Walk<'_>) -> Result<(), Refusal> {
    let delimiter = format!("--{boundary}");
    let body = body.strip_prefix(b"\r\n").unwrap_or(body);
    let mut part_from = None;
    for at in memchr::memmem::find_iter(body, delimiter.as_bytes()) {
        let behind = body.get(at + delimiter.len()..).unwrap_or_default();
        match part_from {
            None if at > 0 => return Err(Refusal::Multipart),
            None => {}
            Some(from) => {
                let part = body.get(from..at).and_then(|part| part.strip_suffix(b"\r\n")).ok_or(Refusal::Multipart)?;
                read_part(part, walk)?;
            }
        }
        if let Some(epilogue) = behind.strip_prefix(b"--") {
            return if matches!(epilogue, b"" | b"\r\n") { walk.end() } else { Err(Refusal::Multipart) };
        }
        if !behind.starts_with(b"\r\n") {
            return Err(Refusal::Multipart);
        }
        part_from = Some(at + delimiter.len() + 2);
    }
    // It does not end: some servers take what came so far.
    Err(Refusal::Multipart)
}

fn read_part(part: &[u8], walk: &mut Walk<'_>) -> Result<(), Refusal> {
    let head = memchr::memmem::find(part, b"\r\n\r\n").ok_or(Refusal::Multipart)?;
    let (head, content) = (part.get(..head).unwrap_or_default(), part.get(head + 4..).unwrap_or_default());
    let name = name(head).ok_or(Refusal::Multipart)??;
    let is_charset_field = name == "_charset_";
    if is_charset_field && !std::str::from_utf8(content).is_ok_and(is_charset) {
        return Err(Refusal::Charset);
    }
    go(&name, walk)?;
    walk.value(Value::Text(content))?;
    walk.home();
    if name.contains('%') {
        go(&String::from_utf8_lossy(&decoded(name.as_bytes())), walk)?;
        walk.value(Value::Text(content))?;
        walk.home();
    }
    Ok(())
}

/// The field that a part's head names. None if the head is malformed, an error if the part is in an odd charset.
fn name(head: &[u8]) -> Option<Result<String, Refusal>> {
    let head = std::str::from_utf8(head).ok()?;
    let mut found = None;
    let mut seen: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        let (field, value) = line.split_once(':').filter(|(field, _)| is_token(field))?;
        let (field, value) = (field.to_ascii_lowercase(), value.trim_matches([' ', '\t']));
        if value.chars().any(|c| c.is_control() && c != '\t') || seen.contains(&field) || seen.len() == 8 {
            return None;
        }
        match field.as_str() {
            "content-disposition" => found = Some(disposition(value)?),
            "content-type" => {
                let (essence, parameters) = read_type(value).filter(|(essence, _)| !essence.starts_with("multipart/"))?;
                if essence.starts_with("message/") {
                    return None;
                }
                if let Err(refusal) = check_charset(&parameters) {
                    return Some(Err(refusal));
                }
            }
            "content-transfer-encoding" => {
                ["7bit", "8bit", "binary"].iter().any(|plain| value.eq_ignore_ascii_case(plain)).then_some(())?;
            }
            _ => {}
        }
        seen.push(field);
    }
    found.map(Ok)
}

/// The `name` of `form-data; name="…"`.
fn disposition(value: &str) -> Option<String> {
    let (kind, rest) = value.split_at(value.find(';')?);
    kind.trim().eq_ignore_ascii_case("form-data").then_some(())?;
    if rest.contains('\\') {
        return None;
    }
    let parameters = parameters(rest)?;
    parameters.iter().all(|(name, _)| matches!(name.as_str(), "name" | "filename" | "filename*")).then_some(())?;
    parameter(&parameters, "name").map(str::to_owned)
}
