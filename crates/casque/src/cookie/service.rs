//! The Tower service.

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::ResponseFuture;
use super::harden::Changes;
use super::layer::{CookieLayer, Source};
use crate::Scheme;

/// See [`CookieLayer`].
#[derive(Debug, Clone)]
pub struct Cookies<S> {
    pub(super) inner: S,
    pub(super) layer: CookieLayer,
}

/// In a response's extensions: what was done to its cookies, or would have been in observe mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CookieChanges(pub Changes);

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Cookies<S>
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
        let extensions = req.extensions();
        let (policy, scheme) = match &self.layer.source {
            Source::Fixed(policy) => (Some(policy.clone()), extensions.get().copied().unwrap_or_default()),
            Source::PerRequest(find) => find(extensions).map_or((None, Scheme::Http), |(policy, scheme)| (Some(policy), scheme)),
        };
        let scheme = if self.layer.assume_https { Scheme::Https } else { scheme };
        ResponseFuture { inner: self.inner.call(req), policy, scheme, tells: self.layer.tells }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderValue;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;
    use crate::cookie::{Change, CookiePolicy, Mode};

    async fn respond(layer: CookieLayer) -> Response<()> {
        ServiceBuilder::new()
            .layer(layer)
            .service(service_fn(async |_: Request<()>| {
                let response = Response::builder()
                    .header("set-cookie", "a=1; Path=/")
                    .header("set-cookie", "nameless")
                    .header("set-cookie", "theme=dark; SameSite=Lax");
                Ok::<_, Infallible>(response.body(()).unwrap())
            }))
            .oneshot(Request::new(()))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn every_line_is_judged_alone_and_keeps_its_place() {
        let response = respond(CookieLayer::new().https(true)).await;
        let lines: Vec<_> = response.headers().get_all("set-cookie").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(lines, [&b"a=1; Path=/; SameSite=Lax; Secure; HttpOnly"[..], b"theme=dark; SameSite=Lax; Secure"]);
        assert!(response.extensions().get::<CookieChanges>().unwrap().0.has(Change::Nameless));
    }

    #[tokio::test]
    async fn observing_leaves_the_lines_and_reports() {
        let response = respond(CookieLayer::with(CookiePolicy { mode: Mode::Observe, ..CookiePolicy::default() })).await;
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 3);
        assert!(response.extensions().get::<CookieChanges>().unwrap().0.has(Change::HttpOnlyAdded));
    }
}
