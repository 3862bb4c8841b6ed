//! What the registry says of a package's versions (packuments), from files.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;

/// What a file may hold, unpacked. The packuments of a thousand packages, as the registry gives them to npm, have some 30 MiB.
const MAX: u64 = 512 << 20;
/// How many folders of scopes, and files in one folder, are looked at.
const MOST_FILES: usize = 100_000;

/// The packuments of packages that matter, as they were written. They are read when they are needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packuments {
    by_name: HashMap<String, Box<str>>,
}

#[derive(Deserialize)]
struct Head {
    name: String,
}

impl Packuments {
    /// Reads a file, or every `.json` file of a folder and of the folders in it (scopes). A file holds packuments one after the
    /// other, one to a line or not, packed with gzip or not. Only those that are `wanted` are kept.
    ///
    /// # Errors
    /// Something cannot be read, is more than 512 MiB unpacked, or is no packument.
    pub fn open(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Self, Error> {
        let mut all = Self::default();
        for file in files(path)? {
            let bytes = bytes(&file).map_err(|e| Error::whole(e.to_string()).in_file(&file))?;
            all.add(&bytes, &wanted).map_err(|e| e.in_file(&file))?;
        }
        Ok(all)
    }

    /// Adds the packuments of a file's bytes; a name that is there already counts as it was.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn add(&mut self, bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<(), Error> {
        let mut unpacked = Vec::new();
        let bytes = if bytes.starts_with(b"\x1f\x8b") {
            let read = flate2::read::MultiGzDecoder::new(bytes).take(MAX + 1).read_to_end(&mut unpacked);
            read.map_err(|e| Error::whole(format!("cannot be unpacked: {e}")))?;
            &unpacked
        } else {
            bytes
        };
        if bytes.len() as u64 > MAX {
            return Err(Error::whole("more than 512 MiB of packuments; give those of your packages alone"));
        }
        for (number, text) in serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>().enumerate() {
            let wrong = |e: serde_json::Error| Error::whole(format!("document {} is no packument: {e}", number + 1));
            let text = text.map_err(wrong)?.get();
            let name = serde_json::from_str::<Head>(text).map_err(wrong)?.name;
            if wanted(&name) {
                self.by_name.entry(name).or_insert_with(|| text.into());
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(|text| &**text)
    }
}

fn files(path: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut open, mut found) = (vec![(path.to_owned(), true)], Vec::new());
    while let Some((folder, is_top)) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::whole(e.to_string()).in_file(&folder))? {
            let path = entry.map_err(|e| Error::whole(e.to_string()).in_file(&folder))?.path();
            if is_top && path.is_dir() {
                open.push((path, false));
            } else if path.extension().is_some_and(|end| end == "json") {
                found.push(path);
            }
            if found.len() + open.len() > MOST_FILES {
                return Err(Error::whole(format!("more than {MOST_FILES} files of packuments")).in_file(&folder));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn packuments_are_read_packed_or_not_and_only_those_that_matter() {
        let text = "{\"name\": \"a\", \"versions\": {}}\n{\n\"versions\": {}, \"name\": \"b\"}{\"name\": \"a\"}";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        for bytes in [text.as_bytes(), &gzip.finish().unwrap()] {
            let mut all = Packuments::default();
            all.add(bytes, |name| name == "a").unwrap();
            assert_eq!((all.get("a"), all.get("b")), (Some("{\"name\": \"a\", \"versions\": {}}"), None));
        }
    }

    #[test]
    fn what_is_no_packument_is_refused() {
        for bad in ["[]", "{}", "{\"name\": 1}", "{\"name\": \"a\"", "\u{1f}"] {
            assert!(Packuments::default().add(bad.as_bytes(), |_| true).unwrap_err().to_string().contains("document 1"), "{bad}");
        }
        assert!(Packuments::default().add(b"\x1f\x8b-", |_| true).is_err());
        let deep = format!("{{\"name\": \"a\", \"x\": {}", "[".repeat(1 << 20));
        assert!(Packuments::default().add(deep.as_bytes(), |_| true).is_err());
    }
}
