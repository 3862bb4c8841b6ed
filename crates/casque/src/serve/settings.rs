//! The knobs.

use std::time::Duration;

/// Timeouts and sizes of [`super::serve`]. A zero duration or size switches a check off, where that makes sense.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// From the first byte of a request head to its last. Default: 10 s.
    pub header_timeout: Duration,
    /// How long a connection may lie idle, before its first request or between two. Default: 50 s. When four fifths of
    /// [`Settings::max_connections`] are taken, a tenth of this.
    pub idle_timeout: Duration,
    /// How long a request body may stand still while we wait for it. Default: 15 s.
    pub body_idle_timeout: Duration,
    /// Bytes per second that a request body must bring, averaged over every ten seconds of waiting for it; the first five
    /// seconds are free. Default: 500; 0 is off.
    pub min_body_rate: u64,
    /// How long a client may take no byte of a response. Default: 30 s.
    pub write_timeout: Duration,
    /// How long a client that has closed its sending side may wait without a byte of response. Default: 5 s.
    pub half_close_timeout: Duration,
    /// How long requests in flight may go on after a shutdown began. Default: 30 s.
    pub drain_timeout: Duration,
    /// The largest request head. Default: 32 KiB.
    pub max_head_bytes: usize,
    /// The most header fields. Default: 100.
    pub max_headers: usize,
    /// The longest request target. Default: 8 KiB.
    pub max_target_bytes: usize,
    /// The most connections at once. Default: 16,384.
    pub max_connections: usize,
    /// The most connections of one client address (IPv6: /64) at once. Default: 512.
    pub max_connections_per_client: usize,
    /// Give refused requests to the service, with the [`super::Refusal`] in their extensions, instead of answering them here.
    /// For a service that logs them and draws its own pages. Default: `false`.
    pub pass_refusals: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(50),
            body_idle_timeout: Duration::from_secs(15),
            min_body_rate: 500,
            write_timeout: Duration::from_secs(30),
            half_close_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(30),
            max_head_bytes: 32 * 1024,
            max_headers: 100,
            max_target_bytes: 8 * 1024,
            max_connections: 16_384,
            max_connections_per_client: 512,
            pass_refusals: false,
        }
    }
}
