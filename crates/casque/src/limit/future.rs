//! The response future: ask the store, then call the app or answer for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use tower_service::Service;

use super::counted::Counted;
use super::decision::Decision;
use super::fields::{self, Fields, FieldsWhen, Told};
use super::layer::Limits;
use super::reply::{Reason, Refusal, Refused, retry_after_seconds};
use super::rule::Limit;
use super::service::ShadowRefused;
use super::store::{Outcome, StoreError};
use crate::RequestId;
use crate::clock::Clock;
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

/// When to try again while the store has trouble.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// A request that waits for its store's answer.
struct Asking<I, B, F> {
    pending: F,
    asked: Asked,
    clock: Arc<dyn Clock>,
    call: Option<(I, Request<B>)>,
}

/// What the response of a request that passed is to carry.
#[derive(Debug, Default)]
pub(super) struct Note {
    fields: Option<Box<ToTell>>,
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
        outcome.refused.is_none() && !limits.tell_always() && outcome.decisions.as_slice().iter().all(|d| d.allowed)
    }

    pub(super) fn settle<ResBody: From<Bytes>>(
        &self,
        answer: &Result<Outcome, StoreError>,
        clock: &dyn Clock,
    ) -> Verdict<Response<ResBody>> {
        match answer {
            Ok(outcome) => match outcome.refused {
                None => Verdict::Pass(self.note(outcome, clock)),
                Some(refused) => Verdict::Answer(self.refuse(outcome, refused, clock)),
            },
            // Limits that only watch let everything through, whatever becomes of their store.
            Err(_) if self.enforced().next().is_none() => Verdict::Pass(Note::default()),
            Err(_) => Verdict::Answer(self.cannot_tell()),
        }
    }

    /// The limits that were asked, each with its answer.
    fn answers<'a>(&'a self, outcome: &'a Outcome) -> impl Iterator<Item = (&'a Limit, Decision)> {
        let limits = self.counted.iter().filter_map(|i| self.limits.as_slice().get(i));
        limits.zip(outcome.decisions.as_slice().iter().copied())
    }

    fn note(&self, outcome: &Outcome, clock: &dyn Clock) -> Note {
        let mut told: Vec<(Fields, Told)> = Vec::new();
        for (limit, decision) in self.answers(outcome) {
            if decision.allowed && limit.is_enforced() && self.limits.when(limit) == FieldsWhen::Always {
                let reset = decision.reset_after.as_secs() + u64::from(decision.reset_after.subsec_nanos() > 0);
                told.push((self.limits.form(limit), Told::of(limit, &decision, reset)));
            }
        }
        let fields = (!told.is_empty()).then(|| Box::new(ToTell { told, wall: clock.wall() }));
        Note { fields, shadow: self.shadow(outcome).map(Box::new) }
    }

    /// What limits in shadow mode would have refused.
    fn shadow(&self, outcome: &Outcome) -> Option<ShadowRefused> {
        let refused = self.answers(outcome).filter(|(limit, decision)| !decision.allowed && !limit.is_enforced());
        let limits: Vec<String> = refused.map(|(limit, _)| limit.name().to_owned()).collect();
        (!limits.is_empty()).then_some(ShadowRefused { limits })
    }

    fn refuse<ResBody: From<Bytes>>(&self, outcome: &Outcome, refused: usize, clock: &dyn Clock) -> Response<ResBody> {
        let decision = outcome.decisions.as_slice().last().copied().unwrap_or_default();
        let limit = &self.limits.as_slice()[self.counted.iter().nth(refused).unwrap_or_default()];
        let wait = retry_after_seconds(&decision, rand::random());
        let mut response =
            self.answer(Reason::QuotaExceeded, "Too many requests came from your network in a short time.", &[limit.name()], wait);
        if self.limits.when(limit) != FieldsWhen::Never {
            // Not the time to the full quota: whoever comes back at `t` is to be let in, and not before `Retry-After`.
            fields::put(response.headers_mut(), self.limits.form(limit), &[Told::of(limit, &decision, wait)], clock.wall());
        }
        response.extensions_mut().insert(Refusal { limit: limit.name().to_owned(), retry_after: wait });
        if let Some(shadow) = self.shadow(outcome) {
            response.extensions_mut().insert(shadow);
        }
        response
    }

    /// The limits that may refuse the request.
    fn enforced(&self) -> impl Iterator<Item = &Limit> {
        self.counted.iter().filter_map(|i| self.limits.as_slice().get(i)).filter(|limit| limit.is_enforced())
    }

    /// The store's trouble is nobody's quota: 503, and never a 429.
    fn cannot_tell<ResBody: From<Bytes>>(&self) -> Response<ResBody> {
        let names: Vec<&str> = self.enforced().map(Limit::name).collect();
        let soon = Decision { retry_after: Some(TRY_AGAIN), ..Decision::default() };
        let wait = retry_after_seconds(&soon, rand::random());
        self.answer(Reason::ReducedCapacity, "The limits cannot be checked right now.", &names, wait)
    }

    fn answer<ResBody: From<Bytes>>(&self, reason: Reason, detail: &str, limits: &[&str], wait: u64) -> Response<ResBody> {
        let id = self.request_id.map(|id| id.to_string());
        Refused { reason, detail, limits, retry_after: wait, request_id: id.as_deref() }.response(self.accept.as_ref())
    }

    /// The answer to a request whose client nobody identified: a mistake in how the app is put together.
    pub(super) fn without_client<ResBody: From<Bytes>>() -> Response<ResBody> {
        let reply = Reply {
            status: 500,
            detail: "The client's address is unknown to the limiter: serve the app with casque::serve or add a ClientIpLayer.",
            ..Reply::default()
        };
        let mut response = Response::new(Bytes::from(reply.body(Format::Problem)).into());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Format::Problem.content_type()));
        response
    }
}

/// What a response tells of limits that passed.
#[derive(Debug)]
struct ToTell {
    told: Vec<(Fields, Told)>,
    wall: Duration,
}

impl ToTell {
    fn put(self, headers: &mut HeaderMap) {
        let mut told = self.told;
        while let Some((form, _)) = told.first() {
            let form = *form;
            let same: Vec<Told> = told.extract_if(.., |(f, _)| *f == form).map(|(_, t)| t).collect();
            fields::put(headers, form, &same, self.wall);
        }
    }
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

    pub(super) fn asking(pending: F, asked: Asked, clock: Arc<dyn Clock>, ready: I, req: Request<B>) -> Self {
        Self { state: State::Asking { asking: Box::new(Asking { pending, asked, clock, call: Some((ready, req)) }) } }
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
                        fields.put(response.headers_mut());
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
                    match asking.asked.settle(&answer, &*asking.clock) {
                        Verdict::Pass(note) => State::Calling { call: service.call(req), note },
                        Verdict::Answer(response) => State::Answered { response: Some(Box::new(response)) },
                    }
                }
            };
            state.set(next);
        }
    }
}
