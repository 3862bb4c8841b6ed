//! `[audit]` in casque.toml.
//!
//! ```toml
//! [audit]
//! fail-on = "high"            # low, moderate, high, critical or none. Malware always makes it fail
//! dev = "warn"                # fail: vulnerabilities of development dependencies count too
//! fixable-only = false        # true: only what an update mends counts
//! deny = ["look-alike"]       # notices that make it fail: the checks of `casque audit supply`; default: none
//! allow-scripts = ["esbuild"] # packages that may run scripts when they are installed; default: none, and the others are told
//!
//! [[audit.ignore]]
//! id = "GHSA-jf85-cpcp-j695"  # required: any id or alias of the advisory
//! reason = "only build tools" # required
//! expires = 2027-01-31        # the last day on which it counts; default: no end
//! package = "lodash"          # default: any that the advisory is about
//! versions = "<4.17.21"       # default: all; npm's notation for crates too
//! path = "grunt > * > lodash" # default: any; `*` is any number of packages, and a@1.x a range
//! lockfile = "tools/build"    # default: all; a lockfile, or a folder with what is below it
//! until-fixable = false       # true: only as long as no version mends it
//! allow-malware = false       # true: it may be malware; then `expires` is required
//! vex = "code_not_reachable"  # what was found out, in a word of OpenVEX or CycloneDX
//! ```

use std::ops::Range;

use casque::config::{At, Section};
use casque_audit::policy::{DependencyPath, Ignore, Policy, Versions, Vex, check_id};
use casque_audit::report::{Bar, Dev, Gate};
use casque_audit::supply::{Check, Settings};
use jiff::civil::Date;

/// The section as it was written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    pub(crate) policy: Policy,
    /// Where each of the policy's entries stands: from its header to the end of its last value.
    pub(crate) places: Vec<Range<usize>>,
}

/// Every key of an entry.
const KEYS: [&str; 10] = ["id", "reason", "expires", "package", "versions", "path", "lockfile", "until-fixable", "allow-malware", "vex"];

/// Reads `[audit]`. Entries that were refused are left out.
pub(crate) fn read(mut section: Section<'_, '_>) -> Written {
    let mut written = Written::default();
    written.policy.gate = Gate {
        bar: section.choice("fail-on", &Bar::NAMES).map(|bar| bar.value).unwrap_or_default(),
        dev: section.choice("dev", &Dev::NAMES).map(|dev| dev.value).unwrap_or_default(),
        fixable_only: section.boolean("fixable-only").is_some_and(|only| only.value),
    };
    written.policy.supply = supply(&mut section);
    for entry in section.sections("ignore").unwrap_or_default() {
        let ends = KEYS.iter().filter_map(|key| entry.value_span(key)).map(|span| span.end);
        let place = entry.span().start..ends.fold(entry.span().end, usize::max);
        if let Some(ignore) = ignore(entry) {
            written.policy.ignores.push(ignore);
            written.places.push(place);
        }
    }
    section.finish();
    written
}

fn supply(section: &mut Section<'_, '_>) -> Settings {
    let mut settings = Settings::default();
    for check in section.strings("deny").map(value).unwrap_or_default() {
        match Check::NAMES.iter().find(|(name, _)| *name == check.value) {
            Some((_, known)) => drop(settings.deny.insert(*known)),
            None => section.error(check.span, "there is no such check", known_checks(&check.value)),
        }
    }
    for package in section.strings("allow-scripts").map(value).unwrap_or_default() {
        match name(&package.value) {
            Ok(name) => drop(settings.allow_scripts.insert(name)),
            Err(why) => section.error(package.span, "this is no name of a package", why),
        }
    }
    settings
}

fn known_checks(word: &str) -> String {
    let names = Check::NAMES.map(|(name, _)| name);
    match casque::config::nearest(word, names) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("expected one of {}", names.join(", ")),
    }
}

fn ignore(mut section: Section<'_, '_>) -> Option<Ignore> {
    let span = section.span();
    let id = section.parsed("id", "the id of an advisory in quotes", |id| check_id(id).map(|()| id.to_owned()));
    let reason = section.parsed("reason", "a text in quotes", |reason| match reason.trim() {
        "" => Err("say why, for whoever reviews it".to_owned()),
        reason => Ok(reason.to_owned()),
    });
    let expires = section.day("expires", |day| day.parse::<Date>().map_err(|_| "expected a day such as 2027-01-31".to_owned()));
    let package = section.parsed("package", "the name of a package in quotes", name);
    let versions = section.parsed("versions", "a range of versions in quotes", Versions::parse);
    let path = section.parsed("path", "a path such as \"express > qs\"", DependencyPath::parse);
    let lockfile = section.parsed("lockfile", "a lockfile or folder in quotes", relative);
    let until_fixable = section.boolean("until-fixable").is_some_and(|b| b.value);
    let allow_malware = section.boolean("allow-malware").filter(|b| b.value);
    let vex = section.parsed("vex", "a word in quotes", word);
    for (key, is_there) in [("id", section.has("id")), ("reason", section.has("reason"))] {
        if !is_there {
            let what = if key == "id" { "say which advisory is not to be reported" } else { "say why, for whoever reviews it" };
            section.error(span.clone(), format!("[[audit.ignore]] without `{key}`"), what);
        }
    }
    if let Some(at) = allow_malware.as_ref().filter(|_| !section.has("expires")) {
        section.error(
            at.span.clone(),
            "malware cannot be ignored without an end",
            "add `expires` with a day: records that are wrong are soon mended",
        );
    }
    if expires.is_none() && !until_fixable && !vex.as_ref().is_some_and(|vex| vex.value.is_harmless()) {
        without_end(&section, span);
    }
    section.finish();
    Some(Ignore {
        id: id?.value,
        reason: reason?.value,
        expires: expires.map(value),
        package: package.map(value),
        versions: versions.map(value),
        path: path.map(value),
        lockfile: lockfile.map(value),
        until_fixable,
        allow_malware: allow_malware.is_some(),
        vex: vex.map(value),
    })
}

fn value<T>(at: At<T>) -> T {
    at.value
}

fn without_end(section: &Section<'_, '_>, span: Range<usize>) {
    if section.has("expires") {
        return;
    }
    section.warn(span, "this is ignored for ever", "`expires = 2027-01-31` or `until-fixable = true` would bring it up again");
}

fn name(name: &str) -> Result<String, String> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*') {
        return Err("expected the whole name of one package, such as \"lodash\" or \"@babel/core\"".to_owned());
    }
    Ok(name.to_owned())
}

/// A path as [`Ignore::lockfile`] has it.
fn relative(path: &str) -> Result<String, String> {
    let inside = !path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| part != "..") && !path.contains(['\\', '*']);
    if inside { Ok(path.to_owned()) } else { Err("expected a path from this file's folder down, with `/` and without `*`".to_owned()) }
}

fn word(word: &str) -> Result<Vex, String> {
    Vex::named(word).ok_or_else(|| {
        let words: Vec<&str> = Vex::ALL.iter().map(|vex| vex.word()).collect();
        match casque::config::nearest(word, words.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("expected one of {}", words.join(", ")),
        }
    })
}

#[cfg(test)]
mod tests {
    use casque::config::Document;
    use casque_audit::policy::to_toml;
    use casque_gateway::Config;

    use super::*;

    /// What is read, and all problems with what they are about.
    fn read_text(text: &str) -> (Written, Vec<String>) {
        let document = Document::parse(text);
        let mut root = document.root();
        let _ = Config::read_from(&mut root);
        let written = root.section("audit").map(read).unwrap_or_default();
        root.finish();
        let problems = document.problems();
        (
            written,
            problems.into_iter().map(|p| format!("{}: {} ({})", &text[p.span].lines().next().unwrap_or(""), p.message, p.label)).collect(),
        )
    }

    #[test]
    fn the_section_stands_among_those_of_the_gateway() {
        let text = "[server]\nlisten = \"8080\"\n[audit]\nfail-on = \"low\"\ndev = \"fail\"\nfixable-only = true\n\
                    [[audit.ignore]]\nid = \"CVE-2019-10744\"\nreason = \"r\"\nexpires = \"2027-01-31\"\npackage = \"@s/a\"\nversions = \"<2\"\n\
                    path = \"a > *\"\nlockfile = \"tools\"\nuntil-fixable = true\nallow-malware = true\nvex = \"affected\"\n[[limit]]\nname = \"a\"\nrate = \"1/s\"\n";
        let (written, problems) = read_text(text);
        assert_eq!(problems, [""; 0]);
        assert_eq!(written.policy.gate.to_string(), "fail-on = \"low\", dev = \"fail\", fixable-only = true");
        let ignore = &written.policy.ignores[0];
        let entry = &text[written.places[0].clone()];
        assert!(entry.starts_with("[[audit.ignore]]") && entry.ends_with("vex = \"affected\""), "{entry}");
        assert!(KEYS.iter().all(|key| entry.contains(&format!("\n{key} = "))), "{entry}");
        assert_eq!(
            (ignore.expires.unwrap().to_string().as_str(), ignore.path.as_ref().unwrap().to_string().as_str()),
            ("2027-01-31", "a > *")
        );
        // What is written out is read back.
        assert_eq!(read_text(&to_toml(&written.policy.ignores)).0.policy.ignores, written.policy.ignores);
    }

    #[test]
    fn checks_are_denied_and_scripts_allowed_by_name() {
        let (written, problems) = read_text("[audit]\ndeny = [\"look-alike\", \"address\"]\nallow-scripts = [\"esbuild\"]\n");
        assert_eq!(problems, [""; 0]);
        assert_eq!(written.policy.supply.deny, [Check::LookAlike, Check::Address].into());
        assert!(written.policy.supply.allow_scripts.contains("esbuild"));
        let (_, problems) = read_text("[audit]\ndeny = [\"lookalike\"]\nallow-scripts = [\"*\"]\n");
        assert!(problems[0].contains("no such check (did you mean \"look-alike\"?)"), "{problems:?}");
        assert!(problems[1].contains("no name of a package"), "{problems:?}");
    }

    #[test]
    fn every_problem_is_told_at_its_place_with_the_remedy() {
        let (written, problems) = read_text(
            "[audit]\nfail-on = \"higth\"\nreachable = true\n[[audit.ignore]]\n[[audit.ignore]]\nid = 1523\nreason = \" \"\nexpires = 2027-02-30\n\
             [[audit.ignore]]\nid = \"1523\"\nreason = \"r\"\nexpire = 2027-01-31\nversions = \"latest\"\npath = \"a >\"\nlockfile = \"../x\"\npackage = \"a*\"\nvex = \"not_afected\"\n",
        );
        assert!(written.policy.ignores.is_empty());
        for wanted in [
            "\"higth\": `fail-on` cannot be \"higth\" (did you mean \"high\"?)",
            "reachable: unknown key `reachable` in [audit]",
            "[[audit.ignore]]: [[audit.ignore]] without `id` (say which",
            "[[audit.ignore]]: [[audit.ignore]] without `reason` (say why",
            "1523: `id` is an integer",
            "`reason` cannot be \" \" (say why",
            "\"1523\": `id` cannot be \"1523\" (npm's numbers change",
            "expire: unknown key `expire` in [audit.ignore] (did you mean `expires`?)",
            "\"latest\": `versions`",
            "\"a >\": `path`",
            "\"../x\": `lockfile`",
            "\"a*\": `package`",
            "\"not_afected\": `vex` cannot be \"not_afected\" (did you mean \"not_affected\"?)",
        ] {
            assert!(problems.iter().any(|problem| problem.starts_with(wanted) || problem.contains(wanted)), "{wanted}\n{problems:#?}");
        }
    }

    #[test]
    fn malware_needs_an_end_and_nothing_else_is_ignored_for_ever_unawares() {
        let entry = |rest: &str| read_text(&format!("[[audit.ignore]]\nid = \"MAL-2025-1\"\nreason = \"r\"\n{rest}\n")).1;
        assert!(entry("allow-malware = true")[1].contains("without an end"), "{:?}", entry("allow-malware = true"));
        assert!(entry("")[0].contains("for ever"));
        for fine in
            ["expires = 2027-01-31", "until-fixable = true", "vex = \"false_positive\"", "expires = 2027-01-31\nallow-malware = true"]
        {
            assert_eq!(entry(fine), [""; 0], "{fine}");
        }
    }
}
