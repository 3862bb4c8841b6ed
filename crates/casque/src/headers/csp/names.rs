//! The directives there are: what their values look like, what they fall back to, and which are retired.

/// What the values of a directive look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A source list (CSP Level 3, 2.3.1).
    Sources,
    /// A source list of hosts, schemes, `'self'` and `'none'` only (6.4.2).
    Ancestors,
    /// Words that begin with `allow-` (HTML, 7.1.5).
    Sandbox,
    /// Addresses (6.5.1).
    Addresses,
    /// The name of a reporting endpoint (6.5.2).
    Endpoint,
    /// Nothing.
    Flag,
    /// Names of policies (Trusted Types, 4.2).
    PolicyNames,
    /// `'script'` (Trusted Types, 4.1).
    Sinks,
    /// `'allow'` or `'block'` (6.6.1).
    WebRtc,
    /// Whatever: the directive is retired, or newer than this table.
    Words,
}

/// Which kinds of inline code a source list rules: nonces, hashes and the `unsafe-` words mean something there only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Scripts,
    Styles,
    Both,
    Neither,
}

/// A directive.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whose list is used when this directive is absent, in order (CSP Level 3, 6.8.3).
    pub(super) fallback: &'static [&'static str],
    /// If browsers no longer heed it: what took its place.
    pub(super) retired: Option<&'static str>,
}

const fn fetch(name: &'static str, fallback: &'static [&'static str]) -> Known {
    Known { name, shape: Shape::Sources, fallback, retired: None }
}

const fn other(name: &'static str, shape: Shape) -> Known {
    Known { name, shape, fallback: &[], retired: None }
}

const fn retired(name: &'static str, shape: Shape, instead: &'static str) -> Known {
    Known { name, shape, fallback: &[], retired: Some(instead) }
}

/// All of them, those of use first.
pub(super) const DIRECTIVES: [Known; 35] = [
    fetch("default-src", &[]),
    fetch("script-src", &["default-src"]),
    fetch("script-src-elem", &["script-src", "default-src"]),
    fetch("script-src-attr", &["script-src", "default-src"]),
    fetch("style-src", &["default-src"]),
    fetch("style-src-elem", &["style-src", "default-src"]),
    fetch("style-src-attr", &["style-src", "default-src"]),
    fetch("img-src", &["default-src"]),
    fetch("connect-src", &["default-src"]),
    fetch("font-src", &["default-src"]),
    fetch("media-src", &["default-src"]),
    fetch("object-src", &["default-src"]),
    fetch("manifest-src", &["default-src"]),
    fetch("child-src", &["default-src"]),
    fetch("frame-src", &["child-src", "default-src"]),
    fetch("fenced-frame-src", &["frame-src", "child-src", "default-src"]),
    fetch("worker-src", &["child-src", "script-src", "default-src"]),
    other("base-uri", Shape::Sources),
    other("form-action", Shape::Sources),
    other("frame-ancestors", Shape::Ancestors),
    other("sandbox", Shape::Sandbox),
    other("report-uri", Shape::Addresses),
    other("report-to", Shape::Endpoint),
    other("upgrade-insecure-requests", Shape::Flag),
    other("require-trusted-types-for", Shape::Sinks),
    other("trusted-types", Shape::PolicyNames),
    other("webrtc", Shape::WebRtc),
    retired("block-all-mixed-content", Shape::Flag, "upgrade-insecure-requests does more, and browsers block the rest by themselves"),
    retired("plugin-types", Shape::Words, "there are no plug-ins any more: object-src 'none'"),
    retired("prefetch-src", Shape::Sources, "prefetches are ruled by default-src"),
    retired("navigate-to", Shape::Sources, "nothing took its place; form-action rules forms"),
    retired("referrer", Shape::Words, "the header Referrer-Policy took its place"),
    retired("reflected-xss", Shape::Words, "a script-src without 'unsafe-inline' took its place"),
    retired("disown-opener", Shape::Flag, "the header Cross-Origin-Opener-Policy took its place"),
    retired("require-sri-for", Shape::Words, "the header Integrity-Policy took its place"),
];

/// The words of `sandbox`.
pub(super) const SANDBOX: [&str; 14] = [
    "allow-downloads",
    "allow-forms",
    "allow-modals",
    "allow-orientation-lock",
    "allow-pointer-lock",
    "allow-popups",
    "allow-popups-to-escape-sandbox",
    "allow-presentation",
    "allow-same-origin",
    "allow-scripts",
    "allow-storage-access-by-user-activation",
    "allow-top-navigation",
    "allow-top-navigation-by-user-activation",
    "allow-top-navigation-to-custom-protocols",
];

/// The directive of that name, which is in lower case.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    DIRECTIVES.iter().find(|d| d.name == name)
}

/// Whose list is used when the directive is absent.
pub(super) fn fallback(name: &str) -> &'static [&'static str] {
    known(name).map_or(&[], |d| d.fallback)
}

pub(super) fn code(name: &str) -> Code {
    match name {
        "default-src" => Code::Both,
        "script-src" | "script-src-elem" | "script-src-attr" => Code::Scripts,
        "style-src" | "style-src-elem" | "style-src-attr" => Code::Styles,
        _ => Code::Neither,
    }
}
