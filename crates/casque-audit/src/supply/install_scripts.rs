//! Scripts that run on installation, with all that the user of the machine may do: most malware of npm starts there. npm 7 and later,
//! pnpm 5 and 6 and deno 5 tell which packages have some; other lockfiles do not.

use std::collections::BTreeSet;

use super::{Check, Notice, packages};
use crate::graph::Graph;

pub(super) fn check(graph: &Graph, allowed: &BTreeSet<String>, out: &mut Vec<Notice>) {
    for (_, instance) in packages(graph).filter(|(_, i)| i.marks.install_script && !allowed.contains(&*i.package.name)) {
        out.push(Notice::new(Check::InstallScript, instance, "runs scripts when it is installed"));
    }
}
