//! Whose account a request tries: where account names are in it, found in every reading that an app could have.
//!
//! ```
//! use casque::login::account::{AccountFields, Found, Head, find};
//! use http::HeaderMap;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fields = AccountFields::none().form("user[email]")?.json("/user/email")?;
//! let mut headers = HeaderMap::new();
//! headers.insert("content-type", "application/json".parse()?);
//! let head = Head { headers: &headers, query: None };
//! let Found::Names(names) = find(&fields, head, br#"{"user":{"\u0065mail":"Ada@Example.org"}}"#, true) else { panic!() };
//! assert_eq!(names[0].as_str(), "ada@example.org");
//! # Ok(()) }
//! ```
//!
//! The rule is: **what an app would take as the name is found, or the request is refused.** Parsers disagree on odd input, so odd
//! input is where a name hides; a log-in page and its scripts send none. A refusal costs a client who does something no client
//! does; a miss costs the account its budget.
//!
//! **Attacks and answers.**
//! - *Padding in front of the name*: a body longer than what was read is refused (413).
//! - *Compressing, transcoding*: a body with a content coding, or in a charset whose letters are not ASCII's, is refused (415), for
//!   apps inflate it and some read UTF-16 or UTF-7. Bytes that are not UTF-8 are refused where a name is.
//! - *JSON instead of a form, a query instead of a body*: a field is looked for in all of them, however it was written. A type that
//!   is none of them is refused (415) if it has a body. Under a form's type, `text/plain` or none, what looks like JSON is read as
//!   both.
//! - *Another spelling of the field*: escapes are decoded; case, `_`, `-`, white space, and whether the way is written with brackets
//!   or dots make no difference, because Go and .NET ignore case, PHP makes `_` of dots, and some apps accept two styles. Array indexes
//!   and keys that are numbers do not count as steps.
//! - *Two fields, of which the app takes the other one*: all are found, duplicate keys of a JSON object too, and `;` parts pairs as
//!   `&` does. Every name found has to be charged.
//! - *Many attempts in one request*: an array of names or of objects with names has a name per element, equal or not; more than
//!   [`AccountFields::most`] are refused, and so is a longer array as the whole JSON body, whatever is in it.
//! - *An object instead of a name* (`email[$eq]=x`, `{"email":{"contains":"x"}}`): databases behind careless apps search by it, in any
//!   number of spellings. Refused, as is `__proto__` in a way.
//! - *Lax parsers*: JSON must be JSON (RFC 8259), one value, at most 32 deep; multipart must look as browsers and client libraries
//!   write it (RFC 7578), without folded lines, escapes, second boundaries or nested parts; anything else is refused (400).
//! - *Another spelling of the name*: names are in normal form ([`Name`]); names in mark-up or with NUL, which some apps cut away, are
//!   refused, and so are names longer than 512 characters.
//! - *Making us work*: time is linear in the body; nothing recurses; at most 16 names are looked at.
//!
//! **Out of reach.** Names inside the text of a GraphQL query (put them into `variables`), in XML, in encrypted or app-specific encodings,
//! in the path. Two fields that the app joins to one name. That `jo@x.org` and `jo+1@x.org`, or a name and its mail address, are one
//! account: only the app knows.

mod credentials;
mod fields;
mod form;
mod json;
mod media;
mod multipart;
mod name;
mod refusal;
#[cfg(test)]
mod tests;
mod walk;

use http::HeaderMap;

pub use fields::AccountFields;
pub use name::Name;
pub use refusal::Refusal;

pub(super) use form::decoded;

use media::Reading;
use walk::{Gathered, Source, Walk};

/// What of a request's head names are looked for in.
#[derive(Debug, Clone, Copy)]
pub struct Head<'r> {
    /// The header fields.
    pub headers: &'r HeaderMap,
    /// The query of the target, without its `?`.
    pub query: Option<&'r str>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The names, at least one. Each has to be charged, once per time it stands here: a name that several elements of an array
    /// have, stands here several times.
    Names(Vec<Name>),
    /// The request has none of the fields, or they are empty. Only the client can be charged.
    Nothing,
    /// More names than one attempt has; how many there are at least. To be refused with 400.
    TooMany(usize),
    /// What cannot be read for certain. To be refused with [`Refusal::status`].
    Refuse(Refusal),
}

/// Finds the account names of a request.
///
/// `body` is the body as it came, or its beginning; `whole` tells which. The method makes no difference, because frameworks read the body
/// and query of any.
#[must_use]
pub fn find(fields: &AccountFields, head: Head<'_>, body: &[u8], whole: bool) -> Found {
    let mut gathered = Gathered::default();
    match gather(fields, head, body, whole, &mut gathered).and_then(|()| gathered.names(fields)) {
        Ok(found) => found,
        Err(refusal) => Found::Refuse(refusal),
    }
}

fn gather(fields: &AccountFields, head: Head<'_>, body: &[u8], whole: bool, gathered: &mut Gathered) -> Result<(), Refusal> {
    credentials::read(fields, head.headers, gathered)?;
    if !fields.has_named() {
        return Ok(());
    }
    if let Some(query) = head.query {
        form::read(query.as_bytes(), &mut Walk::new(fields, Source::Query, gathered))?;
    }
    if !whole {
        return Err(Refusal::TooLong);
    }
    if body.is_empty() {
        return Ok(());
    }
    let reading = media::reading(head.headers)?;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match reading {
        Reading::Json => read_json(fields, body, gathered),
        Reading::Multipart { boundary } => multipart::read(body, &boundary, &mut Walk::new(fields, Source::Multipart, gathered)),
        Reading::Form => {
            if form::looks_like_json(body) {
                read_json(fields, body, gathered)?;
            }
            form::read(body, &mut Walk::new(fields, Source::Form, gathered))
        }
    }
}

fn read_json(fields: &AccountFields, body: &[u8], gathered: &mut Gathered) -> Result<(), Refusal> {
    let elements = json::read(body, &mut Walk::new(fields, Source::Json, gathered))?;
    gathered.batch(elements);
    Ok(())
}
