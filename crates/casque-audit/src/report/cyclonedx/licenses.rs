//! Licences, as CycloneDX has them: by id only if SPDX knows it, else by whatever name their package gives.

use serde_json::{Value, json};

/// The ids of SPDX that nearly all packages use. `id` of CycloneDX takes ids of SPDX alone, `name` takes anything.
const COMMON: [&str; 24] = [
    "0BSD",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC-BY-4.0",
    "CC0-1.0",
    "GPL-2.0-only",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL-3.0-only",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Python-2.0",
    "Unicode-3.0",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

/// `licenses` of a component.
pub(super) fn licenses(text: &str) -> Option<Value> {
    let text = text.trim();
    let is_common = |id: &str| COMMON.contains(&id);
    let is_expression = text.contains(' ')
        && text.split([' ', '(', ')']).filter(|word| !word.is_empty()).all(|word| matches!(word, "AND" | "OR") || is_common(word));
    match text {
        "" => None,
        id if is_common(id) => Some(json!([{"license": {"id": id}}])),
        _ if is_expression => Some(json!([{"expression": text}])),
        name => Some(json!([{"license": {"name": name}}])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_of_spdx_is_a_name() {
        assert_eq!(licenses("MIT"), Some(json!([{"license": {"id": "MIT"}}])));
        assert_eq!(licenses("(MIT OR Apache-2.0)"), Some(json!([{"expression": "(MIT OR Apache-2.0)"}])));
        for name in ["SEE LICENSE IN x", "mit", "MIT or ISC", "UNLICENSED"] {
            assert_eq!(licenses(name), Some(json!([{"license": {"name": name}}])));
        }
        assert_eq!(licenses(" "), None);
    }
}
