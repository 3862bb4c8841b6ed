//! Where browsers send their reports.

use sfv::{BareItem, ListEntry};

use super::Findings;
use super::structured::{dictionary, part_of};

/// Reporting API, section 3.3: a dictionary of names and addresses.
pub(super) fn endpoints(found: &mut Findings<'_>) {
    let value = found.value;
    let Some(dictionary) = dictionary(found) else { return };
    for (key, entry) in &dictionary {
        let ListEntry::Item(item) = entry else {
            found.error(part_of(value, key.as_str()), format!("gives `{}` a list", key.as_str()), "write one address in double quotes");
            continue;
        };
        let BareItem::String(url) = &item.bare_item else {
            found.error(part_of(value, key.as_str()), format!("gives `{}` no text", key.as_str()), "write the address in double quotes");
            continue;
        };
        let url = url.as_str();
        if url.starts_with("http://") {
            found.error(
                part_of(value, url),
                format!("sends `{}` over plain http", key.as_str()),
                "browsers ignore it; use https or a path of your own such as \"/reports\"",
            );
        } else if !url.starts_with('/') && !url.starts_with("https://") {
            found.error(
                part_of(value, url),
                format!("gives `{}` the address \"{url}\"", key.as_str()),
                "write \"https://...\" or a path of your own such as \"/reports\"",
            );
        }
    }
}

/// Network Error Logging section 5.1: a JSON object with `report_to` and `max_age`. Its group must stand in the older `Report-To`.
pub(super) fn nel(found: &mut Findings<'_>) {
    let value = found.value;
    if !(value.trim().starts_with('{') && value.trim().ends_with('}')) {
        found.error(value, "is not a JSON object", "write {\"report_to\":\"default\",\"max_age\":2592000}");
        return;
    }
    if !value.contains("\"max_age\"") {
        found.error(value, "has no \"max_age\"", "write {\"report_to\":\"default\",\"max_age\":2592000}");
    }
    if !value.contains("\"report_to\"") {
        found.error(value, "has no \"report_to\"", "it names a group of the `report-to` header; `reporting-endpoints` is not read for it");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;

    #[test]
    fn addresses_must_be_ones_that_browsers_use() {
        assert_eq!(said("reporting-endpoints", "default=\"/reports\", csp=\"https://r.example/a\""), [""; 0]);
        assert!(said("reporting-endpoints", "default=\"http://r.example/\"")[0].contains("plain http"));
        assert!(said("reporting-endpoints", "default=/reports")[0].contains("structured"));
        assert!(said("reporting-endpoints", "default=\"reports\"")[0].contains("\"reports\""));
        assert_eq!(said("nel", "{\"report_to\":\"default\",\"max_age\":2592000}"), [""; 0]);
        assert_eq!(said("nel", "{\"max_age\":1}").len(), 1);
        assert_eq!(said("nel", "max_age=1").len(), 1);
    }
}
