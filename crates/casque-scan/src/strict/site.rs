//! A capture as the subjects look at it.

use std::borrow::Cow;

use crate::address::{Address, is_private_host};
use crate::capture::{Capture, Role, Source};
use crate::exchange::Exchange;
use crate::html::{self, Document};

/// One site, its page found and read.
pub(super) struct Site<'c> {
    pub(super) capture: &'c Capture,
    /// The page: over https where there is one.
    pub(super) page: &'c Exchange,
    /// The page's address; `None` for a response alone.
    pub(super) address: Option<Address>,
    /// What the page is made of; nothing when it is no HTML.
    pub(super) document: Document,
    /// Reached from this machine or network only.
    pub(super) private: bool,
}

impl<'c> Site<'c> {
    pub(super) fn of(capture: &'c Capture) -> Option<Self> {
        let page = capture.https.as_ref().or(capture.http.as_ref())?;
        let address = Address::parse(&page.url);
        let private = address.as_ref().is_some_and(|a| is_private_host(&a.host));
        let document = if is_html(page) { html::read(&page.body) } else { html::read(b"") };
        Some(Self { capture, page, address, document, private })
    }

    /// What the report is about.
    pub(super) fn target(&self) -> String {
        self.address.as_ref().map_or_else(|| "the response".to_owned(), ToString::to_string)
    }

    /// Whether the page came over https.
    pub(super) fn is_https(&self) -> bool {
        self.address.as_ref().is_some_and(|a| a.https)
    }

    /// Whether https is something to ask for: not on a development machine, and not when nothing says how a response came.
    pub(super) fn needs_https(&self) -> bool {
        self.address.is_some() && !self.private
    }

    /// Whether what is missing from the capture is missing from the site.
    pub(super) fn is_complete(&self) -> bool {
        self.capture.source == Source::Network
    }

    /// Whether the page is a document that can be framed and can run scripts. No Content-Type: browsers guess, so it may be.
    pub(super) fn is_document(&self) -> bool {
        let media_type = media_type(self.page);
        media_type.is_empty() || is_html(self.page) || media_type.ends_with("/xml") || media_type.ends_with("+xml")
    }

    /// The other responses of one role.
    pub(super) fn others(&self, role: Role) -> impl Iterator<Item = &'c Exchange> {
        self.capture.others.iter().filter(move |o| o.role == role).map(|o| &o.exchange)
    }

    /// Every response there is, the page first.
    pub(super) fn responses(&self) -> impl Iterator<Item = &'c Exchange> {
        let page = std::iter::once(self.page);
        page.chain(self.capture.http.as_ref()).chain(self.capture.others.iter().map(|o| &o.exchange))
    }
}

/// The media type in lower case, without parameters; empty when there is none.
pub(super) fn media_type(exchange: &Exchange) -> String {
    let value = exchange.values("content-type").next().unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(super) fn is_html(exchange: &Exchange) -> bool {
    matches!(media_type(exchange).as_str(), "text/html" | "application/xhtml+xml")
}

/// A header as evidence: its name, and its lines joined. `None` when it is not there.
pub(super) fn evidence(exchange: &Exchange, name: &str) -> Option<String> {
    let lines: Vec<&str> = exchange.values(name).collect();
    (!lines.is_empty()).then(|| format!("{}: {}", shown(name), lines.join(", ")))
}

/// A header's name as people write it: `x-frame-options` is `X-Frame-Options`.
pub(super) fn shown(name: &str) -> Cow<'_, str> {
    let mut up = true;
    let capital = |c: char| {
        let c = if up { c.to_ascii_uppercase() } else { c };
        up = c == '-';
        c
    };
    name.chars().map(capital).collect::<String>().into()
}

/// All values of a header that is a list: its lines, split at commas, without space and empty parts.
pub(super) fn list<'e>(exchange: &'e Exchange, name: &'e str) -> impl Iterator<Item = &'e str> {
    exchange.values(name).flat_map(|line| line.split(',')).map(|part| part.trim_matches([' ', '\t'])).filter(|part| !part.is_empty())
}
