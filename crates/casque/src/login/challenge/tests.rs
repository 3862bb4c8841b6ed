use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, REFRESH, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response};

use super::verify::solves;
use super::*;
use crate::Scheme;
use crate::client_ip::{ClientIp, TrustedProxies};
use crate::login::{Secrets, device};

const NOW: u64 = 1_700_000_000;
const HTML: HeaderValue = HeaderValue::from_static("text/html,*/*;q=0.8");

fn secrets() -> Secrets {
    Secrets::new(["0123456789abcdef0123456789abcdef"]).unwrap()
}

fn client(ip: &str) -> ClientIp {
    TrustedProxies::default().identify(ip.parse::<IpAddr>().unwrap(), &HeaderMap::new()).ip
}

fn me() -> ClientIp {
    client("192.0.2.7")
}

fn new(step: &Step) -> Challenge {
    Challenge::new(step, route("login"), ReturnTo::parse("/login?next=/cart").unwrap(), NOW, *b"ABCDEFGHIJKLMNOP").unwrap()
}

fn wait(seconds: u16) -> Challenge {
    new(&Step::Wait { seconds })
}

fn work(bits: u8) -> Challenge {
    new(&Step::ProofOfWork { bits })
}

fn external() -> Step {
    Step::External { url: HookUrl::parse("https://captcha.example/?site=1").unwrap() }
}

fn bare(token: &str) -> Redemption<'_> {
    Redemption { token, solution: None, voucher: None }
}

fn redeem(redemption: &Redemption<'_>, who: ClientIp, now: u64) -> Result<Passed, Rejected> {
    verify(&secrets(), None, who, redemption, now)
}

fn solve(token: &str, bits: u8) -> String {
    (0u64..).map(|n| n.to_string()).find(|n| solves(token, n, bits)).unwrap()
}

fn unmet(result: &Result<Passed, Rejected>) -> Option<u64> {
    match result {
        Err(Rejected::Unmet { wait_left, .. }) => Some(*wait_left),
        _ => None,
    }
}

/// Computed with another implementation: the formats must not change unseen.
#[test]
fn the_formats_are_known() {
    let token = "ch1.3-o1YwISAGVT8QAAHgCWQUJDREVGR0hJSktMTU5PUN2siI3sMpC__Km8Ltm4q4O3peUA5HWb29rBA3QpmVAoymbvkDd5ogxXL-haA8iCg6c";
    assert_eq!(work(18).seal(&secrets(), me()), token);
    assert_eq!(Challenge::open(&secrets(), me(), token), Some(work(18)));
    let passed = redeem(&bare(token), me(), NOW + 30).unwrap();
    assert_eq!(passed.pass.seal(&secrets()), "p1.3-o1YwBlU_PuQUJDREVGR0hJSktMTU5PUOa01Qg9C4xyu3TT7NWDtZE");
}

#[test]
fn a_token_does_not_tell_where_the_form_is() {
    use base64::Engine as _;
    let token = wait(5).seal(&secrets(), me());
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.strip_prefix("ch1.").unwrap()).unwrap();
    assert!(!bytes.windows(4).any(|w| b"/login?next=/cart".windows(4).any(|secret| w == secret)));
}

#[test]
fn a_wait_is_met_by_time_alone() {
    let token = wait(5).seal(&secrets(), me());
    assert_eq!(unmet(&redeem(&bare(&token), me(), NOW)), Some(5));
    assert_eq!(unmet(&redeem(&bare(&token), me(), NOW + 4)), Some(1));
    let passed = redeem(&bare(&token), me(), NOW + 5).unwrap();
    assert_eq!(passed.return_to.as_str(), "/login?next=/cart");
    assert!(redeem(&bare(&token), me(), NOW + 124).is_ok());
    assert!(matches!(redeem(&bare(&token), me(), NOW + 125), Err(Rejected::Expired { .. })));
    assert_eq!(unmet(&redeem(&bare(&token), me(), NOW - 60)), Some(65), "a clock that went back makes it longer");
    assert!(matches!(redeem(&bare(&token), me(), NOW - 61), Err(Rejected::Expired { .. })), "from the future");
    let solved = Redemption { solution: Some("1"), ..bare(&token) };
    assert_eq!(unmet(&redeem(&solved, me(), NOW)), Some(5), "no number shortens it");
}

#[test]
fn work_is_met_by_its_solution_or_by_a_longer_wait() {
    let token = work(10).seal(&secrets(), me());
    let solution = solve(&token, 10);
    let wrong = (0u64..).map(|n| n.to_string()).find(|n| !solves(&token, n, 10)).unwrap();
    let with = |solution| Redemption { solution: Some(solution), ..bare(&token) };
    assert!(redeem(&with(&solution), me(), NOW).is_ok());
    assert_eq!(unmet(&redeem(&with(&wrong), me(), NOW)), Some(30));
    assert_eq!(unmet(&redeem(&bare(&token), me(), NOW + 29)), Some(1));
    assert!(redeem(&bare(&token), me(), NOW + 30).is_ok());
    assert!(redeem(&with(&solution), me(), NOW + 149).is_ok() && redeem(&with(&solution), me(), NOW + 150).is_err());
    let another = Challenge { nonce: [9; 16], ..work(10) }.seal(&secrets(), me());
    assert!(!solves(&another, &solution, 10), "work is not done ahead");
}

#[test]
fn a_token_is_good_only_where_it_was_asked_for() {
    let token = wait(1).seal(&secrets(), me());
    let at = |ip| redeem(&bare(&token), client(ip), NOW + 1);
    assert!(at("192.0.2.7").is_ok() && at("::ffff:192.0.2.7").is_ok());
    assert_eq!(at("192.0.2.8"), Err(Rejected::Unknown));
    let token = wait(1).seal(&secrets(), client("2001:db8::1"));
    let at = |ip| redeem(&bare(&token), client(ip), NOW + 1);
    assert!(at("2001:db8::2").is_ok(), "of the same /64");
    assert_eq!(at("2001:db8:0:1::1"), Err(Rejected::Unknown));
    assert_eq!(verify(&Secrets::random([1; 32]), None, me(), &bare(&token), NOW + 1), Err(Rejected::Unknown));
}

#[test]
fn redeeming_twice_gives_the_same_pass() {
    let token = wait(1).seal(&secrets(), me());
    let pass = |now| redeem(&bare(&token), me(), now).unwrap().pass;
    assert_eq!(pass(NOW + 1).seal(&secrets()), pass(NOW + 99).seal(&secrets()));
    assert_eq!(pass(NOW + 1).subject(), pass(NOW + 99).subject());
    let other = Challenge { nonce: [9; 16], ..wait(1) }.seal(&secrets(), me());
    assert_ne!(redeem(&bare(&other), me(), NOW + 1).unwrap().pass.subject(), pass(NOW + 1).subject());
}

#[test]
fn a_pass_is_good_for_its_address_its_route_and_ten_minutes() {
    let token = wait(1).seal(&secrets(), me());
    let pass = redeem(&bare(&token), me(), NOW + 1).unwrap().pass;
    let value = pass.seal(&secrets());
    let open = |who, name, now| Pass::open(&secrets(), who, route(name), value.as_bytes(), now);
    assert_eq!(open(me(), "login", NOW + 1), Some(pass));
    assert_eq!(open(me(), "login", NOW + 1).unwrap().subject(), pass.subject());
    assert_eq!(open(client("192.0.2.8"), "login", NOW + 1), None);
    assert_eq!(open(me(), "reset", NOW + 1), None);
    assert!(open(me(), "login", NOW + 121 + 599).is_some() && open(me(), "login", NOW + 121 + 600).is_none());
    assert!(open(me(), "login", 0).is_none(), "from the future");

    let line = pass.set_cookie(&secrets(), Scheme::Https, NOW + 1);
    assert_eq!(line, format!("__Host-casque-pass={value}; Path=/; Max-Age=720; HttpOnly; SameSite=Lax; Secure"));
    let find = |scheme, cookie: String| {
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(cookie).unwrap())]);
        Pass::find(&secrets(), scheme, me(), route("login"), &headers, NOW + 1)
    };
    assert_eq!(find(Scheme::Https, format!("a=b; __Host-casque-pass={value}")), Some(pass));
    assert_eq!(find(Scheme::Https, format!("casque-pass={value}")), None);
    assert_eq!(find(Scheme::Http, format!("casque-pass={value}; casque-pass={value}")), None);
}

#[test]
fn no_token_is_taken_for_another() {
    let token = wait(1).seal(&secrets(), me());
    let pass = redeem(&bare(&token), me(), NOW + 1).unwrap().pass.seal(&secrets());
    let account = crate::limit::Subject::of(["alice"]);
    let cookie = device::mint(&secrets(), account, NOW, [1; 16]);
    let max_age = std::time::Duration::from_secs(9999);
    for text in [&token, &pass, &cookie] {
        for prefix in ["ch1.", "p1.", "d1."] {
            let renamed = format!("{prefix}{}", text.split_once('.').unwrap().1);
            let (as_token, as_pass, as_device) = (
                Challenge::open(&secrets(), me(), &renamed).is_some(),
                Pass::open(&secrets(), me(), route("login"), renamed.as_bytes(), NOW + 1).is_some(),
                device::open(&secrets(), account, renamed.as_bytes(), NOW + 1, max_age).is_some(),
            );
            assert_eq!((as_token, as_pass, as_device), (renamed == token, renamed == pass, renamed == cookie), "{renamed}");
        }
    }
}

#[test]
fn the_operators_page_vouches_for_what_it_saw() {
    let vouching = Vouching::new("fedcba9876543210fedcba9876543210").unwrap();
    let token = new(&external()).seal(&secrets(), me());
    let voucher = vouching.vouch(&token);
    let vouched = Redemption { voucher: Some(&voucher), ..bare(&token) };
    assert!(verify(&secrets(), Some(&vouching), me(), &vouched, NOW + 100).is_ok());
    assert!(verify(&secrets(), Some(&vouching), client("192.0.2.8"), &vouched, NOW + 100).is_err());
    assert!(unmet(&verify(&secrets(), None, me(), &vouched, NOW + 100)).is_some(), "nobody is believed without a secret");
    assert!(unmet(&verify(&secrets(), Some(&vouching), me(), &bare(&token), NOW + 100)).is_some(), "no wait meets it");
    let work = work(22).seal(&secrets(), me());
    let other = Redemption { token: &work, ..vouched };
    assert!(unmet(&verify(&secrets(), Some(&vouching), me(), &other, NOW)).is_some());
}

fn asked<'a>(accept: Option<&'a HeaderValue>) -> Asked<'a> {
    let return_to = ReturnTo::parse("/login?next=/cart").unwrap();
    Asked { client: me(), route: route("login"), return_to, accept, request_id: Some("00ff"), now: NOW, random: *b"ABCDEFGHIJKLMNOP" }
}

fn parts(response: &Response<Bytes>) -> (u16, &HeaderMap, String) {
    (response.status().as_u16(), response.headers(), String::from_utf8(response.body().to_vec()).unwrap())
}

#[test]
fn people_get_a_page_that_needs_no_script() {
    let response = pose(&secrets(), &Step::Wait { seconds: 5 }, &asked(Some(&HTML)));
    let (status, headers, page) = parts(&response);
    let token = wait(5).seal(&secrets(), me());
    assert_eq!(
        (status, &headers[CONTENT_SECURITY_POLICY], &headers[CACHE_CONTROL]),
        (429, &WAIT_CSP.parse().unwrap(), &"no-store".parse().unwrap())
    );
    assert_eq!(headers[REFRESH], format!("5; url=/.well-known/casque/login?token={token}"));
    assert!(page.contains("<html lang=\"en\">") && page.contains("<h1>") && page.contains("<title>") && !page.contains("<script"));
    assert!(page.contains("Please fill it in again") && page.contains("after 5 seconds") && page.len() < 3000);

    let response = pose(&secrets(), &Step::ProofOfWork { bits: 18 }, &asked(Some(&HTML)));
    let (_, headers, page) = parts(&response);
    let token = work(18).seal(&secrets(), me());
    assert_eq!(headers[CONTENT_SECURITY_POLICY], WORK_CSP);
    assert!(!headers.contains_key(REFRESH), "who computes is not sent on");
    assert!(page.contains(&format!(
        "<noscript><meta http-equiv=\"refresh\" content=\"30; url=/.well-known/casque/login?token={token}\"></noscript>"
    )));
    assert!(
        page.contains("aria-live=\"polite\"") && page.contains("data-bits=\"18\" data-wait=\"30\"") && page.contains("<label for=\"bar\">")
    );
    assert!(!page.contains("onclick") && !page.contains("style=") && !page.contains("http:") && !page.contains("https:"));
    assert!(page.len() < 8 * 1024, "{}", page.len());
}

#[test]
fn programs_get_what_they_need_to_solve_it() {
    let response = pose(&secrets(), &Step::ProofOfWork { bits: 10 }, &asked(None));
    let (status, headers, body) = parts(&response);
    assert_eq!((status, &headers[CONTENT_TYPE]), (429, &"application/problem+json".parse().unwrap()));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    let challenge = &json["challenge"];
    let token = challenge["token"].as_str().unwrap();
    let solution = solve(token, u8::try_from(challenge["difficulty"].as_u64().unwrap()).unwrap());
    assert!(redeem(&Redemption { solution: Some(&solution), ..bare(token) }, me(), NOW + 1).is_ok());
    assert_eq!((&challenge["type"], &challenge["wait"], &challenge["expires-in"]), (&"proof-of-work".into(), &30.into(), &150.into()));
    assert_eq!(challenge["redeem"], REDEEM_PATH);
    assert_eq!(challenge["page"], format!("{REDEEM_PATH}?token={token}"));
    assert_eq!(json["request-id"], "00ff");

    let described = |step: &Step| {
        let response: Response<Bytes> = pose(&secrets(), step, &asked(None));
        serde_json::from_str::<serde_json::Value>(&parts(&response).2).unwrap()["challenge"].clone()
    };
    let token = new(&external()).seal(&secrets(), me());
    assert_eq!(described(&external())["url"], format!("https://captcha.example/?site=1&token={token}"));
    assert_eq!(described(&Step::StepUp { url: HookUrl::parse("/mail").unwrap() }), serde_json::json!({"type": "step-up", "url": "/mail"}));
    assert_eq!(described(&Step::Wait { seconds: 5 })["type"], "wait");
}

#[test]
fn people_are_sent_to_the_operators_pages() {
    let token = new(&external()).seal(&secrets(), me());
    for (step, there) in [
        (external(), format!("https://captcha.example/?site=1&token={token}")),
        (Step::StepUp { url: HookUrl::parse("/sign-in-by-mail").unwrap() }, "/sign-in-by-mail".to_owned()),
    ] {
        let response = pose(&secrets(), &step, &asked(Some(&HTML)));
        let (status, headers, body) = parts(&response);
        assert_eq!((status, headers[LOCATION].to_str().unwrap(), body.as_str()), (303, there.as_str(), ""));
    }
}

#[test]
fn outcomes_lead_back_to_the_form_or_to_the_same_challenge() {
    let token = wait(5).seal(&secrets(), me());
    let passed: Response<Bytes> = redeem(&bare(&token), me(), NOW + 5).unwrap().response(&secrets(), Scheme::Https, NOW + 5);
    let (status, headers, _) = parts(&passed);
    assert_eq!((status, &headers[LOCATION]), (303, &"/login?next=/cart".parse().unwrap()));
    assert!(headers[SET_COOKIE].to_str().unwrap().starts_with("__Host-casque-pass=p1."));

    let rejected = |redemption: &Redemption<'_>, now| redeem(redemption, me(), now).unwrap_err().response::<Bytes>(Some(&HTML), None, now);
    let early = rejected(&bare(&token), NOW + 2);
    assert_eq!(early.headers()[REFRESH], format!("3; url={REDEEM_PATH}?token={token}"));
    assert!(parts(&early).2.contains(&format!("value=\"{token}\"")));
    assert_eq!(rejected(&bare(&token), NOW + 500).headers()[LOCATION], "/login?next=/cart");
    assert_eq!(rejected(&bare("ch1.x"), NOW).status(), 400);
    let unvouched = new(&external()).seal(&secrets(), me());
    assert_eq!(rejected(&bare(&unvouched), NOW).headers()[LOCATION], "/login?next=/cart");
}

#[test]
fn the_longest_token_can_be_redeemed() {
    let return_to = ReturnTo::parse(&format!("/{}", "a".repeat(MAX_RETURN_TO - 1))).unwrap();
    let token = Challenge { return_to, ..wait(1) }.seal(&secrets(), me());
    let form = format!("token={token}&solution=&voucher=");
    assert!(redeem(&Redemption::parse(form.as_bytes()).unwrap(), me(), NOW + 1).is_ok());
}

/// The page's script solves what the guard then accepts: tokens of every length that differs in SHA-256's blocks.
#[test]
fn the_pages_script_solves_challenges() {
    let tokens: Vec<String> = (0..64)
        .map(|n| Challenge { return_to: ReturnTo::parse(&format!("/{}", "x".repeat(n))).unwrap(), ..work(9) }.seal(&secrets(), me()))
        .collect();
    let stub = r#"
        const [, script, ...tokens] = process.argv;
        for (const token of tokens) {
            const input = (value) => ({ value });
            const elements = { token: input(token), solution: input('') };
            const nodes = {};
            const form = nodes.check = { dataset: { bits: '9', wait: '30' }, elements, submit: () => console.log(elements.solution.value) };
            const document = { getElementById: (id) => nodes[id] ??= {} };
            class MessageChannel {
                port1 = {};
                port2 = { postMessage: () => setImmediate(() => this.port1.onmessage()) };
            }
            new Function('document', 'MessageChannel', script)(document, MessageChannel);
        }
    "#;
    let run = std::process::Command::new("node").args(["-e", stub, page::tests::THE_SCRIPT]).args(&tokens).output();
    let Ok(run) = run else {
        println!("left out: there is no node to run the page's script with");
        return;
    };
    let said = String::from_utf8(run.stdout).unwrap();
    let solutions: Vec<&str> = said.lines().collect();
    assert_eq!(solutions.len(), tokens.len(), "{}", String::from_utf8_lossy(&run.stderr));
    // Slices of several pages take turns, so answers come in any order; each token must have its own among them.
    for token in &tokens {
        assert!(solutions.contains(&solve(token, 9).as_str()), "{token}");
    }
}

proptest::proptest! {
    #[test]
    fn a_bit_flipped_anywhere_is_unknown(at in 0usize..200, bit in 0u8..8) {
        let token = wait(1).seal(&secrets(), me());
        let pass = redeem(&bare(&token), me(), NOW + 1).unwrap().pass.seal(&secrets());
        let flip = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            bytes
        };
        if let Ok(flipped) = String::from_utf8(flip(&token)) {
            proptest::prop_assert_eq!(redeem(&bare(&flipped), me(), NOW + 1), Err(Rejected::Unknown));
        }
        proptest::prop_assert_eq!(Pass::open(&secrets(), me(), route("login"), &flip(&pass), NOW + 1), None);
    }

    #[test]
    fn any_text_and_time_is_answered(text in "(ch1\\.|p1\\.)?[A-Za-z0-9_.-]{0,60}|\\PC{0,20}", now: u64, solution in "[0-9]{0,18}") {
        let redemption = Redemption { token: &text, solution: Some(&solution), voucher: Some(&solution) };
        proptest::prop_assert_eq!(redeem(&redemption, me(), now), Err(Rejected::Unknown));
        let real = work(20).seal(&secrets(), me());
        let redemption = Redemption { token: &real, ..redemption };
        let _ = redeem(&redemption, me(), now).map_err(|r| r.response::<Bytes>(None, None, now));
    }
}
