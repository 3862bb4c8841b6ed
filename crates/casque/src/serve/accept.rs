//! The door: who is let in.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::caps::{Caps, Permit};

/// Waits for the next connection that the caps allow. Others are told so and hung up on, without keeping anybody waiting.
///
/// `is_proxy` says which peers speak for many clients: only the cap in all counts those.
pub async fn accept(listener: &TcpListener, caps: &Arc<Caps>, is_proxy: impl Fn(IpAddr) -> bool) -> (TcpStream, SocketAddr, Permit) {
    loop {
        let (io, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !concerns_one_client(&error) {
                    // Out of descriptors, most likely: connections that end will free some.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                continue;
            }
        };
        match caps.take((!is_proxy(peer.ip())).then_some(peer.ip())) {
            Ok(permit) => {
                let _ = io.set_nodelay(true);
                return (io, peer, permit);
            }
            Err(too_many) => {
                tokio::spawn(turn_away(io, too_many.answer()));
            }
        }
    }
}

/// Errors of `accept` that say something about one client and nothing about us.
fn concerns_one_client(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

async fn turn_away(mut io: TcpStream, answer: &'static [u8]) {
    let telling = async {
        io.write_all(answer).await?;
        io.shutdown().await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), telling).await;
}
