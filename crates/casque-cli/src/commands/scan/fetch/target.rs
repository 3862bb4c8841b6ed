//! What was written on the command line, as an address to ask.

use std::net::IpAddr;

use casque_scan::{Address, is_private_host};

/// A site to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The address that was named.
    pub(crate) address: Address,
    /// Whether the site is looked at over http and https both, as visitors of a public name reach it.
    both: bool,
    /// Whether a user or password stood in the text; they are not kept.
    pub(crate) had_userinfo: bool,
}

impl Target {
    /// Reads `https://shop.example/path`, `shop.example`, `localhost:3000`, `[::1]:3000`.
    ///
    /// Without a scheme, public names are asked over https, and what is on this machine or network over http unless the port is
    /// 443 or 8443. Public names without a port are looked at over both.
    ///
    /// # Errors
    /// Says what is wrong with the text and how it should be written.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some((scheme, _)) = text.split_once("://") {
            let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            if !is_web {
                return Err("only http and https can be scanned".to_owned());
            }
            return Address::parse(text).map(|a| Self { had_userinfo: has_userinfo(text), ..Self::named(a) }).ok_or_else(unusable);
        }
        let mut address = Address::parse(&format!("http://{text}")).ok_or_else(unusable)?;
        let tls_port = matches!(address.port, Some(443 | 8443));
        if tls_port || (!is_private_host(&address.host) && !text.ends_with(":80")) {
            address.https = true;
            address.port = address.port.filter(|p| *p != 443);
        }
        Ok(Self { had_userinfo: has_userinfo(text), ..Self::named(address) })
    }

    /// Exactly one address, over its own scheme alone unless it is a public name.
    pub(crate) fn named(address: Address) -> Self {
        let both = address.port.is_none() && address.host.parse::<IpAddr>().is_err() && !is_private_host(&address.host);
        Self { address, both, had_userinfo: false }
    }

    /// The https address to ask, if any.
    pub(super) fn https(&self) -> Option<Address> {
        self.over(true)
    }

    /// The http address to ask, if any.
    pub(super) fn http(&self) -> Option<Address> {
        self.over(false)
    }

    fn over(&self, https: bool) -> Option<Address> {
        (self.both || self.address.https == https).then(|| Address { https, ..self.address.clone() })
    }
}

/// Whether a user or password stands before the host.
fn has_userinfo(text: &str) -> bool {
    let after = text.split_once("://").map_or(text, |(_, after)| after);
    after.split(['/', '\\', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// A text for a message, without what may be a user and a password: everything up to the last `@`, wherever the host may begin.
pub(crate) fn without_userinfo(text: &str) -> String {
    let (scheme, after) = text.split_once("://").map_or((String::new(), text), |(s, after)| (format!("{s}://"), after));
    after.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, rest)| format!("{scheme}…@{rest}"))
}

fn unusable() -> String {
    "expected an address such as https://shop.example/ or localhost:3000".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> (Option<String>, Option<String>) {
        let target = Target::parse(text).unwrap();
        (target.https().map(|a| a.to_string()), target.http().map(|a| a.to_string()))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn public_names_are_asked_over_both_and_the_rest_as_written() {
        let both = (some("https://shop.example/"), some("http://shop.example/"));
        for text in ["shop.example", "https://shop.example", "http://shop.example/", "SHOP.example:443", "shop.example:80"] {
            assert_eq!(asked(text), both, "{text}");
        }
        for (text, address) in [
            ("localhost:3000", "http://localhost:3000/"),
            ("http://localhost:3000/x", "http://localhost:3000/x"),
            ("127.0.0.1", "http://127.0.0.1/"),
            ("[::1]:3000", "http://[::1]:3000/"),
            ("93.184.216.34:8080", "https://93.184.216.34:8080/"),
            ("localhost:8443", "https://localhost:8443/"),
            ("https://10.0.0.1/", "https://10.0.0.1/"),
            ("http://shop.example:8080/", "http://shop.example:8080/"),
        ] {
            let asked = asked(text);
            assert_eq!(asked.0.or(asked.1), some(address), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_scanned_is_told() {
        for text in ["ftp://shop.example", "", "https://", "a b", "localhost:99999", "--x"] {
            assert!(Target::parse(text).is_err() || text == "--x", "{text}");
        }
    }

    #[test]
    fn a_user_and_password_are_noticed_and_not_shown() {
        for (text, noticed, shown) in [
            ("https://kim:geheim@shop.example/", true, "https://…@shop.example/"),
            ("kim:geheim@localhost:3000", true, "…@localhost:3000"),
            ("http://kim:ge/heim@shop.example/", false, "http://…@shop.example/"),
            ("https://shop.example/@kim", false, "https://…@kim"),
            ("localhost:3000", false, "localhost:3000"),
        ] {
            assert_eq!(Target::parse(text).is_ok_and(|t| t.had_userinfo), noticed, "{text}");
            assert_eq!(without_userinfo(text), shown, "{text}");
        }
    }
}
