//! The page of reports.

use std::fmt::Write as _;

use casque::reply::escape_html;
use serde_json::Value;

/// The page may load and run nothing; its one style sheet is named by its hash.
pub(super) const PAGE_CSP: &str = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none';style-src 'sha256-X4fI57mqOObFCTsubZn7vKyRJVq8SGdMWEXTlw3R9HY='";

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2.5rem auto;padding:0 1.5rem;color:#1c2733;background:#fff}h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.3rem 0;color:#5a6875}table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;color:#5a6875;font-size:.85rem}td,th{padding:.35rem .8rem .35rem 0;border-bottom:1px solid #e3e8ed;vertical-align:top}td{overflow-wrap:anywhere}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}code{font:13px/1.5 ui-monospace,monospace}@media(prefers-color-scheme:dark){body{color:#e6ebf0;background:#14191f}p,th{color:#93a1ae}td,th{border-color:#2a333d}}";

/// Draws what has been reported.
pub(super) fn draw(reports: &Value) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>casque: reports</title><style>{STYLE}</style><h1>Violation reports</h1>"
    );
    let groups = reports["groups"].as_array().map_or(&[][..], Vec::as_slice);
    let _ = write!(
        page,
        "<p>What browsers say the policy blocked, or would have blocked. Anybody can send a report: one client alone proves nothing.</p><p>{} kinds of violation seen since the start; the same as JSON: <a href=\"/reports.json\">reports.json</a></p>",
        reports["all-groups"]
    );
    for (origin, title) in [("ours", "On this site"), ("noise", "From browser extensions and the browser itself")] {
        table(&mut page, title, groups.iter().filter(|g| g["origin"] == origin));
    }
    refused(&mut page, &reports["refused"]);
    page
}

fn table<'g>(page: &mut String, title: &str, groups: impl Iterator<Item = &'g Value>) {
    let mut groups = groups.peekable();
    let _ = write!(page, "<h2>{title}</h2>");
    if groups.peek().is_none() {
        page.push_str("<p>None so far.</p>");
        return;
    }
    page.push_str(
        "<table><tr><th>Page<th>Directive<th>Blocked<th class=\"n\">Times<th class=\"n\">Enforced<th class=\"n\">Clients<th class=\"n\">Days</tr>",
    );
    for group in groups {
        page.push_str("<tr>");
        for cell in [text(&group["path"]), first(&group["directive"], &group["kind"]), blocked(&group["blocked"])] {
            let _ = write!(page, "<td><code>{}</code>", escape_html(cell));
        }
        for key in ["count", "enforced", "clients", "days"] {
            let _ = write!(page, "<td class=\"n\">{}", group[key]);
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
}

fn refused(page: &mut String, refused: &Value) {
    let Some(refused) = refused.as_object().filter(|r| !r.is_empty()) else { return };
    page.push_str("<h2>Not taken</h2><table><tr><th>Why<th class=\"n\">Times</tr>");
    for (why, times) in refused {
        let _ = write!(page, "<tr><td>{}<td class=\"n\">{times}</tr>", escape_html(why));
    }
    page.push_str("</table>");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn first<'v>(value: &'v Value, or: &'v Value) -> &'v str {
    value.as_str().unwrap_or_else(|| text(or))
}

/// The address or scheme, or the class where there is none (`inline`, `eval`).
fn blocked(resource: &Value) -> &str {
    first(&resource["value"], &resource["class"])
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use serde_json::json;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn nothing_that_is_reported_becomes_markup() {
        let evil = "<script>alert(1)</script>\" onload=\"x";
        let page = draw(&json!({
            "groups": [{ "origin": "ours", "kind": evil, "path": evil, "directive": evil, "blocked": { "class": "other", "value": evil }, "count": 1 }],
            "refused": { evil: 1 },
            "all-groups": 1,
        }));
        assert!(!page.contains("<script") && !page.contains("\" onload"));
        assert_eq!(page.matches("&lt;script&gt;").count(), 4);
    }

    #[test]
    fn the_policy_names_the_style_that_is_there() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        assert!(PAGE_CSP.contains(&format!("'sha256-{hash}'")), "{hash}");
    }
}
