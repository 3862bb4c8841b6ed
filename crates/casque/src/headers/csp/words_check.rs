//! The values of directives that hold no sources.

use super::check::{Checked, Token, shown};
use super::names::{SANDBOX, Shape};
use crate::nearest::nearest;

/// Checks the values that are clean to the byte; `written` is how many there were.
pub(super) fn words(shape: Shape, name: Token<'_>, values: &[Token<'_>], written: usize, checked: &mut Checked) {
    match shape {
        Shape::Flag => {
            if let Some(first) = values.first() {
                checked.error(first.span(), format!("`{}` takes no value", name.text), format!("write `{}` alone", name.text));
            }
        }
        Shape::Sandbox => values.iter().for_each(|v| choice(*v, "sandbox", &SANDBOX, checked)),
        Shape::WebRtc => {
            exactly_one(name, values, written, "'allow' or 'block'", checked);
            values.iter().for_each(|v| choice(*v, "webrtc", &["'allow'", "'block'"], checked));
        }
        Shape::Sinks => {
            if written == 0 {
                checked.error(name.span(), format!("`{}` has no value", name.text), "write 'script'");
            }
            values.iter().for_each(|v| choice(*v, "require-trusted-types-for", &["'script'"], checked));
        }
        Shape::PolicyNames => policy_names(values, checked),
        Shape::Endpoint => {
            exactly_one(name, values, written, "the name of one endpoint", checked);
            for value in values {
                if !value.text.bytes().all(is_token_byte) {
                    let message = format!("`{}` is no endpoint's name", shown(value.text));
                    checked.error(value.span(), message, "write a name that the header Reporting-Endpoints defines");
                }
            }
        }
        Shape::Addresses => {
            if written == 0 {
                checked.error(name.span(), format!("`{}` has no value", name.text), "write the address that reports go to");
            }
            for value in values {
                if let Some(bad) = value.text.bytes().find(|b| b"\"<>\\^`{|}".contains(b)) {
                    let message = format!("`{}` cannot be in the address `{}`", char::from(bad), shown(value.text));
                    checked.error(value.span(), message, format!("write %{bad:02X}"));
                }
            }
        }
        Shape::Sources | Shape::Ancestors | Shape::Words => {}
    }
    if matches!(shape, Shape::Sandbox | Shape::Sinks | Shape::PolicyNames | Shape::Addresses) {
        repeated(name, values, checked);
    }
}

/// Warns of values that stand twice.
pub(super) fn repeated(name: Token<'_>, values: &[Token<'_>], checked: &mut Checked) {
    let mut seen = std::collections::HashSet::new();
    for value in values {
        if !seen.insert(value.text) {
            checked.warn(value.span(), format!("`{}` stands twice in `{}`", shown(value.text), name.text), "once is enough");
        }
    }
}

fn exactly_one(name: Token<'_>, values: &[Token<'_>], written: usize, wanted: &str, checked: &mut Checked) {
    match values {
        [_, second, ..] => checked.error(second.span(), format!("`{}` takes one value", name.text), format!("write {wanted}")),
        [] if written == 0 => checked.error(name.span(), format!("`{}` has no value", name.text), format!("write {wanted}")),
        _ => {}
    }
}

fn choice(value: Token<'_>, name: &str, choices: &[&'static str], checked: &mut Checked) {
    if choices.iter().any(|c| c.eq_ignore_ascii_case(value.text)) {
        return;
    }
    let near = if checked.has_room() { nearest(value.text, choices.iter().copied()) } else { None };
    let bare = choices.iter().find(|c| c.trim_matches('\'').eq_ignore_ascii_case(value.text));
    let label = match (bare, near) {
        (Some(quoted), _) => format!("write it in quotes: {quoted}"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => format!("known here: {}", choices.join(" ")),
    };
    checked.error(value.span(), format!("`{name}` cannot be `{}`", shown(value.text)), label);
}

/// Trusted Types, 4.2.
fn policy_names(values: &[Token<'_>], checked: &mut Checked) {
    for value in values {
        let text = value.text;
        let quoted = ["'allow-duplicates'", "'none'"];
        let lower = text.to_ascii_lowercase();
        if text == "*" || quoted.contains(&lower.as_str()) {
            if lower == "'none'" && values.len() > 1 {
                checked.error(value.span(), "`'none'` stands beside other names, and browsers then pass over it", "leave one of them out");
            }
        } else if text.starts_with('\'') || text.ends_with('\'') {
            choice(*value, "trusted-types", &quoted, checked);
        } else if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-#=_/@.%".contains(&b)) {
            checked.error(value.span(), format!("`{}` is no policy's name", shown(text)), "names are of letters, digits and -#=_/@.%");
        } else if let Some(word) = quoted.iter().find(|q| q.trim_matches('\'') == lower) {
            checked.error(value.span(), format!("`{}` is read as a policy's name", shown(text)), format!("write it in quotes: {word}"));
        }
    }
}

/// RFC 9110, 5.6.2.
fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}
