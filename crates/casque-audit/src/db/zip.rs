//! Reading zip files, as far as exports of advisories need it: stored and deflated files, ZIP64 (PKWARE's APPNOTE 6.3.10).
//!
//! Only the directory at the end is believed. Files may overlap or expand without end, so each may have [`MAX_RECORD`] bytes, and
//! all together [`MAX_TOTAL`].

use std::io::Read;

use super::error::{Error, Problem};
use super::pages::Source;
use crate::osv::MAX_RECORD;

/// What all files of an archive may expand to.
const MAX_TOTAL: u64 = 8 << 30;
/// The longest directory: four million files.
const MAX_DIRECTORY: u64 = 256 << 20;

const END: usize = 22;
const END64_LOCATOR: u64 = 20;
const END64: usize = 56;
const ENTRY: usize = 46;
const LOCAL: usize = 30;
const MARK64: u64 = u32::MAX as u64;

fn bad<T>(what: &'static str) -> Result<T, Error> {
    Err(Problem::Zip(what).into())
}

fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let piece = bytes.get(at..at + width).unwrap_or_default();
    piece.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn read(source: &Source, at: u64, length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; length];
    match source.read_at(&mut bytes, at) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => bad("it ends early"),
        Err(error) => Err(error.into()),
    }
}

/// Where the directory is, and how long it is.
fn directory(source: &Source) -> Result<(u64, u64), Error> {
    let size = source.len()?;
    let tail_length = size.min(END as u64 + 0xffff) as usize;
    let tail = read(source, size - tail_length as u64, tail_length)?;
    let found = (0..=tail.len().saturating_sub(END)).rev().find(|at| {
        let comment = number(&tail, at + 20, 2) as usize;
        tail.get(*at..).is_some_and(|rest| rest.starts_with(b"PK\x05\x06") && rest.len() == END + comment)
    });
    let Some(end) = found else { return bad("it has no directory at its end; the download may be incomplete") };
    let end_at = size - (tail_length - end) as u64;
    let (mut length, mut at) = (number(&tail, end + 12, 4), number(&tail, end + 16, 4));
    if length == MARK64 || at == MARK64 || number(&tail, end + 10, 2) == 0xffff {
        let locator_at = end_at.checked_sub(END64_LOCATOR);
        let locator = locator_at.map(|at| read(source, at, END64_LOCATOR as usize)).transpose()?.unwrap_or_default();
        // Exactly 65,535 files need no ZIP64.
        if locator.starts_with(b"PK\x06\x07") {
            let end64 = read(source, number(&locator, 8, 8), END64)?;
            if !end64.starts_with(b"PK\x06\x06") {
                return bad("its ZIP64 directory is not where it says");
            }
            (length, at) = (number(&end64, 40, 8), number(&end64, 48, 8));
        }
    }
    if length > MAX_DIRECTORY || at.checked_add(length).is_none_or(|end| end > end_at) {
        return bad("its directory has an impossible place or length");
    }
    Ok((at, length))
}

/// Gives every file whose name ends in `.json` to `each`; one that cannot be unpacked comes as the reason why.
pub(super) fn json_files(source: &Source, mut each: impl FnMut(&str, Result<&[u8], &'static str>)) -> Result<(), Error> {
    let (at, length) = directory(source)?;
    let directory = read(source, at, length as usize)?;
    let mut rest = &directory[..];
    let mut total = 0;
    let (mut packed, mut unpacked) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        if rest.len() < ENTRY || !rest.starts_with(b"PK\x01\x02") {
            return bad("its directory is damaged");
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| number(rest, at, 2) as usize);
        let Some((entry, after)) = rest.split_at_checked(ENTRY + name + extra + comment) else { return bad("its directory ends early") };
        rest = after;
        let file_name = String::from_utf8_lossy(&entry[ENTRY..ENTRY + name]);
        if !file_name.ends_with(".json") {
            continue;
        }
        let file = File::of(entry, &entry[ENTRY + name..ENTRY + name + extra]);
        total += file.unpacked;
        if total > MAX_TOTAL {
            return bad("it expands to more than 8 GiB");
        }
        match file.unpack(source, &mut packed, &mut unpacked)? {
            Ok(()) => each(&file_name, Ok(&unpacked)),
            Err(why) => each(&file_name, Err(why)),
        }
    }
    Ok(())
}

struct File {
    encrypted: bool,
    method: u64,
    sum: u64,
    packed: u64,
    unpacked: u64,
    at: u64,
}

impl File {
    fn of(entry: &[u8], mut extra: &[u8]) -> Self {
        let mut file = Self {
            encrypted: number(entry, 8, 2) & 1 != 0,
            method: number(entry, 10, 2),
            sum: number(entry, 16, 4),
            packed: number(entry, 20, 4),
            unpacked: number(entry, 24, 4),
            at: number(entry, 42, 4),
        };
        while extra.len() >= 4 {
            let (kind, length) = (number(extra, 0, 2), number(extra, 2, 2) as usize);
            if kind == 1 {
                // Those that do not fit, in this order.
                let mut place = 4;
                for field in [&mut file.unpacked, &mut file.packed, &mut file.at] {
                    if *field == MARK64 {
                        *field = number(extra, place, 8);
                        place += 8;
                    }
                }
            }
            extra = extra.get(4 + length..).unwrap_or_default();
        }
        file
    }

    fn unpack(&self, source: &Source, packed: &mut Vec<u8>, unpacked: &mut Vec<u8>) -> Result<Result<(), &'static str>, Error> {
        if self.encrypted {
            return Ok(Err("it is encrypted"));
        }
        // Deflate adds a few bytes to what it cannot shrink.
        if self.unpacked > MAX_RECORD as u64 || self.packed > MAX_RECORD as u64 + (MAX_RECORD >> 8) as u64 {
            return Ok(Err("it is longer than 16 MiB"));
        }
        let local = read(source, self.at, LOCAL)?;
        if !local.starts_with(b"PK\x03\x04") {
            return Ok(Err("it is not where the directory says"));
        }
        let start = self.at + (LOCAL as u64) + number(&local, 26, 2) + number(&local, 28, 2);
        packed.resize(self.packed as usize, 0);
        if source.read_at(packed, start).is_err() {
            return Ok(Err("it ends early"));
        }
        match self.method {
            0 => std::mem::swap(packed, unpacked),
            8 => {
                unpacked.clear();
                let limit = self.unpacked + 1;
                if flate2::read::DeflateDecoder::new(&packed[..]).take(limit).read_to_end(unpacked).is_err() {
                    return Ok(Err("it cannot be unpacked"));
                }
            }
            _ => return Ok(Err("it is packed in a way other than deflate")),
        }
        if unpacked.len() as u64 != self.unpacked || u64::from(crc32fast::hash(unpacked)) != self.sum {
            return Ok(Err("its length or sum is not the recorded one"));
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    /// An archive of these files, in ZIP64 if asked for.
    pub(in crate::db) fn archive(files: &[(&str, &[u8])], zip64: bool) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (number, (name, content)) in files.iter().enumerate() {
            let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            deflate.write_all(content).unwrap();
            // Every other one is stored.
            let (method, packed) = if number % 2 == 0 { (8u16, deflate.finish().unwrap()) } else { (0, content.to_vec()) };
            let at = out.len() as u64;
            let (sum, name_length) = (crc32fast::hash(content), name.len() as u16);
            let mut common = vec![20, 0, 0, 0];
            common.extend(method.to_le_bytes());
            common.extend([0; 4]);
            common.extend(sum.to_le_bytes());
            out.extend(b"PK\x03\x04");
            out.extend(&common);
            for field in [packed.len() as u32, content.len() as u32] {
                out.extend(field.to_le_bytes());
            }
            out.extend(name_length.to_le_bytes());
            out.extend([0, 0]);
            out.extend(name.as_bytes());
            out.extend(&packed);

            directory.extend(b"PK\x01\x02\x14\x00");
            directory.extend(&common);
            let sizes = [packed.len() as u64, content.len() as u64, at];
            let short = |n: u64| if zip64 { u32::MAX } else { n as u32 }.to_le_bytes();
            directory.extend(short(sizes[0]));
            directory.extend(short(sizes[1]));
            directory.extend(name_length.to_le_bytes());
            directory.extend(if zip64 { 28u16 } else { 0 }.to_le_bytes());
            directory.extend([0; 10]);
            directory.extend(short(sizes[2]));
            directory.extend(name.as_bytes());
            if zip64 {
                directory.extend([1, 0, 24, 0]);
                for size in [sizes[1], sizes[0], sizes[2]] {
                    directory.extend(size.to_le_bytes());
                }
            }
        }
        let (at, length) = (out.len() as u64, directory.len() as u64);
        out.extend(&directory);
        if zip64 {
            let end64 = out.len() as u64;
            out.extend(b"PK\x06\x06");
            out.extend([0; 28]);
            out.extend((files.len() as u64).to_le_bytes());
            out.extend(length.to_le_bytes());
            out.extend(at.to_le_bytes());
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend(end64.to_le_bytes());
            out.extend([1, 0, 0, 0]);
        }
        out.extend(b"PK\x05\x06\0\0\0\0");
        let count = if zip64 { u16::MAX } else { files.len() as u16 }.to_le_bytes();
        out.extend(count);
        out.extend(count);
        out.extend(if zip64 { u32::MAX } else { length as u32 }.to_le_bytes());
        out.extend(if zip64 { u32::MAX } else { at as u32 }.to_le_bytes());
        out.extend([3, 0]);
        out.extend(b"end");
        out
    }

    type Read = (String, Result<Vec<u8>, &'static str>);

    fn files(bytes: Vec<u8>) -> Result<Vec<Read>, Error> {
        let mut found = Vec::new();
        json_files(&Source::Memory(bytes), |name, content| found.push((name.to_owned(), content.map(<[u8]>::to_vec))))?;
        Ok(found)
    }

    const FILES: [(&str, &[u8]); 4] = [("a.json", b"{}"), ("b.json", b"[1,1,1,1,1,1,1,1]"), ("c.txt", b"no"), ("d/e.json", b"")];

    #[test]
    fn files_are_unpacked() {
        let wanted = [FILES[0], FILES[1], FILES[3]].map(|(name, content)| (name.to_owned(), Ok(content.to_vec())));
        for zip64 in [false, true] {
            assert_eq!(files(archive(&FILES, zip64)).unwrap(), wanted);
        }
        assert_eq!(files(archive(&[], false)).unwrap(), []);
    }

    #[test]
    fn a_damaged_file_is_left_out_and_a_cut_archive_refused() {
        let mut bytes = archive(&FILES, false);
        let at = bytes.windows(5).position(|w| w == b"[1,1,").unwrap();
        bytes[at] = b'{';
        let found = files(bytes.clone()).unwrap();
        assert_eq!((found[0].1.is_ok(), found[1].1.as_ref().err()), (true, Some(&"its length or sum is not the recorded one")));
        bytes.truncate(bytes.len() - 10);
        assert!(files(bytes).is_err());
        assert!(files(b"not a zip".to_vec()).is_err());
    }

    #[test]
    fn a_file_may_not_expand_beyond_what_it_says() {
        let zeros = vec![0; 1 << 20];
        let mut bytes = archive(&[("a.json", &zeros)], false);
        let entry = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[entry + 24..entry + 28].copy_from_slice(&16u32.to_le_bytes());
        assert!(files(bytes.clone()).unwrap()[0].1.is_err());
        bytes[entry + 24..entry + 28].copy_from_slice(&(17u32 << 20).to_le_bytes());
        assert_eq!(files(bytes).unwrap()[0].1, Err("it is longer than 16 MiB"));
    }

    proptest::proptest! {
        #[test]
        fn no_change_panics(at: proptest::sample::Index, byte: u8, zip64: bool) {
            let mut bytes = archive(&FILES, zip64);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = files(bytes);
        }
    }
}
