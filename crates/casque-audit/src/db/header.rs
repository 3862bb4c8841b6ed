//! The start of the file.
//!
//! ```text
//! "casqueDB"  format: u32  length of the header: u32  its CRC-32, this field as zero: u32      little-endian
//! when it was built, when its source was fetched, counts per ecosystem, notes, where the sections are, a CRC-32 for each page of data
//! the data
//! ```

use jiff::Timestamp;

use super::error::{Corrupt, Error, Problem};
use super::pages::{PAGE, Source};
use super::wire::{Reader, Writer};
use crate::package::Ecosystem;

/// The format of files written here. Other ones are refused rather than guessed at.
pub const FORMAT: u32 = 2;

const MAGIC: &[u8; 8] = b"casqueDB";
const FIXED: usize = 20;
/// Enough for the sums of 4 GiB and for the notes.
const MAX_HEADER: usize = 5 << 20;
/// The longest notes that are kept, in bytes.
pub const MAX_NOTES: usize = 512 << 10;

/// What a database says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// When it was built.
    pub built: Timestamp,
    /// When the export that it is made of was fetched, if it was.
    pub fetched: Option<Timestamp>,
    /// The latest change of a record, no later than `built`.
    pub newest: Option<Timestamp>,
    /// Records, withdrawn ones too.
    pub records: u32,
    /// Records that were taken back; they match nothing.
    pub withdrawn: u32,
    /// Records of malware.
    pub malware: u32,
    /// Packages with records in force: npm's, and crates.io's.
    pub packages: [u32; 2],
    /// Bytes of the file.
    pub size: u64,
    /// What whoever built it wants to find again, such as where it came from. Nothing here reads it.
    pub notes: Vec<u8>,
}

impl Info {
    /// Packages of one ecosystem with records in force.
    pub const fn packages_of(&self, ecosystem: Ecosystem) -> u32 {
        match ecosystem {
            Ecosystem::Npm => self.packages[0],
            Ecosystem::Cargo => self.packages[1],
        }
    }
}

/// Where the parts of the data begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sections {
    /// The index of packages, after records and postings.
    pub(super) packages: usize,
    pub(super) package_count: usize,
    /// The index of ids.
    pub(super) ids: usize,
    pub(super) id_count: usize,
    /// Where each record is.
    pub(super) records: usize,
    pub(super) record_count: usize,
    /// The end of the data.
    pub(super) end: usize,
}

pub(super) fn write(info: &Info, sections: &Sections, sums: &[u32]) -> Vec<u8> {
    let mut out = Writer::default();
    out.0.extend_from_slice(MAGIC);
    out.0.extend_from_slice(&FORMAT.to_le_bytes());
    out.0.extend_from_slice(&[0; 8]);
    out.signed(info.built.as_second());
    for time in [info.fetched, info.newest] {
        out.byte(u8::from(time.is_some()));
        out.signed(time.map_or(0, Timestamp::as_second));
    }
    for count in [info.records, info.withdrawn, info.malware, info.packages[0], info.packages[1]] {
        out.number(count.into());
    }
    out.bytes(&info.notes);
    let s = sections;
    for place in [s.packages, s.package_count, s.ids, s.id_count, s.records, s.record_count, s.end] {
        out.length(place);
    }
    for sum in sums {
        out.0.extend_from_slice(&sum.to_le_bytes());
    }
    let length = (out.0.len() as u32).to_le_bytes();
    out.0[12..16].copy_from_slice(&length);
    let sum = crc32fast::hash(&out.0).to_le_bytes();
    out.0[16..20].copy_from_slice(&sum);
    out.0
}

/// Reads the header: what the file says of itself, its sections, the sums of its pages, and where the data begins.
pub(super) fn read(source: &Source) -> Result<(Info, Sections, Vec<u32>, u64), Error> {
    let size = source.len()?;
    let mut fixed = [0; FIXED];
    if size < FIXED as u64 {
        return Err(Problem::NotADatabase.into());
    }
    source.read_at(&mut fixed, 0)?;
    let word = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    if !fixed.starts_with(MAGIC) {
        return Err(Problem::NotADatabase.into());
    }
    if word(8) != FORMAT {
        return Err(Problem::OtherFormat(word(8)).into());
    }
    let length = word(12) as usize;
    if !(FIXED..=MAX_HEADER).contains(&length) || length as u64 > size {
        return Err(Corrupt("its header has an impossible length").into());
    }
    let mut header = vec![0; length];
    source.read_at(&mut header, 0)?;
    header[16..20].fill(0);
    if crc32fast::hash(&header) != word(16) {
        return Err(Corrupt("its header has another sum than is recorded").into());
    }
    let (info, sections, sums) = fields(header.get(FIXED..).unwrap_or_default(), size)?;
    if (length + sections.end) as u64 != size {
        return Err(Corrupt("it is not as long as it says").into());
    }
    Ok((info, sections, sums, length as u64))
}

fn fields(bytes: &[u8], size: u64) -> Result<(Info, Sections, Vec<u32>), Corrupt> {
    let mut reader = Reader(bytes);
    let time = |seconds| Timestamp::from_second(seconds).map_err(|_| Corrupt("a date is impossible"));
    let built = time(reader.signed()?)?;
    let mut optional = || {
        let given = reader.byte()? != 0;
        let seconds = reader.signed()?;
        if given { time(seconds).map(Some) } else { Ok(None) }
    };
    let (fetched, newest) = (optional()?, optional()?);
    let mut count = || reader.u32();
    let (records, withdrawn, malware, packages) = (count()?, count()?, count()?, [count()?, count()?]);
    let notes = reader.bytes()?.to_vec();
    let mut place = || reader.u32().map(|place| place as usize);
    let sections = Sections {
        packages: place()?,
        package_count: place()?,
        ids: place()?,
        id_count: place()?,
        records: place()?,
        record_count: place()?,
        end: place()?,
    };
    let (sums, rest) = reader.0.as_chunks::<4>();
    if !rest.is_empty() || sums.len() != sections.end.div_ceil(PAGE) {
        return Err(Corrupt("its header does not match its data"));
    }
    let sums = sums.iter().map(|sum| u32::from_le_bytes(*sum)).collect();
    Ok((Info { built, fetched, newest, records, withdrawn, malware, packages, size, notes }, sections, sums))
}
