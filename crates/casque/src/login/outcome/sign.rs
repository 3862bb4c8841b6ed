//! One sign: what an answer has to have, all of it.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use http::header::SET_COOKIE;

use super::Answer;
use super::back::is_marked;
use super::body::{Look, Marker};
use super::location::{Place, Redirect};

/// A cookie that expires before 2001 is taken away: apps write the beginning of 1970 for that.
const TAKEN_AWAY: Duration = Duration::from_secs(31 * 365 * 86_400);

/// What an answer has to have to mean something. Each kind of condition that is named must hold; of several of one kind, one is enough,
/// but none of those with `not` or `lacks` may fit. A sign without conditions fits nothing.
#[derive(Debug, Clone, Default)]
pub struct Sign {
    statuses: Vec<RangeInclusive<u16>>,
    locations: Vec<Place>,
    locations_not: Vec<Place>,
    cookies: Vec<String>,
    contains: Vec<Vec<u8>>,
    lacks: Vec<Vec<u8>>,
}

impl Sign {
    /// No condition yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The status is this: `302`, `2xx` or `400-422`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment with the remedy.
    pub fn status(mut self, written: &str) -> Result<Self, String> {
        let told = || format!("`{written}` is no status: write 302, 2xx or 400-422");
        let code = |text: &str| text.parse::<u16>().ok().filter(|code| text.len() == 3 && (100..=599).contains(code));
        let range = if let Some(class) = written.strip_suffix("xx") {
            let class = class.parse::<u16>().ok().filter(|class| (1..=5).contains(class)).ok_or_else(told)?;
            class * 100..=class * 100 + 99
        } else {
            let (from, to) = written.split_once('-').unwrap_or((written, written));
            code(from.trim()).zip(code(to.trim())).filter(|(from, to)| from <= to).map(|(from, to)| from..=to).ok_or_else(told)?
        };
        self.statuses.push(range);
        Ok(self)
    }

    /// It redirects to a path like this ([`crate::path::Pattern`]), on whatever host; or, written `https://host/path`, to such a path of
    /// that host.
    ///
    /// # Errors
    /// What is wrong with the pattern, as a sentence fragment.
    pub fn location(mut self, written: &str) -> Result<Self, String> {
        self.locations.push(Place::parse(written)?);
        Ok(self)
    }

    /// It redirects, but to no path like this. A redirect that cannot be read does not fit either.
    ///
    /// # Errors
    /// What is wrong with the pattern, as a sentence fragment.
    pub fn location_not(mut self, written: &str) -> Result<Self, String> {
        self.locations_not.push(Place::parse(written)?);
        Ok(self)
    }

    /// It sets a cookie of this name (case counts; `name_*` is every name that begins so), and does not take it away.
    #[must_use]
    pub fn set_cookie(mut self, name: &str) -> Self {
        self.cookies.push(name.to_owned());
        self
    }

    /// The first 64 KiB of its body hold these bytes.
    #[must_use]
    pub fn body_contains(mut self, marker: &[u8]) -> Self {
        self.contains.push(marker.to_vec());
        self
    }

    /// Its body, at most 64 KiB long, does not hold these bytes.
    #[must_use]
    pub fn body_lacks(mut self, marker: &[u8]) -> Self {
        self.lacks.push(marker.to_vec());
        self
    }

    pub(super) fn needs_body(&self) -> bool {
        !self.contains.is_empty() || !self.lacks.is_empty()
    }

    pub(super) fn markers(&self) -> impl Iterator<Item = Marker> {
        self.contains.iter().chain(&self.lacks).map(|bytes| Marker::new(bytes))
    }

    pub(super) fn fits_head(&self, answer: Answer<'_>) -> bool {
        let status = self.statuses.is_empty() || self.statuses.iter().any(|range| range.contains(&answer.status.as_u16()));
        status && self.fits_cookies(answer) && self.fits_location(answer) && !self.is_empty()
    }

    fn is_empty(&self) -> bool {
        let head = self.statuses.is_empty() && self.locations.is_empty() && self.locations_not.is_empty() && self.cookies.is_empty();
        head && !self.needs_body()
    }

    fn fits_location(&self, answer: Answer<'_>) -> bool {
        if self.locations.is_empty() && self.locations_not.is_empty() {
            return true;
        }
        // Where the client chose the place, the place says nothing.
        let Some(redirect) = Redirect::of(answer).filter(|r| !is_marked(&r.rest)) else { return false };
        (self.locations.is_empty() || self.locations.iter().any(|place| place.fits(&redirect)))
            && !self.locations_not.iter().any(|place| place.fits(&redirect))
    }

    fn fits_cookies(&self, answer: Answer<'_>) -> bool {
        let set = || answer.headers.get_all(SET_COOKIE).iter().filter_map(|line| set_name(line.as_bytes()));
        let is = |wanted: &str, name: &str| match wanted.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == wanted,
        };
        self.cookies.is_empty() || self.cookies.iter().any(|wanted| set().any(|name| is(wanted, name)))
    }

    /// Whether the body certainly fits.
    pub(super) fn fits_body(&self, look: Option<&Look>) -> bool {
        if !self.needs_body() {
            return true;
        }
        look.is_some_and(|look| {
            (self.contains.is_empty() || self.contains.iter().any(|marker| look.saw(marker)))
                && self.lacks.iter().all(|marker| look.saw_all() && !look.saw(marker))
        })
    }

    /// Whether the body fits, as far as anybody saw.
    pub(super) fn may_fit_body(&self, look: Option<&Look>) -> bool {
        if !self.needs_body() {
            return true;
        }
        look.is_none_or(|look| {
            (self.contains.is_empty() || !look.saw_all() || self.contains.iter().any(|marker| look.saw(marker)))
                && !self.lacks.iter().any(|marker| look.saw(marker))
        })
    }
}

/// The name of the cookie that a line sets; none if it takes it away.
fn set_name(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?;
    let mut parts = line.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let is_gone = |attribute: &str| {
        let Some((key, value)) = attribute.split_once('=') else { return false };
        let (key, value) = (key.trim(), value.trim());
        if key.eq_ignore_ascii_case("max-age") {
            return value.starts_with('-') || value.bytes().all(|b| b == b'0');
        }
        let gone = |time: SystemTime| time < SystemTime::UNIX_EPOCH + TAKEN_AWAY;
        // What is no date of HTTP, such as 1 January of the year 0, is no expiry to us; an empty value says the same.
        key.eq_ignore_ascii_case("expires") && httpdate::parse_http_date(&value.replace('-', " ")).is_ok_and(gone)
    };
    let kept = !matches!(value.trim().trim_matches('"'), "" | "deleted") && !parts.any(is_gone);
    kept.then(|| name.trim())
}
