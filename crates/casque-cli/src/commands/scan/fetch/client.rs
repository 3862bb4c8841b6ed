//! Requests of one scan: a kept connection for each origin, and a limit on everything.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use casque_scan::raw::MAX_BODY;
use casque_scan::{Address, Exchange, JarCookie};
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::secrets::Secrets;
use super::{Options, Target};
use crate::net::{self, Connection, FetchError, Guard, Trust, connect, encoded, in_words, open};

/// How long one page may take, or half of the whole if that is more.
const PAGE_LIMIT: Duration = Duration::from_secs(10);
/// How long one probe may take: a tarpit must not use up the time of all.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// How long the body of an answer may take once its head is there; what has come until then is kept.
const BODY_LIMIT: Duration = Duration::from_secs(5);
/// How much of the body of anything but a page is kept.
const SMALL_BODY: usize = 64 * 1024;

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) address: &'a Address,
    /// Fields besides the usual ones.
    pub(super) fields: Vec<(HeaderName, String)>,
    /// A page: more time and a larger body.
    pub(super) page: bool,
    /// Whether its cookies are judged.
    pub(super) cookies: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn page(address: &'a Address) -> Self {
        Self { page: true, cookies: true, ..Self::probe(address) }
    }

    pub(super) fn probe(address: &'a Address) -> Self {
        Self { method: Method::GET, address, fields: Vec::new(), page: false, cookies: false }
    }
}

/// What one scan asks with.
pub(super) struct Client {
    secrets: Secrets,
    accept_invalid_certs: bool,
    guard: Guard,
    deadline: Instant,
    limit: Duration,
    /// Read when it is needed first: a site on plain HTTP needs none.
    trust: Option<Trust>,
    idle: HashMap<String, Connection>,
    certificate_problem: Option<String>,
    jar: Vec<JarCookie>,
}

impl Client {
    pub(super) fn new(target: &Target, options: &Options) -> Self {
        Self {
            secrets: Secrets::new(target, options),
            accept_invalid_certs: options.accept_invalid_certs,
            guard: Guard::new(&target.address.host),
            deadline: Instant::now() + options.timeout,
            limit: options.timeout,
            trust: None,
            idle: HashMap::new(),
            certificate_problem: None,
            jar: Vec::new(),
        }
    }

    /// What was wrong with a certificate that was accepted all the same.
    pub(super) fn certificate_problem(&self) -> Option<&str> {
        self.certificate_problem.as_deref()
    }

    /// Whether what the user gave went nowhere, because it would have gone over plain HTTP.
    pub(super) fn kept_secrets_back(&self) -> bool {
        self.secrets.kept_back()
    }

    /// The cookies that were set.
    pub(super) fn jar(&self) -> &[JarCookie] {
        &self.jar
    }

    /// Whether a redirect to this host may be followed.
    pub(super) fn lets_follow(&self, host: &str) -> bool {
        self.guard.lets_follow(host)
    }

    /// Asks once. A kept connection that turns out to be closed is replaced.
    pub(super) async fn send(&mut self, ask: &Ask<'_>) -> Result<Exchange, FetchError> {
        match self.try_once(ask).await {
            // Whatever was being waited for then, it is the whole that has taken too long.
            Err(_) if self.is_time_up() => Err(FetchError::Timeout { limit: self.limit, whole: self.limit }),
            result => result,
        }
    }

    /// Whether the time for all of it is over.
    pub(super) fn is_time_up(&self) -> bool {
        Instant::now() >= self.deadline
    }

    async fn try_once(&mut self, ask: &Ask<'_>) -> Result<Exchange, FetchError> {
        let limit = limit(ask.page, self.limit);
        if self.is_time_up() {
            return Err(FetchError::Timeout { limit: self.limit, whole: self.limit });
        }
        let until = self.deadline.min(Instant::now() + limit);
        let late = FetchError::Timeout { limit, whole: self.limit };
        let origin = ask.address.origin();
        if let Some(mut kept) = self.idle.remove(&origin)
            && kept.sender.ready().await.is_ok()
        {
            let asked = timeout_at(until, kept.sender.send_request(self.request(ask)?)).await;
            match asked.map_err(|_| late.clone())? {
                Ok(response) => return self.receive(ask, kept, response, until).await,
                Err(error) if error.is_canceled() || error.is_closed() || error.is_incomplete_message() => {}
                Err(error) => return Err(in_words(ask.address, &error)),
            }
        }
        let mut fresh = self.connect(ask.address, until).await?;
        let asked = timeout_at(until, fresh.sender.send_request(self.request(ask)?)).await;
        match asked.map_err(|_| late)? {
            Ok(response) => self.receive(ask, fresh, response, until).await,
            Err(error) => Err(in_words(ask.address, &error)),
        }
    }

    async fn connect(&mut self, address: &Address, until: Instant) -> Result<Connection, FetchError> {
        let stream = connect(address, &mut self.guard, until).await?;
        if !address.https {
            return open(stream, false, address).await;
        }
        let trust = self.trust.get_or_insert_with(Trust::of_the_system);
        let (stream, problem) = trust.handshake(stream, address, self.accept_invalid_certs, until).await?;
        let verified = problem.is_none();
        self.certificate_problem = self.certificate_problem.take().or(problem);
        open(stream, verified, address).await
    }

    fn request(&self, ask: &Ask<'_>) -> Result<Request<Empty<Bytes>>, FetchError> {
        let unsendable = |_| FetchError::not_http(ask.address, "the address cannot be asked over HTTP");
        let mut fields = HeaderMap::new();
        fields.insert(HOST, HeaderValue::from_str(&ask.address.authority()).map_err(unsendable)?);
        fields.insert(USER_AGENT, HeaderValue::from_static(net::USER_AGENT));
        fields.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        // Nothing of ours unpacks: a few bytes can unpack to gigabytes.
        fields.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in &ask.fields {
            fields.insert(name, HeaderValue::from_str(value).map_err(unsendable)?);
        }
        self.secrets.add(ask.address, &mut fields);
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(encoded(&ask.address.path))
            .body(Empty::new())
            .map_err(|_| FetchError::not_http(ask.address, "the address cannot be asked over HTTP"))?;
        *request.headers_mut() = fields;
        Ok(request)
    }

    async fn receive(
        &mut self,
        ask: &Ask<'_>,
        connection: Connection,
        response: Response<Incoming>,
        until: Instant,
    ) -> Result<Exchange, FetchError> {
        let (head, mut body) = response.into_parts();
        let text = |v: &HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
        let mut exchange = Exchange {
            url: ask.address.to_string(),
            method: ask.method.to_string(),
            request_headers: ask.fields.iter().map(|(n, v)| (n.to_string(), v.clone())).collect(),
            status: head.status.as_u16(),
            headers: head.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
            verified: connection.verified,
            ..Exchange::default()
        };
        let cap = if ask.page { MAX_BODY } else { SMALL_BODY };
        let body_until = until.min(Instant::now() + BODY_LIMIT);
        let mut whole = false;
        loop {
            match timeout_at(body_until, body.frame()).await {
                Ok(None) => {
                    whole = true;
                    break;
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        let room = cap - exchange.body.len();
                        exchange.body.extend_from_slice(&data[..data.len().min(room)]);
                        if data.len() > room {
                            break;
                        }
                    }
                }
                // Too slow, or broken off: what has come is judged.
                Ok(Some(Err(_))) | Err(_) => break,
            }
        }
        exchange.truncated = !whole;
        if whole {
            self.idle.insert(ask.address.origin(), connection);
        }
        exchange.credentials = self.secrets.telling(ask.address);
        self.secrets.learn(ask.address, &exchange);
        if ask.cookies {
            exchange.fill(&mut self.jar);
        }
        Ok(exchange)
    }
}

/// How long one answer may take out of the time for all of them.
fn limit(page: bool, whole: Duration) -> Duration {
    if page { PAGE_LIMIT.max(whole / 2) } else { PROBE_LIMIT }.min(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_time_for_all_is_more_time_for_a_page() {
        let seconds = |page, whole| limit(page, Duration::from_secs(whole)).as_secs();
        assert_eq!([1, 20, 60].map(|whole| seconds(true, whole)), [1, 10, 30]);
        assert_eq!([1, 20, 60].map(|whole| seconds(false, whole)), [1, 5, 5]);
    }
}
