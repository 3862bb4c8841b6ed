//! Violation reports: what browsers say a policy blocked, or would have, taken in without trusting a byte of it.
//!
//! ```
//! use casque::headers::reports::{Answer, Endpoint, Intake, Limits, Sender, parse};
//!
//! let mut intake = Intake::default();
//! # let (method, content_type, sec_fetch_site) = (&b"POST"[..], &b"application/csp-report"[..], Some(&b"same-origin"[..]));
//! # let body = br#"{"csp-report":{"document-uri":"https://shop.example/cart?id=7","blocked-uri":"inline","effective-directive":"script-src-elem"}}"#;
//! # let (sender, now) = (Sender { client: 7, hosts: &["shop.example"], user_agent: None }, 1_767_323_045_000);
//! if method == b"POST" && intake.admit(sec_fetch_site, sender.client, now) {
//!     // the body is read here, at most `Limits::body` and one byte of it, and within a deadline
//!     let parsed = parse(content_type, body, &Limits::default());
//!     intake.keep(parsed, &sender, now);
//! }
//! let answer = Answer::to(method, Endpoint::SameOrigin); // 204, whatever happened above
//! assert_eq!(answer.status, 204);
//! assert_eq!(intake.store.snapshot(10).groups[0].key.path.as_deref(), Some("/cart"));
//! ```
//!
//! As a route of an axum app, outside its limits (a page with a hundred violations must not use up its visitor's requests):
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use axum::{Router, body::Bytes, extract::State, http::{HeaderMap, StatusCode}, routing::post};
//! use casque::headers::reports::{Intake, Limits, Sender, parse};
//!
//! async fn report(State(intake): State<Arc<Mutex<Intake>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
//!     # let (client, now) = (7, 1_767_323_045_000);
//!     let field = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.as_bytes());
//!     // Parsed before the lock is taken. axum has read the body already; bound it with DefaultBodyLimit.
//!     let parsed = parse(field("content-type").unwrap_or_default(), &body, &Limits::default());
//!     if let Ok(mut intake) = intake.lock()
//!         && intake.admit(field("sec-fetch-site"), client, now)
//!     {
//!         intake.keep(parsed, &Sender { client, hosts: &["shop.example"], user_agent: None }, now);
//!     }
//!     StatusCode::NO_CONTENT
//! }
//!
//! let policy = casque::headers::HeaderPolicy::builder(Default::default()).report_to("/_reports").build();
//! let app: Router = Router::new()
//!     .route("/_reports", post(report).layer(axum::extract::DefaultBodyLimit::max(Limits::default().body)))
//!     .with_state(Arc::new(Mutex::new(Intake::default())))
//!     .layer(casque::HeadersLayer::new(policy));
//! # drop(app);
//! ```
//!
//! Everything here is plain data and plain functions: the caller reads the body (no more than [`Limits::body`] of it), knows the
//! client and the time, and holds the [`Intake`]. The shapes are those of the Reporting API, of CSP3 5.3 (`csp-report`) and of the
//! specifications that define each report's body.
//!
//! **Attacks and answers.** Anybody can post here, so a report is a rumour.
//! - *Flooding*: bodies, reports, depth and values are bounded before anything is built ([`Limits`]), intake is rationed per client
//!   and in all ([`Budget`]), memory is fixed ([`Store`]), and no answer makes a browser try again ([`Answer`]).
//! - *Pushing evidence out*: in a full store a stranger's new groups replace one another, not what several clients said on several
//!   days.
//! - *Driving a terminal, a log or a page*: no stored text has a control byte, a bidirectional override, a lone surrogate or an
//!   invisible character; they are written out visibly. Markup is kept as it is: a page must escape it, as it must any text.
//! - *Leaking secrets of one's own users*: query, fragment, userinfo, path parameters and path segments that look like tokens are cut
//!   from every URL, the referrer is cut to its origin, the policy to a fingerprint; raw user agents, stacks and header lists are
//!   dropped.
//! - *Poisoning a policy*: reports about other sites are only counted, browser extensions are set apart ([`Origin`]), and each group
//!   says how many clients sent it on how many days. Whoever makes a policy of it still has to find what it allows in the app.

mod address;
mod answer;
mod budget;
mod clean;
mod fields;
mod groups;
mod intake;
mod json;
mod kind;
mod noise;
mod parse;
mod policy_id;
mod refusal;
mod report;
mod resource;
mod scan;
mod store;

pub use address::Address;
pub use answer::{Answer, Endpoint, is_welcome};
pub use budget::{Budget, Rate};
pub use groups::{Evicted, Group, Key};
pub use intake::{Intake, Sender};
pub use kind::Kind;
pub use noise::Origin;
pub use parse::{Batch, Limits, parse};
pub use policy_id::PolicyId;
pub use refusal::Refusal;
pub use report::{Agent, Disposition, Report, Source};
pub use resource::Resource;
pub use store::{Capacity, Recent, Snapshot, Store, Totals};
