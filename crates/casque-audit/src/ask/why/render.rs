//! The answer as text and as JSON.

use serde_json::{Value, json};

use super::{Asked, Reason, Step, Why};
use crate::ask::{Form, SCHEMA, finish};
use crate::graph::Source;
use crate::report::clean::plain;
use crate::report::{BOLD, DIM, counted};

impl Why {
    /// The answers of all lockfiles in a form.
    #[must_use]
    pub fn render(answers: &[Self], form: Form) -> String {
        match form {
            Form::Text => answers.iter().filter(|why| !why.reasons.is_empty()).map(text).collect(),
            Form::Json => {
                let lockfiles: Vec<Value> = answers.iter().map(value).collect();
                finish(&json!({"schema": SCHEMA, "lockfiles": lockfiles}))
            }
        }
    }
}

fn text(why: &Why) -> String {
    let mut out = format!("\n{BOLD}{}{BOLD:#}{DIM} · {}{DIM:#}\n", plain(&why.path), why.kind);
    for reason in &why.reasons {
        let alias = reason.alias.as_deref().map(|alias| format!(" as {}", plain(alias))).unwrap_or_default();
        let marks = match (reason.dev, reason.optional) {
            (true, _) => ", dev",
            (false, true) => ", optional",
            (false, false) => "",
        };
        let from = match reason.source {
            Source::Registry => String::new(),
            source => format!(", from {}", source.word()),
        };
        out.push_str(&format!("\n  {BOLD}{}{BOLD:#}{alias}{DIM}  line {}{marks}{from}{DIM:#}\n", plain(&reason.label), reason.place.line));
        if reason.ways.is_empty() {
            out.push_str("    no project that the lockfile knows reaches it\n");
        }
        for way in &reason.ways {
            out.push_str(&format!("    {}\n", way.iter().map(step).collect::<Vec<_>>().join(" > ")));
        }
        let more = reason.ways_total.saturating_sub(reason.ways.len() as u64);
        if more > 0 {
            out.push_str(&format!("{DIM}    and {more} more ways as short{DIM:#}\n"));
        }
        out.push_str(&asked(reason));
        if reason.through.len() > 1 {
            out.push_str(&format!("{DIM}    comes with {}{DIM:#}\n", listed(&reason.through)));
        }
    }
    if why.left_out > 0 {
        out.push_str(&format!("\n  and {}\n", counted(why.left_out, "more place", "more places")));
    }
    out
}

fn asked(reason: &Reason) -> String {
    let width = reason.asked.iter().map(|a| plain(&a.by).chars().count()).max().unwrap_or(0).min(40);
    let line = |a: &Asked| {
        let kind = a.kind.word().map(|word| format!(" ({word})")).unwrap_or_default();
        format!("    {DIM}asked for by{DIM:#} {:width$}  {}{DIM}{kind}{DIM:#}\n", plain(&a.by), plain(&a.range))
    };
    let mut out: String = reason.asked.iter().map(line).collect();
    if reason.asked_more > 0 {
        out.push_str(&format!("{DIM}    and by {} more{DIM:#}\n", reason.asked_more));
    }
    out
}

pub(super) fn step(step: &Step) -> String {
    if step.left_out > 0 { format!("({} more)", step.left_out) } else { plain(&step.label) }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = names.iter().take(SHOWN).map(|name| plain(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

fn value(why: &Why) -> Value {
    json!({
        "path": why.path,
        "kind": why.kind.to_string(),
        "instances": why.reasons.iter().map(instance).collect::<Vec<_>>(),
        "left_out": why.left_out,
    })
}

fn instance(reason: &Reason) -> Value {
    let asked = |a: &Asked| json!({"by": a.by, "range": a.range, "kind": a.kind.word().unwrap_or("prod")});
    let step = |s: &Step| match s.left_out {
        0 => json!({"package": s.label, "range": s.range}),
        left_out => json!({"left_out": left_out}),
    };
    json!({
        "package": reason.label,
        "alias": reason.alias,
        "source": reason.source.word(),
        "path": reason.at,
        "line": reason.place.line,
        "column": reason.place.column,
        "dev": reason.dev,
        "optional": reason.optional,
        "asked": reason.asked.iter().map(asked).collect::<Vec<_>>(),
        "asked_left_out": reason.asked_more,
        "ways": reason.ways.iter().map(|way| way.iter().map(step).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "ways_total": reason.ways_total,
        "through": reason.through,
    })
}
