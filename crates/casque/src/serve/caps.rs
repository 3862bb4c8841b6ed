//! How many connections there may be, in all and per client.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::client_ip::network_key;

/// Counts connections. One for all listeners and threads of a server.
#[derive(Debug)]
pub struct Caps {
    total: AtomicUsize,
    max_total: usize,
    max_per_client: usize,
    /// Bounded by `max_total`: a client without a connection has no entry.
    clients: Mutex<HashMap<[u8; 16], usize>>,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// The server has as many as it may.
    InAll,
    /// This client has as many as it may.
    OfOneClient,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InAll => "too many connections",
            Self::OfOneClient => "too many connections of one client",
        })
    }
}

impl TooMany {
    /// What to send before hanging up: nothing has been read of the request, so nothing is negotiated.
    #[must_use]
    pub fn answer(self) -> &'static [u8] {
        match self {
            Self::InAll => b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 32\r\nretry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n\r\nThe server has too much to do.\r\n",
            Self::OfOneClient => b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain\r\ncontent-length: 49\r\nretry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n\r\nToo many connections are open from your network\r\n",
        }
    }
}

impl Caps {
    /// Caps in all and per client address (IPv6: /64); zero is no cap.
    #[must_use]
    pub fn new(max_total: usize, max_per_client: usize) -> Arc<Self> {
        let unlimited = |n: usize| if n == 0 { usize::MAX } else { n };
        Arc::new(Self {
            total: AtomicUsize::new(0),
            max_total: unlimited(max_total),
            max_per_client: unlimited(max_per_client),
            clients: Mutex::default(),
        })
    }

    /// Takes a connection of a client, or of nobody in particular (a trusted proxy), which only the total counts.
    ///
    /// # Errors
    /// Which of the caps is reached.
    pub fn take(self: &Arc<Self>, client: Option<IpAddr>) -> Result<Permit, TooMany> {
        if self.total.fetch_add(1, Ordering::Relaxed) >= self.max_total {
            self.total.fetch_sub(1, Ordering::Relaxed);
            return Err(TooMany::InAll);
        }
        // From here on dropping the permit gives back the total.
        let mut permit = Permit { caps: self.clone(), client: None };
        if let Some(ip) = client.filter(|_| self.max_per_client != usize::MAX) {
            let key = network_key(ip, 32, 64);
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let count = clients.entry(key).or_insert(0);
            if *count >= self.max_per_client {
                return Err(TooMany::OfOneClient);
            }
            *count += 1;
            permit.client = Some(key);
        }
        Ok(permit)
    }

    /// How many there are.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// Whether four fifths of the total are taken: time to be stricter with idle connections.
    pub(super) fn under_pressure(&self) -> bool {
        self.taken() > self.max_total / 5 * 4
    }
}

/// A connection's place; dropping it frees the place.
#[derive(Debug)]
pub struct Permit {
    caps: Arc<Caps>,
    client: Option<[u8; 16]>,
}

impl Permit {
    pub(super) fn under_pressure(&self) -> bool {
        self.caps.under_pressure()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.caps.total.fetch_sub(1, Ordering::Relaxed);
        if let Some(key) = self.client {
            let mut clients = self.caps.clients.lock().unwrap_or_else(PoisonError::into_inner);
            if let Entry::Occupied(mut entry) = clients.entry(key) {
                *entry.get_mut() -= 1;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(s: &str) -> Option<IpAddr> {
        Some(s.parse().unwrap())
    }

    #[test]
    fn places_are_counted_by_client_network_and_given_back() {
        let caps = Caps::new(4, 2);
        let a = caps.take(ip("2001:db8::1")).unwrap();
        let _b = caps.take(ip("2001:db8::2")).unwrap();
        assert_eq!(caps.take(ip("2001:db8::3")).unwrap_err(), TooMany::OfOneClient);
        let _c = caps.take(ip("192.0.2.1")).unwrap();
        let _d = caps.take(None).unwrap();
        assert_eq!(caps.take(ip("192.0.2.2")).unwrap_err(), TooMany::InAll);
        assert_eq!(caps.taken(), 4);
        assert!(caps.under_pressure());
        drop(a);
        assert_eq!(caps.taken(), 3);
        assert!(caps.take(ip("2001:db8::3")).is_ok());
    }

    #[test]
    fn nothing_is_kept_of_clients_that_left() {
        let caps = Caps::new(0, 2);
        for n in 0..1000u32 {
            drop(caps.take(Some(IpAddr::V4(n.into()))).unwrap());
        }
        assert!(caps.clients.lock().unwrap().is_empty());
        assert_eq!(caps.taken(), 0);
    }

    #[test]
    fn the_canned_answers_have_the_length_they_claim() {
        for answer in [TooMany::InAll.answer(), TooMany::OfOneClient.answer()] {
            let text = std::str::from_utf8(answer).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        }
    }
}
