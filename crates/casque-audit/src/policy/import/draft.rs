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
    today: Date,
    ignores: Vec<Ignore>,
    /// What makes an entry the same as another: everything but its words.
    seen: HashSet<String>,
    notes: Vec<(usize, String)>,
    left_out: usize,
}

impl<'n> Drafts<'n> {
    pub(super) fn new(name: &'n str, today: Date) -> Self {
        Self { name, today, ignores: Vec::new(), seen: HashSet::new(), notes: Vec::new(), left_out: 0 }
    }

    /// Something that is not carried over.
    pub(super) fn note(&mut self, at: usize, message: impl Into<String>) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push((at, message.into()));
        } else {
            self.left_out += 1;
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
            reason: self.reason(draft.reason),
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

    fn reason(&self, given: Option<&str>) -> String {
        let given: Vec<&str> = given.unwrap_or_default().split_whitespace().collect();
        let mut reason: String = given.join(" ").chars().take(MAX_REASON).collect();
        if reason.is_empty() || reason == "None Given" {
            reason = format!("taken over from {}, which gives no reason", self.name);
        }
        reason
    }

    /// Everything, with places instead of offsets.
    pub(super) fn finish(mut self, text: &str) -> Imported {
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
