//! Prints the tables.

use std::io::{self, Write as _};

use casque_attack::{flood, table};

/// The entries of a gateway's table, and ten times as many strangers.
const ENTRIES: usize = 1 << 20;
const STRANGERS: u32 = 10_000_000;

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(table::draw().as_bytes())?;
    let told = table::draw_flood(STRANGERS, ENTRIES, flood::flood(STRANGERS, ENTRIES));
    out.write_all(told.as_bytes())
}
