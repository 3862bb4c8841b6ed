//! The same small axum app with its policy in four ways: none, with the crates one finds for it today (as their
//! documentation shows, and stacked by hand), with casque's layers. One thread, served by `axum::serve`, so that what
//! differs is the policy alone; a fifth variant is served by `casque::serve`.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use casque::client_ip::ClientIpLayer;
use casque::{HeadersLayer, LimitLayer, Quota};
use casque_bench::{HELMET, json_body};
use clap::{Parser, ValueEnum};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use tokio::net::TcpListener;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_http::set_header::SetResponseHeaderLayer;

#[derive(Parser)]
struct Options {
    variant: Variant,
    /// Address to listen on.
    listen: SocketAddr,
    /// Requests a second that one client may make. The default is there to be counted, never to be reached.
    #[arg(long, default_value_t = 1_000_000)]
    limit: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Variant {
    /// No policy.
    Bare,
    /// A SetResponseHeaderLayer for each of helmet's headers, and tower_governor.
    Crates,
    /// The same crates, stacked into one layer by hand.
    Stacked,
    /// casque's layers.
    Casque,
    /// casque's layers, served by `casque::serve`.
    Served,
}

const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json; charset=utf-8");

fn app() -> Router {
    let body = Bytes::from(json_body(1024));
    let items = get(move || async move { ([JSON], body).into_response() });
    Router::new().route("/api/items", items)
}

/// Stacked, the router boxes and clones its service once; the way the documentation of both crates shows it, with one
/// `Router::layer` after another, thirteen times.
fn with_crates(app: Router, limit: u32, are_stacked: bool) -> Result<Router, Box<dyn Error>> {
    let headers = HELMET.map(|(name, value)| {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        SetResponseHeaderLayer::overriding(name, value)
    });
    let limit = GovernorConfigBuilder::default()
        .period(Duration::from_secs(1) / limit)
        .burst_size(limit)
        .finish()
        .ok_or("tower_governor refused its configuration")?;
    let limit = GovernorLayer::new(limit);
    if are_stacked {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = headers;
        return Ok(app.layer((a, b, c, d, e, f, g, h, i, j, k, l, limit)));
    }
    Ok(headers.into_iter().fold(app.layer(limit), Router::layer))
}

/// As the documentation shows it: one `Router::layer` for all, the first outermost.
fn with_casque(app: Router, limit: u32) -> Router {
    let limit = LimitLayer::new(Quota::per_second(limit));
    let headers = HeadersLayer::helmet().https(true);
    app.layer((client_ip_layer(), headers, limit))
}

/// `axum::serve` tells who the client is in its own way. `casque::serve` does so by itself, and then this finds nothing to do.
fn client_ip_layer() -> ClientIpLayer {
    ClientIpLayer::new(|extensions| {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(peer.0.ip())
    })
}

async fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(options.listen).await?;
    let limit = options.limit;
    let app = match options.variant {
        Variant::Bare => app(),
        Variant::Crates => with_crates(app(), limit, false)?,
        Variant::Stacked => with_crates(app(), limit, true)?,
        Variant::Casque => with_casque(app(), limit),
        Variant::Served => return Ok(casque::serve(listener, with_casque(app(), limit)).await?),
    };
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?.block_on(serve(&options))
}
