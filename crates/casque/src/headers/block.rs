//! The headers for one channel and one class, ready to send.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::catalog;
use super::channel::Channel;
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
}

impl Block {
    /// The headers, sorted by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
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
        Self { entries, ready, late }
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
    let text = if is_csp && channel != Channel::Https {
        Cow::Owned(adapted(&rule.value, channel).ok_or(LeftOut::Empty)?)
    } else {
        rule.value.clone()
    };
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

/// The policy for a channel that is not quite HTTPS. `None` when nothing is left.
///
/// `upgrade-insecure-requests` sends every subresource to a port where nothing answers (Safari even for localhost). And over plain
/// HTTP browsers take no `Reporting-Endpoints`, but go by a `report-to` that then leads nowhere instead of by `report-uri`.
fn adapted(csp: &str, channel: Channel) -> Option<String> {
    let name_of = |d: &str| d.split_ascii_whitespace().next().unwrap_or("").to_ascii_lowercase();
    let names: Vec<String> = csp.split(';').map(name_of).collect();
    let has = |name: &str| names.iter().any(|n| n == name);
    let goes = |name: &str| match name {
        "upgrade-insecure-requests" => true,
        "report-to" => channel == Channel::Http && has("report-uri"),
        _ => false,
    };
    if !names.iter().any(|n| goes(n)) {
        return Some(csp.to_owned());
    }
    let kept: Vec<&str> = csp.split(';').zip(&names).filter(|(_, n)| !goes(n)).map(|(d, _)| d).collect();
    let kept = kept.join(";");
    (!kept.trim().trim_end_matches(';').trim().is_empty()).then(|| kept.trim().to_owned())
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
