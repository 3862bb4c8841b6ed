//! HTTPS and its certificates: HSTS, and the two headers about certificates that browsers have dropped.

use super::options::{Options, Part};
use super::release::Release;
use super::{Kind, Outcome, Result};

/// Strict-Transport-Security (RFC 6797). helmet 8 made the default a year; helmet 3 rounds where later ones cut off.
pub(super) fn hsts(release: Release, options: Options<'_>) -> Result {
    const HALF_A_YEAR: f64 = 15_552_000.0;
    const YEAR: f64 = 31_536_000.0;
    let old = release == Release::V3;
    let nullable: &[&str] = if old { &["maxAge", "includeSubDomains"] } else { &[] };
    let mut options = options.without_nulls(nullable);
    options.refuse("maxage", "is not an option", "write `maxAge`")?;
    let default = if release == Release::V8 { YEAR } else { HALF_A_YEAR };
    let max_age = options.seconds("maxAge", default, if old { f64::round } else { f64::floor })?;
    let mut subdomains = options.boolean("includeSubDomains", true)?;
    if let Some(found) = options.get_retired("includeSubdomains") {
        let remedy = "write `includeSubDomains`, with a capital D";
        if release == Release::V8 {
            return Err(options.report.error(&found.place, "`includeSubdomains` is not an option", remedy));
        }
        if old && options.get("includeSubDomains").is_some() {
            return Err(options.report.error(&found.place, "both `includeSubDomains` and `includeSubdomains`", "keep `includeSubDomains`"));
        }
        if old {
            subdomains = found.value.kind == Kind::Null || options.boolean("includeSubdomains", true)?;
            options.report.warn(&found.place, "`includeSubdomains` is an old spelling", remedy);
        } else {
            options.report.warn(&found.place, "`includeSubdomains` does nothing", remedy);
        }
    }
    let preload = options.boolean("preload", false)?;
    if old {
        options.function("setIf")?;
    } else {
        options.outdated("setIf", "does nothing since helmet 4", "take it out; casque sends this header over HTTPS alone");
    }
    options.outdated("force", "does nothing since helmet 3", "take it out; casque sends this header over HTTPS alone");
    options.finish()?;
    let mut value = format!("max-age={max_age}");
    if subdomains {
        value += "; includeSubDomains";
    }
    if preload {
        value += "; preload";
    }
    Ok(Outcome::one("strict-transport-security", value))
}

/// Expect-CT (RFC 9163), which browsers dropped when they began to demand Certificate Transparency of every certificate.
pub(super) fn expect_ct(release: Release, mut options: Options<'_>) -> Result {
    let age = format!("max-age={}", options.seconds("maxAge", 0.0, f64::floor)?);
    let enforce = options.boolean("enforce", false)?.then(|| "enforce".to_owned());
    let report = options.text("reportUri")?.map(|uri| format!("report-uri=\"{uri}\""));
    if options.part != Part::ByDefault {
        options.report.warn(
            &options.place,
            "no browser of today looks at Expect-CT: they demand Certificate Transparency of every certificate",
            "take it out; nothing replaces it",
        );
    }
    options.finish()?;
    let parts = if release == Release::V3 { [enforce, Some(age), report] } else { [Some(age), enforce, report] };
    Ok(Outcome::one("expect-ct", parts.into_iter().flatten().collect::<Vec<_>>().join(", ")))
}

/// Public-Key-Pins (RFC 7469), which browsers dropped because a lost key, or one pinned by an intruder, locks every visitor out.
pub(super) fn hpkp(mut options: Options<'_>) -> Result {
    options.refuse("maxage", "is not an option", "write `maxAge`")?;
    let Some(found) = options.get("maxAge") else {
        return Err(options.report.error(&options.place, "`maxAge` is missing", "say for how many seconds the keys are pinned"));
    };
    if found.value.as_number().is_some_and(|n| n <= 0.0) {
        return Err(options.report.error(&found.place, "`maxAge` must be more than 0", "say for how many seconds the keys are pinned"));
    }
    let max_age = options.seconds("maxAge", 0.0, f64::round)?;
    let mut pins = Vec::new();
    let Some(found) = options.get("sha256s") else {
        return Err(options.report.error(&options.place, "`sha256s` is missing", "name the hash of the key in use and of a spare one"));
    };
    let Some(list) = found.value.as_list() else {
        return Err(options.wrong_type("sha256s", &found, "a list of texts in quotes"));
    };
    for (i, item) in list.iter().enumerate() {
        let Some(text) = item.as_text() else {
            let message = format!("a pin is {}", item.described());
            return Err(options.report.error(&found.place.item(i, &item.span), message, "expected a text in quotes"));
        };
        pins.push(format!("pin-sha256=\"{text}\""));
    }
    if pins.len() < 2 {
        return Err(options.report.error(&found.place, "fewer than two pins", "name the hash of the key in use and of a spare one"));
    }
    let subdomains = options.boolean("includeSubDomains", false)? | options.boolean("includeSubdomains", false)?;
    let report = options.text("reportUri")?;
    let report_only = options.boolean("reportOnly", false)?;
    if report_only && report.is_none() {
        return Err(options.report.error(&options.place, "`reportOnly` without `reportUri`", "say where reports go to"));
    }
    options.function("setIf")?;
    options.report.warn(
        &options.place,
        "no browser of today looks at Public-Key-Pins, and one that did would lock every visitor out when a key is lost",
        "take it out; a CAA record and Certificate Transparency took its place",
    );
    options.finish()?;
    let mut value = format!("{}; max-age={max_age}", pins.join("; "));
    if subdomains {
        value += "; includeSubDomains";
    }
    if let Some(uri) = report {
        value += &format!("; report-uri=\"{uri}\"");
    }
    Ok(Outcome::one(if report_only { "public-key-pins-report-only" } else { "public-key-pins" }, value))
}
