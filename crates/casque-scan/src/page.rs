//! What a page leads to: a file of its own origin to look at, and the cookies it leaves behind.

use url::Url;

use crate::address::Address;
use crate::capture::JarCookie;
use crate::exchange::Exchange;
use crate::html;

/// The most cookies that a jar takes.
const MAX_JAR: usize = 200;

impl Exchange {
    /// The first script or style of its own origin that a page loads.
    #[must_use]
    pub fn first_asset(&self) -> Option<Address> {
        let page = Address::parse(&self.url)?;
        let document = html::read(&self.body);
        let scripts = document.scripts.iter().filter_map(|e| e.attribute("src"));
        let is_style = |rel: &str| rel.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("stylesheet"));
        let styles = document.links.iter().filter(|e| e.attribute("rel").is_some_and(is_style)).filter_map(|e| e.attribute("href"));
        // Thousands of foreign ones are passed without copying the page's path, which may be long.
        let root = page.with_path("/");
        let own = scripts.chain(styles).find(|reference| root.join(reference).is_some_and(|a| a.same_origin(&page)));
        page.join(own?)
    }

    /// Puts the cookies that this answer sets into a jar, as a browser would.
    pub fn fill(&self, jar: &mut Vec<JarCookie>) {
        let Ok(from) = Url::parse(&self.url) else { return };
        for cookie in self.values("set-cookie").filter_map(|line| JarCookie::from_set_cookie(line, &from)) {
            if jar.len() < MAX_JAR {
                cookie.keep(jar);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_of_the_page_s_own_origin() {
        let asset = |body: &str| {
            let page = Exchange { url: "https://shop.example/a/b".to_owned(), body: body.as_bytes().to_vec(), ..Exchange::default() };
            page.first_asset().map(|a| a.to_string())
        };
        let foreign = "<script src=//cdn.example/x.js></script>";
        assert_eq!(asset(&format!("{foreign}<link rel=stylesheet href=c.css>")).as_deref(), Some("https://shop.example/a/c.css"));
        assert_eq!(asset(foreign), None);
    }
}
