//! Looking for markers in a body while it passes.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// Bytes of a body that are looked at.
const LONGEST: usize = 64 << 10;

/// Looks for one sequence of bytes in a stream of chunks, across their borders (Knuth, Morris and Pratt): one comparison or two per
/// byte, and memory for the sequence alone.
#[derive(Debug, Clone)]
pub struct Marker {
    bytes: Vec<u8>,
    /// For each length that may have matched so far, the next shorter one that then has too.
    shorter: Vec<usize>,
    matched: usize,
    found: bool,
}

impl Marker {
    /// For these bytes. None at all are found at once.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut shorter = vec![0; bytes.len()];
        let mut matched = 0;
        for at in 1..bytes.len() {
            while matched > 0 && bytes.get(matched) != bytes.get(at) {
                matched = shorter.get(matched - 1).copied().unwrap_or(0);
            }
            matched += usize::from(bytes.get(matched) == bytes.get(at));
            if let Some(entry) = shorter.get_mut(at) {
                *entry = matched;
            }
        }
        Self { bytes: bytes.to_vec(), shorter, matched: 0, found: bytes.is_empty() }
    }

    /// The next chunk. Returns whether the bytes were found, in it or before.
    pub fn feed(&mut self, chunk: &[u8]) -> bool {
        for byte in chunk {
            if self.found {
                break;
            }
            while self.matched > 0 && self.bytes.get(self.matched) != Some(byte) {
                self.matched = self.shorter.get(self.matched - 1).copied().unwrap_or(0);
            }
            self.matched += usize::from(self.bytes.get(self.matched) == Some(byte));
            self.found = self.matched == self.bytes.len();
        }
        self.found
    }

    /// Whether the bytes were found.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.found
    }
}

/// What was seen of one answer's body, at most 64 KiB.
#[derive(Debug, Clone)]
pub struct Look {
    markers: Vec<Marker>,
    /// The body so far, where it has to be read as a whole.
    kept: Option<Vec<u8>>,
    seen: usize,
    ended: bool,
    readable: bool,
}

impl Look {
    pub(super) fn new(markers: impl Iterator<Item = Marker>, keep: bool, readable: bool) -> Self {
        Self { markers: markers.collect(), kept: keep.then(Vec::new), seen: 0, ended: false, readable }
    }

    /// The next chunk. Returns whether more is wanted; what follows need not be fed then.
    pub fn feed(&mut self, chunk: &[u8]) -> bool {
        let room = LONGEST - self.seen;
        let part = chunk.get(..room).unwrap_or(chunk);
        self.seen += part.len();
        for marker in &mut self.markers {
            marker.feed(part);
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(part);
        }
        if part.len() < chunk.len() {
            // There is more than was looked at.
            self.readable = false;
            self.kept = None;
        }
        self.readable
    }

    /// The body ended, and not by breaking off.
    pub fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn saw(&self, marker: &[u8]) -> bool {
        self.markers.iter().any(|m| m.found && m.bytes == marker)
    }

    pub(super) fn saw_all(&self) -> bool {
        self.readable && self.ended
    }

    /// The whole body.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        self.kept.as_deref().filter(|_| self.saw_all())
    }
}

/// Whether a body is as it is written, not compressed.
pub(super) fn is_readable(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().all(|value| value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn markers_are_found_wherever_the_chunks_end(text in "[ab]{0,60}", marker in "[ab]{0,6}", cuts in proptest::collection::vec(0usize..61, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut found = Marker::new(marker.as_bytes());
            for pair in cuts.windows(2) {
                found.feed(&text.as_bytes()[pair[0]..pair[1]]);
            }
            proptest::prop_assert_eq!(found.is_found(), text.contains(&marker));
        }
    }

    #[test]
    fn a_look_is_bounded() {
        let mut look = Look::new([Marker::new(b"x")].into_iter(), true, true);
        assert!(look.feed(&vec![b'a'; LONGEST]));
        assert!(!look.feed(b"x"));
        look.end();
        assert!(!look.saw(b"x") && !look.saw_all() && look.whole().is_none());
    }
}
