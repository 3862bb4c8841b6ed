//! The answers that casque gives itself: one small page, problem document or line of text per status.
//!
//! Every refusal and every failure of the gateway or a layer is drawn here and nowhere else, so that all are equally short,
//! tell an attacker nothing about the app, and carry a request id that its owner can look up.
//!
//! **Attacks and answers.** Nothing of the request is echoed except the request id, which is ours or was checked to be short
//! and harmless; details are fixed texts. The page has no script, its one style sheet is named by hash in
//! [`PAGE_CSP`], and every answer is `no-store`, so that a refusal meant for one client is never served to another.

use std::fmt::Write as _;

/// The Content-Security-Policy that belongs to [`Reply`]'s page: nothing but its own style sheet.
pub const PAGE_CSP: &str = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none';style-src 'sha256-gDVENozCZwTTS6tTfOPdy9AWuOwcA1hKQx/vxZk2hhY='";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem;color:#1c2733;background:#fff}h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:.3rem 0}small{color:#5a6875}@media(prefers-color-scheme:dark){body{color:#e6ebf0;background:#14191f}small{color:#93a1ae}}";

/// How a client wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/html`, for people.
    Html,
    /// `application/problem+json` (RFC 9457), for programs; also the default.
    Problem,
    /// `text/plain`.
    Text,
}

impl Format {
    /// Chooses by an `Accept` field value (RFC 9110 12.5.1): the highest weight among the three; at equal weight a page
    /// if it was named, else a problem document. `*/*` and no field at all are programs: browsers name `text/html`.
    #[must_use]
    pub fn negotiate(accept: Option<&[u8]>) -> Self {
        let Some(accept) = accept.and_then(|a| std::str::from_utf8(a).ok()) else { return Self::Problem };
        let (mut html, mut problem, mut text) = (0u16, 0u16, 0u16);
        for range in accept.split(',') {
            let mut params = range.split(';');
            let media = params.next().unwrap_or("").trim();
            let weight = params.find_map(|p| p.trim().strip_prefix("q=").map(quality)).unwrap_or(1000);
            let is = |m: &str| media.eq_ignore_ascii_case(m);
            if is("text/html") || is("application/xhtml+xml") {
                html = html.max(weight);
            } else if is("application/problem+json") || is("application/json") || is("application/*") || is("*/*") || is("text/json") {
                problem = problem.max(weight);
            } else if is("text/plain") || is("text/*") {
                text = text.max(weight);
            }
        }
        if html > 0 && html >= problem && html >= text {
            Self::Html
        } else if text > problem {
            Self::Text
        } else {
            Self::Problem
        }
    }

    /// The `Content-Type` of this format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Problem => "application/problem+json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// A weight in thousandths; what cannot be read counts as 0, so that a broken weight never wins.
fn quality(q: &str) -> u16 {
    match q.trim().as_bytes() {
        [b'1', ..] => 1000,
        [b'0', b'.', digits @ ..] => {
            digits.iter().chain(b"000").take(3).filter(|d| d.is_ascii_digit()).fold(0, |n, d| n * 10 + u16::from(d - b'0'))
        }
        _ => 0,
    }
}

/// One answer, not yet drawn.
#[derive(Debug, Clone, Default)]
pub struct Reply<'a> {
    /// The HTTP status code.
    pub status: u16,
    /// One sentence for the person in front of it. Fixed text; nothing of the request.
    pub detail: &'a str,
    /// RFC 9457 `type`; `None` is `about:blank`.
    pub kind: Option<&'a str>,
    /// Names of the limits that were exceeded, for 429 (RateLimit header fields draft, problem types).
    pub violated_policies: &'a [&'a str],
    /// Seconds to wait, told in the page too.
    pub retry_after: Option<u64>,
    /// What the log calls this request.
    pub request_id: Option<&'a str>,
}

impl Reply<'_> {
    /// The standard phrase of a status that casque itself sends.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self.status {
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            413 => "Content Too Large",
            414 => "URI Too Long",
            417 => "Expectation Failed",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            500 => "Internal Server Error",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            505 => "HTTP Version Not Supported",
            508 => "Loop Detected",
            _ => "Error",
        }
    }

    /// Draws the body.
    #[must_use]
    pub fn body(&self, format: Format) -> String {
        match format {
            Format::Html => self.html(),
            Format::Problem => self.problem(),
            Format::Text => self.text(),
        }
    }

    fn html(&self) -> String {
        let (status, title) = (self.status, self.title());
        let mut page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{status} {title}</title><style>{STYLE}</style><h1>{title}</h1><p>{}</p>",
            escape_html(self.detail)
        );
        if let Some(seconds) = self.retry_after {
            let _ = write!(page, "<p>Try again in {}.</p>", in_words(seconds));
        }
        let _ = write!(page, "<p><small>{status}");
        if let Some(id) = self.request_id {
            let _ = write!(page, " &middot; request {}", escape_html(id));
        }
        page.push_str("</small></p></html>\n");
        page
    }

    fn problem(&self) -> String {
        let mut json = String::from("{");
        if let Some(kind) = self.kind {
            let _ = write!(json, "\"type\":{},", json_string(kind));
        }
        let _ = write!(json, "\"title\":{},\"status\":{},\"detail\":{}", json_string(self.title()), self.status, json_string(self.detail));
        if !self.violated_policies.is_empty() {
            let names: Vec<String> = self.violated_policies.iter().map(|n| json_string(n)).collect();
            let _ = write!(json, ",\"violated-policies\":[{}]", names.join(","));
        }
        if let Some(seconds) = self.retry_after {
            let _ = write!(json, ",\"retry-after\":{seconds}");
        }
        if let Some(id) = self.request_id {
            let _ = write!(json, ",\"request-id\":{}", json_string(id));
        }
        json.push_str("}\n");
        json
    }

    fn text(&self) -> String {
        let mut text = format!("{} {}: {}\n", self.status, self.title(), self.detail);
        if let Some(seconds) = self.retry_after {
            let _ = writeln!(text, "retry after {seconds} s");
        }
        if let Some(id) = self.request_id {
            let _ = writeln!(text, "request {id}");
        }
        text
    }
}

/// A text for HTML or XML, between tags or in a quoted attribute.
#[must_use]
pub fn escape_html(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A JSON string literal (RFC 8259 section 7).
#[must_use]
pub fn json_string(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\u{7f}' || ('\u{80}'..='\u{9f}').contains(&c) || c == '\u{2028}' || c == '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A time as people say it, rounded up: nobody counts 773 seconds.
fn in_words(seconds: u64) -> String {
    let (n, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &str) -> Format {
        Format::negotiate(Some(accept.as_bytes()))
    }

    #[test]
    fn browsers_get_a_page_and_programs_a_problem_document() {
        let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
        assert_eq!(negotiate(chrome), Format::Html);
        assert_eq!(negotiate("*/*"), Format::Problem);
        assert_eq!(Format::negotiate(None), Format::Problem);
        assert_eq!(negotiate("application/json, text/plain, */*"), Format::Problem);
        assert_eq!(negotiate("text/plain"), Format::Text);
        assert_eq!(negotiate("text/html;q=0.2, application/problem+json"), Format::Problem);
        assert_eq!(negotiate("text/html;q=0"), Format::Problem);
        assert_eq!(negotiate("text/html;q=banana"), Format::Problem);
        assert_eq!(Format::negotiate(Some(b"\xff\xff")), Format::Problem);
    }

    #[test]
    fn the_problem_document_is_json() {
        let reply = Reply {
            status: 429,
            detail: "Too many \"requests\" <from> here\n",
            kind: Some("https://iana.org/assignments/http-problem-types#quota-exceeded"),
            violated_policies: &["login"],
            retry_after: Some(3),
            request_id: Some("00ff"),
        };
        let json: serde_json::Value = serde_json::from_str(&reply.body(Format::Problem)).unwrap();
        assert_eq!(json["status"], 429);
        assert_eq!(json["title"], "Too Many Requests");
        assert_eq!(json["detail"], "Too many \"requests\" <from> here\n");
        assert_eq!(json["violated-policies"][0], "login");
        assert_eq!(json["retry-after"], 3);
        assert!(reply.body(Format::Html).contains("Too many &quot;requests&quot; &lt;from&gt; here"));
    }

    #[test]
    fn the_pages_style_is_the_one_its_policy_names() {
        use base64::Engine as _;
        use sha2::Digest as _;
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(STYLE));
        assert!(PAGE_CSP.contains(&hash), "style-src should name 'sha256-{hash}'");
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (seconds, words) in
            [(1, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (773, "13 minutes"), (7200, "2 hours"), (86_000, "24 hours")]
        {
            assert_eq!(in_words(seconds), words);
        }
    }
}
