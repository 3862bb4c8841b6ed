//! Feature-Policy and the header that took its place, Permissions-Policy.

use std::collections::HashSet;

use super::options::{Found, Options, camel, near_or};
use super::release::Release;
use super::value::{Key, Value, shown};
use super::{Outcome, Result};

/// The features that feature-policy 0.3 knew.
const FEATURES: [&str; 36] = [
    "accelerometer",
    "ambientLightSensor",
    "autoplay",
    "camera",
    "documentDomain",
    "documentWrite",
    "encryptedMedia",
    "fontDisplayLateSwap",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "layoutAnimations",
    "legacyImageFormats",
    "loadingFrameDefaultEager",
    "magnetometer",
    "microphone",
    "midi",
    "notifications",
    "oversizedImages",
    "payment",
    "pictureInPicture",
    "push",
    "serial",
    "speaker",
    "syncScript",
    "syncXhr",
    "unoptimizedImages",
    "unoptimizedLosslessImages",
    "unoptimizedLossyImages",
    "unsizedMedia",
    "usb",
    "verticalScroll",
    "vibrate",
    "vr",
    "wakeLock",
    "xr",
];

/// Those that 0.6 knew besides.
const LATER_FEATURES: [&str; 7] = [
    "battery",
    "displayCapture",
    "executionWhileNotRendered",
    "executionWhileOutOfViewport",
    "navigationOverride",
    "publickeyCredentials",
    "xrSpatialTracking",
];

/// Feature-Policy (the drafts before it became Permissions Policy).
pub(super) fn feature_policy(release: Release, mut options: Options<'_>) -> Result {
    let later: &[&str] = if release == Release::FeaturePolicy6 { &LATER_FEATURES } else { &[] };
    let (features, map) = features(&mut options)?;
    let mut parts = Vec::new();
    for (key, value) in map {
        let name = camel(&key.name);
        let place = features.place.key(&key.name, &key.span);
        let known = FEATURES.iter().chain(later).copied();
        let Some(feature) = known.clone().find(|f| *f == name) else {
            let message = format!("{} is no feature of Feature-Policy", shown(&key.name));
            return Err(options.report.error(&place, message, near_or(&name, known, "newer features belong in `permissionsPolicy`")));
        };
        let origins = origins(&options, &features, key, value)?;
        let place = features.place.key(&key.name, &value.span);
        if origins.is_empty() {
            return Err(options.report.error(&place, "an empty list", "write [\"'none'\"] to forbid the feature to everyone"));
        }
        for bare in ["self", "none"] {
            if origins.contains(&bare) {
                return Err(options.report.error(&place, format!("\"{bare}\" without its quotes"), format!("write \"'{bare}'\"")));
            }
        }
        alone(&options, &features, key, value, &origins, &["*", "'none'"])?;
        if release == Release::FeaturePolicy6 {
            distinct(&options, &features, key, value, &origins)?;
        }
        parts.push(format!("{} {}", dashed(feature), origins.join(" ")));
    }
    options.report.warn(
        &options.place,
        "Feature-Policy was renamed before it was finished; only old browsers look at it",
        "write a `permissionsPolicy`: { features: { camera: [\"self\"] } }",
    );
    options.finish()?;
    Ok(Outcome::one("feature-policy", parts.join(";")))
}

/// Permissions-Policy (W3C Permissions Policy 5.1) as the package permissions-policy writes it.
pub(super) fn permissions_policy(mut options: Options<'_>) -> Result {
    const WORDS: [&str; 4] = ["self", "src", "*", "none"];
    let (features, map) = features(&mut options)?;
    let mut parts = Vec::new();
    for (key, value) in map {
        let origins = origins(&options, &features, key, value)?;
        for (i, origin) in origins.iter().enumerate() {
            let quoted = origin.len() >= 2
                && origin.starts_with('"')
                && origin.ends_with('"')
                && !origin.contains(['\n', '\r', '\u{2028}', '\u{2029}']);
            if WORDS.contains(origin) || quoted {
                continue;
            }
            let place = features.place.key(&key.name, &value.span).item(i, &item_span(value, i));
            let bare = origin.trim_matches('\'');
            let remedy = if WORDS.contains(&bare) {
                format!("write \"{bare}\", without the inner quotes")
            } else {
                "an origin stands in double quotes of its own: '\"https://example.com\"'".to_owned()
            };
            return Err(options.report.error(&place, format!("{} is neither a keyword nor a quoted origin", shown(origin)), remedy));
        }
        alone(&options, &features, key, value, &origins, &["*"])?;
        distinct(&options, &features, key, value, &origins)?;
        parts.push(format!("{}=({})", dashed(&key.name), origins.join(" ")));
    }
    options.finish()?;
    Ok(Outcome::one("permissions-policy", parts.join(", ")))
}

/// The table `features`, which must hold something.
fn features<'v>(options: &mut Options<'v>) -> Result<(Found<'v>, &'v [(Key, Value)])> {
    let remedy = "write { features: { fullscreen: [...] } }";
    let Some(found) = options.get("features") else {
        return Err(options.report.error(&options.place, "`features` is missing", remedy));
    };
    match found.value.as_map() {
        Some([]) => Err(options.report.error(&found.place, "`features` is empty", remedy)),
        Some(map) => Ok((found, map)),
        None => Err(options.wrong_type("features", &found, "a table of features")),
    }
}

/// A feature's list, which must hold texts.
fn origins<'v>(options: &Options<'_>, features: &Found<'_>, key: &Key, value: &'v Value) -> Result<Vec<&'v str>> {
    let place = features.place.key(&key.name, &value.span);
    let Some(list) = value.as_list() else {
        let message = format!("{} is {}", shown(&key.name), value.described());
        return Err(options.report.error(&place, message, "expected a list of texts in quotes"));
    };
    let mut origins = Vec::new();
    for (i, item) in list.iter().enumerate() {
        match item.as_text() {
            Some(text) => origins.push(text),
            None => {
                let message = format!("an origin is {}", item.described());
                return Err(options.report.error(&place.item(i, &item.span), message, "expected a text in quotes"));
            }
        }
    }
    Ok(origins)
}

/// That what stands for everyone or for nobody stands alone.
fn alone(options: &Options<'_>, features: &Found<'_>, key: &Key, value: &Value, origins: &[&str], words: &[&str]) -> Result<()> {
    match origins.iter().position(|o| words.contains(o)) {
        // Twice the same word is the business of `distinct`, but where nothing else looks it is not alone either.
        Some(i) if origins.len() > 1 => {
            let place = features.place.key(&key.name, &value.span).item(i, &item_span(value, i));
            Err(options.report.error(&place, format!("{} beside other origins", shown(origins[i])), "keep it alone, or take it out"))
        }
        _ => Ok(()),
    }
}

fn distinct(options: &Options<'_>, features: &Found<'_>, key: &Key, value: &Value, origins: &[&str]) -> Result<()> {
    let mut seen = HashSet::new();
    match origins.iter().position(|origin| !seen.insert(origin)) {
        Some(i) => {
            let place = features.place.key(&key.name, &value.span).item(i, &item_span(value, i));
            Err(options.report.error(&place, format!("{} stands here twice", shown(origins[i])), "keep one of the two"))
        }
        None => Ok(()),
    }
}

fn item_span(value: &Value, index: usize) -> std::ops::Range<usize> {
    value.as_list().and_then(|l| l.get(index)).map_or_else(|| value.span.clone(), |v| v.span.clone())
}

/// A dash before every capital: `syncXhr` is `sync-xhr`.
pub(super) fn dashed(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
