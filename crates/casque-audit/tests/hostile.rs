//! Lockfiles made to hurt their reader: each is read or refused with its place, at a bounded cost, and none panics.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use casque_audit::ask::{Form, Licenses, Query, Tree, TreeOptions, Why, licenses, tree, why};
use casque_audit::db::{Builder, Database};
use casque_audit::diff::{Format, Names, Side, diff, render};
use casque_audit::matching::Context;
use casque_audit::report::{Gate, Scope, assess, cyclonedx, spdx};
use casque_audit::supply::{Settings, notices};
use casque_audit::{Error, Graph, Kind, Limits, Lockfile, Manifest, Manifests, parse, read};
use jiff::Timestamp;
use proptest::prelude::*;

/// One small file of each kind, with something of everything.
const SAMPLES: [(Kind, &str); 11] = [
    (
        Kind::Npm,
        r#"{"name": "x", "lockfileVersion": 2, "packages": {"": {"workspaces": ["p/*"], "dependencies": {"a": "1"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "npm:c@2"}, "peerDependenciesMeta": {"p": {"optional": true}}},
        "node_modules/w": {"resolved": "p/w", "link": true}, "p/w": {"version": "1"}}, "dependencies": {"a": {"version": "1.0.0", "requires": {"b": "1"}}}}"#,
    ),
    (
        Kind::NpmShrinkwrap,
        r#"{"lockfileVersion": 1, "dependencies": {"a": {"version": "npm:c@1.0.0", "dependencies": {"b": {"version": "git+https://h/x"}}}}}"#,
    ),
    (Kind::NpmInstalled, r#"{"lockfileVersion": 3, "packages": {"node_modules/@s/a": {"version": "1.0.0", "dev": true}}}"#),
    (
        Kind::YarnClassic,
        "# yarn lockfile v1\n\n\"@s/a@^1\", a@npm:b@2:\n  version \"1.0.0\"\n  resolved \"https://h/x#00\"\n  dependencies:\n    c \"^1\"\n",
    ),
    (
        Kind::YarnBerry,
        "__metadata:\n  version: 8\n\n\"a@npm:1, a@patch:a@npm%3A1#x\":\n  version: 1.0.0\n  resolution: \"a@patch:a@npm%3A1#x\"\n  dependenciesMeta:\n    b:\n      optional: true\n\n? \"b@npm:1\"\n:\n  version: 1\n  \
         resolution: \"b@npm:1\"\n",
    ),
    (
        Kind::Pnpm,
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0(b@2.0.0)\n\npackages:\n\n  a@1.0.0:\n    resolution: {integrity: sha512-x}\n    \
         deprecated: >-\n      old\n\nsnapshots:\n\n  a@1.0.0(b@2.0.0):\n    dependencies:\n      b: 2.0.0\n    x:\n    - y\n",
    ),
    (
        Kind::Bun,
        "{\n  // c\n  \"lockfileVersion\": 1, \"workspaces\": {\"\": {\"dependencies\": {\"a\": \"1\"}}},\n  \"packages\": {\"a\": [\"a@1.0.0\", \"\", {\"optionalPeers\": [\"b\"]}, \"sha512-x\"], \"a/@s/b\": [\"b@github:u/r\", {}, \"x\"],},\n}",
    ),
    (
        Kind::Deno,
        r#"{"version": "5", "specifiers": {"npm:a@1": "1.0.0_b@2.0.0"}, "npm": {"a@1.0.0_b@2.0.0": {"dependencies": ["c@npm:b"]}, "b@2.0.0": {}}, "jsr": {"@s/x@1": {}}, "workspace": {"members": {"x": {"dependencies": []}}}}"#,
    ),
    (
        Kind::Cargo,
        "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"git+https://h/x?y#0\"\ndependencies = [\n \"a 1.0.0 (git+https://h/x?y)\",\n]\n\n[metadata]\n\"checksum a 1.0.0 (x)\" = \"0\"\n",
    ),
    (
        Kind::CycloneDx,
        r#"{"bomFormat": "CycloneDX", "components": [{"bom-ref": "a", "purl": "pkg:npm/%40s/a@1.0.0?x=y#z", "components": []}], "dependencies": [{"ref": "a", "dependsOn": ["a"]}]}"#,
    ),
    (
        Kind::Spdx,
        r#"{"spdxVersion": "SPDX-2.3", "packages": [{"SPDXID": "a", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:cargo/a@1"}]}], "relationships": [{"spdxElementId": "a", "relatedSpdxElement": "a", "relationshipType": "DEPENDS_ON"}]}"#,
    ),
];

fn manifests() -> Manifests {
    let root = Manifest::parse(br#"{"name": "x", "dependencies": {"a": "1"}, "devDependencies": {"b": "*"}}"#).unwrap();
    Manifests { root: Some(root.clone()), members: vec![("p/w".to_owned(), root)] }
}

fn try_parse(kind: Kind, bytes: &[u8]) -> Result<Graph, Error> {
    let graph = parse(kind, bytes, &manifests(), &Limits::default())?;
    // Whatever was read can be walked.
    let nearest = graph.nearest();
    for (id, instance) in graph.iter() {
        _ = (
            graph.is_direct(id),
            graph.dependents(id).count(),
            graph.requests(id).len(),
            instance.package.to_string(),
            nearest[id.index()],
        );
        assert!(instance.place.line >= 1 && instance.place.offset as usize <= bytes.len());
    }
    ask(kind, &graph);
    Ok(graph)
}

/// Whatever was read can be asked about, and between it and itself there is nothing.
fn ask(kind: Kind, graph: &Graph) {
    let lockfiles = [("lock", graph)];
    for form in [Form::Text, Form::Json] {
        if let Some(instance) = graph.instances().last()
            && let Ok(query) = Query::parse(&instance.package.name)
        {
            _ = Why::render(&[why("lock", kind, graph, &query)], form);
        }
        _ = Tree::render(&[tree("lock", kind, graph, TreeOptions::default())], form);
        _ = Licenses::render(&[licenses("lock", kind, graph, Scope::default())], form);
    }
    _ = (cyclonedx::sbom(&lockfiles, Timestamp::UNIX_EPOCH), spdx::sbom(&lockfiles, Timestamp::UNIX_EPOCH));
    let database = Database::from_bytes(Builder::default().finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    let mut report = assess("lock", kind, graph, &database, &Context::default(), Scope::default()).unwrap();
    report.notices = notices(graph, kind, &Settings::default());
    let side = Side { graph, report: &report };
    let same = diff("lock", kind, Some(side), Some(side), &Settings::default());
    assert!(same.is_empty(), "{same:?}");
    for (_, format) in Format::NAMES {
        let all = diff("lock", kind, None, Some(side), &Settings::default());
        _ = render(format, &[all], Names { base: "a", head: "b" }, Gate::default());
    }
}

#[test]
fn the_samples_are_read() {
    for (kind, text) in SAMPLES {
        let graph = try_parse(kind, text.as_bytes()).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert!(!graph.instances().is_empty(), "{kind:?}");
    }
}

#[test]
fn truncated_files_are_refused_wherever_they_are_cut() {
    for (kind, text) in SAMPLES {
        // Lines are whole statements for these: cut between two, what is left is a lockfile.
        let by_lines = matches!(kind, Kind::YarnClassic | Kind::YarnBerry | Kind::Pnpm | Kind::Cargo);
        for cut in 1..text.trim_end().len() {
            let result = try_parse(kind, &text.as_bytes()[..cut]);
            assert!(by_lines || result.is_err(), "{kind:?} cut at {cut}: {}", &text[..cut]);
        }
    }
}

#[test]
fn conflicts_are_named_with_their_line() {
    for (kind, text) in SAMPLES {
        let middle = text[..text.len() / 2].rfind('\n').map_or(0, |at| at + 1);
        let merged = format!("{}<<<<<<< HEAD\n{}=======\n{}>>>>>>> other\n", &text[..middle], &text[middle..], &text[middle..]);
        let e = try_parse(kind, merged.as_bytes()).unwrap_err();
        assert!(e.message.contains("merge conflict"), "{kind:?}: {e}");
        assert_eq!(e.place.unwrap().line as usize, text[..middle].matches('\n').count() + 1, "{kind:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    for (kind, text) in SAMPLES {
        let mut bytes = text.as_bytes().to_vec();
        bytes.insert(text.len() / 2, 0xff);
        let e = try_parse(kind, &bytes).unwrap_err();
        assert!(e.message.contains("not UTF-8") && e.place.unwrap().offset as usize == text.len() / 2, "{kind:?}: {e}");
    }
}

#[test]
fn nesting_ends_before_the_stack_does() {
    for (kind, text) in SAMPLES {
        for (open, times) in
            [("[", 200_000), ("{\"a\":", 200_000), ("{\"dependencies\":{\"a\":", 50_000), ("- ", 100_000), ("{a: ", 100_000)]
        {
            let bomb = open.repeat(times);
            assert!(try_parse(kind, bomb.as_bytes()).is_err());
            let inside = text.replacen(": ", &format!(": {bomb}"), 1);
            assert!(inside == text || try_parse(kind, inside.as_bytes()).is_err(), "{kind:?} {open}");
        }
    }
}

#[test]
fn sizes_counts_and_repeats_meet_their_limits() {
    let limits = Limits { bytes: 100, packages: 2, edges: 1, ..Limits::default() };
    for (kind, text) in SAMPLES {
        let e = parse(kind, format!("{text}{}", " ".repeat(200)).as_bytes(), &Manifests::default(), &limits).unwrap_err();
        assert!(e.message.contains("limit"), "{e}");
    }
    let limits = Limits { packages: 2, edges: 1, ..Limits::default() };
    let many = |kind, text: &str| parse(kind, text.as_bytes(), &Manifests::default(), &limits).unwrap_err().message;
    assert!(many(Kind::Npm, r#"{"packages": {"": {}, "node_modules/a": {}, "node_modules/b": {}}}"#).contains("more than 2 packages"));
    assert!(many(Kind::Npm, r#"{"packages": {"": {"dependencies": {"a": "", "b": ""}}}}"#).contains("more than 1 dependencies"));
    assert!(many(Kind::NpmShrinkwrap, r#"{"dependencies": {"a": {}, "b": {}, "c": {}}}"#).contains("more than 2 packages"));
    assert!(many(Kind::Pnpm, "lockfileVersion: 6.0\npackages:\n  /a@1: {}\n  /b@1: {}\n  /c@1: {}\n").contains("more than 2 packages"));
    assert!(
        many(Kind::Bun, r#"{"lockfileVersion": 1, "packages": {"a": ["a@1"], "b": ["b@1"], "c": ["c@1"]}}"#)
            .contains("more than 2 packages")
    );
    assert!(many(Kind::Deno, r#"{"version": "4", "npm": {"a@1": {}, "b@1": {}, "c@1": {}}}"#).contains("more than 2 packages"));
    let crate_of = |name: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1\"\ndependencies = [\"a\"]\n");
    assert!(many(Kind::Cargo, &(crate_of("a") + &crate_of("b"))).contains("more than 1 dependencies"));
}

#[test]
fn cycles_and_packages_that_ask_for_themselves_are_walked_once() {
    let text = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}},
        "node_modules/a": {"version": "1", "dependencies": {"a": "1", "b": "1"}}, "node_modules/b": {"version": "1", "peerDependencies": {"a": "1"}},
        "node_modules/l": {"resolved": "node_modules/m", "link": true}, "node_modules/m": {"resolved": "node_modules/l", "link": true},
        "node_modules/n": {"resolved": "node_modules/n", "link": true}}}"#;
    let graph = try_parse(Kind::Npm, text.as_bytes()).unwrap();
    assert_eq!(graph.instances().len(), 6);
    assert!(graph.instances().iter().all(|i| !i.needed.only_dev()));
}

#[test]
fn a_file_of_200_mib_is_not_read() {
    let path = std::env::temp_dir().join(format!("casque-200-{}.lock", std::process::id()));
    std::fs::File::create(&path).unwrap().set_len(200 << 20).unwrap();
    let e = read(&Lockfile { kind: Kind::Cargo, path: path.clone() }, &Limits::default()).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(e.path.as_deref(), Some(&*path));
    assert!(e.message.contains("200 MiB") && e.message.contains("64"), "{e}");
}

#[test]
fn messages_cannot_steer_a_terminal() {
    let text = "{\"lockfileVersion\": 1, \"packages\": {\"a\\u001b[2J\\u202e\": [1]}, \"packages\\u0007\": 1, \"packages\\u0007\": 1}";
    for kind in [Kind::Bun, Kind::Npm] {
        let shown = try_parse(kind, text.as_bytes()).unwrap_err().to_string();
        assert!(shown.chars().all(|c| !c.is_control()), "{shown:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..SAMPLES.len()) {
        _ = try_parse(SAMPLES[kind].0, &bytes);
    }

    /// Samples with pieces cut out, doubled, and replaced by what means something somewhere.
    #[test]
    fn no_damage_panics(
        sample in 0..SAMPLES.len(),
        as_kind in 0..SAMPLES.len() * 3,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..16usize), 1..6),
    ) {
        const PIECES: [&str; 16] = ["", "\"", "{", "}", "[", "]", ":", ": ", "\n", "\n  ", "@", "/", "(", "npm:", "node_modules/", "\u{e9}\u{202e}"];
        let (kind, text) = SAMPLES[sample];
        let kind = SAMPLES.get(as_kind).map_or(kind, |(other, _)| *other);
        let mut text: Vec<char> = text.chars().collect();
        for (from, length, piece) in edits {
            let from = from.index(text.len() + 1);
            let to = (from + length.index(12)).min(text.len());
            text.splice(from..to, PIECES[piece].chars());
        }
        _ = try_parse(kind, text.into_iter().collect::<String>().as_bytes());
    }
}
