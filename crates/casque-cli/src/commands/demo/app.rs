//! The app that the usual article on Node.js security builds, mistakes and all, in a hundred lines: no security headers, a
//! banner, a session cookie without flags, a log-in form that anybody may try as often as they like.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

pub(super) const USER: &str = "ada";
pub(super) const PASSWORD: &str = "lovelace";

const PAGE: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>The article's app</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:10vh auto;padding:0 1rem}input{font:inherit;margin-right:.5rem}</style>
<h1>The article's app</h1>
<form method="post" action="/login"><input name="user" placeholder="user" value="ada"><input name="password" type="password" placeholder="password"><button>Log in</button></form>
<p>Cookies that a script on this page can read: <code id="cookies"></code></p>
<p>From the API: <code id="items"></code></p>
<script>
document.getElementById("cookies").textContent = document.cookie || "none";
fetch("/api/items").then(r => r.json()).then(j => { document.getElementById("items").textContent = j.items.join(", ") });
</script></html>
"#;

/// The app and how often somebody tried a password.
#[derive(Debug, Default)]
pub(super) struct ArticleApp {
    attempts: AtomicUsize,
}

impl ArticleApp {
    /// How many log-in attempts have reached it.
    pub(super) fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Serves it, the way a plain server does.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        loop {
            let Ok((io, _)) = listener.accept().await else { continue };
            let _ = io.set_nodelay(true);
            let app = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |req| app.clone().answer(req));
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service).await;
            });
        }
    }

    async fn answer(self: Arc<Self>, req: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let response = Response::builder().header("x-powered-by", "Express");
        let response = match (req.method(), req.uri().path()) {
            (&Method::GET, "/") => response.header(CONTENT_TYPE, "text/html; charset=utf-8").body(PAGE.into()),
            (&Method::GET, "/api/items") => {
                response.header(CONTENT_TYPE, "application/json").body(r#"{"items":["one","two","three"]}"#.into())
            }
            (&Method::POST, "/login") => {
                self.attempts.fetch_add(1, Ordering::Relaxed);
                let form = Limited::new(req.into_body(), 4096).collect().await.map(|b| b.to_bytes()).unwrap_or_default();
                let right = form.as_ref() == format!("user={USER}&password={PASSWORD}").as_bytes();
                if right {
                    response
                        .status(StatusCode::FOUND)
                        .header(LOCATION, "/")
                        .header(SET_COOKIE, "session=eyJ1c2VyIjoiYWRhIn0; Path=/")
                        .header(SET_COOKIE, "user=ada; Path=/")
                        .body(Full::default())
                } else {
                    response.status(StatusCode::UNAUTHORIZED).header(CONTENT_TYPE, "text/plain").body("Wrong user or password\n".into())
                }
            }
            _ => response.status(StatusCode::NOT_FOUND).header(CONTENT_TYPE, "text/plain").body("Not found\n".into()),
        };
        Ok(response.expect("the parts above are valid"))
    }
}
