//! An export of advisories, and a server that has it.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::{Asked, Server, send};

/// A zip file of stored records, as small as one can be.
pub(super) fn zip(files: &[(String, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for field in [crc32(content.as_bytes()), content.len() as u32, content.len() as u32, name.len() as u32] {
            common.extend(field.to_le_bytes());
        }
        let at = out.len() as u32;
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let (count, at) = (files.len() as u16, out.len() as u32);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([(directory.len() as u32).to_le_bytes(), at.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

/// A reflected CRC of 32 bits.
fn crc(polynomial: u32, bytes: &[u8]) -> u32 {
    let bit = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ polynomial } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| bit(sum)))
}

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    crc(0xedb8_8320, bytes)
}

/// The field that Google's storage sends.
pub(super) fn sum(bytes: &[u8]) -> String {
    use base64::Engine;
    let sum = crc(0x82f6_3b78, bytes).to_be_bytes();
    format!("x-goog-hash: crc32c={}\r\n", base64::prelude::BASE64_STANDARD.encode(sum))
}

/// An export: records by ecosystem and id, each with the day of 2026 on which it changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Export(BTreeMap<(&'static str, String), (u32, String)>);

impl Export {
    pub(super) fn with(mut self, ecosystem: &'static str, id: &str, day: u32, package: &str) -> Self {
        let record = json!({
            "id": id, "modified": format!("2026-01-{day:02}T00:00:00.25Z"), "summary": format!("About {package}"),
            "affected": [{
                "package": {"ecosystem": ecosystem, "name": package},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
            }],
        });
        self.0.insert((ecosystem, id.to_owned()), (day, record.to_string()));
        self
    }

    pub(super) fn without(mut self, ecosystem: &'static str, id: &str) -> Self {
        self.0.remove(&(ecosystem, id.to_owned()));
        self
    }

    pub(super) fn change(mut self, ecosystem: &'static str, id: &str, day: u32, change: impl Fn(&mut Value)) -> Self {
        let (at, text) = self.0.get_mut(&(ecosystem, id.to_owned())).unwrap();
        let mut record: Value = serde_json::from_str(text).unwrap();
        record["modified"] = format!("2026-01-{day:02}T00:00:00.25Z").into();
        change(&mut record);
        (*at, *text) = (day, record.to_string());
        self
    }

    pub(super) fn of(&self, ecosystem: &str) -> Vec<(&String, u32, &String)> {
        let of = self.0.iter().filter(|((of, _), _)| *of == ecosystem);
        let mut all: Vec<_> = of.map(|((_, id), (day, text))| (id, *day, text)).collect();
        all.sort_by_key(|(_, day, _)| std::cmp::Reverse(*day));
        all
    }

    pub(super) fn archive(&self, ecosystem: &str) -> Vec<u8> {
        let files: Vec<_> = self.of(ecosystem).into_iter().map(|(id, _, text)| (format!("{id}.json"), text.clone())).collect();
        zip(&files)
    }

    /// The bytes of a file, if there is such a file.
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let (ecosystem, name) = path.strip_prefix("/osv/")?.split_once('/')?;
        match name {
            "all.zip" => Some(self.archive(ecosystem)),
            "modified_id.csv" => {
                let lines = self.of(ecosystem).into_iter().map(|(id, day, _)| format!("2026-01-{day:02}T00:00:00.25Z,{id}\n"));
                Some(lines.collect::<String>().into_bytes())
            }
            _ => {
                let id = name.strip_suffix(".json")?;
                self.of(ecosystem).into_iter().find(|(of, ..)| *of == id).map(|(.., text)| text.clone().into_bytes())
            }
        }
    }

    /// Answers as Google's storage does.
    pub(super) fn answer(&self, asked: &Asked, to: &mut dyn Write) {
        let Some(body) = self.file(&asked.path) else { return send(to, "404 Not Found", "", b"") };
        let tag = format!("\"{:08x}\"", crc32(&body));
        let fields = format!("ETag: {tag}\r\n{}", sum(&body));
        if asked.field("if-none-match") == Some(&tag) {
            return send(to, "304 Not Modified", &fields, b"");
        }
        let from = asked.field("range").filter(|_| asked.field("if-range") == Some(&tag));
        let from = from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match from {
            Some(from) if from >= body.len() => {
                send(to, "416 Range Not Satisfiable", &format!("Content-Range: bytes */{}\r\n", body.len()), b"");
            }
            Some(from) => {
                let range = format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
                send(to, "206 Partial Content", &format!("{fields}{range}"), &body[from..]);
            }
            None => send(to, "200 OK", &fields, &body),
        }
    }

    pub(super) fn serve(self) -> Server {
        Server::start(move |asked, to| self.answer(asked, to))
    }
}

pub(super) fn export() -> Export {
    let all = Export::default().with("crates.io", "RUSTSEC-2026-0001", 1, "old");
    (1..=5).fold(all, |all, n| all.with("npm", &format!("GHSA-{n}"), n, &format!("package-{n}")))
}

/// An export that changes when it is told to.
pub(super) fn changing(first: Export) -> (Server, Arc<Mutex<Export>>) {
    let now = Arc::new(Mutex::new(first));
    let served = now.clone();
    (Server::start(move |asked, to| served.lock().unwrap().clone().answer(asked, to)), now)
}
