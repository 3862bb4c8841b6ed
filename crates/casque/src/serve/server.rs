//! The accept loop, for apps that want one line.

use std::convert::Infallible;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::TcpListener;
use tower_service::Service;

use super::accept::accept;
use super::body::Body;
use super::caps::Caps;
use super::connection::{connection, stopper};
use super::settings::Settings;
use super::state::Connection;
use crate::client_ip::{TrustedProxies, mark};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves an app, such as an axum `Router`, on a listener. Await it; it ends after [`Serve::shutdown_on`], or never.
pub fn serve<S>(listener: TcpListener, app: S) -> Serve<S> {
    Serve { listener, app, settings: Settings::default(), trusted: TrustedProxies::default(), shutdown: None }
}

/// A server about to be started. See [`serve`].
#[must_use = "a server does nothing until it is awaited"]
pub struct Serve<S> {
    listener: TcpListener,
    app: S,
    settings: Settings,
    trusted: TrustedProxies,
    shutdown: Option<BoxFuture<()>>,
}

impl<S> std::fmt::Debug for Serve<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve").field("listener", &self.listener).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S> Serve<S> {
    /// Other timeouts and sizes.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Believes these proxies about the client's address and scheme. Default: none.
    pub fn trusting(mut self, proxies: TrustedProxies) -> Self {
        self.trusted = proxies;
        self
    }

    /// When `signal` is ready: accepts no more, lets requests in flight finish for [`Settings::drain_timeout`], and ends.
    pub fn shutdown_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Some(Box::pin(signal));
        self
    }
}

impl<S, B> IntoFuture for Serve<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = io::Result<()>;
    type IntoFuture = BoxFuture<io::Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self))
    }
}

async fn run<S, B>(server: Serve<S>) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let Serve { listener, app, settings, trusted, shutdown } = server;
    let settings = Arc::new(settings);
    let caps = Caps::new(settings.max_connections, settings.max_connections_per_client);
    let service = Known { app, trusted: Arc::new(trusted) };
    let (stop, drain) = stopper();
    let mut shutdown = shutdown.unwrap_or_else(|| Box::pin(std::future::pending()));
    loop {
        let (io, peer, permit) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &caps, |ip| service.trusted.contains(ip)) => accepted,
        };
        tokio::spawn(connection(io, peer.ip(), service.clone(), settings.clone(), permit, drain.clone()));
    }
    drop(listener);
    stop.stop();
    let all_gone = async {
        while caps.taken() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = tokio::time::timeout(settings.drain_timeout, all_gone).await;
    Ok(())
}

/// Puts the client's address on every request.
#[derive(Debug, Clone)]
struct Known<S> {
    app: S,
    trusted: Arc<TrustedProxies>,
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Known<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.app.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request<Body>) -> S::Future {
        let peer = req.extensions().get::<Arc<Connection>>().map(|c| c.peer());
        if let Some(peer) = peer {
            mark(&mut req, peer, &self.trusted);
        }
        self.app.call(req)
    }
}
