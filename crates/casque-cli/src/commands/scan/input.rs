//! What is graded without asking anybody: recordings and responses from files and from stdin.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use casque_scan::mdn::Preload;
use casque_scan::render::one_line;
use casque_scan::{Baseline, Capture, har, raw};

use super::fetch::{Target, without_userinfo};

/// The largest preload list that is read, in bytes: Chromium's has about 20 MB.
const MAX_PRELOAD: usize = 128 * 1024 * 1024;

/// One argument of the command.
#[derive(Debug)]
pub(super) enum Input {
    /// A site to ask.
    Site(Target),
    /// Whatever comes from stdin.
    Stdin,
}

impl Input {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        Target::parse(text).map(Self::Site).map_err(|why| format!("cannot scan `{}`: {why}", one_line(&without_userinfo(text))))
    }

    pub(super) fn target(&self) -> Option<Target> {
        match self {
            Self::Site(target) => Some(target.clone()),
            Self::Stdin => None,
        }
    }
}

/// The sites of a HAR file.
pub(super) fn recording(path: &Path) -> Result<Vec<Capture>, String> {
    let name = path.display();
    let bytes = open(path).and_then(|f| bounded(f, har::MAX_BYTES)).map_err(|e| format!("cannot read `{name}`: {e}"))?;
    har::captures(&bytes).map_err(|e| format!("`{name}`: {e}"))
}

/// The sites of a HAR file, or the response, that stdin gives.
pub(super) fn stdin() -> Result<Vec<Capture>, String> {
    let bytes = bounded(io::stdin().lock(), har::MAX_BYTES).map_err(|e| format!("cannot read stdin: {e}"))?;
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    if start.starts_with(b"{") {
        return har::captures(&bytes).map_err(|e| format!("stdin: {e}"));
    }
    raw::capture(start).map(|c| vec![c]).map_err(|e| format!("stdin: {e}"))
}

/// An earlier report.
pub(super) fn baseline(path: &Path) -> Result<Baseline, String> {
    let name = path.display();
    let bytes = open(path).and_then(|f| bounded(f, Baseline::MAX_BYTES)).map_err(|e| format!("cannot read `{name}`: {e}"))?;
    Baseline::parse(&bytes).map_err(|e| format!("`{name}`: {e}"))
}

/// Who is on the HSTS preload list.
pub(super) fn preload(path: &Path) -> Result<Preload, String> {
    let name = path.display();
    let bytes = open(path).and_then(|f| bounded(f, MAX_PRELOAD)).map_err(|e| format!("cannot read `{name}`: {e}"))?;
    if bytes.len() > MAX_PRELOAD {
        return Err(format!("`{name}` is larger than a preload list can be: at most {MAX_PRELOAD} bytes are read"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("`{name}` is not UTF-8 text"))?;
    Preload::parse(&text).map_err(|e| format!("`{name}`: {e}"))
}

fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// All of it, or one byte more than is taken, so that whoever reads it can say that it is too large.
fn bounded(from: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
