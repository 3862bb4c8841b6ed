//! What a test read, test by test.

use std::collections::BTreeMap;

use super::cookies::CookieDetail;
use super::csp::CspDetail;
use super::hsts::HstsDetail;
use super::redirection::RedirectionDetail;
use super::sri::ExternalScript;

/// What a test read. All texts are the site's.
#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    /// `content-security-policy`.
    Csp(CspDetail),
    /// `cookies`.
    Cookies(CookieDetail),
    /// Tests of one header.
    Header(HeaderDetail),
    /// `redirection`.
    Redirection(RedirectionDetail),
    /// `strict-transport-security`.
    Hsts(HstsDetail),
    /// `subresource-integrity`: scripts of other sites by their address.
    Scripts(BTreeMap<String, ExternalScript>),
}

/// What was read of a header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderDetail {
    /// Its value as the test understood it.
    pub data: Option<String>,
    /// Whether the response had the header.
    pub http: bool,
    /// Whether the page had it as `<meta>`.
    pub meta: bool,
}

impl HeaderDetail {
    pub(super) fn into_detail(self) -> Detail {
        Detail::Header(self)
    }
}
