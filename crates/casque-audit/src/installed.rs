//! What the packages in `node_modules` say of themselves.
//!
//! Which folder is looked into follows from a lockfile, thus from strangers: a path with a part that leads upwards or elsewhere is
//! not looked into, and a package.json that is another version's, no plain file, or longer than 1 MiB says nothing.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::graph::Instance;
use crate::kind::Kind;
use crate::package::Ecosystem;

const MAX_BYTES: u64 = 1 << 20;

/// The packages that are installed beside a lockfile.
#[derive(Debug, Clone)]
pub struct Installed {
    folder: PathBuf,
}

impl Installed {
    /// Those that belong to a lockfile at a path.
    #[must_use]
    pub fn beside(lockfile: &Path, kind: Kind) -> Self {
        let folder = lockfile.parent().unwrap_or(Path::new(""));
        let folder = if kind == Kind::NpmInstalled { folder.parent().unwrap_or(Path::new("")) } else { folder };
        Self { folder: folder.to_owned() }
    }

    /// What its package.json gives as its licence, as it is written. Nothing: it is not installed, or does not say.
    #[must_use]
    pub fn license(&self, instance: &Instance) -> Option<String> {
        if instance.package.ecosystem != Ecosystem::Npm {
            return None;
        }
        let (name, version) = (&instance.package.name, &instance.package.version);
        let stored = format!("node_modules/.pnpm/{}@{version}/node_modules/{name}", name.replace('/', "+"));
        let places = [instance.path.to_string(), format!("node_modules/{}", instance.name()), stored];
        places.iter().filter(|place| is_inside(place)).find_map(|place| {
            let manifest = read(&self.folder.join(place).join("package.json"))?;
            let is_it = manifest["name"].as_str() == Some(name) && manifest["version"].as_str() == Some(version);
            if is_it { license(&manifest) } else { None }
        })
    }
}

/// Whether a place can only be below the project's own `node_modules`.
fn is_inside(place: &str) -> bool {
    let mut parts = place.split('/');
    parts.next() == Some("node_modules") && parts.all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']))
}

fn read(path: &Path) -> Option<Value> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// `license` as a text, or in the two forms that npm had before: an object, and a list of them under `licenses`.
fn license(manifest: &Value) -> Option<String> {
    let one = |value: &Value| value.as_str().or_else(|| value["type"].as_str()).map(str::to_owned);
    let several = || {
        let all: Vec<String> = manifest["licenses"].as_array()?.iter().filter_map(one).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    one(&manifest["license"]).or_else(|| one(&manifest["licenses"])).or_else(several)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Manifests, parse};

    #[test]
    fn licences_are_read_from_where_packages_are_and_nowhere_else() {
        let top = std::env::temp_dir().join(format!("casque-installed-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = top.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("p/node_modules/a/package.json", r#"{"name": "a", "version": "1.0.0", "license": {"type": "MIT"}}"#);
        write("p/node_modules/@s/b/package.json", r#"{"name": "@s/b", "version": "1.0.0", "licenses": [{"type": "MIT"}, {"type": "X"}]}"#);
        write("p/node_modules/old/package.json", r#"{"name": "old", "version": "2.0.0", "license": "MIT"}"#);
        write(
            "p/node_modules/.pnpm/@s+c@1.0.0/node_modules/@s/c/package.json",
            r#"{"name": "@s/c", "version": "1.0.0", "license": "ISC"}"#,
        );
        write("out/package.json", r#"{"name": "out", "version": "1.0.0", "license": "SECRET"}"#);
        let lock = r#"{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0"}, "node_modules/@s/b": {"version": "1.0.0"},
            "node_modules/old": {"version": "1.0.0"}, "node_modules/@s/c": {"version": "1.0.0"},
            "node_modules/../../out": {"name": "out", "version": "1.0.0"}}}"#;
        let graph = parse(Kind::Npm, lock.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
        let installed = Installed::beside(&top.join("p/package-lock.json"), Kind::Npm);
        let found: Vec<Option<String>> = graph.instances().iter().map(|i| installed.license(i)).collect();
        fs::remove_dir_all(&top).unwrap();
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, [Some("MIT"), Some("MIT, X"), None, Some("ISC"), None]);
    }
}
