//! The rules that hold over all middlewares; what each sends is held against helmet by the conformance suite.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

fn errors(problems: &[Problem]) -> Vec<&str> {
    problems.iter().filter(|p| p.severity == Severity::Error).map(|p| p.message.as_str()).collect()
}

/// The value of one header, if the options are without an error.
fn header(release: Release, text: &str, name: &str) -> Option<String> {
    let (outcome, problems) = read(release, &json(text));
    assert_eq!(errors(&problems), [""; 0], "{text}");
    outcome.set.into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
}

#[test]
fn kebab_case_is_as_good_as_camel_case_everywhere() {
    for (name, camel, kebab) in [
        (
            "strict-transport-security",
            r#"{"hsts": {"maxAge": 5, "includeSubDomains": false, "preload": true}}"#,
            r#"{"strict-transport-security": {"max-age": 5, "include-sub-domains": false, "preload": true}}"#,
        ),
        (
            "content-security-policy-report-only",
            r#"{"contentSecurityPolicy": {"useDefaults": false, "reportOnly": true, "directives": {"defaultSrc": ["a"]}}}"#,
            r#"{"content-security-policy": {"use-defaults": false, "report-only": true, "directives": {"default-src": ["a"]}}}"#,
        ),
        (
            "x-permitted-cross-domain-policies",
            r#"{"permittedCrossDomainPolicies": {"permittedPolicies": "all"}}"#,
            r#"{"x-permitted-cross-domain-policies": {"permitted-policies": "all"}}"#,
        ),
        (
            "permissions-policy",
            r#"{"permissionsPolicy": {"features": {"syncXhr": []}}}"#,
            r#"{"permissions-policy": {"features": {"sync-xhr": []}}}"#,
        ),
        (
            "public-key-pins-report-only",
            r#"{"hpkp": {"maxAge": 1, "sha256s": ["a", "b"], "reportUri": "/r", "reportOnly": true}}"#,
            r#"{"hpkp": {"max-age": 1, "sha256s": ["a", "b"], "report-uri": "/r", "report-only": true}}"#,
        ),
    ] {
        let value = header(Release::V8, camel, name);
        assert!(value.is_some(), "{camel}");
        assert_eq!(value, header(Release::V8, kebab, name));
    }
}

#[test]
fn mistakes_have_a_path_a_place_and_a_remedy() {
    for (text, path, at, remedy) in [
        (r#"{"framegaurd": true}"#, "framegaurd", "\"framegaurd\"", "did you mean \"frameguard\"?"),
        (r#"{"hsts": {"maxAgee": 1}}"#, "hsts.maxAgee", "\"maxAgee\"", "did you mean \"maxAge\"?"),
        (r#"{"frameguard": {"action": "dney"}}"#, "frameguard.action", "\"dney\"", "expected \"deny\" or \"sameorigin\""),
        (r#"{"noSniff": "yes"}"#, "noSniff", "\"yes\"", "expected `true`, `false` or a table of options"),
        (
            r#"{"contentSecurityPolicy": {"directives": {"scriptSrc": ["'self'", "unsafe-inline"]}}}"#,
            "contentSecurityPolicy.directives.scriptSrc[1]",
            "\"unsafe-inline\"",
            "write \"'unsafe-inline'\"",
        ),
        (r#"{"hsts": true, "strict-transport-security": true}"#, "strict-transport-security", "\"strict-transport-security\"", "keep one"),
        (r#"{"hsts": {"includeSubdomains": true}}"#, "hsts.includeSubdomains", "true", "capital D"),
        (r#"{"hsts": {"max-age": 1, "maxAge": 1}}"#, "hsts.maxAge", "\"maxAge\"", "keep one"),
        (r#"{"frameguard": {"action": "allow-from"}}"#, "frameguard.action", "\"allow-from\"", "frame-ancestors"),
        ("[1]", "", "[1]", "expected a table"),
    ] {
        let (_, problems) = read(Release::V8, &json(text));
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let problem = &problems[0];
        assert_eq!((problem.path.as_str(), &text[problem.span.clone()]), (path, at));
        assert!(problem.remedy.contains(remedy), "{problem:?}");
        assert_eq!(problem.severity, Severity::Error);
    }
}

#[test]
fn dead_headers_are_sent_and_say_what_became_of_them() {
    for (text, name, value, remedy) in [
        (r#"{"hpkp": {"maxAge": 9, "sha256s": ["a", "b"]}}"#, "public-key-pins", "pin-sha256=\"a\"; pin-sha256=\"b\"; max-age=9", "CAA"),
        (r#"{"expectCt": {"maxAge": 9, "enforce": true}}"#, "expect-ct", "max-age=9, enforce", "nothing replaces it"),
        (r#"{"featurePolicy": {"features": {"vr": ["'self'"]}}}"#, "feature-policy", "vr 'self'", "permissionsPolicy"),
        (r#"{"noCache": true}"#, "pragma", "no-cache", "nothing needs to be done"),
    ] {
        let (outcome, problems) = read(Release::V8, &json(text));
        assert!(outcome.set.contains(&(name, value.to_owned())), "{outcome:?}");
        assert_eq!(errors(&problems), [""; 0]);
        assert!(problems.iter().any(|p| p.remedy.contains(remedy)), "{problems:?}");
    }
    let old = r#"{"frameguard": {"action": "ALLOWFROM", "domain": "a"}, "xssFilter": {"mode": null, "reportUri": "/r"}, "hidePoweredBy": {"setTo": "x"}}"#;
    let (outcome, problems) = read(Release::V3, &json(old));
    for pair in [("x-frame-options", "ALLOW-FROM a"), ("x-xss-protection", "1; report=/r"), ("x-powered-by", "x")] {
        assert!(outcome.set.contains(&(pair.0, pair.1.to_owned())), "{outcome:?}");
    }
    assert_eq!(problems.len(), 2, "{problems:?}");
    // What nobody asked for says nothing, though helmet 5 sends a dead header and helmet 3 the old filter.
    assert!(read(Release::V5, &json("{}")).1.is_empty());
    assert!(read(Release::V3, &json("{}")).1.is_empty());
}

#[test]
fn toml_reads_like_json_with_false_for_null() {
    let text = "[a.content-security-policy.directives]\nscript-src = [\"x\"]\nimgSrc = false\nz-last = []\nbaseUri = \"'none'\"\n[a]\nnoSniff = false\n[a.referrerPolicy]\npolicy = \"origin\"\n";
    let table = toml::de::DeTable::parse(text).unwrap();
    let (outcome, problems) = read(Release::V8, &Value::from_toml(&table.get_ref()["a"]));
    assert!(problems.is_empty(), "{problems:?}");
    let same = json(
        r#"{"contentSecurityPolicy": {"directives": {"scriptSrc": ["x"], "img-src": null, "zLast": [], "base-uri": ["'none'"]}}, "xContentTypeOptions": false, "referrerPolicy": {"policy": ["origin"]}}"#,
    );
    assert_eq!(outcome, read(Release::V8, &same).0);
    assert_eq!(
        outcome.set[0].1,
        "default-src 'self';base-uri 'none';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';object-src 'none';script-src x;script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests;z-last"
    );
    assert!(headers(Release::V8, &json(r#"{"contentSecurityPolicy": {"directives": {"imgSrc": false}}}"#)).1.len() == 1);
}

/// Where helmet says yes and casque says no: one reading stays helmet's, the other does not.
#[test]
fn what_helmet_lets_pass_is_refused_where_casque_runs_it() {
    for (source, says) in [
        ("'self' none", "without its quotes"),
        ("'self' UNSAFE-INLINE", "without its quotes"),
        ("Nonce-abc", "without its quotes"),
        ("'nonce-'", "is empty"),
        ("'sha256-'", "is empty"),
        ("'sha256-abc", "not quoted properly"),
        ("self'", "not quoted properly"),
        ("\"self\"", "not quoted properly"),
        ("'self''unsafe-inline'", "not quoted properly"),
        ("'", "not quoted properly"),
        ("exämple.com", "cannot hold"),
        ("a\tb", "cannot hold"),
    ] {
        let source = serde_json::to_string(source).unwrap();
        let options = json(&format!(r#"{{"contentSecurityPolicy": {{"directives": {{"scriptSrc": [{source}]}}}}}}"#));
        let (_, theirs) = headers(Release::V8, &options);
        assert_eq!(errors(&theirs), [""; 0], "helmet takes {source}");
        let (outcome, ours) = read(Release::V8, &options);
        assert!(errors(&ours).iter().any(|m| m.contains(says)), "{source}: {ours:?}");
        assert!(!outcome.set.iter().any(|(n, _)| *n == "content-security-policy"));
    }
    for (release, text) in [
        (Release::V3, r#"{"contentSecurityPolicy": {"directives": {"scriptSrc": ["a; script-src *"]}}}"#),
        (Release::V3, r#"{"contentSecurityPolicy": {"loose": true, "directives": {"img-src *; script-src": ["*"]}}}"#),
        (Release::V3, r#"{"featurePolicy": {"features": {"vibrate": ["a;camera *"]}}}"#),
        (Release::V8, r#"{"permissionsPolicy": {"features": {"camera": ["none"]}}}"#),
        (Release::V8, r#"{"permissionsPolicy": {"features": {"camera": ["\"a\"), usb=(\"b\""]}}}"#),
        (Release::V8, r#"{"permissionsPolicy": {"features": {"camera=*, usb": []}}}"#),
        (Release::V8, r#"{"permissionsPolicy": {"features": {"syncXhr": [], "sync-xhr": ["*"]}}}"#),
    ] {
        assert_eq!(errors(&headers(release, &json(text)).1), [""; 0], "helmet takes {text}");
        assert_eq!(errors(&read(release, &json(text)).1).len(), 1, "{text}");
    }
    // A policy that nothing is left of.
    let empty = json(r#"{"contentSecurityPolicy": {"directives": {"sandbox": false}}}"#);
    assert_eq!(errors(&headers(Release::V3, &empty).1), [""; 0]);
    assert_eq!(errors(&read(Release::V3, &empty).1), ["the header content-security-policy would be empty"]);
}

/// What fails every request of helmet's fails the reading of the options, in both readings.
#[test]
fn control_bytes_are_found_before_the_first_request() {
    for bad in ["a\\nb", "a\\r\\nset-cookie: x", "a\\u0000", "\\u007f", "\\u0436"] {
        for text in [
            format!(r#"{{"contentSecurityPolicy": {{"directives": {{"defaultSrc": ["{bad}"]}}}}}}"#),
            format!(r#"{{"expectCt": {{"reportUri": "{bad}"}}}}"#),
            format!(r#"{{"hpkp": {{"maxAge": 1, "sha256s": ["{bad}", "b"]}}}}"#),
            format!(r#"{{"permissionsPolicy": {{"features": {{"{bad}": []}}}}}}"#),
        ] {
            for (_, problems) in [read(Release::V8, &json(&text)), headers(Release::V8, &json(&text))] {
                assert!(!errors(&problems).is_empty(), "{text}");
                assert!(problems.iter().all(|p| !p.message.contains(char::is_control) && !p.path.contains(char::is_control)));
            }
        }
    }
}

/// A long key would be copied into the path of every problem below it.
#[test]
fn paths_stay_short() {
    let key = "k".repeat(100_000);
    let text = format!(r#"{{"permissionsPolicy": {{"features": {{"{key}": [1]}}}}}}"#);
    let (_, problems) = read(Release::V8, &json(&text));
    assert!(problems[0].path.len() < 200 && problems[0].message.len() < 200);
}

#[test]
fn a_package_reads_its_own_options_and_no_others() {
    let (outcome, _) = headers(Release::HelmetCsp2, &json(r#"{"directives": {"defaultSrc": ["'self'"], "sandbox": true}}"#));
    assert_eq!(outcome.set, [("content-security-policy", "default-src 'self'; sandbox".to_owned())]);
    assert_eq!(errors(&middleware(Release::HelmetCsp2, "hsts", None).1).len(), 1);
    assert_eq!(errors(&middleware(Release::V8, "hstss", None).1).len(), 1);
    assert_eq!(Release::NAMES.iter().filter(|(n, r)| r.name() == *n).count(), Release::NAMES.len());
}

fn word() -> impl Strategy<Value = String> {
    let words: Vec<String> = Middleware::names()
        .map(str::to_owned)
        .chain(
            "policy action domain allow maxAge maxage include-sub-domains includeSubdomains preload directives useDefaults reportOnly \
             reportUri features sha256s mode setTo loose setAllHeaders scriptSrc script-src defaultSrc default-src sandbox deny 'self' \
             self none no-referrer unsafe-inline * vibrate same-origin block enforce"
                .split_ascii_whitespace()
                .map(str::to_owned),
        )
        .collect();
    prop_oneof![9 => prop::sample::select(words), 1 => any::<String>()]
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        prop_oneof![-2.0..100.0, Just(1e21), Just(-0.0)].prop_map(|n: f64| serde_json::json!(n)),
        word().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(word(), inner, 0..5).prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_options_panic_and_what_passes_can_be_sent(tree in tree(), name in word(), release in 0..Release::NAMES.len()) {
        let release = Release::NAMES[release].1;
        let options = json(&tree.to_string());
        let ran = read(release, &options);
        let theirs = [headers(release, &options), middleware(release, &name, Some(&options))];
        for (_, value) in &ran.0.set {
            prop_assert!(HeaderValue::from_str(value).is_ok(), "{value:?}");
        }
        for (outcome, problems) in theirs.iter().chain([&ran]) {
            for (_, value) in &outcome.set {
                prop_assert!(!value.contains(|c: char| c != '\t' && (c < ' ' || c == '\u{7f}')), "{value:?}");
            }
            for p in problems {
                prop_assert!(p.span.end <= tree.to_string().len());
                prop_assert!(!format!("{}{}{}", p.path, p.message, p.remedy).contains(char::is_control), "{p:?}");
            }
        }
        // What helmet refuses, casque refuses.
        prop_assert!(errors(&theirs[0].1).is_empty() || !errors(&ran.1).is_empty());
    }
}
