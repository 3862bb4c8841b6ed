//! The Tower service.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method, Request, Response};
use tower_service::Service;

use super::decide::{Metadata, Refused, Verdict, decide};
use super::future::{Note, ResponseFuture, add_vary};
use super::layer::{FetchMetadataLayer, Source};
use super::policy::{IsolationPolicy, Mode};

/// See [`FetchMetadataLayer`].
#[derive(Debug, Clone)]
pub struct FetchMetadata<S> {
    pub(super) inner: S,
    pub(super) layer: FetchMetadataLayer,
}

/// In a response's extensions: its request was started by another site, and was refused, or would have been in report mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrossSite {
    /// What kind of request it was.
    pub why: Refused,
    /// Whether it was refused.
    pub enforced: bool,
}

impl<S> FetchMetadata<S> {
    /// The policy that a request is held to, if it is to any.
    fn find<B>(&self, req: &Request<B>) -> Option<Arc<IsolationPolicy>> {
        let policy = match &self.layer.source {
            Source::Fixed(policy) => policy.clone(),
            Source::PerRequest(find) => find(req.extensions())?,
        };
        (policy.mode() != Mode::Off && !policy.exempts(req.uri().path())).then_some(policy)
    }

    fn refuse<B, ResBody: From<Bytes>>(&self, req: &Request<B>, why: Refused) -> Response<ResBody> {
        let mut response = (self.layer.respond)(req.headers(), req.extensions());
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        add_vary(response.headers_mut());
        response.extensions_mut().insert(CrossSite { why, enforced: true });
        response.map(ResBody::from)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for FetchMetadata<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<Bytes>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<ReqBody>) -> Self::Future {
        let Some(policy) = self.find(&req) else {
            return ResponseFuture::pass(self.inner.call(req), Note::default());
        };
        let is_enforced = policy.mode() == Mode::Enforce;
        let note = match decide(req.method().as_str().as_bytes(), &Metadata::of(req.headers())) {
            Verdict::Refuse(why) if is_enforced => return ResponseFuture::answered(self.refuse(&req, why)),
            Verdict::Refuse(why) => Note { vary: false, cross_site: Some(CrossSite { why, enforced: false }) },
            // Only where another value would have had another answer, and only where a cache may keep one.
            Verdict::Allow(_) => Note { vary: is_enforced && [Method::GET, Method::HEAD].contains(req.method()), cross_site: None },
        };
        ResponseFuture::pass(self.inner.call(req), note)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;
    use crate::headers::fetch_metadata::IsolationPolicy;

    /// Asks an app that answers everything, and varies by language.
    async fn respond(layer: FetchMetadataLayer, method: &str, path: &str, site: Option<&str>) -> Response<Bytes> {
        let mut req = Request::builder().method(method).uri(path).header("sec-fetch-mode", "no-cors");
        if let Some(site) = site {
            req = req.header("sec-fetch-site", site);
        }
        ServiceBuilder::new()
            .layer(layer)
            .service(service_fn(async |_: Request<()>| {
                Ok::<_, Infallible>(Response::builder().header("vary", "accept-language").body(Bytes::from_static(b"app")).unwrap())
            }))
            .oneshot(req.body(()).unwrap())
            .await
            .unwrap()
    }

    fn vary(response: &Response<Bytes>) -> Vec<&str> {
        response.headers().get_all("vary").iter().map(|v| v.to_str().unwrap()).collect()
    }

    const FIELDS: &str = "sec-fetch-site, sec-fetch-mode, sec-fetch-dest";

    #[tokio::test]
    async fn another_sites_request_ends_here() {
        let response = respond(FetchMetadataLayer::enforce(), "GET", "/data", Some("cross-site")).await;
        assert_eq!(response.status(), 403);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(vary(&response), [FIELDS]);
        assert_eq!(response.extensions().get(), Some(&CrossSite { why: Refused::Resource, enforced: true }));
        assert!(response.body().len() < 100);
    }

    #[tokio::test]
    async fn what_passes_says_what_it_hung_on() {
        for (method, site, fields) in [
            ("GET", Some("same-origin"), &["accept-language", FIELDS][..]),
            ("HEAD", None, &["accept-language", FIELDS]),
            ("POST", None, &["accept-language"]),
        ] {
            let response = respond(FetchMetadataLayer::enforce(), method, "/data", site).await;
            assert_eq!((response.status().as_u16(), &vary(&response)[..]), (200, fields));
            assert_eq!(response.extensions().get::<CrossSite>(), None);
        }
    }

    #[tokio::test]
    async fn reporting_changes_nothing_and_tells_the_log() {
        let response = respond(FetchMetadataLayer::report(), "GET", "/data", Some("cross-site")).await;
        assert_eq!((response.status().as_u16(), vary(&response)), (200, vec!["accept-language"]));
        assert_eq!(response.extensions().get(), Some(&CrossSite { why: Refused::Resource, enforced: false }));
    }

    #[tokio::test]
    async fn exempt_paths_and_requests_without_a_policy_are_left_alone() {
        let exempt = FetchMetadataLayer::new(IsolationPolicy::new(Mode::Enforce).allow(["/fonts"]).unwrap());
        let off = FetchMetadataLayer::new(IsolationPolicy::default());
        for layer in [exempt.clone(), off, FetchMetadataLayer::per_request(|_| None)] {
            let response = respond(layer, "GET", "/fonts/a.woff2?x=/../y", Some("cross-site")).await;
            assert_eq!((response.status().as_u16(), vary(&response)), (200, vec!["accept-language"]));
            assert_eq!(response.extensions().get::<CrossSite>(), None);
        }
        assert_eq!(respond(exempt, "GET", "/fonts/..%2fdata", Some("cross-site")).await.status(), 403);
        let found = FetchMetadataLayer::per_request(|_| Some(Arc::new(IsolationPolicy::new(Mode::Enforce))));
        assert_eq!(respond(found, "GET", "/data", Some("cross-site")).await.status(), 403);
    }

    #[tokio::test]
    async fn a_page_of_ones_own_is_never_stored() {
        let layer = FetchMetadataLayer::enforce().respond(|_, _| {
            Response::builder().status(404).header("cache-control", "max-age=60").body(Bytes::from_static(b"mine")).unwrap()
        });
        let response = respond(layer, "GET", "/data", Some("cross-site")).await;
        assert_eq!((response.status().as_u16(), &response.headers()["cache-control"]), (404, &HeaderValue::from_static("no-store")));
    }
}
