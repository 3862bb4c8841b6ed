//! Prints the table.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(casque_attack::table::draw().as_bytes())
}
