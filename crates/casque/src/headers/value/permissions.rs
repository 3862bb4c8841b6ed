//! Permissions-Policy (W3C, section 5.2): a structured dictionary of features and who may use them.

use sfv::{BareItem, ListEntry};

use super::Findings;
use super::structured::{dictionary, part_of};

/// The features that some browser knows; from the W3C's register of policy-controlled features and from browsers' documentation.
const FEATURES: [&str; 73] = [
    "accelerometer",
    "all-screens-capture",
    "ambient-light-sensor",
    "aria-notify",
    "attribution-reporting",
    "autofill",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "captured-surface-control",
    "clipboard-read",
    "clipboard-write",
    "compute-pressure",
    "controlled-frame",
    "cross-origin-isolated",
    "deferred-fetch",
    "deferred-fetch-minimal",
    "digital-credentials-create",
    "digital-credentials-get",
    "direct-sockets",
    "display-capture",
    "encrypted-media",
    "execution-while-not-rendered",
    "execution-while-out-of-viewport",
    "focus-without-user-activation",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "join-ad-interest-group",
    "keyboard-map",
    "language-detector",
    "language-model",
    "local-fonts",
    "local-network",
    "local-network-access",
    "loopback-network",
    "magnetometer",
    "manual-text",
    "microphone",
    "midi",
    "monetization",
    "on-device-speech-recognition",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "private-state-token-issuance",
    "private-state-token-redemption",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "rewriter",
    "run-ad-auction",
    "screen-wake-lock",
    "serial",
    "shared-storage",
    "shared-storage-select-url",
    "smart-card",
    "speaker-selection",
    "storage-access",
    "sub-apps",
    "summarizer",
    "sync-xhr",
    "translator",
    "unload",
    "usb",
    "web-share",
    "window-management",
    "writer",
    "xr-spatial-tracking",
];

/// Features that browsers have taken out again: naming them only fills the console.
const RETIRED: [&str; 8] =
    ["conversion-measurement", "document-domain", "document-write", "interest-cohort", "navigation-override", "speaker", "vibrate", "vr"];

pub(super) fn check(found: &mut Findings<'_>) {
    let value = found.value;
    let Some(dictionary) = dictionary(found) else {
        if value.contains('\'') {
            found.error(
                value,
                "has single quotes, as the older Feature-Policy had",
                "write `camera=()` for nobody, `camera=(self \"https://a.example\")`",
            );
        }
        return;
    };
    for (key, entry) in &dictionary {
        feature(found, part_of(value, key.as_str()));
        let items = match entry {
            ListEntry::Item(item) => std::slice::from_ref(item),
            ListEntry::InnerList(list) => list.items.as_slice(),
        };
        for item in items {
            match &item.bare_item {
                BareItem::Token(token) => match token.as_str() {
                    "self" | "*" | "src" => {}
                    "none" => found.error(
                        part_of(value, "none"),
                        format!("allows `{}` to `none`, which is no word here", key.as_str()),
                        "nobody is `()`",
                    ),
                    other => found.error(
                        part_of(value, other),
                        format!("allows `{}` to `{other}`", key.as_str()),
                        "expected `self`, `*` or an origin in double quotes",
                    ),
                },
                BareItem::String(origin) => origin_like(found, part_of(value, origin.as_str())),
                _ => found.error(
                    part_of(value, key.as_str()),
                    format!("gives `{}` something that is neither word nor text", key.as_str()),
                    "expected `self`, `*` or an origin in double quotes",
                ),
            }
        }
    }
    let twice = value.split(',').filter_map(|m| m.split('=').next()).map(str::trim).collect::<Vec<_>>();
    for (i, name) in twice.iter().enumerate() {
        // A comma inside a quoted origin makes a piece that is no feature; it cannot be one twice either.
        if FEATURES.contains(name) && twice[..i].contains(name) {
            found.warn(name, format!("names `{name}` twice"), "browsers go by the last");
        }
    }
}

fn feature(found: &mut Findings<'_>, name: &str) {
    if FEATURES.binary_search(&name).is_ok() || name.starts_with("ch-") {
        return;
    }
    if RETIRED.contains(&name) {
        found.warn(name, format!("names `{name}`, which browsers have taken out"), "leave it away; it only fills the console");
        return;
    }
    let remedy = crate::nearest::nearest(name, FEATURES).map_or_else(String::new, |near| format!("did you mean `{near}`?"));
    found.warn(name, format!("names `{name}`, which no browser is known to have"), remedy);
}

/// An origin: scheme, host and perhaps a port; a host may begin with `*.`.
fn origin_like(found: &mut Findings<'_>, text: &str) {
    let rest = text.split_once("://").map(|(_, rest)| rest);
    match rest {
        None | Some("") => {
            found.error(text, format!("allows \"{text}\", which is no origin"), "write scheme and host: \"https://maps.example\"")
        }
        Some(rest) if rest.contains('/') => {
            found.warn(text, format!("allows \"{text}\", whose path browsers drop"), "scheme and host suffice")
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::FEATURES;

    #[test]
    fn features_and_allow_lists() {
        assert!(FEATURES.windows(2).all(|w| w[0] < w[1]));
        let said = |v| said("permissions-policy", v);
        assert_eq!(said("camera=(), geolocation=(self \"https://maps.example\"), fullscreen=*"), [""; 0]);
        assert_eq!(said("camra=()"), ["warning: names `camra`, which no browser is known to have [camra] did you mean `camera`?"]);
        assert!(said("camera=none")[0].ends_with("nobody is `()`"));
        assert!(
            said("camera=(https://a.example)")[0].contains("is not a structured dictionary")
                || said("camera=(https://a.example)")[0].contains("allows")
        );
        assert!(said("camera 'none'")[1].contains("Feature-Policy"));
        assert!(said("camera=(\"maps.example\")")[0].contains("no origin"));
        assert!(said("interest-cohort=()")[0].contains("taken out"));
        assert!(said("camera=(), camera=(self)")[0].contains("twice"));
    }
}
