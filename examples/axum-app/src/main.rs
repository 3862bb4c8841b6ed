//! An axum app with a log-in form, protected by casque's layers and served by casque's server.
//!
//! Run it with `cargo run -p axum-app`, then look: `curl -i http://127.0.0.1:3000/`.

use axum::Router;
use axum::extract::Form;
use axum::http::header::SET_COOKIE;
use axum::http::{Method, StatusCode};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use casque::client_ip::ClientIp;
use casque::limit::{Limit, Quota};
use casque::{CookieLayer, HeadersLayer, LimitLayer};

fn app() -> Router {
    let limits = LimitLayer::of([
        Limit::new("per-client", Quota::per_second(100).burst(200)),
        Limit::new("login", Quota::per_minute(10)).methods([Method::POST]).paths(["/login"]).expect("the pattern is right"),
    ]);
    Router::new()
        .route("/", get(page))
        .route("/login", post(log_in))
        // The first is outermost, so that refusals carry the headers too. One `layer` for all is cheaper than one for each.
        .layer((HeadersLayer::balanced(), limits, CookieLayer::new()))
}

async fn page(ip: ClientIp) -> Html<String> {
    Html(format!(
        "<!doctype html><title>axum</title><p>Hello {ip}</p><form method=post action=/login><input name=password type=password><button>Log in</button></form>"
    ))
}

/// A log-in that forgets every flag of its cookie; the layer adds them.
async fn log_in(Form(form): Form<Vec<(String, String)>>) -> impl IntoResponse {
    let right = form.iter().any(|(name, value)| name == "password" && value == "lovelace");
    if right {
        ([(SET_COOKIE, "session=1; Path=/")], Redirect::to("/")).into_response()
    } else {
        (StatusCode::UNAUTHORIZED, "wrong password\n").into_response()
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    // In place of axum::serve: with header and body timeouts, connection caps, strict framing and a graceful end.
    casque::serve(listener, app())
        .shutdown_on(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Sends raw bytes to the app as it is served, and gives all that comes back until it hangs up.
    async fn exchange(requests: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { casque::serve(listener, app()).await });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(requests.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        server.abort();
        answer
    }

    fn post(password: &str, last: bool) -> String {
        let form = format!("password={password}");
        let close = if last { "Connection: close\r\n" } else { "" };
        format!(
            "POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n{close}Content-Length: {}\r\n\r\n{form}",
            form.len()
        )
    }

    #[tokio::test]
    async fn the_page_knows_its_visitor_and_carries_the_headers() {
        let answer = exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(answer.contains("Hello 127.0.0.1"), "{answer}");
        assert!(answer.contains("x-frame-options: SAMEORIGIN"), "{answer}");
    }

    #[tokio::test]
    async fn a_right_password_gets_a_cookie_with_its_flags() {
        let answer = exchange(&post("lovelace", true)).await;
        assert!(answer.contains("set-cookie: session=1; Path=/; SameSite=Lax; HttpOnly"), "{answer}");
    }

    #[tokio::test]
    async fn guessing_ends_at_the_limit() {
        let guesses: String = (0..12).map(|n| post(&n.to_string(), n == 11)).collect();
        let answer = exchange(&guesses).await;
        assert_eq!(answer.matches("HTTP/1.1 401").count(), 10, "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 429").count(), 2, "{answer}");
        assert!(answer.contains("ratelimit-policy: \"login\";q=10;w=60"));
    }

    #[tokio::test]
    async fn what_is_no_request_never_reaches_a_handler() {
        let answer = exchange("POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}
