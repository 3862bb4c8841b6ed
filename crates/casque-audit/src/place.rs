//! A place in a file.

/// Where something stands in the file it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Bytes from the start of the text, a byte order mark not counted.
    pub offset: u32,
    /// The line, from 1.
    pub line: u32,
    /// Bytes from the line's start, from 1.
    pub column: u32,
}

impl Place {
    /// The file's first byte.
    pub const START: Self = Self { offset: 0, line: 1, column: 1 };
}

/// Turns offsets that only grow into places, in one pass over the text.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1, line_start: 0 }
    }

    /// The place of an offset that is not before the last one asked for; an earlier one is taken as the last one.
    pub(crate) fn place(&mut self, offset: usize) -> Place {
        let offset = offset.clamp(self.at, self.text.len());
        for newline in memchr::memchr_iter(b'\n', &self.text[self.at..offset]) {
            self.line = self.line.saturating_add(1);
            self.line_start = self.at + newline + 1;
        }
        self.at = offset;
        Place { offset: narrow(offset), line: self.line, column: narrow(offset - self.line_start + 1) }
    }
}

/// Texts are never longer than 4 GiB: [`crate::text::decode`] refuses them.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_columns_from_one() {
        let mut lines = Lines::new("ab\ncd\n");
        let at = |p: Place| (p.line, p.column);
        assert_eq!(at(lines.place(0)), (1, 1));
        assert_eq!(at(lines.place(2)), (1, 3));
        assert_eq!(at(lines.place(4)), (2, 2));
        assert_eq!(at(lines.place(99)), (3, 1));
    }
}
