//! The Tower service.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderValue, Request, Response};
use tower_service::Service;

use super::channel::Channel;
use super::future::ResponseFuture;
use super::layer::{HeadersLayer, Source};
use super::policy::HeaderPolicy;
use crate::Scheme;

/// See [`HeadersLayer`].
#[derive(Debug, Clone)]
pub struct Headers<S> {
    pub(super) inner: S,
    pub(super) layer: HeadersLayer,
}

impl<S> Headers<S> {
    /// The policy of a request and the scheme it came by.
    fn find(&self, extensions: &http::Extensions) -> (Option<Arc<HeaderPolicy>>, Scheme) {
        let (policy, scheme) = match &self.layer.source {
            Source::Fixed(policy) => (Some(policy.clone()), extensions.get().copied().unwrap_or_default()),
            Source::PerRequest(find) => find(extensions).map_or((None, Scheme::Http), |(policy, scheme)| (Some(policy), scheme)),
        };
        (policy, if self.layer.assume_https { Scheme::Https } else { scheme })
    }

    fn channel<B>(scheme: Scheme, req: &Request<B>) -> Channel {
        if scheme == Scheme::Http {
            return Channel::Http;
        }
        let host = req.headers().get(http::header::HOST).map(HeaderValue::as_bytes);
        Channel::of(scheme, host.or_else(|| req.uri().authority().map(|a| a.as_str().as_bytes())))
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Headers<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<ReqBody>) -> Self::Future {
        let (policy, scheme) = self.find(req.extensions());
        let channel = Self::channel(scheme, &req);
        ResponseFuture { inner: self.inner.call(req), policy, channel }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::header::CONTENT_TYPE;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;

    async fn respond(layer: HeadersLayer, req: Request<()>) -> Response<()> {
        ServiceBuilder::new()
            .layer(layer)
            .service(service_fn(async |_: Request<()>| {
                Ok::<_, Infallible>(Response::builder().header(CONTENT_TYPE, "text/html").body(()).unwrap())
            }))
            .oneshot(req)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn hsts_needs_a_scheme_that_somebody_vouched_for() {
        let plain = respond(HeadersLayer::balanced(), Request::new(())).await;
        assert!(!plain.headers().contains_key("strict-transport-security"));
        assert_eq!(plain.headers()["x-content-type-options"], "nosniff");

        let mut forged = Request::new(());
        forged.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
        assert!(!respond(HeadersLayer::balanced(), forged).await.headers().contains_key("strict-transport-security"));

        let mut tls = Request::new(());
        tls.extensions_mut().insert(Scheme::Https);
        assert!(respond(HeadersLayer::balanced(), tls).await.headers().contains_key("strict-transport-security"));
        assert!(respond(HeadersLayer::balanced().https(true), Request::new(())).await.headers().contains_key("strict-transport-security"));
    }

    #[tokio::test]
    async fn a_request_without_a_policy_is_left_alone() {
        let bare = respond(HeadersLayer::per_request(|_| None), Request::new(())).await;
        assert_eq!(bare.headers().len(), 1);
        let mut req = Request::new(());
        req.extensions_mut().insert(Arc::new(HeaderPolicy::default()));
        let layer = HeadersLayer::per_request(|e| e.get::<Arc<HeaderPolicy>>().map(|p| (p.clone(), Scheme::Http)));
        assert!(respond(layer, req).await.headers().contains_key("x-frame-options"));
    }
}
