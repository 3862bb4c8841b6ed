//! The layer from outside: requests in, responses out.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, Response};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::*;
use crate::client_ip::TrustedProxies;
use crate::clock::{ManualClock, Micros};

fn request(path: &str, fields: &[(&'static str, &'static str)]) -> Request<()> {
    let client = TrustedProxies::default().identify(IpAddr::from([192, 0, 2, 1]), &HeaderMap::new()).ip;
    let mut request = Request::builder().uri(path).extension(client);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// An app that tells of a limit of its own.
fn app(_: Request<()>) -> Ready<Result<Response<Bytes>, Infallible>> {
    ready(Ok(Response::builder().header("ratelimit", "\"app\";r=7;t=1").body(Bytes::new()).unwrap()))
}

async fn ask<S: Store>(layer: &LimitLayer<S>, request: Request<()>) -> Response<Bytes> {
    layer.layer(tower::service_fn(app)).oneshot(request).await.unwrap()
}

fn all(response: &Response<Bytes>, name: &str) -> Vec<String> {
    response.headers().get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect()
}

/// A store that has trouble.
struct Broken;

impl Store for Broken {
    type Future = Ready<Result<Outcome, StoreError>>;

    fn charge(&self, _: &[Charge], _: Micros) -> Self::Future {
        ready(Err(StoreError::new("no route to host")))
    }

    fn refund(&self, _: &[Charge], _: Receipt, _: Micros) -> Self::Future {
        ready(Err(StoreError::new("no route to host")))
    }

    fn change(&self, _: Key, _: Budget, _: Change, _: Micros) -> Self::Future {
        ready(Err(StoreError::new("no route to host")))
    }
}

#[tokio::test]
async fn each_key_has_its_budget_and_the_refused_are_told_when_to_come_back() {
    let key = CountBy::new([Part::parse("header:x-api-key").unwrap()]);
    let limit = Limit::new("api", Quota::per_minute(2)).by(key).fields_when(FieldsWhen::Always);
    let layer = LimitLayer::of([limit]).clock(ManualClock::at(Micros(1_000_000_000)));
    let with = |key| request("/", &[("x-api-key", key)]);
    let first = ask(&layer, with("k1")).await;
    assert_eq!(all(&first, "ratelimit"), ["\"app\";r=7;t=1", "\"api\";r=1;t=30"], "the app's own stays");
    assert_eq!(all(&first, "ratelimit-policy"), ["\"api\";q=2;w=60"]);
    ask(&layer, with("k1")).await;
    let refused = ask(&layer, with("k1")).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["cache-control"], "no-store");
    let wait: u64 = all(&refused, "retry-after")[0].parse().unwrap();
    assert!((30..=33).contains(&wait), "{wait}");
    assert_eq!(all(&refused, "ratelimit"), [format!("\"api\";r=0;t={wait}")]);
    assert!(refused.body().windows(14).any(|w| w == b"quota-exceeded"));
    assert_eq!(ask(&layer, with("k2")).await.status(), 200);
    assert_eq!(ask(&layer, request("/", &[])).await.status(), 200);
}

#[tokio::test]
async fn trouble_of_the_store_is_no_429() {
    let layer = LimitLayer::new(Quota::per_second(1)).store(Arc::new(Broken));
    let response = ask(&layer, request("/", &[("accept", "text/html")])).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers()[RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap() >= 5);
    assert_eq!((all(&response, "cache-control"), all(&response, "ratelimit")), (vec!["no-store".to_owned()], vec![]));
    assert!(!String::from_utf8_lossy(response.body()).contains("route to host"), "the store's words are for the log");
    assert!(response.extensions().get::<Refusal>().is_none());
}

#[tokio::test]
async fn a_quota_of_the_calendar_is_fresh_with_its_day() {
    let clock = ManualClock::at(Micros(1_000_000_000));
    let layer = LimitLayer::of([Limit::new("daily", Quota::daily(1)).fields(Fields::X)]).clock(clock.clone());
    assert_eq!(ask(&layer, request("/", &[])).await.status(), 200);
    let refused = ask(&layer, request("/", &[])).await;
    assert_eq!(refused.status(), 429);
    assert!(all(&refused, "x-ratelimit-reset")[0].parse::<u64>().unwrap() >= 86_400);
    clock.advance(Duration::from_secs(86_400));
    assert_eq!(ask(&layer, request("/", &[])).await.status(), 200);
}

#[tokio::test]
async fn what_is_not_to_be_told_is_not_told() {
    let layer = LimitLayer::of([Limit::new("quiet", Quota::per_hour(1)).fields_when(FieldsWhen::Never)]);
    ask(&layer, request("/", &[])).await;
    let refused = ask(&layer, request("/", &[])).await;
    assert_eq!(refused.status(), 429);
    assert!(all(&refused, "ratelimit").is_empty() && all(&refused, "ratelimit-policy").is_empty());
    assert!(refused.headers().contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn a_limit_that_only_watches_refuses_nothing_when_the_store_has_trouble() {
    let shadow = || Limit::new("shadow", Quota::per_second(1)).mode(Mode::Shadow);
    let layer = LimitLayer::of([shadow()]).store(Arc::new(Broken));
    assert_eq!(ask(&layer, request("/", &[])).await.status(), 200);
    let layer = LimitLayer::of([shadow(), Limit::new("real", Quota::per_second(1))]).store(Arc::new(Broken));
    let response = ask(&layer, request("/", &[])).await;
    assert_eq!(response.status(), 503);
    assert!(!String::from_utf8_lossy(response.body()).contains("shadow"), "it stops nobody");
}

#[tokio::test]
async fn what_shadow_would_have_refused_is_told_of_refused_requests_too() {
    let shadow = Limit::new("shadow", Quota::per_hour(1)).mode(Mode::Shadow);
    let layer = LimitLayer::of([shadow, Limit::new("real", Quota::per_hour(2))]);
    let mut told = Vec::new();
    for _ in 0..3 {
        let response = ask(&layer, request("/", &[])).await;
        told.push((response.status().as_u16(), response.extensions().get::<ShadowRefused>().map_or(0, |s| s.limits.len())));
    }
    assert_eq!(told, [(200, 0), (200, 1), (429, 1)]);
}
