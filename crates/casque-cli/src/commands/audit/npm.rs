//! What npm's JSON takes besides the report.

use std::collections::HashSet;
use std::path::Path;

use casque_audit::Graph;
use casque_audit::npm_view::{Packuments, View};
use casque_audit::report::Report;
use casque_scan::render::one_line;

use crate::printer;

/// The packuments of the packages that are in a lockfile; none, if no file was named.
pub(super) fn packuments(path: Option<&Path>, graph: &Graph) -> Result<Packuments, String> {
    let Some(path) = path else { return Ok(Packuments::default()) };
    let names: HashSet<&str> = graph.instances().iter().map(|instance| &*instance.package.name).collect();
    Packuments::open(path, |name| names.contains(name)).map_err(|e| one_line(&e.to_string()))
}

/// npm's JSON is about one project of npm's world.
pub(super) fn only_one<'r>(reports: &'r [Report], graphs: &'r [Graph]) -> Result<(&'r Report, &'r Graph), String> {
    match (reports, graphs) {
        ([report], [graph]) if View::is_for(report.kind, graph) => Ok((report, graph)),
        ([report], _) => Err(format!("npm has nothing to say about `{}`; another --format does", one_line(&report.path))),
        (reports, _) => Err(format!("npm-json is about one lockfile, and here are {}; name the one that is meant", reports.len())),
    }
}

/// Says what is not certain about a view.
pub(super) fn remark(view: &View, named: bool) {
    if let Some(first) = view.unknown.first() {
        let more = match view.unknown.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        printer::warning(format_args!(
            "not all versions of {}{more} are known: packages that depend on affected ones may be told that need not be, and fixAvailable is a guess",
            one_line(first)
        ));
        if !named {
            printer::hint("--packuments takes what the registry says of them");
        }
    }
    if view.cut {
        printer::warning("the project is too tangled: packages that depend on affected ones may be missing");
    }
}
