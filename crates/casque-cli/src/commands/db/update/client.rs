//! Requests for an export's files: redirects, a pace below which nobody waits, and a limit on everything.

use std::time::Duration;

use bytes::Bytes;
use casque_scan::Address;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep, timeout_at};

use super::source::Source;
use crate::net::{self, Connection, FetchError, Guard, Proxy, Trust, connect, encoded, in_words, open};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// How often something is asked for in vain.
const TRIES: u32 = 4;

/// Why a file was not had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Another try may help.
    Passing(String),
    /// No other try helps.
    Lasting(String),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let passing = matches!(
            error,
            FetchError::Refused { .. }
                | FetchError::Unreachable { .. }
                | FetchError::ConnectTimeout { .. }
                | FetchError::NotUnderstood { .. }
                | FetchError::Resolve { .. }
        );
        if passing { Self::Passing(error.to_string()) } else { Self::Lasting(error.to_string()) }
    }
}

/// How long and how slow an answer may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For all of it.
    pub(super) whole: Duration,
    /// For the head of an answer; also the time in which `least` bytes of a body must come.
    pub(super) patience: Duration,
    /// How many bytes of a body must come in that time. A trickle holds nobody for long.
    pub(super) least: u64,
    /// Before a second try; twice that before a third.
    pub(super) pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { whole: Duration::from_secs(30 * 60), patience: Duration::from_secs(30), least: 30 << 10, pause: Duration::from_millis(500) }
    }
}

/// What an update asks with.
pub(super) struct Client {
    source: Source,
    limits: Limits,
    deadline: Instant,
    guard: Guard,
    proxy: Option<Proxy>,
    /// Read when it is needed first.
    trust: Option<Trust>,
    idle: Option<(String, Connection)>,
}

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Incoming,
    from: Address,
    connection: Connection,
    pace: Pace,
}

/// How much has come in the time that is now.
#[derive(Debug)]
struct Pace {
    limits: Limits,
    deadline: Instant,
    until: Instant,
    bytes: u64,
}

impl Client {
    pub(super) fn new(source: &Source, limits: Limits, deadline: Instant, proxy: Option<Proxy>) -> Self {
        let host = source.file(casque_audit::Ecosystem::Npm, "").host;
        Self { source: source.clone(), limits, deadline, guard: Guard::new(&host), proxy, trust: None, idle: None }
    }

    /// Another of the same kind, to ask at the same time.
    pub(super) fn beside(&self) -> Self {
        Self {
            source: self.source.clone(),
            limits: self.limits,
            deadline: self.deadline,
            guard: self.guard.clone(),
            proxy: self.proxy.clone(),
            trust: self.trust.clone(),
            idle: None,
        }
    }

    /// Waits before another try, longer each time; `tries` have failed without getting anywhere.
    ///
    /// # Errors
    /// The failure of the last try: it was the last one, or there is no time for another.
    pub(super) async fn pause(&self, tries: u32, failure: Failure) -> Result<(), Failure> {
        let until = Instant::now() + self.limits.pause * 2_u32.saturating_pow(tries.saturating_sub(1));
        if tries >= TRIES || until >= self.deadline || matches!(failure, Failure::Lasting(_)) {
            return Err(failure);
        }
        sleep(until - Instant::now()).await;
        Ok(())
    }

    fn time_is_up(&self) -> Failure {
        time_is_up(self.limits.whole)
    }

    /// A small file, and the head that came with it. Several tries.
    pub(super) async fn small(
        &mut self,
        address: &Address,
        fields: &[(HeaderName, String)],
        most: u64,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), Failure> {
        let mut tries = 0;
        loop {
            match self.small_once(address, fields, most).await {
                Err(failure) => {
                    tries += 1;
                    self.pause(tries, failure).await?;
                }
                had => return had,
            }
        }
    }

    async fn small_once(
        &mut self,
        address: &Address,
        fields: &[(HeaderName, String)],
        most: u64,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), Failure> {
        let mut answer = self.get(address, fields).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if (body.len() + chunk.len()) as u64 > most {
                return Err(Failure::Lasting(format!("{address} is larger than {} KiB", most >> 10)));
            }
            body.extend_from_slice(&chunk);
        }
        let Answer { status, headers, from, connection, .. } = answer;
        self.idle = Some((from.origin(), connection));
        Ok((status, headers, body))
    }

    /// Asks once, and again wherever that redirects to.
    ///
    /// # Errors
    /// There is no answer, or one of a server in trouble.
    pub(super) async fn get(&mut self, address: &Address, fields: &[(HeaderName, String)]) -> Result<Answer, Failure> {
        let mut at = address.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.ask(&at, fields).await?;
            match answer.status.as_u16() {
                301 | 302 | 303 | 307 | 308 => at = self.redirected(&at, &answer.headers)?,
                408 | 425 | 429 | 500..=599 => return Err(Failure::Passing(format!("{at} answered with {}", answer.status.as_u16()))),
                _ => return Ok(answer),
            }
        }
        Err(FetchError::Redirects { address: address.to_string(), count: MAX_REDIRECTS }.into())
    }

    fn redirected(&self, from: &Address, headers: &HeaderMap) -> Result<Address, Failure> {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let to = location.and_then(|location| from.join(location));
        let to = to.ok_or_else(|| Failure::Lasting(format!("{from} redirects to what is no address")))?;
        if from.https && !to.https {
            return Err(Failure::Lasting(format!(
                "{from} redirects from https to {}, where anybody on the way can change it",
                to.origin()
            )));
        }
        self.source.allows(&to).map_err(Failure::Lasting)?;
        if !self.guard.lets_follow(&to.host) {
            return Err(FetchError::Inward { address: from.to_string(), to: to.origin() }.into());
        }
        Ok(to)
    }

    async fn ask(&mut self, address: &Address, fields: &[(HeaderName, String)]) -> Result<Answer, Failure> {
        let origin = address.origin();
        if let Some((_, mut kept)) = self.idle.take().filter(|(of, _)| *of == origin)
            && kept.sender.ready().await.is_ok()
            // It may have been closed meanwhile: then a fresh one is asked.
            && let Ok(response) = self.send(&mut kept, address, fields).await
        {
            return self.answer(response, kept, address);
        }
        let mut fresh = self.connect(address).await?;
        let response = self.send(&mut fresh, address, fields).await?;
        self.answer(response, fresh, address)
    }

    fn answer(&self, response: Response<Incoming>, connection: Connection, from: &Address) -> Result<Answer, Failure> {
        let (head, body) = response.into_parts();
        // It was not asked for, and a few bytes can unpack to gigabytes.
        if head.headers.get(CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Failure::Lasting(format!("{from} answers in a coding that was not asked for")));
        }
        let pace = Pace { limits: self.limits, deadline: self.deadline, until: Instant::now() + self.limits.patience, bytes: 0 };
        Ok(Answer { status: head.status, headers: head.headers, body, from: from.clone(), connection, pace })
    }

    async fn connect(&mut self, address: &Address) -> Result<Connection, Failure> {
        if Instant::now() >= self.deadline {
            return Err(self.time_is_up());
        }
        let stream = match self.proxy.as_ref().filter(|proxy| proxy.is_for(address)) {
            Some(proxy) => proxy.tunnel(address, self.deadline).await?,
            None => connect(address, &mut self.guard, self.deadline).await?,
        };
        if !address.https {
            return Ok(open(stream, false, address).await?);
        }
        let trust = self.trust.get_or_insert_with(Trust::of_the_system);
        let (stream, _) = trust.handshake(stream, address, false, self.deadline).await?;
        Ok(open(stream, true, address).await?)
    }

    async fn send(
        &self,
        connection: &mut Connection,
        address: &Address,
        fields: &[(HeaderName, String)],
    ) -> Result<Response<Incoming>, Failure> {
        let until = self.deadline.min(Instant::now() + self.limits.patience);
        let response = timeout_at(until, connection.sender.send_request(request(address, fields)?)).await;
        match response {
            Ok(response) => response.map_err(|error| in_words(address, &error).into()),
            Err(_) if Instant::now() >= self.deadline => Err(self.time_is_up()),
            Err(_) => Err(Failure::Passing(format!("no answer from {} within {} s", address.origin(), self.limits.patience.as_secs_f32()))),
        }
    }
}

fn request(address: &Address, fields: &[(HeaderName, String)]) -> Result<Request<Empty<Bytes>>, Failure> {
    let unsendable = || Failure::Lasting(format!("{address} cannot be asked over HTTP"));
    let mut request = Request::builder()
        .uri(encoded(&address.path))
        .header(HOST, address.authority())
        .header(USER_AGENT, net::USER_AGENT)
        .header(ACCEPT_ENCODING, "identity")
        .body(Empty::new())
        .map_err(|_| unsendable())?;
    for (name, value) in fields {
        request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(|_| unsendable())?);
    }
    Ok(request)
}

fn time_is_up(whole: Duration) -> Failure {
    Failure::Lasting(format!("the time of {} s for all of it is up; --timeout gives more", whole.as_secs_f32()))
}

impl Answer {
    /// A text of the head.
    pub(super) fn field(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// It broke off, or comes too slowly.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let until = self.pace.deadline.min(self.pace.until);
            match timeout_at(until, self.body.frame()).await {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.pace.bytes += data.len() as u64;
                        return Ok(Some(data));
                    }
                }
                Ok(Some(Err(_))) => return Err(Failure::Passing(format!("{} broke off", self.from))),
                Err(_) => self.pace.next(&self.from)?,
            }
        }
    }
}

impl Pace {
    /// A span of time is over: was it used?
    fn next(&mut self, from: &Address) -> Result<(), Failure> {
        if Instant::now() >= self.deadline {
            return Err(time_is_up(self.limits.whole));
        }
        if self.bytes < self.limits.least {
            return Err(Failure::Passing(format!(
                "{from} came too slowly: {} bytes in {} s",
                self.bytes,
                self.limits.patience.as_secs_f32()
            )));
        }
        self.bytes = 0;
        self.until = Instant::now() + self.limits.patience;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use casque_audit::Ecosystem;

    use super::*;

    /// What becomes of a body that comes in pieces of so many bytes, ten milliseconds apart.
    fn asked(piece: usize, length: usize) -> Result<usize, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let source = Source::parse(&format!("http://{}/", listener.local_addr().unwrap()), false).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                for _ in 0..length / piece {
                    std::thread::sleep(Duration::from_millis(10));
                    if stream.write_all(&vec![0; piece]).is_err() {
                        break;
                    }
                }
            }
        });
        let millis = Duration::from_millis;
        let limits = Limits { whole: millis(5000), patience: millis(200), least: 1000, pause: millis(1) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut client = Client::new(&source, limits, Instant::now() + limits.whole, None);
            client.small(&source.file(Ecosystem::Npm, "all.zip"), &[], 1 << 20).await.map(|(_, _, body)| body.len())
        })
    }

    #[test]
    fn a_trickle_is_not_waited_for_and_a_slow_line_is() {
        assert_eq!(asked(400, 24_000), Ok(24_000));
        let Err(Failure::Passing(why)) = asked(2, 24_000) else { panic!() };
        assert!(why.contains("came too slowly") && why.contains("in 0.2 s"), "{why}");
    }
}
