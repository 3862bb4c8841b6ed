//! After the app's 101 the connection is a tunnel.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::body::Body;
use super::response;

/// Answers with the app's 101 and joins the two connections, both ways, half-closes included, until both are at their end.
pub(super) fn tunnel(mut response: Response<Incoming>, client_side: OnUpgrade) -> Response<Body> {
    let app_side = hyper::upgrade::on(&mut response);
    tokio::task::spawn_local(async move {
        let Ok((client, app)) = tokio::try_join!(client_side, app_side) else { return };
        // An error means that one side is gone; then both are dropped.
        let _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(app)).await;
    });
    let (mut parts, _) = response.into_parts();
    let protocol = parts.headers.get(UPGRADE).cloned();
    response::clean(&mut parts.headers);
    if let Some(protocol) = protocol {
        parts.headers.insert(UPGRADE, protocol);
    }
    parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    Response::from_parts(parts, Body::empty())
}
