//! The guard's own cookies: read from a request, taken out of it, and written.
//!
//! They are between the browser and the guard. The app never sees them, so it cannot log them, and cannot take one for its own.
//!
//! **Attacks and answers.** *Planting a cookie from a sibling host or from plain HTTP*: over HTTPS all names begin with `__Host-`,
//! which browsers accept only with Secure, Path=/ and no Domain (RFC 6265bis 4.1.3.2). *Sending a name twice and hoping that
//! two readers pick differently*: a browser has one cookie per name, host and path, so of a name that comes twice none is
//! believed. *Smuggling through the separator*: fields are cut at `;` only, and what the app gets keeps its bytes.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::Scheme;

/// The start of every name of a device cookie, behind `__Host-`.
pub(super) const DEVICE: &str = "casque-d-";
/// The name of the pass cookie, behind `__Host-`.
pub(super) const PASS: &str = "casque-pass";

const HOST_PREFIX: &str = "__Host-";
/// What is in every name, in this case.
const IN_ALL: &[u8] = b"casque-";

/// A name as it is on the wire: `__Host-` over HTTPS; on plain HTTP browsers refuse that prefix.
pub(super) fn name_on(scheme: Scheme, name: &str) -> String {
    match scheme {
        Scheme::Https => format!("{HOST_PREFIX}{name}"),
        Scheme::Http => name.to_owned(),
    }
}

/// All cookies of a request in their order, name and value as they came.
pub(super) fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers.get_all(COOKIE).iter().flat_map(|field| field.as_bytes().split(|b| *b == b';')).map(pair)
}

/// The value of the one cookie with this name; none if there are two.
pub(super) fn the_one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let mut values = pairs(headers).filter(|(n, _)| *n == name.as_bytes()).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The guard's cookies alone, as they came.
pub(super) fn ours(headers: &HeaderMap) -> HeaderMap {
    let mut ours = HeaderMap::new();
    for field in headers.get_all(COOKIE) {
        let pieces = field.as_bytes().split(|b| *b == b';').filter(|piece| is_ours(pair(piece).0));
        for piece in pieces {
            if let Ok(mut value) = HeaderValue::from_bytes(piece.trim_ascii()) {
                value.set_sensitive(true);
                ours.append(COOKIE, value);
            }
        }
    }
    ours
}

/// Takes the guard's cookies out of a request, of either scheme. The others keep their bytes and their order; a field of which
/// nothing is left goes too.
pub fn strip(headers: &mut HeaderMap) {
    // Every request of a guarded app comes here, and nearly none has them: a search for what all their names hold reads a field
    // faster than cutting it up.
    let mut fields = headers.get_all(COOKIE).iter();
    if !fields.any(|field| memchr::memmem::find(field.as_bytes(), IN_ALL).is_some()) || !pairs(headers).any(|(name, _)| is_ours(name)) {
        return;
    }
    let fields: Vec<HeaderValue> = headers.get_all(COOKIE).iter().filter_map(without_ours).collect();
    headers.remove(COOKIE);
    for field in fields {
        headers.append(COOKIE, field);
    }
}

/// A field without the guard's cookies; `None` if there was nothing else.
fn without_ours(field: &HeaderValue) -> Option<HeaderValue> {
    let pieces = || field.as_bytes().split(|b| *b == b';');
    if !pieces().any(|piece| is_ours(pair(piece).0)) {
        return Some(field.clone());
    }
    let kept: Vec<&[u8]> = pieces().filter(|piece| !is_ours(pair(piece).0)).collect();
    let kept = kept.join(&b';');
    let kept = kept.trim_ascii();
    if kept.is_empty() {
        return None;
    }
    // Parts of a field value joined by `;` are one.
    let mut kept = HeaderValue::from_bytes(kept).ok()?;
    kept.set_sensitive(field.is_sensitive());
    Some(kept)
}

fn is_ours(name: &[u8]) -> bool {
    let name = name.strip_prefix(HOST_PREFIX.as_bytes()).unwrap_or(name);
    name.starts_with(DEVICE.as_bytes()) || name == PASS.as_bytes()
}

/// A piece between two `;`: the name up to the first `=`, without blanks around either.
fn pair(piece: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b'=', piece).unwrap_or(piece.len());
    let (name, rest) = piece.split_at_checked(at).unwrap_or((piece, &[]));
    (name.trim_ascii(), rest.get(1..).unwrap_or(&[]).trim_ascii())
}

/// A `Set-Cookie` line for the whole host, out of reach of scripts. With a `max_age` of 0 seconds the browser drops the cookie.
///
/// `name` and `value` are ours: letters, digits, `-`, `_` and `.`.
pub(super) fn line(scheme: Scheme, name: &str, value: &str, max_age: u64) -> HeaderValue {
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    let mut line = HeaderValue::try_from(line).expect("letters, digits and marks only");
    line.set_sensitive(true);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(fields: &[&str]) -> HeaderMap {
        fields.iter().map(|f| (COOKIE, HeaderValue::from_bytes(f.as_bytes()).unwrap())).collect()
    }

    fn stripped(fields: &[&str]) -> Vec<String> {
        let mut headers = request(fields);
        strip(&mut headers);
        headers.get_all(COOKIE).iter().map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).collect()
    }

    #[test]
    fn the_app_sees_its_own_cookies_as_they_came() {
        assert_eq!(stripped(&["sid=1; __Host-casque-d-abcdefgh=d1.x; theme=\"a=b\"  ;x"]), ["sid=1; theme=\"a=b\"  ;x"]);
        assert_eq!(stripped(&["casque-pass=p1.x"]), [""; 0]);
        assert_eq!(stripped(&["casque-pass=p1.x; a=1", "b=2;;c", "__Host-casque-pass=x;casque-d-=y"]), ["a=1", "b=2;;c"]);
        assert_eq!(stripped(&["casque-passport=1; my-casque-d-x=2"]), ["casque-passport=1; my-casque-d-x=2"]);
        assert_eq!(stripped(&[" casque-pass =1;\tcasque-d-x; caf\u{e9}=1"]), ["caf\u{e9}=1"]);
        assert_eq!(stripped(&[]), [""; 0]);
    }

    #[test]
    fn of_two_cookies_with_one_name_none_is_believed() {
        let name = "casque-pass";
        assert_eq!(the_one(&request(&["a=1; casque-pass=2"]), name), Some(&b"2"[..]));
        assert_eq!(the_one(&request(&["casque-pass=2; casque-pass=2"]), name), None);
        assert_eq!(the_one(&request(&["casque-pass=2", "casque-pass=3"]), name), None);
        assert_eq!(the_one(&request(&["Casque-Pass=2; __Host-casque-pass=3"]), name), None);
        assert_eq!(the_one(&request(&["casque-pass=a=b"]), name), Some(&b"a=b"[..]));
    }

    #[test]
    fn lines_carry_every_flag() {
        assert_eq!(line(Scheme::Https, "__Host-n", "v", 7), "__Host-n=v; Path=/; Max-Age=7; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(line(Scheme::Http, "n", "", 0), "n=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }

    proptest::proptest! {
        #[test]
        fn stripping_leaves_nothing_of_ours_and_loses_nothing_else(
            fields in proptest::collection::vec("(([a-z]{1,2}|casque-pass|__Host-casque-d-[a-z]{0,2}) ?=?[ -:<-~]{0,4};? ?){0,5}", 0..4)
        ) {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let mut headers = request(&fields);
            let named = |h: &HeaderMap| -> Vec<(Vec<u8>, Vec<u8>)> {
                pairs(h).filter(|(n, v)| !(n.is_empty() && v.is_empty())).map(|(n, v)| (n.to_vec(), v.to_vec())).collect()
            };
            let mut others = named(&headers);
            others.retain(|(name, _)| !is_ours(name));
            strip(&mut headers);
            proptest::prop_assert_eq!(named(&headers), others);
        }
    }
}
