use super::*;
use crate::{Limits, Manifests, parse};

/// The notices of a package-lock.json of version 3 with these packages: `check name@version message`.
pub(super) fn told(packages: &str) -> Vec<String> {
    told_of(&format!("{{\"lockfileVersion\": 3, \"packages\": {{{packages}}}}}"))
}

/// The same of a whole file.
pub(super) fn told_of(text: &str) -> Vec<String> {
    let graph = parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
    let line = |n: &Notice| format!("{} {}", n.check.name(), n.sentence());
    notices(&graph, Kind::Npm, &Settings::default()).iter().map(line).collect()
}

const PACKAGES: &str = r#""": {"dependencies": {"lodahs": "1", "x": "1"}},
    "node_modules/lodahs": {"version": "1.0.0", "integrity": "sha512-x", "hasInstallScript": true},
    "node_modules/x/node_modules/lodahs": {"version": "1.0.0", "integrity": "sha512-x", "hasInstallScript": true},
    "node_modules/x": {"version": "1.0.0", "integrity": "sha512-x", "deprecated": "use \u001b[2Jy", "dependencies": {"expresss": "1", "1odash": "1"}},
    "node_modules/expresss": {"version": "1.0.0", "integrity": "sha512-x"},
    "node_modules/1odash": {"version": "1.0.0", "integrity": "sha512-x"}"#;

#[test]
fn each_package_is_told_of_once_and_slips_only_where_a_project_made_them() {
    assert_eq!(
        told(PACKAGES),
        [
            "look-alike lodahs@1.0.0 looks like lodash, and is another package; is it the one you meant?",
            "look-alike 1odash@1.0.0 looks like lodash, and is another package; is it the one you meant?",
            "install-script lodahs@1.0.0 runs scripts when it is installed",
            "deprecated x@1.0.0 is deprecated: use \u{1b}[2Jy",
        ]
    );
}

#[test]
fn settings_deny_and_allow() {
    let graph = |text: &str| {
        let text = format!("{{\"lockfileVersion\": 3, \"packages\": {{{text}}}}}");
        parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()
    };
    let settings = Settings { deny: [Check::Deprecated].into(), allow_scripts: ["lodahs".to_owned()].into() };
    let found = notices(&graph(PACKAGES), Kind::Npm, &settings);
    assert!(found.iter().all(|n| n.check != Check::InstallScript));
    assert_eq!(found.iter().filter(|n| n.denied).count(), 1);
    for (name, check) in Check::NAMES {
        assert_eq!(check.name(), name);
    }
}

#[test]
fn hosts_are_read_from_addresses() {
    for (address, expected) in [
        ("https://a.example/x", Some("a.example")),
        ("http://u:p@a.example:8080?x", Some("a.example")),
        ("https://", None),
        ("git+ssh://a.example", None),
    ] {
        assert_eq!(host(address), expected, "{address}");
    }
}
