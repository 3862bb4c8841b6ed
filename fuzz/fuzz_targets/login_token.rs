//! Whatever is brought back to a challenge, or comes in a cookie: it is read without a panic, and nothing that we did not write is believed.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use casque::Scheme;
use casque::client_ip::{ClientIp, TrustedProxies};
use casque::limit::Subject;
use casque::login::challenge::{Challenge, Pass, Redemption, Rejected, ReturnTo, Step, Vouching, route, verify};
use casque::login::device::{self, Carried, Devices};
use casque::login::{Secrets, strip};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const NOW: u64 = 1_800_000_000;

static SECRETS: LazyLock<Secrets> = LazyLock::new(|| Secrets::random([7; 32]));
static VOUCHING: LazyLock<Vouching> = LazyLock::new(|| Vouching::new("what the captcha page knows, and nobody else").unwrap());

fn client() -> ClientIp {
    TrustedProxies::default().identify(IpAddr::from([192, 0, 2, 7]), &HeaderMap::new()).ip
}

/// A token of ours that is not met yet.
fn ours(seconds: u16) -> String {
    let step = Step::Wait { seconds: seconds.max(1) };
    let challenge = Challenge::new(&step, route("login"), ReturnTo::front_page(), NOW, [9; 16]).unwrap();
    challenge.seal(&SECRETS, client())
}

fuzz_target!(|input: (u16, &[u8], &[u8], u32)| {
    let (seconds, form, cookie, later) = input;
    let now = NOW + u64::from(later);
    // Any form, and one that brings our token with whatever else.
    let with_ours = [format!("token={}&", ours(seconds)).as_bytes(), form].concat();
    for form in [form, &with_ours] {
        let Some(redemption) = Redemption::parse(form) else { continue };
        match verify(&SECRETS, Some(&VOUCHING), client(), &redemption, now) {
            Ok(passed) => {
                assert!(redemption.token == ours(seconds) && now >= NOW + u64::from(seconds.clamp(1, 600)));
                assert!(passed.return_to.as_str().starts_with('/') && !passed.return_to.as_str().starts_with("//"));
            }
            Err(Rejected::Unknown) => assert_ne!(redemption.token, ours(seconds)),
            Err(_) => assert_eq!(redemption.token, ours(seconds)),
        }
    }
    let Ok(value) = HeaderValue::from_bytes(cookie) else { return };
    let mut headers = HeaderMap::from_iter([(COOKIE, value)]);
    let account = Subject::of(["ada"]);
    for scheme in [Scheme::Http, Scheme::Https] {
        assert!(Devices::default().find(&SECRETS, scheme, account, &headers, now).is_none());
        assert!(Pass::find(&SECRETS, scheme, client(), route("login"), &headers, now).is_none());
        // Lines for a browser are few, whatever it brought.
        let lines = Devices::default().grant(&SECRETS, scheme, account, &Carried::read(&headers, scheme), now, [1; 16]);
        assert!((1..=1 + device::MOST_READ).contains(&lines.len()));
    }
    assert!(device::open(&SECRETS, account, cookie, now, Duration::from_secs(86_400)).is_none());
    strip(&mut headers);
    let left: Vec<HeaderValue> = headers.get_all(COOKIE).iter().cloned().collect();
    strip(&mut headers);
    assert!(headers.get_all(COOKIE).iter().eq(&left), "once is enough");
});
