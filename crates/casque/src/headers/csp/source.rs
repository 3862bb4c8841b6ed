//! One entry of a source list (CSP Level 3, 2.3.1), read for what it is.

/// What an entry of a source list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'t> {
    /// `'none'`.
    None,
    /// `*`.
    Any,
    /// Any other word in quotes.
    Keyword(Keyword),
    /// `'nonce'`, casque's own: stands for the nonce of the response at hand.
    ResponseNonce,
    /// `'nonce-...'`, without the frame.
    Nonce(&'t str),
    /// `'sha256-...'`: the algorithm and the base64 text.
    Hash(Algorithm, &'t str),
    /// `https:`, without the colon.
    Scheme(&'t str),
    /// `example.com`, `https://*.example.com:8443/scripts/`.
    Host(Host<'t>),
}

/// The words in quotes that browsers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// The page's own origin.
    SelfOrigin,
    /// Scripts, styles and handlers written into the page.
    UnsafeInline,
    /// `eval` and its kin.
    UnsafeEval,
    /// Hashes count for handlers, `style` attributes and `javascript:` links too.
    UnsafeHashes,
    /// What a trusted script loads is trusted; hosts and schemes of the list are not.
    StrictDynamic,
    /// Reports carry the first 40 characters of what was blocked.
    ReportSample,
    /// Compiling WebAssembly.
    WasmUnsafeEval,
    /// `eval` of what a Trusted Types policy has passed.
    TrustedTypesEval,
    /// Speculation rules written into the page.
    InlineSpeculationRules,
    /// WebTransport to servers known by a certificate's hash.
    UnsafeWebtransportHashes,
    /// Navigation to pages that redirect elsewhere; part of the abandoned `navigate-to`.
    UnsafeAllowRedirects,
    /// Reports of the hashes of scripts.
    ReportSha256,
    /// As [`Self::ReportSha256`], by SHA-384.
    ReportSha384,
    /// As [`Self::ReportSha256`], by SHA-512.
    ReportSha512,
}

impl Keyword {
    /// Their spellings.
    pub const NAMES: [(&'static str, Self); 14] = [
        ("'self'", Self::SelfOrigin),
        ("'unsafe-inline'", Self::UnsafeInline),
        ("'unsafe-eval'", Self::UnsafeEval),
        ("'unsafe-hashes'", Self::UnsafeHashes),
        ("'strict-dynamic'", Self::StrictDynamic),
        ("'report-sample'", Self::ReportSample),
        ("'wasm-unsafe-eval'", Self::WasmUnsafeEval),
        ("'trusted-types-eval'", Self::TrustedTypesEval),
        ("'inline-speculation-rules'", Self::InlineSpeculationRules),
        ("'unsafe-webtransport-hashes'", Self::UnsafeWebtransportHashes),
        ("'unsafe-allow-redirects'", Self::UnsafeAllowRedirects),
        ("'report-sha256'", Self::ReportSha256),
        ("'report-sha384'", Self::ReportSha384),
        ("'report-sha512'", Self::ReportSha512),
    ];
}

/// Words in quotes that some browsers once knew, or that directives without sources have.
pub(super) const OTHER_WORDS: [&str; 5] = ["'none'", "'wasm-eval'", "'unsafe-hashed-attributes'", "'allow'", "'block'"];

/// The digests a hash may be made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// How a hash begins.
    pub const PREFIXES: [(&'static str, Self); 3] = [("sha256-", Self::Sha256), ("sha384-", Self::Sha384), ("sha512-", Self::Sha512)];

    /// The length of a digest, in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A host, with what may stand around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host<'t> {
    /// Without `://`.
    pub scheme: Option<&'t str>,
    /// A name, `*`, or a name that begins with `*.`.
    pub name: &'t str,
    /// Digits or `*`.
    pub port: Option<&'t str>,
    /// Begins with `/`, or is empty.
    pub path: &'t str,
}

impl<'t> Source<'t> {
    /// Reads an entry by the grammar. Words in quotes are compared without regard to case, as browsers do.
    #[must_use]
    pub fn parse(token: &'t str) -> Option<Self> {
        if token == "*" {
            return Some(Self::Any);
        }
        if let Some(quoted) = token.strip_prefix('\'') {
            return Self::in_quotes(token, quoted.strip_suffix('\'')?);
        }
        match token.strip_suffix(':') {
            Some(scheme) => is_scheme(scheme).then_some(Self::Scheme(scheme)),
            None => Host::parse(token).map(Self::Host),
        }
    }

    fn in_quotes(token: &'t str, inner: &'t str) -> Option<Self> {
        if inner.eq_ignore_ascii_case("none") {
            return Some(Self::None);
        }
        if inner == "nonce" {
            return Some(Self::ResponseNonce);
        }
        if let Some(nonce) = strip_prefix_any_case(inner, "nonce-") {
            return is_base64(nonce).then_some(Self::Nonce(nonce));
        }
        for (prefix, algorithm) in Algorithm::PREFIXES {
            if let Some(hash) = strip_prefix_any_case(inner, prefix) {
                return is_base64(hash).then_some(Self::Hash(algorithm, hash));
            }
        }
        Keyword::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(token)).map(|(_, k)| Self::Keyword(*k))
    }
}

impl<'t> Host<'t> {
    fn parse(token: &'t str) -> Option<Self> {
        let (scheme, rest) = match token.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, token),
        };
        if scheme.is_some_and(|s| !is_scheme(s)) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (name, port) = match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        };
        let good = is_host_pattern(name) && port.is_none_or(is_port) && path.bytes().all(is_path_byte);
        good.then_some(Self { scheme, name, port, path })
    }
}

pub(super) fn strip_prefix_any_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `base64-value` of the grammar: either alphabet, at least one letter, at most two `=` and those at the end.
pub(super) fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len() - body.len() <= 2
        && !body.is_empty()
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_'))
}

/// RFC 3986 3.1.
pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// `host-part`. The underscore is not in the grammar, but in names of hosts that exist, and browsers take it.
pub(super) fn is_host_pattern(text: &str) -> bool {
    let name = match text.strip_prefix("*.") {
        Some(rest) => rest,
        None if text == "*" => return true,
        None => text,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.split('.').all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')))
}

pub(super) fn is_port(text: &str) -> bool {
    text == "*" || (text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

/// `path-absolute` without `;` and `,`, which must be written `%3B` and `%2C`.
pub(super) fn is_path_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+=:@".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host<'t>(scheme: Option<&'t str>, name: &'t str, port: Option<&'t str>, path: &'t str) -> Option<Source<'t>> {
        Some(Source::Host(Host { scheme, name, port, path }))
    }

    #[test]
    fn every_kind_of_entry_is_told_apart() {
        assert_eq!(Source::parse("'none'"), Some(Source::None));
        assert_eq!(Source::parse("*"), Some(Source::Any));
        assert_eq!(Source::parse("'SELF'"), Some(Source::Keyword(Keyword::SelfOrigin)));
        assert_eq!(Source::parse("'nonce'"), Some(Source::ResponseNonce));
        assert_eq!(Source::parse("'nonce-aB3_='"), Some(Source::Nonce("aB3_=")));
        assert_eq!(Source::parse("'sha384-xyz'"), Some(Source::Hash(Algorithm::Sha384, "xyz")));
        assert_eq!(Source::parse("blob:"), Some(Source::Scheme("blob")));
        assert_eq!(Source::parse("localhost:3000"), host(None, "localhost", Some("3000"), ""));
        assert_eq!(Source::parse("https://*.a.example:*/x/"), host(Some("https"), "*.a.example", Some("*"), "/x/"));
        assert_eq!(Source::parse("*:8080"), host(None, "*", Some("8080"), ""));
        for (name, keyword) in Keyword::NAMES {
            assert_eq!(Source::parse(name), Some(Source::Keyword(keyword)));
        }
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for bad in [
            "",
            "'",
            "''",
            "'self",
            "self'",
            "'nonce-'",
            "'nonce-a$'",
            "'sha256-abc",
            "'sha1-abc'",
            "//a.example",
            "https://",
            "a..example",
            "*a.example",
            "a.*.example",
            "a.example:99999",
            "a.example:",
            "a.example:80:80",
            "a.example/?x",
            "a.example/;",
            "[::1]",
            "\u{e9}.example",
        ] {
            assert_eq!(Source::parse(bad).filter(|s| !matches!(s, Source::Scheme("a.example"))), None, "{bad}");
        }
    }
}
