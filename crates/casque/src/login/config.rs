//! `[[login]]` and `[login-secret]` in casque.toml.
//!
//! ```toml
//! [[login]]
//! name = "login"
//! paths = ["/login"]               # patterns, as of limits
//! methods = ["POST"]               # the default
//! mode = "enforce"                 # enforce, shadow (count and log only) or off
//! account = { form = "email", json = "/user/email" }     # where the name is; also header, basic = true, most
//! success = { status = "302", location-not = "/login" }  # also location, set-cookie, body-contains, body-lacks
//! failure = { status = ["401", "422"] }
//! budgets = { device = "10/1h", account = "5/1h", source = "20/1h", network = "300/1h" }
//! at-once = 32                     # attempts that the app may be looking at; also at-once-per-account
//! on-exceed = "429"                # or stealth-401
//! challenges = true                # false: refuse instead
//! captcha = "/captcha"             # instead of proofs of work: a page of yours
//! step-up = "/login/by-mail"       # instead of every challenge: another way to log in
//! devices = "180d"                 # how long a browser is known; "none"
//! devices-of = "login"             # the guard that it is known to; this one unless told otherwise
//!
//! [login-secret]
//! env = "CASQUE_SECRET"            # variables that hold the secret, newest first; this is the default
//! file = "/run/secrets/casque"     # or files
//! captcha-env = "CAPTCHA_SECRET"   # what your captcha page vouches with
//! ```

use std::ops::Range;
use std::time::Duration;

use http::HeaderName;

use super::account::AccountFields;
use super::budgets::Budgets;
use super::challenge::{Escalation, HookUrl, Step};
use super::device::Devices;
use super::guard::AtOnce;
use super::outcome::{Sign, Signs};
use super::policy::{Exceeded, Login};
use crate::config::{At, Section, rate};
use crate::limit::{Mode, Quota};

/// Reads all `[[login]]` sections. Those that were refused are left out.
#[must_use]
pub fn read(sections: Vec<Section<'_, '_>>) -> Vec<Login> {
    let mut logins: Vec<Login> = Vec::new();
    for section in sections {
        if let Some(login) = read_one(section, &logins) {
            logins.push(login);
        }
    }
    logins
}

fn read_one(mut section: Section<'_, '_>, earlier: &[Login]) -> Option<Login> {
    let name = section.parsed("name", "a text in quotes", |s| {
        let plain = !s.is_empty() && s.len() <= 64 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if plain { Ok(s.to_owned()) } else { Err("expected 1 to 64 letters, digits, `-`, `_` or `.`".to_owned()) }
    });
    if let Some(name) = &name
        && earlier.iter().any(|l| l.name() == name.value)
    {
        let label = "guards of one name share their counts; give each its own";
        section.error(name.span.clone(), format!("a second guard is called `{}`", name.value), label);
    }
    let has_paths = section.has("paths");
    let paths = section.patterns("paths");
    for (missing, key, example) in [(!section.has("name"), "name", "\"login\""), (!has_paths, "paths", "[\"/login\"]")] {
        if missing {
            section.error(section.span(), format!("[[login]] without `{key}`"), format!("add {key} = {example}"));
        }
    }
    let methods = section.methods("methods");
    let mode = section.choice("mode", &Mode::NAMES);
    let accounts = section.section("account").map(account);
    let signs = signs(&mut section);
    let budgets = section.section("budgets").map(budgets).unwrap_or_default();
    let at_once = at_once(&mut section);
    let exceeded = section.choice("on-exceed", &Exceeded::NAMES).map(|e| e.value).unwrap_or_default();
    let escalation = escalation(&mut section);
    let devices = section.duration_or("devices", "none");
    let devices_of = section.string("devices-of");
    section.finish();

    let mut login = Login::of(name?.value, paths).signs(signs).budgets(budgets).at_once(at_once).exceeded(exceeded).challenges(escalation);
    if !methods.is_empty() {
        login = login.methods(methods);
    }
    if let Some(mode) = mode {
        login = login.mode(mode.value);
    }
    if let Some(accounts) = accounts {
        login = login.accounts(accounts);
    }
    if let Some(devices) = devices {
        login = login.devices(devices.value.map(|max_age| Devices { max_age, ..Devices::default() }));
    }
    if let Some(guard) = devices_of {
        login = login.devices_of(guard.value);
    }
    has_paths.then_some(login)
}

fn account(mut section: Section<'_, '_>) -> AccountFields {
    let mut fields = AccountFields::none();
    let mut any = false;
    for name in texts(&mut section, "form") {
        match fields.clone().form(&name.value) {
            Ok(with) => (fields, any) = (with, true),
            Err(problem) => section.error(name.span, format!("`form` cannot be \"{}\"", name.value), problem),
        }
    }
    for pointer in texts(&mut section, "json") {
        match fields.clone().json(&pointer.value) {
            Ok(with) => (fields, any) = (with, true),
            Err(problem) => section.error(pointer.span, format!("`json` cannot be \"{}\"", pointer.value), problem),
        }
    }
    for header in texts(&mut section, "header") {
        match HeaderName::try_from(header.value.as_str()) {
            Ok(name) if name == http::header::AUTHORIZATION => {
                section.error(header.span, "Authorization holds more than a name", "for HTTP Basic write basic = true");
            }
            Ok(name) => (fields, any) = (fields.header(name), true),
            Err(_) => section.error(header.span, format!("`{}` is no name of a header field", header.value), "for example \"x-api-key\""),
        }
    }
    if section.boolean("basic").is_some_and(|b| b.value) {
        (fields, any) = (fields.basic(), true);
    }
    if let Some(most) = section.integer("most", 1..=4) {
        fields = fields.most(usize::try_from(most.value).unwrap_or(1));
    }
    if !any {
        section.error(section.span(), "`account` names no field", "for example account = { form = \"email\", json = \"/email\" }");
    }
    section.finish();
    fields
}

fn signs(section: &mut Section<'_, '_>) -> Signs {
    let mut signs = Signs::new();
    if let Some(success) = section.section("success") {
        signs = signs.success(sign(success));
    }
    if let Some(failure) = section.section("failure") {
        signs = signs.failure(sign(failure));
    }
    signs
}

fn sign(mut section: Section<'_, '_>) -> Sign {
    let mut sign = Sign::new();
    let mut any = false;
    type Add = fn(Sign, &str) -> Result<Sign, String>;
    let parts: [(&'static str, Add); 6] = [
        ("status", Sign::status),
        ("location", Sign::location),
        ("location-not", Sign::location_not),
        ("set-cookie", |s, name| Ok(s.set_cookie(name))),
        ("body-contains", |s, marker| Ok(s.body_contains(marker.as_bytes()))),
        ("body-lacks", |s, marker| Ok(s.body_lacks(marker.as_bytes()))),
    ];
    for (key, add) in parts {
        for written in texts(&mut section, key) {
            if written.value.is_empty() {
                section.error(written.span, format!("`{key}` is empty"), "an empty text is in every answer");
                continue;
            }
            match add(sign.clone(), &written.value) {
                Ok(with) => (sign, any) = (with, true),
                Err(problem) => section.error(written.span, format!("`{key}` cannot be \"{}\"", written.value), problem),
            }
        }
    }
    if !any {
        section.error(section.span(), "this sign fits no answer", "for example { status = \"401\" }");
    }
    section.finish();
    sign
}

fn budgets(mut section: Section<'_, '_>) -> Budgets {
    let mut budgets = Budgets::default();
    for (key, slot) in [
        ("device", &mut budgets.device),
        ("account", &mut budgets.account),
        ("account-challenged", &mut budgets.account_challenged),
        ("source", &mut budgets.source),
        ("source-challenged", &mut budgets.source_challenged),
        ("network", &mut budgets.network),
    ] {
        let quota = section.parsed(key, "a rate such as \"10/1h\"", |s| rate(s).map(|(number, window)| Quota::new(number, window)));
        if let Some(quota) = quota {
            if quota.value.requests() > 1000 && quota.value.window() <= Duration::from_secs(3600) {
                section.warn(quota.span, format!("`{key}` lets {} wrong passwords through", quota.value), "people mistype a few times");
            }
            *slot = quota.value;
        }
    }
    section.finish();
    budgets
}

fn at_once(section: &mut Section<'_, '_>) -> AtOnce {
    let mut at_once = AtOnce::default();
    for (key, slot) in [("at-once", &mut at_once.all), ("at-once-per-account", &mut at_once.per_account)] {
        if let Some(written) = section.integer(key, 1..=10_000) {
            *slot = usize::try_from(written.value).unwrap_or(usize::MAX);
        }
    }
    at_once
}

fn escalation(section: &mut Section<'_, '_>) -> Option<Escalation> {
    let on = section.boolean("challenges");
    let url = |s: &str| HookUrl::parse(s).map_err(|e| e.to_string());
    let captcha = section.parsed("captcha", "a URL or a path of this site", url);
    let step_up = section.parsed("step-up", "a URL or a path of this site", url);
    if let (Some(_), Some(other)) = (&captcha, &step_up) {
        section.error(other.span.clone(), "both `captcha` and `step-up`", "a browser can be sent to one page; take one out");
    }
    let is_off = on.as_ref().is_some_and(|on| !on.value);
    for hook in [&captcha, &step_up].into_iter().flatten().filter(|_| is_off) {
        section.error(hook.span.clone(), "challenges are off", "take `challenges = false` out, or this");
    }
    if is_off {
        return None;
    }
    Some(match (captcha, step_up) {
        (Some(url), _) => Escalation::always(&Step::External { url: url.value }),
        (None, Some(url)) => Escalation::always(&Step::StepUp { url: url.value }),
        (None, None) => Escalation::default(),
    })
}

/// A text, or a list of texts.
fn texts(section: &mut Section<'_, '_>, key: &'static str) -> Vec<At<String>> {
    let Some(value) = section.value(key) else { return Vec::new() };
    let one = value.as_str().map(|text| vec![At { value: text, span: value.span() }]);
    match one.or_else(|| value.as_texts()) {
        Some(texts) => texts.into_iter().map(|t| At { value: t.value.to_owned(), span: t.span }).collect(),
        None => {
            section.error(value.span(), format!("`{key}` is {}", value.kind()), "expected a text in quotes, or a list of them");
            Vec::new()
        }
    }
}

/// `[login-secret]`: where the secrets are. They are read by whoever runs the guard, for a file in a repository is no place for one.
#[derive(Debug, Clone, Default)]
pub struct SecretSection {
    /// Variables, newest first. Default: `CASQUE_SECRET`.
    pub env: Vec<At<String>>,
    /// Files, newest first, after the variables.
    pub file: Vec<At<String>>,
    /// The variable with the captcha page's secret.
    pub captcha_env: Option<At<String>>,
    /// Where the section stands.
    pub span: Range<usize>,
}

impl SecretSection {
    /// Whether it names no secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.env.is_empty() && self.file.is_empty()
    }

    /// Reads the section.
    #[must_use]
    pub fn read(mut section: Section<'_, '_>) -> Self {
        let read = Self {
            env: texts(&mut section, "env"),
            file: texts(&mut section, "file"),
            captcha_env: section.string("captcha-env"),
            span: section.span(),
        };
        section.finish();
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;

    fn read_text(text: &str) -> (Vec<Login>, Vec<String>) {
        let document = Document::parse(text);
        let mut root = document.root();
        let logins = read(root.sections("login").unwrap_or_default());
        root.finish();
        (logins, document.problems().into_iter().map(|p| format!("{}: {}", p.message, p.label)).collect())
    }

    #[test]
    fn everything_that_the_module_shows_is_read() {
        let (logins, problems) = read_text(
            r#"
            [[login]]
            name = "login"
            paths = ["/login"]
            methods = ["POST"]
            mode = "shadow"
            account = { form = "email", json = ["/user/email", "/email"], header = "x-api-key", basic = true, most = 2 }
            success = { status = "302", location-not = "/login", set-cookie = "sid" }
            failure = { status = ["401", "4xx"], body-contains = "wrong" }
            budgets = { device = "10/1h", account = "5/1h", account-challenged = "5/1h", source = "20/1h", source-challenged = "8/1h", network = "300/1h" }
            at-once = 64
            at-once-per-account = 4
            on-exceed = "stealth-401"
            captcha = "https://captcha.example/"
            devices = "90d"
            [[login]]
            name = "reset"
            paths = ["/reset"]
            challenges = false
            devices = "none"
            devices-of = "login"
            "#,
        );
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(logins.iter().map(Login::name).collect::<Vec<_>>(), ["login", "reset"]);
        assert!(logins[0].escalation.is_some() && logins[1].escalation.is_none());
        assert!(logins[0].devices.is_some() && logins[1].devices.is_none());
    }

    #[test]
    fn mistakes_are_told_at_their_place_with_the_remedy() {
        for (written, told) in [
            ("paths = [\"/login\"]", "[[login]] without `name`: add name = \"login\""),
            ("name = \"a\"", "[[login]] without `paths`: add paths"),
            ("name = \"a b\"\npaths = [\"/x\"]", "`name` cannot be \"a b\""),
            ("name = \"a\"\npaths = [\"/x\"]\naccount = {}", "`account` names no field"),
            ("name = \"a\"\npaths = [\"/x\"]\naccount = { json = \"email\" }", "must start with `/`"),
            ("name = \"a\"\npaths = [\"/x\"]\naccount = { header = \"authorization\" }", "write basic = true"),
            ("name = \"a\"\npaths = [\"/x\"]\nsuccess = { status = \"ok\" }", "write 302, 2xx or 400-422"),
            ("name = \"a\"\npaths = [\"/x\"]\nfailure = {}", "this sign fits no answer"),
            ("name = \"a\"\npaths = [\"/x\"]\nbudgets = { acount = \"1/1h\" }", "did you mean `account`?"),
            ("name = \"a\"\npaths = [\"/x\"]\nbudgets = { account = \"many\" }", "`account` cannot be \"many\""),
            ("name = \"a\"\npaths = [\"/x\"]\nbudgets = { account = \"9000/1m\" }", "people mistype a few times"),
            ("name = \"a\"\npaths = [\"/x\"]\ncaptcha = \"javascript:x\"", "`captcha` cannot be"),
            ("name = \"a\"\npaths = [\"/x\"]\nchallenges = false\nstep-up = \"/mail\"", "challenges are off"),
            ("name = \"a\"\npaths = [\"/x\"]\ncaptcha = \"/c\"\nstep-up = \"/mail\"", "both `captcha` and `step-up`"),
        ] {
            let (_, problems) = read_text(&format!("[[login]]\n{written}"));
            assert!(problems.iter().any(|p| p.contains(told)), "{written}: {problems:?}");
        }
        let (_, problems) = read_text("[[login]]\nname = \"a\"\npaths = [\"/x\"]\n[[login]]\nname = \"a\"\npaths = [\"/y\"]");
        assert!(problems[0].contains("a second guard is called `a`"), "{problems:?}");
    }
}
