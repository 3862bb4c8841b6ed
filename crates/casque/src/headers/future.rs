//! The response future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;

use super::changes::HeaderChanges;
use super::choice::Choice;
use super::policy::{HeaderPolicy, Selection};

pin_project_lite::pin_project! {
    /// Response future of [`super::Headers`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        pub(super) inner: F,
        pub(super) policy: Option<(Arc<HeaderPolicy>, Selection)>,
        pub(super) behind_gateway: bool,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let mut changes = HeaderChanges::default();
        let mut choice = Choice::of_extensions(response.extensions_mut());
        if *this.behind_gateway {
            choice.take_headers(response.headers_mut(), &mut changes);
        }
        if let Some((policy, selection)) = this.policy {
            let status = response.status().as_u16();
            policy.respond(selection, status, response.headers_mut(), &choice, &mut changes);
        }
        if !changes.is_empty() {
            response.extensions_mut().insert(changes);
        }
        Poll::Ready(Ok(response))
    }
}
