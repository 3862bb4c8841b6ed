//! The comparison, as a table.

use std::net::SocketAddr;

use casque::cookie::{Flags, SameSite};
use casque_scan::compare;

use super::measure::{ATTEMPTS, Guesses, Seen};
use crate::printer::{BAD, BOLD, DIM, GOOD};

const NAME: usize = 33;
const BEFORE: usize = 14;
/// What the last column may take before it is cut; the table fits a terminal of 100 columns.
const AFTER: usize = 50;
const NOTHING: &str = "-";

pub(super) fn render(bare_address: SocketAddr, bare: &Seen, guarded_address: SocketAddr, guarded: &Seen) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("  {BOLD}bare{BOLD:#}      http://{bare_address}"),
        format!("  {BOLD}guarded{BOLD:#}   http://{guarded_address}"),
        String::new(),
        format!("  {DIM}{:NAME$}{:BEFORE$}{}{DIM:#}", "", "bare", "guarded"),
    ];
    let page = compare(&bare.page, &guarded.page);
    lines.push(title("response headers"));
    for row in &page.headers {
        let (before, after) = (row.before.as_deref().unwrap_or(NOTHING), row.after.as_deref().unwrap_or(NOTHING));
        let better = row.after.is_some() || row.before.is_some();
        lines.push(line(row.name, before, after, better));
    }
    lines.push(title("cookies set by the log-in"));
    for row in compare(&bare.login, &guarded.login).cookies {
        lines.push(line(&row.name, &flags(row.before), &flags(row.after), row.before != row.after));
    }
    lines.push(title(&format!("{} wrong passwords, as fast as they go", thousands(ATTEMPTS))));
    for (what, value) in [
        ("tried by the app", (|g| thousands(g.reached_the_app)) as fn(&Guesses) -> String),
        ("refused", |g| thousands(g.refused)),
        ("took", |g| format!("{} ms", g.took.as_millis())),
    ] {
        lines.push(line(what, &value(&bare.guesses), &value(&guarded.guesses), what != "took"));
    }
    lines.push(String::new());
    lines.push(format!("  {DIM}Behind TLS the guarded side adds Strict-Transport-Security, Cross-Origin-Opener-Policy and Secure.{DIM:#}"));
    lines.push(format!("  {DIM}The app was not changed: `casque guard -- node server.js` does the same for yours.{DIM:#}"));
    lines.push(String::new());
    lines
}

fn title(text: &str) -> String {
    format!("  {BOLD}{text}{BOLD:#}")
}

/// Colour only repeats what the words say.
fn line(name: &str, before: &str, after: &str, better: bool) -> String {
    let (old, new) = if better { (BAD, GOOD) } else { (DIM, DIM) };
    let before = cut(before, BEFORE - 1);
    let width = BEFORE.max(before.chars().count() + 1);
    format!("    {:width_name$}{old}{before:width$}{old:#}{new}{}{new:#}", cut(name, NAME - 3), cut(after, AFTER), width_name = NAME - 2)
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(3)).chain("...".chars()).collect()
}

fn flags(flags: Flags) -> String {
    let same_site = flags.same_site.map(|s| match s {
        SameSite::Lax => "SameSite=Lax",
        SameSite::Strict => "SameSite=Strict",
        SameSite::None => "SameSite=None",
    });
    let words: Vec<&str> =
        [flags.http_only.then_some("HttpOnly"), same_site, flags.secure.then_some("Secure")].into_iter().flatten().collect();
    if words.is_empty() { "no flags".to_owned() } else { words.join(", ") }
}

fn thousands(n: usize) -> String {
    if n >= 1000 { format!("{},{:03}", n / 1000, n % 1000) } else { n.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_long_values_fit_their_columns() {
        assert_eq!((thousands(20), thousands(1000), thousands(12_034)), ("20".to_owned(), "1,000".to_owned(), "12,034".to_owned()));
        assert_eq!(cut("abcdefghij", 8), "abcde...");
        assert_eq!(flags(Flags::of(b"a=b; httponly; SameSite=Lax")), "HttpOnly, SameSite=Lax");
        assert_eq!(flags(Flags::of(b"a=b")), "no flags");
    }
}
