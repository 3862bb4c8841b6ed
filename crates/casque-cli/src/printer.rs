//! Everything that is printed goes through here: talk to stderr, data to stdout. Colour never carries meaning alone, and is left
//! out where the other end is no terminal or asks for none (`NO_COLOR`).

use std::fmt::Display;
use std::io::Write;

use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// A line of talk.
pub(crate) fn say(line: impl Display) {
    // A closed stderr is no reason to stop.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// A line of data.
pub(crate) fn tell(line: impl Display) {
    let _ = writeln!(anstream::stdout().lock(), "{line}");
}

/// Why the command could not run.
pub(crate) fn error(message: impl Display) {
    say(format_args!("{ERROR}error:{ERROR:#} {message}"));
}

/// Something to know.
pub(crate) fn warning(message: impl Display) {
    say(format_args!("{WARNING}warning:{WARNING:#} {message}"));
}

/// What to do next.
pub(crate) fn hint(message: impl Display) {
    say(format_args!("{HINT}hint:{HINT:#} {message}"));
}
