use http::header::COOKIE;

use super::*;

const NOW: u64 = 1_700_000_000;
const DAY: u64 = 24 * 3600;
const MAX_AGE: Duration = Duration::from_secs(180 * DAY);

fn secrets() -> Secrets {
    Secrets::new(["0123456789abcdef0123456789abcdef"]).unwrap()
}

fn account(name: &str) -> Subject {
    Subject::of(["account", name])
}

fn opens(value: &str, who: &str, now: u64) -> bool {
    open(&secrets(), account(who), value.as_bytes(), now, MAX_AGE).is_some()
}

fn request(cookies: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookies).unwrap())])
}

/// Computed with another implementation: the format must not change unseen.
#[test]
fn the_format_is_known() {
    let account = Subject::from_bytes(*b"0123456789abcdef");
    assert_eq!(mint(&secrets(), account, NOW, *b"ABCDEFGHIJKLMNOP"), "d1.3-o1YwBlU_EAQUJDREVGR0hJSktMTU5PUNGNsbQpgbNg2uBrab1wFCw");
    assert_eq!(name(&secrets(), Scheme::Https, account), "__Host-casque-d-RYnh3yz_");
    assert_eq!(name(&secrets(), Scheme::Http, account), "casque-d-RYnh3yz_");
}

#[test]
fn a_device_is_known_for_its_account_and_its_time() {
    let value = mint(&secrets(), account("alice"), NOW, [7; 16]);
    assert!(opens(&value, "alice", NOW) && opens(&value, "alice", NOW + 180 * DAY - 1));
    assert!(!opens(&value, "bob", NOW), "of another account");
    assert!(!opens(&value, "alice", NOW + 180 * DAY), "expired");
    assert!(opens(&value, "alice", NOW - 60) && !opens(&value, "alice", NOW - 61), "from the future");
    assert!(open(&Secrets::random([9; 32]), account("alice"), value.as_bytes(), NOW, MAX_AGE).is_none(), "of an unknown key");
    assert!(opens(&mint(&secrets(), account("alice"), u64::MAX, [7; 16]), "alice", (1 << 40) - 1), "the last second");
}

#[test]
fn each_sign_in_makes_a_device_with_a_budget_of_its_own() {
    let device = |who: &str, random| {
        let value = mint(&secrets(), account(who), NOW, random);
        open(&secrets(), account(who), value.as_bytes(), NOW, MAX_AGE).unwrap()
    };
    assert_eq!(device("alice", [1; 16]).subject(), device("alice", [1; 16]).subject());
    assert_ne!(device("alice", [1; 16]).subject(), device("alice", [2; 16]).subject());
    assert_ne!(device("alice", [1; 16]).subject(), device("bob", [1; 16]).subject());
    assert_ne!(device("alice", [1; 16]).subject(), account("alice"));
    assert_eq!(device("alice", [1; 16]).issued_at(), NOW);
}

#[test]
fn a_device_is_found_among_the_cookies_of_its_scheme_only() {
    let (alice, bob) = (account("alice"), account("bob"));
    let value = mint(&secrets(), alice, NOW, [7; 16]);
    let (https, http) = (name(&secrets(), Scheme::Https, alice), name(&secrets(), Scheme::Http, alice));
    let found = |scheme, who, cookies: &str| Devices::default().find(&secrets(), scheme, who, &request(cookies), NOW).is_some();
    assert!(found(Scheme::Https, alice, &format!("sid=1; {https}={value}; x=y")));
    assert!(found(Scheme::Http, alice, &format!("{http}={value}")));
    assert!(!found(Scheme::Https, alice, &format!("{http}={value}")), "without __Host- anybody on the way could have set it");
    assert!(!found(Scheme::Http, alice, &format!("{https}={value}")));
    assert!(!found(Scheme::Https, bob, &format!("{https}={value}")));
    let bobs = name(&secrets(), Scheme::Https, bob);
    assert!(!found(Scheme::Https, bob, &format!("{bobs}={value}")), "renamed for another account");
    assert!(!found(Scheme::Https, alice, &format!("{https}={value}; {https}={value}")), "twice");
    assert!(!found(Scheme::Https, alice, &format!("{https}=\"{value}\"")));
}

#[test]
fn a_changed_secret_forgets_nobody() {
    let (old, new) = ("the older secret, which was leaked?", "the newer secret, made 2026-03-01 by hand");
    let (before, after) = (Secrets::new([old]).unwrap(), Secrets::new([new, old]).unwrap());
    let alice = account("alice");
    let cookie = format!("{}={}", name(&before, Scheme::Https, alice), mint(&before, alice, NOW, [1; 16]));
    assert!(Devices::default().find(&after, Scheme::Https, alice, &request(&cookie), NOW).is_some());
    let carried = Carried::read(&request(&cookie), Scheme::Https);
    let lines = Devices::default().grant(&after, Scheme::Https, alice, &carried, NOW, [2; 16]);
    let lines: Vec<&str> = lines.iter().map(|l| l.to_str().unwrap()).collect();
    assert!(lines[0].starts_with(&format!("{}=d1.", name(&after, Scheme::Https, alice))), "{lines:?}");
    assert_eq!(lines[1], format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure", name(&before, Scheme::Https, alice)));
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_new_cookie_has_every_flag() {
    let lines = Devices::default().grant(&secrets(), Scheme::Https, account("alice"), &Carried::default(), NOW, [1; 16]);
    let value = mint(&secrets(), account("alice"), NOW, [1; 16]);
    let name = name(&secrets(), Scheme::Https, account("alice"));
    assert_eq!(lines, [format!("{name}={value}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax; Secure").as_str()]);
}

#[test]
fn a_browser_keeps_the_newest_devices() {
    let cookie = |who: &str, age: u64| {
        let account = account(who);
        format!("{}={}", name(&secrets(), Scheme::Https, account), mint(&secrets(), account, NOW - age, [1; 16]))
    };
    let cookies = [cookie("a", 3), cookie("b", 9), "__Host-casque-d-????????=x; __Host-casque-d-abcdefgh=x".to_owned(), cookie("c", 6)];
    let carried = Carried::read(&request(&cookies.join("; ")), Scheme::Https);
    let own = name(&secrets(), Scheme::Https, account("d"));
    let of = |who: &str| name(&secrets(), Scheme::Https, account(who));
    assert_eq!(carried.evict(&own, &[], 8), [""; 0]);
    assert_eq!(carried.evict(&own, &[], 4), ["__Host-casque-d-abcdefgh"], "what cannot be read goes first");
    assert_eq!(carried.evict(&own, &[], 3), ["__Host-casque-d-abcdefgh".to_owned(), of("b")]);
    assert_eq!(carried.evict(&of("b"), &[], 2), ["__Host-casque-d-abcdefgh".to_owned(), of("c")], "its own is not evicted");
    assert_eq!(carried.evict(&own, &[of("a")], 4), [""; 0]);
    assert_eq!(carried.evict(&own, &[], 0).len(), 4);
}

#[test]
fn a_request_of_hundreds_of_names_gets_few_lines() {
    let cookies: Vec<String> = (0..500).map(|i| format!("casque-d-{i:08}=x")).collect();
    let carried = Carried::read(&request(&cookies.join("; ")), Scheme::Http);
    let lines = Devices::default().grant(&secrets(), Scheme::Http, account("alice"), &carried, NOW, [1; 16]);
    assert!(lines.len() <= MOST_READ + 1, "{}", lines.len());
}

proptest::proptest! {
    #[test]
    fn a_bit_flipped_anywhere_is_no_device(at in 0usize..60, bit in 0u8..8, random: [u8; 16]) {
        let mut value = mint(&secrets(), account("alice"), NOW, random).into_bytes();
        let at = at % value.len();
        value[at] ^= 1 << bit;
        proptest::prop_assert_eq!(open(&secrets(), account("alice"), &value, NOW, MAX_AGE), None);
    }

    #[test]
    fn any_cookies_are_read_without_a_panic(bytes: Vec<u8>, now: u64) {
        if let Ok(field) = HeaderValue::from_bytes(&bytes) {
            let headers = HeaderMap::from_iter([(COOKIE, field)]);
            for scheme in [Scheme::Http, Scheme::Https] {
                proptest::prop_assert_eq!(Devices::default().find(&secrets(), scheme, account("alice"), &headers, now), None);
                let carried = Carried::read(&headers, scheme);
                let lines = Devices::default().grant(&secrets(), scheme, account("alice"), &carried, now, [0; 16]);
                proptest::prop_assert!(lines.len() <= MOST_READ + 1);
            }
        }
    }
}
