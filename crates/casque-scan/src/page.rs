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
        scripts.chain(styles).filter_map(|reference| page.join(reference)).find(|a| a.same_origin(&page))
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
