//! The policy of `casque audit`: what fails, what is ignored, what is taken over from other tools.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};

use support::{Folder, PACKAGE_LOCK, advisory, aged, code, shop, stderr, stdout};

/// A day so many days from now, by UTC.
fn day(days: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%d").to_string()
}

fn audit(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let output = folder.casque(&[&["audit", "--db", "osv"], args].concat());
    (code(&output), stdout(&output), stderr(&output))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_file_sets_what_fails_and_flags_count_before_it() {
    let folder = shop();
    folder.write("casque.toml", "[audit]\nfail-on = \"critical\"\ndev = \"fail\"\n\n[[limit]]\nname = \"login\"\nrate = \"20/1m\"\n");
    let (exit, text, _) = audit(&folder, &[]);
    assert_eq!(exit, 0);
    assert!(text.contains("none of that makes the audit fail (fail-on = \"critical\", dev = \"fail\")"), "{text}");
    let (exit, text, _) = audit(&folder, &["--fail-on", "low"]);
    assert_eq!(exit, 1);
    assert!(text.contains("2 of the 3 make the audit fail (fail-on = \"low\", dev = \"fail\")"), "{text}");
    assert_eq!(audit(&folder, &["--fail-on", "low", "--exit-zero"]).0, 0);
    let gate = parsed(&audit(&folder, &["--format", "json", "--fixable"]).1)["gate"].take();
    assert_eq!(gate, json!({"fail_on": "critical", "dev": "fail", "fixable_only": true}));
    // The gateway takes the same file, and `check` tells of it.
    let output = folder.casque(&["check"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("   audit  fail-on = \"critical\", dev = \"fail\"; 0 ignores"), "{}", stdout(&output));
}

#[test]
fn a_mistake_in_the_file_stops_the_audit_at_its_place() {
    let folder = shop();
    folder.write("casque.toml", "[audit]\nfail-on = \"hihg\"\n\n[[audit.ignore]]\nid = \"GHSA-aaaa-aaaa-aaaa\"\n[server]\nlisten = 1\n");
    let (exit, text, said) = audit(&folder, &[]);
    assert_eq!((exit, text.as_str()), (2, ""));
    for wanted in
        ["casque.toml:2:11", "did you mean \"high\"?", "[[audit.ignore]] without `reason`", "`listen` is an integer", "has 3 errors"]
    {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    assert_eq!(code(&folder.casque(&["check"])), 1);
    assert_eq!(audit(&folder, &["--config", "missing.toml"]).0, 2);
    folder.write("other.toml", "");
    assert_eq!(audit(&folder, &["--config", "other.toml"]).0, 1);
}

#[test]
fn an_ignored_finding_leaves_the_report_and_is_counted() {
    let folder = shop();
    folder.write(
        "casque.toml",
        &format!("[[audit.ignore]]\nid = \"ghsa-aaaa-aaaa-aaaa\"\npath = \"web > parser\"\nreason = \"not reached\"\nexpires = {}\nvex = \"code_not_reachable\"\n", day(0)),
    );
    let (exit, text, said) = audit(&folder, &[]);
    assert_eq!(exit, 0, "{text}{said}");
    assert!(!text.contains("Reads too far") && text.contains("1 ignored: GHSA-aaaa-aaaa-aaaa in parser@1.0.0"), "{text}");
    assert!(text.contains("1 vulnerability (1 low), 1 warning, 1 ignored in 4 packages of 2 lockfiles"), "{text}");
    let file = parsed(&audit(&folder, &["--format", "json"]).1);
    let ignored = &file["lockfiles"][0]["ignored"][0];
    assert_eq!(
        (ignored["by"].as_str(), ignored["reason"].as_str(), ignored["vex"].as_str()),
        (Some("policy"), Some("not reached"), Some("code_not_reachable"))
    );
    assert_eq!(ignored["finding"]["id"], "GHSA-aaaa-aaaa-aaaa");
    assert_eq!(file["warnings"], json!([]));
    for format in ["sarif", "osv"] {
        assert!(!audit(&folder, &["--format", format]).1.contains("GHSA-aaaa-aaaa-aaaa"), "{format}");
    }
}

#[test]
fn entries_that_ended_or_match_nothing_are_warnings_at_their_place() {
    let folder = shop();
    folder.write(
        "casque.toml",
        &format!(
            "[[audit.ignore]]\nid = \"GHSA-aaaa-aaaa-aaaa\"\nreason = \"r\"\nexpires = {}\n\n[[audit.ignore]]\nid = \"CVE-2020-9999\"\nreason = \"r\"\nexpires = {}\n",
            day(-2),
            day(9)
        ),
    );
    let ended = format!("casque.toml:1: the ignore of GHSA-aaaa-aaaa-aaaa ended on {}; what it hid is reported again", day(-2));
    let unused = "casque.toml:6: the ignore of CVE-2020-9999 matches nothing; take it out";
    let (exit, text, _) = audit(&folder, &[]);
    assert_eq!(exit, 1);
    assert!(text.contains(&format!("warning: {ended}")) && text.contains(&format!("warning: {unused}")), "{text}");
    let (_, json, said) = audit(&folder, &["--format", "json"]);
    assert_eq!(parsed(&json)["warnings"], json!([ended, unused]));
    assert!(said.contains(unused), "{said}");
    // Where only a part was audited, what matches nothing may match elsewhere.
    let (_, text, _) = audit(&folder, &["."]);
    assert!(text.contains(&ended) && !text.contains(unused), "{text}");
}

#[test]
fn malware_is_ignored_only_aloud() {
    let folder = shop();
    folder.write("osv/4.json", &advisory("MAL-2020-1", "npm", "parser", "1.0.1", "Malicious code in parser", &json!({})));
    let entry =
        |rest: &str| format!("[[audit.ignore]]\nid = \"MAL-2020-1\"\nreason = \"the record is wrong\"\nexpires = {}\n{rest}", day(3));
    folder.write("casque.toml", &entry(""));
    let (exit, text, _) = audit(&folder, &["--fail-on", "none", "--fixable", "--ignore-unfixable"]);
    assert_eq!(exit, 1);
    assert!(text.contains("1 malicious package") && text.contains("it is malware. If the record is wrong"), "{text}");
    folder.write("casque.toml", &entry("allow-malware = true\n"));
    let (exit, text, _) = audit(&folder, &["--fail-on", "none"]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains(&format!("casque.toml:1: malware is ignored until {}: MAL-2020-1 in parser@1.0.0", day(3))), "{text}");
}

#[test]
fn what_nothing_mends_can_be_left_out_or_not_count() {
    let folder = shop();
    let mut open = parsed(&advisory("GHSA-cccc-cccc-cccc", "npm", "web", "9.9.9", "Never mended", &json!({"severity": "CRITICAL"})));
    open["affected"][0]["ranges"][0]["events"] = json!([{"introduced": "0"}]);
    folder.write("osv/4.json", &open.to_string());
    let (exit, text, _) = audit(&folder, &["--fail-on", "critical", "--fixable"]);
    assert_eq!(exit, 0);
    assert!(text.contains("Never mended"), "{text}");
    let (exit, text, _) = audit(&folder, &["--fail-on", "critical", "--ignore-unfixable"]);
    assert_eq!(exit, 0);
    assert!(!text.contains("Never mended") && text.contains("1 ignored: GHSA-cccc-cccc-cccc in web@1.0.0"), "{text}");
    assert_eq!(audit(&folder, &["--fail-on", "critical"]).0, 1);
}

#[test]
fn an_old_database_is_not_relied_on_unawares() {
    let folder = Folder::new();
    folder.write("package-lock.json", PACKAGE_LOCK);
    let age =
        |days| folder.write("osv/1.json", &aged(days, "GHSA-aaaa-aaaa-aaaa", "npm", "parser", "1.0.4", "t", &json!({"severity": "HIGH"})));
    age(89);
    let (exit, _, said) = audit(&folder, &[]);
    assert_eq!(exit, 1);
    assert!(said.contains("the advisories are 89 days old"), "{said}");
    age(91);
    let (exit, text, said) = audit(&folder, &["--exit-zero"]);
    assert_eq!(exit, 4);
    assert!(text.contains("parser@1.0.0") && said.contains("--allow-stale"), "{said}");
    assert_eq!(audit(&folder, &["--allow-stale"]).0, 1);
    age(3);
    assert_eq!(audit(&folder, &[]).2.matches("days old").count(), 0);
    assert_eq!(code(&folder.casque(&["audit", "--db", "missing", "--exit-zero"])), 4);
}

#[test]
fn a_lockfile_can_come_on_stdin() {
    let folder = shop();
    for args in [&["-"][..], &["--lockfile", "npm:-"]] {
        let output = folder.casque_given(&[&["audit", "--db", "osv"], args].concat(), PACKAGE_LOCK);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        assert!(stdout(&output).contains("\nstdin · npm · 3 packages\n"), "{}", stdout(&output));
        assert!(!stdout(&output).contains("Cargo.lock"));
    }
    let both = folder.casque_given(&["audit", "--db", "osv", "-", "native"], PACKAGE_LOCK);
    assert!(stdout(&both).contains("Cargo.lock") && stdout(&both).contains("stdin"), "{}", stdout(&both));
    for (args, stdin, why) in [
        (&["-"][..], "?", "stdin: nothing shows what kind"),
        (&["--lockfile", "npm:-"], "{", "stdin:1:2: the file ends too early"),
        (&["--lockfile", "gem:-"], "", "there is no type of lockfile `gem`"),
        (&["-", "--lockfile", "npm:-"], PACKAGE_LOCK, "give `-` once"),
    ] {
        let output = folder.casque_given(&[&["audit", "--db", "osv"], args].concat(), stdin);
        assert_eq!(code(&output), 2, "{args:?}");
        assert!(stderr(&output).contains(why), "{why}\n{}", stderr(&output));
    }
}

#[test]
fn what_is_exploited_is_told_and_can_come_first() {
    let folder = shop();
    let mut tester = parsed(&advisory("GHSA-bbbb-bbbb-bbbb", "npm", "tester", "1.1.0", "Writes too far", &json!({"severity": "LOW"})));
    tester["aliases"] = json!(["CVE-2020-0002"]);
    folder.write("osv/2.json", &tester.to_string());
    folder.write("epss.csv", "#model\ncve,epss,percentile\nCVE-2020-0002,0.94321,0.999\n");
    folder.write(
        "kev.json",
        r#"{"vulnerabilities": [{"cveID": "CVE-2020-0002", "dateAdded": "2021-11-03", "knownRansomwareCampaignUse": "Known"}]}"#,
    );
    let (_, text, _) = audit(&folder, &["--epss", "epss.csv", "--kev", "kev.json"]);
    assert!(text.find("parser@").unwrap() < text.find("tester@").unwrap());
    assert!(
        text.contains(
            "known to be exploited, also by ransomware (KEV, listed since 2021-11-03); 94.3 % likely to be exploited within 30 days (EPSS)"
        ),
        "{text}"
    );
    let (_, text, _) = audit(&folder, &["--epss", "epss.csv", "--kev", "kev.json", "--order", "risk"]);
    assert!(text.find("parser@").unwrap() > text.find("tester@").unwrap());
    folder.write("bad.csv", "cve,epss,percentile\nnonsense\n");
    for (args, why) in [
        (&["--epss", "bad.csv"][..], "bad.csv: line 2 of this EPSS list"),
        (&["--kev", "epss.csv"], "epss.csv: this is no KEV catalogue"),
        (&["--kev", "none"], "none: "),
        (&["--order", "risk"], "needs --epss or --kev"),
    ] {
        let (exit, _, said) = audit(&folder, args);
        assert_eq!(exit, 2, "{args:?}");
        assert!(said.contains(why), "{why}\n{said}");
    }
}

#[test]
fn other_tools_files_are_hinted_at_and_count_only_when_imported() {
    let folder = shop();
    folder.write(".snyk", "version: v1.25.0\nignore:\n  GHSA-aaaa-aaaa-aaaa:\n    - '*':\n        reason: not reached\n");
    folder.write(".trivyignore", "CVE-1999-0001\n");
    let (exit, _, said) = audit(&folder, &[]);
    assert_eq!(exit, 1);
    assert!(said.contains("hint: `.snyk` ignores some of this; `casque audit policy import`"), "{said}");

    let printed = folder.casque(&["audit", "policy", "import"]);
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    let text = stdout(&printed);
    assert!(
        text.starts_with("# Taken over from .snyk on ")
            && text.contains("\n[[audit.ignore]]\nid = \"GHSA-aaaa-aaaa-aaaa\"\nreason = \"not reached\"\n"),
        "{text}"
    );

    let before = "# mine\n[audit]\nfail-on = \"low\"";
    folder.write("casque.toml", before);
    let written = folder.casque(&["audit", "policy", "import", "--write"]);
    assert_eq!((code(&written), stdout(&written).as_str()), (0, ""), "{}", stderr(&written));
    assert!(stderr(&written).contains("added 2 entries to casque.toml"), "{}", stderr(&written));
    assert!(folder.read("casque.toml").starts_with(&format!("{before}\n\n# Taken over from .snyk on ")), "{}", folder.read("casque.toml"));
    assert_eq!(code(&folder.casque(&["check"])), 0);
    let (exit, text, said) = audit(&folder, &[]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("1 ignored") && !said.contains(".snyk"), "{text}{said}");

    let after = folder.read("casque.toml");
    let again = folder.casque(&["audit", "policy", "import", "--write"]);
    assert!(
        stderr(&again).contains("2 entries are there already") && stderr(&again).contains("nothing to carry over"),
        "{}",
        stderr(&again)
    );
    assert_eq!(folder.read("casque.toml"), after);
}

#[test]
fn entries_of_no_use_are_taken_out_and_the_others_stay_as_they_are() {
    let folder = shop();
    let used = format!("[[audit.ignore]]\nid = \"GHSA-aaaa-aaaa-aaaa\"\nreason = \"r\"   # kept\nexpires = {}\n", day(9));
    let unused = "\n# old\n[[audit.ignore]]\nreason = \"\"\"\n[[audit.ignore]]\nno header\"\"\"\nid = \"CVE-2020-9999\" # gone\n";
    let ended = format!("\n[[audit.ignore]]\nid = \"GHSA-bbbb-bbbb-bbbb\"\nreason = \"r\"\nexpires = {}\n", day(-1));
    folder.write("casque.toml", &format!("{used}{unused}{ended}\n[server]\nlisten = \"8080\"\n"));
    let prune = |args: &[&str]| folder.casque(&[&["audit", "policy", "prune", "--db", "osv"], args].concat());
    let output = prune(&[]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).contains("casque.toml:7: the ignore of CVE-2020-9999 matches nothing"), "{}", stdout(&output));
    assert!(stdout(&output).contains("casque.toml:13: the ignore of GHSA-bbbb-bbbb-bbbb ended on"), "{}", stdout(&output));
    let output = prune(&["--write"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(folder.read("casque.toml"), format!("{used}\n# old\n\n[server]\nlisten = \"8080\"\n"));
    assert!(stderr(&prune(&[])).contains("every entry is of use"));
    // Where not everything could be read, an entry may be for what was not.
    folder.write("casque.toml", &format!("{used}{unused}"));
    folder.write("web/package-lock.json", "{");
    assert_eq!(code(&prune(&["--write"])), 2);
    assert_eq!(folder.read("casque.toml"), format!("{used}{unused}"));
}

#[test]
fn what_cannot_be_carried_over_is_named_and_what_cannot_be_read_stops_it() {
    let folder = Folder::new();
    folder.write(".nsprc", r#"{"1523": {"active": true, "notes": "x"}, "GHSA-aaaa-aaaa-aaaa": "y"}"#);
    let output = folder.casque(&["audit", "policy", "import", ".nsprc", "--write"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("warning: .nsprc:1:2: `1523` is not carried over: npm's numbers change"), "{}", stderr(&output));
    assert!(folder.read("casque.toml").starts_with("# Taken over from .nsprc"), "{}", folder.read("casque.toml"));

    folder.write("casque.toml", "[audit]\nignore = []\n");
    folder.write("deny.toml", "[advisories\n");
    folder.write("odd.json", r#"{"allowlist": ["GHSA-aaaa-aaaa-aaaa"]}"#);
    for (args, exit, why) in [
        (&[".nsprc", "deny.toml"][..], 2, "deny.toml:2:1: the file ends too early"),
        (&[".nsprc"], 2, "nothing was written"),
        (&["odd.json"], 2, "say so as TOOL:FILE"),
        (&["gem:odd.json"], 2, "there is no tool `gem`"),
        (&["missing/.snyk"], 2, "cannot read `missing/.snyk`"),
    ] {
        let output = folder.casque(&[&["audit", "policy", "import", "--write"], args].concat());
        assert_eq!(code(&output), exit, "{args:?} {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{why}\n{}", stderr(&output));
        assert_eq!(folder.read("casque.toml"), "[audit]\nignore = []\n");
    }
    let output = folder.casque(&["audit", "policy", "import", "audit-ci:odd.json"]);
    assert!(stdout(&output).contains("GHSA-aaaa-aaaa-aaaa"), "{}", stderr(&output));
    assert_eq!(code(&Folder::new().casque(&["audit", "policy", "import"])), 3);
}
