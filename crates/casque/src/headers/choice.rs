//! What an app says of one response: which profile it wants, and what its page needs besides.

use std::borrow::Cow;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use super::changes::{HeaderChanges, What};
use super::csp::Additions;

/// Response header by which an app behind the gateway names a profile. Never reaches the client.
pub const PROFILE: HeaderName = HeaderName::from_static("casque-profile");
/// Response header by which an app behind the gateway adds sources to its policy: `connect-src https://api.example`. Never
/// reaches the client.
pub const CSP_ADD: HeaderName = HeaderName::from_static("casque-csp-add");

/// In a response's extensions: the profile that this response is to have, whatever the request says.
///
/// A name that the policy does not have is ignored, and told in [`HeaderChanges`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseProfile(pub Cow<'static, str>);

/// In a response's extensions: sources that this response's page needs besides the policy's.
///
/// They come from the app's code. Never make them of what a visitor sent: whoever can add a source can load from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddToCsp(pub Additions);

/// Both, read.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) profile: Option<Cow<'static, str>>,
    pub(super) additions: Vec<Additions>,
}

impl Choice {
    /// From the extensions of an app in the same process.
    pub(super) fn of_extensions(extensions: &mut Extensions) -> Self {
        if extensions.is_empty() {
            return Self::default();
        }
        Self {
            profile: extensions.remove::<UseProfile>().map(|p| p.0),
            additions: extensions.remove::<AddToCsp>().map(|a| a.0).into_iter().collect(),
        }
    }

    /// From the headers of an app behind the gateway, which are taken out.
    pub(super) fn take_headers(&mut self, headers: &mut HeaderMap, changes: &mut HeaderChanges) {
        // Nearly no response has either, and a look at the names there is cheaper than asking the map for both.
        if !headers.keys().any(|name| *name == PROFILE || *name == CSP_ADD) {
            return;
        }
        if let Some(name) = headers.remove(PROFILE) {
            match name.to_str() {
                Ok(name) => self.profile = Some(Cow::Owned(name.trim().to_owned())),
                Err(_) => changes.note(PROFILE, What::UnknownProfile),
            }
        }
        if headers.contains_key(CSP_ADD) {
            // One bad line does not cost the others.
            for line in headers.get_all(CSP_ADD) {
                match read_additions(line) {
                    Some(more) => self.additions.push(more),
                    None => changes.note(CSP_ADD, What::RefusedAddition),
                }
            }
            headers.remove(CSP_ADD);
        }
    }
}

fn read_additions(line: &HeaderValue) -> Option<Additions> {
    Additions::parse(line.to_str().ok()?).ok()
}
