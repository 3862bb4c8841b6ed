//! `[[limit]]` in casque.toml.
//!
//! ```toml
//! [[limit]]
//! name = "login"
//! rate = "20/1m"              # so many per time; "1000/day" and "20000/month" begin anew with the calendar's
//! burst = 20                  # how many may come at once; default: the rate's number
//! strict = false              # true: never more than so many in any window, instead of a burst and a rate
//! utc-offset = "+00:00"       # when days and months begin
//! methods = ["POST"]          # default: all
//! paths = ["**/login"]        # default: all; `*` is one segment (at the end: everything below), `**` any number
//! key = "client"              # what is counted; or network, path, method, header:NAME, cookie:NAME, or a list of these
//! mode = "enforce"            # enforce, shadow (count and log only) or off
//! fields = "draft"            # the RateLimit fields: draft (8 and later), draft-7, draft-6 or x
//! fields-when = "refused"     # refused, always or never
//! ```

use super::count_by::{CountBy, Part};
use super::decision::MAX_LIMITS;
use super::fields::{Fields, FieldsWhen};
use super::quota::Quota;
use super::rule::{Limit, Mode};
use crate::config::{At, Section, rate};

/// Reads all `[[limit]]` sections. Limits that were refused are left out.
#[must_use]
pub fn read(sections: Vec<Section<'_, '_>>) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for section in sections {
        if limits.len() == MAX_LIMITS {
            section.error(
                section.span(),
                format!("more than {MAX_LIMITS} limits"),
                "join some: each is asked for every request that it counts",
            );
        }
        if let Some(limit) = read_one(section, &limits) {
            limits.push(limit);
        }
    }
    limits
}

fn read_one(mut section: Section<'_, '_>, earlier: &[Limit]) -> Option<Limit> {
    let name = section.parsed("name", "a text in quotes", |s| {
        let plain = !s.is_empty() && s.len() <= 64 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if plain {
            Ok(s.to_owned())
        } else {
            Err("expected 1 to 64 letters, digits, `-`, `_` or `.`: the name is sent in header fields".to_owned())
        }
    });
    let quota = read_quota(&mut section);
    let methods = section.methods("methods");
    let patterns = section.patterns("paths");
    let count_by = read_key(&mut section);
    let mode = section.choice("mode", &Mode::NAMES).map(|m| m.value).unwrap_or_default();
    let fields = section.choice("fields", &Fields::NAMES);
    let fields_when = section.choice("fields-when", &FieldsWhen::NAMES);

    if let Some(name) = &name
        && earlier.iter().any(|l| l.name() == name.value)
    {
        section.error(
            name.span.clone(),
            format!("a second limit is called `{}`", name.value),
            "limits of one name share their counts; give each its own",
        );
    }
    for (missing, key, example) in [(name.is_none(), "name", "\"login\""), (quota.is_none(), "rate", "\"20/1m\"")] {
        if missing && !section.has(key) {
            section.error(section.span(), format!("[[limit]] without `{key}`"), format!("add {key} = {example}"));
        }
    }
    section.finish();

    let mut limit = Limit::new(name?.value, quota?).methods(methods).patterns(patterns).by(count_by).mode(mode);
    if let Some(fields) = fields {
        limit = limit.fields(fields.value);
    }
    if let Some(when) = fields_when {
        limit = limit.fields_when(when.value);
    }
    Some(limit)
}

/// A rate, or so many in a period of the calendar.
enum Written {
    Rate(Quota),
    Calendar(Quota),
}

fn written(text: &str) -> Result<Written, String> {
    let calendar = |of: fn(u32) -> Quota, number: &str| match number.trim().parse() {
        Ok(n) if n > 0 => Ok(Written::Calendar(of(n))),
        _ => Err(format!("write so many per period, at least 1: \"{text}\" has no such number")),
    };
    match text.split_once('/').map(|(number, period)| (number, period.trim())) {
        Some((number, "day")) => calendar(Quota::daily, number),
        Some((number, "month")) => calendar(Quota::monthly, number),
        _ => rate(text)
            .map(|(requests, window)| Written::Rate(Quota::new(requests, window)))
            .map_err(|e| format!("{e}; by the calendar: \"1000/day\"")),
    }
}

fn read_quota(section: &mut Section<'_, '_>) -> Option<Quota> {
    let rate = section.parsed("rate", "a rate such as \"20/1m\"", written);
    let burst = section.integer("burst", 1..=u64::from(u32::MAX));
    let strict = section.boolean("strict");
    let offset = section.parsed("utc-offset", "an offset such as \"+02:00\"", utc_offset);
    let is_strict = strict.as_ref().is_some_and(|s| s.value);
    let conflict = |at: &std::ops::Range<usize>, what: &str, why: &str| section.error(at.clone(), what.to_owned(), why.to_owned());
    match rate?.value {
        Written::Calendar(quota) => {
            if let Some(burst) = &burst {
                conflict(&burst.span, "a quota of the calendar has no burst", "all of it may come at once; take `burst` out");
            }
            if let Some(At { value: true, span }) = &strict {
                conflict(span, "a quota of the calendar cannot be strict", "write the window: \"1000/24h\" is any 24 hours");
            }
            Some(quota.utc_offset(offset.map_or(0, |o| o.value)))
        }
        Written::Rate(quota) => {
            if let Some(offset) = &offset {
                conflict(
                    &offset.span,
                    "only days and months of the calendar have an offset",
                    "write \"1000/day\", or take `utc-offset` out",
                );
            }
            if let Some(burst) = burst.as_ref().filter(|_| is_strict) {
                conflict(&burst.span, "a strict limit has no burst", "all of it may come at once; take `burst` or `strict` out");
            }
            let quota = burst.filter(|_| !is_strict).map_or(quota, |b| quota.burst(u32::try_from(b.value).unwrap_or(u32::MAX)));
            Some(if is_strict { quota.strict() } else { quota })
        }
    }
}

/// Minutes of `"+02:00"` or `"-03:30"`; `"Z"` is none.
fn utc_offset(text: &str) -> Result<i32, String> {
    const HELP: &str = "write hours and minutes: \"+02:00\", \"-03:30\" or \"Z\"";
    if text == "Z" {
        return Ok(0);
    }
    let (sign, digits) = text.split_at_checked(1).ok_or(HELP)?;
    let two = |s: &str| if s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit()) { s.parse::<i32>().ok() } else { None };
    let (hours, minutes) = digits.split_once(':').and_then(|(h, m)| two(h).zip(two(m))).filter(|(h, m)| *h < 24 && *m < 60).ok_or(HELP)?;
    match sign {
        "+" => Ok(hours * 60 + minutes),
        "-" => Ok(-(hours * 60 + minutes)),
        _ => Err(HELP.to_owned()),
    }
}

/// `key`: one part as a text, or several as a list.
fn read_key(section: &mut Section<'_, '_>) -> CountBy {
    let Some(value) = section.value("key") else { return CountBy::default() };
    let written = match (value.as_str(), value.as_texts()) {
        (Some(one), _) => vec![At { value: one, span: value.span() }],
        (None, Some(list)) if !list.is_empty() => list,
        (None, Some(_)) => {
            section.error(value.span(), "`key` is an empty list", "all requests would share one budget; take it out for \"client\"");
            Vec::new()
        }
        (None, None) => {
            section.error(value.span(), format!("`key` is {}", value.kind()), "expected a text such as \"client\", or a list of them");
            Vec::new()
        }
    };
    let mut parts: Vec<Part> = Vec::new();
    for part in written {
        match Part::parse(part.value) {
            Ok(known) if parts.contains(&known) => {
                section.error(part.span, format!("`key` has \"{}\" twice", part.value), "take one out");
            }
            Ok(new) => parts.push(new),
            Err(label) => section.error(part.span, format!("`key` cannot be \"{}\"", part.value), label),
        }
    }
    CountBy::new(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;

    fn run(text: &str) -> (Vec<Limit>, Vec<String>) {
        let document = Document::parse(text);
        let mut root = document.root();
        let limits = read(root.sections("limit").unwrap_or_default());
        root.finish();
        (limits, document.problems().into_iter().map(|p| format!("{} | {}", p.message, p.label)).collect())
    }

    #[test]
    fn a_limit_reads_as_written() {
        let (limits, problems) = run(
            "[[limit]]\nname = \"login\"\nrate = \"20/1m\"\nburst = 5\nmethods = [\"POST\"]\npaths = [\"**/login\"]\nmode = \"shadow\"\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(limits[0].quota(), Quota::per_minute(20).burst(5));
        assert!(!limits[0].is_enforced());
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let (limits, problems) = run(
            "[[limit]]\nrate = \"20\"\nmethods = [\"post\"]\npaths = [\"login\"]\nkey = \"ip\"\n[[limit]]\nname = \"a b\"\nrate = \"1/1s\"\n[[limit]]\nname = \"x\"\n",
        );
        assert!(limits.is_empty());
        let told = |part: &str| assert!(problems.iter().any(|p| p.contains(part)), "{part}: {problems:#?}");
        told("`rate` cannot be \"20\"");
        told("did you mean \"POST\"?");
        told("path `login` must start with");
        told("`key` cannot be \"ip\"");
        told("[[limit]] without `name`");
        told("`name` cannot be \"a b\"");
        told("[[limit]] without `rate`");
    }

    #[test]
    fn quotas_and_keys_read_as_written() {
        let (limits, problems) = run(
            "[[limit]]\nname = \"a\"\nrate = \"10/1h\"\nstrict = true\nkey = [\"client\", \"header:X-Api-Key\"]\nfields = \"draft-7\"\nfields-when = \"always\"\n\
             [[limit]]\nname = \"b\"\nrate = \"1000/day\"\nutc-offset = \"-03:30\"\nkey = \"network\"\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(limits[0].quota(), Quota::per_hour(10).strict());
        assert_eq!(limits[0].count_by().parts(), [Part::Client, Part::parse("header:x-api-key").unwrap()]);
        assert_eq!(limits[0].own_fields(), (Some(Fields::Draft7), Some(FieldsWhen::Always)));
        assert_eq!(limits[1].quota(), Quota::daily(1000).utc_offset(-210));
        assert_eq!(limits[1].count_by().parts(), [Part::Network]);
    }

    #[test]
    fn what_contradicts_itself_is_an_error() {
        let of = |text: &str| run(&format!("[[limit]]\nname = \"x\"\n{text}\n")).1.join("\n");
        for (text, told) in [
            ("rate = \"5/day\"\nburst = 3", "has no burst"),
            ("rate = \"5/day\"\nstrict = true", "\"1000/24h\" is any 24 hours"),
            ("rate = \"0/day\"", "at least 1"),
            ("rate = \"5/week\"", "by the calendar: \"1000/day\""),
            ("rate = \"5/1h\"\nburst = 3\nstrict = true", "a strict limit has no burst"),
            ("rate = \"5/1h\"\nutc-offset = \"+01:00\"", "only days and months"),
            ("rate = \"5/day\"\nutc-offset = \"+1\"", "write hours and minutes"),
            ("rate = \"5/1h\"\nkey = []", "empty list"),
            ("rate = \"5/1h\"\nkey = 3", "`key` is an integer"),
            ("rate = \"5/1h\"\nkey = [\"client\", \"client\"]", "twice"),
            ("rate = \"5/1h\"\nkey = \"header:x-forwarded-for\"", "[client-ip]"),
            ("rate = \"5/1h\"\nfields = \"draft-8\"", "did you mean"),
        ] {
            assert!(of(text).contains(told), "{text}: {}", of(text));
        }
    }

    #[test]
    fn names_are_not_shared_by_mistake() {
        let one = "[[limit]]\nname = \"x\"\nrate = \"1/1s\"\n";
        assert!(run(&format!("{one}{one}")).1[0].contains("a second limit is called `x`"));
    }
}
