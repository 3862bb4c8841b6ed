//! npm's short forms, spelled out: `^1.2` is `>=1.2.0 <2.0.0-0`.
//!
//! npm rewrites the text of a range step by step until only comparators are left, and what a range means follows from the order of
//! those steps (node-semver, classes/range.js). So the steps are the same here. Each goes over the text once.

use super::RangeOptions;
use super::grammar::{NPM_MAX, identifier, prefix};
use super::partial::{Partial, open, partial, plain_length};

/// The comparators of one alternative of a range, as text. An empty one admits every version.
pub(super) fn comparators(alternative: &str, options: RangeOptions) -> Vec<String> {
    let text = without_build(alternative);
    let text = hyphen(&text, options).unwrap_or(text);
    let text = lone(&lone(&tightened(&text), '~'), '^');
    let zero = if options.include_prerelease { ">=0.0.0-0" } else { ">=0.0.0" };
    text.split(' ')
        .map(|part| spelled(part, options))
        .flat_map(|spelled| spelled.split(' ').map(str::to_owned).collect::<Vec<_>>())
        // At or above the lowest version is any version.
        .map(|part| if part == zero { String::new() } else { part })
        .collect()
}

/// Takes build metadata off every version.
fn without_build(text: &str) -> String {
    let mut parts = text.split('+');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = identifier(part).1;
        if rest.len() == part.len() {
            out.push('+');
        } else {
            while let Some(after) = rest.strip_prefix('.').map(identifier).filter(|(found, _)| !found.is_empty()) {
                rest = after.1;
            }
        }
        out.push_str(rest);
    }
    out
}

/// `1.2 - 3` to `>=1.2.0 <4.0.0-0`, if the whole text is of that form (`HYPHENRANGE`).
fn hyphen(text: &str, options: RangeOptions) -> Option<String> {
    let start = text.len() - text.trim_start_matches(prefix).len();
    let end = start + text.get(start..)?.find(' ')?;
    let (low, high) = (text.get(..end)?, text.get(end..)?.strip_prefix(" - ")?);
    let high = high.strip_suffix(' ').unwrap_or(high);
    let (from, to) = (partial(low, options.loose)?, partial(high, options.loose)?);
    let floor = options.floor();
    // One space before the version is no part of it.
    let low = low.strip_prefix(' ').unwrap_or(low);
    let from = match from {
        Partial { major, .. } if open(major) => String::new(),
        Partial { major, minor, .. } if open(minor) => format!(">={major}.0.0{floor}"),
        Partial { major, minor, patch, .. } if open(patch) => format!(">={major}.{minor}.0{floor}"),
        Partial { prerelease: "", .. } => format!(">={low}{floor}"),
        _ => format!(">={low}"),
    };
    let to = match to {
        Partial { major, .. } if open(major) => String::new(),
        Partial { major, minor, .. } if open(minor) => format!("<{}.0.0-0", next(major)),
        Partial { major, minor, patch, .. } if open(patch) => format!("<{major}.{}.0-0", next(minor)),
        Partial { major, minor, patch, prerelease: "" } if options.include_prerelease => format!("<{major}.{minor}.{}-0", next(patch)),
        Partial { prerelease: "", .. } => format!("<={high}"),
        Partial { major, minor, patch, prerelease } => format!("<={major}.{minor}.{patch}-{prerelease}"),
    };
    Some(format!("{from} {to}").trim().to_owned())
}

/// Takes out the space between an operator and its version (`COMPARATORTRIM`).
fn tightened(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_space = rest.strip_prefix(' ').unwrap_or(rest);
        let operator = operator(after_space);
        let after = after_space.get(operator.len()..).unwrap_or_default();
        if let Some(length) = plain_length(after) {
            let (plain, left) = after.split_at(length);
            out.push_str(rest.get(..rest.len() - after.len()).unwrap_or_default());
            let spaced = !operator.is_empty();
            out.push_str(if spaced { plain.strip_prefix(' ').unwrap_or(plain) } else { plain });
            rest = left;
        } else {
            // What may stand before a version is passed at once: from no place in it would there be one.
            let skipped = rest.len() - rest.trim_start_matches(prefix).len();
            let (passed, left) = rest.split_at(skipped.max(first.len_utf8()));
            out.push_str(passed);
            rest = left;
        }
    }
    out
}

/// The longest operator at the start; empty if there is none (`GTLT`).
pub(super) fn operator(text: &str) -> &'static str {
    [">=", "<=", ">", "<", "="].into_iter().find(|op| text.starts_with(op)).unwrap_or_default()
}

/// `~ 1` to `~1`, and `^` alike; `~>` before a space is `~` (`TILDETRIM`, `CARETTRIM`).
fn lone(text: &str, sign: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split(sign);
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push(sign);
        let arrow = if sign == '~' { part.strip_prefix('>').unwrap_or(part) } else { part };
        match arrow.strip_prefix(' ').or_else(|| part.strip_prefix(' ')) {
            Some(after) => out.push_str(after),
            None => out.push_str(part),
        }
    }
    out
}

/// One blank-separated part, spelled out: carets, tildes, open places, stars.
fn spelled(part: &str, options: RangeOptions) -> String {
    let text = caret(part, options).or_else(|| tilde(part, options)).unwrap_or_else(|| part.to_owned());
    let text = text.split(' ').map(|c| open_places(c, options).unwrap_or_else(|| c.to_owned())).collect::<Vec<_>>().join(" ");
    without_star(text.trim())
}

fn caret(part: &str, options: RangeOptions) -> Option<String> {
    let found = partial(part.strip_prefix('^')?, options.loose)?;
    let Partial { major, minor, patch, prerelease } = found;
    if open(major) {
        return Some(String::new());
    }
    let below = if open(minor) || major != "0" {
        format!("{}.0.0-0", next(major))
    } else if open(patch) || minor != "0" {
        format!("{major}.{}.0-0", next(minor))
    } else {
        format!("{major}.{minor}.{}-0", next(patch))
    };
    Some(from_below(found, &below, prerelease, options))
}

fn tilde(part: &str, options: RangeOptions) -> Option<String> {
    let after = part.strip_prefix('~')?;
    let found = partial(after.strip_prefix('>').unwrap_or(after), options.loose)?;
    let Partial { major, minor, prerelease, .. } = found;
    if open(major) {
        return Some(String::new());
    }
    let below = if open(minor) { format!("{}.0.0-0", next(major)) } else { format!("{major}.{}.0-0", next(minor)) };
    Some(from_below(found, &below, prerelease, options))
}

/// From a partial version on, below another.
fn from_below(from: Partial<'_>, below: &str, prerelease: &str, options: RangeOptions) -> String {
    let Partial { major, minor, patch, .. } = from;
    let floor = options.floor();
    if open(minor) {
        format!(">={major}.0.0{floor} <{below}")
    } else if open(patch) {
        format!(">={major}.{minor}.0{floor} <{below}")
    } else if prerelease.is_empty() {
        format!(">={major}.{minor}.{patch} <{below}")
    } else {
        format!(">={major}.{minor}.{patch}-{prerelease} <{below}")
    }
}

/// A comparator whose version has open places (`XRANGE`). `None`: there is nothing to spell out.
fn open_places(comparator: &str, options: RangeOptions) -> Option<String> {
    let operator = operator(comparator);
    let Partial { major, minor, patch, .. } = partial(comparator.get(operator.len()..)?, options.loose)?;
    // A number below an open place: left as it is, which is no version.
    if open(major) && !open(minor) || open(minor) && !patch.is_empty() && !open(patch) {
        return None;
    }
    let floor = options.floor();
    if open(major) {
        return Some(if matches!(operator, ">" | "<") { "<0.0.0-0".to_owned() } else { "*".to_owned() });
    }
    if !open(patch) {
        return None;
    }
    Some(match (operator, open(minor)) {
        (">", true) => format!(">={}.0.0{floor}", next(major)),
        (">", false) => format!(">={major}.{}.0{floor}", next(minor)),
        ("<=", true) => format!("<{}.0.0-0", next(major)),
        ("<=", false) => format!("<{major}.{}.0-0", next(minor)),
        ("<", true) => format!("<{major}.0.0-0"),
        ("<", false) => format!("<{major}.{minor}.0-0"),
        (">=", true) => format!(">={major}.0.0{floor}"),
        (">=", false) => format!(">={major}.{minor}.0{floor}"),
        (_, true) => format!(">={major}.0.0{floor} <{}.0.0-0", next(major)),
        (_, false) => format!(">={major}.{minor}.0{floor} <{major}.{}.0-0", next(minor)),
    })
}

/// Takes the first star out, with its operator (`STAR`).
fn without_star(text: &str) -> String {
    let Some(star) = text.find('*') else { return text.to_owned() };
    let (before, after) = text.split_at(star);
    let before = before.strip_suffix(' ').unwrap_or(before);
    let before = before.strip_suffix('=').unwrap_or(before);
    let before = before.strip_suffix(['<', '>']).unwrap_or(before);
    format!("{before}{}", after.get(1..).unwrap_or_default())
}

/// The number after this one, as JavaScript writes it. What is beyond npm's largest number stays so.
fn next(digits: &str) -> String {
    match digits.parse::<u64>() {
        Ok(number) if number <= NPM_MAX => (number + 1).to_string(),
        _ if digits.parse::<f64>().is_ok_and(|n| n >= 1e21) => "1e+21".to_owned(),
        _ => digits.to_owned(),
    }
}
