//! Urlencoded forms and queries, in the readings of qs, querystring, PHP, Rack and the servers that part pairs at `;`.

use super::refusal::Refusal;
use super::walk::{Value, Walk};

/// Whether a body under a form's type, or none, may be JSON to an app that does not look at the type: a brace before any `=`. No
/// client leaves a brace of a form's key unescaped.
pub(super) fn looks_like_json(body: &[u8]) -> bool {
    let key = memchr::memchr2(b'=', b'&', body).unwrap_or(body.len());
    body.get(..key).is_some_and(|key| key.contains(&b'{'))
}

/// Walks every pair.
pub(super) fn read(form: &[u8], walk: &mut Walk<'_>) -> Result<(), Refusal> {
    if has_wide_escape(form) {
        return Err(Refusal::Form);
    }
    for pair in form.split(|b| *b == b'&') {
        read_pair(pair, walk)?;
    }
    if form.contains(&b';') {
        walk.again();
        for pair in form.split(|b| matches!(b, b'&' | b';')) {
            read_pair(pair, walk)?;
        }
    }
    walk.end()
}

fn read_pair(pair: &[u8], walk: &mut Walk<'_>) -> Result<(), Refusal> {
    let (key, value) = match memchr::memchr(b'=', pair) {
        Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
        None => (pair, &[][..]),
    };
    let key = decoded(key);
    let key = String::from_utf8_lossy(&key);
    let top = key.split(['[', '.']).next().unwrap_or("");
    if top.contains(['{', '"']) {
        // A piece of JSON that is read as a form to be sure. No field is called so.
        return Ok(());
    }
    go(&key, walk)?;
    if walk.in_field() && has_broken_escape(value) {
        return Err(Refusal::Form);
    }
    // Others are of no interest, unless they are a document.
    walk.value(Value::Text(&decoded(value)))?;
    walk.home();
    Ok(())
}

/// Goes the way that a form's key describes.
///
/// # Errors
/// Servers read the key differently: it has text behind a `]`, which some leave away, or is too deep.
pub(super) fn go(key: &str, walk: &mut Walk<'_>) -> Result<(), Refusal> {
    if key.bytes().zip(key.bytes().skip(1)).any(|(a, b)| a == b']' && !matches!(b, b'[' | b']' | b'.')) {
        return Err(Refusal::Form);
    }
    let mut went = Ok(());
    steps(key, |step| {
        if went.is_ok() {
            went = if step == "[]" { walk.next_index() } else { walk.key(step) };
        }
    });
    went
}

/// The steps of a form's key: `user[email]` and `user.email` have two. `[]` is given as it is.
pub(super) fn steps(key: &str, mut each: impl FnMut(&str)) {
    let mut rest = key.trim_start_matches(['?', '\u{feff}', ' ']);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, behind) = inner.split_once(']').unwrap_or((inner, ""));
            each(if step.trim().is_empty() { "[]" } else { step });
            rest = behind;
        } else {
            let end = rest.find(['[', '.', ':']).unwrap_or(rest.len());
            let (step, behind) = rest.split_at(end);
            if !step.trim_matches(']').is_empty() {
                each(step);
            }
            rest = behind.strip_prefix(['.', ':']).unwrap_or(behind);
        }
    }
}

/// `%u0065`, which older .NET decodes and nobody else.
fn has_wide_escape(form: &[u8]) -> bool {
    form.windows(6).any(|w| matches!(w, [b'%', b'u' | b'U', hex @ ..] if hex.iter().all(u8::is_ascii_hexdigit)))
}

/// A `%` that begins no escape, with which qs decodes nothing of a value and PHP the rest.
fn has_broken_escape(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).any(|at| !value.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
}

/// `+` as a space, and percent-encodings decoded once; those that are none stay.
pub(in super::super) fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        let escape = match behind {
            [high, low, ..] if byte == b'%' => digit(high).zip(digit(low)).map(|(h, l)| h << 4 | l),
            _ => None,
        };
        match escape {
            Some(byte) => {
                out.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                out.push(if byte == b'+' { b' ' } else { byte });
                rest = behind;
            }
        }
    }
    out
}
