//! Addresses that belie the entry they belong to: package managers fetch what the address says, advisories are looked up by what
//! the entry says.

use super::{Check, Found, Notice};
use crate::graph::{Instance, Source};
use crate::matching::installed;
use crate::package::{Ecosystem, Package};
use crate::text::percent;

pub(super) fn check(packages: &[Found<'_>], out: &mut Vec<Notice>) {
    let of_npm = |i: &&Instance| i.source == Source::Registry && i.package.ecosystem == Ecosystem::Npm;
    for instance in packages.iter().map(|found| found.instance).filter(of_npm) {
        out.extend(belied(instance).map(|message| Notice::new(Check::Address, instance, message)));
    }
}

/// An address of a registry is `.../name/-/name-version.tgz`. Others say nothing of name and version, and are left alone.
fn belied(instance: &Instance) -> Option<String> {
    let address = instance.resolved.as_deref()?;
    let path = percent::decode(address.split(['#', '?']).next()?.split_once("://")?.1);
    let (before, file) = path.split_once("/-/")?;
    let Package { name, version, .. } = &instance.package;
    let mut parts = before.rsplit('/');
    let last = parts.next().unwrap_or("");
    let scope = parts.next().filter(|part| part.starts_with('@')).map(|scope| format!("{scope}/")).unwrap_or_default();
    if format!("{scope}{last}") != **name {
        return Some(format!("has the address of another package, {scope}{last}"));
    }
    let bare = name.rsplit('/').next().unwrap_or(name);
    let file = file.rsplit('/').next().unwrap_or(file);
    let fetched = file.strip_prefix(bare)?.strip_prefix('-')?.strip_suffix(".tgz")?;
    let (there, said) = (Package::new(Ecosystem::Npm, bare, fetched), installed(&instance.package)?);
    (installed(&there)? != said).then(|| format!("has the address of another version, {fetched}, and says that it is {version}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;

    #[test]
    fn the_address_must_be_the_entrys() {
        let entry = |name: &str, version: &str, address: &str| {
            let text =
                format!(r#""": {{}}, "node_modules/{name}": {{"version": "{version}", "integrity": "sha512-x", "resolved": "{address}"}}"#);
            told(&text).into_iter().filter(|line| line.starts_with("address")).collect::<Vec<_>>().join(";")
        };
        for honest in [
            ("a", "1.0.0", "https://registry.example/a/-/a-1.0.0.tgz"),
            ("@s/a", "1.0.0", "https://registry.example/@s/a/-/a-1.0.0.tgz#sha1"),
            ("@s/a", "1.0.0", "https://registry.example/npm/%40s%2fa/-/a-1.0.0.tgz?x=1"),
            ("a", "1.0.0+b", "https://registry.example/a/-/a-1.0.0.tgz"),
            ("a", "1.0.0", "https://registry.example/a/-/odd.tgz"),
            ("a", "1.0.0", "https://npm.example/download/a/1.0.0/0123"),
        ] {
            assert_eq!(entry(honest.0, honest.1, honest.2), "", "{honest:?}");
        }
        assert_eq!(
            entry("lodash", "4.17.21", "https://registry.example/lodash/-/lodash-4.17.4.tgz"),
            "address lodash@4.17.21 has the address of another version, 4.17.4, and says that it is 4.17.21"
        );
        for (name, address, other) in [
            ("lodash", "https://registry.example/evil/-/evil-4.17.21.tgz", "evil"),
            ("lodash", "https://registry.example/@evil/lodash-/-/lodash-4.17.21.tgz", "@evil/lodash-"),
            ("lodash", "https://registry.example/xlodash/-/lodash-4.17.21.tgz", "xlodash"),
        ] {
            assert_eq!(entry(name, "4.17.21", address), format!("address lodash@4.17.21 has the address of another package, {other}"));
        }
        // A scope of the same package name is another package.
        assert!(entry("lodash", "4.17.21", "https://registry.example/@evil/lodash/-/lodash-4.17.21.tgz").contains("@evil/lodash"));
    }
}
