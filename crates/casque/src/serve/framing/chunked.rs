//! Chunked bodies (RFC 9112 7.1) and their trailers.

use super::Refusal;
use super::head::{check_bytes, field, is, strip_prefix_ignore_case};

/// Bytes of chunk extensions in one chunk's line. Nobody uses them; without a bound they are a way to send for ever.
const MAX_CHUNK_EXTENSION: usize = 256;
const MAX_TRAILERS: usize = 8 * 1024;

/// Where in a chunked body the next byte stands.
#[derive(Debug)]
pub(super) enum Chunked {
    Size { value: u64, digits: u8, part: SizePart, extension: usize },
    Data(u64),
    DataCr,
    DataLf,
    Trailers(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizePart {
    Digits,
    Space,
    Extension,
    Lf,
}

impl Chunked {
    pub(super) const START: Self = Self::Size { value: 0, digits: 0, part: SizePart::Digits, extension: 0 };
}

impl Chunked {
    /// Reads on; tells how many bytes were taken and whether the body is at its end.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), Refusal> {
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
