//! `[store]` in casque.toml.
//!
//! ```toml
//! [store]
//! url = "env:CASQUE_REDIS_URL"    # or "redis://host:6379", "rediss://host:6379"; several as a list
//! secret = "env:CASQUE_SECRET"    # 32 bytes or more, the same wherever counts are shared
//! cluster = false                 # true: the addresses are nodes of a cluster
//! sentinel = "mymaster"           # the addresses are sentinels, which know the server of this name
//! ca-file = "/etc/redis/ca.pem"   # who signs the certificates of rediss://, in place of those whom the system trusts
//! timeout = "50ms"                # how long a decision may take
//! on-error = "local"              # while Redis cannot answer: local (count on here), allow, deny (503)
//! ```
//!
//! A text that begins with `env:` names a variable of the environment, so that no password has to stand in the file.

use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::time::Duration;

use super::options::{OnError, RedisOptions, check_url};
use crate::config::{At, Document, Problem, Section, Severity};

/// The variable that says where Redis is, unless the file does.
pub const URL_VARIABLE: &str = "CASQUE_REDIS_URL";
/// The variable that holds the secret, unless the file names another.
pub const SECRET_VARIABLE: &str = "CASQUE_SECRET";

/// What a text begins with that names a variable.
const VARIABLE: &str = "env:";
/// Bytes of certificates: the system's own come to a quarter of it.
const MAX_CA_FILE: u64 = 1 << 20;
const SECRET_HELP: &str = "32 bytes or more, the same wherever counts are shared; `openssl rand -hex 32` prints some";

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Where the section stands; `None`: nowhere.
    span: Option<Range<usize>>,
    urls: Vec<At<String>>,
    secret: Option<At<String>>,
    cluster: Option<At<bool>>,
    sentinel: Option<At<String>>,
    ca_file: Option<At<String>>,
    timeout: Option<Duration>,
    on_error: OnError,
}

impl Written {
    /// Reads the section.
    #[must_use]
    pub fn read(mut section: Section<'_, '_>) -> Self {
        let written = Self {
            span: Some(section.span()),
            urls: read_urls(&mut section),
            secret: section.string("secret"),
            cluster: section.boolean("cluster"),
            sentinel: section.string("sentinel"),
            ca_file: section.string("ca-file"),
            timeout: read_timeout(&mut section),
            on_error: read_on_error(&mut section),
        };
        if let (Some(At { value: true, span }), Some(_)) = (&written.cluster, &written.sentinel) {
            section.error(span.clone(), "a cluster has no sentinels", "take `cluster` or `sentinel` out");
        }
        let is_many = written.sentinel.is_some() || written.cluster.as_ref().is_some_and(|c| c.value);
        if let Some(second) = written.urls.get(1).filter(|_| !is_many) {
            section.error(second.span.clone(), "a second server", "say what they are: `cluster = true`, or `sentinel = \"mymaster\"`");
        }
        section.finish();
        written
    }

    /// The store: what the section says, or where there is none, what the variable [`URL_VARIABLE`] does. `variable` looks one up.
    ///
    /// `None`: there is none, or it cannot be had as written. That is an error of the document then.
    #[must_use]
    pub fn options(&self, variable: impl Fn(&str) -> Option<String>, document: &Document<'_>) -> Option<RedisOptions> {
        let mut warnings = Vec::new();
        let options = self.try_options(&variable, &mut warnings);
        warnings.into_iter().for_each(|warning| document.report(warning));
        options.unwrap_or_else(|error| {
            document.report(error);
            None
        })
    }

    fn try_options(&self, variable: Lookup<'_>, warnings: &mut Vec<Problem>) -> Result<Option<RedisOptions>, Problem> {
        let nowhere = self.span.clone().unwrap_or(0..0);
        let mut urls = self.urls.iter().map(|url| address(url, variable, warnings)).collect::<Result<Vec<_>, _>>()?;
        if urls.is_empty() {
            let Some(url) = variable(URL_VARIABLE) else {
                let label = format!("add url = \"redis://127.0.0.1:6379\", or set the variable {URL_VARIABLE}");
                return self.span.as_ref().map_or(Ok(None), |span| Err(error(span, "[store] without `url`", &label)));
            };
            check_url(&url).map_err(|label| error(&nowhere, &format!("the variable {URL_VARIABLE} is no address of Redis"), &label))?;
            urls.push(url);
        }
        let (secret, at) = match &self.secret {
            Some(written) => {
                if !written.value.starts_with(VARIABLE) {
                    let label = format!("with it and Redis one can find out who was counted; write \"env:{SECRET_VARIABLE}\"");
                    warnings.push(problem(Severity::Warning, &written.span, "the secret stands in the file", &label));
                }
                (named(written, variable)?, written.span.clone())
            }
            None => {
                let missing =
                    || error(&nowhere, &format!("Redis without a secret: the variable {SECRET_VARIABLE} is not set"), SECRET_HELP);
                (variable(SECRET_VARIABLE).ok_or_else(missing)?, nowhere.clone())
            }
        };
        let options = match (&self.cluster, &self.sentinel) {
            (Some(At { value: true, .. }), _) => RedisOptions::cluster(urls, &secret),
            (_, Some(name)) => RedisOptions::sentinel(urls, name.value.clone(), &secret),
            _ => RedisOptions::new(urls.swap_remove(0), &secret),
        };
        let mut options = options.map_err(|e| error(&at, &e.to_string(), SECRET_HELP))?.on_error(self.on_error);
        if let Some(file) = &self.ca_file {
            options = trusting(options, file)?;
        }
        Ok(Some(self.timeout.map_or(options.clone(), |timeout| options.timeout(timeout))))
    }
}

type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

fn problem(severity: Severity, span: &Range<usize>, message: &str, label: &str) -> Problem {
    Problem { severity, span: span.clone(), message: message.to_owned(), label: label.to_owned() }
}

fn error(span: &Range<usize>, message: &str, label: &str) -> Problem {
    problem(Severity::Error, span, message, label)
}

/// The text, or that of the variable that it names.
fn named(text: &At<String>, variable: Lookup<'_>) -> Result<String, Problem> {
    match text.value.strip_prefix(VARIABLE) {
        None => Ok(text.value.clone()),
        Some(name) => {
            variable(name).ok_or_else(|| error(&text.span, &format!("the variable {name} is not set"), "set it where casque is started"))
        }
    }
}

fn address(written: &At<String>, variable: Lookup<'_>, warnings: &mut Vec<Problem>) -> Result<String, Problem> {
    let url = named(written, variable)?;
    check_url(&url).map_err(|label| error(&written.span, "`url` is no address of Redis", &label))?;
    if !written.value.starts_with(VARIABLE) && written.value.contains('@') {
        let label = format!("write \"env:{URL_VARIABLE}\" and set that variable");
        warnings.push(problem(Severity::Warning, &written.span, "a password stands in the file", &label));
    }
    Ok(url)
}

/// A file is read when the policy is, so that one that cannot be used is an error of the policy.
fn trusting(options: RedisOptions, file: &At<String>) -> Result<RedisOptions, Problem> {
    let mut pem = Vec::new();
    let read = File::open(&file.value).and_then(|open| open.take(MAX_CA_FILE + 1).read_to_end(&mut pem));
    read.map_err(|e| error(&file.span, &format!("`ca-file` cannot be read: {e}"), "expected the path of certificates in PEM"))?;
    if pem.len() as u64 > MAX_CA_FILE {
        return Err(error(&file.span, "`ca-file` has more than a MiB", "name the certificates that sign those of this Redis alone"));
    }
    options.ca(pem).map_err(|e| error(&file.span, "`ca-file` is of no use", &e.to_string()))
}

fn read_urls(section: &mut Section<'_, '_>) -> Vec<At<String>> {
    let Some(value) = section.value("url") else { return Vec::new() };
    let list = match (value.as_str(), value.as_texts()) {
        (Some(one), _) => vec![At { value: one, span: value.span() }],
        (None, Some(list)) => list,
        (None, None) => {
            section.error(
                value.span(),
                format!("`url` is {}", value.kind()),
                "expected a text such as \"redis://127.0.0.1:6379\", or a list of them",
            );
            Vec::new()
        }
    };
    list.into_iter().map(|url| url.map(str::to_owned)).collect()
}

fn read_on_error(section: &mut Section<'_, '_>) -> OnError {
    let Some(on_error) = section.choice("on-error", &OnError::NAMES) else { return OnError::default() };
    if on_error.value == OnError::Allow {
        let label = "whoever can make it fail may try as many passwords as he likes";
        section.warn(on_error.span, "nothing is limited while Redis cannot answer", label);
    }
    on_error.value
}

fn read_timeout(section: &mut Section<'_, '_>) -> Option<Duration> {
    let timeout = section.duration("timeout")?;
    if (1..=5000).contains(&timeout.value.as_millis()) {
        return Some(timeout.value);
    }
    section.error(timeout.span, "`timeout` cannot be that", "expected 1 ms to 5 s: every request waits so long for a Redis that hangs");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn variable(name: &str) -> Option<String> {
        match name {
            "CASQUE_SECRET" => Some(SECRET.to_owned()),
            "URL" => Some("redis://:hunter2@cache.internal".to_owned()),
            "BAD" => Some("hunter2".to_owned()),
            _ => None,
        }
    }

    fn run(text: &str, variable: impl Fn(&str) -> Option<String>) -> (Option<RedisOptions>, Vec<String>) {
        let document = Document::parse(text);
        let mut root = document.root();
        let written = root.section("store").map(Written::read).unwrap_or_default();
        root.finish();
        let options = written.options(variable, &document);
        (options, document.problems().into_iter().map(|p| format!("{:?} {} | {}", p.severity, p.message, p.label)).collect())
    }

    #[test]
    fn a_store_reads_as_written() {
        let (options, problems) = run("[store]\nurl = \"env:URL\"\ntimeout = \"20ms\"\non-error = \"deny\"\n", variable);
        assert_eq!(problems, [""; 0]);
        let expected = RedisOptions::new("redis://:hunter2@cache.internal", SECRET).unwrap();
        assert_eq!(options, Some(expected.timeout(Duration::from_millis(20)).on_error(OnError::Deny)));
        let (options, problems) = run("[store]\nurl = [\"redis://a\", \"redis://b\"]\nsentinel = \"mymaster\"\n", variable);
        assert_eq!((options.map(|o| o.addresses()).as_deref(), problems), (Some("mymaster of sentinels redis://a, redis://b"), vec![]));
        let (options, _) = run("[store]\nurl = [\"redis://a\"]\ncluster = true\n", variable);
        assert_eq!(options.map(|o| o.addresses()).as_deref(), Some("cluster redis://a"));
    }

    #[test]
    fn the_variables_alone_make_a_store() {
        assert_eq!(run("", variable), (None, vec![]));
        let set = |name: &str| if name == URL_VARIABLE { Some("redis://c".to_owned()) } else { variable(name) };
        for text in ["", "[store]\n"] {
            assert_eq!(run(text, set).0.map(|o| o.addresses()).as_deref(), Some("redis://c"));
        }
    }

    #[test]
    fn what_cannot_be_a_store_is_an_error_that_tells_no_secret() {
        for (text, told) in [
            ("", "[store] without `url`"),
            ("url = \"env:NOT\"", "the variable NOT is not set"),
            ("url = \"env:BAD\"", "`url` is no address of Redis"),
            ("url = \"http://a\"", "`url` is no address of Redis"),
            ("url = \"redis://a\"\nsecret = \"env:NOT\"", "the variable NOT is not set"),
            ("url = \"redis://a\"\nsecret = \"short\"", "a secret of 5 bytes"),
            ("url = [\"redis://a\", \"redis://b\"]", "a second server"),
            ("url = \"redis://a\"\ncluster = true\nsentinel = \"m\"", "a cluster has no sentinels"),
            ("url = 3", "`url` is an integer"),
            ("url = \"redis://a\"\ntimeout = \"10s\"", "`timeout` cannot be that"),
            ("url = \"redis://a\"\non-eror = \"deny\"", "unknown key `on-eror`"),
        ] {
            let (_, problems) = run(&format!("[store]\n{text}\n"), variable);
            assert!(problems.iter().any(|p| p.starts_with("Error") && p.contains(told)), "{text}: {problems:?}");
            assert!(!problems.iter().any(|p| p.contains("hunter2")), "{problems:?}");
        }
        let (options, problems) = run("[store]\nurl = \"redis://a\"\n", |_| None);
        assert!(options.is_none() && problems[0].contains("CASQUE_SECRET is not set"), "{problems:?}");
    }

    #[test]
    #[cfg(feature = "redis-tls")]
    fn certificates_are_read_with_the_policy() {
        let folder = std::env::temp_dir().join(format!("casque-ca-{:x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).unwrap();
        let pem = rcgen::generate_simple_self_signed(vec!["h".to_owned()]).unwrap().cert.pem();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name).display().to_string()
        };
        let (good, empty, none) = (file("good", &pem), file("empty", ""), folder.join("none").display().to_string());
        let large = file("large", &" ".repeat(1 + (1 << 20)));
        let of = |url: &str, path: &str| run(&format!("[store]\nurl = \"{url}\"\nca-file = '{path}'\n"), variable);
        let (options, problems) = of("rediss://a", &good);
        let expected = RedisOptions::new("rediss://a", SECRET).unwrap().ca(pem).unwrap();
        assert_eq!((options, problems), (Some(expected), vec![]));
        for (url, path, told) in [
            ("rediss://a", &none, "cannot be read"),
            ("rediss://a", &empty, "no certificate"),
            ("rediss://a", &large, "more than a MiB"),
            ("redis://a", &good, "without TLS"),
        ] {
            let (options, problems) = of(url, path);
            assert!(options.is_none() && problems.iter().any(|p| p.starts_with("Error") && p.contains(told)), "{told}: {problems:?}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_dangerous_is_a_warning() {
        let text = format!("[store]\nurl = \"redis://:hunter2@a\"\nsecret = \"{SECRET}\"\non-error = \"allow\"\n");
        let (options, problems) = run(&text, variable);
        assert!(options.is_some());
        for told in ["a password stands in the file", "the secret stands in the file", "nothing is limited while"] {
            assert!(problems.iter().any(|p| p.starts_with("Warning") && p.contains(told)), "{told}: {problems:?}");
        }
    }
}
