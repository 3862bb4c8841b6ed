//! What answers usually mean, where no sign says so.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::back::is_marked;
use super::location::Redirect;
use super::{Answer, Look, Outcome};

/// What pages to log in at have in their paths, without `-` and `_`.
const LOGIN_PATHS: [&str; 7] = ["login", "signin", "logon", "sessions", "authenticate", "unauthorized", "denied"];
/// What a target has behind its path if something went wrong.
const WRONG: [&str; 7] = ["error", "fail", "invalid", "incorrect", "denied", "wrong", "unauthorized"];
/// Keys under which JSON says what went wrong.
const ERRORS: [&str; 7] = ["error", "errors", "err", "error_code", "errorcode", "error_message", "errormessage"];
/// Keys under which JSON says whether it went well.
const VERDICTS: [&str; 11] =
    ["success", "ok", "succeeded", "authenticated", "isauthenticated", "loggedin", "logged_in", "valid", "status", "result", "code"];

/// Whether the body decides.
pub(super) fn needs_body(answer: Answer<'_>) -> bool {
    answer.status.is_success() && answer.status.as_u16() != 204 && is_json(answer)
}

pub(super) fn read(answer: Answer<'_>, look: Option<&Look>) -> Outcome {
    let success = match answer.status.as_u16() {
        502..=504 => return Outcome::Neutral,
        204 => true,
        200..=299 if is_json(answer) => look.and_then(Look::whole).is_some_and(is_good_news),
        301..=303 | 307 | 308 => Redirect::of(answer).is_some_and(|redirect| leads_in(&redirect, answer.path)),
        _ => false,
    };
    if success { Outcome::Success } else { Outcome::Failure }
}

fn is_json(answer: Answer<'_>) -> bool {
    let essence = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().to_ascii_lowercase().ends_with("json"))
}

/// Whether a redirect leads away from logging in.
pub(super) fn leads_in(redirect: &Redirect, asked: &str) -> bool {
    let own = crate::path::normalize(asked.split(['?', '#']).next().unwrap_or(""));
    let plain = redirect.path.replace(['-', '_'], "");
    if is_marked(&redirect.rest) {
        return false;
    }
    redirect.path != own && !LOGIN_PATHS.iter().any(|name| plain.contains(name)) && !WRONG.iter().any(|word| redirect.rest.contains(word))
}

/// Whether a JSON body says nothing bad at its top.
fn is_good_news(body: &[u8]) -> bool {
    let Ok(Value::Object(top)) = serde_json::from_slice(body) else { return false };
    top.iter().all(|(key, value)| {
        let key = key.to_lowercase();
        if ERRORS.contains(&&*key) {
            return is_nothing(value);
        }
        !VERDICTS.contains(&&*key) || !is_bad(value)
    })
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) => false,
    }
}

fn is_bad(value: &Value) -> bool {
    match value {
        Value::Bool(good) => !good,
        Value::Number(number) => number.as_u64().is_some_and(|status| (400..600).contains(&status)),
        Value::String(text) => {
            let text = text.to_lowercase();
            ["false", "no", "ko", "401", "403", "unauthenticated"].contains(&&*text) || WRONG.iter().any(|word| text.contains(word))
        }
        _ => false,
    }
}
