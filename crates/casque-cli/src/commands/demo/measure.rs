//! What an app looks like from outside.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use casque::clock::{Clock, SystemClock};
use casque_scan::Exchange;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::app::{ArticleApp, PASSWORD, USER};

/// How many passwords are tried.
pub(super) const ATTEMPTS: usize = 1000;
const CONNECTIONS: usize = 8;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) page: Exchange,
    pub(super) login: Exchange,
    pub(super) guesses: Guesses,
}

/// What became of the wrong passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guesses {
    pub(super) reached_the_app: usize,
    pub(super) refused: usize,
    pub(super) took: Duration,
}

/// Looks at the page, logs in once, then tries wrong passwords as fast as it can.
pub(super) async fn measure(address: SocketAddr, app: &ArticleApp) -> Result<Seen, Error> {
    let mut client = Client::connect(address).await?;
    let page = client.send(Method::GET, "/", "").await?;
    let login = client.send(Method::POST, "/login", &format!("user={USER}&password={PASSWORD}")).await?;
    let guesses = guess(address, app).await?;
    Ok(Seen { page, login, guesses })
}

async fn guess(address: SocketAddr, app: &ArticleApp) -> Result<Guesses, Error> {
    let (before, start) = (app.attempts(), SystemClock.now());
    let mut guessers = tokio::task::JoinSet::new();
    for n in 0..CONNECTIONS {
        guessers.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut refused = 0;
            for i in (n..ATTEMPTS).step_by(CONNECTIONS) {
                let seen = client.send(Method::POST, "/login", &format!("user={USER}&password=guess-{i}")).await?;
                refused += usize::from(matches!(seen.status, 429 | 503));
            }
            Ok::<_, Error>(refused)
        });
    }
    let mut refused = 0;
    while let Some(guesser) = guessers.join_next().await {
        refused += guesser??;
    }
    Ok(Guesses { reached_the_app: app.attempts() - before, refused, took: SystemClock.now().since(start) })
}

/// One keep-alive connection.
struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Client {
    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_string() })
    }

    async fn send(&mut self, method: Method, path: &str, form: &str) -> Result<Exchange, Error> {
        let req = Request::builder().method(method).uri(path).header(HOST, &self.host).header("accept", "text/html");
        let req = req.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Full::from(form.to_owned()))?;
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(req).await?.into_parts();
        body.collect().await?;
        let text = |v: &http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect();
        Ok(Exchange { status: head.status.as_u16(), headers, ..Exchange::default() })
    }
}
