//! The verbs of `casque audit` as people meet them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

/// A project in a folder of its own, gone at the end.
struct Project(PathBuf);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = std::env::temp_dir().join(format!("casque-verbs-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let project = Self(path);
        project.write("db/1.json", &advisory("GHSA-aaaa-aaaa-aaaa", "CVE-2026-1", "parser", "1.2.0"));
        project.write("db/2.json", &advisory("GHSA-bbbb-bbbb-bbbb", "CVE-2026-2", "extra", "2.0.0"));
        files.iter().for_each(|(name, text)| project.write(name, text));
        project
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `casque audit ...`: its exit code, stdout and stderr.
    fn audit(&self, args: &[&str]) -> (i32, String, String) {
        // The advisories here are old on purpose.
        let stale = args.contains(&"--db") && !args.contains(&"explain");
        let stale = if stale { &["--allow-stale"][..] } else { &[] };
        told(self.command(env!("CARGO_BIN_EXE_casque")).arg("audit").args(args).args(stale).output().unwrap())
    }

    /// A plain git, whatever whoever runs the tests has set up.
    fn git(&self, args: &[&str]) {
        let mut command = self.command("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]);
        let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.0).stdin(Stdio::null()).env("NO_COLOR", "1").env("XDG_CACHE_HOME", self.0.join("cache"));
        command.env("GIT_CEILING_DIRECTORIES", self.0.parent().unwrap());
        command
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn told(output: Output) -> (i32, String, String) {
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn advisory(id: &str, alias: &str, package: &str, fixed: &str) -> String {
    json!({
        "id": id, "aliases": [alias], "modified": "2020-01-01T00:00:00Z", "summary": "Reads too much",
        "database_specific": {"severity": "HIGH"},
        "affected": [{
            "package": {"ecosystem": "npm", "name": package},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    })
    .to_string()
}

const LOCK: &str = r#"{
  "name": "shop", "lockfileVersion": 3,
  "packages": {
    "": {"name": "shop", "dependencies": {"web": "^1.0.0"}, "devDependencies": {"tester": "^1.0.0"}},
    "node_modules/web": {"version": "1.0.0", "license": "MIT", "integrity": "sha512-a", "dependencies": {"parser": "^1.0.0"}},
    "node_modules/parser": {"version": "1.0.0", "license": "ISC", "integrity": "sha512-b"},
    "node_modules/tester": {"version": "1.0.0", "license": "MIT", "integrity": "sha512-c", "dev": true, "hasInstallScript": true}
  }
}
"#;

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn why_tells_who_asks_and_names_what_is_near() {
    let project = Project::new(&[("package-lock.json", LOCK)]);
    let (code, out, _) = project.audit(&["why", "parser"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("shop > web@1.0.0 > parser@1.0.0") && out.contains("asked for by web@1.0.0  ^1.0.0") && out.contains("line 6"),
        "{out}"
    );
    let (code, out, error) = project.audit(&["why", "parsr"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(error.contains("`parsr` is in none of the lockfiles") && error.contains("there is `parser`"), "{error}");
    let (code, _, error) = project.audit(&["why", "parser@2"]);
    assert_eq!(code, 1);
    assert!(error.contains("not in that range: 1.0.0"), "{error}");
    let (code, out, _) = project.audit(&["why", "parser", ".", "--format", "json"]);
    assert_eq!((code, json_of(&out)["lockfiles"][0]["instances"][0]["ways_total"].clone()), (0, json!(1)));
    assert_eq!(project.audit(&["why", "parser@latest"]).0, 2);
    assert_eq!(project.audit(&["why", "parser", "absent"]).0, 2);
}

#[test]
fn explain_finds_any_id_and_tells_what_the_project_has() {
    let project = Project::new(&[("web/package-lock.json", LOCK), ("none/x", "")]);
    let (code, out, _) = project.audit(&["explain", "cve-2026-1", "--db", "db"]);
    assert_eq!(code, 1);
    assert!(out.contains("GHSA-aaaa-aaaa-aaaa  high") && out.contains("parser@1.0.0 is affected; fixed in 1.2.0"), "{out}");
    let (code, out, _) = project.audit(&["explain", "GHSA-bbbb-bbbb-bbbb", "web", "--db", "db"]);
    assert_eq!(code, 0);
    assert!(out.contains("none of these packages"), "{out}");
    let (code, _, error) = project.audit(&["explain", "GHSA-aaaa-aaaa-aaab", "--db", "db"]);
    assert_eq!(code, 2);
    assert!(error.contains("there is `GHSA-aaaa-aaaa-aaaa`"), "{error}");
    // Without a project an advisory can be read all the same.
    let alone = Project::new(&[]);
    assert_eq!(alone.audit(&["explain", "CVE-2026-2", "--db", "db", "--format", "json"]).0, 0);
}

#[test]
fn tree_and_licenses_and_sbom() {
    let project = Project::new(&[("package-lock.json", LOCK)]);
    let (code, out, _) = project.audit(&["tree", "--prod"]);
    assert_eq!(code, 0);
    assert!(out.contains("shop\n└── web@1.0.0\n    └── parser@1.0.0") && !out.contains("tester"), "{out}");
    let (_, out, _) = project.audit(&["licenses"]);
    assert!(out.contains("2  MIT") && out.contains("1  ISC"), "{out}");
    for (format, key) in [("cyclonedx", "components"), ("spdx", "packages")] {
        let command = |output: Option<&str>| {
            let mut command = project.command(env!("CARGO_BIN_EXE_casque"));
            command.args(["audit", "sbom", "--format", format]).env("SOURCE_DATE_EPOCH", "0");
            command.args(output.map(|file| ["--output", file]).into_iter().flatten());
            told(command.output().unwrap())
        };
        let (code, out, _) = command(None);
        assert_eq!(code, 0);
        assert!(json_of(&out)[key].as_array().unwrap().len() >= 3, "{out}");
        assert_eq!(command(Some("bom.json")).0, 0);
        assert_eq!(fs::read_to_string(project.0.join("bom.json")).unwrap(), out);
        assert!(out.contains("1970-01-01T00:00:00Z"));
        let (code, out, _) = project.audit(&["why", "parser", "bom.json"]);
        assert_eq!(code, 0, "{out}");
    }
}

#[test]
fn notices_fail_only_where_they_are_denied() {
    let project = Project::new(&[("package-lock.json", LOCK)]);
    let (code, out, _) = project.audit(&["supply"]);
    assert_eq!(code, 0);
    assert!(out.contains("1 install script") && out.contains("tester@1.0.0 runs scripts"), "{out}");
    assert_eq!(project.audit(&["supply", "--deny", "install-script"]).0, 1);
    assert_eq!(project.audit(&["supply", "--deny", "install-script", "--allow-script", "tester"]).0, 0);
    project.write("casque.toml", "[audit]\ndeny = [\"install-script\"]\n");
    assert_eq!(project.audit(&["supply"]).0, 1);
    project.write("casque.toml", "[audit]\ndeny = [\"install-script\"]\nallow-scripts = [\"tester\"]\n");
    assert_eq!(project.audit(&["supply"]).0, 0);
    fs::remove_file(project.0.join("casque.toml")).unwrap();
    let (code, out, _) = project.audit(&["--db", "db", "--fail-on", "critical"]);
    assert_eq!(code, 0);
    assert!(out.contains("supply chain  1 install script") && !out.contains("runs scripts"), "{out}");
    let (code, out, _) = project.audit(&["--db", "db", "--fail-on", "critical", "--deny", "install-script", "--format", "json"]);
    assert_eq!((code, json_of(&out)["lockfiles"][0]["notices"][0]["fails"].clone()), (1, json!(true)));
    assert!(!project.audit(&["--db", "db", "--format", "sarif"]).1.contains("supply-chain/"));
    let (_, out, _) = project.audit(&["--db", "db", "--deny", "install-script", "--format", "sarif"]);
    let run = &json_of(&out)["runs"][0];
    let result = run["results"].as_array().unwrap().iter().find(|r| r["ruleId"] == "supply-chain/install-script").unwrap().clone();
    let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
}

#[test]
fn a_change_fails_by_what_it_brings() {
    let project = Project::new(&[("web/package-lock.json", LOCK), ("Cargo.lock", "version = 4\n")]);
    project.git(&["init", "-q", "."]);
    project.commit();
    let more = LOCK.replace(r#""parser": "^1.0.0"}}"#, r#""parser": "^1.0.0", "extra": "1"}}"#).replace(
        "    \"node_modules/tester\"",
        "    \"node_modules/extra\": {\"version\": \"1.0.0\", \"integrity\": \"sha512-d\", \"license\": \"GPL-3.0-only\"},\n    \"node_modules/tester\"",
    );
    project.write("web/package-lock.json", &more);
    let (code, out, error) = project.audit(&["diff", "main", "--db", "db"]);
    assert_eq!(code, 1, "{error}");
    assert!(out.contains("GHSA-bbbb-bbbb-bbbb") && out.contains("+ extra 1.0.0") && !out.contains("GHSA-aaaa"), "{out}");
    assert!(out.contains("main to now: 1 new, 0 fixed and 1 kept findings; packages: 1 added, 0 removed, 0 changed"), "{out}");
    assert!(out.contains("new licence GPL-3.0-only: extra"), "{out}");
    assert_eq!(project.audit(&["diff", "main", "--db", "db", "--fail-on", "critical"]).0, 0);
    project.commit();
    let (code, out, _) = project.audit(&["diff", "HEAD", "HEAD~1", "--db", "db", "--format", "json"]);
    let change = &json_of(&out)["lockfiles"][1];
    assert_eq!(code, 0);
    assert_eq!(
        (&change["path"], &change["fixed"][0]["name"], &change["kept"]),
        (&json!("web/package-lock.json"), &json!("extra"), &json!(1))
    );
    // From below: only what is there, and alike on the disk and in the commit.
    let (code, out, _) = told(
        project
            .command(env!("CARGO_BIN_EXE_casque"))
            .current_dir(project.0.join("web"))
            .args(["audit", "diff", "HEAD~1", "--db", "../db", "--allow-stale", "--format", "markdown"])
            .output()
            .unwrap(),
    );
    assert_eq!(code, 1);
    assert!(out.contains("**package&#45;lock") || out.contains("**package-lock&#46;json**"), "{out}");
    let (code, _, error) = project.audit(&["diff", "mian", "--db", "db"]);
    assert_eq!(code, 2);
    assert!(error.contains("`mian` is neither a path nor a commit"), "{error}");
    assert_eq!(project.audit(&["diff", "git:--help", "--db", "db"]).0, 2);
}

#[test]
fn workspaces_of_a_commit_are_read_from_it() {
    let yarn = "# yarn lockfile v1\n\n\nparser@^1.0.0:\n  version \"1.0.0\"\n  integrity sha512-a\n";
    let project = Project::new(&[
        ("yarn.lock", yarn),
        ("package.json", r#"{"name": "app", "workspaces": ["packages/*"]}"#),
        ("packages/a/package.json", r#"{"name": "a", "devDependencies": {"parser": "^1.0.0"}}"#),
    ]);
    project.git(&["init", "-q", "."]);
    project.commit();
    fs::remove_dir_all(project.0.join("packages")).unwrap();
    let (code, out, error) = project.audit(&["diff", "HEAD", "HEAD", "--db", "db", "--prod", "--format", "json"]);
    assert_eq!(code, 0, "{error}");
    // For development only, which package.json alone knows.
    assert_eq!(json_of(&out)["lockfiles"][0]["kept"], 0);
    assert_eq!(json_of(&project.audit(&["diff", "HEAD", "HEAD", "--db", "db", "--format", "json"]).1)["lockfiles"][0]["kept"], 1);
}

#[test]
fn files_are_compared_by_their_paths() {
    let project =
        Project::new(&[("old.json", LOCK), ("new.json", &LOCK.replace("1.0.0\", \"license\": \"ISC\"", "1.2.0\", \"license\": \"ISC\""))]);
    let (code, out, _) = project.audit(&["diff", "npm:old.json", "npm:new.json", "--db", "db"]);
    assert_eq!(code, 0);
    assert!(out.contains("~ parser 1.0.0 > 1.2.0  minor") && out.contains("high  parser@1.0.0 GHSA-aaaa-aaaa-aaaa"), "{out}");
    // The same version with the hash of another one.
    project.write("same.json", &LOCK.replace("sha512-b", "sha512-x"));
    let (code, out, _) = project.audit(&["diff", "npm:old.json", "npm:same.json", "--db", "db", "--deny", "changed-hash"]);
    assert_eq!(code, 1);
    assert!(out.contains("parser@1.0.0 has another hash than before"), "{out}");
}

#[test]
fn a_verb_that_was_mistyped_is_named() {
    let project = Project::new(&[("package-lock.json", LOCK)]);
    let (code, _, error) = project.audit(&["lisences", "--db", "db"]);
    assert_eq!(code, 2);
    assert!(error.contains("there is the command `casque audit licenses`"), "{error}");
}
