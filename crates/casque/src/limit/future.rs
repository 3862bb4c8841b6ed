//! The response future: ask the store, then call the app or answer for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use tower_service::Service;

use super::layer::Limits;
use super::reply::{self, FieldsWhen, Refusal};
use super::service::{Counted, ShadowRefused};
use super::store::{Outcome, StoreError};
use crate::RequestId;
use crate::reply::{Format, Reply};

pin_project_lite::pin_project! {
    /// Response future of [`super::Limited`].
    pub struct ResponseFuture<I, B, F>
    where
        I: Service<Request<B>>,
    {
        #[pin]
        state: State<I, B, F, I::Future, I::Response>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjection]
    enum State<I, B, F, C, R> {
        // Boxed: rare, and as large as a request, which every move of the future would copy.
        Asking { asking: Box<Asking<I, B, F>> },
        Calling { #[pin] call: C, note: Note },
        Answered { response: Option<Box<R>> },
    }
}

/// A request that waits for its store's answer.
struct Asking<I, B, F> {
    pending: F,
    asked: Asked,
    call: Option<(I, Request<B>)>,
}

/// What the response of a request that passed is to carry.
#[derive(Debug, Default)]
pub(super) struct Note {
    fields: Option<Box<HeaderMap>>,
    shadow: Option<Box<ShadowRefused>>,
}

/// What the store's answer comes to.
pub(super) enum Verdict<R> {
    Pass(Note),
    Answer(R),
}

/// What has to be remembered of a request while the store thinks.
pub(super) struct Asked {
    limits: Arc<Limits>,
    counted: Counted,
    /// Read only when there is something to answer.
    accept: Option<HeaderValue>,
    request_id: Option<RequestId>,
}

impl Asked {
    pub(super) fn new<B>(limits: Arc<Limits>, counted: Counted, request_id: Option<RequestId>, req: &Request<B>) -> Self {
        Self { limits, counted, accept: req.headers().get(http::header::ACCEPT).cloned(), request_id }
    }

    /// Whether an outcome lets the request pass with nothing to add to its response: the usual case.
    pub(super) fn has_nothing_to_say(limits: &Limits, outcome: &Outcome) -> bool {
        outcome.refused.is_none() && limits.fields_when == FieldsWhen::Refused && outcome.decisions.as_slice().iter().all(|d| d.allowed)
    }

    pub(super) fn settle<ResBody: From<Bytes>>(&self, answer: &Result<Outcome, StoreError>) -> Verdict<Response<ResBody>> {
        match answer {
            Ok(outcome) => match outcome.refused {
                None => Verdict::Pass(self.note(outcome)),
                Some(refused) => Verdict::Answer(self.refuse(outcome, refused)),
            },
            Err(_) => Verdict::Answer(plain_answer(
                StatusCode::SERVICE_UNAVAILABLE,
                "The limits cannot be checked right now.",
                self.request_id.as_ref(),
            )),
        }
    }

    fn note(&self, outcome: &Outcome) -> Note {
        let mut note = Note::default();
        let all = self.limits.as_slice();
        for (i, decision) in self.counted.iter().zip(outcome.decisions.as_slice()) {
            let limit = &all[i];
            if !decision.allowed {
                note.shadow.get_or_insert_with(|| Box::new(ShadowRefused { limits: Vec::new() })).limits.push(limit.name().to_owned());
            } else if limit.is_enforced() && self.limits.fields_when == FieldsWhen::Always {
                let reset = decision.reset_after.as_secs() + u64::from(decision.reset_after.subsec_nanos() > 0);
                let fields = note.fields.get_or_insert_default();
                // The fields of the limit that is nearest to its end; a list of all would help nobody decide.
                if fields.is_empty() || outcome.decisions.as_slice().iter().all(|d| d.remaining >= decision.remaining) {
                    reply::add_fields(fields, self.limits.fields, limit.name(), limit.quota(), decision.remaining, reset);
                }
            }
        }
        note
    }

    fn refuse<ResBody: From<Bytes>>(&self, outcome: &Outcome, refused: usize) -> Response<ResBody> {
        let decision = outcome.decisions.as_slice().last().copied().unwrap_or_default();
        let limit = &self.limits.as_slice()[self.counted.iter().nth(refused).unwrap_or_default()];
        let wait = reply::retry_after_seconds(&decision, random());
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let id = self.request_id.map(|id| id.to_string());
        let format = Format::negotiate(self.accept.as_ref().map(HeaderValue::as_bytes));
        let body = reply::refuse(response.headers_mut(), format, limit.name(), wait, id.as_deref());
        reply::add_fields(response.headers_mut(), self.limits.fields, limit.name(), limit.quota(), decision.remaining, wait);
        response.extensions_mut().insert(Refusal { limit: limit.name().to_owned(), retry_after: wait });
        response.map(|_| Bytes::from(body).into())
    }

    /// The answer to a request whose client nobody identified: a mistake in how the app is put together.
    pub(super) fn without_client<ResBody: From<Bytes>>() -> Response<ResBody> {
        plain_answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The client's address is unknown to the limiter: serve the app with casque::serve or add a ClientIpLayer.",
            None,
        )
    }
}

fn plain_answer<ResBody: From<Bytes>>(status: StatusCode, detail: &str, request_id: Option<&RequestId>) -> Response<ResBody> {
    let id = request_id.map(ToString::to_string);
    let reply = Reply { status: status.as_u16(), detail, request_id: id.as_deref(), ..Reply::default() };
    let mut response = Response::new(Bytes::from(reply.body(Format::Problem)).into());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Format::Problem.content_type()));
    response
}

/// A random number for the jitter; nothing secret hangs on it.
fn random() -> u64 {
    use std::hash::BuildHasher;
    std::hash::RandomState::new().hash_one(0)
}

impl<I, B, F> ResponseFuture<I, B, F>
where
    I: Service<Request<B>>,
{
    pub(super) fn pass(call: I::Future) -> Self {
        Self::noted(call, Note::default())
    }

    pub(super) fn noted(call: I::Future, note: Note) -> Self {
        Self { state: State::Calling { call, note } }
    }

    pub(super) fn answered(response: I::Response) -> Self {
        Self { state: State::Answered { response: Some(Box::new(response)) } }
    }

    pub(super) fn asking(pending: F, asked: Asked, ready: I, req: Request<B>) -> Self {
        Self { state: State::Asking { asking: Box::new(Asking { pending, asked, call: Some((ready, req)) }) } }
    }
}

impl<I, B, F, ResBody> Future for ResponseFuture<I, B, F>
where
    I: Service<Request<B>, Response = Response<ResBody>>,
    F: Future<Output = Result<Outcome, StoreError>> + Unpin,
    ResBody: From<Bytes>,
{
    type Output = Result<Response<ResBody>, I::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Calling { call, note } => {
                    let mut response = ready!(call.poll(cx))?;
                    if let Some(fields) = note.fields.take() {
                        response.headers_mut().extend(*fields);
                    }
                    if let Some(shadow) = note.shadow.take() {
                        response.extensions_mut().insert(*shadow);
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Answered { response } => {
                    return Poll::Ready(Ok(*response.take().expect("not polled after completion")));
                }
                StateProjection::Asking { asking } => {
                    let answer = ready!(Pin::new(&mut asking.pending).poll(cx));
                    let (mut service, req) = asking.call.take().expect("not polled after completion");
                    match asking.asked.settle(&answer) {
                        Verdict::Pass(note) => State::Calling { call: service.call(req), note },
                        Verdict::Answer(response) => State::Answered { response: Some(Box::new(response)) },
                    }
                }
            };
            state.set(next);
        }
    }
}
