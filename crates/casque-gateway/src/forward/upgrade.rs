//! After the app's 101 the connection is a tunnel.

use casque::serve::Drain;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::body::Body;
use super::response;
use crate::error::Error;

/// Answers with the app's 101 and joins the two connections, both ways, half-closes included, until both are at their end or
/// the gateway is stopped: a tunnel has no end of its own that could be waited for.
pub(super) fn tunnel(
    mut response: Response<Incoming>,
    client_side: OnUpgrade,
    allowed: &[String],
    drain: Drain,
) -> Result<Response<Body>, Error> {
    // RFC 9110 7.8: the app must switch to what was asked for, and only listed protocols were let through.
    let protocol =
        response.headers().get(UPGRADE).filter(|p| allowed.iter().any(|a| p.as_bytes().eq_ignore_ascii_case(a.as_bytes()))).cloned();
    let protocol = protocol.ok_or(Error::UnexpectedSwitch)?;
    let app_side = hyper::upgrade::on(&mut response);
    tokio::task::spawn_local(async move {
        let Ok((client, app)) = tokio::try_join!(client_side, app_side) else { return };
        let (mut client, mut app) = (TokioIo::new(client), TokioIo::new(app));
        tokio::select! {
            // An error means that one side is gone; then both are dropped.
            _ = copy_bidirectional(&mut client, &mut app) => {}
            () = drain.begun() => {}
        }
    });
    let (mut parts, _) = response.into_parts();
    response::clean(&mut parts.headers)?;
    parts.headers.insert(UPGRADE, protocol);
    parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    Ok(Response::from_parts(parts, Body::empty()))
}
