//! Entries of the policy as TOML, for casque.toml.

use std::fmt::Write;

use super::Ignore;
use crate::report::clean::is_harmful;

/// The entries as `[[audit.ignore]]`, a blank line before each. Their text is of others: nothing in it ends its string, and what
/// would steer a terminal or hide a line from its reviewer is escaped.
#[must_use]
pub fn to_toml(ignores: &[Ignore]) -> String {
    ignores.iter().map(entry).collect()
}

fn entry(ignore: &Ignore) -> String {
    let mut out = "\n[[audit.ignore]]\n".to_owned();
    let mut line = |key: &str, value: String| {
        let _ = writeln!(out, "{key} = {value}");
    };
    line("id", string(&ignore.id));
    if let Some(package) = &ignore.package {
        line("package", string(package));
    }
    if let Some(versions) = &ignore.versions {
        line("versions", string(&versions.to_string()));
    }
    if let Some(path) = &ignore.path {
        line("path", string(&path.to_string()));
    }
    if let Some(lockfile) = &ignore.lockfile {
        line("lockfile", string(lockfile));
    }
    line("reason", string(&ignore.reason));
    if let Some(day) = ignore.expires {
        line("expires", day.to_string());
    }
    for (key, is) in [("until-fixable", ignore.until_fixable), ("allow-malware", ignore.allow_malware)] {
        if is {
            line(key, "true".to_owned());
        }
    }
    if let Some(vex) = ignore.vex {
        line("vex", string(vex.word()));
    }
    out
}

/// A basic string (TOML 1.0, Strings).
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_harmful(c) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::policy::{DependencyPath, Versions, Vex};

    #[test]
    fn an_entry_is_written_as_people_would() {
        let ignore = Ignore {
            id: "GHSA-jf85-cpcp-j695".to_owned(),
            reason: "the \"template\" is ours".to_owned(),
            expires: Some(date(2027, 1, 31)),
            package: Some("lodash".to_owned()),
            versions: Some(Versions::parse("<4.17.21").unwrap()),
            path: Some(DependencyPath::parse("a>*>lodash").unwrap()),
            until_fixable: true,
            vex: Vex::named("code_not_reachable"),
            ..Ignore::default()
        };
        assert_eq!(
            to_toml(&[ignore]),
            "\n[[audit.ignore]]\nid = \"GHSA-jf85-cpcp-j695\"\npackage = \"lodash\"\nversions = \"<4.17.21\"\npath = \"a > * > lodash\"\n\
             reason = \"the \\\"template\\\" is ours\"\nexpires = 2027-01-31\nuntil-fixable = true\nvex = \"code_not_reachable\"\n"
        );
    }

    proptest! {
        #[test]
        fn no_text_gets_out_of_its_string(reason in any::<String>()) {
            let written = to_toml(&[Ignore { reason: reason.clone(), ..Ignore::default() }]);
            prop_assert!(!written.contains(|c| is_harmful(c) && c != '\n'));
            let table = toml::de::DeTable::parse(&written).unwrap();
            let read = table.get_ref()["audit"].get_ref()["ignore"].get_ref()[0].get_ref()["reason"].get_ref().as_str().map(str::to_owned);
            prop_assert_eq!(read, Some(reason));
        }
    }
}
