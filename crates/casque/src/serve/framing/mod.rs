//! Whether bytes are a well-formed HTTP/1.1 request: strict, incremental, pure.
//!
//! Request smuggling lives on two servers that read the same bytes differently. So nothing reaches the HTTP library behind this
//! file but what RFC 9112 allows a sender to write, and of that only what every reader takes the same way. Refused are, where
//! lenient parsers guess: both lengths, or either twice (RFC 9112 6.3 rules 3 and 5); any transfer coding but a single
//! `chunked`, or one in HTTP/1.0 (6.1); line folding (5.2); white space before a colon (5.1); a bare LF or CR; no Host, two, or
//! one that is no host (3.2); control bytes; a fragment in the target; a chunk size that is not plain hexadecimal; trailer
//! fields that frame the message (RFC 9110 6.5.1); a `Connection` option that names an end-to-end field (a way to have a proxy
//! strip what it adds); CONNECT and TRACE.

mod chunked;
mod head;

use memchr::memchr_iter;

use self::chunked::Chunked;
use self::head::{Head, check_bytes, has_end, is_token, leading_empty_lines};

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
