//! Asking a running gateway over its socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use casque_scan::render::one_line;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer: 256 clients with each limit are a tenth of it.
const LARGEST: usize = 4 << 20;

/// Asks, and gives the answer as JSON.
pub(super) fn ask(path: &Path, method: &str, target: &str, body: String) -> Result<Value, String> {
    let shown = one_line(&path.display().to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| format!("cannot start: {e}"))?;
    let asked = runtime.block_on(async { tokio::time::timeout(PATIENCE, exchange(path, method, target, body)).await });
    let (status, body) = match asked {
        Err(_) => return Err(format!("the gateway at `{shown}` does not answer")),
        Ok(Err(e)) => return Err(why(&shown, &e)),
        Ok(Ok(answer)) => answer,
    };
    let text = String::from_utf8_lossy(&body);
    if status != StatusCode::OK {
        return Err(one_line(text.trim()));
    }
    serde_json::from_str(&text).map_err(|_| format!("what answers at `{shown}` is no casque of this version"))
}

async fn exchange(path: &Path, method: &str, target: &str, body: String) -> io::Result<(StatusCode, Bytes)> {
    let stream = UnixStream::connect(path).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let request = Request::builder().method(method).uri(target).header(header::HOST, "casque");
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Full::<Bytes>::from(body)).map_err(io::Error::other)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(io::Error::other)?;
        Ok((status, body.to_bytes()))
    };
    tokio::select! {
        answer = answer => answer,
        Err(e) = connection => Err(io::Error::other(e)),
    }
}

fn why(path: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no socket `{path}`: is the gateway running, with `socket` under [admin]?"),
        io::ErrorKind::ConnectionRefused => format!("nobody answers at `{path}`: the gateway that made it has ended"),
        io::ErrorKind::PermissionDenied => format!("`{path}` may be opened by the gateway's own user only"),
        _ => format!("`{path}` cannot be asked: {error}"),
    }
}
