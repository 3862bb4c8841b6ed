//! Request heads, line by line.

use memchr::memchr_iter;

use super::chunked::Chunked;
use super::{HeadLimits, REFUSED_METHOD, Refusal, State};

/// Empty lines before the request line: a robust server skips at least one (RFC 9112 2.2).
pub(super) fn leading_empty_lines(bytes: &[u8]) -> Result<usize, Refusal> {
    let mut start = 0;
    while bytes[start..].starts_with(b"\r\n") {
        start += 2;
        if start > 4 {
            return Err(Refusal::EMPTY_LINES);
        }
    }
    Ok(start)
}

/// Whether an empty line ends the head, looking only at what was not searched before.
pub(super) fn has_end(bytes: &[u8], start: usize, searched: usize) -> Result<bool, Refusal> {
    let from = searched.max(start);
    for lf in memchr_iter(b'\n', &bytes[from..]).map(|i| i + from) {
        if lf == 0 || bytes[lf - 1] != b'\r' {
            return Err(Refusal::BARE_LF);
        }
        if lf >= start + 3 && bytes[lf - 2] == b'\n' {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A head, read line by line.
pub(super) struct Head<'l> {
    limits: &'l HeadLimits,
    /// `None` before the request line; then whether the version is 1.0.
    old: Option<bool>,
    pub(super) count: usize,
    hosts: u32,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
    connection_upgrade: bool,
}

impl<'l> Head<'l> {
    pub(super) fn new(limits: &'l HeadLimits) -> Self {
        Self { limits, old: None, count: 0, hosts: 0, length: None, chunked: false, upgrade: false, connection_upgrade: false }
    }

    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let Some(old) = self.old else {
            self.old = Some(request_line(line, self.limits)?);
            return Ok(());
        };
        self.count += 1;
        if self.count > self.limits.headers {
            return Err(Refusal::MANY_HEADERS);
        }
        let (name, value) = field(line)?;
        // The lengths of the names that frame a message; most fields have another.
        match name.len() {
            4 if is(name, "host") => {
                self.hosts += 1;
                if !is_host(value.trim_ascii()) {
                    return Err(Refusal::HOST);
                }
            }
            6 if is(name, "expect") && !value.trim_ascii().eq_ignore_ascii_case(b"100-continue") => return Err(Refusal::EXPECT),
            7 if is(name, "upgrade") => self.upgrade = true,
            10 if is(name, "connection") => self.connection_upgrade |= connection_options(value)?,
            14 if is(name, "content-length") => {
                if self.length.is_some() {
                    return Err(Refusal::LENGTH);
                }
                self.length = Some(decimal(value.trim_ascii()).ok_or(Refusal::LENGTH)?);
            }
            17 if is(name, "transfer-encoding") => {
                if self.chunked || old || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::TRANSFER_ENCODING);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// The empty line: what comes next.
    pub(super) fn end(self) -> Result<State, Refusal> {
        let old = self.old.ok_or(Refusal::REQUEST_LINE)?;
        if self.hosts > 1 || (self.hosts == 0 && !old) {
            return Err(Refusal::HOST);
        }
        match (self.length, self.chunked) {
            (Some(_), true) => Err(Refusal::BOTH_LENGTHS),
            (None, true) => Ok(State::Chunked(Chunked::START)),
            (Some(n), false) if n > 0 => Ok(State::Length(n)),
            _ if self.upgrade && self.connection_upgrade && !old => Ok(State::Switching),
            _ => Ok(State::Head),
        }
    }
}

/// No control bytes but tabs and the CR LF of each of its `lines`, which the caller has seen: any more of them are ones that have
/// no place. Written without early exits, so that it runs on vectors.
pub(super) fn check_bytes(text: &[u8], lines: usize) -> Result<(), Refusal> {
    let mut controls = 0;
    for chunk in text.chunks(128) {
        let in_chunk = chunk.iter().fold(0u8, |n, b| n + u8::from(((*b < b' ') & (*b != b'\t')) | (*b == 0x7f)));
        controls += usize::from(in_chunk);
    }
    if controls == 2 * lines { Ok(()) } else { Err(Refusal::CONTROL_BYTE) }
}

/// Reads the request line; tells whether the version is 1.0.
fn request_line(line: &[u8], limits: &HeadLimits) -> Result<bool, Refusal> {
    let mut parts = line.splitn(3, |b| *b == b' ');
    let (Some(method), Some(target), Some(version)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::REQUEST_LINE);
    };
    if method.is_empty() || !method.iter().all(|b| is_token(*b)) {
        return Err(Refusal::REQUEST_LINE);
    }
    let old = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(Refusal::VERSION),
        _ => return Err(Refusal::REQUEST_LINE),
    };
    if matches!(method, b"CONNECT" | b"TRACE" | b"TRACK") || method == REFUSED_METHOD.as_bytes() {
        return Err(Refusal::METHOD);
    }
    if target.len() > limits.target {
        return Err(Refusal::LONG_TARGET);
    }
    // Besides what no URI has: what the HTTP library would refuse after us, with no page and no log line.
    if !target.iter().all(|b| (0x21..=0x7e).contains(b) && !matches!(b, b'#' | b'<' | b'>' | b'"' | b'`')) {
        return Err(Refusal::TARGET);
    }
    if has_dot_segment(target) {
        return Err(Refusal::DOT_SEGMENT);
    }
    match target {
        [b'/', ..] => {}
        b"*" if method == b"OPTIONS" => {}
        _ => absolute_form(target)?,
    }
    Ok(old)
}

/// `http://authority[/...]` (RFC 9112 3.2.2), the authority a plain host without user information.
fn absolute_form(target: &[u8]) -> Result<(), Refusal> {
    let rest =
        strip_prefix_ignore_case(target, b"http://").or_else(|| strip_prefix_ignore_case(target, b"https://")).ok_or(Refusal::TARGET)?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    if is_host(&rest[..end]) { Ok(()) } else { Err(Refusal::TARGET) }
}

/// Whether a segment of the path is `.` or `..` in any spelling. Clients resolve these (RFC 3986 5.2.4, WHATWG URL); some routers
/// do and some do not, so a rule for `/login` would be stepped round by `/login/..` or by `/x/../login`.
fn has_dot_segment(target: &[u8]) -> bool {
    let path = target.split(|b| *b == b'?').next().unwrap_or(target);
    // The usual path has no segment that begins with a dot, encoded or not.
    let suspect = path.windows(2).any(|w| matches!(w, [b'/' | b'\\', b'.'] | [b'%', b'2']));
    suspect && with_slashes_decoded(path).split(|b| matches!(b, b'/' | b'\\')).any(is_dot_segment)
}

/// Some servers decode `%2f` and `%5c` before they look for segments.
fn with_slashes_decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, tail @ ..] = rest {
        rest = match rest {
            [b'%', b'2', b'f' | b'F', after @ ..] | [b'%', b'5', b'c' | b'C', after @ ..] => {
                out.push(b'/');
                after
            }
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    out
}

fn is_dot_segment(segment: &[u8]) -> bool {
    let name = segment.split(|b| *b == b';').next().unwrap_or(segment);
    let (mut rest, mut dots) = (name, 0);
    while !rest.is_empty() {
        rest = match rest {
            [b'.', tail @ ..] | [b'%', b'2', b'e' | b'E', tail @ ..] => tail,
            _ => return false,
        };
        dots += 1;
    }
    dots == 1 || dots == 2
}

pub(super) fn strip_prefix_ignore_case<'a>(s: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = s.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `name: value`, the value with the white space around it.
pub(super) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let colon = line.iter().position(|b| !is_token(*b)).unwrap_or(line.len());
    if colon == 0 {
        return Err(if matches!(line.first(), Some(b' ' | b'\t')) { Refusal::FOLDED } else { Refusal::HEADER_NAME });
    }
    if line.get(colon) != Some(&b':') {
        return Err(Refusal::HEADER_NAME);
    }
    Ok((&line[..colon], &line[colon + 1..]))
}

pub(super) fn is(name: &[u8], lower: &str) -> bool {
    name.eq_ignore_ascii_case(lower.as_bytes())
}

/// A field-name character (RFC 9110 5.6.2), by table.
pub(super) fn is_token(b: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut b = 0;
        while b < 256 {
            #[expect(clippy::cast_possible_truncation, reason = "b is below 256")]
            let c = b as u8;
            table[b] = c.is_ascii_alphanumeric()
                || matches!(c, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
            b += 1;
        }
        table
    };
    TABLE[usize::from(b)]
}

/// Digits only, at most 18 of them: an exabyte is enough, and no reader overflows on it.
fn decimal(value: &[u8]) -> Option<u64> {
    let plain = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
    plain.then(|| value.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')))
}

/// A host name, IPv4 address or bracketed IPv6 address, with an optional port. Narrower than RFC 3986 allows and as wide as
/// anybody uses: what one reader takes for user information or a path, no reader sees.
fn is_host(value: &[u8]) -> bool {
    let (name_ok, port) = if let [b'[', rest @ ..] = value {
        let Some(end) = rest.iter().position(|b| *b == b']') else { return false };
        let inside = &rest[..end];
        (!inside.is_empty() && inside.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')), &rest[end + 1..])
    } else {
        let end = value.iter().position(|b| *b == b':').unwrap_or(value.len());
        let name = &value[..end];
        (!name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')), &value[end..])
    };
    let port_ok = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    name_ok && port_ok
}

/// Reads the options of a `Connection` field; tells whether `upgrade` is one.
///
/// An option names a field that ends at this hop. Naming one that servers behind a proxy rely on is an attempt to have it
/// stripped, and is refused.
fn connection_options(value: &[u8]) -> Result<bool, Refusal> {
    const END_TO_END: [&[u8]; 12] = [
        b"host",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        b"cookie",
        b"authorization",
        b"origin",
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-request-id",
        b"expect",
    ];
    const END_TO_END_PREFIXES: [&[u8]; 3] = [b"x-forwarded-", b"casque-", b"sec-"];
    let mut upgrade = false;
    for option in value.split(|b| *b == b',') {
        let option = option.trim_ascii();
        upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        let protected = END_TO_END.iter().any(|n| option.eq_ignore_ascii_case(n))
            || END_TO_END_PREFIXES.iter().any(|p| strip_prefix_ignore_case(option, p).is_some());
        if protected {
            return Err(Refusal::NOMINATION);
        }
    }
    Ok(upgrade)
}
