//! What the tests of `casque audit` share: folders, small projects, small databases.
#![allow(dead_code, reason = "each test binary needs a part of it")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

/// A folder of one's own, gone at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = std::env::temp_dir().join(format!("casque-audit-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// Runs casque in the folder, with its caches there too.
    pub(crate) fn casque(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// The same with something on stdin.
    pub(crate) fn casque_given(&self, args: &[&str], stdin: &str) -> Output {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casque"));
        command.args(args).current_dir(&self.0).env("NO_COLOR", "1").env("XDG_CACHE_HOME", self.0.join("cache"));
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// An advisory that was changed some days ago: a database is as old as its newest record.
pub(crate) fn aged(days: i64, id: &str, ecosystem: &str, package: &str, fixed: &str, summary: &str, specific: &Value) -> String {
    let modified = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    json!({
        "id": id, "modified": modified.to_string(), "summary": summary, "database_specific": specific,
        "affected": [{
            "package": {"ecosystem": ecosystem, "name": package},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    })
    .to_string()
}

pub(crate) fn advisory(id: &str, ecosystem: &str, package: &str, fixed: &str, summary: &str, specific: &Value) -> String {
    aged(10, id, ecosystem, package, fixed, summary, specific)
}

pub(crate) const PACKAGE_LOCK: &str = r#"{
  "name": "shop", "lockfileVersion": 3,
  "packages": {
    "": {"name": "shop", "dependencies": {"web": "^1.0.0"}, "devDependencies": {"tester": "^1.0.0"}},
    "node_modules/web": {"version": "1.0.0", "dependencies": {"parser": "^1.0.0"}},
    "node_modules/parser": {"version": "1.0.0"},
    "node_modules/tester": {"version": "1.0.0", "dev": true}
  }
}
"#;

const CARGO_LOCK: &str = r#"version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["old"]

[[package]]
name = "old"
version = "0.3.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "0000000000000000000000000000000000000000000000000000000000000000"
"#;

/// A project with a high finding that it runs, a low one in a tool, and in its Rust part something unmaintained.
pub(crate) fn shop() -> Folder {
    let folder = Folder::new();
    folder.write("package-lock.json", PACKAGE_LOCK);
    folder.write("native/Cargo.lock", CARGO_LOCK);
    let severity = |word: &str| json!({"severity": word});
    folder.write("osv/1.json", &advisory("GHSA-aaaa-aaaa-aaaa", "npm", "parser", "1.0.4", "Reads too far", &severity("HIGH")));
    folder.write("osv/2.json", &advisory("GHSA-bbbb-bbbb-bbbb", "npm", "tester", "1.1.0", "Writes too far", &severity("LOW")));
    let mut old: Value =
        serde_json::from_str(&advisory("RUSTSEC-2020-0001", "crates.io", "old", "9.0.0", "Nobody looks after it", &json!({}))).unwrap();
    old["affected"][0]["database_specific"] = json!({"informational": "unmaintained"});
    folder.write("osv/rust/3.json", &old.to_string());
    folder
}
