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
