//! A policy being put together.

use std::borrow::Cow;
use std::fmt;

use http::HeaderName;

use super::block::Rule;
use super::caching::CacheGuard;
use super::catalog::{self, CONTENT};
#[cfg(feature = "config")]
use super::catalog::{ALL_BUT_304, EVERYTHING};
use super::class::Class;
use super::csp::Csp;
use super::merge::Mode;
use super::origin::Origin;
use super::policy::{HeaderPolicy, Profile, Set};
use super::preset::Preset;
use super::profile::When;
use super::value;
use crate::problem::Severity;

/// Headers that frame the message. Without them, or with others, responses would be split or misread.
const FRAMING: [&str; 11] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "keep-alive",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that say something about one response alone: the same on all of them, they would be untrue.
const OF_ONE_RESPONSE: [&str; 12] = [
    "age",
    "allow",
    "casque-csp-add",
    "casque-csp-nonce",
    "casque-profile",
    "content-range",
    "date",
    "etag",
    "last-modified",
    "location",
    "via",
    "www-authenticate",
];

/// So many profiles can be told apart while a request is on its way.
pub(super) const MAX_PROFILES: usize = 64;

/// Why a header was refused when a policy was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidHeader {
    name: String,
    problem: String,
}

impl InvalidHeader {
    pub(super) fn new(name: &str, problem: impl Into<String>) -> Self {
        Self { name: name.to_owned(), problem: problem.into() }
    }

    /// What is wrong, without the header's name.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "header `{}`: {}", self.name, self.problem)
    }
}

impl std::error::Error for InvalidHeader {}

/// Changes a preset before it is compiled.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(super) rules: Vec<Rule>,
    pub(super) removed: Vec<HeaderName>,
    cache_guard: CacheGuard,
    origin: Origin,
    profiles: Vec<Profile>,
}

impl Builder {
    pub(super) fn new(preset: Preset) -> Self {
        let rules = preset
            .rules()
            .iter()
            .map(|r| Rule {
                name: HeaderName::from_static(r.name),
                value: Cow::Borrowed(r.value),
                mode: r.mode,
                classes: r.classes,
                origin: Origin::Preset(preset),
            })
            .collect();
        let removed = preset.removed().iter().map(|n| HeaderName::from_static(n)).collect();
        Self { rules, removed, cache_guard: preset.cache_guard(), origin: Origin::Code, profiles: Vec::new() }
    }

    /// Who writes the rules that follow. Default: [`Origin::Code`].
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Sets a header: in the place and for the classes of the preset's rule of that name; else for the responses that browsers
    /// read it on; and a header that browsers do not know for documents, scripts and assets.
    ///
    /// In a Content-Security-Policy, `'nonce'` stands for each response's own nonce (see [`super::Nonce`]).
    ///
    /// # Errors
    /// A name that is no header name or frames the message; a value that browsers would drop ([`value::check`],
    /// [`Csp::parse`]), or that holds anything but visible ASCII, spaces and tabs.
    pub fn set(mut self, name: &str, value: &str, mode: Mode) -> Result<Self, InvalidHeader> {
        let header = parse_name(name)?;
        if FRAMING.contains(&header.as_str()) || OF_ONE_RESPONSE.contains(&header.as_str()) {
            return Err(InvalidHeader::new(name, "is not a policy header: it frames or describes one message"));
        }
        check_value(&header, name, value)?;
        check_mode(&header, name, mode)?;
        self.put(header, Cow::Owned(value.to_owned()), mode);
        Ok(self)
    }

    fn put(&mut self, name: HeaderName, value: Cow<'static, str>, mode: Mode) {
        self.removed.retain(|n| *n != name);
        let origin = self.origin.clone();
        if let Some(rule) = self.rules.iter_mut().find(|r| r.name == name) {
            (rule.value, rule.mode, rule.origin) = (value, mode, origin);
            return;
        }
        let classes = catalog::known(name.as_str()).map_or(CONTENT, |k| k.classes);
        self.rules.push(Rule { name, value, mode, classes, origin });
    }

    /// Sets and removes what helmet would, on every response as helmet does; only a 304 gets no Content-Security-Policy, which would
    /// replace that of the page it is about. What the app sets later wins, as with helmet.
    #[cfg(feature = "config")]
    pub(super) fn with_helmet(mut self, set: &[(&'static str, String)], remove: &[&'static str]) -> Self {
        for (name, value) in set {
            let classes = if catalog::is_csp(name) { ALL_BUT_304 } else { EVERYTHING };
            let name = HeaderName::from_static(name);
            self.put(name.clone(), Cow::Owned(value.clone()), Mode::Fill);
            if let Some(rule) = self.rules.iter_mut().find(|r| r.name == name) {
                rule.classes = classes;
                // helmet takes the framework's own out before it sets another.
                rule.mode = if name == "x-powered-by" { Mode::Override } else { Mode::Fill };
            }
        }
        self.removed.extend(remove.iter().map(|n| HeaderName::from_static(n)));
        self
    }

    /// Changes only how a header of the preset meets the app's.
    ///
    /// # Errors
    /// The preset has no such header.
    pub fn mode(mut self, name: &str, mode: Mode) -> Result<Self, InvalidHeader> {
        let header = parse_name(name)?;
        let Some(rule) = self.rules.iter_mut().find(|r| r.name == header) else {
            return Err(InvalidHeader::new(name, "has no value here or in the preset"));
        };
        check_mode(&header, name, mode)?;
        rule.mode = mode;
        Ok(self)
    }

    /// Sends a header with responses of these classes only.
    ///
    /// # Errors
    /// The policy has no such header yet.
    pub fn classes(mut self, name: &str, classes: impl IntoIterator<Item = Class>) -> Result<Self, InvalidHeader> {
        let header = parse_name(name)?;
        let Some(rule) = self.rules.iter_mut().find(|r| r.name == header) else {
            return Err(InvalidHeader::new(name, "has no value here or in the preset"));
        };
        rule.classes = classes.into_iter().fold(0, |all, c| all | c as u8);
        Ok(self)
    }

    /// Takes a header out of the policy. What the app sends of that name passes.
    ///
    /// # Errors
    /// A name that is no header name.
    pub fn without(mut self, name: &str) -> Result<Self, InvalidHeader> {
        let header = parse_name(name)?;
        self.rules.retain(|r| r.name != header);
        self.removed.retain(|n| *n != header);
        Ok(self)
    }

    /// Takes a header out of the app's responses.
    ///
    /// # Errors
    /// A name that is no header name, or one that the message cannot do without.
    pub fn remove(mut self, name: &str) -> Result<Self, InvalidHeader> {
        let header = parse_name(name)?;
        if FRAMING.contains(&header.as_str()) {
            return Err(InvalidHeader::new(name, "cannot be removed: it frames or describes the message"));
        }
        self.rules.retain(|r| r.name != header);
        if !self.removed.contains(&header) {
            self.removed.push(header);
        }
        Ok(self)
    }

    /// Takes out every field by which servers, frameworks, proxies and monitoring introduce themselves: the 76 names that the
    /// OWASP Secure Headers Project lists.
    #[must_use]
    pub fn remove_talkative(mut self) -> Self {
        for name in catalog::TALKATIVE.iter().filter_map(|n| HeaderName::from_bytes(n.as_bytes()).ok()) {
            // A policy that sets one of them means it.
            if !self.removed.contains(&name) && !self.rules.iter().any(|r| r.name == name) {
                self.removed.push(name);
            }
        }
        self
    }

    /// What happens to responses that set cookies and may be kept by shared caches. Default: the preset's.
    #[must_use]
    pub fn cache_guard(mut self, guard: CacheGuard) -> Self {
        self.cache_guard = guard;
        self
    }

    /// Adds a profile: other headers for some responses. The first that matches counts; profiles of `headers` itself are left out.
    ///
    /// # Errors
    /// A name that is empty, taken, or not made of letters, digits, `-` and `_`; more than 64 profiles.
    pub fn profile(mut self, name: &str, when: When, headers: &Self) -> Result<Self, InvalidHeader> {
        let plain = !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !plain {
            return Err(InvalidHeader::new(name, "is no name for a profile: use up to 64 letters, digits, `-` and `_`"));
        }
        if self.profiles.iter().any(|p| p.name == name) {
            return Err(InvalidHeader::new(name, "is the name of two profiles"));
        }
        if self.profiles.len() == MAX_PROFILES {
            return Err(InvalidHeader::new(name, "is one profile too many: 64 is the most"));
        }
        self.profiles.push(Profile { name: name.to_owned(), when, set: headers.compile() });
        Ok(self)
    }

    pub(super) fn compile(&self) -> Set {
        let mut rules = self.rules.clone();
        rules.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
        Set::new(rules, self.removed.clone(), self.cache_guard)
    }

    /// Compiles the policy.
    #[must_use]
    pub fn build(self) -> HeaderPolicy {
        HeaderPolicy::new(self.compile(), self.profiles)
    }
}

/// A second line voids most headers: browsers then go by neither.
fn check_mode(header: &HeaderName, name: &str, mode: Mode) -> Result<(), InvalidHeader> {
    if mode == Mode::Append && catalog::known(header.as_str()).is_some_and(|k| !k.list) {
        return Err(InvalidHeader::new(name, "cannot be appended: two lines of it void each other; use \"floor\" or \"override\""));
    }
    Ok(())
}

fn parse_name(name: &str) -> Result<HeaderName, InvalidHeader> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidHeader::new(name, "is not a header name"))
}

fn check_value(header: &HeaderName, name: &str, value: &str) -> Result<(), InvalidHeader> {
    let said = |message: String, remedy: String| if remedy.is_empty() { message } else { format!("{message}; {remedy}") };
    let mut problems = value::check(header.as_str(), value);
    if catalog::is_csp(header.as_str()) && problems.is_empty() {
        Csp::parse_noting(value, &mut problems);
    }
    match problems.into_iter().find(|p| p.severity == Severity::Error) {
        Some(problem) => Err(InvalidHeader::new(name, said(problem.message, problem.label))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel::Channel;
    use super::*;

    #[test]
    fn bad_names_and_values_are_refused_with_the_place() {
        let b = || HeaderPolicy::builder(Preset::Off);
        assert_eq!(
            b().set("x-a", "one\r\ntwo", Mode::Fill).unwrap_err().to_string(),
            "header `x-a`: has \\u{d} at character 4; only visible ASCII, spaces and tabs may be sent"
        );
        assert!(b().set("x a", "v", Mode::Fill).is_err());
        assert!(b().set("content-length", "0", Mode::Override).is_err());
        assert!(b().set("location", "/", Mode::Override).is_err() && b().remove("location").is_ok());
        assert!(b().set("cross-origin-opener-policy", "same-origin", Mode::Append).is_err());
        assert!(b().set("content-security-policy", "default-src 'self'", Mode::Append).is_ok());
        assert!(HeaderPolicy::builder(Preset::Balanced).mode("x-frame-options", Mode::Append).is_err());
        assert!(b().set("x-a", "caf\u{e9}", Mode::Fill).is_err());
        assert!(b().set("x-a", "  ", Mode::Fill).is_err());
        assert!(b().set("content-security-policy", "defualt-src 'self'", Mode::Fill).is_err());
        assert!(b().set("content-security-policy", "script-src 'nonce' 'strict-dynamic'", Mode::Fill).is_ok());
        assert!(b().set("x-frame-options", "ALLOWALL", Mode::Fill).is_err());
        assert!(b().remove("Set-Cookie").is_err());
        assert!(b().mode("x-a", Mode::Fill).is_err());
    }

    #[test]
    fn profiles_have_names_of_their_own() {
        let b = || HeaderPolicy::builder(Preset::Off);
        let other = b();
        assert!(b().profile("a b", When::named(), &other).is_err());
        assert!(b().profile("a", When::named(), &other).unwrap().profile("a", When::named(), &other).is_err());
        let mut many = b();
        for i in 0..MAX_PROFILES {
            many = many.profile(&format!("p{i}"), When::named(), &other).unwrap();
        }
        assert!(many.profile("one-more", When::named(), &other).is_err());
    }

    #[test]
    fn owasps_list_is_removed_but_not_what_the_policy_sets() {
        let policy = HeaderPolicy::builder(Preset::Off).set("server", "mine", Mode::Override).unwrap().remove_talkative().build();
        assert!(policy.removed().iter().any(|n| n == "x-generator"));
        assert!(!policy.removed().iter().any(|n| n == "server"));
    }

    proptest::proptest! {
        /// Whatever is written: it is refused, or what is sent of it is visible ASCII on every channel and for every class.
        #[test]
        fn no_value_with_a_control_byte_can_be_built(
            name in proptest::sample::select(vec!["content-security-policy", "content-security-policy-report-only", "permissions-policy", "strict-transport-security", "x-mine", "clear-site-data"]),
            value in "\\PC{0,40}|[ -~\\r\\n\\x00\\x7f\\t]{0,60}|(default-src|img-src|script-src) ('self'|'nonce'|a.example|\\*)( [!-~]{1,12})?(; sandbox)?",
        ) {
            let Ok(builder) = HeaderPolicy::builder(Preset::Off).set(name, &value, Mode::Fill) else { return Ok(()) };
            let policy = builder.report_to("/r").build();
            for channel in [Channel::Http, Channel::HttpsLocal, Channel::Https] {
                for class in Class::ALL {
                    for entry in policy.block(channel, class).entries() {
                        let sent = entry.value(None);
                        proptest::prop_assert!(sent.as_bytes().iter().all(|b| *b == b'\t' || (b' '..=b'~').contains(b)), "{sent:?}");
                        proptest::prop_assert!(!sent.is_empty());
                    }
                }
            }
        }
    }
}
