//! `/.well-known/security.txt` (RFC 9116): whom to tell of a hole. Worth knowing, without points.

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::in_the_app;
use super::site::{Site, media_type};
use crate::capture::Role;
use crate::report::Severity;

const TEST: &str = "security-txt";

pub(super) fn judge(site: &Site<'_>, context: &Context<'_>, book: &mut Book) {
    let Some(exchange) = site.others(Role::SecurityTxt).next().filter(|_| !site.private) else { return };
    let fix = || in_the_app("// public/.well-known/security.txt\nContact: mailto:security@example.com\nExpires: 2027-01-01T00:00:00Z");
    let why = "Whoever finds a hole in the site looks there first for somebody to tell, before telling everybody.";
    let note = |id: &str, title: &str| bad(TEST, id, Severity::Info, 0, title, why).at(&exchange.url).mended_by(fix());
    let text = String::from_utf8_lossy(&exchange.body);
    let field = |name: &str| {
        let lines = text.lines().filter_map(|l| l.split_once(':'));
        lines.filter(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned()).next()
    };
    let is_there = exchange.status == 200 && media_type(exchange) == "text/plain";
    book.add(match (is_there, field("contact"), field("expires")) {
        (false, ..) | (true, None, _) => note("security-txt-missing", "No security.txt says whom to tell of a hole"),
        (true, Some(_), None) => note("security-txt-without-expiry", "security.txt has no Expires, which RFC 9116 asks for"),
        (true, Some(_), Some(expires)) => match (day(&expires), context.now) {
            (None, _) => {
                note("security-txt-without-expiry", "security.txt has an Expires that is no date").seen(format!("Expires: {expires}"))
            }
            (Some(day), Some(now)) if day < i64::try_from(now.as_secs() / 86_400).unwrap_or(i64::MAX) => {
                note("security-txt-expired", "security.txt has expired, so finders will not trust it").seen(format!("Expires: {expires}"))
            }
            _ => good(TEST, "security-txt-present", 0, "security.txt says whom to tell of a hole").at(&exchange.url),
        },
    });
}

/// The day of an RFC 3339 date, counted from 1970-01-01; the civil calendar in closed form.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.get(..10)?.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days_before_month = (153 * month + 2) / 5;
    Some(365 * year + year / 4 - year / 100 + year / 400 + days_before_month + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        for (text, days) in [("1970-01-01T00:00:00Z", 0), ("1970-03-01", 59), ("2000-02-29T10:00:00+01:00", 11_016), ("2026-11-23", 20_780)]
        {
            assert_eq!(day(text), Some(days), "{text}");
        }
        for text in ["", "soon", "2026-13-01", "2026-1-1", "9999999999", "日日日日日日"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
