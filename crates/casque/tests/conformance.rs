//! The recorded cases of other tools, run against ours.
//!
//! They lie in the folder that `CASQUE_VECTORS` names (default: `shared` beside the checkout), never in the repository. Without
//! it this suite says what it left out and passes. Each group prints `N of M`; what may differ stands in a table with its reason.

use std::time::Duration;

use casque::Scheme;
use casque::client_ip::{TrustedProxies, network_key, parse_hop};
use casque::clock::Micros;
use casque::cookie::{CookiePolicy, Hardened, SameSite, harden};
use casque::headers::{Channel, HeaderPolicy, Mode, Preset};
use casque::limit::{Gcra, Quota};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

#[macro_use]
mod conformance {
    #[macro_use]
    pub(crate) mod group;
    mod csp_evaluator;
}

use conformance::group::{Group, vectors};

/// Helmet as a whole, the middlewares switched on and off: what `preset = "helmet"` and `name = false` give. Options inside a
/// middleware have no counterpart in the policy file yet and are not run.
#[test]
fn helmet_defaults() {
    const HEADER_OF: [(&str, &str); 22] = [
        ("contentSecurityPolicy", "content-security-policy"),
        ("crossOriginEmbedderPolicy", "cross-origin-embedder-policy"),
        ("crossOriginOpenerPolicy", "cross-origin-opener-policy"),
        ("crossOriginResourcePolicy", "cross-origin-resource-policy"),
        ("originAgentCluster", "origin-agent-cluster"),
        ("referrerPolicy", "referrer-policy"),
        ("strictTransportSecurity", "strict-transport-security"),
        ("hsts", "strict-transport-security"),
        ("xContentTypeOptions", "x-content-type-options"),
        ("noSniff", "x-content-type-options"),
        ("xDnsPrefetchControl", "x-dns-prefetch-control"),
        ("dnsPrefetchControl", "x-dns-prefetch-control"),
        ("xDownloadOptions", "x-download-options"),
        ("ieNoOpen", "x-download-options"),
        ("xFrameOptions", "x-frame-options"),
        ("frameguard", "x-frame-options"),
        ("xPermittedCrossDomainPolicies", "x-permitted-cross-domain-policies"),
        ("permittedCrossDomainPolicies", "x-permitted-cross-domain-policies"),
        ("xPoweredBy", "x-powered-by"),
        ("hidePoweredBy", "x-powered-by"),
        ("xXssProtection", "x-xss-protection"),
        ("xssFilter", "x-xss-protection"),
    ];
    let Some(file) = vectors("headers-vectors.json") else { return };
    let mut group = Group::new("helmet 8 as a whole", &[]);
    let mut left_out = 0;
    for case in file["vectors"].as_array().unwrap() {
        let whole = case["profile"] == "helmet-8.3.0"
            && case["middleware"] == "helmet"
            && case["kind"].is_null()
            && case["expect"]["headers"].is_object();
        if !whole {
            continue;
        }
        let none = serde_json::Map::new();
        let options = case["options"].as_object().unwrap_or(&none);
        let mut builder = HeaderPolicy::builder(Preset::Helmet);
        let mut ours = true;
        for (option, value) in options {
            let header = HEADER_OF.iter().find(|(o, _)| o == option).map_or("", |(_, h)| *h);
            match (header, value.as_bool()) {
                ("", _) | (_, None) => ours = false,
                ("cross-origin-embedder-policy", Some(true)) => builder = builder.set(header, "require-corp", Mode::Fill).unwrap(),
                (_, Some(true)) => {}
                (_, Some(false)) => builder = builder.without(header).unwrap(),
            }
        }
        if !ours {
            left_out += 1;
            continue;
        }
        // The recorded response starts with this header and helmet answers over what it takes for a trustworthy connection.
        let mut headers = HeaderMap::new();
        headers.insert("x-powered-by", HeaderValue::from_static("Helmet test"));
        builder.build().apply(Channel::Https, 200, &mut headers);
        let mut sent: Vec<(String, String)> = headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        let removed = case["expect"]["removed"].as_array().is_some_and(|r| r.iter().any(|n| n == "x-powered-by"));
        let mut wanted: Vec<(String, String)> =
            case["expect"]["headers"].as_object().unwrap().iter().map(|(n, v)| (n.clone(), v.as_str().unwrap().to_owned())).collect();
        if !removed {
            wanted.push(("x-powered-by".to_owned(), "Helmet test".to_owned()));
        }
        sent.sort();
        wanted.sort();
        group.case(case["id"].as_str().unwrap(), &sent, &wanted);
    }
    say!("left out: {left_out} cases with options inside a middleware");
}

#[test]
fn set_cookie_hardening() {
    let Some(file) = vectors("sessions-vectors.json") else { return };
    let mut group = Group::new(
        "Set-Cookie hardening",
        &[
            ("hd-08", "renaming to __Host- needs its counterpart on requests, or the app would not find its cookie; not offered yet"),
            ("hd-09", "as hd-08: the policy of the case asks for the prefix"),
            ("hd-10", "as hd-08"),
        ],
    );
    for case in file["e_proposal"]["set_cookie_hardening"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let written = &case["policy"];
        let mut policy = CookiePolicy {
            same_site: site(&written["same_site"]),
            force_same_site: site(&written["force_same_site"]),
            max_age_cap: written["max_age_cap"].as_u64().map(Duration::from_secs),
            ..CookiePolicy::default()
        };
        for (name, rule) in written["cookies"].as_object().into_iter().flatten() {
            if rule["js_readable"] == true {
                policy = policy.script_readable([name]);
            }
            if rule["allow_domain"] == true {
                policy = policy.keep_domain([name]);
            }
        }
        let line = case["in"].as_str().unwrap();
        // Long values are recorded shortened: "xxx...(4098 chars)".
        let (line, shortened) = match line.split_once("...(") {
            Some((start, rest)) => (format!("{start:x<width$}", width = rest.split(' ').next().unwrap().parse().unwrap()), true),
            None => (line.to_owned(), false),
        };
        let scheme = Scheme::parse(case["external_scheme"].as_str().unwrap()).unwrap();
        let now = Duration::from_secs(case["now"].as_u64().unwrap());
        let (hardened, changes) = harden(line.as_bytes(), &policy, scheme, now);
        let out = match hardened {
            Hardened::Same => Some(line.clone()),
            Hardened::Rewritten(bytes) => Some(String::from_utf8(bytes).unwrap()),
            Hardened::Dropped => None,
        };
        let mut events: Vec<&str> = changes.names().collect();
        let mut wanted: Vec<&str> = case["events"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
        events.sort_unstable();
        wanted.sort_unstable();
        let out = if shortened { out.map(|_| String::new()) } else { out };
        let recorded = if shortened { Some(String::new()) } else { case["out"].as_str().map(str::to_owned) };
        if written["prefix"].is_null() {
            group.case(id, &(out, events), &(recorded, wanted));
        } else {
            group.case(id, &(out, vec![]), &(recorded, vec!["the prefix"]));
        }
    }
}

fn site(value: &Value) -> Option<SameSite> {
    SameSite::NAMES.iter().find(|(n, _)| value.as_str().is_some_and(|v| v.eq_ignore_ascii_case(n))).map(|(_, s)| *s)
}

#[test]
fn gcra() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("GCRA", &[]);
    for case in file["gcra"].as_array().unwrap() {
        let params = &case["params"];
        let quota = match params["perSecond"].as_u64() {
            Some(n) => Quota::per_second(n as u32).burst(params["burst"].as_u64().unwrap() as u32),
            None => Quota::new(1, Duration::from_millis(params["emissionIntervalMs"].as_u64().unwrap()))
                .burst(params["limit"].as_u64().unwrap() as u32),
        };
        let gcra = Gcra::from(quota);
        let start = 1_000_000_000;
        let mut tat = Micros(0);
        for (i, row) in case["rows"].as_array().unwrap().iter().enumerate() {
            let row = row.as_array().unwrap();
            let now = Micros(start + row[0].as_u64().unwrap() * 1000);
            let (next, d) = gcra.decide(tat, now, row[1].as_u64().unwrap() as u32);
            tat = next;
            let id = format!("{} row {i}", case["id"].as_str().unwrap());
            if row.len() == 6 {
                let retry = if d.allowed { -1 } else { d.retry_after.map_or(-1, |r| r.as_millis() as i64) };
                let ours = (u64::from(d.remaining), d.reset_after.as_millis() as u64, retry, !d.allowed);
                group.case(
                    &id,
                    &ours,
                    &(row[2].as_u64().unwrap(), row[3].as_u64().unwrap(), row[4].as_i64().unwrap(), row[5].as_bool().unwrap()),
                );
            } else {
                let ours = if d.retry_after.is_none() { "never".to_owned() } else { d.allowed.to_string() };
                let theirs = row[2].as_str().map_or_else(|| row[2].to_string(), str::to_owned);
                group.case(&id, &ours, &theirs);
            }
        }
    }
}

#[test]
fn client_addresses() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("X-Forwarded-For", &[]);
    for (i, row) in file["forwardedFor"]["rows"].as_array().unwrap().iter().enumerate() {
        let row = row.as_array().unwrap();
        let mut headers = HeaderMap::new();
        let lines = row[1].as_array().cloned().unwrap_or_else(|| vec![row[1].clone()]);
        for line in lines.iter().filter_map(Value::as_str) {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = TrustedProxies::parse(row[2].as_array().unwrap().iter().map(|t| t.as_str().unwrap())).unwrap();
        let client = trusted.identify(row[0].as_str().unwrap().parse().unwrap(), &headers).ip.to_string();
        group.case(&format!("row {i}"), &client, &row[3].as_str().unwrap().to_owned());
    }
}

#[test]
fn address_keys() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new(
        "address keys",
        &[(
            "64:ff9b::1.2.3.4 null",
            "NAT64 counts as the IPv4 address inside, or all its users would share one bucket; the data's own proposed deviation",
        )],
    );
    let keys = &file["ipKeys"];
    for row in keys["rows"].as_array().unwrap().iter().chain(keys["proposedDeviations"].as_array().unwrap()) {
        let row = row.as_array().unwrap();
        let address = row[0].as_str().unwrap();
        // `null` is that tool's default of 56, `false` is no prefix.
        let prefix = row[1].as_u64().map_or(if row[1].is_null() { 56 } else { 128 }, |p| p);
        let ours = parse_hop(address).map(|ip| network_key(ip, 32, prefix as u8)).map(|key| show(key, prefix));
        group.case(&format!("{address} {}", row[1]), &ours, &Some(row[2].as_str().unwrap().to_owned()));
    }
}

/// A key as the data writes it.
fn show(key: [u8; 16], prefix: u64) -> String {
    let v6 = std::net::Ipv6Addr::from(key);
    match v6.to_ipv4_mapped() {
        Some(v4) => v4.to_string(),
        None if prefix == 128 => {
            let groups: Vec<String> = v6.segments().iter().map(|s| format!("{s:04x}")).collect();
            groups.join(":")
        }
        None => format!("{v6}/{prefix}"),
    }
}

#[test]
fn paths_that_are_one_route() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("paths", &[]);
    for path in file["nameAndPathKeys"]["paths"]["sameRoute"].as_array().unwrap() {
        let path = path.as_str().unwrap();
        let without_query = path.split('?').next().unwrap();
        group.case(path, &casque::path::normalize(without_query).into_owned(), &"/login".to_owned());
    }
}
