//! What the page loads and where its forms go: integrity (SRI) and mixed content.

use super::Context;
use super::book::{Book, bad, good};
use super::csp;
use super::fixes::in_the_app;
use super::site::Site;
use crate::address::Address;
use crate::domain::registrable;
use crate::html::Element;
use crate::report::{Fix, Severity};

const TEST: &str = "page-content";

/// A script or style that the page loads.
struct Loaded<'d> {
    what: &'static str,
    reference: &'d str,
    /// Where it comes from; the path is not looked at.
    address: Address,
    integrity: bool,
}

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let Some(page) = &site.address else { return };
    if !super::site::is_html(site.page) {
        return;
    }
    let loaded: Vec<Loaded<'_>> = loaded(site, page);
    let foreign = |l: &&Loaded<'_>| !is_same_site(page, &l.address);
    for item in &loaded {
        let insecure = !item.address.https && page.https;
        let is_foreign = foreign(&item);
        let line = format!("<{}>: {}", item.what, item.reference);
        if insecure {
            let (takes, without) = if item.integrity { (20, "") } else { (50, ", without integrity") };
            let title = format!("A {} is loaded over plain http{without}", item.what);
            let why = "Whoever sits on the network can change it. Browsers block it on a page over https, so it does not work either.";
            book.add(
                bad(TEST, "content-loaded-over-http", Severity::High, takes, title, why)
                    .seen(line)
                    .at(&site.page.url)
                    .mended_by(over_https()),
            );
        } else if is_foreign && !item.address.https && site.needs_https() {
            let title = format!("A {} of another site is loaded over plain http", item.what);
            let why = "Whoever sits on the network can change it.";
            book.add(
                bad(TEST, "content-loaded-over-http", Severity::High, 50, title, why).seen(line).at(&site.page.url).mended_by(over_https()),
            );
        } else if is_foreign && !item.integrity {
            let title = format!("A {} of another site is loaded without integrity", item.what);
            let why = "Whoever breaks into that site, or buys its name, runs code here. With integrity the browser checks that the file \
                       is still the one you meant.";
            book.add(
                bad(TEST, "content-without-integrity", Severity::Low, 5, title, why).seen(line).at(&site.page.url).mended_by(integrity()),
            );
        }
    }
    forms(site, page, book);
    if book.is_clean(TEST) && !loaded.is_empty() {
        let title = if loaded.iter().any(|l| foreign(&l)) {
            "What comes from other sites has integrity"
        } else {
            "Scripts and styles are the site's own"
        };
        book.add(good(TEST, "content-loaded-securely", if loaded.iter().any(|l| foreign(&l)) { 5 } else { 0 }, title).at(&site.page.url));
    }
    if !site.document.whole {
        book.leave_out("the end of the page: it is larger than what is read");
    }
}

/// Forms of a page over https that send what is typed over http. Browsers upgrade them where a policy says so (Upgrade Insecure
/// Requests, 3.2).
fn forms(site: &Site<'_>, page: &Address, book: &mut Book) {
    let upgraded = csp::enforced(site.page).iter().any(|p| p.get("upgrade-insecure-requests").is_some());
    if !page.https || upgraded {
        return;
    }
    let root = page.with_path("/");
    for (element, name) in site.document.forms.iter().flat_map(|e| [(e, "action"), (e, "formaction")]) {
        let Some(reference) = element.attribute(name) else { continue };
        if root.join(reference).is_some_and(|to| !to.https) {
            let title = "A form sends what is typed over plain http";
            let why = "Whoever sits on the network reads it, passwords too, and can answer in the site's place.";
            let finding = bad(TEST, "form-over-http", Severity::High, 20, title, why).seen(format!("<form {name}>: {reference}"));
            let fix = in_the_app("<form method=\"post\" action=\"/log-in\">    <!-- without a scheme and host, or with https:// -->");
            book.add(finding.at(&site.page.url).mended_by(fix));
        }
    }
}

fn loaded<'s>(site: &'s Site<'_>, page: &Address) -> Vec<Loaded<'s>> {
    let scripts = site.document.scripts.iter().filter_map(|e| Some(("script", e, e.attribute("src")?)));
    let links = site.document.links.iter().filter(|e| is_executable(e)).filter_map(|e| Some(("style", e, e.attribute("href")?)));
    // Only the origin counts, so the page's path, which may be long, is not copied for each of thousands of elements.
    let root = page.with_path("/");
    let resolve = |(what, element, reference): (&'static str, &'s Element, &'s str)| {
        let integrity = element.attribute("integrity").is_some_and(has_hash);
        Some(Loaded { what, reference, address: root.join(reference)?, integrity })
    };
    scripts.chain(links).filter_map(resolve).collect()
}

/// Styles, and scripts that are loaded ahead.
fn is_executable(link: &Element) -> bool {
    let rel = link.attribute("rel").unwrap_or_default().to_ascii_lowercase();
    rel.split_ascii_whitespace().any(|r| matches!(r, "stylesheet" | "modulepreload"))
}

fn has_hash(integrity: &str) -> bool {
    integrity.split_ascii_whitespace().any(|h| ["sha256-", "sha384-", "sha512-"].iter().any(|p| h.len() > p.len() + 40 && h.starts_with(p)))
}

/// The same registered name. Scheme and port are looked at apart.
fn is_same_site(page: &Address, other: &Address) -> bool {
    page.host == other.host || registrable(&page.host).is_some_and(|own| registrable(&other.host) == Some(own))
}

fn over_https() -> Fix {
    in_the_app("<script src=\"https://cdn.example.com/library.js\" integrity=\"sha384-...\" crossorigin=\"anonymous\"></script>")
}

fn integrity() -> Fix {
    in_the_app(
        "<script src=\"https://cdn.example.com/library@1.2.3.js\" integrity=\"sha384-...\" crossorigin=\"anonymous\"></script>\n# the hash: curl -s URL | openssl dgst -sha384 -binary | base64",
    )
}
