//! Who shares a process, a window or a resource with whom.

use sfv::{BareItem, InnerList, ListEntry};

use super::Findings;
use super::structured::{dictionary, item, part_of};

/// A token with an optional `report-to`, letter for letter (HTML, "obtain an opener policy").
fn reported_token(found: &mut Findings<'_>, words: &[&'static str]) {
    let value = found.value;
    let Some(item) = item(found) else { return };
    let BareItem::Token(token) = &item.bare_item else {
        found.error(value, "must be a word without quotes", super::or_list(words));
        return;
    };
    found.one_of(part_of(value, token.as_str()), words);
    for (key, endpoint) in &item.params {
        if key.as_str() != "report-to" {
            found.warn(part_of(value, key.as_str()), format!("has `{}`, which browsers ignore here", key.as_str()), "");
        } else if !matches!(endpoint, BareItem::String(_)) {
            found.error(part_of(value, "report-to"), "has a `report-to` that is no text", "write `report-to=\"name\"`");
        }
    }
}

pub(super) fn opener(found: &mut Findings<'_>) {
    reported_token(found, &["same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none", "same-origin-plus-coep"]);
}

pub(super) fn embedder(found: &mut Findings<'_>) {
    reported_token(found, &["require-corp", "credentialless", "unsafe-none"]);
}

/// WICG Document-Isolation-Policy.
pub(super) fn document(found: &mut Findings<'_>) {
    reported_token(found, &["isolate-and-require-corp", "isolate-and-credentialless", "none"]);
}

/// Fetch, "cross-origin resource policy check": an exact value, no parameters.
pub(super) fn resource(found: &mut Findings<'_>) {
    let value = found.value.trim();
    found.one_of(value, &["same-origin", "same-site", "cross-origin"]);
}

pub(super) fn agent_cluster(found: &mut Findings<'_>) {
    let value = found.value;
    if let Some(item) = item(found)
        && !matches!(item.bare_item, BareItem::Boolean(_))
    {
        found.error(value, format!("cannot be `{value}`"), "expected `?1` or `?0`");
    }
}

/// W3C Subresource Integrity, "Integrity-Policy".
pub(super) fn integrity(found: &mut Findings<'_>) {
    let value = found.value;
    let Some(dictionary) = dictionary(found) else { return };
    let mut blocks = false;
    for (key, entry) in &dictionary {
        let words: Option<&[&'static str]> = match key.as_str() {
            "blocked-destinations" => Some(&["script", "style"]),
            "sources" => Some(&["inline"]),
            "endpoints" => None,
            other => {
                found.error(
                    part_of(value, other),
                    format!("has `{other}`, which is no part of it"),
                    "known are `blocked-destinations`, `sources` and `endpoints`",
                );
                continue;
            }
        };
        let ListEntry::InnerList(InnerList { items, .. }) = entry else {
            found.error(
                part_of(value, key.as_str()),
                format!("has a `{}` that is no list", key.as_str()),
                "write `blocked-destinations=(script)`",
            );
            continue;
        };
        blocks |= key.as_str() == "blocked-destinations" && !items.is_empty();
        for item in items {
            let BareItem::Token(token) = &item.bare_item else {
                found.error(
                    part_of(value, key.as_str()),
                    format!("has something in `{}` that is no word", key.as_str()),
                    "write words without quotes",
                );
                continue;
            };
            if let Some(words) = words {
                found.one_of(part_of(value, token.as_str()), words);
            }
        }
    }
    if !blocks {
        found.error(value, "blocks nothing", "write `blocked-destinations=(script)`");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;

    #[test]
    fn tokens_are_exact() {
        assert_eq!(said("cross-origin-opener-policy", "same-origin; report-to=\"casque\""), [""; 0]);
        assert_eq!(
            said("cross-origin-opener-policy", "Same-Origin"),
            ["cannot be `Same-Origin` [Same-Origin] did you mean `same-origin`?"]
        );
        assert!(said("cross-origin-opener-policy", "same-origin, same-origin")[0].starts_with("is not a structured item"));
        assert!(said("cross-origin-opener-policy", "\"same-origin\"")[0].starts_with("must be a word"));
        assert_eq!(
            said("cross-origin-embedder-policy", "require-corps"),
            ["cannot be `require-corps` [require-corps] did you mean `require-corp`?"]
        );
        assert!(said("cross-origin-embedder-policy", "credentialless; report-to=casque")[0].contains("report-to=\"name\""));
        assert_eq!(said("cross-origin-resource-policy", "same-site"), [""; 0]);
        assert_eq!(said("document-isolation-policy", "isolate-and-credentialless"), [""; 0]);
        assert_eq!(said("origin-agent-cluster", "?1"), [""; 0]);
        assert_eq!(said("origin-agent-cluster", "1"), ["cannot be `1` [1] expected `?1` or `?0`"]);
    }

    #[test]
    fn integrity_policy_names_what_it_blocks() {
        assert_eq!(said("integrity-policy", "blocked-destinations=(script style), endpoints=(casque)"), [""; 0]);
        assert_eq!(said("integrity-policy", "blocked-destinations=(scripts)")[0], "cannot be `scripts` [scripts] did you mean `script`?");
        assert!(said("integrity-policy", "endpoints=(a)")[0].starts_with("blocks nothing"));
        assert!(said("integrity-policy", "blocked=(script)")[0].starts_with("has `blocked`"));
    }
}
