//! Any forwarding fields: the client is the peer, or an address that stands in them right of anything unreadable.
#![no_main]

use casque::client_ip::{ForwardedHeader, TrustedProxies};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let trusted = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
    for (name, header) in [("x-forwarded-for", ForwardedHeader::XForwardedFor), ("forwarded", ForwardedHeader::Forwarded)] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.clone());
        headers.insert("x-forwarded-proto", value.clone());
        let trusted = trusted.clone().with_header(header);
        let outside = "192.0.2.1".parse().unwrap();
        assert_eq!(trusted.identify(outside, &headers).ip.addr(), outside);
        let _ = trusted.identify("10.0.0.1".parse().unwrap(), &headers);
    }
});
