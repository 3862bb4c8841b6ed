//! Any bytes on the wire: the server neither panics nor hangs, and answers nothing but HTTP.
#![no_main]

use std::convert::Infallible;
use std::sync::Arc;

use casque::serve::{Caps, Settings, connection, stopper};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

#[derive(Debug)]
struct Empty;

impl http_body::Body for Empty {
    type Data = bytes::Bytes;
    type Error = Infallible;

    fn poll_frame(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Infallible>>> {
        std::task::Poll::Ready(None)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = duplex(1 << 20);
        let permit = Caps::new(1, 1).take(None).unwrap();
        let (_stop, drain) = stopper();
        let app = tower::service_fn(async |_: http::Request<casque::serve::Body>| Ok::<_, Infallible>(http::Response::new(Empty)));
        let serving = connection(server, "192.0.2.1".parse().unwrap(), app, Arc::new(Settings::default()), permit, drain);
        let asking = async {
            let _ = client.write_all(bytes).await;
            let _ = client.shutdown().await;
            let mut answer = Vec::new();
            let _ = client.read_to_end(&mut answer).await;
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
        };
        tokio::join!(serving, asking);
    });
});
