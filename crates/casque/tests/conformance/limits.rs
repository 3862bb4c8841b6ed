//! Rates, keys, addresses and answers of other limiters, against `limit` and `client_ip`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use casque::client_ip::{TrustedProxies, network_key, parse_hop};
use casque::clock::Micros;
use casque::limit::compat::nginx::{Delay, LimitReq, Verdict};
use casque::limit::fields::{Told, fields};
use casque::limit::{Ask, Fields, Gcra, Limit, Limiter, Quota, Reason, Refused, Reserved, Subject, normalize_name};
use http::{HeaderMap, Response};
use serde_json::{Value, json};
use sfv::FieldType as _;
use sha2::{Digest, Sha256};

use crate::group::{Group, vectors};

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

/// The same in nginx's words: its integers to the last one, and that GCRA lets the same requests through.
#[test]
fn nginx() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("nginx limit_req", &[]);
    for case in file["nginxLimitReq"].as_array().unwrap() {
        let params = &case["params"];
        let number = |key: &str| u32::try_from(params[key].as_u64().unwrap()).unwrap();
        let delay = params["delay"].as_u64().map_or(Delay::None, |n| Delay::After(u32::try_from(n).unwrap()));
        let limit = LimitReq { rate: number("rate_in_0_001_rps"), burst: number("burst"), delay };
        let mut level = None;
        for (i, row) in case["rows"].as_array().unwrap().iter().enumerate() {
            let now = Micros(1_000_000_000 + row[0].as_u64().unwrap() * 1000);
            let (next, excess, verdict) = limit.decide(level, now);
            level = next;
            let ours = match verdict {
                Verdict::Pass => json!([row[0], "pass", excess, 0]),
                Verdict::Delay(time) => json!([row[0], "delay", excess, time.as_millis() as u64]),
                Verdict::Reject => json!([row[0], "reject", excess, 0]),
            };
            group.case(&format!("{} row {i}", case["id"].as_str().unwrap()), &ours, row);
        }
    }
}

/// The fields as structured fields: what is written with other white space is the same.
fn parsed(value: &str) -> Option<String> {
    sfv::Parser::new(value).parse::<sfv::List>().ok().and_then(|list| list.serialize())
}

#[test]
fn answers() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("rate limit fields and problems", &[]);
    let wall = Duration::from_millis(1_700_000_000_250);
    for row in file["headers"]["rows"].as_array().unwrap() {
        let source = row["source"].as_str().unwrap();
        let form = match row["format"].as_str() {
            Some("draft-6") => Fields::Draft6,
            Some("draft-7") => Fields::Draft7,
            Some("draft-8") => Fields::Draft8,
            _ => Fields::X,
        };
        if let Some(headers) = row["headers"].as_object() {
            let told = if row["policy"].is_null() { told_in(headers) } else { vec![told_of(row)] };
            let ours: Vec<(String, Option<String>)> =
                fields(form, &told, wall).into_iter().map(|(n, v)| (n.to_string(), canonical(form, &v))).collect();
            let mut theirs: Vec<(String, Option<String>)> =
                headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), canonical(form, v.as_str().unwrap()))).collect();
            let mut ours = ours;
            ours.sort();
            theirs.sort();
            group.case(source, &ours, &theirs);
        }
        for line in row["valid"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let (name, value) = line.split_once(": ").unwrap();
            // What is written there is read, told by us and read again.
            let map = json!({ name: value });
            let told = told_in(map.as_object().unwrap());
            let (_, ours) = fields(Fields::Draft8, &told, wall).into_iter().find(|(n, _)| n.as_str().eq_ignore_ascii_case(name)).unwrap();
            let excuse = if value.contains(";qu=") {
                Some("casque counts requests, which is the unit that goes without saying")
            } else if name == "RateLimit" && value.contains(";pk=") {
                Some("casque names a partition once, in the policy")
            } else {
                None
            };
            group.case_unless(excuse, line, &known_parameters(name, &ours), &known_parameters(name, value));
        }
        for (kind, problem) in row["problemJson"].as_object().into_iter().flatten() {
            let reason = match kind.as_str() {
                "429" => Reason::QuotaExceeded,
                "503" => Reason::ReducedCapacity,
                _ => Reason::AbnormalUsage,
            };
            let limits: Vec<&str> = problem["violated-policies"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
            let refused = Refused { reason, detail: "", limits: &limits, retry_after: 1, request_id: None };
            let response: Response<bytes::Bytes> = refused.response(None);
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            let ours = (response.status().as_str().to_owned(), body["type"].clone(), body["violated-policies"].clone());
            let theirs = (kind[..3].to_owned(), problem["type"].clone(), problem["violated-policies"].clone());
            group.case(&format!("{source}: {kind}"), &ours, &theirs);
        }
        if !row["rule"].is_null() {
            let ours: Vec<String> =
                fields(Fields::X, &[Told { reset: 60, ..told("x", 5, 60, 4) }], wall).into_iter().map(|(n, _)| n.to_string()).collect();
            let theirs: Vec<String> =
                row["rule"].as_object().unwrap().keys().filter(|k| k.starts_with('X')).map(|k| k.to_ascii_lowercase()).collect();
            group.case(source, &sorted(ours), &sorted(theirs));
            let (_, reset) = fields(Fields::X, &[Told { reset: 60, ..told("x", 5, 60, 4) }], wall).remove(2);
            group.case("X-RateLimit-Reset is rounded up", &reset, &"1700000061".to_owned());
        }
    }
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list
}

fn canonical(form: Fields, value: &str) -> Option<String> {
    // Only draft 8 is one of structured fields.
    if form == Fields::Draft8 { parsed(value) } else { Some(value.to_owned()) }
}

fn told(name: &str, quota: u64, window: u64, remaining: u64) -> Told {
    Told { name: name.to_owned(), quota, window, partition: None, remaining, reset: 0 }
}

fn told_of(row: &Value) -> Told {
    let number = |value: &Value| value.as_u64().unwrap();
    let policy = &row["policy"];
    // There, a partition is named by the first 12 hex digits of its key's SHA-256; in the policy only.
    let partition = policy["pkOf"].as_str().map(|key| {
        let hex: String = Sha256::digest(key.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        hex.as_bytes()[..12].to_vec()
    });
    Told {
        reset: number(&row["resetSec"]),
        partition,
        ..told(policy["name"].as_str().unwrap_or(""), number(&policy["q"]), number(&policy["w"]), number(&row["remaining"]))
    }
}

/// What fields of draft 8 tell, by name.
fn told_in(headers: &serde_json::Map<String, Value>) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for value in headers.values() {
        let list: sfv::List = sfv::Parser::new(value.as_str().unwrap()).parse().unwrap();
        for entry in &list {
            let sfv::ListEntry::Item(item) = entry else { panic!("an inner list") };
            let name = item.bare_item.as_string().unwrap().as_str().to_owned();
            let index = all.iter().position(|t| t.name == name).unwrap_or_else(|| {
                all.push(told(&name, 0, 0, 0));
                all.len() - 1
            });
            let told = &mut all[index];
            for (key, value) in &item.params {
                let number = value.as_integer().map(|n| u64::try_from(n).unwrap()).unwrap_or(0);
                match key.as_str() {
                    "q" => told.quota = number,
                    "w" => told.window = number,
                    "r" => told.remaining = number,
                    "t" => told.reset = number,
                    "pk" => told.partition = value.as_byte_sequence().map(<[u8]>::to_vec),
                    _ => {}
                }
            }
        }
    }
    all
}

/// Names and parameters, without those of a field that has none of them to tell.
fn known_parameters(field: &str, value: &str) -> Vec<String> {
    let list: sfv::List = sfv::Parser::new(value).parse().unwrap();
    let needless = if field == "RateLimit" { "t" } else { "" };
    list.iter()
        .map(|entry| {
            let sfv::ListEntry::Item(item) = entry else { panic!("an inner list") };
            let mut told: Vec<String> = item
                .params
                .iter()
                // A reset that is not told and one of no time say the same.
                .filter(|(k, v)| k.as_str() != needless || v.as_integer() != Some(sfv::Integer::from(0)))
                .map(|(k, v)| format!("{}={v:?}", k.as_str()))
                .collect();
            told.sort();
            format!("{:?} {told:?}", item.bare_item.as_string().map(sfv::StringRef::as_str))
        })
        .collect()
}

/// The recipe that everybody copies lets as many passwords be tried as there are requests; reserved before and settled after,
/// as many as the limit says.
#[test]
fn attempts_at_once() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("attempts at once", &[]);
    let recorded = &file["loginRecipeRace"]["reserveThenRefund"];
    let limiter: Limiter = Limiter::new(Arc::default());
    let wrong = Limit::new("wrong passwords", Quota::per_hour(10).strict());
    let asks = [Ask::new(&wrong, Subject::of(["alice"]))];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let checked = runtime.block_on(async {
        let mut open = Vec::new();
        for _ in 0..recorded["parallel"].as_u64().unwrap() {
            if let Reserved::Yes(reservation) = limiter.reserve(&asks).await.unwrap() {
                open.push(reservation);
            }
        }
        open.len() as u64
    });
    group.case("passwords checked", &checked, &recorded["passwordsChecked"].as_u64().unwrap());
}

#[test]
fn account_names() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("account names", &[]);
    for row in file["nameAndPathKeys"]["rows"].as_array().unwrap() {
        let account = row["account"].as_str().unwrap();
        for spelling in row["sameBucket"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()) {
            group.case(&format!("{spelling:?}"), &normalize_name(spelling), &normalize_name(account));
        }
    }
}
