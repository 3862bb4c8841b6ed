//! The middlewares whose header is one word or a few.

use super::options::{Options, Part, near_or, one_of};
use super::release::Release;
use super::value::shown;
use super::{Outcome, Result};

/// Cross-Origin-Embedder-Policy (HTML, "cross-origin embedder policies"). helmet 4 sent `require-corp` whatever it was given,
/// helmet 5 too where it ran as a part of the whole.
pub(super) fn embedder(release: Release, mut options: Options<'_>) -> Result {
    const NAME: &str = "cross-origin-embedder-policy";
    if release == Release::V4 || (release == Release::V5 && options.part != Part::Alone) {
        return fixed(&options, NAME, "require-corp");
    }
    let words: &[&str] =
        if release >= Release::V7 { &["require-corp", "credentialless", "unsafe-none"] } else { &["require-corp", "credentialless"] };
    let policy = options.choice("policy", words, "require-corp")?;
    options.finish()?;
    Ok(Outcome::one(NAME, policy))
}

/// Cross-Origin-Opener-Policy (HTML, "cross-origin opener policies").
pub(super) fn opener(release: Release, mut options: Options<'_>) -> Result {
    const WORDS: [&str; 4] = ["same-origin", "same-origin-allow-popups", "unsafe-none", "noopener-allow-popups"];
    let words = if release >= Release::V8 { &WORDS[..] } else { &WORDS[..3] };
    let policy = options.choice("policy", words, "same-origin")?;
    options.finish()?;
    Ok(Outcome::one("cross-origin-opener-policy", policy))
}

/// Cross-Origin-Resource-Policy (Fetch, 3.7).
pub(super) fn resource(mut options: Options<'_>) -> Result {
    let policy = options.choice("policy", &["same-origin", "same-site", "cross-origin"], "same-origin")?;
    options.finish()?;
    Ok(Outcome::one("cross-origin-resource-policy", policy))
}

/// Referrer-Policy: one token or a list of which browsers take the last they know (Referrer Policy 4.1, 8.1).
pub(super) fn referrer(mut options: Options<'_>) -> Result {
    const NAME: &str = "referrer-policy";
    const TOKENS: [&str; 9] = [
        "no-referrer",
        "no-referrer-when-downgrade",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
        "",
    ];
    let found = options.get("policy");
    let Some(found) = found else {
        options.finish()?;
        return Ok(Outcome::one(NAME, "no-referrer"));
    };
    let one = std::slice::from_ref(found.value);
    let (list, in_list) = match found.value.as_list() {
        Some(list) => (list, true),
        None => (one, false),
    };
    let mut tokens: Vec<&str> = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let place = if in_list { found.place.item(i, &item.span) } else { found.place.clone() };
        let Some(text) = item.as_text() else {
            let message = format!("`policy` is {}", item.described());
            return Err(options.report.error(&place, message, "expected a text in quotes, or a list of them"));
        };
        let Some(token) = TOKENS.into_iter().find(|t| *t == text) else {
            let remedy = near_or(text, TOKENS, &format!("expected {}", one_of(&TOKENS[..8])));
            return Err(options.report.error(&place, format!("{} is no referrer policy", shown(text)), remedy));
        };
        if tokens.contains(&token) {
            return Err(options.report.error(&place, format!("{} stands here twice", shown(token)), "keep one of the two"));
        }
        tokens.push(token);
    }
    if tokens.is_empty() {
        return Err(options.report.error(&found.place, "`policy` is an empty list", "name at least one policy, or leave `policy` out"));
    }
    options.finish()?;
    Ok(Outcome::one(NAME, tokens.join(",")))
}

/// X-DNS-Prefetch-Control.
pub(super) fn dns_prefetch(mut options: Options<'_>) -> Result {
    let allow = options.boolean("allow", false)?;
    options.finish()?;
    Ok(Outcome::one("x-dns-prefetch-control", if allow { "on" } else { "off" }))
}

/// X-Permitted-Cross-Domain-Policies. Adobe's `by-ftp-filename` never was among helmet's words.
pub(super) fn cross_domain(mut options: Options<'_>) -> Result {
    let policy = options.choice("permittedPolicies", &["none", "master-only", "by-content-type", "all"], "none")?;
    options.finish()?;
    Ok(Outcome::one("x-permitted-cross-domain-policies", policy))
}

/// A header that has one value and takes no options. helmet 3 says nothing about options it does not look at.
pub(super) fn fixed(options: &Options<'_>, name: &'static str, value: &'static str) -> Result {
    options.ignore_all(name);
    Ok(Outcome::one(name, value))
}

/// X-Frame-Options (RFC 7034; HTML 7.7). helmet 3 knows `ALLOW-FROM`, which no browser of today does.
pub(super) fn frameguard(release: Release, mut options: Options<'_>) -> Result {
    const NAME: &str = "x-frame-options";
    let old = release == Release::V3;
    let Some(action) = options.get("action") else {
        options.outdated("domain", "does nothing without `action` = \"allow-from\"", "take it out");
        options.finish()?;
        return Ok(Outcome::one(NAME, "SAMEORIGIN"));
    };
    let wanted = "expected \"deny\" or \"sameorigin\"";
    let Some(text) = action.value.as_text() else {
        return Err(options.wrong_type("action", &action, "\"deny\" or \"sameorigin\""));
    };
    let value = match text.to_ascii_uppercase().as_str() {
        "DENY" => "DENY".to_owned(),
        "SAMEORIGIN" | "SAME-ORIGIN" => "SAMEORIGIN".to_owned(),
        "ALLOW-FROM" | "ALLOWFROM" if old => {
            let Some(domain) = options.text("domain")? else {
                let remedy = "name the origin that may frame the site: domain = \"https://example.com\"";
                return Err(options.report.error(&action.place, "`allow-from` without a `domain`", remedy));
            };
            options.report.warn(
                &action.place,
                "no browser of today knows ALLOW-FROM: they ignore the whole header and let every site frame this one",
                "use the directive frame-ancestors of Content-Security-Policy",
            );
            format!("ALLOW-FROM {domain}")
        }
        "ALLOW-FROM" | "ALLOWFROM" => {
            let remedy = "use the directive frame-ancestors of Content-Security-Policy; helmet 3 still sends the old header";
            return Err(options.report.error(&action.place, "helmet has no `allow-from` since helmet 4, nor has any browser", remedy));
        }
        _ => return Err(options.report.error(&action.place, format!("`action` cannot be {}", shown(text)), wanted)),
    };
    if !value.starts_with("ALLOW") {
        options.outdated("domain", "does nothing without `action` = \"allow-from\"", "take it out");
    }
    options.finish()?;
    Ok(Outcome::one(NAME, value))
}

/// X-XSS-Protection: helmet 3 switches a filter on that browsers have since taken out, because it could be used to leak pages;
/// later releases switch it off.
pub(super) fn xss_filter(release: Release, mut options: Options<'_>) -> Result {
    const NAME: &str = "x-xss-protection";
    if release != Release::V3 {
        return fixed(&options, NAME, "0");
    }
    let block = match options.get("mode") {
        None => true,
        Some(mode) if mode.value.is_null() => false,
        Some(mode) if mode.value.as_text() == Some("block") => true,
        Some(mode) => {
            let message = format!("`mode` cannot be {}", mode.value.described());
            return Err(options.report.error(&mode.place, message, "expected \"block\", or null (false in TOML)"));
        }
    };
    let report = options.text("reportUri")?;
    // It was about Internet Explorer 8 and older, which got `0` otherwise.
    options.boolean("setOnOldIE", false)?;
    if options.part != Part::ByDefault {
        options.report.warn(
            &options.place,
            "no browser of today has an XSS filter; where one is left it can be turned against the page",
            "send 0 as helmet has done since 4, and a Content-Security-Policy against cross-site scripting",
        );
    }
    options.finish()?;
    let mut value = "1".to_owned();
    if block {
        value += "; mode=block";
    }
    if let Some(uri) = report {
        value += &format!("; report={uri}");
    }
    Ok(Outcome::one(NAME, value))
}

/// X-Powered-By is taken out; helmet 3 can put a made-up one in its place.
pub(super) fn powered_by(release: Release, mut options: Options<'_>) -> Result {
    const NAME: &str = "x-powered-by";
    if release != Release::V3 {
        options.ignore_all(NAME);
        return Ok(Outcome::without(NAME));
    }
    let made_up = options.text("setTo")?;
    options.finish()?;
    Ok(made_up.map_or_else(|| Outcome::without(NAME), |text| Outcome::one(NAME, text)))
}

/// noCache: four headers, three since nocache 4.
///
/// helmet 3 already told its users that it was going to lose this; the package never did.
pub(super) fn no_cache(dialect: Release, release: Release, mut options: Options<'_>) -> Result {
    if release == Release::V3 {
        options.report.warn(
            &options.place,
            "helmet 4 lost `noCache` to the package nocache",
            "casque sends its headers with every release",
        );
    }
    options.outdated("noEtag", "does nothing since nocache 2", "take it out; the app's framework has a setting for ETag");
    options.finish()?;
    let mut outcome = Outcome::default();
    let mut set = |name, value: &str| outcome.set.push((name, value.to_owned()));
    set("surrogate-control", "no-store");
    set("cache-control", "no-store, no-cache, must-revalidate, proxy-revalidate");
    if dialect != Release::NoCache4 {
        set("pragma", "no-cache");
    }
    set("expires", "0");
    Ok(outcome)
}
