//! The Tower service.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderMap, HeaderName, Request, Response};
use tower_service::Service;

use super::channel::Channel;
use super::future::ResponseFuture;
use super::layer::{HeadersLayer, Source};
use super::nonce::Nonce;
use super::policy::{HeaderPolicy, Selection};
use super::profile::Asked;
use super::{block, navigation};
use crate::{Scheme, host};

/// Request header by which an app behind the gateway learns its response's nonce. Clients' own never reach the app.
pub const CSP_NONCE: HeaderName = HeaderName::from_static("casque-csp-nonce");

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
}

/// What the request says of its response's headers; and tells the app its nonce.
fn prepare<B>(policy: &HeaderPolicy, scheme: Scheme, behind_gateway: bool, req: &mut Request<B>) -> Selection {
    let host = req.uri().authority().map(|a| a.as_str()).or_else(|| host::field(req.headers())?.to_str().ok());
    let channel = if scheme == Scheme::Http { Channel::Http } else { Channel::of(scheme, host.map(str::as_bytes)) };
    let selection = policy.select(channel, &Asked { method: req.method(), host, path: req.uri().path() });
    if let Some(nonce) = selection.nonce() {
        req.extensions_mut().insert(*nonce);
        navigation::make_unconditional(req.headers_mut());
        if behind_gateway {
            tell_app(policy, &selection, *nonce, req.headers_mut());
        }
    }
    selection
}

/// Two carriers: a field of our own, and the policy itself, in which Next.js looks for the nonce of its own scripts.
fn tell_app(policy: &HeaderPolicy, selection: &Selection, nonce: Nonce, headers: &mut HeaderMap) {
    headers.insert(CSP_NONCE, block::to_value(Bytes::copy_from_slice(nonce.as_str().as_bytes())));
    match policy.page_policy(selection) {
        Some(value) => _ = headers.insert(CONTENT_SECURITY_POLICY, value),
        // Whatever stands there is the client's, and Next.js would take its nonce from it.
        None => _ = headers.remove(CONTENT_SECURITY_POLICY),
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

    fn call(&mut self, mut req: Request<ReqBody>) -> Self::Future {
        let behind_gateway = self.layer.behind_gateway;
        let (policy, scheme) = self.find(req.extensions());
        let policy = policy.map(|policy| {
            let selection = prepare(&policy, scheme, behind_gateway, &mut req);
            (policy, selection)
        });
        ResponseFuture { inner: self.inner.call(req), policy, behind_gateway }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderValue;
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
