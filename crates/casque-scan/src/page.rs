//! What a page leads to: a file of its own origin to look at, and the cookies it leaves behind.

use crate::address::Address;
use crate::capture::JarCookie;
use crate::exchange::Exchange;

/// The most cookies that a jar takes.
const MAX_JAR: usize = 200;

impl Exchange {
    /// The first script or style of its own origin that a page loads.
    #[must_use]
    pub fn first_asset(&self) -> Option<Address> {
        None
    }

    /// Puts the cookies that this answer sets into a jar, as a browser would.
    pub fn fill(&self, jar: &mut Vec<JarCookie>) {
        let _ = (jar, MAX_JAR);
    }
}
