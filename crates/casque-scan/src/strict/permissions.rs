//! `Permissions-Policy`: which of a device's powers the page and its frames may ask for.

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::send;
use super::site::{Site, evidence, list};
use crate::exchange::Exchange;
use crate::report::{Fix, Severity};

const TEST: &str = "permissions-policy";
const INTIMATE: [&str; 4] = ["camera", "microphone", "geolocation", "display-capture"];

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    if !site.is_document() {
        return;
    }
    let url = &site.page.url;
    let Some(seen) = evidence(site.page, TEST) else {
        let why =
            "A frame of an advertiser, or a script that got in, may ask the visitor for camera, microphone or place in this site's name.";
        book.add(
            bad(TEST, "permissions-policy-not-implemented", Severity::Info, 0, "No Permissions-Policy", why)
                .at(url)
                .mended_by(fix(site.page)),
        );
        return;
    };
    let entries: Vec<&str> = list(site.page, TEST).collect();
    let wide =
        entries.iter().find(|e| e.split_once('=').is_some_and(|(name, value)| INTIMATE.contains(&name.trim()) && value.contains('*')));
    let finding = if entries.iter().any(|e| !is_entry(e)) {
        let title = "Permissions-Policy is not valid, so browsers ignore it";
        let why = "One mistake voids the whole header. Nobody is written (), oneself (self), and other origins in double quotes.";
        bad(TEST, "permissions-policy-invalid", Severity::Low, 5, title, why).mended_by(fix(site.page))
    } else if wide.is_some() {
        let title = "Permissions-Policy lets every frame ask for camera, microphone or place";
        let why = "The visitor sees this site's name in the question, whoever asks.";
        bad(TEST, "permissions-policy-open", Severity::Low, 5, title, why).mended_by(fix(site.page))
    } else {
        good(TEST, "permissions-policy-implemented", 0, "Permissions-Policy limits what frames may ask for")
    };
    book.add(finding.seen(seen).at(url));
}

/// `camera=()`, `fullscreen=(self "https://a.example")`, `geolocation=*`, `usb=self;report-to=x` (RFC 8941 dictionaries).
fn is_entry(entry: &str) -> bool {
    let Some((name, value)) = entry.split_once('=') else { return false };
    let name = name.trim();
    let value = value.trim().split(';').next().unwrap_or_default().trim();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let is_member = |m: &str| matches!(m, "self" | "src" | "*") || m.len() > 2 && m.starts_with('"') && m.ends_with('"');
    let inner = value.strip_prefix('(').and_then(|v| v.strip_suffix(')'));
    is_name && inner.map_or_else(|| is_member(value), |inner| inner.split(' ').filter(|m| !m.is_empty()).all(is_member))
}

fn fix(page: &Exchange) -> Fix {
    send(page, TEST, "camera=(), microphone=(), geolocation=(), display-capture=()")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_as_browsers_read_them() {
        for entry in ["camera=()", "fullscreen=(self \"https://a.example\")", "geolocation=*", "usb=self;report-to=x", "sync-xhr=( self )"]
        {
            assert!(is_entry(entry), "{entry}");
        }
        for entry in
            ["camera 'none'", "camera=(none)", "camera=none", "Camera=()", "camera=('self')", "camera=(https://a.example)", "=()", ""]
        {
            assert!(!is_entry(entry), "{entry}");
        }
    }
}
