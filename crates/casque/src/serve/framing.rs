//! Whether bytes are a well-formed HTTP/1.1 request: strict, incremental, pure.
//!
//! Request smuggling lives on two servers that read the same bytes differently. So nothing reaches the HTTP library behind this
//! file but what RFC 9112 allows a sender to write, and of that only what every reader takes the same way. Refused are, where
//! lenient parsers guess: both lengths, or either twice (RFC 9112 6.3 rules 3 and 5); any transfer coding but a single
//! `chunked`, or one in HTTP/1.0 (6.1); line folding (5.2); white space before a colon (5.1); a bare LF or CR; no Host, two, or
//! one that is no host (3.2); control bytes; a fragment in the target; a chunk size that is not plain hexadecimal; trailer
//! fields that frame the message (RFC 9110 6.5.1); a `Connection` option that names an end-to-end field (a way to have a proxy
//! strip what it adds); CONNECT and TRACE.

use memchr::memchr_iter;

/// Sizes beyond which a head is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadLimits {
    pub(super) bytes: usize,
    pub(super) headers: usize,
    pub(super) target: usize,
}

/// Why bytes were refused: the status to answer with, and a sentence for whoever sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// What was wrong. Fixed text; nothing of the request.
    pub reason: &'static str,
}

macro_rules! refusals {
    ($($name:ident = $status:literal $reason:literal;)*) => {
        impl Refusal {
            $(pub(super) const $name: Self = Self { status: $status, reason: $reason };)*
            /// Every refusal there is, so that one can be named by its place.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

refusals! {
    BARE_LF = 400 "A line of the request does not end in CR LF.";
    EMPTY_LINES = 400 "Too many empty lines stand before the request.";
    REQUEST_LINE = 400 "The request line is malformed.";
    TARGET = 400 "The request target is malformed.";
    DOT_SEGMENT = 400 "The path has a dot segment, which clients resolve before they ask.";
    VERSION = 505 "Only HTTP/1.1 and HTTP/1.0 are spoken here.";
    METHOD = 405 "This method is not served here.";
    LONG_TARGET = 414 "The request target is too long.";
    LONG_HEAD = 431 "The request header is too large.";
    MANY_HEADERS = 431 "The request has too many header fields.";
    HEADER_NAME = 400 "A header field name is malformed.";
    FOLDED = 400 "A header field is folded over several lines.";
    CONTROL_BYTE = 400 "The request header has a control character.";
    LENGTH = 400 "The Content-Length is malformed or given twice.";
    TRANSFER_ENCODING = 400 "The Transfer-Encoding is not a single `chunked`.";
    BOTH_LENGTHS = 400 "The request has both a Content-Length and a Transfer-Encoding.";
    HOST = 400 "The request needs exactly one well-formed Host.";
    NOMINATION = 400 "The Connection field names a field that must reach the server.";
    EXPECT = 417 "Only the expectation `100-continue` can be met.";
    CHUNK = 400 "The chunked request body is malformed.";
    TRAILER = 400 "The trailer section of the request is malformed.";
    SLOW_HEAD = 408 "The request header did not arrive in time.";
    SLOW_BODY = 408 "The request body arrived too slowly.";
}

/// Bytes of chunk extensions in one chunk's line. Nobody uses them; without a bound they are a way to send for ever.
const MAX_CHUNK_EXTENSION: usize = 256;
const MAX_TRAILERS: usize = 8 * 1024;

/// The method of the request that stands in for a refused one. No client can send it: [`Framing`] refuses it.
pub(super) const REFUSED_METHOD: &str = "CASQUE-REFUSED";

/// The reader: knows at every byte what may come next.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    limits: HeadLimits,
}

#[derive(Debug)]
enum State {
    /// At the start of a head.
    Head,
    /// Inside a body with so many bytes to go.
    Length(u64),
    Chunked(Chunked),
    /// After a head that asks to switch protocols: what follows cannot be judged before the answer.
    Switching,
    /// After the switch: not HTTP.
    Tunnel,
}

#[derive(Debug)]
enum Chunked {
    Size { value: u64, digits: u8, part: SizePart, extension: usize },
    Data(u64),
    DataCr,
    DataLf,
    Trailers(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SizePart {
    Digits,
    Space,
    Extension,
    Lf,
}

impl Chunked {
    const START: Self = Self::Size { value: 0, digits: 0, part: SizePart::Digits, extension: 0 };
}

/// What [`Framing::accept`] made of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// So many of the first bytes are good and may be passed on.
    pub(super) bytes: usize,
    /// So many heads were completed among them.
    pub(super) heads: u32,
    /// So many bytes came after the last of those heads.
    pub(super) after_head: usize,
    /// Why the rest was not accepted.
    pub(super) stop: Stop,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// All were accepted.
    End,
    /// The rest is the beginning of a head; `searched` of its bytes need not be looked at again.
    PartialHead { searched: usize },
    /// The rest waits for the answer to a request to switch protocols.
    Switching,
    /// The rest is no request.
    RefusedHead(Refusal),
    /// The rest breaks the body that it belongs to.
    BrokenBody(Refusal),
}

impl Framing {
    pub(super) fn new(limits: HeadLimits) -> Self {
        Self { state: State::Head, limits }
    }

    /// Whether the next byte begins a head (or follows it: nothing of a body is outstanding).
    pub(super) fn at_head(&self) -> bool {
        matches!(self.state, State::Head | State::Switching)
    }

    pub(super) fn in_tunnel(&self) -> bool {
        matches!(self.state, State::Tunnel)
    }

    pub(super) fn is_switching(&self) -> bool {
        matches!(self.state, State::Switching)
    }

    /// The answer to a request to switch: into the tunnel, or on with HTTP.
    pub(super) fn switched(&mut self, into_tunnel: bool) {
        if self.is_switching() {
            self.state = if into_tunnel { State::Tunnel } else { State::Head };
        }
    }

    /// Reads on. `searched` of the first bytes were looked at before, when they were a partial head.
    pub(super) fn accept(&mut self, bytes: &[u8], mut searched: usize) -> Accepted {
        let mut at = 0;
        let (mut heads, mut head_end) = (0, 0);
        let stop = loop {
            let rest = &bytes[at..];
            if rest.is_empty() {
                break Stop::End;
            }
            match &mut self.state {
                State::Tunnel => {
                    at = bytes.len();
                }
                State::Switching => break Stop::Switching,
                State::Head => match self.head(rest, searched) {
                    Ok(Some(length)) => {
                        at += length;
                        heads += 1;
                        head_end = at;
                    }
                    Ok(None) => break Stop::PartialHead { searched: rest.len() },
                    Err(refusal) => break Stop::RefusedHead(refusal),
                },
                State::Length(left) => {
                    let taken = usize::try_from(*left).map_or(rest.len(), |l| l.min(rest.len()));
                    *left -= taken as u64;
                    at += taken;
                    if *left == 0 {
                        self.state = State::Head;
                    }
                }
                State::Chunked(chunked) => match chunked.read(rest) {
                    Ok((taken, done)) => {
                        at += taken;
                        if done {
                            self.state = State::Head;
                        }
                    }
                    Err(refusal) => break Stop::BrokenBody(refusal),
                },
            }
            searched = 0;
        };
        Accepted { bytes: at, heads, after_head: at - head_end, stop }
    }

    /// A whole head at the start of `bytes`: its length, or `None` while it is not all there.
    fn head(&mut self, bytes: &[u8], searched: usize) -> Result<Option<usize>, Refusal> {
        let start = leading_empty_lines(bytes)?;
        // Somebody who speaks TLS to this port, most likely, and would wait for an answer until the header timeout.
        if bytes.get(start).is_some_and(|b| !is_token(*b) && *b != b'\r' && *b != b'\n') {
            return Err(Refusal::REQUEST_LINE);
        }
        // A head that comes in pieces is read when it is whole; until then only its new bytes are looked at.
        if searched > 0 && !has_end(bytes, start, searched)? {
            return if bytes.len() > self.limits.bytes { Err(Refusal::LONG_HEAD) } else { Ok(None) };
        }
        let mut head = Head::new(&self.limits);
        let mut line_start = start;
        for lf in memchr_iter(b'\n', &bytes[start..]).map(|i| i + start) {
            let Some(line) = bytes[line_start..lf].strip_suffix(b"\r") else { return Err(Refusal::BARE_LF) };
            if lf - start >= self.limits.bytes {
                return Err(Refusal::LONG_HEAD);
            }
            line_start = lf + 1;
            if line.is_empty() {
                // The request line, the fields, and this empty line.
                check_bytes(&bytes[start..line_start], head.count + 2)?;
                self.state = head.end()?;
                return Ok(Some(line_start));
            }
            head.line(line)?;
        }
        if bytes.len() > self.limits.bytes { Err(Refusal::LONG_HEAD) } else { Ok(None) }
    }
}

/// Empty lines before the request line: a robust server skips at least one (RFC 9112 2.2).
fn leading_empty_lines(bytes: &[u8]) -> Result<usize, Refusal> {
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
fn has_end(bytes: &[u8], start: usize, searched: usize) -> Result<bool, Refusal> {
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
struct Head<'l> {
    limits: &'l HeadLimits,
    /// `None` before the request line; then whether the version is 1.0.
    old: Option<bool>,
    count: usize,
    hosts: u32,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
    connection_upgrade: bool,
}

impl<'l> Head<'l> {
    fn new(limits: &'l HeadLimits) -> Self {
        Self { limits, old: None, count: 0, hosts: 0, length: None, chunked: false, upgrade: false, connection_upgrade: false }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Refusal> {
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
    fn end(self) -> Result<State, Refusal> {
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
fn check_bytes(text: &[u8], lines: usize) -> Result<(), Refusal> {
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

fn strip_prefix_ignore_case<'a>(s: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = s.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `name: value`, the value with the white space around it.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let colon = line.iter().position(|b| !is_token(*b)).unwrap_or(line.len());
    if colon == 0 {
        return Err(if matches!(line.first(), Some(b' ' | b'\t')) { Refusal::FOLDED } else { Refusal::HEADER_NAME });
    }
    if line.get(colon) != Some(&b':') {
        return Err(Refusal::HEADER_NAME);
    }
    Ok((&line[..colon], &line[colon + 1..]))
}

fn is(name: &[u8], lower: &str) -> bool {
    name.eq_ignore_ascii_case(lower.as_bytes())
}

/// A field-name character (RFC 9110 5.6.2), by table.
fn is_token(b: u8) -> bool {
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

impl Chunked {
    /// Reads on; tells how many bytes were taken and whether the body is at its end.
    fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), Refusal> {
        let mut at = 0;
        while at < bytes.len() {
            let b = bytes[at];
            match self {
                Self::Size { value, digits, part, extension } => {
                    at += 1;
                    match (*part, b) {
                        (SizePart::Digits, b) if b.is_ascii_hexdigit() => {
                            *digits += 1;
                            if *digits > 15 {
                                return Err(Refusal::CHUNK);
                            }
                            *value = *value << 4 | u64::from(char::from(b).to_digit(16).unwrap_or(0));
                        }
                        (SizePart::Lf, b'\n') => *self = if *value == 0 { Self::Trailers(Vec::new()) } else { Self::Data(*value) },
                        (SizePart::Lf, _) => return Err(Refusal::CHUNK),
                        _ if *digits == 0 => return Err(Refusal::CHUNK),
                        (_, b'\r') if *part != SizePart::Space => *part = SizePart::Lf,
                        (SizePart::Digits | SizePart::Space, b' ' | b'\t') if *extension < 8 => {
                            *part = SizePart::Space;
                            *extension += 1;
                        }
                        (SizePart::Digits | SizePart::Space, b';') => *part = SizePart::Extension,
                        (SizePart::Extension, b'\t' | 0x20..=0x7e | 0x80..) if *extension < MAX_CHUNK_EXTENSION => *extension += 1,
                        _ => return Err(Refusal::CHUNK),
                    }
                }
                Self::Data(left) => {
                    let rest = bytes.len() - at;
                    let taken = usize::try_from(*left).map_or(rest, |l| l.min(rest));
                    *left -= taken as u64;
                    at += taken;
                    if *left == 0 {
                        *self = Self::DataCr;
                    }
                }
                Self::DataCr if b == b'\r' => {
                    at += 1;
                    *self = Self::DataLf;
                }
                Self::DataLf if b == b'\n' => {
                    at += 1;
                    *self = Self::START;
                }
                Self::DataCr | Self::DataLf => return Err(Refusal::CHUNK),
                Self::Trailers(line) => {
                    at += 1;
                    line.push(b);
                    if b != b'\n' {
                        if line.len() > MAX_TRAILERS {
                            return Err(Refusal::TRAILER);
                        }
                        continue;
                    }
                    if line.as_slice() == b"\r\n" {
                        return Ok((at, true));
                    }
                    check_trailer(line)?;
                    line.clear();
                }
            }
        }
        Ok((at, false))
    }
}

/// A trailer field, its CR LF included. What frames, routes or authenticates a message means nothing after it (RFC 9110 6.5.1).
fn check_trailer(line: &[u8]) -> Result<(), Refusal> {
    const FORBIDDEN: [&str; 16] = [
        "transfer-encoding",
        "content-length",
        "content-encoding",
        "content-type",
        "content-range",
        "host",
        "trailer",
        "te",
        "connection",
        "upgrade",
        "expect",
        "authorization",
        "cookie",
        "set-cookie",
        "forwarded",
        "via",
    ];
    const FORBIDDEN_PREFIXES: [&[u8]; 2] = [b"x-forwarded-", b"casque-"];
    let Some(line) = line.strip_suffix(b"\r\n") else { return Err(Refusal::TRAILER) };
    check_bytes(line, 0).map_err(|_| Refusal::TRAILER)?;
    let (name, _) = field(line).map_err(|_| Refusal::TRAILER)?;
    let forbidden = FORBIDDEN.iter().any(|f| is(name, f)) || FORBIDDEN_PREFIXES.iter().any(|p| strip_prefix_ignore_case(name, p).is_some());
    if forbidden { Err(Refusal::TRAILER) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: HeadLimits = HeadLimits { bytes: 4096, headers: 20, target: 512 };

    fn run(bytes: &[u8]) -> Accepted {
        Framing::new(LIMITS).accept(bytes, 0)
    }

    fn refusal(text: &str) -> Option<Refusal> {
        match run(text.as_bytes()).stop {
            Stop::RefusedHead(r) | Stop::BrokenBody(r) => Some(r),
            _ => None,
        }
    }

    fn with(fields: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
    }

    #[test]
    fn well_formed_requests_pass_whole() {
        let chunked = with("Transfer-Encoding: Chunked\r\n");
        for (text, heads) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 1),
            ("\r\nGET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n".to_owned(), 1),
            ("GET / HTTP/1.0\r\n\r\n".to_owned(), 1),
            ("OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n".to_owned(), 1),
            ("GET /.well-known/a..b/...?x=/../ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 1),
            ("GET http://a.example/x?y HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 1),
            (with("Content-Length: 5\r\n") + "hello" + "GET / HTTP/1.1\r\nHost:a\r\n\r\n", 2),
            (chunked.clone() + "5\r\nhello\r\n0\r\n\r\n", 1),
            (chunked + "5 ;ext=\"v\"\r\nhello\r\n00\r\nX-T: 1\r\n\r\n" + "GET / HTTP/1.1\r\nHost:a\r\n\r\n", 2),
            (with("Expect: 100-continue\r\nContent-Length: 1\r\n") + "x", 1),
            (with("Connection: keep-alive, x-custom\r\n"), 1),
            (with("X: \t caf\u{e9} \t\r\n"), 1),
        ] {
            let accepted = run(text.as_bytes());
            assert_eq!((accepted.bytes, accepted.heads, accepted.stop), (text.len(), heads, Stop::End), "{text:?}");
        }
    }

    #[test]
    fn ambiguous_requests_are_refused() {
        let chunked = |body: &str| with("Transfer-Encoding: chunked\r\n") + body;
        for (text, wanted) in [
            (with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Refusal::BOTH_LENGTHS),
            (with("Content-Length: 5\r\nContent-Length: 5\r\n"), Refusal::LENGTH),
            (with("Content-Length: 5, 5\r\n"), Refusal::LENGTH),
            (with("Content-Length: +5\r\n"), Refusal::LENGTH),
            (with("Content-Length: 0x5\r\n"), Refusal::LENGTH),
            (with("Content-Length:\r\n"), Refusal::LENGTH),
            (with("Content-Length: 9999999999999999999\r\n"), Refusal::LENGTH),
            (with("Transfer-Encoding: gzip, chunked\r\n"), Refusal::TRANSFER_ENCODING),
            (with("Transfer-Encoding: identity\r\n"), Refusal::TRANSFER_ENCODING),
            (with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Refusal::TRANSFER_ENCODING),
            (with("Transfer-Encoding: \"chunked\"\r\n"), Refusal::TRANSFER_ENCODING),
            ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), Refusal::TRANSFER_ENCODING),
            (with("Transfer-Encoding : chunked\r\n"), Refusal::HEADER_NAME),
            (with("X: a\r\n b\r\n"), Refusal::FOLDED),
            (with("X: a\r\n\tb\r\n"), Refusal::FOLDED),
            (with("X: a\nY: b\r\n"), Refusal::BARE_LF),
            (with("X: a\rY: b\r\n"), Refusal::CONTROL_BYTE),
            (with("X: a\0b\r\n"), Refusal::CONTROL_BYTE),
            (with("no colon\r\n"), Refusal::HEADER_NAME),
            (with(": empty\r\n"), Refusal::HEADER_NAME),
            (with("Host: b\r\n"), Refusal::HOST),
            (with("Connection: close, X-Forwarded-For\r\n"), Refusal::NOMINATION),
            (with("Connection: Host\r\n"), Refusal::NOMINATION),
            (with("Expect: 200-ok\r\n"), Refusal::EXPECT),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), Refusal::HOST),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), Refusal::HOST),
            ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n".to_owned(), Refusal::HOST),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n".to_owned(), Refusal::HOST),
            ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::TARGET),
            ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::TARGET),
            ("GET x HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::TARGET),
            ("GET /a<b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::TARGET),
            ("GET /login/.. HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::DOT_SEGMENT),
            ("GET /login/%2e%2E;x?y HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::DOT_SEGMENT),
            ("GET /./login HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::DOT_SEGMENT),
            ("GET /x/..%2Flogin HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::DOT_SEGMENT),
            ("\x16\x03\x01\x02".to_owned(), Refusal::REQUEST_LINE),
            ("GET http://a/x/.%2e HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::DOT_SEGMENT),
            ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::TARGET),
            ("GET * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::TARGET),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::REQUEST_LINE),
            ("GET /\r\nHost: a\r\n\r\n".to_owned(), Refusal::REQUEST_LINE),
            ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n".to_owned(), Refusal::REQUEST_LINE),
            ("PRI * HTTP/2.0\r\n\r\n".to_owned(), Refusal::VERSION),
            ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::METHOD),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refusal::METHOD),
            (format!("{REFUSED_METHOD} /400/0 HTTP/1.1\r\nHost: a\r\n\r\n"), Refusal::METHOD),
            ("GET / HTTP/1.1\nHost: a\n\n".to_owned(), Refusal::BARE_LF),
            (chunked("5;\n\nhello\r\n0\r\n\r\n"), Refusal::CHUNK),
            (chunked("0x5\r\nhello\r\n0\r\n\r\n"), Refusal::CHUNK),
            (chunked("-1\r\n"), Refusal::CHUNK),
            (chunked("\r\n"), Refusal::CHUNK),
            (chunked("5\rhello"), Refusal::CHUNK),
            (chunked("5\r\nhelloX\r\n"), Refusal::CHUNK),
            (chunked("5\r\nhello\n0\r\n\r\n"), Refusal::CHUNK),
            (chunked("ffffffffffffffff\r\n"), Refusal::CHUNK),
            (chunked("5 \r\nhello"), Refusal::CHUNK),
            (chunked("0\r\nContent-Length: 5\r\n\r\n"), Refusal::TRAILER),
            (chunked("0\r\nX-Forwarded-For: 1\r\n\r\n"), Refusal::TRAILER),
            (chunked("0\r\nbad\r\n\r\n"), Refusal::TRAILER),
            (chunked("0\r\nX: a\n\r\n"), Refusal::TRAILER),
            (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(600)), Refusal::LONG_TARGET),
            (with(&"X: 1\r\n".repeat(30)), Refusal::MANY_HEADERS),
            (with(&format!("X: {}\r\n", "x".repeat(5000))), Refusal::LONG_HEAD),
            (format!("GET /{}", "x".repeat(5000)), Refusal::LONG_HEAD),
            (chunked(&format!("1;{}\r\n", "x".repeat(300))), Refusal::CHUNK),
        ] {
            assert_eq!(refusal(&text), Some(wanted), "{text:?}");
        }
    }

    #[test]
    fn a_switch_holds_back_what_follows_until_it_is_answered() {
        let text = b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello";
        let mut framing = Framing::new(LIMITS);
        let first = framing.accept(text, 0);
        assert_eq!((first.heads, first.stop), (1, Stop::Switching));
        let rest = &text[first.bytes..];
        assert_eq!(rest, b"\x81\x05hello");
        framing.switched(true);
        assert_eq!(framing.accept(rest, 0).bytes, rest.len());

        let mut refused = Framing::new(LIMITS);
        refused.accept(text, 0);
        refused.switched(false);
        assert_eq!(refused.accept(rest, 0).stop, Stop::RefusedHead(Refusal::REQUEST_LINE));
    }

    #[test]
    fn a_switch_with_a_body_is_no_switch() {
        let text = with("Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 3\r\n") + "abcGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(run(text.as_bytes()).heads, 2);
    }

    /// Feeds `text` in pieces, as a guard does that keeps a partial head.
    fn in_pieces(text: &[u8], cuts: &[usize]) -> (Vec<u8>, u32, Option<Refusal>) {
        let mut framing = Framing::new(LIMITS);
        let (mut passed, mut heads, mut held, mut searched) = (Vec::new(), 0, Vec::new(), 0);
        let mut at = 0;
        for size in cuts.iter().copied().chain([text.len()]) {
            let end = (at + size).min(text.len());
            held.extend_from_slice(&text[at..end]);
            at = end;
            let accepted = framing.accept(&held, searched);
            passed.extend(held.drain(..accepted.bytes));
            heads += accepted.heads;
            match accepted.stop {
                Stop::PartialHead { searched: s } => searched = s,
                Stop::RefusedHead(r) | Stop::BrokenBody(r) => return (passed, heads, Some(r)),
                _ => searched = 0,
            }
        }
        (passed, heads, None)
    }

    proptest! {
        /// However the network cuts the bytes, the verdict is the same.
        #[test]
        fn cuts_do_not_matter(
            pieces in proptest::collection::vec(prop_oneof![
                Just("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Just("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
                Just("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n"),
                Just("\r\n"), Just("GET / HTTP/1.1\r\nHost: a\r\n\tfold\r\n\r\n"), Just("x\n"),
            ], 1..5),
            cuts in proptest::collection::vec(1usize..40, 0..40),
        ) {
            let text = pieces.concat().into_bytes();
            let whole = in_pieces(&text, &[]);
            let cut = in_pieces(&text, &cuts);
            prop_assert_eq!(whole.1, cut.1);
            prop_assert_eq!(whole.2, cut.2);
            prop_assert_eq!(whole.0, cut.0);
        }

        /// Nothing that is passed on as a head has a byte that RFC 9112 forbids there; nothing panics.
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), any::<u8>()], 0..200)) {
            let accepted = run(&bytes);
            prop_assert!(accepted.bytes <= bytes.len());
            let mut chunked = with("Transfer-Encoding: chunked\r\n").into_bytes();
            chunked.extend_from_slice(&bytes);
            run(&chunked);
        }
    }
}
