//! What answers tell about the software behind them.

use casque::headers::TALKATIVE;

use super::Context;
use super::book::{Book, bad};
use super::fixes::{in_the_app, remove};
use super::site::{Site, shown};
use crate::report::Severity;

const TEST: &str = "information";

/// Of the headers that OWASP says to take out ([`TALKATIVE`]), those that tell of caches, timings and traces and name no software.
const NAMELESS: [&str; 11] = [
    "server-timing",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-litespeed-cache",
    "x-litespeed-vary",
    "x-nextjs-cache",
    "x-runtime",
    "x-varnish",
    "x-varnish-cache",
];
/// Headers of debugging tools, which have no business outside.
const DEBUGGING: [&str; 8] = [
    "x-debug-token",
    "x-debug-token-link",
    "x-debug-info",
    "x-sourcefiles",
    "x-sourcemap",
    "sourcemap",
    "x-debug-exception",
    "x-symfony-profiler",
];
/// How error pages of frameworks look when they show their insides.
const TRACES: [&str; 9] = [
    "Traceback (most recent call last)",
    "\n    at Object.",
    "<br> &nbsp; &nbsp;at ",
    "node_modules/",
    "at java.",
    "at org.springframework.",
    "Stack trace:\n#0 ",
    "Whoops\\Exception",
    "stack backtrace:\n   0:",
];
/// How much of a body is searched, in bytes.
const SEARCHED: usize = 256 * 1024;

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    for exchange in site.responses() {
        for (name, value) in &exchange.headers {
            let lower = name.to_ascii_lowercase();
            let line = format!("{}: {value}", shown(&lower));
            if lower == "server" && value.contains(|c: char| c.is_ascii_digit()) {
                let title = "Server tells the version of the software";
                let why = "Who looks for a version with a known hole finds this site in a search engine for headers.";
                book.add(
                    bad(TEST, "information-server-version", Severity::Low, 5, title, why)
                        .seen(line)
                        .at(&exchange.url)
                        .mended_by(remove("server")),
                );
            } else if DEBUGGING.contains(&lower.as_str()) {
                let title = format!("{} comes from a debugging tool", shown(&lower));
                let why = "Debugging tools in production show sources, settings or the database to whoever follows the trail.";
                book.add(
                    bad(TEST, "information-debugging", Severity::Low, 5, title, why).seen(line).at(&exchange.url).mended_by(remove(&lower)),
                );
            } else if lower != "server" && TALKATIVE.contains(&lower.as_str()) && !NAMELESS.contains(&lower.as_str()) {
                let versioned = value.contains(|c: char| c.is_ascii_digit()) || lower == "x-powered-by";
                let (severity, takes) = if versioned { (Severity::Low, 5) } else { (Severity::Info, 0) };
                let title = format!("{} tells what the site runs on", shown(&lower));
                let why = "It helps nobody but who looks for sites with a known hole.";
                book.add(
                    bad(TEST, "information-software", severity, takes, title, why).seen(line).at(&exchange.url).mended_by(remove(&lower)),
                );
            }
        }
        trace(exchange, book);
    }
}

fn trace(exchange: &crate::Exchange, book: &mut Book) {
    if exchange.status < 400 {
        return;
    }
    let text = String::from_utf8_lossy(&exchange.body[..exchange.body.len().min(SEARCHED)]);
    if TRACES.iter().any(|t| text.contains(t)) {
        let title = "An error page shows a stack trace";
        let why = "It names files, versions and sometimes settings, and says that the app runs in its development mode.";
        let fix = in_the_app(
            "// start with NODE_ENV=production, and answer errors yourself:\napp.use((err, req, res, next) => res.status(500).send('Something went wrong'));",
        );
        book.add(bad(TEST, "information-stack-trace", Severity::Medium, 10, title, why).at(&exchange.url).mended_by(fix));
    }
}
