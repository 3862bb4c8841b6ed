//! The headers for one channel and one class, ready to send.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_SECURITY_POLICY_REPORT_ONLY;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::catalog;
use super::channel::Channel;
use super::class::Class;
use super::csp::{Additions, Csp, Template};
use super::merge::Mode;
use super::nonce::Nonce;
use super::origin::Origin;

/// One header of a policy before it is compiled.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: HeaderName,
    /// A preset's own value stays static: then nothing is counted when it is put on a response.
    pub(super) value: Cow<'static, str>,
    pub(super) mode: Mode,
    pub(super) classes: u8,
    pub(super) origin: Origin,
}

/// The headers for one channel and one class, ready to send.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub(super) entries: Vec<Entry>,
    /// Those that are the same on every response, with room for as many of the app's.
    pub(super) ready: HeaderMap,
    /// Where the others are among the entries.
    pub(super) late: Vec<usize>,
    nonced: bool,
}

impl Block {
    /// The headers, sorted by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a nonce stands in one of them.
    pub(super) fn is_nonced(&self) -> bool {
        self.nonced
    }
}

impl FromIterator<Entry> for Block {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let mut ready = HeaderMap::with_capacity(2 * entries.len());
        let mut late = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            match &entry.value {
                Value::Fixed(value) if !entry.on_success => _ = ready.insert(&entry.name, value.clone()),
                _ => late.push(i),
            }
        }
        let nonced = entries.iter().any(Entry::is_nonced);
        Self { entries, ready, late, nonced }
    }
}

/// One header of a [`Block`].
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) name: HeaderName,
    value: Value,
    pub(super) mode: Mode,
    /// Sent with 2xx and 3xx alone.
    pub(super) on_success: bool,
    /// The value once more, where it is a Content-Security-Policy: to compare it and to add to it.
    pub(super) csp: Option<Arc<Csp>>,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Value {
    Fixed(HeaderValue),
    /// A gap where the nonce goes.
    Nonced(Arc<Template>),
}

impl Entry {
    /// The name, lower case.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// How it meets the app's own.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Who wrote it.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The value for one response. Allocates only where the nonce stands in it.
    #[must_use]
    pub fn value(&self, nonce: Option<&Nonce>) -> HeaderValue {
        match &self.value {
            Value::Fixed(value) => value.clone(),
            Value::Nonced(template) => {
                let fresh;
                let nonce = match nonce {
                    Some(nonce) => nonce,
                    // Nobody was told of a nonce in time, so none of the page's scripts can have it; they are blocked, not let through.
                    None => {
                        fresh = Nonce::fresh();
                        &fresh
                    }
                };
                with_nonce(template, nonce)
            }
        }
    }

    /// The value with `'nonce-...'` where each response's nonce goes; `None` where none does.
    #[must_use]
    pub fn template(&self) -> Option<String> {
        let Value::Nonced(template) = &self.value else { return None };
        Some(template.pieces().join("..."))
    }

    /// Whether the nonce stands in it.
    #[must_use]
    pub fn is_nonced(&self) -> bool {
        matches!(self.value, Value::Nonced(_))
    }
}

/// Pieces and nonces in turn, in one buffer.
fn with_nonce(template: &Template, nonce: &Nonce) -> HeaderValue {
    let mut text = BytesMut::with_capacity(template.len_with(Nonce::LEN));
    for (i, piece) in template.pieces().iter().enumerate() {
        if i > 0 {
            text.extend_from_slice(nonce.as_str().as_bytes());
        }
        text.extend_from_slice(piece.as_bytes());
    }
    to_value(text.freeze())
}

/// Only visible ASCII and spaces come here, so this cannot fail; an empty value would be dropped by the caller's check of its own.
pub(super) fn to_value(text: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// Why a rule adds nothing to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// Browsers ignore it over plain HTTP, or it must not be sent there (RFC 6797 section 7.2).
    PlainHttp,
    /// HSTS for `localhost` would break every other local project, and for an address browsers ignore it.
    LocalName,
    /// Responses of this class have no use for it.
    Class,
    /// Nothing of the value is left on this channel.
    Empty,
}

impl LeftOut {
    /// In words, to stand after the header's name.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::PlainHttp => "not over plain http: browsers ignore it there",
            Self::LocalName => "not for localhost and addresses",
            Self::Class => "of no use to a response of this kind",
            Self::Empty => "nothing of it is left over plain http",
        }
    }
}

/// A rule on a channel and for a class: left out, changed or as it is.
pub(super) fn compile(rule: &Rule, channel: Channel, class: u8) -> Result<Entry, LeftOut> {
    let name = rule.name.as_str();
    if rule.classes & class == 0 {
        return Err(LeftOut::Class);
    }
    if channel == Channel::Http && catalog::known(name).is_some_and(|k| k.https_only) {
        return Err(LeftOut::PlainHttp);
    }
    if channel == Channel::HttpsLocal && name == "strict-transport-security" {
        return Err(LeftOut::LocalName);
    }
    let is_csp = catalog::is_csp(name);
    let text = if is_csp { adapted(rule, channel, class).ok_or(LeftOut::Empty)? } else { rule.value.clone() };
    // Rules were checked when they were set, so this is no second look at errors.
    let csp = is_csp.then(|| Csp::parse(&text).unwrap_or_else(|_| Csp::parse_lenient(&text))).map(Arc::new);
    let value = match csp.as_ref().filter(|c| c.uses_nonce()) {
        Some(csp) => Value::Nonced(Arc::new(csp.template())),
        None => Value::Fixed(match text {
            Cow::Borrowed(text) => HeaderValue::from_static(text),
            Cow::Owned(text) => to_value(Bytes::from(text)),
        }),
    };
    let on_success = name == "clear-site-data";
    Ok(Entry { name: rule.name.clone(), value, mode: rule.mode, on_success, csp, origin: rule.origin.clone() })
}

/// A policy as it suits a channel and a class; `None` when nothing is left of it.
///
/// - `upgrade-insecure-requests` goes on all channels but HTTPS under a real name: it sends every subresource to a port where
///   nothing answers (Safari even for localhost). In report-only policies it has no effect, as `sandbox` has none.
/// - Over plain HTTP browsers take no `Reporting-Endpoints`, but go by a `report-to` that then leads nowhere instead of by `report-uri`.
/// - The nonce is for pages. A worker takes its policy from its script, and what it loads has no element to carry a nonce; and
///   scripts, unlike pages with a nonce, are to be kept.
fn adapted(rule: &Rule, channel: Channel, class: u8) -> Option<Cow<'static, str>> {
    let report_only = rule.name == CONTENT_SECURITY_POLICY_REPORT_ONLY;
    let name_of = |d: &str| d.split_ascii_whitespace().next().unwrap_or("").to_ascii_lowercase();
    let directives: Vec<(&str, String)> = rule.value.split(';').map(|d| (d, name_of(d))).collect();
    let has = |name: &str| directives.iter().any(|(_, n)| n == name);
    let goes = |name: &str| match name {
        "upgrade-insecure-requests" => channel != Channel::Https || report_only,
        "sandbox" => report_only,
        "report-to" => channel == Channel::Http && has("report-uri"),
        _ => false,
    };
    let loses_nonce = class != Class::Page as u8 && rule.value.contains(NONCE_PLACEHOLDER);
    if !loses_nonce && !directives.iter().any(|(_, n)| goes(n)) {
        return Some(rule.value.clone());
    }
    let kept = directives.iter().filter(|(_, n)| !goes(n));
    let kept: Vec<String> = kept.map(|(d, _)| if loses_nonce { without_nonce(d) } else { (*d).to_owned() }).collect();
    let kept = kept.join(";");
    (!kept.trim_matches([';', ' ']).is_empty()).then(|| Cow::Owned(kept.trim().to_owned()))
}

/// What stands in a policy where each response's nonce is to stand.
const NONCE_PLACEHOLDER: &str = "'nonce'";

/// A directive without the nonce. One that allowed nothing else then allows nothing.
fn without_nonce(directive: &str) -> String {
    if !directive.contains(NONCE_PLACEHOLDER) {
        return directive.to_owned();
    }
    let lead = &directive[..directive.len() - directive.trim_start().len()];
    let kept: Vec<&str> = directive.split_ascii_whitespace().filter(|w| *w != NONCE_PLACEHOLDER).collect();
    let none = if kept.len() == 1 { " 'none'" } else { "" };
    format!("{lead}{}{none}", kept.join(" "))
}

/// A Content-Security-Policy with sources that the app asked for, for one response.
#[cold]
pub(super) fn with_additions(csp: &Csp, additions: &[Additions], nonce: Option<&Nonce>) -> HeaderValue {
    let mut wider = csp.clone();
    for more in additions {
        wider.add(more);
    }
    with_nonce(&wider.template(), nonce.unwrap_or(&Nonce::fresh()))
}
