//! What the user gave for the site, and who may have it; and the cookies that the site set meanwhile.

use std::collections::BTreeMap;

use casque_scan::{Address, Exchange};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Options, Target};

/// How many cookies of one host are sent back: enough for every site, too few to make a request head too large.
const MAX_COOKIES: usize = 50;
/// The longest cookie that is sent back, name and value, in bytes (RFC 6265bis 5.6).
const MAX_COOKIE: usize = 4096;

/// Headers and cookies for the requests of one scan.
#[derive(Debug)]
pub(super) struct Secrets {
    given: Vec<(HeaderName, HeaderValue)>,
    /// The origins that get what was given.
    origins: Vec<Address>,
    kept_back: bool,
    /// What the site set, by host, whether for https only, and name.
    set: BTreeMap<(String, String), (bool, String)>,
}

impl Secrets {
    pub(super) fn new(target: &Target, options: &Options) -> Self {
        let secure = target.https();
        let plain = target.http();
        let kept_back = !options.headers.is_empty() && secure.is_none() && !options.send_credentials_over_http;
        let plain = plain.filter(|_| options.send_credentials_over_http);
        Self { given: options.headers.clone(), origins: secure.into_iter().chain(plain).collect(), kept_back, set: BTreeMap::new() }
    }

    /// Whether what was given went nowhere.
    pub(super) fn kept_back(&self) -> bool {
        self.kept_back
    }

    /// Adds to a request's fields what this address may have.
    pub(super) fn add(&self, address: &Address, fields: &mut HeaderMap) {
        let mut cookies: Vec<Vec<u8>> = Vec::new();
        if self.origins.iter().any(|o| o.same_origin(address)) {
            // What was given replaces what would be sent anyway, and may have several lines.
            self.given.iter().for_each(|(name, _)| drop(fields.remove(name)));
            for (name, value) in &self.given {
                if *name == COOKIE {
                    cookies.push(value.as_bytes().to_vec());
                } else {
                    fields.append(name, value.clone());
                }
            }
        }
        let own = self.set.iter().filter(|((host, _), (secure, _))| *host == address.host && (address.https || !secure));
        cookies.extend(own.map(|((_, name), (_, value))| format!("{name}={value}").into_bytes()));
        if let Ok(value) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
            && !cookies.is_empty()
        {
            fields.insert(COOKIE, value);
        }
    }

    /// The names of the fields among those that this address gets that say who asks.
    pub(super) fn telling(&self, address: &Address) -> Vec<String> {
        if !self.origins.iter().any(|o| o.same_origin(address)) {
            return Vec::new();
        }
        let mut names: Vec<String> =
            self.given.iter().filter(|(name, _)| *name == COOKIE || *name == AUTHORIZATION).map(|(name, _)| name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Keeps what an answer sets, for its own host alone.
    pub(super) fn learn(&mut self, address: &Address, exchange: &Exchange) {
        for line in exchange.values("set-cookie") {
            let mut parts = line.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let secure = parts.any(|a| a.trim().eq_ignore_ascii_case("secure"));
            let (name, value) = (name.trim(), value.trim());
            let of_host = self.set.keys().filter(|(host, _)| *host == address.host).count();
            // One that cannot be sent would spoil the line for all others.
            let sendable = HeaderValue::from_str(name).is_ok() && HeaderValue::from_str(value).is_ok();
            if !name.is_empty() && sendable && name.len() + value.len() <= MAX_COOKIE && of_host < MAX_COOKIES {
                self.set.insert((address.host.clone(), name.to_owned()), (secure, value.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::USER_AGENT;

    use super::*;

    fn sent(target: &str, over_http: bool, to: &str) -> HeaderMap {
        let headers = vec![
            (AUTHORIZATION, HeaderValue::from_static("Bearer x")),
            (COOKIE, HeaderValue::from_static("sid=1")),
            (USER_AGENT, HeaderValue::from_static("mine")),
        ];
        let options = Options { headers, send_credentials_over_http: over_http, ..Options::default() };
        let mut fields = HeaderMap::new();
        fields.insert(USER_AGENT, HeaderValue::from_static("casque"));
        let to = Address::parse(to).unwrap();
        Secrets::new(&Target::parse(target).unwrap(), &options).add(&to, &mut fields);
        fields
    }

    #[test]
    fn what_was_given_goes_to_the_origin_that_was_named_alone() {
        let fields = sent("https://shop.example", false, "https://shop.example/account");
        assert_eq!(fields[AUTHORIZATION], "Bearer x");
        assert_eq!(fields[COOKIE], "sid=1");
        assert_eq!(fields.get_all(USER_AGENT).iter().collect::<Vec<_>>(), ["mine"]);
        for (target, over_http, to) in [
            ("https://shop.example", false, "http://shop.example/"),
            ("https://shop.example", false, "https://www.shop.example/"),
            ("https://shop.example", false, "https://shop.example:8443/"),
            ("https://shop.example", true, "https://evil.example/"),
            ("http://localhost:3000", false, "http://localhost:3000/"),
            ("http://localhost:3000", true, "http://localhost:3001/"),
        ] {
            let fields = sent(target, over_http, to);
            assert!(!fields.contains_key(AUTHORIZATION) && !fields.contains_key(COOKIE), "{target} {to}");
            assert_eq!(fields[USER_AGENT], "casque");
        }
        assert!(sent("http://localhost:3000", true, "http://localhost:3000/x").contains_key(COOKIE));
    }

    #[test]
    fn of_what_says_who_asks_the_names_are_told() {
        let given = ["authorization", "x-a", "cookie", "cookie"].map(|n| (HeaderName::from_static(n), HeaderValue::from_static("geheim")));
        let options = Options { headers: given.to_vec(), ..Options::default() };
        let secrets = Secrets::new(&Target::parse("https://shop.example").unwrap(), &options);
        let telling = |to: &str| secrets.telling(&Address::parse(to).unwrap());
        assert_eq!(telling("https://shop.example/account"), ["authorization", "cookie"]);
        assert_eq!(telling("http://shop.example/account"), [""; 0]);
        assert_eq!(telling("https://evil.example/"), [""; 0]);
    }

    #[test]
    fn what_the_site_sets_comes_back_to_its_own_host() {
        let mut secrets = Secrets::new(&Target::parse("shop.example").unwrap(), &Options::default());
        let secure = Address::parse("https://shop.example/").unwrap();
        let lines = ["a=1; Secure", "b=2", "bad", "=x", "c=\u{7f}\u{1}"];
        let headers = lines.iter().map(|l| ("set-cookie".to_owned(), (*l).to_owned())).collect();
        secrets.learn(&secure, &Exchange { headers, ..Exchange::default() });
        let cookies = |to: &str| {
            let mut fields = HeaderMap::new();
            secrets.add(&Address::parse(to).unwrap(), &mut fields);
            fields.get(COOKIE).map(|v| v.to_str().unwrap().to_owned())
        };
        assert_eq!(cookies("https://shop.example/x").as_deref(), Some("a=1; b=2"));
        assert_eq!(cookies("http://shop.example/x").as_deref(), Some("b=2"));
        assert_eq!(cookies("https://evil.example/"), None);
    }
}
