//! `[headers]` in casque.toml.
//!
//! ```toml
//! [headers]
//! preset = "balanced"                     # balanced, helmet, strict, api or off
//! remove = ["x-runtime"]                  # taken out of the app's responses, besides the preset's
//! remove-talkative = true                 # and everything that OWASP lists
//! cache-guard = "fill"                    # responses that set cookies: off, fill or enforce
//! content-security-policy = "default-src 'self'"
//! permissions-policy = false              # leave the preset's out
//! x-frame-options = { value = "DENY", mode = "override" }
//!
//! # helmet = { frameguard = { action = "deny" } }   # instead of a preset: helmet's options, as a table or as JSON in quotes
//!
//! [headers.strict-transport-security]     # many headers can be written in parts
//! max-age = "730d"
//! include-subdomains = true
//!
//! [[headers.profile]]                     # other headers for some responses; the first that matches counts
//! name = "embed"
//! paths = ["/embed/*"]
//! x-frame-options = false
//! content-security-policy = "frame-ancestors https://partner.example"
//! ```

mod helmet;
mod profile;
mod typed;

use std::collections::HashMap;
use std::ops::Range;

use crate::config::{At, OpenValue, Problem, Section, Severity};

use self::helmet::WrittenHelmet;
use self::profile::WrittenProfile;
use super::builder::Builder;
use super::caching::CacheGuard;
use super::class::Class;
use super::csp::{Csp, lint};
use super::merge::Mode;
use super::origin::Origin;
use super::policy::HeaderPolicy;
use super::preset::Preset;
use super::{catalog, merge, value};

/// The section as it was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    preset: Option<At<Preset>>,
    helmet: Option<WrittenHelmet>,
    remove: Vec<At<String>>,
    remove_talkative: Option<bool>,
    cache_guard: Option<CacheGuard>,
    headers: Vec<(At<String>, Rule)>,
    profiles: Vec<WrittenProfile>,
}

#[derive(Debug, Clone)]
enum Rule {
    Leave,
    Remove,
    Set { value: Option<String>, mode: Option<Mode>, classes: Option<Vec<Class>> },
}

impl Written {
    /// Reads the section.
    #[must_use]
    pub fn read(mut section: Section<'_, '_>) -> Self {
        let profiles = section.sections("profile").unwrap_or_default();
        let mut written = Self::read_open(&mut section, &["profile"]);
        for profile in profiles {
            if let Some(profile) = WrittenProfile::read(profile, &written.profiles) {
                written.profiles.push(profile);
            }
        }
        // Compiled once here so that what is wrong is said at its place; the result is what a file of just this section gives.
        written.compile(Some(&section), None);
        if let Some((name, _)) =
            written.headers.iter().find(|(n, r)| n.value.eq_ignore_ascii_case("clear-site-data") && matches!(r, Rule::Set { .. }))
        {
            section.warn(
                name.span.clone(),
                "`clear-site-data` here is for every page",
                "put it into a [[headers.profile]] for the log-out path",
            );
        }
        section.finish_open();
        written
    }

    /// Everything but profiles; the keys that are left are headers.
    fn read_open(section: &mut Section<'_, '_>, words: &[&'static str]) -> Self {
        let mut written = Self {
            preset: section.choice("preset", &Preset::NAMES),
            helmet: WrittenHelmet::read(section),
            remove: section.strings("remove").map(|r| r.value).unwrap_or_default(),
            remove_talkative: section.boolean("remove-talkative").map(|b| b.value),
            cache_guard: section.choice("cache-guard", &CacheGuard::NAMES).map(|g| g.value),
            ..Self::default()
        };
        if let (Some(helmet), true) = (&written.helmet, written.preset.is_some()) {
            section.error(
                helmet.span(),
                "`helmet` beside `preset`",
                "helmet's options stand for a preset of their own; keep one of the two",
            );
        }
        for (key, value) in section.open_keys() {
            if let Some((earlier, _)) = written.headers.iter().find(|(k, _)| k.value.eq_ignore_ascii_case(&key.value)) {
                let message = format!("header `{}` is written twice, as `{}` too", key.value, earlier.value);
                section.error(key.span.clone(), message, "keep one of the two");
            }
            if let Some(rule) = rule(section, &key, &value, words) {
                written.headers.push((key, rule));
            }
        }
        written
    }

    /// What a narrower section changes in this one. Its profiles come first.
    #[must_use]
    pub fn overlaid(&self, narrower: &Self) -> Self {
        let mut all = self.clone();
        if narrower.preset.is_some() || narrower.helmet.is_some() {
            // Another preset starts afresh: headers that were tuned for the old one would be half a policy.
            let (preset, helmet) = (narrower.preset.clone(), narrower.helmet.clone());
            all = Self { preset, helmet, profiles: all.profiles, ..Self::default() };
        }
        all.remove.extend(narrower.remove.iter().cloned());
        all.remove_talkative = narrower.remove_talkative.or(all.remove_talkative);
        all.cache_guard = narrower.cache_guard.or(all.cache_guard);
        all.headers.extend(narrower.headers.iter().cloned());
        all.profiles.splice(0..0, narrower.profiles.iter().cloned());
        all
    }

    /// What it is built on, in a word or two.
    #[must_use]
    pub fn base(&self) -> &'static str {
        if self.helmet.is_some() { "helmet options" } else { self.preset().name() }
    }

    fn preset(&self) -> Preset {
        self.preset.as_ref().map(|p| p.value).unwrap_or_default()
    }

    /// Where it is said that no headers are added, if it is.
    #[must_use]
    pub fn switched_off(&self) -> Option<Range<usize>> {
        self.preset.as_ref().filter(|p| p.value == Preset::Off).map(|p| p.span.clone())
    }

    /// What runs. Rules that were refused when the section was read are left out. `reports` is the path that browsers are to
    /// report violations to, if there is one (see [`Builder::report_to`]).
    #[must_use]
    pub fn policy(&self, reports: Option<&str>) -> HeaderPolicy {
        self.compile(None, reports)
    }

    fn compile(&self, report: Option<&Section<'_, '_>>, reports: Option<&str>) -> HeaderPolicy {
        let mut builder = self.builder(report, reports);
        // What each profile amounts to, for those that extend it.
        let mut resolved: HashMap<&str, Self> = HashMap::new();
        for profile in &self.profiles {
            let base = profile.extends.as_ref().and_then(|e| resolved.get(e.value.as_str())).unwrap_or(self);
            let base = Self { profiles: Vec::new(), ..base.clone() };
            let own = base.overlaid(&profile.headers);
            let kept = builder.clone();
            let place = &profile.name;
            builder = builder.profile(&place.value, profile.when.clone(), &own.builder(report, reports)).unwrap_or_else(|error| {
                if let Some(section) = report {
                    section.error(place.span.clone(), format!("`{}` {}", place.value, error.problem()), "");
                }
                kept
            });
            resolved.insert(&place.value, own);
        }
        builder.build()
    }

    fn builder(&self, report: Option<&Section<'_, '_>>, reports: Option<&str>) -> Builder {
        let mut builder = self.helmet.as_ref().map_or_else(|| HeaderPolicy::builder(self.preset()), WrittenHelmet::builder);
        if let Some(guard) = self.cache_guard {
            builder = builder.cache_guard(guard);
        }
        for (name, rule) in &self.headers {
            let key = name.value.as_str();
            let kept = builder.clone();
            builder = apply(builder.origin(Origin::File(name.span.clone())), key, rule).unwrap_or_else(|error| {
                if let Some(section) = report {
                    section.error(name.span.clone(), format!("header `{key}` {}", error.problem()), near(key));
                }
                kept
            });
        }
        for name in &self.remove {
            let kept = builder.clone();
            builder = builder.remove(&name.value).unwrap_or_else(|error| {
                if let Some(section) = report {
                    section.error(name.span.clone(), format!("header `{}` {}", name.value, error.problem()), "");
                }
                kept
            });
        }
        if self.remove_talkative == Some(true) {
            builder = builder.remove_talkative();
        }
        match reports {
            Some(path) => builder.report_to(path),
            None => builder,
        }
    }
}

fn apply(builder: Builder, key: &str, rule: &Rule) -> Result<Builder, super::InvalidHeader> {
    match rule {
        Rule::Leave => builder.without(key),
        Rule::Remove => builder.remove(key),
        Rule::Set { value, mode, classes } => {
            let default_mode = || catalog::known(&key.to_ascii_lowercase()).map_or(Mode::Fill, |k| k.mode);
            let builder = match (value, mode) {
                // A value of one's own is meant to be sent; unless told otherwise the app may still say it better.
                (Some(value), mode) => builder.set(key, value, mode.unwrap_or_else(default_mode))?,
                (None, Some(mode)) => builder.mode(key, *mode)?,
                (None, None) => builder,
            };
            match classes {
                Some(classes) => builder.classes(key, classes.iter().copied()),
                None => Ok(builder),
            }
        }
    }
}

/// What people call headers, helmet's options among it.
const NICKNAMES: [(&str, &str); 24] = [
    ("contentSecurityPolicy", "content-security-policy"),
    ("crossOriginEmbedderPolicy", "cross-origin-embedder-policy"),
    ("crossOriginOpenerPolicy", "cross-origin-opener-policy"),
    ("crossOriginResourcePolicy", "cross-origin-resource-policy"),
    ("coep", "cross-origin-embedder-policy"),
    ("coop", "cross-origin-opener-policy"),
    ("corp", "cross-origin-resource-policy"),
    ("csp", "content-security-policy"),
    ("dnsPrefetchControl", "x-dns-prefetch-control"),
    ("frameguard", "x-frame-options"),
    ("hidePoweredBy", "remove = [\"x-powered-by\"]"),
    ("hsts", "strict-transport-security"),
    ("ieNoOpen", "x-download-options"),
    ("noSniff", "x-content-type-options"),
    ("nosniff", "x-content-type-options"),
    ("originAgentCluster", "origin-agent-cluster"),
    ("permissionsPolicy", "permissions-policy"),
    ("permittedCrossDomainPolicies", "x-permitted-cross-domain-policies"),
    ("referrerPolicy", "referrer-policy"),
    ("strictTransportSecurity", "strict-transport-security"),
    ("xContentTypeOptions", "x-content-type-options"),
    ("xFrameOptions", "x-frame-options"),
    ("xXssProtection", "x-xss-protection"),
    ("xssFilter", "x-xss-protection"),
];

/// What stands behind a header's name.
fn rule(section: &Section<'_, '_>, key: &At<String>, written: &OpenValue<'_, '_>, words: &[&'static str]) -> Option<Rule> {
    let name = key.value.to_ascii_lowercase();
    if written.as_bool() == Some(false) {
        return Some(Rule::Leave);
    }
    if let Some((_, header)) = NICKNAMES.iter().find(|(nickname, _)| *nickname == key.value) {
        section.error(
            key.span.clone(),
            format!("`{}` is no header", key.value),
            format!("write `{header}`, or helmet's options under [headers.helmet]"),
        );
        return None;
    }
    refuse_near_miss(section, key, words);
    if let Some(text) = written.as_str() {
        check(section, &name, text, written.span(), true).then_some(())?;
        return Some(Rule::Set { value: Some(text.to_owned()), mode: None, classes: None });
    }
    if let Some(texts) = written.as_texts() {
        if catalog::is_csp(&name) {
            // One directive each, so a mistake can be shown in its own.
            let good = texts.iter().filter(|t| check(section, &name, t.value, t.span.clone(), true)).count();
            (good == texts.len()).then_some(())?;
        }
        let value = typed::list(&name, &texts)?;
        check(section, &name, &value, written.span(), false).then_some(())?;
        return Some(Rule::Set { value: Some(value), mode: None, classes: None });
    }
    let Some(mut table) = written.as_section() else {
        section.error(
            written.span(),
            format!("header `{}` is {}", key.value, written.kind()),
            "expected a text, a list, `false`, or { value = \"...\", mode = \"...\" }",
        );
        return None;
    };
    let mode = table.choice("mode", &typed::MODES).map(|m| m.value);
    let classes = profile::classes(&mut table, "classes");
    let text = table.string("value");
    let at = text.as_ref().map_or_else(|| written.span(), |t| t.span.clone());
    let whole = text.is_some();
    let value = text.map(|t| t.value).or_else(|| typed::table(&name, &mut table));
    table.finish();
    if let Some(value) = &value {
        check(section, &name, value, at, whole).then_some(())?;
    }
    if mode == Some(Some(Mode::Floor)) && !merge::has_floor(&name) {
        section.warn(
            key.span.clone(),
            format!("`{name}` has no order of strictness, so \"floor\" is \"fill\" for it"),
            "\"override\" replaces the app's",
        );
    }
    Some(match mode {
        Some(None) => Rule::Remove,
        mode => Rule::Set { value, mode: mode.flatten(), classes },
    })
}

/// Says what is wrong with a value at its place. Whether it can be used. `verbatim` if the place holds the value's own letters.
fn check(section: &Section<'_, '_>, name: &str, text: &str, place: Range<usize>, verbatim: bool) -> bool {
    let mut usable = true;
    let at = |part: Range<usize>| {
        // Between quotes stand the value's own letters, unless something is escaped or it spans lines: then point at all of it.
        if verbatim && place.len() == text.len() + 2 { place.start + 1 + part.start..place.start + 1 + part.end } else { place.clone() }
    };
    let mut problems = value::check(name, text);
    if catalog::is_csp(name)
        && problems.is_empty()
        && let Some(csp) = Csp::parse_noting(text, &mut problems)
    {
        if name == "content-security-policy" {
            problems.extend(weaknesses(&csp, text));
        } else {
            problems.extend(without_effect(&csp, text));
        }
    }
    for problem in problems {
        let message = format!("`{name}` {}", problem.message);
        if problem.severity == Severity::Error {
            usable = false;
            section.error(at(problem.span), message, problem.label);
        } else {
            section.warn(at(problem.span), message, problem.label);
        }
    }
    usable
}

/// What the linter says of a policy that will be enforced, as far as it is more than advice.
fn weaknesses<'t>(csp: &Csp, text: &'t str) -> impl Iterator<Item = Problem> + use<'t> {
    let about_scripts = csp.effective("script-src").is_some();
    let mut findings = lint::lint(csp, lint::Version::Csp3);
    // What a policy for framing alone says nothing of is not missing from it.
    findings.retain(|f| f.value.is_some() || about_scripts);
    findings.retain(|f| f.severity <= lint::Severity::Medium);
    let gaps = lint::gaps(csp).into_iter();
    findings
        .extend(gaps.filter(|f| f.kind == lint::FindingKind::PolicyLength || f.value.is_some() && f.severity <= lint::Severity::Medium));
    findings.into_iter().map(move |finding| {
        // In the directive that it is about, if that is there; what is missing is missing from the whole.
        let lower = text.to_ascii_lowercase();
        let from = lower.find(&finding.directive);
        let value = from.zip(finding.value.as_deref()).and_then(|(from, v)| lower[from..].find(v).map(|at| from + at..from + at + v.len()));
        let span = value.or(from.map(|from| from..from + finding.directive.len())).unwrap_or(0..text.len());
        Problem { severity: Severity::Warning, span, message: finding.description, label: finding.remedy }
    })
}

/// Directives that do nothing in a policy that is only tried out.
fn without_effect<'t>(csp: &Csp, text: &'t str) -> impl Iterator<Item = Problem> + use<'t> {
    let tried = csp.for_report_only();
    let idle: Vec<String> = csp.directives().iter().filter(|d| tried.get(d.name()).is_none()).map(|d| d.name().to_owned()).collect();
    idle.into_iter().map(move |name| {
        let span = text.to_ascii_lowercase().find(&name).map_or(0..text.len(), |at| at..at + name.len());
        let message = format!("`{name}` has no effect in a policy that only reports, and is left out");
        Problem { severity: Severity::Warning, span, message, label: String::new() }
    })
}

/// The nearest header that browsers know.
fn near(key: &str) -> String {
    let near = crate::config::nearest(key, catalog::names()).filter(|n| *n != key);
    near.map(|n| format!("did you mean `{n}`?")).unwrap_or_default()
}

/// Header names are open, so a misspelt one cannot be told from a new one for certain. One that is all but a known one is an error.
fn refuse_near_miss(section: &Section<'_, '_>, name: &At<String>, words: &[&'static str]) {
    let key = name.value.to_ascii_lowercase();
    if catalog::known(&key).is_some() {
        return;
    }
    let settings = words.iter().copied().chain(["preset", "remove", "helmet", "helmet-release", "remove-talkative", "cache-guard"]);
    // A short header of one's own is easily near another one.
    let headers = catalog::names().filter(|n| n.len() > 5);
    let near = crate::config::nearest(&key, headers.chain(settings));
    if let Some(near) = near.filter(|n| key.len().abs_diff(n.len()) <= 2) {
        section.error(name.span.clone(), format!("unknown header or setting `{}`", name.value), format!("did you mean `{near}`?"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;
    use crate::headers::{Channel, Class};

    fn read(text: &str) -> (Written, Vec<String>) {
        let document = Document::parse(text);
        let mut root = document.root();
        let written = Written::read(root.section("headers").unwrap());
        root.finish();
        (written, document.problems().into_iter().map(|p| format!("{} | {}", p.message, p.label)).collect())
    }

    fn value(written: &Written, name: &str) -> Option<String> {
        let policy = written.policy(None);
        policy
            .block(Channel::Https, Class::Page)
            .entries()
            .iter()
            .find(|e| e.name == name)
            .map(|e| e.value(None).to_str().unwrap().to_owned())
    }

    #[test]
    fn the_example_above_reads_as_it_says() {
        let (written, problems) = read(
            "[headers]\nremove = [\"x-runtime\"]\ncontent-security-policy = \"default-src 'self'\"\npermissions-policy = false\nx-frame-options = { value = \"DENY\", mode = \"override\" }\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(value(&written, "content-security-policy").unwrap(), "default-src 'self'");
        assert_eq!(value(&written, "permissions-policy"), None);
        assert_eq!(value(&written, "x-frame-options").unwrap(), "DENY");
        assert!(written.policy(None).removed().iter().any(|n| n == "x-runtime"));
    }

    #[test]
    fn mistakes_are_named_with_the_nearest_header() {
        let (_, problems) = read(
            "[headers]\npreset = \"helmt\"\nx-frame-option = \"DENY\"\nreferrer-policy = 3\nx-a = \"a\\nb\"\nnel = { vaule = \"x\" }\nset-cookie = \"a=b\"\n",
        );
        assert_eq!(problems.len(), 6, "{problems:#?}");
        assert!(problems.contains(&"unknown header or setting `x-frame-option` | did you mean `x-frame-options`?".to_owned()));
        assert!(problems.iter().any(|p| p.contains("did you mean \"helmet\"?")));
    }

    #[test]
    fn what_works_otherwise_than_it_looks_is_said() {
        for (text, said) in [
            ("X-Frame-Options = \"DENY\"\nx-frame-options = \"SAMEORIGIN\"", "is written twice"),
            ("hsts = \"max-age=1\"", "write `strict-transport-security`, or helmet's options"),
            ("frameguard = \"DENY\"", "write `x-frame-options`"),
            ("cross-origin-resource-policy = { value = \"same-site\", mode = \"floor\" }", "has no order of strictness"),
            ("cross-origin-opener-policy = { value = \"same-origin\", mode = \"append\" }", "two lines of it void each other"),
            ("clear-site-data = [\"cookies\"]", "is for every page"),
            ("content-security-policy-report-only = \"default-src 'self'; sandbox; upgrade-insecure-requests\"", "only reports"),
            ("location = \"/\"", "describes one message"),
        ] {
            let (_, problems) = read(&format!("[headers]\n{text}\n"));
            assert!(problems.iter().any(|p| p.contains(said)), "{text}: {problems:?}");
        }
        let hosts: String = (0..200).map(|i| format!(" https://a-long-name-{i}.example/")).collect();
        let long = format!("[headers]\ncontent-security-policy = \"img-src{hosts}\"\n");
        assert!(read(&long).1.iter().any(|p| p.contains("bytes")), "{:?}", read(&long).1.last());
    }

    #[test]
    fn helmets_options_can_be_pasted_as_a_table_or_as_json() {
        let table = "[headers.helmet]\nframeguard = { action = \"deny\" }\ncontentSecurityPolicy = false\n";
        let json = "[headers]\nhelmet = \'\'\'\n{ \"frameguard\": { \"action\": \"deny\" }, \"contentSecurityPolicy\": false }\n\'\'\'\n";
        for text in [table, json] {
            let (written, problems) = read(text);
            assert_eq!(problems, [""; 0]);
            assert_eq!(value(&written, "x-frame-options").unwrap(), "DENY");
            assert_eq!(value(&written, "x-download-options").unwrap(), "noopen");
            assert_eq!(value(&written, "content-security-policy"), None);
            assert_eq!(written.policy(None).removed(), ["x-powered-by"]);
        }
        let broken = "[headers]\npreset = \"strict\"\nhelmet = \'{ \"frameguard\": { \"action\": \"denny\" } }\'\n";
        let document = Document::parse(broken);
        let mut root = document.root();
        let _ = Written::read(root.section("headers").unwrap());
        let problem = &document.problems()[0];
        assert_eq!(&broken[problem.span.clone()], "\"denny\"");
        assert!(problem.message.starts_with("`helmet.frameguard.action`"), "{}", problem.message);
        let (_, problems) = read("[headers]\npreset = \"strict\"\nhelmet = {}\n");
        assert!(problems[0].starts_with("`helmet` beside `preset`"));
    }

    #[test]
    fn a_route_changes_what_it_names_and_a_new_preset_starts_afresh() {
        let (global, _) = read("[headers]\nx-frame-options = \"DENY\"\n");
        let (route, _) = read("[headers]\nreferrer-policy = \"no-referrer\"\n");
        let both = global.overlaid(&route);
        assert_eq!(value(&both, "x-frame-options").unwrap(), "DENY");
        assert_eq!(value(&both, "referrer-policy").unwrap(), "no-referrer");
        let (api, _) = read("[headers]\npreset = \"api\"\n");
        assert_eq!(global.overlaid(&api).base(), "api");
        assert_eq!(value(&global.overlaid(&api), "permissions-policy"), None);
    }
}
