//! Groups of recorded cases: counted, and held against the table of known differences.

use std::path::PathBuf;

use serde_json::Value;

/// Prints past the test harness's capture: what was run and what was left out is to be seen on every run.
macro_rules! say {
    ($($arg:tt)*) => {
        _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($arg)*)))
    };
}

pub(crate) fn vectors(name: &str) -> Option<Value> {
    let root =
        std::env::var_os("CASQUE_VECTORS").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("vectors").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        say!("left out: {name} is not there (set CASQUE_VECTORS to the folder that holds vectors/)");
        return None;
    };
    Some(serde_json::from_str(&text).expect("the vectors are JSON"))
}

/// Counts a group's cases; a case that differs must stand in the table of known differences, and one that stands there must differ.
pub(crate) struct Group {
    name: &'static str,
    known: &'static [(&'static str, &'static str)],
    passed: usize,
    total: usize,
    wrong: Vec<String>,
}

impl Group {
    pub(crate) fn new(name: &'static str, known: &'static [(&'static str, &'static str)]) -> Self {
        Self { name, known, passed: 0, total: 0, wrong: Vec::new() }
    }

    /// A case that may differ for a reason that its input shows, so that it holds for cases that are not in the table.
    pub(crate) fn case_unless<T: PartialEq + std::fmt::Debug>(&mut self, excuse: Option<&str>, id: &str, ours: &T, theirs: &T) {
        match excuse.filter(|_| ours != theirs) {
            Some(reason) => {
                self.total += 1;
                say!("  {} {id} differs: {reason}", self.name);
            }
            None => self.case(id, ours, theirs),
        }
    }

    pub(crate) fn case<T: PartialEq + std::fmt::Debug>(&mut self, id: &str, ours: &T, theirs: &T) {
        self.total += 1;
        let known = self.known.iter().find(|(known, _)| *known == id);
        match (ours == theirs, known) {
            (true, None) => self.passed += 1,
            (true, Some(_)) => self.wrong.push(format!("{id}: listed as different, but it matches")),
            (false, Some((_, reason))) => say!("  {} {id} differs: {reason}", self.name),
            (false, None) => self.wrong.push(format!("{id}: ours {ours:?}, recorded {theirs:?}")),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        say!("{}: {} of {}", self.name, self.passed, self.total);
        if !std::thread::panicking() {
            assert!(self.total > 0, "{} ran no case", self.name);
            assert!(self.wrong.is_empty(), "{}:\n{}", self.name, self.wrong.join("\n"));
        }
    }
}
