//! The response future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;

use super::channel::Channel;
use super::policy::HeaderPolicy;

pin_project_lite::pin_project! {
    /// Response future of [`super::Headers`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        pub(super) inner: F,
        pub(super) policy: Option<Arc<HeaderPolicy>>,
        pub(super) channel: Channel,
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
        if let Some(policy) = this.policy {
            let status = response.status().as_u16();
            policy.apply(*this.channel, status, response.headers_mut());
        }
        Poll::Ready(Ok(response))
    }
}
