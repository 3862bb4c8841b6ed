//! Reading pieces of a file, each page of it checked against its sum when it is first touched.
//!
//! Plain positioned reads rather than a memory map: no `unsafe`, and a file that another process cuts short is an error instead of
//! a dead process. An audit touches few pages, and those stay here.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::sync::OnceLock;

use super::error::{Corrupt, Error};

/// As the system's pages, and small enough for CRC-32 to find every change of up to three bits (its Hamming distance is 4 up to
/// 11 KiB).
pub(super) const PAGE: usize = 4096;

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Source {
    File(File),
    Memory(Vec<u8>),
}

impl Source {
    pub(super) fn len(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => file.metadata().map(|metadata| metadata.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    pub(super) fn read_at(&self, to: &mut [u8], at: u64) -> io::Result<()> {
        match self {
            Self::File(file) => read_exact_at(file, to, at),
            Self::Memory(bytes) => {
                let start = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                let piece = start.and_then(|bytes| bytes.get(..to.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
                to.copy_from_slice(piece);
                Ok(())
            }
        }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, to: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, to, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut to: &mut [u8], mut at: u64) -> io::Result<()> {
    while !to.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, to, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                to = &mut to[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}

/// The data behind the header.
#[derive(Debug)]
pub(super) struct Pages {
    source: Source,
    start: u64,
    length: usize,
    sums: Vec<u32>,
    loaded: Vec<OnceLock<Box<[u8]>>>,
}

impl Pages {
    /// `sums` has one sum for each page of the `length` bytes from `start` on.
    pub(super) fn new(source: Source, start: u64, length: usize, sums: Vec<u32>) -> Self {
        let loaded = std::iter::repeat_with(OnceLock::new).take(sums.len()).collect();
        Self { source, start, length, sums, loaded }
    }

    fn page(&self, number: usize) -> Result<&[u8], Error> {
        let cell = self.loaded.get(number).ok_or(Corrupt("a place is beyond the end"))?;
        if let Some(page) = cell.get() {
            return Ok(page);
        }
        let at = number * PAGE;
        let mut page = vec![0; PAGE.min(self.length.saturating_sub(at))].into_boxed_slice();
        self.source.read_at(&mut page, self.start + at as u64)?;
        if self.sums.get(number) != Some(&crc32fast::hash(&page)) {
            return Err(Corrupt("a page has another sum than is recorded").into());
        }
        Ok(cell.get_or_init(|| page))
    }

    /// A piece of the data.
    pub(super) fn read(&self, at: usize, length: usize) -> Result<Cow<'_, [u8]>, Error> {
        let end = at.checked_add(length).filter(|end| *end <= self.length).ok_or(Corrupt("a place is beyond the end"))?;
        let within = at % PAGE;
        if within + length <= PAGE {
            if length == 0 {
                return Ok(Cow::Borrowed(&[]));
            }
            let piece = self.page(at / PAGE)?.get(within..within + length).ok_or(Corrupt("a page is short"))?;
            return Ok(Cow::Borrowed(piece));
        }
        let mut piece = Vec::with_capacity(length);
        let mut at = at;
        while at < end {
            let page = self.page(at / PAGE)?;
            let rest = page.get(at % PAGE..).ok_or(Corrupt("a page is short"))?;
            let taken = rest.len().min(end - at);
            piece.extend_from_slice(rest.get(..taken).unwrap_or_default());
            at += taken.max(1);
        }
        Ok(Cow::Owned(piece))
    }

    /// All of the data.
    pub(super) fn whole(&self) -> Result<Vec<u8>, Error> {
        let mut data = Vec::with_capacity(self.length);
        for number in 0..self.sums.len() {
            data.extend_from_slice(self.page(number)?);
        }
        Ok(data)
    }

    pub(super) fn sums(&self) -> &[u32] {
        &self.sums
    }

    /// Touches every page.
    pub(super) fn verify(&self) -> Result<(), Error> {
        (0..self.sums.len()).try_for_each(|number| self.page(number).map(drop))
    }
}

/// The sums of data that is to be written.
pub(super) fn sums(data: &[u8]) -> Vec<u32> {
    data.chunks(PAGE).map(crc32fast::hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_within_and_across_pages() {
        let data: Vec<u8> = (0..3 * PAGE + 100).map(|n| n as u8 ^ (n >> 8) as u8).collect();
        let pages = Pages::new(Source::Memory(data.clone()), 0, data.len(), sums(&data));
        for (at, length) in [(0, 0), (0, 1), (PAGE - 1, 1), (PAGE - 1, 2), (10, 2 * PAGE), (3 * PAGE, 100), (data.len(), 0)] {
            assert_eq!(&*pages.read(at, length).unwrap(), &data[at..at + length], "{at} {length}");
        }
        assert!(pages.read(3 * PAGE, 101).is_err());
        assert!(pages.read(usize::MAX, 2).is_err());
        assert!(pages.verify().is_ok());
    }

    #[test]
    fn a_changed_page_is_refused_and_others_are_not() {
        let mut data = vec![7; 2 * PAGE];
        let recorded = sums(&data);
        data[PAGE + 5] ^= 4;
        let pages = Pages::new(Source::Memory(data), 0, 2 * PAGE, recorded);
        assert!(pages.read(0, PAGE).is_ok());
        assert!(pages.read(PAGE, 1).is_err());
        assert!(pages.read(PAGE - 1, 2).is_err());
        assert!(pages.verify().is_err());
    }
}
