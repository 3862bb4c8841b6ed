//! Entries and notes as they come out of a file, checked in one way for all tools.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Imported, Note};
use crate::place::Lines;
use crate::policy::{DependencyPath, Ignore, Versions, Vex, check_id};
use crate::text::quote;

/// How many notes there are at most; what a file has more of is counted.
const MAX_NOTES: usize = 200;
/// The longest reason, in characters.
const MAX_REASON: usize = 500;
/// How far from an entry its comment is looked for, in bytes.
const NEARBY: usize = 2000;

/// An entry as a tool has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft<'t> {
    /// Where it stands.
    pub(super) at: usize,
    pub(super) id: &'t str,
    pub(super) reason: Option<&'t str>,
    pub(super) expires: Option<&'t str>,
    pub(super) path: Option<DependencyPath>,
    pub(super) package: Option<String>,
    pub(super) versions: Option<Versions>,
    pub(super) lockfile: Option<String>,
    pub(super) until_fixable: bool,
    pub(super) vex: Option<Vex>,
}

#[derive(Debug)]
pub(super) struct Drafts<'n> {
    name: &'n str,
    text: &'n str,
    /// What begins a comment.
    comment: &'static str,
    today: Date,
    ignores: Vec<Ignore>,
    /// What makes an entry the same as another: everything but its words.
    seen: HashSet<String>,
    notes: Vec<(usize, String)>,
    left_out: usize,
}

impl<'n> Drafts<'n> {
    pub(super) fn new(name: &'n str, text: &'n str, comment: &'static str, today: Date) -> Self {
        Self { name, text, comment, today, ignores: Vec::new(), seen: HashSet::new(), notes: Vec::new(), left_out: 0 }
    }

    /// Something that is not carried over.
    pub(super) fn note(&mut self, at: usize, message: impl Into<String>) {
        let message = message.into();
        if self.notes.len() == MAX_NOTES {
            self.left_out += 1;
        } else if !self.notes.iter().any(|(_, other)| *other == message) {
            self.notes.push((at, message));
        }
    }

    /// An entry, which is taken if it can be.
    pub(super) fn add(&mut self, draft: Draft<'_>) {
        let id = draft.id.trim();
        let left_out = |why: &str| format!("{} is not carried over: {why}", quote(id));
        if let Err(why) = check_id(id) {
            return self.note(draft.at, left_out(&why));
        }
        if id.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("MAL-")) {
            return self
                .note(draft.at, left_out("it is malware; if that is an error, write the entry by hand, with `allow-malware = true`"));
        }
        let expires = match draft.expires.map(|text| (text, day(text))) {
            None => None,
            Some((text, None)) => return self.note(draft.at, left_out(&format!("its end, {}, is no day that is understood", quote(text)))),
            Some((_, Some(last))) if last < self.today => return self.note(draft.at, left_out(&format!("it ended on {last}"))),
            Some((_, day)) => day,
        };
        let ignore = Ignore {
            id: id.to_owned(),
            reason: self.reason(draft.reason, draft.at),
            expires,
            package: draft.package,
            versions: draft.versions,
            path: draft.path,
            lockfile: draft.lockfile,
            until_fixable: draft.until_fixable,
            allow_malware: false,
            vex: draft.vex,
        };
        let words = Ignore { id: ignore.id.to_ascii_uppercase(), reason: String::new(), expires: None, ..ignore.clone() };
        if self.seen.insert(format!("{words:?}")) {
            self.ignores.push(ignore);
        }
    }

    /// What the tool has, or else the comment beside or above the entry, where people write it.
    fn reason(&self, given: Option<&str>, at: usize) -> String {
        let cut = |text: &str| -> String {
            let words: Vec<&str> = text.split_whitespace().collect();
            words.join(" ").chars().take(MAX_REASON).collect()
        };
        let given = given.map(cut).filter(|reason| !reason.is_empty() && reason != "None Given");
        let comment = || Some(cut(&comment(self.text, at, self.comment))).filter(|reason| !reason.is_empty());
        given.or_else(comment).unwrap_or_else(|| format!("taken over from {}, which gives no reason", self.name))
    }

    /// Everything, with places instead of offsets.
    pub(super) fn finish(mut self) -> Imported {
        let text = self.text;
        self.notes.sort_by_key(|(at, _)| *at);
        let mut lines = Lines::new(text);
        let mut notes: Vec<Note> = self.notes.into_iter().map(|(at, message)| Note { place: lines.place(at), message }).collect();
        if self.left_out > 0 {
            let message = format!("{} more entries are not carried over", self.left_out);
            notes.push(Note { place: lines.place(text.len()), message });
        }
        Imported { ignores: self.ignores, notes }
    }
}

/// The comment at the end of a line, or the lines of comment right above it.
fn comment(text: &str, at: usize, mark: &str) -> String {
    // Not the whole text: a hostile file has all its entries on one line.
    let nearby = |mut range: std::ops::RangeInclusive<usize>| range.find(|n| text.is_char_boundary(*n)).unwrap_or(at);
    let before = text.get(nearby(at.saturating_sub(NEARBY)..=at)..at).unwrap_or_default();
    let after = text.get(at..nearby(at.saturating_add(NEARBY).min(text.len())..=text.len())).unwrap_or_default();
    let rest = after.lines().next().unwrap_or_default();
    // The marks of a comment may stand in the entry's own quotes.
    let unquoted = rest.rfind(['"', '\'']).map_or(rest, |quote| rest.get(quote + 1..).unwrap_or_default());
    if let Some((_, beside)) = unquoted.split_once(mark) {
        return beside.to_owned();
    }
    let above = before.rsplit_once('\n').map_or("", |(above, _)| above);
    let mut lines: Vec<&str> = above.rsplit('\n').map_while(|line| line.trim().strip_prefix(mark)).collect();
    lines.reverse();
    lines.join(" ")
}

/// A day as these tools write it: a date, a time with its zone, or JavaScript's milliseconds. An entry counts through the day of
/// its end, by UTC: casque knows no hours.
pub(super) fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    let of = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    if text.len() > 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Timestamp::from_millisecond(text.parse().ok()?).ok().map(of);
    }
    text.parse::<Timestamp>().ok().map(of).or_else(|| text.parse::<Date>().ok())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_read_as_people_and_programs_write_them() {
        let wanted = Some(date(2026, 1, 31));
        for text in
            ["2026-01-31", "2026-01-31T10:00:00.000Z", "2026-01-30T23:00:00-08:00", "2026-01-31T00:00:00", "1769860800000", " 2026-01-31 "]
        {
            assert_eq!(day(text), wanted, "{text}");
        }
        for text in ["", "soon", "2026-02-30", "31.1.2026", "99999999999999999999", "2026"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
