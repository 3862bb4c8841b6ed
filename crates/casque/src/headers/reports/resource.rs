//! What a policy was about to block: a URL, or one of the words that stand for what has none.

use super::address::{Address, without_queries};
use super::clean::visible;

/// Longest text that is kept of what fits nothing else, in bytes.
const OTHER: usize = 64;
/// Longest scheme that is kept, in bytes.
const SCHEME: usize = 32;

/// Schemes of browser extensions and of the scripts they put into pages. Safari hides the latter behind `webkit-masked-url`.
const EXTENSIONS: [&str; 8] = [
    "chrome-extension",
    "moz-extension",
    "safari-extension",
    "safari-web-extension",
    "ms-browser-extension",
    "user-script",
    "userscript",
    "webkit-masked-url",
];

/// What was blocked, or which file did it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Inline script, style or handler. Old versions of Firefox wrote `self`.
    Inline,
    /// `eval()` and its kin.
    Eval,
    /// Compiling WebAssembly.
    WasmEval,
    /// Creating a Trusted Types policy that was not named.
    TrustedTypesPolicy,
    /// A plain string in a place that wants a trusted type.
    TrustedTypesSink,
    /// A `data:` URL.
    Data,
    /// A `blob:` URL.
    Blob,
    /// A place on the web.
    Url(Address),
    /// Another scheme, such as `filesystem` or `mediastream`, in lower case. Browsers send nothing but the scheme of these (CSP3 5.4).
    Scheme(Box<str>),
    /// A browser extension, by its scheme; which one is the user's business.
    Extension(Box<str>),
    /// Anything else, at most 64 bytes of it.
    Other(Box<str>),
}

impl Resource {
    /// Reads a `blocked-uri`, `blockedURL` or `sourceFile`. An empty one is `None`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        Some(match text {
            "" => return None,
            "inline" | "self" => Self::Inline,
            "eval" => Self::Eval,
            "wasm-eval" => Self::WasmEval,
            "trusted-types-policy" => Self::TrustedTypesPolicy,
            "trusted-types-sink" => Self::TrustedTypesSink,
            _ => match (Address::parse(text), scheme(text)) {
                (Some(address), _) => Self::Url(address),
                (None, Some(scheme)) => match scheme.as_str() {
                    "data" => Self::Data,
                    "blob" => Self::Blob,
                    s if EXTENSIONS.contains(&s) => Self::Extension(scheme.into()),
                    _ => Self::Scheme(scheme.into()),
                },
                (None, None) => Self::Other(other(text)),
            },
        })
    }

    /// The same with only the origin left of a URL.
    pub(super) fn origin_only(self) -> Self {
        match self {
            Self::Url(address) => Self::Url(address.origin_only()),
            other => other,
        }
    }

    /// The class as one word: `inline`, `url`, `extension` and so on.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Eval => "eval",
            Self::WasmEval => "wasm-eval",
            Self::TrustedTypesPolicy => "trusted-types-policy",
            Self::TrustedTypesSink => "trusted-types-sink",
            Self::Data => "data",
            Self::Blob => "blob",
            Self::Url(_) => "url",
            Self::Scheme(_) => "scheme",
            Self::Extension(_) => "extension",
            Self::Other(_) => "other",
        }
    }

    pub(super) fn heap(&self) -> usize {
        match self {
            Self::Url(address) => address.heap(),
            Self::Scheme(text) | Self::Extension(text) | Self::Other(text) => text.len(),
            _ => 0,
        }
    }
}

/// `moz-extension` of `moz-extension://..` and of the bare word, in lower case. A word with a dot is rather a host.
fn scheme(text: &str) -> Option<String> {
    let (scheme, has_colon) = text.split_once(':').map_or((text, false), |(scheme, _)| (scheme, true));
    let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-') || (b == b'.' && has_colon));
    let is_web = ["http", "https", "ws", "wss"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    (starts && rest && scheme.len() <= SCHEME && !(is_web && has_colon)).then(|| scheme.to_ascii_lowercase())
}

/// What cannot be understood is cut where a secret could begin.
fn other(text: &str) -> Box<str> {
    let text = without_queries(text);
    let text = text.split(['?', '#']).next().unwrap_or("");
    visible(text.rsplit('@').next().unwrap_or(text), OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_schemes_and_urls_are_told_apart() {
        let text = |r: Option<Resource>| match r {
            None => "none".to_owned(),
            Some(Resource::Url(a)) => format!("url {a}"),
            Some(Resource::Scheme(t)) => format!("scheme {t}"),
            Some(Resource::Extension(t)) => format!("extension {t}"),
            Some(Resource::Other(t)) => format!("other {t}"),
            Some(r) => r.class().to_owned(),
        };
        let cases = [
            ("", "none"),
            ("  ", "none"),
            ("inline", "inline"),
            ("self", "inline"),
            ("eval", "eval"),
            ("wasm-eval", "wasm-eval"),
            ("trusted-types-policy", "trusted-types-policy"),
            ("trusted-types-sink", "trusted-types-sink"),
            ("data", "data"),
            ("data:image/png;base64,AAAA", "data"),
            ("blob:https://shop.example/1b2c", "blob"),
            ("https://cdn.example/a.js?v=1", "url https://cdn.example/a.js"),
            ("chrome-extension", "extension chrome-extension"),
            ("moz-extension://6f2a/content.js", "extension moz-extension"),
            ("webkit-masked-url://hidden/", "extension webkit-masked-url"),
            ("About", "scheme about"),
            ("mediastream:x", "scheme mediastream"),
            ("shop.example", "other shop.example"),
            ("sandbox eval code", "other sandbox eval code"),
            ("https://:s3cret@/x?s3cret", "other https://…"),
            ("x y?s3cret", "other x y"),
            ("\u{1b}[2J", "other \\u{1b}[2J"),
        ];
        for (written, read) in cases {
            assert_eq!(text(Resource::read(written)), read, "{written}");
        }
    }
}
