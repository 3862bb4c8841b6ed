//! `[headers]` in casque.toml.
//!
//! ```toml
//! [headers]
//! preset = "balanced"                     # balanced, helmet, strict, api or off
//! remove = ["x-runtime"]                  # taken out of the app's responses, besides the preset's
//! content-security-policy = "default-src 'self'"
//! permissions-policy = false              # leave the preset's out
//! x-frame-options = { value = "DENY", mode = "override" }
//! ```

use std::ops::Range;

use crate::config::{At, Section};

use super::merge::Mode;
use super::policy::HeaderPolicy;
use super::preset::Preset;

/// The section as it was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    preset: Option<At<Preset>>,
    remove: Vec<At<String>>,
    headers: Vec<(At<String>, Rule)>,
}

#[derive(Debug, Clone)]
enum Rule {
    Leave,
    Set { value: Option<String>, mode: Option<Mode> },
}

impl Written {
    /// Reads the section.
    #[must_use]
    pub fn read(mut section: Section<'_, '_>) -> Self {
        let preset = section.choice("preset", &Preset::NAMES);
        let remove = section.strings("remove").map(|r| r.value).unwrap_or_default();
        let mut headers = Vec::new();
        for (key, value) in section.open_keys() {
            let rule = match (value.as_bool(), value.as_str()) {
                (Some(false), _) => Rule::Leave,
                (_, Some(text)) => Rule::Set { value: Some(text.to_owned()), mode: None },
                _ => match value.as_section() {
                    Some(mut table) => {
                        let value = table.string("value").map(|v| v.value);
                        let mode = table.choice("mode", &Mode::NAMES).map(|m| m.value);
                        table.finish();
                        Rule::Set { value, mode }
                    }
                    None => {
                        section.error(
                            value.span(),
                            format!("header `{}` is {}", key.value, value.kind()),
                            "expected a text, `false`, or { value = \"...\", mode = \"...\" }",
                        );
                        continue;
                    }
                },
            };
            headers.push((key, rule));
        }
        let written = Self { preset, remove, headers };
        // Compiled once here so that what is wrong is said at its place; the result is what a file of just this section gives.
        written.compile(Some(&section));
        section.finish_open();
        written
    }

    /// What a narrower section changes in this one.
    #[must_use]
    pub fn overlaid(&self, narrower: &Self) -> Self {
        let mut all = self.clone();
        if narrower.preset.is_some() {
            // Another preset starts afresh: headers that were tuned for the old one would be half a policy.
            all = Self { preset: narrower.preset.clone(), ..Self::default() };
        }
        all.remove.extend(narrower.remove.iter().cloned());
        all.headers.extend(narrower.headers.iter().cloned());
        all
    }

    /// The preset it is built on.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.preset.as_ref().map(|p| p.value).unwrap_or_default()
    }

    /// Where it is said that no headers are added, if it is.
    #[must_use]
    pub fn switched_off(&self) -> Option<Range<usize>> {
        self.preset.as_ref().filter(|p| p.value == Preset::Off).map(|p| p.span.clone())
    }

    /// What runs. Rules that were refused when the section was read are left out.
    #[must_use]
    pub fn policy(&self) -> HeaderPolicy {
        self.compile(None)
    }

    fn compile(&self, report: Option<&Section<'_, '_>>) -> HeaderPolicy {
        let mut builder = HeaderPolicy::builder(self.preset());
        for (name, rule) in &self.headers {
            let key = &name.value;
            let kept = builder.clone();
            let next = match rule {
                Rule::Leave => builder.without(key),
                Rule::Set { value: Some(value), mode } => {
                    // A value of one's own is meant to be sent; unless told otherwise the app may still say it better.
                    builder.set(key, value, mode.unwrap_or(Mode::Fill))
                }
                Rule::Set { value: None, mode: Some(mode) } => builder.mode(key, *mode),
                Rule::Set { value: None, mode: None } => Ok(builder),
            };
            builder = next.unwrap_or_else(|error| {
                if let Some(section) = report {
                    let near = crate::config::nearest(key, KNOWN_HEADERS);
                    let label = near.filter(|n| n != key).map(|n| format!("did you mean `{n}`?")).unwrap_or_default();
                    section.error(name.span.clone(), format!("header `{key}` {}", error.problem()), label);
                }
                kept
            });
            if let (Some(section), false) = (report, matches!(rule, Rule::Leave)) {
                warn_of_near_miss(section, name);
            }
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
        builder.build()
    }
}

/// The security headers that browsers know; a name one letter away from one of these is a mistake.
const KNOWN_HEADERS: [&str; 23] = [
    "preset",
    "remove",
    "cache-control",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "integrity-policy",
    "nel",
    "origin-agent-cluster",
    "permissions-policy",
    "referrer-policy",
    "reporting-endpoints",
    "strict-transport-security",
    "timing-allow-origin",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-xss-protection",
];

/// Header names are open, so a misspelt one cannot be told from a new one for certain. One that is all but a known one is an error.
fn warn_of_near_miss(section: &Section<'_, '_>, name: &At<String>) {
    let key = name.value.to_ascii_lowercase();
    if KNOWN_HEADERS.contains(&key.as_str()) {
        return;
    }
    if let Some(near) = crate::config::nearest(&key, KNOWN_HEADERS).filter(|n| n.len() > 5 && key.len().abs_diff(n.len()) <= 2) {
        section.error(name.span.clone(), format!("unknown header `{}`", name.value), format!("did you mean `{near}`?"));
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
        let policy = written.policy();
        policy.block(Channel::Https, Class::Page).entries().iter().find(|e| e.name == name).map(|e| e.value.to_str().unwrap().to_owned())
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
        assert!(written.policy().removed().iter().any(|n| n == "x-runtime"));
    }

    #[test]
    fn mistakes_are_named_with_the_nearest_header() {
        let (_, problems) = read(
            "[headers]\npreset = \"helmt\"\nx-frame-option = \"DENY\"\nreferrer-policy = 3\nx-a = \"a\\nb\"\nnel = { vaule = \"x\" }\nset-cookie = \"a=b\"\n",
        );
        assert_eq!(problems.len(), 6, "{problems:#?}");
        assert!(problems.contains(&"unknown header `x-frame-option` | did you mean `x-frame-options`?".to_owned()));
        assert!(problems.iter().any(|p| p.contains("did you mean \"helmet\"?")));
    }

    #[test]
    fn a_route_changes_what_it_names_and_a_new_preset_starts_afresh() {
        let (global, _) = read("[headers]\nx-frame-options = \"DENY\"\n");
        let (route, _) = read("[headers]\nreferrer-policy = \"no-referrer\"\n");
        let both = global.overlaid(&route);
        assert_eq!(value(&both, "x-frame-options").unwrap(), "DENY");
        assert_eq!(value(&both, "referrer-policy").unwrap(), "no-referrer");
        let (api, _) = read("[headers]\npreset = \"api\"\n");
        assert_eq!(global.overlaid(&api).preset(), Preset::Api);
        assert_eq!(value(&global.overlaid(&api), "permissions-policy"), None);
    }
}
