//! `[cookies]` in casque.toml.
//!
//! ```toml
//! [cookies]
//! mode = "enforce"                  # enforce, observe (log only) or off
//! secure = true                     # add Secure when the outside is https
//! http-only = true                  # add HttpOnly, except to script-readable names
//! same-site = "lax"                 # lax, strict or none where the app says nothing; "keep" adds nothing
//! domain = "drop"                   # drop or keep
//! keep-domain = ["sso*"]            # names that keep their Domain anyway
//! script-readable = ["cart-count"]  # besides XSRF-TOKEN, csrftoken, _ga*, theme and the like
//! max-age-cap = "400d"              # or "none"
//! ```

use std::ops::Range;
use std::time::Duration;

use super::policy::{CookiePolicy, DomainRule, Mode, SameSite};
use crate::config::{At, Section};

/// The section as it was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    mode: Option<At<Mode>>,
    secure: Option<bool>,
    http_only: Option<bool>,
    same_site: Option<Option<SameSite>>,
    domain: Option<DomainRule>,
    max_age_cap: Option<Option<Duration>>,
    script_readable: Vec<String>,
    keep_domain: Vec<String>,
}

impl Written {
    /// Reads the section.
    #[must_use]
    pub fn read(mut section: Section<'_, '_>) -> Self {
        let same_sites = SameSite::NAMES.map(|(n, s)| (n, Some(s)));
        let same_sites = [same_sites[0], same_sites[1], same_sites[2], ("keep", None)];
        let written = Self {
            mode: section.choice("mode", &Mode::NAMES),
            secure: section.boolean("secure").map(|b| b.value),
            http_only: section.boolean("http-only").map(|b| b.value),
            same_site: section.choice("same-site", &same_sites).map(|s| s.value),
            domain: section.choice("domain", &[("drop", DomainRule::Drop), ("keep", DomainRule::Keep)]).map(|d| d.value),
            max_age_cap: section.duration_or("max-age-cap", "none").map(|d| d.value),
            script_readable: names(&mut section, "script-readable"),
            keep_domain: names(&mut section, "keep-domain"),
        };
        section.finish();
        written
    }

    /// What a narrower section changes in this one.
    #[must_use]
    pub fn overlaid(&self, narrower: &Self) -> Self {
        Self {
            mode: narrower.mode.clone().or_else(|| self.mode.clone()),
            secure: narrower.secure.or(self.secure),
            http_only: narrower.http_only.or(self.http_only),
            same_site: narrower.same_site.or(self.same_site),
            domain: narrower.domain.or(self.domain),
            max_age_cap: narrower.max_age_cap.or(self.max_age_cap),
            script_readable: [&self.script_readable[..], &narrower.script_readable].concat(),
            keep_domain: [&self.keep_domain[..], &narrower.keep_domain].concat(),
        }
    }

    /// Where it is said that cookies are left alone, if it is.
    #[must_use]
    pub fn switched_off(&self) -> Option<Range<usize>> {
        self.mode.as_ref().filter(|m| m.value == Mode::Off).map(|m| m.span.clone())
    }

    /// What runs.
    #[must_use]
    pub fn policy(&self) -> CookiePolicy {
        let default = CookiePolicy::default();
        CookiePolicy {
            mode: self.mode.as_ref().map(|m| m.value).unwrap_or_default(),
            secure: self.secure.unwrap_or(default.secure),
            http_only: self.http_only.unwrap_or(default.http_only),
            same_site: self.same_site.unwrap_or(default.same_site),
            domain: self.domain.unwrap_or_default(),
            max_age_cap: self.max_age_cap.unwrap_or(default.max_age_cap),
            ..default
        }
        .script_readable(self.script_readable.iter().cloned())
        .keep_domain(self.keep_domain.iter().cloned())
    }
}

fn names(section: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let list = section.strings(key).map(|l| l.value).unwrap_or_default();
    for name in &list {
        if name.value == "*" {
            section.warn(name.span.clone(), format!("`{key}` matches every cookie"), "name the cookies that need it");
        } else if name.value.trim_end_matches('*').contains('*') || name.value.is_empty() {
            section.error(name.span.clone(), format!("`{}` is no cookie name", name.value), "a `*` may stand at the end only");
        }
    }
    list.into_iter().map(|n| n.value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;

    #[test]
    fn what_is_not_written_keeps_its_default_and_a_route_changes_what_it_names() {
        let text = "[a]\nsame-site = \"strict\"\nscript-readable = [\"x\"]\n[b]\nhttp-only = false\n[c]\nsame-site = \"keep\"\nscript-readable = [\"*\", \"a*b\"]\n";
        let document = Document::parse(text);
        let mut root = document.root();
        let a = Written::read(root.section("a").unwrap());
        let b = a.overlaid(&Written::read(root.section("b").unwrap()));
        let c = Written::read(root.section("c").unwrap());
        root.finish();
        assert_eq!(a.policy().same_site, Some(SameSite::Strict));
        assert!(a.policy().http_only && a.policy().is_script_readable(b"x"));
        assert!(!b.policy().http_only);
        assert_eq!(b.policy().same_site, Some(SameSite::Strict));
        assert_eq!(c.policy().same_site, None);
        assert_eq!(document.problems().len(), 2);
    }
}
