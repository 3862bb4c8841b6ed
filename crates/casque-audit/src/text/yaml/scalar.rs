//! Scalars and keys of YAML, each from one place of the text to another.

use std::borrow::Cow;

use super::super::{Result, fault};

/// A `#` begins a comment at a line's start and after a blank.
pub(super) fn is_comment(text: &str, at: usize) -> bool {
    at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b'\n' | b'\t')
}

/// A key on one line, up to its colon.
pub(super) fn key(text: &str, at: usize, flow: bool) -> Result<(Cow<'_, str>, usize)> {
    let (name, end) = match text.as_bytes().get(at) {
        Some(b'\'' | b'"') => inline(text, at, flow)?,
        _ => plain(text, at, flow, true)?,
    };
    let spaces = text.as_bytes()[end..].iter().take_while(|b| **b == b' ').count();
    Ok((name, end + spaces))
}

/// A scalar on one line.
pub(super) fn inline(text: &str, at: usize, flow: bool) -> Result<(Cow<'_, str>, usize)> {
    match text.as_bytes().get(at) {
        Some(b'\'') => single(text, at),
        Some(b'"') => double(text, at),
        _ => plain(text, at, flow, false),
    }
}

/// Whether a colon at this offset ends a key rather than being part of one.
fn ends_key(bytes: &[u8], colon: usize, flow: bool) -> bool {
    bytes.get(colon + 1).is_none_or(|b| matches!(b, b' ' | b'\n' | b'\r') || (flow && matches!(b, b',' | b'}' | b']')))
}

/// The bytes at which a plain scalar may end. Most of a lockfile is such scalars, and nearly all of their bytes are others.
const MAY_END: [bool; 256] = {
    let mut may_end = [false; 256];
    let stops = b"\n\t:#,[]{}";
    let mut n = 0;
    while n < stops.len() {
        may_end[stops[n] as usize] = true;
        n += 1;
    }
    may_end
};

fn plain(text: &str, at: usize, flow: bool, key: bool) -> Result<(Cow<'_, str>, usize)> {
    let bytes = text.as_bytes();
    match bytes.get(at) {
        Some(b'&') => return fault(at, "an anchor, which is not read here"),
        Some(b'*') => return fault(at, "an alias, which is not read here"),
        Some(b'!') => return fault(at, "a tag, which is not read here"),
        Some(b'@' | b'`' | b'%' | b'|' | b'>' | b'{' | b'}' | b'[' | b']' | b',') => {
            return fault(at, "a scalar cannot begin like this without quotes");
        }
        Some(b'-' | b'?') if bytes.get(at + 1).is_none_or(|b| matches!(b, b' ' | b'\n' | b'\r')) => {
            return fault(at, "a scalar cannot begin like this without quotes");
        }
        _ => {}
    }
    let mut end = at;
    loop {
        end += bytes[end..].iter().take_while(|b| !MAY_END[usize::from(**b)]).count();
        match bytes.get(end) {
            None | Some(b'\n') => break,
            Some(b':') if ends_key(bytes, end, flow) => break,
            Some(b'#') if is_comment(text, end) => break,
            Some(b',' | b'[' | b']' | b'{' | b'}') if flow => break,
            Some(b'\t') => return fault(end, "a tab in a plain scalar"),
            Some(_) => end += 1,
        }
    }
    if !key && bytes.get(end) == Some(&b':') {
        return fault(end, "a key where a scalar was expected");
    }
    let scalar = text[at..end].trim_end_matches([' ', '\r']);
    if scalar.is_empty() {
        return fault(at, if key { "expected a key" } else { "expected a scalar" });
    }
    Ok((Cow::Borrowed(scalar), at + scalar.len()))
}

fn single(text: &str, at: usize) -> Result<(Cow<'_, str>, usize)> {
    let bytes = text.as_bytes();
    let mut end = at + 1;
    loop {
        match memchr::memchr2(b'\'', b'\n', &bytes[end..]) {
            Some(n) if bytes[end + n] == b'\'' => end += n,
            _ => return fault(at, "a quoted scalar has no end on its line"),
        }
        if bytes.get(end + 1) != Some(&b'\'') {
            break;
        }
        end += 2;
    }
    let raw = &text[at + 1..end];
    let value = if raw.contains("''") { Cow::Owned(raw.replace("''", "'")) } else { Cow::Borrowed(raw) };
    Ok((value, end + 1))
}

fn double(text: &str, at: usize) -> Result<(Cow<'_, str>, usize)> {
    let start = at + 1;
    let mut owned: Option<String> = None;
    let mut from = start;
    loop {
        let rest = &text[from..];
        let Some(n) = memchr::memchr3(b'"', b'\\', b'\n', rest.as_bytes()) else { return fault(at, "a quoted scalar has no end") };
        let (plain, stop) = (&rest[..n], rest.as_bytes()[n]);
        match stop {
            b'"' => {
                let value = match owned {
                    Some(owned) => Cow::Owned(owned + plain),
                    None => Cow::Borrowed(plain),
                };
                return Ok((value, from + n + 1));
            }
            b'\\' => {
                let (c, length) = escape(&rest[n + 1..]).ok_or(()).or_else(|()| fault(from + n, "an escape that is not read here"))?;
                let owned = owned.get_or_insert_default();
                owned.push_str(plain);
                owned.push(c);
                from += n + 1 + length;
            }
            _ => return fault(at, "a quoted scalar has no end on its line"),
        }
    }
}

/// What an escape stands for, and its bytes after the backslash.
fn escape(rest: &str) -> Option<(char, usize)> {
    let c = match rest.bytes().next()? {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        b @ (b' ' | b'"' | b'/' | b'\\') => char::from(b),
        b'x' => return coded(rest, 2),
        b'u' => return coded(rest, 4),
        b'U' => return coded(rest, 8),
        _ => return None,
    };
    Some((c, 1))
}

fn coded(rest: &str, digits: usize) -> Option<(char, usize)> {
    let code = rest.get(1..1 + digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let c = char::from_u32(u32::from_str_radix(code, 16).ok()?).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((c, 1 + digits))
}

/// A block scalar, from its `|` or `>` to the start of the line after it. Its lines stand further right than `parent`.
pub(super) fn block(text: &str, at: usize, parent: Option<usize>) -> Result<(Cow<'_, str>, usize)> {
    let bytes = text.as_bytes();
    let head_end = memchr::memchr(b'\n', &bytes[at..]).map_or(text.len(), |n| at + n);
    let head = text[at + 1..head_end].trim_end();
    if !head.bytes().all(|b| matches!(b, b'-' | b'+' | b'1'..=b'9')) || head.len() > 2 {
        return fault(at, "a scalar cannot begin like this without quotes");
    }
    let folded = bytes[at] == b'>';
    let least = parent.map_or(0, |p| p + 1);
    let mut margin: Option<usize> = head.bytes().find(u8::is_ascii_digit).map(|d| parent.unwrap_or(0) + usize::from(d - b'0'));
    let mut value = String::new();
    let mut from = (head_end + 1).min(text.len());
    while from < text.len() {
        let end = memchr::memchr(b'\n', &bytes[from..]).map_or(text.len(), |n| from + n);
        let line = text[from..end].trim_end_matches('\r');
        let indent = line.bytes().take_while(|b| *b == b' ').count();
        if indent == line.len() {
            value.push('\n');
        } else if indent < least {
            break;
        } else {
            let margin = *margin.get_or_insert(indent);
            if indent < margin {
                return fault(from + indent, "a line of a block scalar that stands too far left");
            }
            if folded && !value.is_empty() && !value.ends_with('\n') {
                value.push(' ');
            }
            value.push_str(&line[margin..]);
            if !folded {
                value.push('\n');
            }
        }
        from = (end + 1).min(text.len());
    }
    value.truncate(value.trim_end_matches('\n').len());
    Ok((Cow::Owned(value), from))
}
