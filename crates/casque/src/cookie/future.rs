//! The response future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Response};

use super::harden::{Changes, Hardened, harden};
use super::policy::{CookiePolicy, Mode};
use super::service::CookieChanges;
use crate::Scheme;

pin_project_lite::pin_project! {
    /// Response future of [`super::Cookies`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        pub(super) inner: F,
        pub(super) policy: Option<Arc<CookiePolicy>>,
        pub(super) scheme: Scheme,
        pub(super) tells: bool,
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
        if let Some(policy) = this.policy
            && policy.mode != Mode::Off
        {
            let changes = harden_all(response.headers_mut(), policy, *this.scheme);
            if *this.tells && !changes.is_empty() {
                response.extensions_mut().insert(CookieChanges(changes));
            }
        }
        Poll::Ready(Ok(response))
    }
}

fn harden_all(headers: &mut HeaderMap, policy: &CookiePolicy, scheme: Scheme) -> Changes {
    let mut all = Changes::default();
    let mut dropped = false;
    if let http::header::Entry::Occupied(mut lines) = headers.entry(SET_COOKIE) {
        let now = unix_time();
        for line in lines.iter_mut() {
            let (hardened, changes) = harden(line.as_bytes(), policy, scheme, now);
            all.merge(changes);
            match hardened {
                Hardened::Same => {}
                Hardened::Rewritten(bytes) => match HeaderValue::from_maybe_shared(bytes::Bytes::from(bytes)) {
                    Ok(value) => *line = value,
                    Err(_) => mark_dropped(line, &mut dropped),
                },
                Hardened::Dropped => mark_dropped(line, &mut dropped),
            }
        }
    }
    if dropped {
        remove_marked(headers);
    }
    all
}

/// A cookie line that is to go becomes empty first: lines of one name cannot be removed one by one.
fn mark_dropped(line: &mut HeaderValue, dropped: &mut bool) {
    *line = HeaderValue::from_static("");
    *dropped = true;
}

#[cold]
fn remove_marked(headers: &mut HeaderMap) {
    let kept: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().filter(|v| !v.is_empty()).cloned().collect();
    headers.remove(SET_COOKIE);
    for line in kept {
        headers.append(SET_COOKIE, line);
    }
}

#[expect(clippy::disallowed_methods, reason = "Expires is wall-clock time; the decision itself takes it as a parameter")]
fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
