//! The response future.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::VARY;
use http::{HeaderMap, HeaderValue, Response};

use super::service::CrossSite;

pin_project_lite::pin_project! {
    /// Response future of [`super::FetchMetadata`].
    #[derive(Debug)]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F, B> {
        Calling { #[pin] call: F, note: Note },
        // Boxed: rare, and as large as a response, which every move of the future would copy.
        Answered { response: Option<Box<Response<B>>> },
    }
}

/// What the response of a request that passed is to carry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Note {
    pub(super) vary: bool,
    pub(super) cross_site: Option<CrossSite>,
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn pass(call: F, note: Note) -> Self {
        Self { state: State::Calling { call, note } }
    }

    pub(super) fn answered(response: Response<B>) -> Self {
        Self { state: State::Answered { response: Some(Box::new(response)) } }
    }
}

/// The fields that the decision reads.
const FIELDS: [&str; 3] = ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"];

/// Adds the fields to `Vary` (RFC 9110 12.5.5), on a line of their own, unless the app names them all or everything.
pub(super) fn add_vary(headers: &mut HeaderMap) {
    let named = |field: &str| {
        let mut names = headers.get_all(VARY).iter().flat_map(|line| line.as_bytes().split(|b| *b == b','));
        names.any(|name| name.trim_ascii() == b"*" || name.trim_ascii().eq_ignore_ascii_case(field.as_bytes()))
    };
    if !FIELDS.iter().all(|field| named(field)) {
        headers.append(VARY, HeaderValue::from_static("sec-fetch-site, sec-fetch-mode, sec-fetch-dest"));
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Calling { call, note } => {
                let mut response = ready!(call.poll(cx))?;
                if note.vary {
                    add_vary(response.headers_mut());
                }
                if let Some(cross_site) = note.cross_site {
                    response.extensions_mut().insert(cross_site);
                }
                Poll::Ready(Ok(response))
            }
            StateProjection::Answered { response } => Poll::Ready(Ok(*response.take().expect("not polled after completion"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_app_names_is_not_named_twice() {
        for (app, lines) in [("accept", 2), ("Sec-Fetch-Site", 2), ("*", 1), ("Accept, Sec-Fetch-Dest,sec-fetch-mode , SEC-FETCH-SITE", 1)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(VARY, HeaderValue::from_static(app));
            add_vary(&mut headers);
            assert_eq!(headers.get_all(VARY).iter().count(), lines, "{app}");
        }
    }
}
