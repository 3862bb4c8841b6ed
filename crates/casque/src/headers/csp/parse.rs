//! From text to policy: strictly for what a user writes, and the way browsers do it for what an app sends.

use std::collections::HashSet;
use std::fmt;

use super::check::{self, Checked, Token};
use super::policy::{Csp, Directive};
use super::template::PLACEHOLDER;
use crate::problem::Problem;

/// A problem in a list of directives, and the entry it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListProblem {
    /// The place of the directive in the list, from 0.
    pub directive: usize,
    /// The place of the value in its directive, from 0; `None` for the name.
    pub value: Option<usize>,
    /// What is wrong; its span counts the bytes of that name or value.
    pub problem: Problem,
}

impl fmt::Display for ListProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)
    }
}

impl std::error::Error for ListProblem {}

impl Csp {
    /// Reads a policy that a user wrote. Nothing passes that browsers would read otherwise than it looks.
    ///
    /// # Errors
    /// Everything that is wrong with it, warnings too if there is an error: each with its bytes in the text and the remedy.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        Self::parse_noting(text, &mut problems).ok_or(problems)
    }

    /// As [`Csp::parse`], but warnings are to be had from a policy without errors too. `None` if there is an error.
    pub fn parse_noting(text: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut checked = Checked::default();
        let mut csp = Self::default();
        let mut start = 0;
        for part in text.split(';') {
            let mut tokens = tokens(part, start);
            if let Some(name) = tokens.next() {
                let values: Vec<Token<'_>> = tokens.collect();
                csp.directives.push(check::directive(name, &values, &mut checked));
            }
            start += part.len() + 1;
        }
        if csp.is_empty() {
            checked.error(0..text.len(), "the policy is empty", "write at least one directive, such as default-src 'self'");
        }
        let (found, good) = checked.finish();
        problems.extend(found);
        good.then_some(csp)
    }

    /// Makes a policy of names and values, checked as [`Csp::parse`] does.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_list<N, V>(list: impl IntoIterator<Item = (N, V)>) -> Result<Self, Vec<ListProblem>>
    where
        N: AsRef<str>,
        V: IntoIterator<Item: AsRef<str>>,
    {
        let mut problems = Vec::new();
        Self::from_list_noting(list, &mut problems).ok_or(problems)
    }

    /// As [`Csp::from_list`], but warnings are to be had from a policy without errors too. `None` if there is an error.
    pub fn from_list_noting<N, V>(list: impl IntoIterator<Item = (N, V)>, problems: &mut Vec<ListProblem>) -> Option<Self>
    where
        N: AsRef<str>,
        V: IntoIterator<Item: AsRef<str>>,
    {
        let mut checked = Checked::default();
        let mut csp = Self::default();
        // Entries are checked as if they stood one behind the other in a text; where each begins says whose a problem is.
        let mut places: Vec<(usize, usize, Option<usize>)> = Vec::new();
        let mut at = 0;
        for (directive, (name, values)) in list.into_iter().enumerate() {
            let values: Vec<V::Item> = values.into_iter().collect();
            let mut place = |text: &str, value| {
                let start = at;
                places.push((start, directive, value));
                at += text.len() + 1;
                start
            };
            let name = Token { text: name.as_ref(), start: place(name.as_ref(), None) };
            let values: Vec<Token<'_>> =
                values.iter().enumerate().map(|(i, v)| Token { text: v.as_ref(), start: place(v.as_ref(), Some(i)) }).collect();
            csp.directives.push(check::directive(name, &values, &mut checked));
        }
        if csp.is_empty() {
            checked.error(0..0, "the policy is empty", "write at least one directive, such as default-src 'self'");
        }
        let (found, good) = checked.finish();
        problems.extend(found.into_iter().map(|mut problem| {
            let (start, directive, value) =
                places.iter().rev().find(|(start, ..)| *start <= problem.span.start).copied().unwrap_or_default();
            problem.span = problem.span.start - start..problem.span.end - start;
            ListProblem { directive, value, problem }
        }));
        good.then_some(csp)
    }

    /// Reads a policy as browsers do (CSP Level 3, 2.2.1): the first directive of a name counts, one with a byte outside of visible
    /// ASCII is skipped, and nothing is refused. A `,` begins another policy in a header (2.2.2), and this reads the first alone.
    ///
    /// To browsers `'nonce'` is a word without meaning. It is kept as `'NONCE'`, so that it is never taken for casque's own.
    #[must_use]
    pub fn parse_lenient(text: &str) -> Self {
        Self::lenient(text.split(',').next().unwrap_or_default())
    }

    /// Reads the value of a header, which may hold several policies with `,` between them (CSP Level 3, 2.2.2). Browsers apply all.
    #[must_use]
    pub fn parse_header(text: &str) -> Vec<Self> {
        text.split(',').map(Self::lenient).filter(|csp| !csp.is_empty()).collect()
    }

    fn lenient(text: &str) -> Self {
        let mut seen = HashSet::new();
        let mut csp = Self::default();
        for part in text.split(';') {
            let mut words = part.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let visible = part.bytes().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
            let name = name.to_ascii_lowercase();
            if visible && seen.insert(name.clone()) {
                let values = words.map(|w| if w == PLACEHOLDER { "'NONCE'".to_owned() } else { w.to_owned() }).collect();
                csp.directives.push(Directive { name, values });
            }
        }
        csp
    }
}

impl Directive {
    /// A directive, checked as [`Csp::parse`] does.
    ///
    /// # Errors
    /// Everything that is wrong with it; the spans are those of the name and the values with one space between them.
    pub fn new<V>(name: &str, values: V) -> Result<Self, Vec<Problem>>
    where
        V: IntoIterator<Item: AsRef<str>>,
    {
        let values: Vec<V::Item> = values.into_iter().collect();
        let mut start = name.len() + 1;
        let values: Vec<Token<'_>> = values
            .iter()
            .map(|value| {
                let token = Token { text: value.as_ref(), start };
                start += token.text.len() + 1;
                token
            })
            .collect();
        let mut checked = Checked::default();
        let directive = check::directive(Token { text: name, start: 0 }, &values, &mut checked);
        let (problems, good) = checked.finish();
        if good { Ok(directive) } else { Err(problems) }
    }
}

/// The words of a text whose first byte is byte `start` of the whole. Spaces and tabs part them; line ends are left in, to be refused.
fn tokens(text: &str, start: usize) -> impl Iterator<Item = Token<'_>> {
    text.split([' ', '\t'])
        .scan(start, |at, word| {
            let token = Token { text: word, start: *at };
            *at += word.len() + 1;
            Some(token)
        })
        .filter(|token| !token.text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::csp::Severity;
    use proptest::prelude::*;

    /// `place: message (label)` of each problem, warnings with a `?` before them.
    fn problems(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let csp = Csp::parse_noting(text, &mut problems);
        assert_eq!(csp.is_none(), problems.iter().any(|p| p.severity == Severity::Error), "{text}");
        let mark = |p: &Problem| if p.severity == Severity::Warning { "?" } else { "" };
        problems.iter().map(|p| format!("{}{}: {} ({})", mark(p), &text[p.span.clone()], p.message, p.label)).collect()
    }

    #[test]
    fn good_policies_have_no_problems() {
        for text in [
            "default-src 'self'",
            "script-src 'nonce' 'strict-dynamic' 'report-sample' 'report-sha256' https: 'unsafe-inline'; object-src 'none'; base-uri 'none'",
            "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
            "SANDBOX allow-scripts allow-forms; report-uri /csp https://r.example/x?y=%3B; report-to default",
            "require-trusted-types-for 'script'; trusted-types default dompurify 'allow-duplicates'; webrtc 'block'",
            "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'unsafe-hashes'; connect-src wss://a_b.example:* *:8443 'unsafe-webtransport-hashes'",
            "\t default-src  'none' ;; ",
            "sandbox; trusted-types; trusted-types-x",
        ] {
            let found: Vec<_> = problems(text).into_iter().filter(|p| !p.contains("trusted-types-x")).collect();
            assert_eq!(found, [""; 0], "{text}");
        }
    }

    #[test]
    fn each_mistake_is_named_with_its_place_and_remedy() {
        for (text, wanted) in [
            ("", ": the policy is empty (write at least one directive, such as default-src 'self')"),
            ("script-scr 'self'", "script-scr: unknown directive `script-scr` (did you mean `script-src`?)"),
            ("scriptSrc 'self'", "scriptSrc: unknown directive `scriptSrc` (did you mean `script-src`?)"),
            ("script-src: 'self'", "script-src:: unknown directive `script-src:` (did you mean `script-src`?)"),
            ("zzz 1", "?zzz: unknown directive `zzz` (browsers skip what they do not know; it is sent as it is)"),
            (
                "img-src a.example; b.example",
                "b.example: `b.example` stands where a directive begins (a directive begins with its name, such as script-src; is a `;` too many before this?)",
            ),
            (
                "img-src *; img-src a.example",
                "img-src: `img-src` stands twice, and browsers heed the first alone (put all its values into one)",
            ),
            (
                "default-src 'self' script-src 'self'",
                "script-src: the directive `script-src` is read as a value here (put a `;` before it)",
            ),
            ("script-src self", "self: `self` is read as the name of a host (write it in quotes: 'self')"),
            ("script-src unsafe-inlin", "unsafe-inlin: `unsafe-inlin` is read as the name of a host (did you mean 'unsafe-inline'?)"),
            ("script-src nonce-abc", "nonce-abc: `nonce-abc` is read as the name of a host (write it in quotes: 'nonce-abc')"),
            ("script-src sha256-abc=", "sha256-abc=: `sha256-abc=` is read as the name of a host (write it in quotes: 'sha256-abc=')"),
            ("script-src https", "https: `https` is read as the name of a host (write it with a colon: https:)"),
            ("script-src 'slef'", "'slef': unknown word `'slef'` (did you mean 'self'?)"),
            ("script-src 'strict-dynamics'", "'strict-dynamics': unknown word `'strict-dynamics'` (did you mean 'strict-dynamic'?)"),
            ("script-src 'a.example'", "'a.example': unknown word `'a.example'` (hosts and schemes stand without quotes: a.example)"),
            ("script-src 'qqqqqqqq'", "'qqqqqqqq': unknown word `'qqqqqqqq'` (no browser knows it: take it out)"),
            ("script-src \"self\"", "\"self\": `\"self\"` is in double quotes (write 'self')"),
            ("script-src 'self", "'self: the quotes of `'self` are not closed (write 'self')"),
            ("script-src 'sha256-abc", "'sha256-abc: the quotes of `'sha256-abc` are not closed (write 'sha256-abc')"),
            ("script-src 'sha256-abc'", "'sha256-abc': `'sha256-abc'` is no complete hash: it has 3 letters of 43 (copy the whole hash)"),
            ("script-src 'sha256-'", "'sha256-': the hash of `'sha256-'` is empty (copy the whole hash)"),
            (
                "script-src 'nonce-'",
                "'nonce-': the nonce of `'nonce-'` is empty (write 'nonce': casque then makes a fresh one for each response)",
            ),
            (
                "script-src 'nonce-abc'",
                "?'nonce-abc': the nonce `'nonce-abc'` is the same in every response, so an attacker can read it (write 'nonce': casque then makes a fresh one for each)",
            ),
            ("img-src 'nonce'", "'nonce': `'nonce'` means nothing in `img-src` (take it out)"),
            ("img-src 'unsafe-eval'", "?'unsafe-eval': `'unsafe-eval'` means nothing in `img-src` (take it out)"),
            (
                "frame-ancestors 'unsafe-inline'",
                "'unsafe-inline': `'unsafe-inline'` means nothing in `frame-ancestors` (write hosts, schemes, 'self' or 'none')",
            ),
            (
                "img-src 'none' a.example",
                "'none': `'none'` stands beside other sources, and browsers then pass over it (leave one of them out)",
            ),
            ("img-src 'SELF'", "?'SELF': `'SELF'` is written in upper case (write 'self')"),
            ("img-src a.example a.example", "?a.example: `a.example` stands twice in `img-src` (once is enough)"),
            ("img-src", "?img-src: `img-src` has no value and allows nothing (write 'none' if that is meant)"),
            ("img-src //a.example", "//a.example: `//a.example` is no source (leave the slashes out: a.example)"),
            ("img-src https://", "https://: `https://` is no source (write the scheme alone: https:)"),
            ("img-src *a.example", "*a.example: `*a.example` is no source (`*` stands for whole labels at the start alone: *.example.com)"),
            ("img-src a.example/?q", "a.example/?q: `a.example/?q` is no source (a source has no query and no fragment: a.example/)"),
            ("img-src a.example:x", "a.example:x: `a.example:x` is no source (a port is a number up to 65535, or *)"),
            ("img-src https://[::1]", "https://[::1]: `https://[::1]` is no source (browsers match no IPv6 address here: use a name)"),
            (
                "img-src a.example, b.example",
                ",: in `a.example,`: `,` begins another policy (values are parted by spaces; in an address write %2C)",
            ),
            ("img-src a.example\nx: y", "\n: in `a.example\\nx:`: a line break would end the header (write the policy on one line)"),
            ("img-src a\0", "\0: in `a\\0`: the control character \\0 cannot be in a header (take it out)"),
            (
                "img-src b\u{fc}.example",
                "\u{fc}: in `b\u{fc}.example`: `\u{fc}` is not ASCII (write a host in punycode (xn--...) and percent-encode a path)",
            ),
            (
                "img-src \u{2018}self\u{2019}",
                "\u{2018}: in `\u{2018}self\u{2019}`: `\u{2018}` is not the quote that browsers read (write the straight one: ')",
            ),
            ("sandbox allow-script", "allow-script: `sandbox` cannot be `allow-script` (did you mean `allow-scripts`?)"),
            ("report-to a b", "b: `report-to` takes one value (write the name of one endpoint)"),
            ("report-to", "report-to: `report-to` has no value (write the name of one endpoint)"),
            ("report-to a/b", "a/b: `a/b` is no endpoint's name (write a name that the header Reporting-Endpoints defines)"),
            ("report-uri", "report-uri: `report-uri` has no value (write the address that reports go to)"),
            ("report-uri /a|b", "/a|b: `|` cannot be in the address `/a|b` (write %7C)"),
            ("upgrade-insecure-requests 1", "1: `upgrade-insecure-requests` takes no value (write `upgrade-insecure-requests` alone)"),
            ("require-trusted-types-for script", "script: `require-trusted-types-for` cannot be `script` (write it in quotes: 'script')"),
            ("trusted-types a!", "a!: `a!` is no policy's name (names are of letters, digits and -#=_/@.%)"),
            ("trusted-types none", "none: `none` is read as a policy's name (write it in quotes: 'none')"),
            ("webrtc 'deny'", "'deny': `webrtc` cannot be `'deny'` (known here: 'allow' 'block')"),
            (
                "block-all-mixed-content",
                "?block-all-mixed-content: browsers no longer heed `block-all-mixed-content` (upgrade-insecure-requests does more, and browsers block the rest by themselves)",
            ),
            (
                "plugin-types text/x",
                "?plugin-types: browsers no longer heed `plugin-types` (there are no plug-ins any more: object-src 'none')",
            ),
        ] {
            assert_eq!(problems(text), [wanted], "{text}");
        }
    }

    #[test]
    fn lists_say_which_entry_is_wrong() {
        let problems = Csp::from_list([
            ("default-src", vec!["'self'", "'self' https:"]),
            ("sandbox\r", vec![]),
            ("report-to", vec!["a;b"]),
            ("img-src", vec!["", "a.example", "b\u{fc}"]),
        ])
        .unwrap_err();
        let places: Vec<_> = problems.iter().map(|p| (p.directive, p.value, p.problem.span.clone())).collect();
        assert_eq!(places, [(0, Some(1), 6..7), (1, None, 7..8), (2, Some(0), 1..2), (3, Some(0), 0..0), (3, Some(2), 1..3)]);
        let csp = Csp::from_list([("img-src", ["'self'", "data:"])]).unwrap();
        assert_eq!(csp, Csp::parse("img-src 'self' data:").unwrap());
    }

    #[test]
    fn browsers_take_the_first_of_a_name_and_skip_what_is_not_ascii() {
        let csp = Csp::parse_lenient(" IMG-SRC a.example ; img-src *;; font-src \u{e9};\tscript-src\n'nonce' 'Self', default-src 'none'");
        assert_eq!(csp.to_string(), "img-src a.example; script-src 'NONCE' 'Self'");
        assert!(!csp.uses_nonce());
        assert_eq!(Csp::parse_header("img-src *, ,default-src 'none'").len(), 2);
        assert!(Csp::parse_lenient("").is_empty());
    }

    const WORDS: &str = "('(self|none|nonce|unsafe-inline|nonce-[a-z]{0,3}|sha256-[A-Za-z]{43})'|\\*|https:|[a-z*.]{1,9}(:[0-9*]{1,3})?(/[a-z?]{0,3})?|allow-scripts|[ -~]{1,4}|\\PC)";
    const NAMES: &str = "(default-src|script-src|img-src|frame-ancestors|sandbox|report-to|report-uri|trusted-types|upgrade-insecure-requests|[a-zA-Z-]{1,5}|\\PC{1,3})";

    proptest! {
        #[test]
        fn no_text_panics_and_every_place_is_in_it(text in "[a-z'; ,\u{e9}\n\0*:/.-]{0,60}|\\PC{0,40}") {
            let mut problems = Vec::new();
            let csp = Csp::parse_noting(&text, &mut problems);
            for p in &problems {
                prop_assert!(text.get(p.span.clone()).is_some(), "{:?}", p);
                prop_assert!(!p.to_string().contains(char::is_control));
            }
            if let Some(csp) = csp {
                prop_assert_eq!(Csp::parse(&csp.to_string()).unwrap(), csp);
            }
        }

        #[test]
        fn what_is_built_reads_back_as_itself(list in proptest::collection::vec((NAMES, proptest::collection::vec(WORDS, 0..4)), 1..5)) {
            let Ok(csp) = Csp::from_list(list) else { return Ok(()) };
            for text in [csp.to_string(), csp.to_string_with(crate::headers::csp::Separator::Tight)] {
                prop_assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)));
                prop_assert_eq!(&Csp::parse(&text).unwrap(), &csp);
                if !csp.uses_nonce() {
                    prop_assert_eq!(&Csp::parse_lenient(&text), &csp);
                    prop_assert_eq!(Csp::parse_header(&text).len(), 1);
                }
            }
        }

        #[test]
        fn what_an_app_sends_holds_no_control_byte(text in "[ -~]{0,80}|\\PC{0,40}|[a-z \t\r\n\0;,]{0,40}") {
            let csp = Csp::parse_lenient(&text);
            let sent = csp.to_string();
            prop_assert!(sent.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b','));
            prop_assert_eq!(Csp::parse_lenient(&sent), csp);
        }
    }
}
