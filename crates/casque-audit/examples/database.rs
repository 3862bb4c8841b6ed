//! How long the advisory database takes: made-up records are written to a zip file as the public export is one, compiled, opened
//! and asked. Run it in release: `cargo run --release -p casque-audit --example database -- [RECORDS] [FOLDER-OF-OSV]`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "it measures, prints, and stops where something fails"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use casque_audit::db::{Builder, Database, load, store};
use casque_audit::matching::{Context, check};
use casque_audit::{Ecosystem, Package};
use jiff::Timestamp;

/// How many packages a large lockfile has.
const PACKAGES: usize = 2000;
const RUNS: usize = 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(200_000, |n| n.parse().unwrap());
    let real = arguments.next();
    let folder = std::env::temp_dir().join(format!("casque-database-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (zip, file) = (folder.join("all.zip"), folder.join("advisories.db"));
    write_zip(&zip, count);

    let now: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
    let (start, busy) = (Instant::now(), processor_time());
    let mut builder = Builder::default().fetched(now);
    let mut loaded = load(&zip, &mut builder).unwrap().records;
    if let Some(real) = &real {
        loaded += load(Path::new(real), &mut builder).unwrap().records;
    }
    let bytes = builder.finish(now).unwrap();
    let busy = processor_time().saturating_sub(busy);
    println!("built from {loaded} records in {:?} ({busy:?} of the processor), {} MiB", start.elapsed(), bytes.len() >> 20);
    println!("most memory so far: {} MiB", peak_memory());
    let start = Instant::now();
    store(&file, &bytes).unwrap();
    println!("stored in {:?}", start.elapsed());
    drop(bytes);

    let packages: Vec<Package> = (0..PACKAGES).map(|n| Package::new(Ecosystem::Npm, name(n * 97), "1.0.3")).collect();
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let mut findings = 0;
    let (mut opened, mut checked, mut worked) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let start = Instant::now();
        let database = Database::open(&file, now).unwrap();
        opened.push(start.elapsed());
        let (start, busy) = (Instant::now(), processor_time());
        findings = check(&packages, &database, &Context::default()).unwrap().len();
        checked.push(start.elapsed());
        worked.push(processor_time().saturating_sub(busy));
    }
    println!("opened in {:?}", median(opened));
    println!("{PACKAGES} packages checked in {:?} ({:?} of the processor): {findings} findings", median(checked), median(worked));
    let start = Instant::now();
    Database::open(&file, now).unwrap().verify().unwrap();
    println!("verified in {:?}", start.elapsed());
    std::fs::remove_dir_all(&folder).unwrap();
}

fn name(number: usize) -> String {
    match number % 5 {
        0 => format!("@scope-{}/package-{number}", number % 300),
        1 => format!("{number:x}-js"),
        _ => format!("some-package-{number}"),
    }
}

/// Nine of ten records are of malware, as in the public export for npm.
fn record(number: usize) -> String {
    let malware = !number.is_multiple_of(10);
    let id = if malware {
        format!("MAL-2025-{number}")
    } else {
        format!("GHSA-{:04x}-{:04x}-{:04x}", number >> 16, number & 0xffff, number % 7919)
    };
    let events = if malware {
        r#"{"introduced":"0"}"#.to_owned()
    } else {
        format!(r#"{{"introduced":"{}.0.0"}},{{"fixed":"{}.2.{}"}}"#, number % 4, number % 4, number % 9)
    };
    let mut versions = String::new();
    for patch in 0..number % 6 {
        write!(versions, "{}\"1.0.{patch}\"", if patch == 0 { "" } else { "," }).unwrap();
    }
    let details =
        "The OpenSSF Package Analysis project identified this package as malicious. It talks to a domain that is known for it. ".repeat(6);
    format!(
        r#"{{"id":"{id}","modified":"2026-0{}-10T12:13:14Z","published":"2025-03-04T05:06:07Z","schema_version":"1.7.0","aliases":["CVE-2025-{number:05}"],
        "summary":"Something about {} that takes a line","details":"{details}",
        "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}}],
        "affected":[{{"package":{{"ecosystem":"npm","name":"{}","purl":"pkg:npm/x"}},"ranges":[{{"type":"SEMVER","events":[{events}]}}],"versions":[{versions}],
        "database_specific":{{"source":"https://github.com/ossf/malicious-packages/blob/main/osv/malicious/npm/x/{id}.json","cwes":[{{"cweId":"CWE-506","name":"Embedded Malicious Code"}}]}}}}],
        "references":[{{"type":"WEB","url":"https://github.com/advisories/{id}"}},{{"type":"PACKAGE","url":"https://example.com/{number}"}}],
        "database_specific":{{"severity":"HIGH","cwe_ids":["CWE-506"],"malicious-packages-origins":[{{"source":"ossf-package-analysis","sha256":"{number:064x}"}}]}}}}"#,
        number % 9 + 1,
        name(number / 2),
        name(number / 2),
    )
}

fn write_zip(path: &Path, count: usize) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let (mut directory, mut at) = (Vec::new(), 0u64);
    for number in 0..count {
        let json = record(number);
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(json.as_bytes()).unwrap();
        let (packed, name) = (deflate.finish().unwrap(), format!("{number}.json"));
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        for field in [crc32fast::hash(json.as_bytes()), packed.len() as u32, json.len() as u32] {
            common.extend(field.to_le_bytes());
        }
        common.extend((name.len() as u32).to_le_bytes());
        let local = [b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat();
        out.write_all(&local).unwrap();
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &(at as u32).to_le_bytes(), name.as_bytes()].concat());
        at += local.len() as u64;
    }
    out.write_all(&directory).unwrap();
    // ZIP64, for there are more than 65,535 files.
    let mut end = b"PK\x06\x06".to_vec();
    end.extend([0; 28]);
    for field in [count as u64, directory.len() as u64, at] {
        end.extend(field.to_le_bytes());
    }
    end.extend(b"PK\x06\x07\0\0\0\0");
    end.extend((at + directory.len() as u64).to_le_bytes());
    end.extend([1, 0, 0, 0]);
    end.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    out.write_all(&end).unwrap();
    out.flush().unwrap();
}

/// How long a processor has worked for this; Linux only.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or_default())
}

/// The most memory that was resident, in MiB; Linux only.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() >> 10
}
