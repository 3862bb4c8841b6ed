//! One report, cleaned.

use super::address::Address;
use super::kind::Kind;
use super::policy_id::PolicyId;
use super::resource::Resource;

/// What a browser said, in a shape that a policy can be learned from. Every text in it is short and plainly visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub kind: Kind,
    /// The page it happened on; for `network-error` the URL that was asked for. `None` where that has no address on the web.
    pub document: Option<Address>,
    /// The rule that was broken: the effective directive in lower case, without its sources. For other kinds what comes nearest:
    /// the feature, the document policy, the deprecation's or intervention's id, the error's type, the crash's reason, the request's
    /// destination. At most 64 bytes.
    pub directive: Option<Box<str>>,
    /// What was blocked, or would have been; for `csp-hash` what was loaded.
    pub blocked: Option<Resource>,
    /// The first characters of the inline code (browsers send 40), at most 120 bytes; URLs in it without their queries. What is to
    /// be found again in the app's own pages is the part before the first `…`.
    pub sample: Option<Box<str>>,
    /// The code that did it.
    pub source: Option<Source>,
    /// Whether something was blocked.
    pub disposition: Disposition,
    /// HTTP status of the page, or of the answer for `network-error`.
    pub status: Option<u16>,
    /// Origin of the page that led here.
    pub referrer: Option<Box<str>>,
    /// Fingerprint of the policy that was broken.
    pub policy: Option<PolicyId>,
    /// Browser family, where the report says so. Reports of `application/csp-report` do not: see [`Agent::of`].
    pub agent: Option<Agent>,
    /// For `csp-hash`: the hash as a CSP source without its quotes, `sha256-..`.
    pub hash: Option<Box<str>>,
    /// How long before it was sent it happened, in milliseconds.
    pub age: u32,
    /// The rest of what its kind has to say, always in the same order, with names in kebab-case.
    pub details: Vec<(&'static str, Box<str>)>,
}

/// The code that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, or what stands for it.
    pub file: Resource,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1; browsers disagree on what counts as one.
    pub column: Option<u32>,
}

/// Whether the policy was enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Disposition {
    /// It was, or the report does not say so.
    #[default]
    Enforce,
    /// Only reported: nothing was blocked.
    Report,
}

impl Disposition {
    /// `enforce` or `report`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Report => "report",
        }
    }
}

/// The family of a browser, as coarse as is of use: does only one engine complain?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agent {
    /// Chrome, Edge, Opera and others on Blink.
    Chromium,
    /// Firefox and others on Gecko.
    Firefox,
    /// Safari, and every browser on iOS.
    Safari,
    /// Something else.
    Other,
}

impl Agent {
    /// Guesses from a `User-Agent`.
    #[must_use]
    pub fn of(user_agent: &str) -> Self {
        let has = |name| user_agent.contains(name);
        if has("Chrome/") || has("Chromium/") {
            Self::Chromium
        } else if has("Firefox/") {
            Self::Firefox
        } else if has("AppleWebKit/") {
            Self::Safari
        } else {
            Self::Other
        }
    }

    /// `chromium`, `firefox`, `safari` or `other`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Safari => "safari",
            Self::Other => "other",
        }
    }
}

impl Report {
    /// What it takes in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.directive, &self.sample, &self.referrer, &self.hash].into_iter().flatten().map(|t| t.len()).sum::<usize>();
        let details = self.details.iter().map(|(_, value)| value.len()).sum::<usize>();
        size_of::<Self>()
            + texts
            + details
            + self.details.capacity() * size_of::<(&'static str, Box<str>)>()
            + self.kind.heap()
            + self.document.as_ref().map_or(0, Address::heap)
            + self.blocked.as_ref().map_or(0, Resource::heap)
            + self.source.as_ref().map_or(0, |s| s.file.heap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_guessed_from_what_browsers_say() {
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", Agent::Chromium),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", Agent::Firefox),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                Agent::Safari,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148",
                Agent::Safari,
            ),
            ("curl/8.14", Agent::Other),
        ];
        for (user_agent, agent) in cases {
            assert_eq!(Agent::of(user_agent), agent, "{user_agent}");
        }
    }
}
