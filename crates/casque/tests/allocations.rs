//! What the header stage takes from the allocator for one response: the memory of the response's own map, and for a nonce two small pieces more.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use casque::HeadersLayer;
use casque::headers::{HeaderPolicy, Mode, Preset, When};
use casque::path::Pattern;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{Request, Response};
use tower::{Layer, Service, service_fn};

type Asked = Ready<Result<Response<()>, Infallible>>;

/// Gives the response that the request brought.
fn app(req: Request<Response<()>>) -> Asked {
    ready(Ok(req.into_body()))
}

fn allocations(policy: HeaderPolicy) -> u64 {
    let mut service = HeadersLayer::new(policy).https(true).layer(service_fn(app));
    let mut once = || {
        let answer = Response::builder().header(CONTENT_TYPE, "text/html").header(CONTENT_LENGTH, "1024").body(()).unwrap();
        let mut ask = Request::builder().uri("/items/7?page=2").header(HOST, "shop.example").body(answer).unwrap();
        // The server has put something there, and its map with it.
        ask.extensions_mut().insert(7_u8);
        let mut headers = 0;
        let counted = allocation_counter::measure(|| {
            let future = pin!(service.call(ask));
            if let Poll::Ready(Ok(answer)) = future.poll(&mut Context::from_waker(Waker::noop())) {
                headers = answer.headers().len();
            }
        });
        assert!(headers >= 14, "{headers}");
        counted.count_total
    };
    // The first nonce of a thread seeds its generator.
    once();
    once()
}

/// A map of fourteen headers: its table, its lines, and the lines once more when it outgrows what it was made for.
const MAP: u64 = 3;

#[test]
fn headers_cost_the_maps_own_memory_alone() {
    assert_eq!(allocations(HeaderPolicy::preset(Preset::Helmet)), MAP);
}

#[test]
fn profiles_cost_nothing() {
    let api = HeaderPolicy::builder(Preset::Api);
    let policy = HeaderPolicy::builder(Preset::Helmet)
        .profile("embed", When::named().paths([Pattern::parse("/items/*/embed").unwrap(), Pattern::parse("**/frame").unwrap()]), &api)
        .and_then(|b| b.profile("errors", When::named().statuses([400..=599]), &api))
        .unwrap()
        .build();
    assert_eq!(allocations(policy), MAP);
}

#[test]
fn a_nonce_costs_its_value_and_being_told_to_the_app() {
    let policy = HeaderPolicy::builder(Preset::Helmet).set("content-security-policy", "script-src 'nonce'", Mode::Fill).unwrap().build();
    let (value, told) = (1, 1);
    assert_eq!(allocations(policy), MAP + value + told);
}
