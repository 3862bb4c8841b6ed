//! What is asked of every cookie.

use std::time::Duration;

/// Whether cookies are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Change them.
    #[default]
    Enforce,
    /// Say what would be changed, and leave them alone.
    Observe,
    /// Do not look.
    Off,
}

impl Mode {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 3] = [("enforce", Self::Enforce), ("observe", Self::Observe), ("off", Self::Off)];
}

/// The values of the SameSite attribute (RFC 6265bis 5.4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SameSite {
    /// Sent on links from other sites, not on their forms and requests.
    #[default]
    Lax,
    /// Never sent on anything that another site started.
    Strict,
    /// Sent always; needs Secure.
    None,
}

impl SameSite {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 3] = [("lax", Self::Lax), ("strict", Self::Strict), ("none", Self::None)];

    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Lax => "SameSite=Lax",
            Self::Strict => "SameSite=Strict",
            Self::None => "SameSite=None",
        }
    }

    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| value.eq_ignore_ascii_case(name.as_bytes())).map(|(_, s)| *s)
    }
}

/// What happens to the Domain attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DomainRule {
    /// Take it out: the cookie then goes back to this host only, and no subdomain can read or replace it by it.
    #[default]
    Drop,
    /// Leave it, for apps that share a session between subdomains.
    Keep,
}

/// What is asked of every cookie. The default is for a cookie of which nothing is known.
#[derive(Debug, Clone)]
pub struct CookiePolicy {
    /// Whether cookies are changed. Default: [`Mode::Enforce`].
    pub mode: Mode,
    /// Add Secure when the outside scheme is HTTPS. Default: `true`. On plain HTTP it is never added: the browser would refuse the cookie.
    pub secure: bool,
    /// Add HttpOnly, except to [`CookiePolicy::is_script_readable`] names. Default: `true`.
    pub http_only: bool,
    /// What to add where SameSite is absent or invalid. Default: [`SameSite::Lax`]; `None` adds nothing.
    pub same_site: Option<SameSite>,
    /// Replace even a valid SameSite by this. Default: `None`.
    pub force_same_site: Option<SameSite>,
    /// What happens to Domain. Default: [`DomainRule::Drop`].
    pub domain: DomainRule,
    /// The longest lifetime. Default: 400 days, which is where browsers cut anyway (RFC 6265bis 5.5); `None` leaves lifetimes alone.
    pub max_age_cap: Option<Duration>,
    /// Names that scripts may read. Default: those that scripts are known to read, such as `XSRF-TOKEN`, `_ga*` and `theme`.
    pub script_readable: Vec<String>,
    /// Names that keep their Domain though others lose it. Default: none.
    pub keep_domain: Vec<String>,
}

/// Names that scripts are known to read: CSRF double-submit tokens, analytics, consent and display choices. A `*` at the end
/// stands for any ending.
const SCRIPT_READABLE: [&str; 18] = [
    "XSRF-TOKEN",
    "csrftoken",
    "csrf-token",
    "_csrf_token",
    "_ga*",
    "_gid",
    "_gat*",
    "_fbp",
    "_gcl*",
    "ajs_*",
    "intercom-*",
    "optimizely*",
    "cookieconsent*",
    "CookieConsent*",
    "locale",
    "lang",
    "theme",
    "i18n*",
];

impl Default for CookiePolicy {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            secure: true,
            http_only: true,
            same_site: Some(SameSite::Lax),
            force_same_site: None,
            domain: DomainRule::Drop,
            max_age_cap: Some(Duration::from_secs(400 * 24 * 3600)),
            script_readable: SCRIPT_READABLE.map(str::to_owned).to_vec(),
            keep_domain: Vec::new(),
        }
    }
}

impl CookiePolicy {
    /// Adds names that scripts may read, which therefore get no HttpOnly. A `*` at the end stands for any ending.
    #[must_use]
    pub fn script_readable<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.script_readable.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds names that keep their Domain though others lose it. A `*` at the end stands for any ending.
    #[must_use]
    pub fn keep_domain<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.keep_domain.extend(names.into_iter().map(Into::into));
        self
    }

    /// Whether scripts may read this cookie. Names are compared as browsers do: byte for byte.
    #[must_use]
    pub fn is_script_readable(&self, name: &[u8]) -> bool {
        any_matches(&self.script_readable, name)
    }

    pub(super) fn keeps_domain(&self, name: &[u8]) -> bool {
        self.domain == DomainRule::Keep || any_matches(&self.keep_domain, name)
    }
}

fn any_matches(patterns: &[String], name: &[u8]) -> bool {
    // Almost every pattern is ruled out by its first letter.
    let candidates = patterns.iter().filter(|p| p.as_bytes().first() == name.first());
    candidates.into_iter().any(|p| match p.strip_suffix('*') {
        Some(start) => name.starts_with(start.as_bytes()),
        None => name == p.as_bytes(),
    })
}
