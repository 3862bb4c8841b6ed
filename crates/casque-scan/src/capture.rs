//! Everything that was seen of one site: what the profiles grade.

use crate::exchange::Exchange;

/// One look at one site. Filled by whoever did the network, or by a recording (HAR); never by the graders.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    /// The site's name as it was asked for, lower case, without a port.
    pub host: String,
    /// The port if one was named.
    pub port: Option<u16>,
    /// The page as it answered over https, after redirects.
    pub https: Option<Exchange>,
    /// The page as it answered over plain http, after redirects.
    pub http: Option<Exchange>,
    /// The addresses that a request to `http://host/` was led through, the first one included, with their statuses.
    pub redirects: Vec<Hop>,
    /// The answer to one preflight with a foreign `Origin`.
    pub preflight: Option<Exchange>,
    /// The cookie jar when the scan was over.
    pub cookies: Vec<JarCookie>,
    /// Other responses of the same site that were looked at, with what they are.
    pub others: Vec<Other>,
    /// Where all this comes from, and so what its silence means.
    pub source: Source,
    /// What could not be looked at, and why, in words for the report.
    pub notes: Vec<String>,
}

/// Where a capture comes from. What is missing from one that was made for the purpose is missing from the site; a recording knows
/// only what somebody happened to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The site was asked for everything that a capture has room for.
    #[default]
    Network,
    /// A browser's recording (HAR).
    Recording,
    /// One response without its address.
    Response,
}

/// One step of a chain of redirects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The address that was asked.
    pub url: String,
    /// The status it answered with.
    pub status: u16,
}

/// A cookie as a browser would keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JarCookie {
    /// Its name.
    pub name: String,
    /// Its domain, without a leading dot.
    pub domain: String,
    /// Its path.
    pub path: String,
    /// Whether it is sent over https only.
    pub secure: bool,
    /// Whether scripts cannot read it.
    pub http_only: bool,
    /// `strict`, `lax` or `none`, lower case, if said.
    pub same_site: Option<String>,
}

/// A response that is not the page itself.
#[derive(Debug, Clone)]
pub struct Other {
    /// Why it was fetched.
    pub role: Role,
    /// The response.
    pub exchange: Exchange,
}

/// What else is looked at besides the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A path that is not there: what error pages carry.
    ErrorPage,
    /// A script, style or image that the page loads from its own origin.
    Static,
    /// `/.well-known/security.txt`.
    SecurityTxt,
    /// `/robots.txt`.
    Robots,
    /// An answer to a request with a certain foreign `Origin`; the origin stands in the exchange's request headers.
    CorsProbe,
    /// A redirect on the way from `https://host/` to the page.
    Redirect,
    /// Any further response of a recording.
    Recorded,
}
