//! `casque audit` and `casque db` as people meet them: small projects, small databases, kind and hostile ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};

use support::{Folder, advisory, code, shop, stderr, stdout};

#[test]
fn without_a_database_it_says_what_to_do() {
    let folder = shop();
    let output = folder.casque(&["audit"]);
    assert_eq!(code(&output), 4);
    let said = stderr(&output);
    assert!(said.contains("casque db update") && said.contains("casque audit --update"), "{said}");
    assert!(said.contains("casque db build") && said.contains("advisories.db") && said.contains("--db"), "{said}");
    assert_eq!(stdout(&output), "");
    let output = folder.casque(&["db", "info"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("`casque db update` downloads it"), "{}", stderr(&output));
}

#[test]
fn a_database_is_built_told_about_and_asked() {
    let folder = shop();
    let output = folder.casque(&["db", "build", "osv/1.json", "osv"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let output = folder.casque(&["db", "info"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("records   3 (0 of malware, 0 withdrawn)"), "{}", stdout(&output));
    let compiled = folder.casque(&["audit"]);
    let straight = folder.casque(&["audit", "--db", "osv"]);
    assert_eq!(code(&compiled), 1);
    assert_eq!(stdout(&compiled), stdout(&straight));
    assert!(stderr(&compiled).contains("days old"), "{}", stderr(&compiled));
}

#[test]
fn a_source_or_database_that_is_none_is_named() {
    let folder = shop();
    let output = folder.casque(&["db", "build", "missing"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("missing: "), "{}", stderr(&output));
    folder.write("bad/1.json", "{\"id\": 1}");
    let output = folder.casque(&["db", "build", "bad"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("bad/1.json") && stderr(&output).contains("nothing was written"), "{}", stderr(&output));
    let output = folder.casque(&["audit", "--db", "package-lock.json"]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("package-lock.json: this is no advisory database"), "{}", stderr(&output));
}

#[test]
fn the_text_tells_what_where_why_and_what_to_do() {
    let output = shop().casque(&["audit", "--db", "osv"]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    for wanted in [
        "./package-lock.json · npm · 3 packages",
        "  parser@1.0.0  line 6\n  shop > web@1.0.0 > parser@1.0.0\n          high  Reads too far  GHSA-aaaa-aaaa-aaaa\n                fixed in 1.0.4",
        "  tester@1.0.0  line 7, dev, direct",
        "unmaintained  Nobody looks after it  RUSTSEC-2020-0001",
        "\n2 vulnerabilities (1 high, 1 low), 1 warning in 4 packages of 2 lockfiles",
    ] {
        assert!(text.contains(wanted), "{wanted}\n---\n{text}");
    }
    assert!(text.find("parser@1.0.0") < text.find("tester@1.0.0"));
    assert!(stderr(&output).contains("hint: begin with parser: it is mended in 1.0.4"), "{}", stderr(&output));
}

#[test]
fn exit_codes_follow_the_bar_and_the_scope() {
    let folder = shop();
    // A repository of its own: above it nothing is looked for.
    folder.write("bare/.git/HEAD", "");
    for (args, wanted) in [
        (&["."][..], 1),
        (&["native"], 0),
        (&["--fail-on", "high"], 1),
        (&["--fail-on", "critical"], 0),
        (&["--fail-on", "critical", "--dev", "fail"], 0),
        (&["--fail-on", "low", "--prod"], 1),
        (&["--fail-on", "none"], 0),
        (&["--exit-zero"], 0),
        (&["--fixable"], 1),
        (&["--lockfile", "npm:package-lock.json", "--prod"], 1),
        (&["missing"], 2),
        (&["bare"], 3),
        (&["bare", "missing"], 2),
        (&["native", "bare"], 3),
        (&["--lockfile", "nonsense:package-lock.json"], 2),
        (&["package-lock.json", "--fail-on", "worst"], 2),
        (&["--order", "risk"], 2),
    ] {
        let output = folder.casque(&[&["audit", "--db", "osv"], args].concat());
        assert_eq!(code(&output), wanted, "{args:?}: {}{}", stdout(&output), stderr(&output));
    }
    let prod = folder.casque(&["audit", "--db", "osv", "--prod"]);
    assert!(!stdout(&prod).contains("tester"), "{}", stdout(&prod));
}

#[test]
fn malware_comes_first_even_from_dev_and_under_a_high_bar() {
    let folder = shop();
    folder.write("osv/4.json", &advisory("MAL-2020-1", "npm", "tester", "1.0.1", "Malicious code in tester", &json!({})));
    let output = folder.casque(&["audit", "--db", "osv", "--prod", "--fail-on", "critical"]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(text.find("malware").unwrap() < text.find("high").unwrap(), "{text}");
    assert!(stderr(&output).contains("take tester@1.0.0 out first"), "{}", stderr(&output));
}

#[test]
fn every_machine_format_parses_and_names_the_finding() {
    let folder = shop();
    let of = |format: &str| {
        let output = folder.casque(&["audit", "--db", "osv", "--format", format]);
        assert_eq!(code(&output), 1, "{format}");
        stdout(&output)
    };
    let parsed = |format: &str| serde_json::from_str::<Value>(&of(format)).unwrap();
    let file = parsed("json");
    assert_eq!((file["schema"].as_u64(), file["fails"].as_bool()), (Some(1), Some(true)));
    let package = &file["lockfiles"][0]["packages"][0];
    assert_eq!(package["name"], "parser");
    assert_eq!(package["update"], "1.0.4");
    assert_eq!(package["places"][0]["line"], 6);
    assert_eq!(package["findings"][0]["severity"], "high");
    assert_eq!(file["lockfiles"][1]["packages"][0]["findings"][0]["kind"], "unmaintained");
    let run = parsed("sarif")["runs"][0].take();
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 3);
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!((place["artifactLocation"]["uri"].as_str(), place["region"]["startLine"].as_u64()), (Some("package-lock.json"), Some(6)));
    let osv = parsed("osv");
    assert_eq!(osv["results"][0]["packages"][0]["vulnerabilities"][0]["id"], "GHSA-aaaa-aaaa-aaaa");
    assert!(of("markdown").contains("| 🔴 high | parser&#64;1&#46;0&#46;0, line 6 |"), "{}", of("markdown"));
}

#[test]
fn formats_of_other_tools_have_both_lockfiles() {
    let folder = shop();
    let of = |format: &str| {
        let output = folder.casque(&["audit", "--db", "osv", "--format", format, "--fail-on", "high"]);
        assert_eq!(code(&output), 1, "{format}");
        stdout(&output)
    };
    let bom: Value = serde_json::from_str(&of("cyclonedx")).unwrap();
    assert_eq!((bom["specVersion"].as_str(), bom["components"].as_array().unwrap().len()), (Some("1.6"), 6));
    assert_eq!(bom["vulnerabilities"][0]["affects"][0]["ref"], "pkg:npm/parser@1.0.0");
    let vex: Value = serde_json::from_str(&of("openvex")).unwrap();
    assert_eq!(vex["statements"].as_array().unwrap().len(), 2);
    assert_eq!(vex["statements"][0]["action_statement"], "parser@1.0.0: fixed in 1.0.4");
    let log = of("github");
    assert!(
        log.starts_with("::error file=package-lock.json,line=6,col=5,title=high%3A parser@1.0.0::parser@1.0.0: Reads too far"),
        "{log}"
    );
    assert!(log.contains("::warning file=package-lock.json,line=7,") && log.contains("::notice file=native/Cargo.lock,line=8,"), "{log}");
    let xml = of("junit");
    assert!(xml.contains("<testsuites name=\"casque audit\" tests=\"3\" failures=\"1\" skipped=\"0\">"), "{xml}");
}

#[test]
fn npm_s_own_form_is_about_one_project_and_tells_who_brings_it_in() {
    let folder = shop();
    let npm = |more: &[&str]| folder.casque(&[&["audit", "--db", "osv", "--format", "npm-json"], more].concat());
    let several = npm(&[]);
    assert_eq!(code(&several), 2);
    assert!(stderr(&several).contains("npm-json is about one lockfile, and here are 2"), "{}", stderr(&several));
    let cargo = npm(&["native/Cargo.lock"]);
    assert!(code(&cargo) == 2 && stderr(&cargo).contains("npm has nothing to say about"), "{}", stderr(&cargo));

    let alone = npm(&["package-lock.json"]);
    assert_eq!(code(&alone), 1);
    assert!(stderr(&alone).contains("not all versions of parser and 2 more are known"), "{}", stderr(&alone));
    assert!(stderr(&alone).contains("--packuments"), "{}", stderr(&alone));
    let report: Value = serde_json::from_str(&stdout(&alone)).unwrap();
    assert_eq!(report["casque"]["withoutPackument"], json!(["parser", "tester", "web"]));

    let packument = |name: &str, versions: Value| json!({"name": name, "versions": versions}).to_string();
    folder.write("known/parser.json", &packument("parser", json!({"1.0.0": {}, "2.0.0": {}})));
    folder.write("known/web.json", &packument("web", json!({"1.0.0": {"dependencies": {"parser": "^1.0.0"}}, "2.0.0": {}})));
    folder.write("known/tester.json", &packument("tester", json!({"1.0.0": {}, "1.1.0": {}})));
    let known = npm(&["package-lock.json", "--packuments", "known", "--node", "22.0.0"]);
    assert!(!stderr(&known).contains("versions of"), "{}", stderr(&known));
    let report: Value = serde_json::from_str(&stdout(&known)).unwrap();
    let names: Vec<&String> = report["vulnerabilities"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["parser", "tester", "web"]);
    let web = &report["vulnerabilities"]["web"];
    assert_eq!((&web["via"], &web["isDirect"]), (&json!(["parser"]), &json!(true)));
    assert_eq!(web["fixAvailable"], json!({"name": "web", "version": "2.0.0", "isSemVerMajor": true}));
    assert_eq!((&report["vulnerabilities"]["tester"]["fixAvailable"], report.get("casque")), (&json!(true), None));
    folder.write("known/bad.json", "[]");
    let bad = npm(&["package-lock.json", "--packuments", "known"]);
    assert!(code(&bad) == 2 && stderr(&bad).contains("bad.json: document 1 is no packument"), "{}", stderr(&bad));
    assert_eq!(code(&npm(&["package-lock.json", "--node", "new"])), 2);
}

#[test]
fn a_report_goes_into_a_file_whole() {
    let folder = shop();
    let output = folder.casque(&["audit", "--db", "osv", "--format", "json", "--output", "audit.json"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (1, ""));
    serde_json::from_str::<Value>(&folder.read("audit.json")).unwrap();
    assert!(stderr(&output).contains("2 vulnerabilities"), "{}", stderr(&output));
}

#[test]
fn a_broken_lockfile_names_its_line_and_the_others_are_audited() {
    let folder = shop();
    folder.write("web/package-lock.json", "{\n  \"lockfileVersion\": 3,\n  \"packages\": {\n<<<<<<< HEAD\n");
    let output = folder.casque(&["audit", "--db", "osv"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("web/package-lock.json:4:1: a merge conflict"), "{}", stderr(&output));
    assert!(stdout(&output).contains("parser@1.0.0"));
    let empty = Folder::new();
    empty.write(".git/HEAD", "");
    empty.write("osv/1.json", &advisory("GHSA-aaaa-aaaa-aaaa", "npm", "parser", "1.0.4", "", &json!({})));
    let output = empty.casque(&["audit", "--db", "osv"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("there is no lockfile in `.`"), "{}", stderr(&output));
}

#[test]
fn hostile_names_and_titles_reach_no_terminal() {
    let folder = Folder::new();
    let evil = "a\u{1b}]0;owned\u{7}\u{202e}\u{9b}2J";
    let lock = json!({"lockfileVersion": 3, "packages": {
        "": {"name": evil, "dependencies": {"b": "1"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"parser": "1"}},
        (format!("node_modules/{evil}")): {"version": evil},
        "node_modules/parser": {"version": "1.0.0"},
    }});
    folder.write("package-lock.json", &lock.to_string());
    folder.write("osv/1.json", &advisory("GHSA-aaaa-aaaa-aaaa", "npm", "parser", "1.0.4", &format!("{evil} | <b> @all\n## x"), &json!({})));
    for format in ["text", "json", "sarif", "osv", "markdown", "npm-json", "cyclonedx", "openvex", "github", "junit"] {
        let output = folder.casque(&["audit", "--db", "osv", "--format", format]);
        assert_eq!(code(&output), 1, "{format}: {}", stderr(&output));
        let all = stdout(&output) + &stderr(&output);
        assert!(all.contains("parser"), "{format}");
        assert!(!all.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\0']), "{format}: {all:?}");
    }
}
