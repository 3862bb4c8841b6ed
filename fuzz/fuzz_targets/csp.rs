//! Any text as a Content-Security-Policy: what is read reads back as itself, holds nothing that could end a header, and compares
//! and lints without a panic.
#![no_main]

use casque::headers::csp::lint::{self, Version};
use casque::headers::csp::{Additions, Csp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut problems = Vec::new();
    let strict = Csp::parse_noting(text, &mut problems);
    for problem in &problems {
        assert!(text.get(problem.span.clone()).is_some());
        assert!(!problem.to_string().contains(char::is_control));
    }
    let lenient = Csp::parse_lenient(text);
    if let Some(strict) = strict {
        assert_eq!(Csp::parse(&strict.to_string()).as_ref(), Ok(&strict));
        assert!(strict.is_at_least_as_strict_as(&strict));
        check(&strict);
        check_header(&strict.template().render(text));
    }
    assert_eq!(Csp::parse_lenient(&lenient.to_string()), lenient);
    check(&lenient);
    let (first, second) = text.split_at(text.floor_char_boundary(text.len() / 2));
    let mut widened = Csp::parse_lenient(first);
    if let Ok(additions) = Additions::parse(second) {
        let before = widened.clone();
        widened.add(&additions);
        assert!(before.is_at_least_as_strict_as(&widened));
        check(&widened);
    }
});

fn check(csp: &Csp) {
    check_header(&csp.to_string());
    for version in [Version::Csp1, Version::Csp2, Version::Csp3] {
        let _ = lint::lint(csp, version);
    }
    let _ = lint::gaps(csp);
    let _ = lint::reporting(csp);
}

fn check_header(value: &str) {
    assert!(value.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b','));
}
