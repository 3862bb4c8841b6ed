//! From an address to the page it ends at.

use casque_scan::{Address, Exchange, Hop};

use super::client::{Ask, Client};
use crate::net::FetchError;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 10;

/// A page and the way to it.
#[derive(Debug)]
pub(super) struct Chain {
    /// The redirects that were passed.
    pub(super) passed: Vec<Exchange>,
    /// The page.
    pub(super) last: Exchange,
}

impl Chain {
    /// Every address of the way with its status, the page's included.
    pub(super) fn hops(&self) -> Vec<Hop> {
        self.passed.iter().chain([&self.last]).map(|e| Hop { url: e.url.clone(), status: e.status }).collect()
    }
}

/// Asks for a page and follows its redirects.
pub(super) async fn follow(client: &mut Client, start: &Address) -> Result<Chain, FetchError> {
    let mut passed = Vec::new();
    let mut address = start.clone();
    loop {
        let exchange = client.send(&Ask::page(&address)).await?;
        let Some(next) = leads_to(&address, &exchange) else { return Ok(Chain { passed, last: exchange }) };
        passed.push(exchange);
        if passed.len() > MAX_REDIRECTS {
            return Err(FetchError::Redirects { address: start.to_string(), count: MAX_REDIRECTS });
        }
        // A browser would go; a scan that runs on a build server must not be led to what only that server can reach.
        if !client.lets_follow(&next.host) {
            return Err(FetchError::Inward { address: start.to_string(), to: next.origin() });
        }
        address = next;
    }
}

/// Where an answer redirects to, if it does and the place can be asked.
fn leads_to(address: &Address, exchange: &Exchange) -> Option<Address> {
    if !matches!(exchange.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    address.join(exchange.values("location").next()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Guard;

    #[test]
    fn an_address_is_inside_however_it_is_written() {
        let start = Address::parse("https://shop.example/").unwrap();
        let guard = Guard::new(&start.host);
        let inward = |to: &str| !guard.lets_follow(&start.join(to).unwrap().host);
        for to in
            ["http://localhost:8500/", "http://169.254.169.254/latest", "//10.0.0.1/", "http://2130706433/", "http://[::ffff:127.0.0.1]/"]
        {
            assert!(inward(to), "{to}");
        }
        assert!(!inward("https://www.shop.example/"));
    }
}
