//! The network side of a scan: one site asked for what a [`Capture`] has room for.
//!
//! Polite: requests of one site go one after another over connections that are kept: two for the page, one each
//! for robots.txt, security.txt, an address that is not there, a file and a preflight, five for foreign origins, and what
//! redirects add: twelve without them.
//! Bounded: connecting, heads, bodies, redirects and the whole have limits ([`Options`], [`client`]).
//!
//! **Attacks and answers.** The site under scan is hostile. It cannot hold the scan: every wait ends at one deadline. It cannot fill
//! memory: heads and bodies have caps and compression is not asked for. It cannot collect what the user gave: headers and cookies go
//! to the origin that was named and to no other, whatever a redirect says, and over plain HTTP only when that was asked for. It
//! cannot have another site probed: after a redirect elsewhere the probes stay with the site that was named. A public site cannot
//! lead the scan to what only this machine or network reaches, neither by address nor by a name that resolves to one, its own
//! included: whether the named host's first lookup leads outside or inside holds for the whole scan ([`Guard`](crate::net::Guard)).

mod client;
mod hints;
mod probes;
mod redirects;
mod secrets;
mod target;

use std::time::Duration;

use casque_scan::{Address, Capture, Other, Role};
use http::{HeaderName, HeaderValue};

use self::client::Client;
use self::redirects::Chain;
pub(crate) use self::target::{Target, without_userinfo};
use crate::net::FetchError;

/// How a site is asked.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Header fields for the origin that was named, cookies among them.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether these go out over plain HTTP too.
    pub(crate) send_credentials_over_http: bool,
    /// Whether a certificate that is not valid is only noted.
    pub(crate) accept_invalid_certs: bool,
    /// How long all of it may take.
    pub(crate) timeout: Duration,
    /// Whether more is asked for than the page: error pages, other origins' requests, files.
    pub(crate) probes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            send_credentials_over_http: false,
            accept_invalid_certs: false,
            timeout: Duration::from_secs(20),
            probes: true,
        }
    }
}

/// Looks at one site.
///
/// # Errors
/// When there is no page to grade: nothing answered, in time, as HTTP, with a certificate that is valid or accepted. A probe that
/// fails is a note in the capture.
pub(crate) async fn capture(target: &Target, options: &Options) -> Result<Capture, FetchError> {
    let mut capture = Capture { host: target.address.host.clone(), port: target.address.port, ..Capture::default() };
    let mut client = Client::new(target, options);
    let secure = target.https();
    let plain = target.http();

    let mut first_error = None;
    if let Some(start) = &secure {
        match redirects::follow(&mut client, start).await {
            Ok(chain) => take_https(&mut capture, chain),
            // Grading what a visitor is warned away from needs to be asked for.
            Err(error @ FetchError::Certificate { .. }) => return Err(error),
            Err(error) => note(&mut capture, &mut first_error, plain.is_some(), start, error)?,
        }
    }
    if let Some(start) = &plain {
        let other_half = capture.https.is_some();
        match redirects::follow(&mut client, start).await {
            Ok(chain) => take_http(&mut capture, chain),
            // The address that was named must answer; the other one may be closed, which is the best it can be.
            Err(FetchError::Refused { .. }) if other_half => {}
            Err(error) => note(&mut capture, &mut first_error, other_half, start, error)?,
        }
    }
    let page = capture.https.as_ref().or(capture.http.as_ref()).and_then(|e| Address::parse(&e.url));
    let Some(page) = page else {
        return Err(first_error.unwrap_or(FetchError::Timeout { limit: options.timeout, whole: options.timeout }));
    };
    if options.probes {
        let base = probes::base(target, page, &mut capture);
        probes::run(&mut client, &base, &mut capture).await;
    }
    if let Some(why) = client.certificate_problem() {
        capture.notes.push(format!("the certificate: it is not valid ({why}) and was accepted because that was asked for"));
    }
    if client.kept_secrets_back() {
        capture.notes.push(
            "what the headers and cookies that were given would have shown: they are not sent over plain http (--send-credentials-over-http)"
                .to_owned(),
        );
    }
    capture.cookies = client.jar().to_vec();
    Ok(capture)
}

/// Goes on without one half of a site if the other may still answer.
fn note(
    capture: &mut Capture,
    first: &mut Option<FetchError>,
    other_half: bool,
    start: &Address,
    error: FetchError,
) -> Result<(), FetchError> {
    if !other_half {
        return Err(match first.take() {
            Some(first) => first.and(error),
            None => error,
        });
    }
    capture.notes.push(format!("{start}: {error}"));
    first.get_or_insert(error);
    Ok(())
}

fn take_https(capture: &mut Capture, chain: Chain) {
    let redirects = chain.passed.into_iter().map(|exchange| Other { role: Role::Redirect, exchange });
    capture.others.extend(redirects);
    capture.https = Some(chain.last);
}

fn take_http(capture: &mut Capture, chain: Chain) {
    capture.redirects = chain.hops();
    capture.http = Some(chain.last);
}
