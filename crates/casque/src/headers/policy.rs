//! A policy, compiled: for every profile, channel and class the exact list of headers, worked out once.

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::block::{self, Block, Entry, LeftOut, Rule};
use super::builder::Builder;
use super::caching::{self, CacheGuard};
use super::changes::{HeaderChanges, What};
use super::channel::Channel;
use super::choice::{Choice, PROFILE};
use super::class::Class;
use super::head::{self, Answer};
use super::names::{Concern, Names};
use super::nonce::Nonce;
use super::preset::Preset;
use super::profile::{Asked, When};
use crate::path::Readings;

/// What is done to the headers of every response. Built once, shared, read by all.
#[derive(Debug, Clone)]
pub struct HeaderPolicy {
    default: Set,
    profiles: Vec<Profile>,
    /// Whether any profile has a nonce: the app may name that profile in its response, and by then has printed the nonce.
    nonced: bool,
}

/// One set of headers, for every channel and class.
#[derive(Debug, Clone)]
pub(super) struct Set {
    rules: Vec<Rule>,
    blocks: [[Block; Class::ALL.len()]; 3],
    removed: Vec<HeaderName>,
    names: Names,
    cache_guard: CacheGuard,
    nonced: bool,
}

/// Other headers for some responses.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) when: When,
    pub(super) set: Set,
}

impl Set {
    pub(super) fn new(rules: Vec<Rule>, removed: Vec<HeaderName>, cache_guard: CacheGuard) -> Self {
        let blocks = [Channel::Http, Channel::HttpsLocal, Channel::Https]
            .map(|channel| Class::ALL.map(|class| rules.iter().filter_map(|r| block::compile(r, channel, class as u8).ok()).collect()));
        let nonced = blocks.iter().flatten().flat_map(Block::entries).any(Entry::is_nonced);
        let names = Names::new(&removed, rules.iter().map(|r| &r.name));
        Self { rules, blocks, removed, names, cache_guard, nonced }
    }

    /// Takes out what is not to be sent. Whether none of the app's other headers meets a rule.
    fn clear(&self, headers: &mut HeaderMap) -> bool {
        let (mut removes, mut meets) = (false, false);
        for concern in headers.keys().filter_map(|name| self.names.concern(name)) {
            match concern {
                Concern::Removed => removes = true,
                Concern::Ruled => meets = true,
            }
        }
        if removes {
            let of = |names: &Names, name: &HeaderName| names.concern(name) == Some(Concern::Removed);
            while let Some(name) = headers.keys().find(|name| of(&self.names, name)).cloned() {
                headers.remove(&name);
            }
        }
        !meets
    }

    /// Takes the app's own lines out of a 304 where the policy has no word on one: browsers would put them in the place of what the
    /// page was stored with, which was merged with ours.
    #[cold]
    fn clear_not_modified(&self, headers: &mut HeaderMap) {
        for rule in self.rules.iter().filter(|r| r.classes & Class::NotModified as u8 == 0) {
            headers.remove(&rule.name);
        }
        if !self.rules.is_empty() {
            headers.remove(CONTENT_SECURITY_POLICY);
            headers.remove(CONTENT_SECURITY_POLICY_REPORT_ONLY);
        }
    }

    fn block(&self, channel: Channel, class: Class) -> &Block {
        &self.blocks[channel as usize][class.index()]
    }
}

/// What is known of a response's headers when its request is: kept until the response comes.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    channel: Channel,
    /// The profiles that the request speaks for, as bits.
    profiles: u64,
    nonce: Option<Nonce>,
}

impl Selection {
    /// The nonce that the app is to be told.
    #[must_use]
    pub fn nonce(&self) -> Option<&Nonce> {
        self.nonce.as_ref()
    }
}

/// What a response would get, and why.
#[derive(Debug, Clone)]
pub struct Explanation<'p> {
    /// The profile; `None` is the default.
    pub profile: Option<&'p str>,
    /// Every rule of it, sorted by name.
    pub rules: Vec<Explained<'p>>,
    /// What is taken out of the app's responses.
    pub removed: &'p [HeaderName],
    /// What happens to responses that set cookies.
    pub cache_guard: CacheGuard,
}

/// One header that a response would or would not get, and who wrote the rule.
#[derive(Debug, Clone)]
pub struct Explained<'p> {
    /// The header, lower case.
    pub name: &'p str,
    /// The entry that is sent (unless the app says it better), or why none is.
    pub outcome: Result<&'p Entry, LeftOut>,
    /// Who wrote the rule.
    pub origin: &'p super::origin::Origin,
}

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

    pub(super) fn new(default: Set, profiles: Vec<Profile>) -> Self {
        let nonced = default.nonced || profiles.iter().any(|p| p.set.nonced);
        Self { default, profiles, nonced }
    }

    /// The headers of the default profile for one channel and class.
    #[must_use]
    pub fn block(&self, channel: Channel, class: Class) -> &Block {
        self.default.block(channel, class)
    }

    /// The names that are taken out of the app's response first.
    #[must_use]
    pub fn removed(&self) -> &[HeaderName] {
        &self.default.removed
    }

    /// What the request says of its response's headers. Makes a nonce if one may be needed.
    #[must_use]
    pub fn select(&self, channel: Channel, asked: &Asked<'_>) -> Selection {
        let mut profiles = 0;
        if !self.profiles.is_empty() {
            let readings = Readings::of(asked.path);
            for (i, profile) in self.profiles.iter().enumerate() {
                profiles |= u64::from(profile.when.request_matches(asked, &readings)) << i;
            }
        }
        Selection { channel, profiles, nonce: self.nonced.then(Nonce::fresh) }
    }

    /// Applies the default profile to a response head, as if its request said nothing. Does nothing to 1xx.
    pub fn apply(&self, channel: Channel, status: u16, headers: &mut HeaderMap) {
        let selection = Selection { channel, profiles: 0, nonce: None };
        self.respond(&selection, status, headers, &Choice::default(), &mut HeaderChanges::default());
    }

    /// Applies the policy to a response head. Does nothing to 1xx.
    pub(super) fn respond(
        &self,
        selection: &Selection,
        status: u16,
        headers: &mut HeaderMap,
        choice: &Choice,
        changes: &mut HeaderChanges,
    ) {
        let (content_type, sets_cookie) = survey(headers);
        let Some(class) = Class::of(status, content_type) else { return };
        let set = self.set(selection, status, class, choice.profile.as_deref(), changes);
        if class == Class::NotModified {
            set.clear_not_modified(headers);
        }
        let is_theirs_alone = set.clear(headers);
        let answer = Answer { status, nonce: selection.nonce(), choice };
        let block = set.block(selection.channel, class);
        head::join(block, &answer, headers, is_theirs_alone, changes);
        // Even if the app's own policy went out instead of ours: it was told a nonce, and has most likely printed it.
        if block.is_nonced() {
            caching::never_store(headers, changes);
        }
        if sets_cookie {
            set.cache_guard.apply(headers, changes);
        }
    }

    /// The headers that a response gets: the one the app chose, else the first profile that matches, else the default.
    fn set(&self, selection: &Selection, status: u16, class: Class, chosen: Option<&str>, changes: &mut HeaderChanges) -> &Set {
        if let Some(name) = chosen {
            match self.profiles.iter().find(|p| p.name == name) {
                Some(profile) => return &profile.set,
                None => changes.note(PROFILE, What::UnknownProfile),
            }
        }
        self.matching(selection, status, class).map_or(&self.default, |p| &p.set)
    }

    fn matching(&self, selection: &Selection, status: u16, class: Class) -> Option<&Profile> {
        let mut left = selection.profiles;
        while left != 0 {
            let profile = self.profiles.get(left.trailing_zeros() as usize)?;
            if profile.when.response_matches(status, class) {
                return Some(profile);
            }
            left &= left - 1;
        }
        None
    }

    /// The Content-Security-Policy that a page would get, for an app that reads the nonce from there (Next.js does).
    #[must_use]
    pub fn page_policy(&self, selection: &Selection) -> Option<HeaderValue> {
        let set = self.matching(selection, 200, Class::Page).map_or(&self.default, |p| &p.set);
        let entries = set.block(selection.channel, Class::Page).entries();
        entries.iter().find(|e| e.is_nonced()).map(|e| e.value(selection.nonce()))
    }

    /// Every rule of the profile that a response would get, sent or left out. An app may still say a header better, or choose another
    /// profile by name: `chosen` is that name.
    #[must_use]
    pub fn explain(&self, selection: &Selection, status: u16, class: Class, chosen: Option<&str>) -> Explanation<'_> {
        let named = chosen.and_then(|name| self.profiles.iter().find(|p| p.name == name));
        let profile = named.or_else(|| self.matching(selection, status, class));
        let set = profile.map_or(&self.default, |p| &p.set);
        let block = set.block(selection.channel, class);
        let explained = set.rules.iter().map(|rule| {
            let outcome = match block.entries().iter().find(|e| e.name == rule.name) {
                Some(entry) if entry.on_success && status >= 400 => Err(LeftOut::Class),
                Some(entry) => Ok(entry),
                None => Err(block::compile(rule, selection.channel, class as u8).err().unwrap_or(LeftOut::Class)),
            };
            Explained { name: rule.name.as_str(), outcome, origin: &rule.origin }
        });
        Explanation {
            profile: profile.map(|p| p.name.as_str()),
            rules: explained.collect(),
            removed: &set.removed,
            cache_guard: set.cache_guard,
        }
    }

    /// The names of the profiles, in their order.
    pub fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|p| p.name.as_str())
    }
}

/// The app's type of content, and whether it sets a cookie. Asking the map would hash both names.
fn survey(headers: &HeaderMap) -> (Option<&[u8]>, bool) {
    let (mut content_type, mut sets_cookie) = (None, false);
    for (name, value) in headers {
        if name == CONTENT_TYPE {
            // Of several lines browsers take the last that they can read, so no one of them tells what the response is.
            content_type = Some(if content_type.is_none() { value.as_bytes() } else { b"" });
        } else if name == SET_COOKIE {
            sets_cookie = true;
        }
    }
    (content_type, sets_cookie)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::super::catalog;
    use super::super::merge::Mode;
    use super::*;
    use crate::path::Pattern;

    fn names(policy: &HeaderPolicy, channel: Channel, class: Class) -> Vec<&str> {
        policy.block(channel, class).entries().iter().map(|e| e.name.as_str()).collect()
    }

    #[test]
    fn https_only_headers_stay_off_plain_http() {
        for preset in Preset::NAMES.map(|(_, p)| p) {
            let policy = HeaderPolicy::preset(preset);
            for class in Class::ALL {
                for entry in policy.block(Channel::Http, class).entries() {
                    assert!(!catalog::known(entry.name.as_str()).unwrap().https_only, "{preset:?} sends {} on http", entry.name);
                    assert!(!entry.value(None).to_str().unwrap().contains("upgrade-insecure-requests"), "{preset:?}");
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

    struct Sent {
        headers: HeaderMap,
        changes: Vec<String>,
        nonce: Option<Nonce>,
    }

    impl Sent {
        fn get(&self, name: &str) -> &str {
            self.headers.get(name).map_or("", |v| v.to_str().unwrap())
        }
    }

    fn send(policy: &HeaderPolicy, path: &str, status: u16, theirs: &[(&'static str, &'static str)]) -> Sent {
        let selection = policy.select(Channel::Https, &Asked { method: &Method::GET, host: Some("shop.example"), path });
        let mut headers = HeaderMap::new();
        for (name, value) in theirs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let (mut choice, mut changes) = (Choice::default(), HeaderChanges::default());
        choice.take_headers(&mut headers, &mut changes);
        policy.respond(&selection, status, &mut headers, &choice, &mut changes);
        Sent { headers, changes: changes.iter().map(ToString::to_string).collect(), nonce: selection.nonce }
    }

    fn nonced() -> HeaderPolicy {
        HeaderPolicy::builder(Preset::Off)
            .set("content-security-policy", "script-src 'nonce' 'strict-dynamic'; style-src 'self' 'nonce'; base-uri 'none'", Mode::Fill)
            .unwrap()
            .build()
    }

    #[test]
    fn a_nonce_is_fresh_told_and_never_kept() {
        let policy = nonced();
        let (a, b) = (send(&policy, "/", 200, &[("content-type", "text/html")]), send(&policy, "/", 200, &[]));
        let nonce = a.nonce.unwrap();
        assert_eq!(
            a.get("content-security-policy"),
            format!("script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'nonce-{nonce}'; base-uri 'none'")
        );
        assert_eq!(a.get("cache-control"), "private, no-store");
        assert_ne!(a.get("content-security-policy"), b.get("content-security-policy"));
        let cached = send(&policy, "/", 200, &[("cache-control", "public, max-age=600")]);
        assert_eq!(
            (cached.get("cache-control"), cached.changes.as_slice()),
            ("private, no-store", &["cache-control:not-stored".to_owned()][..])
        );
    }

    #[test]
    fn where_no_nonce_is_sent_caches_are_left_alone() {
        let policy = nonced();
        for (status, kind) in [(304, "text/html"), (200, "image/png"), (204, "text/html")] {
            let sent = send(&policy, "/", status, &[("content-type", kind), ("cache-control", "max-age=9")]);
            assert_eq!((sent.get("content-security-policy"), sent.get("cache-control")), ("", "max-age=9"), "{status} {kind}");
        }
        // The app's own policy stands; but the app was told a nonce, and may have printed it.
        let own = send(&policy, "/", 200, &[("content-security-policy", "default-src 'none'"), ("cdn-cache-control", "public")]);
        assert_eq!((own.get("content-security-policy"), own.get("cache-control")), ("default-src 'none'", "private, no-store"));
        assert_eq!(own.get("cdn-cache-control"), "");
        // A worker's policy comes with its script, which needs no nonce and may be kept.
        let script = send(&policy, "/", 200, &[("content-type", "text/javascript"), ("cache-control", "max-age=9")]);
        assert_eq!(script.get("content-security-policy"), "script-src 'strict-dynamic'; style-src 'self'; base-uri 'none'");
        assert_eq!(script.get("cache-control"), "max-age=9");
    }

    #[test]
    fn the_app_is_told_the_pages_policy() {
        let policy = nonced();
        let selection = policy.select(Channel::Https, &Asked { method: &Method::GET, host: None, path: "/" });
        let told = policy.page_policy(&selection).unwrap();
        assert!(told.to_str().unwrap().contains(selection.nonce().unwrap().as_str()));
        let plain = HeaderPolicy::preset(Preset::Balanced);
        let selection = plain.select(Channel::Https, &Asked { method: &Method::GET, host: None, path: "/" });
        assert!(selection.nonce().is_none() && plain.page_policy(&selection).is_none());
    }

    fn with_profiles() -> HeaderPolicy {
        let framed = HeaderPolicy::builder(Preset::Balanced)
            .set("content-security-policy", "frame-ancestors https://partner.example", Mode::Fill)
            .and_then(|b| b.without("x-frame-options"))
            .unwrap();
        let errors = HeaderPolicy::builder(Preset::Api);
        let named = HeaderPolicy::builder(Preset::Strict);
        HeaderPolicy::builder(Preset::Balanced)
            .profile("embed", When::named().paths([Pattern::parse("/embed/*").unwrap()]).statuses([200..=399]), &framed)
            .and_then(|b| b.profile("errors", When::named().statuses([400..=599]), &errors))
            .and_then(|b| b.profile("vault", When::named(), &named))
            .unwrap()
            .build()
    }

    #[test]
    fn the_first_profile_that_matches_counts_and_the_app_may_name_one() {
        let policy = with_profiles();
        assert_eq!(send(&policy, "/embed/a", 200, &[]).get("content-security-policy"), "frame-ancestors https://partner.example");
        assert_eq!(send(&policy, "/embed/a", 404, &[]).get("content-security-policy"), "default-src 'none';frame-ancestors 'none'");
        assert_eq!(send(&policy, "/", 200, &[]).get("x-frame-options"), "SAMEORIGIN");
        let named = send(&policy, "/", 200, &[("casque-profile", "vault")]);
        assert_eq!((named.get("x-frame-options"), named.get("casque-profile")), ("DENY", ""));
        let unknown = send(&policy, "/", 200, &[("casque-profile", "valt")]);
        assert_eq!(
            (unknown.get("x-frame-options"), unknown.changes.as_slice()),
            ("SAMEORIGIN", &["casque-profile:unknown".to_owned()][..])
        );
    }

    #[test]
    fn the_app_may_add_sources_to_one_response() {
        let policy = HeaderPolicy::builder(Preset::Off)
            .set("content-security-policy", "default-src 'self'; script-src 'nonce'", Mode::Fill)
            .unwrap()
            .build();
        let sent =
            send(&policy, "/", 200, &[("casque-csp-add", "connect-src https://api.example"), ("casque-csp-add", "img-src a.example")]);
        let nonce = sent.nonce.unwrap();
        assert_eq!(
            sent.get("content-security-policy"),
            format!("default-src 'self'; script-src 'nonce-{nonce}'; connect-src 'self' https://api.example; img-src 'self' a.example")
        );
        assert_eq!(sent.get("casque-csp-add"), "");
        let evil = send(&policy, "/", 200, &[("casque-csp-add", "script-src 'unsafe-inline'")]);
        assert_eq!(evil.changes, ["casque-csp-add:refused"]);
        assert!(!evil.get("content-security-policy").contains("unsafe"));
    }

    #[test]
    fn site_data_is_cleared_only_where_the_logout_succeeded() {
        let policy = HeaderPolicy::builder(Preset::Off).set("clear-site-data", "\"cookies\"", Mode::Fill).unwrap().build();
        assert_eq!(send(&policy, "/logout", 302, &[]).get("clear-site-data"), "\"cookies\"");
        assert_eq!(send(&policy, "/logout", 403, &[]).get("clear-site-data"), "");
    }

    #[test]
    fn a_304_changes_nothing_that_the_page_was_stored_with() {
        let policy = HeaderPolicy::preset(Preset::Balanced);
        let sent = send(&policy, "/", 304, &[("content-security-policy", "default-src *"), ("x-frame-options", "ALLOWALL"), ("etag", "1")]);
        assert_eq!((sent.get("content-security-policy"), sent.get("x-frame-options"), sent.get("etag")), ("", "", "1"));
        assert_eq!(sent.get("strict-transport-security"), "max-age=31536000");
        let off = send(&HeaderPolicy::preset(Preset::Off), "/", 304, &[("x-frame-options", "DENY")]);
        assert_eq!(off.get("x-frame-options"), "DENY");
    }

    #[test]
    fn of_two_types_the_one_that_a_browser_takes_may_be_a_page() {
        let policy = HeaderPolicy::preset(Preset::Balanced);
        for types in
            [&[("content-type", "application/json"), ("content-type", "text/html")][..], &[("content-type", "image/png, text/html")]]
        {
            assert_eq!(send(&policy, "/", 200, types).get("x-frame-options"), "SAMEORIGIN");
        }
    }

    #[test]
    fn what_the_app_sent_and_the_client_did_not_get_is_told() {
        let policy = HeaderPolicy::preset(Preset::Balanced);
        let sent = send(
            &policy,
            "/",
            200,
            &[
                ("x-frame-options", "ALLOWALL"),
                ("strict-transport-security", "max-age=31536000"),
                ("strict-transport-security", "max-age=0"),
                ("x-content-type-options", "nosniff, nosniff"),
                ("x-powered-by", "Express"),
            ],
        );
        assert_eq!(sent.changes, ["strict-transport-security:settled", "x-content-type-options:folded", "x-frame-options:replaced"]);
        assert_eq!(sent.headers.get_all("strict-transport-security").iter().count(), 1);
        assert_eq!((sent.get("x-content-type-options"), sent.get("x-frame-options")), ("nosniff", "SAMEORIGIN"));
    }

    #[test]
    fn every_rule_is_explained() {
        let policy = with_profiles();
        let selection = policy.select(Channel::Http, &Asked { method: &Method::GET, host: None, path: "/" });
        let explained = policy.explain(&selection, 200, Class::Page, None);
        assert_eq!(explained.profile, None);
        let hsts = explained.rules.iter().find(|e| e.name == "strict-transport-security").unwrap();
        assert_eq!((hsts.outcome.as_ref().unwrap_err(), hsts.origin.to_string()), (&LeftOut::PlainHttp, "preset balanced".to_owned()));
        assert_eq!(policy.explain(&selection, 500, Class::Page, None).profile, Some("errors"));
        assert_eq!(policy.explain(&selection, 500, Class::Page, Some("vault")).profile, Some("vault"));
    }

    #[test]
    fn informational_responses_carry_no_policy() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        HeaderPolicy::default().apply(Channel::Https, 103, &mut headers);
        assert_eq!(headers.len(), 1);
    }
}
