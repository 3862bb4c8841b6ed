//! Counting cases and saying what came of them.

use std::path::PathBuf;

/// Prints past the test harness's capture: what was run and what was left out is to be seen on every run.
macro_rules! say {
    ($($arg:tt)*) => {
        _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($arg)*)))
    };
}

/// A file or folder of the data for audits.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let root =
        std::env::var_os("CASQUE_VECTORS").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("audit").join(name);
    if path.exists() {
        return Some(path);
    }
    say!("left out: audit/{name} is not there (set CASQUE_VECTORS to the folder that holds audit/)");
    None
}

pub(crate) fn text(name: &str) -> Option<String> {
    data(name).map(|path| std::fs::read_to_string(path).expect("the data is UTF-8"))
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
            let shown = self.wrong.len().min(40);
            assert!(self.wrong.is_empty(), "{}, {} wrong:\n{}", self.name, self.wrong.len(), self.wrong[..shown].join("\n"));
        }
    }
}
