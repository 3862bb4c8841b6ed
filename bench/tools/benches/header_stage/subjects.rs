//! The header stage of casque and of the crates one finds for it today, round an app that does nothing.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum_helmet::{Helmet, HelmetLayer};
use casque::HeadersLayer;
use casque::headers::{HeaderPolicy, Mode, Preset, When};
use casque::path::Pattern;
use casque_bench::HELMET;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Request, Response};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_layer::Layer;
use tower_service::Service;

pub(crate) type Answer = Response<Body>;
/// A request that brings the response which the app is to give, so that making the response is not measured.
pub(crate) type Ask = Request<Answer>;

/// An axum app as a layer sees it: a response with `Content-Type` and `Content-Length`, at once.
#[derive(Clone)]
pub(crate) struct App;

impl Service<Ask> for App {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, ask: Ask) -> Self::Future {
        ready(Ok(ask.into_body()))
    }
}

/// The app with room made in its response for twelve more headers: what growing the map costs whoever adds them.
#[derive(Clone)]
pub(crate) struct Roomy;

impl Service<Ask> for Roomy {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, ask: Ask) -> Self::Future {
        let mut answer = ask.into_body();
        answer.headers_mut().reserve(HELMET.len());
        ready(Ok(answer))
    }
}

pub(crate) fn ask() -> Ask {
    let mut answer = Answer::default();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("1024"));
    let mut ask = Ask::new(answer);
    *ask.uri_mut() = http::Uri::from_static("/api/items?page=2");
    ask.headers_mut().insert(HOST, HeaderValue::from_static("app.test"));
    ask
}

/// One request from end to end.
pub(crate) fn answer<S>(service: &mut S, ask: Ask) -> Answer
where
    S: Service<Ask, Response = Answer, Error = Infallible>,
{
    let asked = pin!(service.call(ask));
    match asked.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) => answer,
        Poll::Pending => unreachable!("the app answers at once"),
    }
}

/// What is done with each subject.
pub(crate) trait Measure {
    fn subject<S>(&mut self, name: &str, service: S)
    where
        S: Service<Ask, Response = Answer, Error = Infallible>;
}

/// Hands over every subject. The first two are what the others are compared with.
pub(crate) fn each(measure: &mut impl Measure) {
    measure.subject("nothing", App);
    measure.subject("room for twelve", Roomy);
    measure.subject("casque", casque(HeaderPolicy::preset(Preset::Helmet)));
    measure.subject("casque, profiles", casque(with_profiles()));
    measure.subject("casque, nonce", casque(with_nonce()));
    measure.subject("axum-helmet", axum_helmet().layer(App));
    measure.subject("tower-http", tower_http());
}

fn casque(policy: HeaderPolicy) -> impl Service<Ask, Response = Answer, Error = Infallible> {
    HeadersLayer::new(policy).https(true).layer(App)
}

/// Three profiles that this request is not for: one that its path rules out, one that the response does, one only by name.
fn with_profiles() -> HeaderPolicy {
    let framed = HeaderPolicy::builder(Preset::Helmet).without("x-frame-options").expect("a known header");
    let api = HeaderPolicy::builder(Preset::Api);
    let embed = When::named().paths([Pattern::parse("/embed/*").expect("a pattern")]);
    HeaderPolicy::builder(Preset::Helmet)
        .profile("embed", embed, &framed)
        .and_then(|b| b.profile("errors", When::named().statuses([400..=599]), &api))
        .and_then(|b| b.profile("vault", When::named(), &api))
        .expect("three names")
        .build()
}

fn with_nonce() -> HeaderPolicy {
    let csp = "script-src 'nonce' 'strict-dynamic'; object-src 'none'; base-uri 'none'";
    HeaderPolicy::builder(Preset::Helmet).set("content-security-policy", csp, Mode::Fill).expect("a policy").build()
}

/// With the very values of the others; its own defaults differ in two.
fn axum_helmet() -> HelmetLayer {
    let helmet = HELMET.iter().fold(Helmet::new(), |helmet, (name, value)| helmet.add((*name, (*value).to_owned())));
    helmet.into_layer().expect("helmet's headers are well-formed")
}

/// One layer for each header, stacked into one type: faster than one `Router::layer` after another, which boxes each.
fn tower_http() -> impl Service<Ask, Response = Answer, Error = Infallible> {
    let [a, b, c, d, e, f, g, h, i, j, k, l] =
        HELMET.map(|(name, value)| SetResponseHeaderLayer::overriding(HeaderName::from_static(name), HeaderValue::from_static(value)));
    (a, b, c, d, e, f, g, h, i, j, k, l).layer(App)
}
