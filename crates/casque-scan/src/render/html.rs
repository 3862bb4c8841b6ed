//! A page by itself: no script, nothing loaded, light and dark, readable when printed or mailed.

use casque::reply::escape_html;

use super::clean::{lines, plain};
use super::{Judged, tally};
use crate::report::{Finding, Grade};

const STYLE: &str = include_str!("style.css");
/// What the page's own policy allows: this style and nothing else. A test holds it to the style.
const STYLE_HASH: &str = "sha256-gUKfjGHzfgGjTjssDgoTt5Rt90aJ0TpPxaKSPjesZCw=";

/// Renders reports as an HTML page.
#[must_use]
pub fn html(judged: &[Judged]) -> String {
    let sites: String = judged.iter().map(site).collect();
    let title = match judged {
        [one] => format!("{} for {}", one.report.grade, plain(&one.report.target)),
        many => format!("{} sites", many.len()),
    };
    let title = escape_html(&title);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{sites}\
         <footer>Made by casque {version}. What a site answered is shown as text, never followed.</footer>\n</main>\n</body>\n</html>\n"
    )
}

fn site(judged: &Judged) -> String {
    let report = &judged.report;
    let mut out = format!(
        "<header><div class=\"grade {}\">{}</div><div><h1>{}</h1>\n<p class=\"soft\">{} points · {} · profile {}</p></div></header>\n",
        class(report.grade),
        report.grade,
        shown(&report.target),
        report.score,
        tally(report),
        report.profile.name(),
    );
    judged.failed().for_each(|(finding, new)| out.push_str(&wrong(finding, new)));
    let fixed = judged.delta.iter().flat_map(|d| &d.fixed).map(|k| shown(&k.title));
    out.push_str(&list("Fixed since the earlier report", &fixed.collect::<Vec<_>>()));
    out.push_str(&list("Well done", &judged.passed().map(|f| shown(&f.title)).collect::<Vec<_>>()));
    out.push_str(&list("Not judged", &report.not_judged.iter().map(|n| shown(n)).collect::<Vec<_>>()));
    out
}

fn wrong(finding: &Finding, new: Option<bool>) -> String {
    let severity = finding.severity.name();
    let new = if new == Some(true) { "new · " } else { "" };
    let points = if finding.modifier == 0 { String::new() } else { format!(" <span class=\"soft\">({})</span>", finding.modifier) };
    let mut out =
        format!("<article class=\"{severity}\">\n<h3><span class=\"tag\">{new}{severity}</span>{}{points}</h3>\n", shown(&finding.title));
    if !finding.why.is_empty() {
        out.push_str(&format!("<p>{}</p>\n", shown(&finding.why)));
    }
    let seen: Vec<String> = [
        finding.evidence.as_deref().map(|evidence| format!("<code>{}</code>", shown(evidence))),
        finding.place().map(|url| format!("at {}", shown(url))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !seen.is_empty() {
        out.push_str(&format!("<p class=\"soft\">{}</p>\n", seen.join(" ")));
    }
    if let Some(fix) = &finding.fix {
        out.push_str("<details><summary>How to fix it</summary>\n");
        for (what, text) in fix.each() {
            let text: Vec<String> = lines(text).map(|l| escape_html(&l)).collect();
            out.push_str(&format!("<p>{what}</p>\n<pre>{}</pre>\n", text.join("\n")));
        }
        out.push_str("</details>\n");
    }
    out + "</article>\n"
}

fn list(title: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|i| format!("<li>{i}</li>\n")).collect();
    format!("<h2>{title}</h2>\n<ul>\n{items}</ul>\n")
}

fn shown(text: &str) -> String {
    escape_html(&plain(text))
}

fn class(grade: Grade) -> &'static str {
    match grade {
        Grade::APlus | Grade::A | Grade::AMinus => "a",
        Grade::BPlus | Grade::B | Grade::BMinus => "b",
        Grade::CPlus | Grade::C | Grade::CMinus => "c",
        Grade::DPlus | Grade::D | Grade::DMinus => "d",
        Grade::F => "f",
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use sha2::{Digest, Sha256};

    use super::super::tests::{evil, finding, report};
    use super::*;

    #[test]
    fn the_policy_names_the_style() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        assert_eq!(STYLE_HASH, format!("sha256-{hash}"));
    }

    #[test]
    fn the_page_has_only_tags_of_its_own() {
        let own = [
            "!doctype", "html", "head", "meta", "title", "style", "body", "main", "header", "div", "h1", "h2", "h3", "p", "article",
            "span", "code", "pre", "details", "summary", "ul", "li", "footer",
        ];
        let page = html(&evil());
        let page = page.replace(STYLE, "");
        for tag in page.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
            assert!(own.contains(&name), "{name}");
            let attributes = tag.split('>').next().unwrap();
            assert!(!attributes.contains(" on") && !attributes.contains("href") && !attributes.contains("src="), "{attributes}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }

    #[test]
    fn a_finding_has_its_reason_place_and_fix() {
        let page = html(&[Judged { report: report("https://shop.example/", vec![finding("a", "Server: nginx")]), delta: None }]);
        for part in ["<div class=\"grade b\">B+</div>", "An attacker does", "<code>Server: nginx</code>", "x-a = &quot;1&quot;"] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }
}
