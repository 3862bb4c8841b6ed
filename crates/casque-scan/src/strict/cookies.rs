//! Cookies, line by line as the site sets them: flags, names that promise something, and who may read a session.
//!
//! No finding has a cookie's value in it.

use casque::cookie::{Flags, SameSite};

use super::Context;
use super::book::{Book, bad, good};
use super::fixes::{cookie_flags, in_the_app};
use super::hsts;
use super::site::Site;
use crate::exchange::Exchange;
use crate::report::{Finding, Fix, Severity};

const TEST: &str = "cookies";
/// How many lines are looked at.
const MAX_LINES: usize = 500;
const STOLEN: &str = "Whoever has the session cookie is the visitor, without a password.";

/// What a cookie is for, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    AntiCsrf,
    Other,
}

/// One `Set-Cookie` line.
struct Line<'c> {
    name: &'c str,
    attributes: &'c str,
    flags: Flags,
    kind: Kind,
    over_https: bool,
    exchange: &'c Exchange,
}

impl<'c> Line<'c> {
    fn of(line: &'c str, exchange: &'c Exchange) -> Option<Self> {
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        let (name, value) = pair.split_once('=')?;
        let name = name.trim();
        let line = Self {
            name,
            attributes,
            flags: Flags::of(line.as_bytes()),
            kind: kind(name),
            over_https: exchange.url.starts_with("https:") || exchange.url.is_empty(),
            exchange,
        };
        // A cookie that is taken away has nothing to lose.
        let gone = value.trim().is_empty() || line.value("max-age").is_some_and(|v| v == "0" || v.starts_with('-'));
        (!name.is_empty() && !gone).then_some(line)
    }

    /// The value of an attribute; of several the last, as browsers take it.
    fn value(&self, name: &str) -> Option<&'c str> {
        let mut pairs = self.attributes.split(';').map(|a| a.split_once('=').unwrap_or((a, "")));
        pairs.rfind(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())
    }

    /// The line with its value taken out.
    fn evidence(&self) -> String {
        let attributes = self.attributes.trim();
        let tail = if attributes.is_empty() { String::new() } else { format!("; {attributes}") };
        format!("Set-Cookie: {}=…{tail}", self.name)
    }

    fn found(&self, id: &str, severity: Severity, takes: i32, title: String, why: &str, fix: Fix) -> Finding {
        bad(TEST, id, severity, takes, title, why).seen(self.evidence()).at(&self.exchange.url).mended_by(fix)
    }
}

/// Words that stand in the names of session cookies: Express's `connect.sid`, PHP's `PHPSESSID`, and what people call them.
const SESSION_WORDS: [&str; 13] = [
    "sid",
    "ssid",
    "token",
    "jwt",
    "auth",
    "authorization",
    "authentication",
    "bearer",
    "credentials",
    "remember",
    "rememberme",
    "sso",
    "oauth",
];
/// Endings and beginnings that are enough wherever they stand.
const SESSION_PARTS: [&str; 3] = ["login", "sess", "authtoken"];
/// Cookies of load balancers, in which no session lies though they are named so.
const AFFINITY: [&str; 5] = ["heroku-session-affinity", "awsalb", "awsalbcors", "arraffinity", "arraffinitysamesite"];

fn kind(name: &str) -> Kind {
    let lower = name.to_ascii_lowercase();
    let bare = ["__host-http-", "__http-", "__host-", "__secure-"].iter().find_map(|p| lower.strip_prefix(p)).unwrap_or(&lower);
    if AFFINITY.contains(&bare) {
        return Kind::Other;
    }
    if ["csrf", "xsrf"].iter().any(|part| bare.contains(part)) {
        return Kind::AntiCsrf;
    }
    let mut words = bare.split(|c: char| !c.is_ascii_alphanumeric()).chain(camel_words(name));
    let is_session = SESSION_PARTS.iter().any(|part| bare.contains(part)) || words.any(is_session_word);
    if is_session { Kind::Session } else { Kind::Other }
}

fn is_session_word(word: &str) -> bool {
    SESSION_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `accessToken` is two words.
fn camel_words(name: &str) -> impl Iterator<Item = &str> {
    let ends: Vec<usize> =
        name.char_indices().skip(1).filter(|(_, c)| c.is_ascii_uppercase()).map(|(i, _)| i).chain([name.len()]).collect();
    ends.into_iter().scan(0, move |start, end| name.get(std::mem::replace(start, end)..end))
}

pub(super) fn judge(site: &Site<'_>, _: &Context<'_>, book: &mut Book) {
    let lines = site.responses().flat_map(|e| e.values("set-cookie").map(move |line| (line, e))).take(MAX_LINES);
    let lines: Vec<Line<'_>> = lines.filter_map(|(line, exchange)| Line::of(line, exchange)).collect();
    if lines.is_empty() {
        book.add(good(TEST, "cookies-not-found", 0, "No cookies").at(&site.page.url));
        return;
    }
    for line in &lines {
        if site.needs_https() {
            secure(site, line, book);
        }
        visible_to_scripts(line, book);
        same_site(line, book);
        prefix(line, book);
        if line.kind == Kind::Session {
            domain(line, book);
        }
    }
    let all = |test: fn(&Line<'_>) -> bool| lines.iter().all(test);
    if book.is_clean(TEST) {
        let secure = site.needs_https() && all(|l| l.flags.secure && l.flags.same_site.is_some());
        book.add(if secure {
            good(
                TEST,
                "cookies-secure-with-httponly-sessions-and-samesite",
                5,
                "Cookies are Secure and have SameSite, sessions are hidden from scripts",
            )
        } else {
            good(TEST, "cookies-with-httponly-sessions", 0, "Sessions are hidden from scripts")
        });
    }
}

fn secure(site: &Site<'_>, line: &Line<'_>, book: &mut Book) {
    if line.flags.secure {
        return;
    }
    let name = line.name;
    let behind_hsts = hsts::protects(site) && line.over_https;
    let why = "Without Secure the cookie also goes out over plain http, where anybody on the network can read it.";
    let (id, severity, takes) = match (line.kind, behind_hsts) {
        (Kind::Session, false) => ("cookies-session-without-secure-flag", Severity::High, 40),
        (Kind::Session, true) => ("cookies-session-without-secure-flag-but-protected-by-hsts", Severity::Medium, 10),
        (_, false) => ("cookies-without-secure-flag", Severity::Medium, 20),
        (_, true) => ("cookies-without-secure-flag-but-protected-by-hsts", Severity::Low, 5),
    };
    let what = if line.kind == Kind::Session { "The session cookie" } else { "The cookie" };
    let hsts = if behind_hsts { ", which HSTS makes up for" } else { "" };
    book.add(line.found(id, severity, takes, format!("{what} {name} is not Secure{hsts}"), why, cookie_flags()));
}

fn visible_to_scripts(line: &Line<'_>, book: &mut Book) {
    if line.kind == Kind::Session && !line.flags.http_only {
        let title = format!("Scripts can read the session cookie {}", line.name);
        let why = format!("One injected script is enough to send it to the attacker. {STOLEN}");
        book.add(line.found("cookies-session-without-httponly-flag", Severity::High, 30, title, &why, cookie_flags()));
    }
}

fn same_site(line: &Line<'_>, book: &mut Book) {
    let name = line.name;
    let written = line.value("samesite");
    match (line.flags.same_site, written) {
        (None, Some(value)) => {
            let title = format!("The cookie {name} has a SameSite that browsers do not know: {value}");
            let why = "Browsers then fall back to their default, and these differ.";
            book.add(line.found("cookies-samesite-flag-invalid", Severity::Medium, 20, title, why, cookie_flags()));
        }
        (None, None) if line.kind == Kind::AntiCsrf => {
            let title = format!("The CSRF token {name} has no SameSite");
            let why =
                "It is there against requests that other sites start; SameSite keeps it from going along with these in every browser.";
            book.add(line.found("cookies-anticsrf-without-samesite-flag", Severity::Low, 10, title, why, cookie_flags()));
        }
        (None, None) if line.kind == Kind::Session => {
            let title = format!("The session cookie {name} has no SameSite");
            let why = "Chrome then assumes Lax, Firefox and Safari send it with requests that other sites start (CSRF).";
            book.add(line.found("cookies-session-without-samesite-flag", Severity::Low, 5, title, why, cookie_flags()));
        }
        (Some(SameSite::None), _) if !line.flags.secure => {
            let title = format!("Browsers refuse the cookie {name}: SameSite=None needs Secure");
            let why = "It works in old browsers only, and there other sites can use it.";
            book.add(line.found("cookies-samesite-none-without-secure", Severity::Medium, 10, title, why, cookie_flags()));
        }
        _ => {}
    }
}

/// Names that start with `__Host-` or `__Secure-` promise something that browsers hold them to (RFC 6265bis 4.1.3).
fn prefix(line: &Line<'_>, book: &mut Book) {
    let lower = line.name.to_ascii_lowercase();
    let host = lower.starts_with("__host-");
    if !host && !lower.starts_with("__secure-") {
        let wanted = line.kind == Kind::Session && line.over_https && line.flags.secure && line.value("domain").is_none();
        if wanted && line.value("path") == Some("/") {
            let title = format!("The session cookie {} could be named __Host-{}", line.name, line.name);
            let why = "With that name browsers accept it from this host over https alone, so that no subdomain and nobody on the network \
                       can plant another (session fixation).";
            let fix =
                in_the_app("// session({ name: '__Host-sid', cookie: { secure: true, httpOnly: true, sameSite: 'lax', path: '/' }, ... })");
            book.add(line.found("cookies-session-without-prefix", Severity::Info, 0, title, why, fix));
        }
        return;
    }
    let broken = !line.flags.secure || host && (line.value("domain").is_some_and(|d| !d.is_empty()) || line.value("path") != Some("/"));
    if broken {
        let asks = if host { "Secure, Path=/ and no Domain" } else { "Secure" };
        let title = format!("Browsers refuse the cookie {}: its name asks for {asks}", line.name);
        let why = "The cookie is never kept, so whatever relies on it does not work, and somebody will drop the prefix to make it work.";
        book.add(line.found("cookies-prefix-broken", Severity::Medium, 10, title, why, cookie_flags()));
    }
}

fn domain(line: &Line<'_>, book: &mut Book) {
    if let Some(domain) = line.value("domain").filter(|d| !d.is_empty()) {
        let title = format!("The session cookie {} goes to every subdomain of {domain}", line.name);
        let why = "A forgotten subdomain, or one that somebody else runs, receives the sessions of this site.";
        let fix = Fix { casque: "[cookies]\ndomain = \"drop\"".to_owned(), ..in_the_app("// leave `domain` out of the cookie's options") };
        book.add(line.found("cookies-session-for-subdomains", Severity::Low, 5, title, why, fix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_known_by_their_names() {
        for name in [
            "connect.sid",
            "sid",
            "PHPSESSID",
            "JSESSIONID",
            "ASP.NET_SessionId",
            "token",
            "jwt",
            "auth",
            "access_token",
            "accessToken",
            "__Host-sid",
            "__Secure-next-auth.session-token",
            "laravel_session",
            "user_login",
            "remember_me_token",
            "sessionid",
        ] {
            assert_eq!(kind(name), Kind::Session, "{name}");
        }
        for name in ["XSRF-TOKEN", "csrftoken", "_csrf", "__Host-csrf"] {
            assert_eq!(kind(name), Kind::AntiCsrf, "{name}");
        }
        for name in ["theme", "_ga", "lang", "author", "side", "heroku-session-affinity", "AWSALB", "tokenizer", "", "é"] {
            assert_eq!(kind(name), Kind::Other, "{name}");
        }
    }

    #[test]
    fn no_value_is_evidence() {
        let exchange = Exchange::default();
        let line = Line::of("sid=s3cret; Path=/; HttpOnly", &exchange).unwrap();
        assert_eq!(line.evidence(), "Set-Cookie: sid=…; Path=/; HttpOnly");
        assert!(Line::of("sid=; Max-Age=0", &exchange).is_none());
        assert!(Line::of("sid=x; max-age=0", &exchange).is_none());
        assert!(Line::of("nameless", &exchange).is_none());
    }
}
