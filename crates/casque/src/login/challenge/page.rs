//! The pages of a challenge.
//!
//! They load nothing: one style sheet and, for work, one script, both in the page and named by hash in its policy. What differs
//! from page to page stands in attributes, so that the hashes stay. All of it works without script, in a dark room, with a
//! keyboard and read aloud; nothing moves but a bar that says how far the work is.
//!
//! The way on is a form with a button: `Refresh` (the response's field, or `meta` where there is no script) only presses it.

use std::fmt::Write as _;

use super::REDEEM_PATH;
use super::token::{Challenge, Kind};
use crate::reply::escape_html;

/// The Content-Security-Policy of the page that waits.
pub const WAIT_CSP: &str = "default-src 'none';base-uri 'none';form-action 'self';frame-ancestors 'none';style-src 'sha256-TelOy32JlXuEIsOVgZOJEDUl1Uk+5z8cyuUgU/6CwIc='";

/// The Content-Security-Policy of the page that works: its own script, too.
pub const WORK_CSP: &str = "default-src 'none';base-uri 'none';form-action 'self';frame-ancestors 'none';style-src 'sha256-TelOy32JlXuEIsOVgZOJEDUl1Uk+5z8cyuUgU/6CwIc=';script-src 'sha256-bunAaXyxaOLMp35OA2t/zdeEZAF12DahzLYNmdDNvrI='";

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

const TITLE: &str = "One moment before you sign in";
const WHY: &str = "Somebody is trying many passwords at this site. Until that is over, browsers that have not signed in here before";

/// What the page that works says besides: the bar and what is read aloud appear when the script has begun.
const BAR: &str = "<div id=\"work\" hidden><p>Yours is working on a sum that takes it some seconds. You do not have to do anything.</p><label for=\"bar\">Progress of the check</label><progress id=\"bar\" max=\"1\" value=\"0\"></progress></div><p id=\"say\" role=\"status\" aria-live=\"polite\"></p>";

/// What differs between the two pages.
#[derive(Default)]
struct Parts {
    /// In the head.
    without_script: String,
    /// The end of the sentence that begins with [`WHY`], and what follows it.
    what: &'static str,
    /// Attributes of the form.
    attributes: String,
    /// In the form, after the token.
    fields: String,
    /// After everything.
    script: &'static str,
}

/// The page for a challenge of which so many seconds of wait are left.
pub(super) fn draw(challenge: &Challenge, token: &str, wait_left: u64, request_id: Option<&str>) -> String {
    let token = escape_html(token);
    let Parts { without_script, what, attributes, fields, script } = match challenge.kind {
        Kind::Work => working(challenge.bits, &token, wait_left),
        Kind::Wait | Kind::External => waiting(wait_left),
    };
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"robots\" content=\"noindex\">{without_script}<title>{TITLE}</title><style>{STYLE}</style></head>\
         <body><main><h1>{TITLE}</h1><p>{WHY} {what}</p>\
         <form id=\"check\" method=\"post\" action=\"{REDEEM_PATH}\" autocomplete=\"off\"{attributes}>\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">{fields}<button id=\"go\">Continue</button></form>\
         <p><strong>You will come back to the form. Please fill it in again:</strong> what you typed was not kept.</p>"
    );
    if let Some(id) = request_id {
        let _ = write!(page, "<p><small>request {}</small></p>", escape_html(id));
    }
    page.push_str("</main>");
    if !script.is_empty() {
        let _ = write!(page, "<script>{script}</script>");
    }
    page.push_str("</body></html>\n");
    page
}

fn waiting(wait_left: u64) -> Parts {
    let fields = format!("<p>This page goes on by itself after {}. If it does not, press the button.</p>", seconds(wait_left));
    Parts { what: "wait a little first.", fields, ..Parts::default() }
}

fn working(bits: u8, token: &str, wait_left: u64) -> Parts {
    Parts {
        without_script: format!("<noscript><meta http-equiv=\"refresh\" content=\"{}\"></noscript>", refresh(token, wait_left)),
        what: "are checked first.",
        attributes: format!(" data-bits=\"{bits}\" data-wait=\"{wait_left}\""),
        fields: format!(
            "<input type=\"hidden\" name=\"solution\" value=\"\">{BAR}<p id=\"idle\">The check needs JavaScript, \
             which has not started here. Without it, this page goes on by itself after {}. If it does not, press the button.</p>",
            seconds(wait_left)
        ),
        script: SCRIPT,
    }
}

/// What `Refresh` says: after how long, and where to. The token has no character that means anything there.
pub(super) fn refresh(token: &str, wait_left: u64) -> String {
    format!("{wait_left}; url={REDEEM_PATH}?token={token}")
}

fn seconds(n: u64) -> String {
    if n == 1 { "1 second".to_owned() } else { format!("{n} seconds") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The script of the page that works.
    pub(in super::super) const THE_SCRIPT: &str = SCRIPT;

    #[test]
    fn style_and_script_are_those_that_the_policies_name() {
        use base64::Engine as _;
        use sha2::Digest as _;
        let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text));
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        for csp in [WAIT_CSP, WORK_CSP] {
            assert!(csp.contains(&format!("style-src 'sha256-{style}'")), "style-src should name 'sha256-{style}'");
        }
        assert!(WORK_CSP.contains(&format!("script-src 'sha256-{script}'")), "script-src should name 'sha256-{script}'");
        assert!(!WAIT_CSP.contains("script-src"));
        // Nothing in them ends its element.
        assert!(!STYLE.contains('<') && !SCRIPT.to_ascii_lowercase().contains("</s") && !SCRIPT.contains("<!--"));
    }
}
