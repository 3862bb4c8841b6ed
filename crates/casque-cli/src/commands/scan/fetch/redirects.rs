//! From an address to the page it ends at.

use casque_scan::{Address, Exchange, Hop};

use super::client::{Ask, Client};
use super::error::FetchError;

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
