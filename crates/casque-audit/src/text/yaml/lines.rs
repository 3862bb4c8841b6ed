//! Lines, blanks and comments: getting from one thing that is said to the next.

use super::super::{Result, fault};
use super::Yaml;
use super::scalar::is_comment;

/// A line with something on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) indent: usize,
}

impl Yaml<'_> {
    pub(super) fn flow_blank(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r') => self.at += 1,
                Some(b'#') if is_comment(self.text, self.at) => {
                    self.at += memchr::memchr(b'\n', &bytes[self.at..]).unwrap_or(bytes.len() - self.at)
                }
                Some(b'\t') => return fault(self.at, "a tab, which YAML does not take as indentation"),
                _ => return Ok(()),
            }
        }
    }

    /// The next line that says something, from a line's start or end; goes to its start.
    pub(super) fn line(&mut self) -> Result<Option<Line>> {
        let bytes = self.text.as_bytes();
        self.line_end()?;
        loop {
            let start = self.at;
            self.line_start = start;
            let indent = bytes[start..].iter().take_while(|b| **b == b' ').count();
            match bytes.get(start + indent) {
                None => return Ok(None),
                Some(b'\n') => self.at = start + indent + 1,
                Some(b'\r') if bytes.get(start + indent + 1) == Some(&b'\n') => self.at = start + indent + 2,
                Some(b'#') => match memchr::memchr(b'\n', &bytes[start..]) {
                    Some(n) => self.at = start + n + 1,
                    None => return Ok(None),
                },
                Some(b'\t') => return fault(start + indent, "a tab, which YAML does not take as indentation"),
                Some(_) => return Ok(Some(Line { start: start + indent, indent })),
            }
        }
    }

    /// Goes past a comment and the line's end, if that is all that is left of the line. At a line's start, stays.
    pub(super) fn line_end(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        if self.at_line_start() {
            self.at = self.line_start;
            return Ok(());
        }
        self.spaces();
        match bytes.get(self.at) {
            None => Ok(()),
            Some(b) if self.at_line_end(*b) => {
                match memchr::memchr(b'\n', &bytes[self.at..]) {
                    Some(n) => {
                        self.at += n + 1;
                        self.line_start = self.at;
                    }
                    None => self.at = bytes.len(),
                }
                Ok(())
            }
            Some(_) => fault(self.at, "expected the end of the line"),
        }
    }

    pub(super) fn at_line_start(&self) -> bool {
        self.text.as_bytes()[self.line_start..self.at].iter().all(|b| *b == b' ')
    }

    /// Whether what follows, this byte first, is the line's end or a comment.
    pub(super) fn at_line_end(&self, b: u8) -> bool {
        match b {
            b'\n' => true,
            b'\r' => self.text.as_bytes().get(self.at + 1).is_none_or(|n| *n == b'\n'),
            b'#' => is_comment(self.text, self.at),
            _ => false,
        }
    }

    pub(super) fn is_dash(&self, at: usize) -> bool {
        let bytes = self.text.as_bytes();
        bytes.get(at) == Some(&b'-') && bytes.get(at + 1).is_none_or(|b| matches!(b, b' ' | b'\n' | b'\r'))
    }

    pub(super) fn is_marker(&self, line: Line) -> bool {
        let rest = &self.text.as_bytes()[line.start..];
        line.indent == 0
            && (rest.starts_with(b"---") || rest.starts_with(b"..."))
            && rest.get(3).is_none_or(|b| matches!(b, b' ' | b'\n' | b'\r'))
    }

    pub(super) fn spaces(&mut self) {
        self.at += self.text.as_bytes()[self.at..].iter().take_while(|b| **b == b' ').count();
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
