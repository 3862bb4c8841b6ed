//! A policy, compiled: for every channel and class the exact list of headers, worked out once.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::channel::Channel;
use super::class::Class;
use super::merge::{self, Merge, Mode};
use super::preset::Preset;

/// Headers that browsers honour on trustworthy origins only, or that must not be sent over plain HTTP at all.
const HTTPS_ONLY: [&str; 6] = [
    "strict-transport-security",
    "cross-origin-opener-policy",
    "cross-origin-embedder-policy",
    "origin-agent-cluster",
    "reporting-endpoints",
    "clear-site-data",
];

/// Headers that frame the message or route it. Setting them from a policy would split or misdirect responses.
const NEVER_SET: [&str; 9] =
    ["connection", "content-length", "content-encoding", "content-type", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade"];

/// What is done to the headers of every response. Built once, shared, read by all.
#[derive(Debug, Clone)]
pub struct HeaderPolicy {
    blocks: [[Block; Class::ALL.len()]; 3],
    removed: Vec<HeaderName>,
}

/// The headers for one channel and one class, ready to send.
#[derive(Debug, Clone, Default)]
pub struct Block(Vec<Entry>);

/// One header of a [`Block`].
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name, lower case.
    pub name: HeaderName,
    /// The value.
    pub value: HeaderValue,
    /// How it meets the app's own.
    pub mode: Mode,
}

impl Block {
    /// The headers, sorted by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }
}

/// Why a header was refused when a policy was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidHeader {
    name: String,
    problem: String,
}

impl InvalidHeader {
    fn new(name: &str, problem: impl Into<String>) -> Self {
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

impl Default for HeaderPolicy {
    fn default() -> Self {
        Self::preset(Preset::default())
    }
}

impl HeaderPolicy {
    /// A preset as it is.
    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        Self::builder(preset).build()
    }

    /// A preset to change.
    #[must_use]
    pub fn builder(preset: Preset) -> Builder {
        Builder::new(preset)
    }

    /// The headers for one channel and class.
    #[must_use]
    pub fn block(&self, channel: Channel, class: Class) -> &Block {
        &self.blocks[channel as usize][class.index()]
    }

    /// The names that are taken out of the app's response first.
    #[must_use]
    pub fn removed(&self) -> &[HeaderName] {
        &self.removed
    }

    /// Applies the policy to a response head. Does nothing to 1xx.
    pub fn apply(&self, channel: Channel, status: u16, headers: &mut HeaderMap) {
        let content_type = headers.get(http::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let Some(class) = Class::of(status, content_type) else { return };
        for name in &self.removed {
            headers.remove(name);
        }
        let block = self.block(channel, class);
        headers.reserve(block.0.len());
        for entry in &block.0 {
            match headers.entry(&entry.name) {
                http::header::Entry::Vacant(vacant) => {
                    vacant.insert(entry.value.clone());
                }
                http::header::Entry::Occupied(mut theirs) => merge_into(entry, &mut theirs),
            }
        }
    }
}

/// The app has set this header too: rare enough to collect its lines.
#[cold]
fn merge_into(entry: &Entry, theirs: &mut http::header::OccupiedEntry<'_, HeaderValue>) {
    let verdict = {
        let lines: Vec<&[u8]> = theirs.iter().map(HeaderValue::as_bytes).collect();
        merge::decide(entry.name.as_str(), entry.mode, entry.value.as_bytes(), &lines)
    };
    match verdict {
        Merge::Keep => {}
        Merge::KeepOnly(i) => {
            if let Some(kept) = theirs.iter().nth(i).cloned() {
                theirs.insert(kept);
            }
        }
        Merge::Ours => {
            theirs.insert(entry.value.clone());
        }
        Merge::Both => theirs.append(entry.value.clone()),
    }
}

#[derive(Debug, Clone)]
struct Rule {
    name: HeaderName,
    /// A preset's own value stays static: then nothing is counted when it is put on a response.
    value: Cow<'static, str>,
    mode: Mode,
    classes: u8,
}

/// Changes a preset before it is compiled.
#[derive(Debug, Clone)]
pub struct Builder {
    rules: Vec<Rule>,
    removed: Vec<HeaderName>,
}

impl Builder {
    fn new(preset: Preset) -> Self {
        let rules = preset
            .rules()
            .iter()
            .map(|r| Rule { name: HeaderName::from_static(r.name), value: Cow::Borrowed(r.value), mode: r.mode, classes: r.classes })
            .collect();
        let removed = preset.removed().iter().map(|n| HeaderName::from_static(n)).collect();
        Self { rules, removed }
    }

    /// Sets a header: in the place and for the classes of the preset's rule of that name, or, if it has none, for documents, scripts and assets.
    ///
    /// # Errors
    /// A name that is no header name or frames the message; a value that is empty or holds anything but visible ASCII, spaces and tabs.
    pub fn set(mut self, name: &str, value: &str, mode: Mode) -> Result<Self, InvalidHeader> {
        let header = parse_name(name)?;
        if NEVER_SET.contains(&header.as_str()) {
            return Err(InvalidHeader::new(name, "is not a policy header: it frames or describes the message"));
        }
        check_value(name, value)?;
        let rule = self.rules.iter_mut().find(|r| r.name == header);
        match rule {
            Some(rule) => {
                rule.value = Cow::Owned(value.to_owned());
                rule.mode = mode;
            }
            None => self.rules.push(Rule {
                name: header.clone(),
                value: Cow::Owned(value.to_owned()),
                mode,
                classes: Class::Page as u8 | Class::Document as u8 | Class::Script as u8 | Class::Asset as u8,
            }),
        }
        self.removed.retain(|n| *n != header);
        Ok(self)
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
        rule.mode = mode;
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
        if NEVER_SET.contains(&header.as_str()) {
            return Err(InvalidHeader::new(name, "cannot be removed: it frames or describes the message"));
        }
        if !self.removed.contains(&header) {
            self.removed.push(header);
        }
        Ok(self)
    }

    /// Compiles the policy.
    #[must_use]
    pub fn build(mut self) -> HeaderPolicy {
        self.rules.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
        let blocks = [Channel::Http, Channel::HttpsLocal, Channel::Https].map(|channel| {
            Class::ALL.map(|class| {
                Block(self.rules.iter().filter(|r| r.classes & class as u8 != 0).filter_map(|r| compile(r, channel)).collect())
            })
        });
        HeaderPolicy { blocks, removed: self.removed }
    }
}

/// A rule on a channel: left out, changed or as it is.
fn compile(rule: &Rule, channel: Channel) -> Option<Entry> {
    let name = rule.name.as_str();
    if channel == Channel::Http && HTTPS_ONLY.contains(&name) {
        return None;
    }
    if channel == Channel::HttpsLocal && name == "strict-transport-security" {
        return None;
    }
    let is_csp = name == "content-security-policy" || name == "content-security-policy-report-only";
    let value = if is_csp && channel != Channel::Https { Cow::Owned(without_upgrade(&rule.value)?) } else { rule.value.clone() };
    let value = match value {
        Cow::Borrowed(text) => HeaderValue::from_static(text),
        Cow::Owned(text) => HeaderValue::try_from(text).ok()?,
    };
    Some(Entry { name: rule.name.clone(), value, mode: rule.mode })
}

/// The policy less `upgrade-insecure-requests`, which on plain HTTP or localhost sends every subresource to a port where
/// nothing answers (Safari even for localhost). `None` when nothing is left.
fn without_upgrade(csp: &str) -> Option<String> {
    let is_upgrade = |d: &&str| d.trim().eq_ignore_ascii_case("upgrade-insecure-requests");
    if !csp.split(';').any(|d| is_upgrade(&d)) {
        return Some(csp.to_owned());
    }
    let kept: Vec<&str> = csp.split(';').filter(|d| !is_upgrade(d)).collect();
    let kept = kept.join(";");
    (!kept.trim().trim_end_matches(';').trim().is_empty()).then(|| kept.trim().to_owned())
}

fn parse_name(name: &str) -> Result<HeaderName, InvalidHeader> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidHeader::new(name, "is not a header name"))
}

fn check_value(name: &str, value: &str) -> Result<(), InvalidHeader> {
    if value.trim().is_empty() {
        return Err(InvalidHeader::new(name, "has an empty value; use `false` to leave the header out"));
    }
    let bad = value.char_indices().find(|(_, c)| !(*c == '\t' || (' '..='~').contains(c)));
    match bad {
        None => Ok(()),
        Some((at, c)) => Err(InvalidHeader::new(
            name,
            format!("has {} at character {}; only visible ASCII, spaces and tabs may be sent", c.escape_unicode(), at + 1),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(policy: &HeaderPolicy, channel: Channel, class: Class) -> Vec<&str> {
        policy.block(channel, class).entries().iter().map(|e| e.name.as_str()).collect()
    }

    #[test]
    fn https_only_headers_stay_off_plain_http() {
        for preset in Preset::NAMES.map(|(_, p)| p) {
            let policy = HeaderPolicy::preset(preset);
            for class in Class::ALL {
                for entry in policy.block(Channel::Http, class).entries() {
                    assert!(!HTTPS_ONLY.contains(&entry.name.as_str()), "{preset:?} sends {} on http", entry.name);
                    assert!(!entry.value.to_str().unwrap().contains("upgrade-insecure-requests"), "{preset:?}");
                }
                assert!(!names(&policy, Channel::HttpsLocal, class).contains(&"strict-transport-security"));
            }
        }
    }

    #[test]
    fn no_policy_is_sent_on_304() {
        for preset in Preset::NAMES.map(|(_, p)| p) {
            let policy = HeaderPolicy::preset(preset);
            assert!(!names(&policy, Channel::Https, Class::NotModified).contains(&"content-security-policy"));
        }
    }

    #[test]
    fn assets_get_the_short_set() {
        let policy = HeaderPolicy::preset(Preset::Balanced);
        assert_eq!(names(&policy, Channel::Https, Class::Asset), ["strict-transport-security", "x-content-type-options"]);
        assert_eq!(names(&policy, Channel::Https, Class::Empty), ["strict-transport-security"]);
    }

    #[test]
    fn bad_names_and_values_are_refused_with_the_place() {
        let b = || HeaderPolicy::builder(Preset::Off);
        assert_eq!(
            b().set("x-a", "one\r\ntwo", Mode::Fill).unwrap_err().to_string(),
            "header `x-a`: has \\u{d} at character 4; only visible ASCII, spaces and tabs may be sent"
        );
        assert!(b().set("x a", "v", Mode::Fill).is_err());
        assert!(b().set("content-length", "0", Mode::Override).is_err());
        assert!(b().set("x-a", "caf\u{e9}", Mode::Fill).is_err());
        assert!(b().set("x-a", "  ", Mode::Fill).is_err());
        assert!(b().remove("transfer-encoding").is_err());
        assert!(b().mode("x-a", Mode::Fill).is_err());
    }

    #[test]
    fn the_upgrade_directive_is_cut_out_and_the_rest_is_kept_byte_for_byte() {
        assert_eq!(without_upgrade("default-src 'self';  img-src *").unwrap(), "default-src 'self';  img-src *");
        assert_eq!(without_upgrade("a b; Upgrade-Insecure-Requests ;c d").unwrap(), "a b;c d");
        assert_eq!(without_upgrade("upgrade-insecure-requests"), None);
        assert_eq!(without_upgrade("upgrade-insecure-requests;"), None);
    }

    #[test]
    fn the_apps_stricter_policy_stays_and_its_banner_goes() {
        let policy = HeaderPolicy::preset(Preset::Balanced);
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/html"));
        headers.insert("content-security-policy", HeaderValue::from_static("default-src 'none'"));
        headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
        headers.insert("x-powered-by", HeaderValue::from_static("Express"));
        policy.apply(Channel::Http, 404, &mut headers);
        assert_eq!(headers["content-security-policy"], "default-src 'none'");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(!headers.contains_key("x-powered-by"));
        let before = headers.clone();
        policy.apply(Channel::Http, 404, &mut headers);
        assert_eq!(before, headers, "applying twice changes nothing");
    }

    #[test]
    fn informational_responses_pass_untouched() {
        let mut headers = HeaderMap::new();
        HeaderPolicy::preset(Preset::Helmet).apply(Channel::Https, 101, &mut headers);
        assert!(headers.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_value_with_a_control_byte_can_be_built(name in "[a-z-]{1,20}", value in "\\PC*|[\\x00-\\x7f]*") {
            if let Ok(builder) = HeaderPolicy::builder(Preset::Off).set(&name, &value, Mode::Override) {
                let policy = builder.build();
                for class in Class::ALL {
                    for entry in policy.block(Channel::Https, class).entries() {
                        proptest::prop_assert!(entry.value.as_bytes().iter().all(|b| *b == b'\t' || (b' '..=b'~').contains(b)));
                    }
                }
            }
        }
    }
}
