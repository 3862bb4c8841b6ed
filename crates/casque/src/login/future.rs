//! The response future: read, reserve, let the app look, read its answer, settle.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, EXPECT};
use http::{Request, Response, request};
use http_body::Body;
use tower_service::Service;

use super::answer;
use super::guard::{Reservation, Stop, Verdict};
use super::house::Guards;
use super::outcome::{self, Look, Outcome};
use super::policy::LOOKED_AT;
use super::replay::{Gather, Replay};
use super::visit::{Looked, Seen, Visit};
use crate::limit::{Store, StoreError};

pin_project_lite::pin_project! {
    /// Response future of [`super::LoginGuarded`].
    pub struct ResponseFuture<I, S, B, R>
    where
        I: Service<Request<Replay<B>>>,
    {
        #[pin]
        state: State<I, S, B, R, I::Future>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjection]
    enum State<I, S, B, R, C>
    where
        I: Service<Request<Replay<B>>>,
    {
        Passing { #[pin] call: C },
        Answered { response: Option<Box<Response<Replay<R>>>> },
        // Boxed: few requests are attempts, and every other one would copy its size.
        Guarded { guarded: Pin<Box<Guarded<I, S, B, R>>> },
    }
}

type Asking<S> = Pin<Box<dyn Future<Output = Result<Verdict<S>, StoreError>> + Send>>;
type Settling = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

pin_project_lite::pin_project! {
    /// An attempt on its way.
    pub(super) struct Guarded<I, S, B, R>
    where
        I: Service<Request<Replay<B>>>,
    {
        visit: Arc<Visit>,
        guards: Arc<Guards<S>>,
        head: Option<(I, request::Parts)>,
        seen: Seen,
        error: Option<I::Error>,
        #[pin]
        step: Step<S, B, R, I::Future>,
    }
}

pin_project_lite::pin_project! {
    #[project = StepProjection]
    enum Step<S, B, R, C> {
        Reading { gather: Option<Gather<B>> },
        Asking { asking: Asking<S>, body: Option<Replay<B>> },
        Calling { #[pin] call: C, open: Option<Open<S>> },
        Looking { response: Option<Response<()>>, gather: Option<Gather<R>>, look: Look, open: Option<Open<S>> },
        Settling { settling: Settling, response: Option<Response<Replay<R>>> },
        Failed { settling: Settling },
    }
}

/// How an attempt that the app looks at stands.
enum Open<S> {
    Charged(Reservation<S>),
    /// It would have been stopped by a guard that only watches.
    Watched(Option<Stop>),
}

impl<S: Store> Open<S> {
    async fn settle(self, outcome: Outcome) -> Result<(), StoreError> {
        match self {
            Self::Charged(reservation) => reservation.settle(outcome).await,
            Self::Watched(_) => Ok(()),
        }
    }
}

impl<I, S, B, R> ResponseFuture<I, S, B, R>
where
    I: Service<Request<Replay<B>>>,
{
    pub(super) fn pass(call: I::Future) -> Self {
        Self { state: State::Passing { call } }
    }

    pub(super) fn answered(response: Response<Replay<R>>) -> Self {
        Self { state: State::Answered { response: Some(Box::new(response)) } }
    }

    pub(super) fn guarded(guarded: Guarded<I, S, B, R>) -> Self {
        Self { state: State::Guarded { guarded: Box::pin(guarded) } }
    }
}

impl<I, S, B, R> Guarded<I, S, B, R>
where
    I: Service<Request<Replay<B>>>,
    B: Body<Data = Bytes> + Unpin,
{
    pub(super) fn new(visit: Arc<Visit>, guards: Arc<Guards<S>>, service: I, req: Request<B>) -> Self {
        let (head, body) = req.into_parts();
        let gather = Some(Gather::new(body, LOOKED_AT));
        Self { visit, guards, head: Some((service, head)), seen: Seen::default(), error: None, step: Step::Reading { gather } }
    }
}

impl<I, S, B, R> Future for ResponseFuture<I, S, B, R>
where
    I: Service<Request<Replay<B>>, Response = Response<R>>,
    S: Store,
    B: Body<Data = Bytes> + Unpin,
    R: Body<Data = Bytes> + From<Bytes> + Unpin,
{
    type Output = Result<Response<Replay<R>>, I::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Passing { call } => Poll::Ready(Ok(ready!(call.poll(cx))?.map(Replay::through))),
            StateProjection::Answered { response } => Poll::Ready(Ok(*response.take().expect("not polled after completion"))),
            StateProjection::Guarded { guarded } => guarded.as_mut().poll(cx),
        }
    }
}

impl<I, S, B, R> Future for Guarded<I, S, B, R>
where
    I: Service<Request<Replay<B>>, Response = Response<R>>,
    S: Store,
    B: Body<Data = Bytes> + Unpin,
    R: Body<Data = Bytes> + From<Bytes> + Unpin,
{
    type Output = Result<Response<Replay<R>>, I::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const ONCE: &str = "not polled after completion";
        let mut this = self.project();
        loop {
            let next = match this.step.as_mut().project() {
                StepProjection::Reading { gather } => {
                    let Ok(()) = ready!(gather.as_mut().expect(ONCE).poll(cx)) else {
                        return Poll::Ready(Ok(answer::cut_short(this.visit)));
                    };
                    let gather = gather.take().expect(ONCE);
                    let (_, head) = this.head.as_ref().expect(ONCE);
                    match this.visit.look(head, gather.bytes(), gather.is_whole()) {
                        Looked::Answered(response) => return Poll::Ready(Ok(response)),
                        Looked::Attempt(seen, attempt) => {
                            *this.seen = seen;
                            let (login, rules) = this.visit.login();
                            let guard = this.guards.guard(login, rules);
                            let asking = Box::pin(async move { guard.reserve(&attempt).await });
                            Step::Asking { asking, body: Some(gather.into_body()) }
                        }
                    }
                }
                StepProjection::Asking { asking, body } => {
                    let open = match ready!(asking.as_mut().poll(cx)) {
                        Ok(Verdict::Go(reservation)) => Open::Charged(reservation),
                        Ok(Verdict::Stop(stop)) if this.visit.only_watches() => Open::Watched(Some(stop)),
                        Ok(Verdict::Stop(stop)) => return Poll::Ready(Ok(answer::stopped(this.visit, &stop))),
                        Err(_) if this.visit.only_watches() => Open::Watched(None),
                        Err(_) => return Poll::Ready(Ok(answer::cannot_tell(this.visit))),
                    };
                    let (mut service, mut head) = this.head.take().expect(ONCE);
                    // The body is here already.
                    head.headers.remove(EXPECT);
                    outcome::mark(&mut head.headers, head.uri.path());
                    if this.visit.may_read_bodies() {
                        head.headers.remove(ACCEPT_ENCODING);
                    }
                    let call = service.call(Request::from_parts(head, body.take().expect(ONCE)));
                    Step::Calling { call, open: Some(open) }
                }
                StepProjection::Calling { call, open } => match ready!(call.poll(cx)) {
                    Ok(response) => {
                        let open = open.take().expect(ONCE);
                        let (parts, body) = response.into_parts();
                        let response = Response::from_parts(parts, ());
                        match this.visit.look_for(&response) {
                            Some(look) => {
                                let gather = Some(Gather::new(body, LOOKED_AT));
                                Step::Looking { response: Some(response), gather, look, open: Some(open) }
                            }
                            None => {
                                let outcome = this.visit.outcome(&response, None);
                                settle(this.visit, this.seen, response.map(|()| Replay::through(body)), open, outcome)
                            }
                        }
                    }
                    // No answer of the app's: nothing is known about the password.
                    Err(error) => {
                        let open = open.take().expect(ONCE);
                        let settling = Box::pin(open.settle(Outcome::Neutral));
                        *this.error = Some(error);
                        Step::Failed { settling }
                    }
                },
                StepProjection::Looking { response, gather, look, open } => {
                    // A body that breaks off is looked at as far as it came, and breaks off for the client too.
                    let _ = ready!(gather.as_mut().expect(ONCE).poll(cx));
                    let (gather, response) = (gather.take().expect(ONCE), response.take().expect(ONCE));
                    look.feed(gather.bytes());
                    if gather.is_whole() {
                        look.end();
                    }
                    let outcome = this.visit.outcome(&response, Some(look));
                    settle(this.visit, this.seen, response.map(|()| gather.into_body()), open.take().expect(ONCE), outcome)
                }
                StepProjection::Settling { settling, response } => {
                    // Where the store fails now the charges stay, which is the strict side.
                    let _ = ready!(settling.as_mut().poll(cx));
                    return Poll::Ready(Ok(response.take().expect(ONCE)));
                }
                StepProjection::Failed { settling } => {
                    let _ = ready!(settling.as_mut().poll(cx));
                    return Poll::Ready(Err(this.error.take().expect(ONCE)));
                }
            };
            this.step.set(next);
        }
    }
}

/// Settled before the client learns anything, so that nothing can be learned faster than it is counted.
fn settle<S: Store, B, R, C>(
    visit: &Visit,
    seen: &Seen,
    mut response: Response<Replay<R>>,
    open: Open<S>,
    outcome: Outcome,
) -> Step<S, B, R, C> {
    outcome::unmark(response.headers_mut());
    answer::complete(
        visit,
        seen,
        &mut response,
        outcome,
        match &open {
            Open::Charged(reservation) => Ok(reservation.trust()),
            Open::Watched(stop) => Err(*stop),
        },
    );
    Step::Settling { settling: Box::pin(open.settle(outcome)), response: Some(response) }
}
