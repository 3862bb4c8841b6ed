//! Scripts that run on installation, with all that the user of the machine may do: most malware of npm starts there. npm 7 and later,
//! pnpm 5 and 6 and deno 5 tell which packages have some; other lockfiles do not.

use std::collections::BTreeSet;

use super::{Check, Found, Notice};
use crate::graph::Instance;

pub(super) fn check(packages: &[Found<'_>], allowed: &BTreeSet<String>, out: &mut Vec<Notice>) {
    let told = |i: &&Instance| i.marks.install_script && !allowed.contains(&*i.package.name);
    for instance in packages.iter().map(|found| found.instance).filter(told) {
        out.push(Notice::new(Check::InstallScript, instance, "runs scripts when it is installed"));
    }
}
