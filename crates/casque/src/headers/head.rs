//! A response's head: the app's headers and a block's in one map.
//!
//! What a map of headers costs is the hashing of names: a dozen of ours take as long as all the rest that is done here. So where
//! the app sets none of ours, its few headers are moved into a copy of a map that holds ours already, and no name of ours is hashed.

use std::mem;

use http::header::{Entry as Slot, OccupiedEntry};
use http::{HeaderMap, HeaderValue};

use super::block::{self, Block, Entry};
use super::catalog;
use super::changes::{HeaderChanges, What};
use super::choice::{CSP_ADD, Choice};
use super::merge::{self, Merge};
use super::nonce::Nonce;

/// What the headers of one response depend on besides their block.
pub(super) struct Answer<'r> {
    pub(super) status: u16,
    pub(super) nonce: Option<&'r Nonce>,
    pub(super) choice: &'r Choice,
}

impl Answer<'_> {
    fn gets(&self, entry: &Entry) -> bool {
        !entry.on_success || self.status < 400
    }

    /// The value that we would send.
    fn value(&self, entry: &Entry) -> HeaderValue {
        match &entry.csp {
            Some(csp) if !self.choice.additions.is_empty() => block::with_additions(csp, &self.choice.additions, self.nonce),
            _ => entry.value(self.nonce),
        }
    }
}

/// Puts a block's headers and the app's together; `apart` tells that the app sets none of them.
pub(super) fn join(block: &Block, answer: &Answer<'_>, headers: &mut HeaderMap, apart: bool, changes: &mut HeaderChanges) {
    let theirs_are_fewer = headers.keys_len() <= block.ready.keys_len();
    if apart && theirs_are_fewer && answer.choice.additions.is_empty() {
        take_over(block, answer, headers);
    } else {
        add(block, answer, headers, changes);
    }
}

/// The app's headers go into a copy of ours.
fn take_over(block: &Block, answer: &Answer<'_>, headers: &mut HeaderMap) {
    let mut all = block.ready.clone();
    for (name, value) in headers.iter_mut() {
        all.append(name, mem::replace(value, HeaderValue::from_static("")));
    }
    *headers = all;
    for entry in block.late.iter().filter_map(|i| block.entries.get(*i)).filter(|e| answer.gets(e)) {
        headers.insert(&entry.name, answer.value(entry));
    }
}

/// Ours go to the app's, one by one.
fn add(block: &Block, answer: &Answer<'_>, headers: &mut HeaderMap, changes: &mut HeaderChanges) {
    headers.reserve(block.entries.len());
    for entry in block.entries.iter().filter(|e| answer.gets(e)) {
        match headers.entry(&entry.name) {
            Slot::Vacant(vacant) => _ = vacant.insert(answer.value(entry)),
            Slot::Occupied(mut theirs) => merge_into(entry, &mut theirs, answer, changes),
        }
    }
}

/// The app has set this header too: rare enough to collect its lines.
#[cold]
fn merge_into(entry: &Entry, theirs: &mut OccupiedEntry<'_, HeaderValue>, answer: &Answer<'_>, changes: &mut HeaderChanges) {
    let value = answer.value(entry);
    let verdict = {
        let lines: Vec<&[u8]> = theirs.iter().map(HeaderValue::as_bytes).collect();
        merge::decide(entry.name.as_str(), entry.mode, value.as_bytes(), entry.csp.as_deref(), &lines)
    };
    let settled = |changes: &mut HeaderChanges, what| changes.note(entry.name.clone(), what);
    match verdict {
        Merge::Keep => {
            if entry.csp.is_some() && !answer.choice.additions.is_empty() {
                // The app's own policy goes out as it is; what it wants to add was meant for ours.
                changes.note(CSP_ADD, What::Unused);
            }
        }
        Merge::KeepOnly(i, why) => {
            if let Some(kept) = theirs.iter().nth(i).cloned() {
                theirs.insert(kept);
                settled(changes, why);
            }
        }
        Merge::Instead(text, why) => {
            if let Ok(joined) = HeaderValue::from_bytes(&text) {
                theirs.insert(joined);
                settled(changes, why);
            }
        }
        Merge::Ours => {
            // Said only if there is a difference to be told.
            if theirs.iter().any(|v| v != value) && !catalog::is_csp(entry.name.as_str()) || theirs.iter().count() > 1 {
                settled(changes, What::Replaced);
            }
            theirs.insert(value);
        }
        Merge::Both => theirs.append(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::channel::Channel;
    use super::super::class::Class;
    use super::super::policy::HeaderPolicy;
    use super::super::preset::Preset;
    use super::*;
    use crate::headers::Mode;

    fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
        let mut lines: Vec<_> = headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        // The lines of one name keep their order.
        lines.sort_by(|a, b| a.0.cmp(&b.0));
        lines
    }

    fn policy() -> HeaderPolicy {
        HeaderPolicy::builder(Preset::Helmet)
            .set("content-security-policy", "script-src 'nonce'", Mode::Fill)
            .and_then(|b| b.set("clear-site-data", "\"cookies\"", Mode::Fill))
            .unwrap()
            .build()
    }

    proptest! {
        #[test]
        fn either_way_leads_to_the_same_head(
            theirs in prop::collection::vec(("(content-type|date|etag|vary|x-[a-c]|set-cookie)", "[a-z]{0,3}"), 0..20),
            status in prop::sample::select(vec![200_u16, 404]),
        ) {
            let policy = policy();
            let block = policy.block(Channel::Https, Class::Page);
            let (nonce, choice) = (Nonce::fresh(), Choice::default());
            let answer = Answer { status, nonce: Some(&nonce), choice: &choice };
            let mut taken_over = HeaderMap::new();
            for (name, value) in &theirs {
                taken_over.append(http::HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
            }
            let mut added = taken_over.clone();
            let mut changes = HeaderChanges::default();
            take_over(block, &answer, &mut taken_over);
            add(block, &answer, &mut added, &mut changes);
            prop_assert_eq!(lines(&taken_over), lines(&added));
            prop_assert!(changes.is_empty());
            prop_assert_eq!(taken_over.contains_key("clear-site-data"), status == 200);
        }
    }

    #[test]
    fn a_header_that_both_send_is_settled_whatever_else_there_is() {
        for others in [0, 1, 40] {
            let mut headers = HeaderMap::new();
            for i in 0..others {
                headers.insert(http::HeaderName::try_from(format!("x-{i}")).unwrap(), HeaderValue::from_static("1"));
            }
            headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
            headers.insert("x-powered-by", HeaderValue::from_static("Express"));
            policy().apply(Channel::Https, 200, &mut headers);
            assert_eq!((headers["x-frame-options"].to_str().unwrap(), headers.get("x-powered-by")), ("DENY", None), "{others}");
            assert_eq!(headers.get_all("x-frame-options").iter().count(), 1);
            assert_eq!(headers["x-content-type-options"], "nosniff");
        }
    }
}
