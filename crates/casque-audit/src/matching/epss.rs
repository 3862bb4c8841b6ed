//! EPSS: the daily list of how probable exploitation is (FIRST; columns `cve,epss,percentile`).

use std::fmt;
use std::io::Read;

use super::Cve;

/// What the list may expand to: five times its size in 2026.
const MAX: u64 = 64 << 20;

/// One line of the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probability {
    /// The probability of exploitation within 30 days, from 0 to 1.
    pub probability: f64,
    /// The part of all CVEs that have at most this probability, from 0 to 1.
    pub percentile: f64,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Epss {
    /// Sorted by id; in single precision, as there are hundreds of thousands.
    rows: Vec<(Cve, f32, f32)>,
}

/// A list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadList {
    /// It is longer than 64 MiB, or its compression is damaged.
    Unpack,
    /// This line, from 1, has another form.
    Line(usize),
}

impl fmt::Display for BadList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpack => f.write_str("this EPSS list is longer than 64 MiB, or cannot be unpacked"),
            Self::Line(line) => write!(f, "line {line} of this EPSS list is not of the form `CVE-2024-12345,0.5,0.9`"),
        }
    }
}

impl std::error::Error for BadList {}

impl Epss {
    /// Reads the list, compressed with gzip or not.
    ///
    /// # Errors
    /// It is too long or a line is of another form.
    pub fn read(bytes: &[u8]) -> Result<Self, BadList> {
        let mut unpacked = String::new();
        let text = if bytes.starts_with(b"\x1f\x8b") {
            let read = flate2::read::MultiGzDecoder::new(bytes).take(MAX + 1).read_to_string(&mut unpacked);
            read.map_err(|_| BadList::Unpack)?;
            &unpacked
        } else {
            std::str::from_utf8(bytes).map_err(|_| BadList::Unpack)?
        };
        if text.len() as u64 > MAX {
            return Err(BadList::Unpack);
        }
        let mut rows = Vec::new();
        for (number, line) in text.lines().enumerate() {
            // A remark with the model's version, and the names of the columns.
            if line.is_empty() || line.starts_with('#') || line.starts_with("cve,") {
                continue;
            }
            rows.push(row(line).ok_or(BadList::Line(number + 1))?);
        }
        rows.sort_unstable_by_key(|(cve, ..)| *cve);
        Ok(Self { rows })
    }

    /// The line of a CVE.
    pub fn get(&self, cve: Cve) -> Option<Probability> {
        let place = self.rows.binary_search_by_key(&cve, |(cve, ..)| *cve).ok()?;
        let (_, probability, percentile) = *self.rows.get(place)?;
        Some(Probability { probability: probability.into(), percentile: percentile.into() })
    }

    /// How many CVEs it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn row(line: &str) -> Option<(Cve, f32, f32)> {
    let mut fields = line.trim_end().split(',');
    let cve = Cve::parse(fields.next()?)?;
    let mut part = || fields.next()?.parse::<f32>().ok().filter(|n| (0.0..=1.0).contains(n));
    Some((cve, part()?, part()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const LIST: &str = "#model_version:v2025.03.14,score_date:2026-11-01T00:00:00+0000\ncve,epss,percentile\nCVE-2024-0002,0.5,0.97\r\nCVE-1999-0001,0.00042,0.1\n";

    #[test]
    fn a_list_is_read_packed_or_not() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(LIST.as_bytes()).unwrap();
        let list = Epss::read(LIST.as_bytes()).unwrap();
        assert_eq!(Epss::read(&gzip.finish().unwrap()), Ok(list.clone()));
        assert_eq!((list.len(), list.get(Cve::parse("CVE-2024-0002").unwrap()).unwrap().probability), (2, 0.5));
        assert_eq!(list.get(Cve::parse("CVE-2024-0003").unwrap()), None);
    }

    #[test]
    fn a_bad_line_is_named() {
        for bad in ["CVE-2024-0002,1.5,0.1", "CVE-2024-0002,0.5", "x,0,0", "CVE-2024-0002,NaN,0"] {
            assert_eq!(Epss::read(format!("cve,epss,percentile\n{bad}\n").as_bytes()), Err(BadList::Line(2)), "{bad}");
        }
        assert_eq!(Epss::read(b"\x1f\x8bnot gzip"), Err(BadList::Unpack));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let line = "#".repeat(1 << 20);
        for _ in 0..66 {
            gzip.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(Epss::read(&gzip.finish().unwrap()), Err(BadList::Unpack));
    }
}
