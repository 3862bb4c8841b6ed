//! What `[login-secret]` leads to: secrets in variables and files, never in the policy itself.

use std::ops::Range;

use casque::config::{Document, Problem, Severity};
use casque::login::Secrets;
use casque::login::challenge::Vouching;
use casque::login::config::SecretSection;
use casque_gateway::policy::LoginSecrets;

use crate::env;

/// The variable that is looked at where none is named.
pub(crate) const DEFAULT: &str = "CASQUE_SECRET";

/// Reads the secrets. What is wrong with them is reported at the place that names them, and never what they are.
pub(crate) fn find(section: &SecretSection, document: &Document<'_>) -> LoginSecrets {
    let report = |span: &Range<usize>, message: String, label: &str| {
        document.report(Problem { severity: Severity::Error, span: span.clone(), message, label: label.to_owned() });
    };
    let mut all: Vec<(Range<usize>, String, String)> = Vec::new();
    if section.is_empty() {
        let text = env::secret(DEFAULT).unwrap_or_default();
        all.extend(each(&text).map(|secret| (section.span.clone(), DEFAULT.to_owned(), secret.to_owned())));
    }
    for name in &section.env {
        match env::secret(&name.value) {
            Some(text) => all.extend(each(&text).map(|secret| (name.span.clone(), name.value.clone(), secret.to_owned()))),
            None => report(&name.span, format!("the variable `{}` is not set", name.value), "set it, or take it out of [login-secret]"),
        }
    }
    for path in &section.file {
        match std::fs::read_to_string(&path.value) {
            Ok(text) => all.extend(each(&text).map(|secret| (path.span.clone(), path.value.clone(), secret.to_owned()))),
            Err(error) => {
                report(&path.span, format!("cannot read `{}`: {error}", path.value), "it holds one secret in a line, newest first")
            }
        }
    }
    let secrets = if all.is_empty() { None } else { checked(&all, report) };
    let vouching = section.captcha_env.as_ref().and_then(|name| {
        let Some(text) = env::secret(&name.value) else {
            report(&name.span, format!("the variable `{}` is not set", name.value), "your captcha page has the same secret");
            return None;
        };
        Vouching::new(text.trim()).map_err(|error| report(&name.span, format!("`{}`: {error}", name.value), NAMED_HERE)).ok()
    });
    LoginSecrets { secrets, vouching }
}

const NAMED_HERE: &str = "named here";

fn checked(all: &[(Range<usize>, String, String)], report: impl Fn(&Range<usize>, String, &str)) -> Option<Secrets> {
    match Secrets::new(all.iter().map(|(_, _, secret)| secret)) {
        Ok(secrets) => Some(secrets),
        Err(error) => {
            let (span, source, _) = &all[error.index.min(all.len() - 1)];
            report(span, format!("`{source}`: {error}"), NAMED_HERE);
            None
        }
    }
}

/// Secrets in a text, newest first, one in a line or with commas between them.
fn each(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r', ',']).map(str::trim).filter(|s| !s.is_empty())
}
