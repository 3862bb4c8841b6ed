//! The house's rules that the compiler does not hold: which part may know which.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// A part and the siblings it may name, `crate::x` for x. The root's small words (`Scheme`, `RequestId`) are everybody's.
const ARROWS: [(&str, &[&str]); 9] = [
    ("client_ip", &["Scheme", "RequestId"]),
    ("config", &["nearest", "path", "problem"]),
    ("cookie", &["Scheme", "config"]),
    ("headers", &["Scheme", "config", "host", "nearest", "path", "problem"]),
    ("limit", &["RequestId", "client_ip", "clock", "config", "path", "reply"]),
    ("login", &["RequestId", "Scheme", "client_ip", "clock", "config", "limit", "nearest", "path", "problem", "reply"]),
    ("serve", &["Scheme", "RequestId", "client_ip", "reply"]),
    ("host.rs", &[]),
    ("path.rs", &[]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    if folder.is_file() {
        return vec![folder.to_owned()];
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

/// The first names after `crate::` in a file's code; doc comments may point anywhere, tests may use anything.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or("");
    let mut names = Vec::new();
    for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
        for rest in line.split("crate::").skip(1) {
            if let Some(group) = rest.strip_prefix('{') {
                let group = group.split('}').next().unwrap_or("");
                names.extend(group.split(',').map(|n| first_name(n.trim())));
            } else {
                names.push(first_name(rest));
            }
        }
    }
    names
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[test]
fn parts_know_only_whom_they_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    let mut seen = 0;
    for (part, allowed) in ARROWS {
        for file in sources(&src.join(part)) {
            for name in imports(&fs::read_to_string(&file).unwrap()) {
                seen += 1;
                let own = part.trim_end_matches(".rs");
                if name != own && !allowed.contains(&name.as_str()) {
                    broken.push(format!("{}: crate::{name}", file.display()));
                }
            }
        }
    }
    assert!(seen > 20, "the rule looked at nothing");
    assert!(broken.is_empty(), "imports against ARCHITECTURE.md:\n{}", broken.join("\n"));
}

/// Which of our crates may name which, and which outside crates are kept to one of ours.
#[test]
fn crates_depend_only_on_whom_they_may() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let rules: [(&str, &[&str]); 5] = [
        ("casque", &[]),
        ("casque-audit", &[]),
        ("casque-scan", &["casque"]),
        ("casque-gateway", &["casque", "casque-scan"]),
        ("casque-cli", &["casque", "casque-audit", "casque-gateway", "casque-scan"]),
    ];
    for (name, allowed) in rules {
        let manifest = fs::read_to_string(crates.join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        for line in dependencies.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or("");
            assert!(!dependency.starts_with("casque") || allowed.contains(&dependency), "{name} depends on {dependency}");
            assert!(dependency != "clap" || name == "casque-cli", "{name} depends on clap");
            assert!(!dependency.starts_with("openssl"), "{name} depends on {dependency}");
        }
    }
}

#[test]
fn the_rule_can_fail() {
    assert_eq!(
        imports("use crate::{Scheme, limit};\nfn f() { crate::cookie::x() }\n// crate::doc\n#[cfg(test)]\nuse crate::tests;"),
        ["Scheme", "limit", "cookie"]
    );
}
