//! Counting cases and saying what came of them.

use std::path::PathBuf;

/// Prints past the test harness's capture: what was run and what was left out is to be seen on every run.
macro_rules! say {
    ($($arg:tt)*) => {
        _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($arg)*)))
    };
}

/// The folder of recorded lockfiles and answers; nothing, said so, where it is not.
pub(crate) fn audit() -> Option<PathBuf> {
    let root =
        std::env::var_os("CASQUE_VECTORS").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = root.join("audit");
    let there = folder.join("lockfiles").is_dir();
    if !there {
        say!("left out: audit/ is not there (set CASQUE_VECTORS to the folder that holds it)");
    }
    there.then_some(folder)
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

/// Counts where being equal is welcome, but depends on chance at the other side, for the reason given.
pub(crate) struct Tally {
    name: &'static str,
    reason: &'static str,
    equal: usize,
    total: usize,
}

impl Tally {
    pub(crate) fn new(name: &'static str, reason: &'static str) -> Self {
        Self { name, reason, equal: 0, total: 0 }
    }

    pub(crate) fn case(&mut self, equal: bool) {
        self.equal += usize::from(equal);
        self.total += 1;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        say!("{}: {} of {} ({})", self.name, self.equal, self.total, self.reason);
    }
}
