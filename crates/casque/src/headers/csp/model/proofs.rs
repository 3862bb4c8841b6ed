//! The comparison of policies, held against the model.

use proptest::prelude::*;

use super::super::policy::Csp;
use super::{Address, Load, PAGES, all_loads, allows};

fn sources() -> impl Strategy<Value = &'static str> + Clone {
    proptest::sample::select(vec![
        "*",
        "'self'",
        "http:",
        "https:",
        "data:",
        "wss:",
        "ws:",
        "a.example",
        "*.a.example",
        "*.example",
        "https://a.example",
        "http://a.example",
        "https://*",
        "a.example:*",
        "a.example:8080",
        "https://a.example:443",
        "http://*.a.example:443",
        "https://*.a.example:80",
        "a.example/x/",
        "a.example/x/a.js",
        "a.example/x",
        "https://a.example/",
        "'nonce-aaa'",
        "'nonce-bbb'",
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='",
        "'unsafe-inline'",
        "'unsafe-inline'",
        "'unsafe-hashes'",
        "'unsafe-eval'",
        "'wasm-unsafe-eval'",
        "'trusted-types-eval'",
        "'strict-dynamic'",
        "'inline-speculation-rules'",
    ])
}

fn policies() -> impl Strategy<Value = Csp> + Clone {
    let names = proptest::sample::select(vec![
        "default-src",
        "default-src",
        "script-src",
        "script-src",
        "script-src-elem",
        "script-src-attr",
        "style-src",
        "style-src-elem",
        "style-src-attr",
        "img-src",
        "connect-src",
        "child-src",
        "frame-src",
        "worker-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
        "require-trusted-types-for",
    ]);
    let directive = (names, proptest::collection::vec(sources(), 0..4));
    proptest::collection::vec(directive, 0..4).prop_map(|list| {
        let text: Vec<String> = list
            .into_iter()
            .map(
                |(name, values)| {
                    if name.starts_with("require") { format!("{name} 'script'") } else { format!("{name} {}", values.join(" ")) }
                },
            )
            .collect();
        Csp::parse_lenient(&text.join(";"))
    })
}

const SCRIPT_WORDS: [&str; 10] = [
    "https://a.example",
    "'nonce-aaa'",
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'unsafe-inline'",
    "'unsafe-hashes'",
    "'unsafe-eval'",
    "'wasm-unsafe-eval'",
    "'trusted-types-eval'",
    "'strict-dynamic'",
    "'inline-speculation-rules'",
];

/// Policies about scripts alone: what nonces, hashes and keywords do to each other is too rare among all the rest.
fn script_policies() -> impl Strategy<Value = Csp> + Clone {
    let names = proptest::sample::select(vec!["script-src", "script-src-elem", "script-src-attr"]);
    let directive = (names, proptest::sample::subsequence(SCRIPT_WORDS.to_vec(), 0..=4));
    (proptest::collection::vec(directive, 1..3), any::<bool>()).prop_map(|(list, typed)| {
        let mut text = "worker-src 'none'".to_owned();
        for (name, values) in list {
            text += &format!("; {name} {}", values.join(" "));
        }
        if typed {
            text += "; require-trusted-types-for 'script'";
        }
        Csp::parse_lenient(&text)
    })
}

/// Two policies of which the second is often the first with something taken out or put in: two at random hardly ever compare.
fn pairs(policies: impl Strategy<Value = Csp> + Clone, sources: impl Strategy<Value = &'static str>) -> impl Strategy<Value = (Csp, Csp)> {
    (policies.clone(), policies, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5u8, sources).prop_map(
        |(a, b, i, j, how, extra)| {
            if a.is_empty() || how == 0 {
                return (a, b);
            }
            let mut other = a.clone();
            let d = &mut other.directives[i.index(a.directives.len())];
            match how {
                1 => d.values.push(extra.to_owned()),
                2 if !d.values.is_empty() => {
                    let at = j.index(d.values.len());
                    d.values[at] = extra.to_owned();
                }
                3 if !d.values.is_empty() => {
                    d.values.remove(j.index(d.values.len()));
                }
                _ => {
                    let name = d.name.clone();
                    other.remove(&name);
                }
            }
            (a, other)
        },
    )
}

fn escapes(a: &Csp, b: &Csp, loads: &[Load]) -> Option<(Load, Address)> {
    let tries = PAGES.iter().flat_map(|page| loads.iter().map(|load| (*load, *page)));
    tries.into_iter().find(|(load, page)| allows(a, *load, *page) && !allows(b, *load, *page))
}

/// What is said to be as strict lets nothing pass that the other stops.
fn prove(a: &Csp, b: &Csp, loads: &[Load]) -> Result<(), TestCaseError> {
    for (a, b) in [(a, b), (b, a)] {
        if a.is_at_least_as_strict_as(b) {
            let escaped = escapes(a, b, loads);
            prop_assert!(escaped.is_none(), "{} | {} | {:?}", a, b, escaped);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_yes_is_a_proof((a, b) in pairs(policies(), sources())) {
        prove(&a, &b, &all_loads())?;
    }

    #[test]
    fn every_policy_is_as_strict_as_itself_and_as_none(a in policies()) {
        prop_assert!(a.is_at_least_as_strict_as(&a), "{}", a);
        prop_assert!(a.is_at_least_as_strict_as(&Csp::default()), "{}", a);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn a_yes_about_scripts_is_a_proof((a, b) in pairs(script_policies(), proptest::sample::select(SCRIPT_WORDS.to_vec()))) {
        let about_scripts = |load: &Load| match load {
            Load::Script(url, ..) => url.host == "a.example" && url.port == 0,
            Load::Plain(..) | Load::Style(..) | Load::Worker(_) | Load::Prefetch(_) => false,
            _ => true,
        };
        let loads: Vec<Load> = all_loads().into_iter().filter(about_scripts).collect();
        prove(&a, &b, &loads)?;
    }
}

/// The comparison must not be safe by always saying no.
#[test]
fn most_provable_pairs_are_proved() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let loads = all_loads();
    let (mut provable, mut proved) = (0, 0);
    for _ in 0..2000 {
        let (a, b) = pairs(policies(), sources()).new_tree(&mut runner).unwrap().current();
        if escapes(&a, &b, &loads).is_none() {
            provable += 1;
            proved += usize::from(a.is_at_least_as_strict_as(&b));
        }
    }
    assert!(provable > 400 && proved * 10 > provable * 8, "{proved} of {provable}");
}

#[test]
fn everyday_pairs() {
    let check = |a, b| Csp::parse_lenient(a).is_at_least_as_strict_as(&Csp::parse_lenient(b));
    for (strict, loose) in [
        ("default-src 'none'", "default-src 'self'"),
        ("default-src 'self'", "script-src 'self'; object-src 'self'"),
        ("script-src 'self'", "script-src 'self' 'unsafe-inline'"),
        ("script-src 'nonce-aaa'", "script-src 'nonce-aaa' 'self'"),
        ("default-src 'none'; frame-ancestors 'none'", "default-src 'none'; frame-ancestors 'self'"),
        ("default-src 'none'; sandbox", "default-src 'none'; sandbox allow-scripts"),
        ("trusted-types a; require-trusted-types-for 'script'", "trusted-types a b"),
        ("img-src 'self'; report-uri /x", "img-src 'self'; report-to y"),
        ("upgrade-insecure-requests", "block-all-mixed-content"),
        ("img-src 'self'; webrtc 'block'", "img-src *"),
    ] {
        assert!(check(strict, loose), "{strict} | {loose}");
        assert!(!check(loose, strict) || loose.contains("report-to"), "{loose} | {strict}");
    }
    // A nonce switches 'unsafe-inline' off: taking it out opens what was closed.
    assert!(!check("script-src 'unsafe-inline'", "script-src 'unsafe-inline' 'nonce-aaa'"));
    // An app's word 'nonce' is none, and what stands beside it counts.
    assert!(!check("script-src 'nonce' 'unsafe-inline'", "script-src 'self'"));
    // What nobody knows may allow anything.
    assert!(!check("default-src 'none'; future-src *", "default-src 'none'"));
    assert!(!check("default-src 'none'; trusted-types *", "default-src 'none'; trusted-types a"));
    assert!(!check("default-src 'none'", "default-src 'none'; upgrade-insecure-requests"));
}
