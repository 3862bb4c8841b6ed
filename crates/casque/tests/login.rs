//! The login guard as a Tower layer, as an app sees it.
#![cfg(feature = "login")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use casque::client_ip::{ClientIp, TrustedProxies};
use casque::clock::{ManualClock, Micros};
use casque::limit::{MemoryStore, Mode};
use casque::login::{Exceeded, Guarded, Guards, Login, LoginGuardLayer, LoginPolicy, Outcome, Replay, Secrets, Trust};
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::{Layer as _, Service, ServiceExt as _};

type App = tower::util::BoxCloneSyncService<Request<Body>, Response<Replay<Body>>, Infallible>;

/// An app that knows one password, and counts how many it was asked to look at.
struct Bench {
    app: App,
    looked_at: Arc<AtomicU32>,
    clock: ManualClock,
}

async fn log_in(req: Request<Replay<Body>>, looked_at: Arc<AtomicU32>) -> Result<Response<Body>, Infallible> {
    let asked_for_cookies = req.headers().get(COOKIE).map(|c| c.to_str().unwrap().to_owned()).unwrap_or_default();
    assert!(!asked_for_cookies.contains("casque"), "the guard's cookies are none of the app's: {asked_for_cookies}");
    let from = req.headers().get(http::header::REFERER).cloned();
    let body = req.into_body().collect().await.unwrap().to_bytes();
    looked_at.fetch_add(1, Ordering::SeqCst);
    let text = String::from_utf8_lossy(&body);
    let mut response = Response::new(Body::from(body.clone()));
    if text.contains("password=sent-back") {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, from.unwrap());
    } else if text.contains("password=right") {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, "/home".parse().unwrap());
    } else if text.contains("password=broken") {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    } else {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    Ok(response)
}

fn bench(login: Login) -> Bench {
    let clock = ManualClock::at(Micros(1_700_000_000_000_000));
    let guards = Arc::new(Guards::with_clock(Arc::new(MemoryStore::with_capacity(4096)), clock.clone()));
    let policy = LoginPolicy::new([login], Secrets::new(["a secret that is long enough for a test"]).unwrap());
    let looked_at = Arc::new(AtomicU32::new(0));
    let counted = looked_at.clone();
    let app = tower::service_fn(move |req| log_in(req, counted.clone()));
    let layer = LoginGuardLayer::new(policy).guards(guards);
    Bench { app: tower::util::BoxCloneSyncService::new(layer.layer(app)), looked_at, clock }
}

fn login() -> Login {
    Login::new("login", ["/login"]).unwrap()
}

fn client(ip: &str) -> ClientIp {
    TrustedProxies::default().identify(ip.parse().unwrap(), &HeaderMap::new()).ip
}

fn form(ip: &str, body: &str) -> Request<Body> {
    let mut req =
        Request::post("/login").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body.to_owned())).unwrap();
    req.extensions_mut().insert(client(ip));
    req
}

impl Bench {
    async fn send(&self, req: Request<Body>) -> Response<Replay<Body>> {
        self.app.clone().ready().await.unwrap().call(req).await.unwrap()
    }

    async fn status(&self, req: Request<Body>) -> u16 {
        self.send(req).await.status().as_u16()
    }

    async fn guess(&self, n: u32) -> u16 {
        self.status(form(&format!("10.0.{n}.1"), "email=alice@example.org&password=wrong")).await
    }
}

async fn text(response: Response<Replay<Body>>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// What a browser would send back.
fn cookies(response: &Response<Replay<Body>>) -> String {
    let lines = response.headers().get_all(SET_COOKIE).iter().map(|l| l.to_str().unwrap().split(';').next().unwrap());
    lines.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn bodies_arrive_as_they_were_sent() {
    let bench = bench(login());
    for body in ["email=a&password=right", "", "email=a&x=\u{0}%00&password=right"] {
        let response = bench.send(form("10.0.0.1", body)).await;
        assert_eq!(text(response).await, body);
    }
    let mut other = form("10.0.0.1", "email=a");
    *other.uri_mut() = "/elsewhere".parse().unwrap();
    assert_eq!(text(bench.send(other).await).await, "email=a");
}

#[tokio::test]
async fn a_botnet_gets_five_guesses_and_the_owner_gets_in_by_a_known_browser() {
    let bench = bench(login());
    let owner = bench.send(form("192.0.2.1", "email=alice@example.org&password=right")).await;
    assert_eq!(owner.status(), 302);
    let device = cookies(&owner);
    assert!(device.starts_with("casque-d-"), "{device}");
    for n in 0..100 {
        let status = bench.guess(n).await;
        assert_eq!(status, if n < 5 { 401 } else { 429 }, "guess {n}");
    }
    assert_eq!(bench.looked_at.load(Ordering::SeqCst), 6);
    // Not even with the right password, spelt in any way.
    for name in ["alice@example.org", "ALICE@EXAMPLE.ORG", "%61lice@example.org", " alice@example.org "] {
        assert_eq!(bench.status(form("203.0.113.9", &format!("email={name}&password=right"))).await, 429, "{name}");
    }
    for _ in 0..20 {
        let mut again = form("203.0.113.9", "email=alice@example.org&password=right");
        again.headers_mut().insert(COOKIE, format!("theme=dark; {device}").parse().unwrap());
        assert_eq!(bench.status(again).await, 302);
    }
    let mut other = form("203.0.113.9", "email=bob@example.org&password=wrong");
    other.headers_mut().insert(COOKIE, device.parse().unwrap());
    assert_eq!(bench.send(other).await.extensions().get::<Guarded>().unwrap().trust, Some(Trust::Unknown));
}

#[tokio::test]
async fn a_challenge_leads_back_to_the_form_with_a_pass() {
    let bench = bench(login());
    for n in 0..5 {
        bench.guess(n).await;
    }
    let challenged = bench.send(form("192.0.2.7", "email=alice@example.org&password=right")).await;
    assert_eq!(challenged.status(), 429);
    let json: serde_json::Value = serde_json::from_str(&text(challenged).await).unwrap();
    let (token, redeem) = (json["challenge"]["token"].as_str().unwrap(), json["challenge"]["redeem"].as_str().unwrap());
    assert_eq!(json["challenge"]["type"], "wait");
    let redemption = |ip: &str| {
        let mut req = Request::get(format!("{redeem}?token={token}")).body(Body::empty()).unwrap();
        req.extensions_mut().insert(client(ip));
        req
    };
    assert_eq!(bench.status(redemption("192.0.2.7")).await, 429, "too early");
    bench.clock.advance(Duration::from_secs(6));
    assert_eq!(bench.status(redemption("192.0.2.8")).await, 400, "another address");
    let passed = bench.send(redemption("192.0.2.7")).await;
    assert_eq!((passed.status().as_u16(), passed.headers()[LOCATION].to_str().unwrap()), (303, "/login"));
    let pass = cookies(&passed);
    let attempt = |body: &str, ip: &str| {
        let mut req = form(ip, body);
        req.headers_mut().insert(COOKIE, pass.parse().unwrap());
        req
    };
    assert_eq!(bench.status(attempt("email=alice@example.org&password=right", "192.0.2.8")).await, 429, "not the pass of this address");
    assert_eq!(bench.status(attempt("email=alice@example.org&password=right", "192.0.2.7")).await, 302);
    let mut wrong = 0;
    while bench.status(attempt("email=alice@example.org&password=wrong", "192.0.2.7")).await == 401 {
        wrong += 1;
    }
    assert_eq!(wrong, 3, "a pass is good for three");
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_a_problem_document() {
    let bench = bench(login());
    for n in 0..5 {
        bench.guess(n).await;
    }
    let mut browser = form("192.0.2.7", "email=alice@example.org&password=right");
    browser.headers_mut().insert(ACCEPT, "text/html,*/*;q=0.8".parse().unwrap());
    let page = bench.send(browser).await;
    assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(page.headers().contains_key("content-security-policy") && page.headers()["cache-control"] == "no-store");
    let page = text(page).await;
    assert!(!page.contains("alice") && !page.contains("right"), "nothing that was typed stands in a page");
}

#[tokio::test]
async fn what_could_hide_the_account_is_refused() {
    let bench = bench(login());
    let long = format!("pad={}&email=a&password=right", "x".repeat(70_000));
    assert_eq!(bench.status(form("10.0.0.1", &long)).await, 413);
    let mut packed = form("10.0.0.1", "email=a&password=right");
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(bench.status(packed).await, 415);
    assert_eq!(bench.status(form("10.0.0.1", "email=a&email=b&password=right")).await, 400, "two accounts");
    assert_eq!(bench.looked_at.load(Ordering::SeqCst), 0);
    // Every spelling of the path is the path.
    for path in ["//login", "/Login/", "/%6Cogin", "/login;x=1"] {
        let mut req = form("10.0.0.2", "email=spelt&password=wrong");
        *req.uri_mut() = path.parse().unwrap();
        assert!(bench.send(req).await.extensions().get::<Guarded>().is_some(), "{path}");
    }
}

#[tokio::test]
async fn an_app_in_trouble_costs_nobody_an_attempt() {
    let bench = bench(login());
    for _ in 0..50 {
        let response = bench.send(form("10.0.0.1", "email=alice&password=broken")).await;
        assert_eq!((response.status().as_u16(), response.extensions().get::<Guarded>().unwrap().outcome), (503, Outcome::Neutral));
    }
}

#[tokio::test]
async fn a_guard_that_watches_lets_everything_through_and_says_what_it_would_have_stopped() {
    let bench = bench(login().mode(Mode::Shadow));
    for n in 0..10 {
        let response = bench.send(form(&format!("10.0.{n}.1"), "email=alice&password=wrong")).await;
        assert_eq!(response.status(), 401);
        let would = response.extensions().get::<casque::limit::ShadowRefused>();
        assert_eq!(would.map(|w| w.limits[0].as_str()), (n >= 5).then_some("login:login:account"), "{n}");
    }
    let long = format!("pad={}&email=a&password=right", "x".repeat(70_000));
    assert_eq!(text(bench.send(form("10.0.0.1", &long)).await).await, long);
}

#[tokio::test]
async fn a_used_up_budget_can_look_like_a_wrong_password() {
    let bench = bench(login().exceeded(Exceeded::Unauthorized).challenges(None));
    for n in 0..5 {
        bench.guess(n).await;
    }
    let stopped = bench.send(form("10.9.0.1", "email=alice@example.org&password=right")).await;
    assert_eq!((stopped.status().as_u16(), stopped.headers().contains_key("retry-after")), (401, false));
}

#[tokio::test]
async fn a_thousand_at_once_are_five() {
    let bench = bench(login().at_once(casque::login::AtOnce { all: 10_000, per_account: 10_000 }));
    let mut all = tokio::task::JoinSet::new();
    for n in 0..1000u32 {
        let app = bench.app.clone();
        let req = form(&format!("10.{}.{}.1", n / 250, n % 250), "email=alice&password=wrong");
        all.spawn(async move { app.oneshot(req).await.unwrap().status().as_u16() });
    }
    let statuses = all.join_all().await;
    assert_eq!(statuses.iter().filter(|s| **s == 401).count(), 5);
    assert_eq!(bench.looked_at.load(Ordering::SeqCst), 5, "the race factor is one");
}

/// Who has an account of their own logs in with it and wants a device cookie for another's.
#[tokio::test]
async fn no_log_in_of_ones_own_makes_a_browser_known_to_another_account() {
    let bench = bench(login());
    for n in 0..5 {
        bench.guess(n).await;
    }
    for decoy in ["username=mallory&email=alice@example.org", "email=alice@example.org&username=mallory", "email=ALICE@example.org"] {
        let own = bench.send(form("203.0.113.5", &format!("{decoy}&password=right"))).await;
        let mut guess = form("203.0.113.9", "email=alice@example.org&password=wrong");
        if let Ok(cookies) = cookies(&own).parse() {
            guess.headers_mut().insert(COOKIE, cookies);
        }
        assert_eq!(bench.status(guess).await, 429, "{decoy}");
    }
    // Before any attack, when nothing refuses: an app that tells names by case may let anybody be `ALICE`.
    let bench = self::bench(login());
    for decoy in ["email=bob&username=alice", "email=ALICE", "email=alice&username=ALICE", "email=%EF%BD%81lice"] {
        let own = bench.send(form("203.0.113.5", &format!("{decoy}&password=right"))).await;
        assert_eq!(own.status(), 302, "{decoy}");
        let mut guess = form("203.0.113.5", "email=alice&password=neither");
        guess.headers_mut().insert(COOKIE, cookies(&own).parse().unwrap());
        assert_ne!(bench.send(guess).await.extensions().get::<Guarded>().unwrap().trust, Some(Trust::Known), "{decoy}");
    }
}

/// To have asked for a password reset, or to have registered, is not to have logged in.
#[tokio::test]
async fn a_browser_is_known_to_one_guard_of_one_app() {
    let logins = || [login(), Login::new("reset", ["/reset"]).unwrap(), Login::new("link", ["/link"]).unwrap().devices_of("login")];
    let secrets = || Secrets::new(["a secret that is long enough for a test"]).unwrap();
    let guards = Arc::new(Guards::with_clock(Arc::new(MemoryStore::with_capacity(4096)), ManualClock::at(Micros(1_700_000_000_000_000))));
    let app = |realm: &str| {
        let layer = LoginGuardLayer::new(LoginPolicy::new(logins(), secrets()).realm(realm)).guards(guards.clone());
        layer.layer(tower::service_fn(|req| log_in(req, Arc::default())))
    };
    let to = |path: &str| {
        let mut req = form("192.0.2.1", "email=alice&password=right");
        *req.uri_mut() = path.parse().unwrap();
        req
    };
    for (path, realm, trust) in
        [("/reset", "", Trust::Unknown), ("/login", "other app", Trust::Unknown), ("/login", "", Trust::Known), ("/link", "", Trust::Known)]
    {
        let cookies = cookies(&app("").oneshot(to(path)).await.unwrap());
        let mut req = to("/login");
        req.headers_mut().insert(COOKIE, cookies.parse().unwrap());
        let response = app(realm).oneshot(req).await.unwrap();
        assert_eq!(response.extensions().get::<Guarded>().unwrap().trust, Some(trust), "{path} {realm}");
    }
}

/// Laravel and others redirect to `Referer` after a wrong password.
#[tokio::test]
async fn being_sent_back_to_where_one_says_one_came_from_is_no_success() {
    let signs = || {
        let sign = casque::login::outcome::Sign::new().location_not("/login").unwrap();
        casque::login::outcome::Signs::new().success(sign)
    };
    for guard in [login(), login().signs(signs())] {
        let bench = bench(guard);
        for n in 0..9 {
            let mut req = form(&format!("10.0.{n}.1"), "email=alice&password=sent-back");
            req.headers_mut().insert("referer", "https://shop.example/home?x=1".parse().unwrap());
            let response = bench.send(req).await;
            assert_eq!(response.status(), if n < 5 { 302 } else { 429 }, "{n}");
            if n < 5 {
                assert_eq!(response.headers()[LOCATION], "https://shop.example/home?x=1");
            }
        }
    }
}

#[tokio::test]
async fn another_method_that_says_it_is_a_post_is_guarded() {
    let bench = bench(login());
    for (target, field) in
        [("/login", Some("x-http-method-override")), ("/login", Some("x-method-override")), ("/login?_method=POST", None)]
    {
        let mut req = form("10.0.0.2", "email=alice&password=wrong");
        *req.method_mut() = http::Method::PUT;
        *req.uri_mut() = target.parse().unwrap();
        if let Some(name) = field {
            req.headers_mut().insert(name, "post".parse().unwrap());
        }
        assert!(bench.send(req).await.extensions().get::<Guarded>().is_some(), "{target} {field:?}");
    }
}

#[tokio::test]
async fn a_request_without_a_client_is_a_mistake_of_the_apps_makers() {
    let bench = bench(login());
    let mut req = form("10.0.0.1", "email=a");
    req.extensions_mut().clear();
    assert_eq!(bench.status(req).await, 500);
}
