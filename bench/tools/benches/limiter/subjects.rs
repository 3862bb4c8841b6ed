//! Who decides, and about what.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use casque::client_ip::{ClientIp, TrustedProxies};
use casque::clock::{Clock, SystemClock};
use casque::limit::{Budget, Charge, Key, MemoryStore, Quota, Store, Subject};
use governor::{DefaultKeyedRateLimiter, RateLimiter};

/// Decides about one request of a client.
pub(crate) trait Limiter {
    /// A client as the limiter is given it.
    type Key;

    fn key(ip: IpAddr) -> Self::Key;

    fn passes(&self, key: &Self::Key) -> bool;
}

/// So many a second, and so many at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) per_second: u32,
    pub(crate) burst: u32,
}

/// Which keys come, in which order.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) rate: Rate,
    pub(crate) keys: Vec<IpAddr>,
}

impl Load {
    pub(crate) fn all() -> [Self; 3] {
        let usual = Rate { per_second: 100, burst: 200 };
        let wide = Rate { per_second: 1_000_000, burst: 100_000_000 };
        let one = vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))];
        [
            Self { name: "a million keys, evenly", rate: usual, keys: million() },
            Self { name: "one hot key that passes", rate: wide, keys: one.clone() },
            Self { name: "one hot key that is refused", rate: usual, keys: one },
        ]
    }
}

/// A million addresses in an order that no cache foresees: an odd number times the counter goes through all of them.
fn million() -> Vec<IpAddr> {
    (0..1u32 << 20).map(|n| IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | (n.wrapping_mul(0x9e37_79b1) & 0xf_ffff)))).collect()
}

pub(crate) struct Casque {
    store: MemoryStore,
    budget: Budget,
}

impl Casque {
    pub(crate) fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).burst(rate.burst);
        // Room for twice the keys, as a hash table of as many has; that is 32 MiB.
        Self { store: MemoryStore::with_capacity(2 << 20), budget: quota.budget(&SystemClock) }
    }
}

impl Limiter for Casque {
    type Key = ClientIp;

    fn key(ip: IpAddr) -> ClientIp {
        TrustedProxies::default().identify(ip, &http::HeaderMap::new()).ip
    }

    fn passes(&self, client: &ClientIp) -> bool {
        let key = Key { limit: 1, subject: Subject::client(*client) };
        let charge = Charge { key, budget: self.budget, cost: 1, advisory: false, creator: None };
        self.store.charge(&[charge], SystemClock.now()).into_inner().is_ok_and(|outcome| outcome.refused.is_none())
    }
}

pub(crate) struct Governor(DefaultKeyedRateLimiter<IpAddr>);

impl Governor {
    pub(crate) fn new(rate: Rate) -> Self {
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self(RateLimiter::keyed(governor::Quota::per_second(number(rate.per_second)).allow_burst(number(rate.burst))))
    }
}

impl Limiter for Governor {
    type Key = IpAddr;

    fn key(ip: IpAddr) -> IpAddr {
        ip
    }

    fn passes(&self, ip: &IpAddr) -> bool {
        self.0.check_key(ip).is_ok()
    }
}
