//! What the endpoint answers: the same to everybody.
//!
//! A POST gets 204 whether its body was read, refused or never looked at. Who is told 4xx or 5xx learns what is counted, and a
//! browser tries again later what failed (Reporting API), which is the last thing an endpoint under a flood needs. A body
//! over the limit is not answered with 413 either: the caller stops reading, drops it and answers 204.
//!
//! The one exception is 410, on which browsers forget the endpoint (Reporting API): for one that is switched off while pages
//! that name it are still open.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::refusal::Refusal;

/// Who may report to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Endpoint {
    /// Pages of its own origin. They need no preflight, so none is granted.
    #[default]
    SameOrigin,
    /// Pages of any origin, for an endpoint that serves several sites.
    AnyOrigin,
    /// Nobody any more.
    Retired,
}

/// Whether a report may be taken, by the request's `Sec-Fetch-Site`.
///
/// Any site can name any endpoint in its own policy and have its visitors' browsers report there: not with false documents, which
/// the browser fills in, but in any number. Browsers say where such a request comes from; who leaves it out is no browser, or an
/// old one, and is held by the [`super::Budget`] alone.
///
/// # Errors
/// [`Refusal::CrossOrigin`], or [`Refusal::Retired`].
pub fn is_welcome(endpoint: Endpoint, sec_fetch_site: Option<&[u8]>) -> Result<(), Refusal> {
    match (endpoint, sec_fetch_site) {
        (Endpoint::Retired, _) => Err(Refusal::Retired),
        (Endpoint::SameOrigin, Some(b"cross-site" | b"same-site")) => Err(Refusal::CrossOrigin),
        _ => Ok(()),
    }
}

/// Status and header fields. There is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code: 204, 405 or 410.
    pub status: u16,
    /// The header fields, in order.
    pub fields: &'static [(HeaderName, &'static str)],
}

const METHODS: &str = "POST, OPTIONS";
const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");
const PLAIN: &[(HeaderName, &str)] = &[NO_STORE];
const ALLOWED: &[(HeaderName, &str)] = &[NO_STORE, (ALLOW, METHODS)];
const SHARED: &[(HeaderName, &str)] = &[NO_STORE, (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
const PREFLIGHT: &[(HeaderName, &str)] = &[
    NO_STORE,
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
    (ACCESS_CONTROL_MAX_AGE, "86400"),
];

impl Answer {
    /// The answer to a method.
    ///
    /// `*` stands for the origin because reports to another origin go without credentials.
    #[must_use]
    pub fn to(method: &[u8], endpoint: Endpoint) -> Self {
        let (status, fields) = match (method, endpoint) {
            (_, Endpoint::Retired) => (410, PLAIN),
            (b"POST", Endpoint::SameOrigin) => (204, PLAIN),
            (b"POST", Endpoint::AnyOrigin) => (204, SHARED),
            (b"OPTIONS", Endpoint::SameOrigin) => (204, ALLOWED),
            (b"OPTIONS", Endpoint::AnyOrigin) => (204, PREFLIGHT),
            _ => (405, ALLOWED),
        };
        Self { status, fields }
    }

    /// The answer as a response with an empty body.
    #[must_use]
    pub fn response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::NO_CONTENT);
        for (name, value) in self.fields {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_post_gets_the_same_answer() {
        let post = Answer::to(b"POST", Endpoint::SameOrigin);
        assert_eq!((post.status, post.fields), (204, PLAIN));
        let response: Response<()> = post.response();
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["cache-control"], "no-store");
        for method in [&b"GET"[..], b"HEAD", b"PUT", b"post", b""] {
            let answer = Answer::to(method, Endpoint::SameOrigin);
            assert_eq!((answer.status, answer.fields.contains(&(ALLOW, METHODS))), (405, true));
        }
        assert_eq!(Answer::to(b"POST", Endpoint::Retired).status, 410);
    }

    #[test]
    fn only_a_shared_endpoint_grants_a_preflight() {
        let own: Response<()> = Answer::to(b"OPTIONS", Endpoint::SameOrigin).response();
        assert!(!own.headers().keys().any(|name| name.as_str().starts_with("access-control")));
        let shared: Response<()> = Answer::to(b"OPTIONS", Endpoint::AnyOrigin).response();
        assert_eq!(shared.headers()["access-control-allow-headers"], "content-type");
        assert!(!shared.headers().contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn other_sites_are_not_welcome_and_old_browsers_are() {
        for (site, welcome) in
            [(None, true), (Some("same-origin"), true), (Some("none"), true), (Some("same-site"), false), (Some("cross-site"), false)]
        {
            assert_eq!(is_welcome(Endpoint::SameOrigin, site.map(str::as_bytes)).is_ok(), welcome, "{site:?}");
        }
        assert!(is_welcome(Endpoint::AnyOrigin, Some(b"cross-site")).is_ok());
        assert!(is_welcome(Endpoint::Retired, None).is_err());
    }
}
