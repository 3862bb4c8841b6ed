use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::policy::to_toml;

const TODAY: Date = date(2026, 11, 23);

/// Entries as one line each, and notes with their lines.
fn read(tool: Tool, text: &str) -> (Vec<String>, Vec<String>) {
    let imported = import(tool, "the file", text.as_bytes(), TODAY).unwrap();
    let line = |ignore: &Ignore| {
        let written = to_toml(std::slice::from_ref(ignore));
        written.lines().skip(2).map(|line| line.replace(" = ", "=")).collect::<Vec<_>>().join(", ")
    };
    let note = |note: &Note| format!("{}: {}", note.place.line, note.message);
    (imported.ignores.iter().map(line).collect(), imported.notes.iter().map(note).collect())
}

const NONE_GIVEN: &str = "reason=\"taken over from the file, which gives no reason\"";

#[test]
fn snyk() {
    let (entries, notes) = read(
        Tool::Snyk,
        "# Snyk (https://snyk.io) policy file\nversion: v1.25.0\nignore:\n  CVE-2026-0001:\n    - '*':\n        reason: >-\n          not used\n          by us\n        \
         expires: 2027-01-31T00:00:00.000Z\n        created: 2026-01-01T00:00:00.000Z\n  GHSA-aaaa-aaaa-aaaa:\n    - express > qs@6.x:\n        reason: None Given\n        disregardIfFixable: true\n    \
         - 'jest > *':\n        reason: tests\n        reasonType: not-vulnerable\n        expires: 2026-01-31T00:00:00.000Z\n  SNYK-JS-LODASH-567746:\n    - '*':\n        reason: x\n  \
         CVE-2026-0002:\n    - '*':\n        expires: soon\n    - '*':\n        reasonType: not-vulnerable\npatch:\n  'npm:x:1':\n    - a: {}\n",
    );
    assert_eq!(
        entries,
        [
            "id=\"CVE-2026-0001\", reason=\"not used by us\", expires=2027-01-31".to_owned(),
            format!("id=\"GHSA-aaaa-aaaa-aaaa\", path=\"express > qs@6.x\", {NONE_GIVEN}, until-fixable=true"),
            format!("id=\"CVE-2026-0002\", {NONE_GIVEN}, vex=\"not_affected\""),
        ]
    );
    assert_eq!(notes.len(), 4, "{notes:?}");
    assert!(notes[0].starts_with("15: `GHSA-aaaa-aaaa-aaaa` is not carried over: it ended on 2026-01-31"), "{notes:?}");
    assert!(notes[1].starts_with("20: `SNYK-JS-LODASH-567746`") && notes[1].contains("no public database"), "{notes:?}");
    assert!(notes[2].contains("`soon`") && notes[3].contains("patches"), "{notes:?}");
}

#[test]
fn better_npm_audit() {
    let (entries, notes) = read(
        Tool::Nsprc,
        r#"{"GHSA-aaaa-aaaa-aaaa": {"active": true, "notes": "ours", "expiry": 1803772800000},
            "CVE-2026-0001": "why\n not", "1337": {"active": true}, "GHSA-bbbb-bbbb-bbbb": {"active": false}, "CWE-79": "x", "Note": "x"}"#,
    );
    assert_eq!(entries, ["id=\"GHSA-aaaa-aaaa-aaaa\", reason=\"ours\", expires=2027-02-28", "id=\"CVE-2026-0001\", reason=\"why not\""]);
    assert_eq!(notes.len(), 4, "{notes:?}");
    assert!(notes[0].contains("npm's numbers change") && notes[1].contains("not active") && notes[2].contains("weakness"), "{notes:?}");
}

#[test]
fn audit_ci() {
    let (entries, notes) = read(
        Tool::AuditCi,
        "// audit-ci\n{\n  $schema: 'x',\n  moderate: true,\n  'allowlist': [\n    // https://x/y\n    // about a\n    'GHSA-aaaa-aaaa-aaaa',\n    1523,\n    \"lodash\",\n    \"GHSA-bbbb-bbbb-bbbb|a>@s/b>c\",\n    \
         \"GHSA-cccc-cccc-cccc|*>c\",\n    '*|a>*',\n    'GHSA-dddd-dddd-dddd|a*>b',\n    { 'GHSA-eeee-eeee-eeee': { active: true, notes: 'n', expiry: '2027-01-01' } },\n  ],\n}\n",
    );
    assert_eq!(
        entries,
        [
            "id=\"GHSA-aaaa-aaaa-aaaa\", reason=\"https://x/y about a\"".to_owned(),
            format!("id=\"GHSA-bbbb-bbbb-bbbb\", path=\"a > @s/b > c\", {NONE_GIVEN}"),
            format!("id=\"GHSA-cccc-cccc-cccc\", path=\"* > c\", {NONE_GIVEN}"),
            "id=\"GHSA-eeee-eeee-eeee\", reason=\"n\", expires=2027-01-01".to_owned(),
        ]
    );
    let lines: Vec<&str> = notes.iter().map(|note| note.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["4", "9", "10", "12", "13", "14"], "{notes:?}");
    assert!(notes[0].contains("fail-on = \"moderate\"") && notes[4].contains("one advisory"), "{notes:?}");
}

#[test]
fn osv_scanner_and_the_cargo_tools() {
    let (entries, notes) = read(
        Tool::OsvScanner,
        "[[IgnoredVulns]]\nid = \"CVE-2026-0001\"\nignoreUntil = 2027-01-31T00:00:00Z\nreason = \"r\"\n\n[[IgnoredVulns]]\nid = 'MAL-2026-1'\n\n[[PackageOverrides]]\nname = \"x\"\nignore = true\n",
    );
    assert_eq!(entries, ["id=\"CVE-2026-0001\", reason=\"r\", expires=2027-01-31"]);
    assert!(notes[0].contains("malware") && notes[1].starts_with("9: the override for `x`"), "{notes:?}");

    let (entries, notes) = read(
        Tool::CargoAudit,
        "[advisories]\nignore = [\n  \"RUSTSEC-2021-0139\", # why it is\n  \"nonsense\",\n]\nseverity_threshold = \"low\"\n",
    );
    assert_eq!(entries, ["id=\"RUSTSEC-2021-0139\", reason=\"why it is\""]);
    assert!(notes[0].starts_with("4: `nonsense`") && notes[1].contains("fail-on"), "{notes:?}");

    let (entries, notes) = read(
        Tool::CargoDeny,
        "[advisories]\nignore = [\"RUSTSEC-2021-0139\", { id = \"RUSTSEC-2024-0436\", reason = \"r\" }, \"a@0.1\", { crate = \"b\", reason = \"r\" }]\n",
    );
    assert_eq!(entries, [format!("id=\"RUSTSEC-2021-0139\", {NONE_GIVEN}"), "id=\"RUSTSEC-2024-0436\", reason=\"r\"".to_owned()]);
    assert!(notes.len() == 2 && notes.iter().all(|note| note.contains("yanked")), "{notes:?}");
}

#[test]
fn trivy() {
    let (entries, notes) = read(
        Tool::Trivy,
        "# Accept the risk\n# for now\nCVE-2026-0001 exp:2027-01-31\n\n# about nothing\n\nCVE-2026-0002 # here\nCVE-2026-0002\nAVD-DS-0002\nCVE-2026-0003 exp:2020-01-01\n",
    );
    assert_eq!(
        entries,
        ["id=\"CVE-2026-0001\", reason=\"Accept the risk for now\", expires=2027-01-31", "id=\"CVE-2026-0002\", reason=\"here\""]
    );
    assert!(notes[0].starts_with("9: `AVD-DS-0002`") && notes[1].contains("ended on 2020-01-01"), "{notes:?}");

    let (entries, notes) = read(
        Tool::TrivyYaml,
        "vulnerabilities:\n- id: CVE-2026-0001\n  paths:\n  - web/yarn.lock\n  - \"**/x\"\n  statement: r\n  purls:\n  - pkg:npm/%40s/a@1.0.0\n  - pkg:deb/debian/b\n- id: CVE-2026-0002\n  \
         expired_at: 2027-01-31\nmisconfigurations:\n- id: AVD-1\nsecrets:\n",
    );
    assert_eq!(
        entries,
        [
            "id=\"CVE-2026-0001\", package=\"@s/a\", versions=\"=1.0.0\", lockfile=\"web/yarn.lock\", reason=\"r\"".to_owned(),
            format!("id=\"CVE-2026-0002\", {NONE_GIVEN}, expires=2027-01-31"),
        ]
    );
    assert_eq!(notes.len(), 3, "{notes:?}");
}

#[test]
fn package_managers() {
    let pnpm = "packages:\n  - 'a/*'\nauditConfig:\n  ignoreGhsas:\n    - GHSA-aaaa-aaaa-aaaa\n  ignoreCves:\n    - CVE-2026-0001\n    - CVE-2026-0001\n";
    assert_eq!(read(Tool::Pnpm, pnpm).0.len(), 2);
    assert_eq!(read(Tool::PnpmManifest, r#"{"name": "a", "pnpm": {"auditConfig": {"ignoreCves": ["CVE-2026-0001"]}}}"#).0.len(), 1);
    assert_eq!(read(Tool::PnpmManifest, r#"{"name": "a"}"#), (vec![], vec![]));
    let (entries, notes) =
        read(Tool::Yarn, "npmAuditIgnoreAdvisories:\n  - 1523\n  - GHSA-aaaa-aaaa-aaaa\nnpmAuditExcludePackages: [x]\nnodeLinker: pnp\n");
    assert_eq!((entries.len(), notes.len()), (1, 2), "{notes:?}");
}

#[test]
fn files_are_known_by_their_names() {
    for (name, tool) in
        [(".snyk", Tool::Snyk), ("audit.toml", Tool::CargoAudit), ("deny.toml", Tool::CargoDeny), (".trivyignore.yml", Tool::TrivyYaml)]
    {
        assert_eq!(Tool::of(name), Some(tool));
    }
    assert_eq!(Tool::of("casque.toml"), None);
    for tool in Tool::NAMES.map(|(_, tool)| tool) {
        assert!(Tool::FILES.iter().any(|(_, known)| *known == tool), "{tool:?}");
    }
}

#[test]
fn what_is_no_such_file_names_its_place() {
    let why = |tool, text: &str| import(tool, "x", text.as_bytes(), TODAY).unwrap_err().to_string();
    assert!(why(Tool::Nsprc, "{\n  \"a\": }").starts_with("2:8:"), "{}", why(Tool::Nsprc, "{\n  \"a\": }"));
    assert!(why(Tool::OsvScanner, "a = 1\nb = = 2\n").starts_with("2:5:"));
    assert!(why(Tool::Snyk, "ignore:\n  a: &x 1\n").starts_with("2:6: an anchor"), "{}", why(Tool::Snyk, "ignore:\n  a: &x 1\n"));
    assert!(why(Tool::CargoDeny, "<<<<<<< HEAD\n").contains("merge conflict"));
    assert!(why(Tool::Trivy, &"#".repeat(MAX_BYTES + 1)).contains("longer than 1024 KiB"));
    assert!(import(Tool::Nsprc, "x", b"{\"a\xff", TODAY).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn many_notes_are_counted_and_places_cost_one_pass() {
    let text: String = (0..100_000).map(|n| format!("x{n}\n")).collect();
    let imported = import(Tool::Trivy, "x", text.as_bytes(), TODAY).unwrap();
    assert_eq!(imported.notes.len(), 201);
    assert_eq!(imported.notes[200].message, "99800 more entries are not carried over");
    // All on one line, without a reason: no comment is looked for from end to end of it.
    let ids: Vec<String> = (10_000..70_000).map(|n| format!("'CVE-2026-{n}'")).collect();
    let imported = import(Tool::AuditCi, "x", format!("{{allowlist:[{}]}}", ids.join(",")).as_bytes(), TODAY).unwrap();
    assert_eq!((imported.ignores.len(), imported.notes.len()), (60_000, 0));
}

#[test]
fn nesting_and_growth_have_bounds() {
    for (tool, text) in [
        (Tool::Nsprc, "[".repeat(100_000)),
        (Tool::AuditCi, "{a:".repeat(100_000)),
        (Tool::OsvScanner, format!("a = {}", "[".repeat(100_000))),
        (Tool::OsvScanner, format!("a = {}", "{a=".repeat(100_000))),
        (Tool::OsvScanner, format!("[{}a]", "a.".repeat(100_000))),
        (Tool::OsvScanner, format!("{}a = 1", "a.".repeat(100_000))),
        (Tool::Snyk, "- ".repeat(100_000)),
        (Tool::Snyk, "[".repeat(100_000)),
    ] {
        assert!(import(tool, "x", text.as_bytes(), TODAY).is_err(), "{tool:?} {}", &text[..10]);
    }
}

proptest! {
    #[test]
    fn no_file_panics_and_what_is_read_is_fit_to_be_written(
        tool in 0usize..11,
        text in "(ignore:|allowlist|advisories|GHSA-aaaa-aaaa-aaaa|CVE-2026-0001|\\[\\[?IgnoredVulns\\]\\]|[\\[\\]{}:,\"'#> \\n*|=-]|[a-z0-9]|\\PC){0,40}",
    ) {
        let (_, tool) = Tool::NAMES[tool];
        match import(tool, "x", text.as_bytes(), TODAY) {
            Ok(imported) => {
                prop_assert!(toml::de::DeTable::parse(&to_toml(&imported.ignores)).is_ok());
                prop_assert!(imported.notes.iter().all(|note| !note.message.contains(char::is_control)));
            }
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
        }
    }
}
