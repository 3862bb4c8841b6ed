//! The files in which other tools keep what they ignore.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use casque_audit::policy::import::{Imported, MAX_BYTES, Tool, import};
use casque_audit::report::Report;
use casque_audit::split_type;
use casque_scan::render::one_line;
use jiff::civil::Date;

use crate::printer;

/// A file of a tool.
pub(super) struct Foreign {
    pub(super) tool: Tool,
    pub(super) path: PathBuf,
}

impl Foreign {
    /// The file that `TOOL:FILE` or a plain path names.
    pub(super) fn named(argument: &str) -> Result<Self, String> {
        let (name, path) = split_type(argument);
        let list = |names: Vec<&str>| names.join(", ");
        let tool = match name {
            Some(name) => Tool::NAMES.iter().find(|(known, _)| *known == name).map(|(_, tool)| *tool).ok_or_else(|| {
                let names = list(Tool::NAMES.iter().map(|(name, _)| *name).collect());
                format!("there is no tool `{}` whose files are read; there are {names}", one_line(name))
            })?,
            None => Path::new(path).file_name().and_then(|name| Tool::of(&name.to_string_lossy())).ok_or_else(|| {
                let names = list(Tool::NAMES.iter().map(|(name, _)| *name).collect());
                format!("the name of `{}` does not tell which tool's it is; say so as TOOL:FILE, with one of {names}", one_line(path))
            })?,
        };
        Ok(Self { tool, path: PathBuf::from(path) })
    }

    /// Those that are there, in the places where their tools look.
    pub(super) fn found() -> Vec<Self> {
        let there = Tool::FILES.iter().map(|(path, tool)| Self { tool: *tool, path: PathBuf::from(path) });
        there.filter(|foreign| foreign.path.is_file()).collect()
    }

    pub(super) fn name(&self) -> String {
        one_line(&self.path.display().to_string())
    }

    pub(super) fn read(&self, today: Date) -> Result<Imported, String> {
        let name = self.name();
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
        read.map_err(|error| format!("cannot read `{name}`: {error}"))?;
        import(self.tool, &name, &bytes, today).map_err(|error| one_line(&error.in_file(&self.path).to_string()))
    }
}

/// Says which files of other tools ignore something of what is reported here. They count for nothing until they are imported, and
/// one that cannot be read is for its own tool to complain about.
pub(in crate::commands::audit) fn hint(reports: &[Report], today: Date) {
    let speaks_of = |imported: &Imported| {
        let reported = |id: &str| reports.iter().flat_map(Report::findings).any(|(_, finding)| finding.has_id(id));
        imported.ignores.iter().any(|ignore| reported(&ignore.id))
    };
    let names: Vec<String> = Foreign::found()
        .iter()
        .filter(|foreign| foreign.read(today).is_ok_and(|imported| speaks_of(&imported)))
        .map(|foreign| format!("`{}`", foreign.name()))
        .collect();
    match &names[..] {
        [] => {}
        [name] => printer::hint(format_args!("{name} ignores some of this; `casque audit policy import` carries it over into casque.toml")),
        names => printer::hint(format_args!(
            "{} ignore some of this; `casque audit policy import` carries it over into casque.toml",
            names.join(" and ")
        )),
    }
}
