//! The recorded answers of the MDN HTTP Observatory, run against profile `mdn`.
//!
//! They lie in the folder that `CASQUE_VECTORS` names (default: `shared` beside the checkout), never in the repository. Without
//! it this suite says what it left out and passes. Each group prints `N of M`; what may differ stands in [`KNOWN`] with its reason.

use std::io::Write as _;
use std::path::PathBuf;

use casque_scan::mdn::{self, Detail, Policy, PolicyError, Preload, ScanError, Site, SiteError, TestResult};
use casque_scan::{Capture, Exchange, Hop, JarCookie};
use serde_json::{Map, Value, json};
use url::Url;

/// Cases that differ, with the reason.
const KNOWN: [(&str, &str); 0] = [];

/// Prints past the test harness's capture: what was run and what was left out is to be seen on every run.
macro_rules! say {
    ($($arg:tt)*) => {
        _ = writeln!(std::io::stdout(), $($arg)*)
    };
}

fn vectors() -> Option<Value> {
    let root =
        std::env::var_os("CASQUE_VECTORS").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let name = "observatory-vectors.json";
    let Ok(text) = std::fs::read_to_string(root.join("vectors").join(name)) else {
        say!("left out: {name} is not there (set CASQUE_VECTORS to the folder that holds vectors/)");
        return None;
    };
    Some(serde_json::from_str(&text).expect("the vectors are JSON"))
}

/// Counts a group's cases; a case that differs must stand in [`KNOWN`], and one that stands there must differ.
struct Group {
    name: String,
    passed: usize,
    total: usize,
    wrong: Vec<String>,
}

impl Group {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), passed: 0, total: 0, wrong: Vec::new() }
    }

    fn case(&mut self, id: &str, ours: &Value, theirs: &Value) {
        self.total += 1;
        let known = KNOWN.iter().find(|(known, _)| *known == id);
        match (same(ours, theirs), known) {
            (true, None) => self.passed += 1,
            (true, Some(_)) => self.wrong.push(format!("{id}: listed as different, but it matches")),
            (false, Some((_, reason))) => say!("  {id} differs: {reason}"),
            (false, None) => self.wrong.push(format!("{id}:\n  ours     {ours}\n  recorded {theirs}")),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        say!("{}: {} of {}", self.name, self.passed, self.total);
        if !std::thread::panicking() {
            assert!(self.total > 0, "{} ran no case", self.name);
            assert!(self.wrong.is_empty(), "{}:\n{}", self.name, self.wrong.join("\n"));
        }
    }
}

/// Equality of what JSON means: a number is a number, whole or not.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|b| same(v, b))),
        _ => ours == theirs,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The Observatory's preload list while it was recorded.
fn preload(file: &Value) -> Preload {
    let hosts = file["hsts_preload"].as_object().expect("entries").iter().filter(|(_, e)| e["mode"] == "force-https");
    Preload::of_hosts(hosts.map(|(name, e)| (name.clone(), e["includeSubDomains"].as_bool().expect("a flag"))))
}

fn headers(of: &Value) -> Vec<(String, String)> {
    let lines = |v: &Value| match v {
        Value::Array(lines) => lines.clone(),
        line => vec![line.clone()],
    };
    let named = |(name, value)| lines(value).into_iter().map(move |line| (String::clone(name), text(&line).to_owned()));
    of.as_object().into_iter().flatten().flat_map(named).collect()
}

/// A recorded response; what was read from `<meta>` becomes a page that says it.
fn exchange(recorded: &Value, url: &str, html: Option<&str>) -> Option<Exchange> {
    if !recorded.is_object() {
        return None;
    }
    let metas = |name: &str| recorded["http_equiv"][name].as_array().cloned().unwrap_or_default();
    let escaped = |v: &Value| text(v).replace('&', "&amp;").replace('"', "&quot;");
    let mut body = html.unwrap_or_default().to_owned();
    for policy in metas("content-security-policy") {
        body.push_str(&format!("<meta http-equiv=\"content-security-policy\" content=\"{}\">", escaped(&policy)));
    }
    for policy in metas("referrer-policy") {
        body.push_str(&format!("<meta name=\"referrer\" content=\"{}\">", escaped(&policy)));
    }
    Some(Exchange {
        url: url.to_owned(),
        request_headers: headers(&recorded["request_headers"]),
        status: u16::try_from(recorded["status"].as_u64().unwrap_or(200)).expect("a status"),
        headers: headers(&recorded["headers"]),
        body: body.into_bytes(),
        verified: recorded["verified"] == true,
        ..Exchange::default()
    })
}

fn hops(recorded: &Value) -> Vec<Hop> {
    let hop = |h: &Value| {
        let (url, status) = if h.is_array() { (&h[0], &h[1]) } else { (&h["url"], &h["status"]) };
        Hop { url: text(url).to_owned(), status: u16::try_from(status.as_u64().expect("a status")).expect("a status") }
    };
    recorded.as_array().into_iter().flatten().map(hop).collect()
}

fn jar(lines: &Value, site: &str) -> Vec<JarCookie> {
    let from = Url::parse(&format!("https://{site}/")).expect("a site");
    let mut jar = Vec::new();
    for line in lines.as_array().into_iter().flatten() {
        if let Some(cookie) = JarCookie::from_set_cookie(text(line), &from) {
            cookie.keep(&mut jar);
        }
    }
    jar
}

/// The site that a case of one test describes.
fn capture(input: &Value) -> Capture {
    let host = text(&input["site"]).to_owned();
    let scheme = input["scheme"].as_str().unwrap_or("https");
    let url = format!("{scheme}://{host}/");
    let page = if input["page"].is_object() { &input["page"] } else { &input["https"] };
    let mut page = exchange(page, &url, input["html"].as_str());
    if let (Some(page), Some(lines)) = (&mut page, input["set_cookie"].as_array()) {
        page.headers.extend(lines.iter().map(|line| ("set-cookie".to_owned(), text(line).to_owned())));
    }
    let redirects = hops(&input["redirects"]);
    let end = redirects.last().map_or("https://mozilla.org/", |hop| &hop.url);
    let (https, http) = if scheme == "http" { (None, page) } else { (page, exchange(&input["http_response"], end, None)) };
    let preflight = exchange(&input["preflight"], &url, None);
    let cookies = input["jar"].as_array().map_or_else(|| jar(&input["set_cookie"], &host), |jar| jar.iter().map(kept).collect());
    Capture { host, https, http, redirects, preflight, cookies, ..Capture::default() }
}

/// A cookie of the recorded jar.
fn kept(recorded: &Value) -> JarCookie {
    JarCookie {
        name: text(&recorded["name"]).to_owned(),
        domain: text(&recorded["domain"]).to_owned(),
        path: text(&recorded["path"]).to_owned(),
        secure: recorded["secure"] == true,
        http_only: recorded["http_only"] == true,
        same_site: recorded["same_site"].as_str().map(str::to_owned),
    }
}

/// What a test read, in the recording's form.
fn detail(test: &TestResult) -> Value {
    match &test.detail {
        Detail::Csp(d) => {
            let policy = d.policy.map(|p| {
                json!({
                    "antiClickjacking": p.anti_clickjacking, "defaultNone": p.default_none, "insecureBaseUri": p.insecure_base_uri,
                    "insecureFormAction": p.insecure_form_action, "insecureSchemeActive": p.insecure_scheme_active,
                    "insecureSchemePassive": p.insecure_scheme_passive, "strictDynamic": p.strict_dynamic, "unsafeEval": p.unsafe_eval,
                    "unsafeInline": p.unsafe_inline, "unsafeInlineStyle": p.unsafe_inline_style, "unsafeObjects": p.unsafe_objects,
                })
            });
            json!({ "data": d.data, "http": d.http, "meta": d.meta, "policy": policy, "numPolicies": d.num_policies })
        }
        Detail::Cookies(d) => {
            let cookies: Map<String, Value> = d.cookies.iter().map(|(name, c)| (name.clone(), cookie(c))).collect();
            json!({ "data": (!cookies.is_empty()).then_some(cookies), "sameSite": d.same_site })
        }
        Detail::Header(d) => match test.test {
            "x-frame-options" | "x-content-type-options" | "cross-origin-resource-sharing" => json!({ "data": d.data }),
            "cross-origin-embedder-policy" | "cross-origin-opener-policy" => json!({ "data": d.data, "http": d.http }),
            _ => json!({ "data": d.data, "http": d.http, "meta": d.meta }),
        },
        Detail::Redirection(d) => {
            json!({ "destination": d.destination, "redirects": d.redirects, "route": d.route, "statusCode": d.status_code })
        }
        Detail::Hsts(d) => json!({
            "data": d.data, "includeSubDomains": d.include_sub_domains, "maxAge": d.max_age, "preload": d.preload,
            "preloaded": d.preloaded,
        }),
        Detail::Scripts(scripts) => {
            let script = |s: &mdn::ExternalScript| json!({ "crossorigin": s.crossorigin, "integrity": s.integrity });
            json!({ "data": scripts.iter().map(|(src, s)| (src.clone(), script(s))).collect::<Map<String, Value>>() })
        }
    }
}

/// A cookie as the recording has it: flags only where they are set, and a port that is never known.
fn cookie(c: &JarCookie) -> Value {
    let mut shown = json!({ "domain": c.domain, "path": c.path, "port": null });
    if c.secure {
        shown["secure"] = json!(true);
    }
    if c.http_only {
        shown["httponly"] = json!(true);
    }
    if let Some(same_site) = &c.same_site {
        shown["samesite"] = json!(same_site);
    }
    shown
}

#[test]
fn single_tests() {
    let Some(file) = vectors() else { return };
    let preload = preload(&file);
    let mut groups: Vec<Group> = Vec::new();
    for case in file["analyzer_vectors"].as_array().expect("cases") {
        let name = text(&case["test"]);
        let capture = capture(&case["input"]);
        let analysis = mdn::analyse(&capture, &preload);
        let test = analysis.tests.iter().find(|t| t.test == name).expect("a test of that name");
        let mut detail = detail(test);
        let mut expect = case["expect"].clone();
        if name == "redirection" && capture.redirects.is_empty() {
            // Without a way there is no end; what was recorded is an address of the recorder's own.
            detail["destination"] = Value::Null;
            expect["detail"]["destination"] = Value::Null;
        }
        let ours = json!({ "result": test.result, "pass": test.pass, "modifier": test.modifier, "detail": detail });
        if !groups.iter().any(|g| g.name == name) {
            groups.push(Group::new(name));
        }
        if let Some(group) = groups.iter_mut().find(|g| g.name == name) {
            group.case(text(&case["id"]), &ours, &expect);
        }
    }
}

#[test]
fn cookie_jars() {
    let Some(file) = vectors() else { return };
    let mut group = Group::new("cookie jars");
    for case in file["analyzer_vectors"].as_array().expect("cases").iter().filter(|c| c["input"]["jar"].is_array()) {
        let shown = |c: &JarCookie| {
            json!({
                "name": c.name, "domain": c.domain, "path": c.path, "secure": c.secure, "http_only": c.http_only,
                "same_site": c.same_site,
            })
        };
        let ours: Value = jar(&case["input"]["set_cookie"], text(&case["input"]["site"])).iter().map(shown).collect();
        group.case(&format!("{} (jar)", text(&case["id"])), &ours, &case["input"]["jar"]);
    }
}

#[test]
fn whole_scans() {
    let Some(file) = vectors() else { return };
    let preload = preload(&file);
    let mut group = Group::new("whole scans");
    for case in file["scan_vectors"].as_array().expect("cases") {
        let input = &case["input"];
        let host = text(&input["site"]).to_owned();
        let mut recorded = json!({ "headers": { "content-type": "text/html" }, "verified": true, "status": input["status"] });
        for (name, value) in input["headers"].as_object().into_iter().flatten() {
            recorded["headers"][name] = value.clone();
        }
        let redirects = hops(&input["http_redirects"]);
        let end = redirects.last().map_or("https://mozilla.org/", |hop| &hop.url).to_owned();
        let html = input["html"].as_str();
        let https = (input["https"] == true).then(|| exchange(&recorded, &format!("https://{host}/"), html)).flatten();
        let http = exchange(&recorded, &end, html);
        // The recording's cookies are those of its own site, whichever is scanned.
        let cookies = jar(&input["cookies"], "mozilla.org");
        let capture = Capture { host, https, http, redirects, cookies, ..Capture::default() };
        let ours = match mdn::grade(&capture, &preload) {
            Err(ScanError::Status(status)) => json!({ "error": format!("Site did respond with an unexpected HTTP status code {status}.") }),
            Err(ScanError::NoAnswer) => json!({ "error": "The site seems to be down." }),
            Ok(report) => {
                let passed = report.findings.iter().filter(|f| f.pass).count();
                let result = |f: &casque_scan::Finding| (f.test.clone(), json!({ "result": f.id, "pass": f.pass, "modifier": f.modifier }));
                let results: Map<String, Value> = report.findings.iter().map(result).collect();
                json!({
                    "grade": report.grade.to_string(), "score": report.score, "tests_passed": passed,
                    "tests_failed": report.findings.len() - passed, "tests_quantity": report.findings.len(), "results": results,
                })
            }
        };
        group.case(text(&case["name"]), &ours, &case["expect"]);
    }
}

#[test]
fn policies() {
    let Some(file) = vectors() else { return };
    let mut group = Group::new("policies");
    for case in file["csp_parser_vectors"].as_array().expect("cases") {
        let policies: Vec<&str> = case["policies"].as_array().expect("policies").iter().map(text).collect();
        let ours = match Policy::parse(policies.iter().copied()) {
            Ok(policy) => {
                let mut map = json!(policy.directives);
                if !policy.repeated.is_empty() {
                    map["_observatory_duplicate_key_warnings"] = json!(policy.repeated);
                }
                json!({ "map": map })
            }
            Err(PolicyError::TooShort(text)) => json!({ "error": format!("Invalid policy: {text}") }),
            Err(PolicyError::Repeated { directive, policy }) => {
                json!({ "error": format!("Duplicate directive {directive} in policy {policy}") })
            }
            Err(PolicyError::TooLong) => json!({ "error": "too long" }),
        };
        group.case(&format!("policies {policies:?}"), &ours, &case["expect"]);
    }
}

#[test]
fn site_strings() {
    let Some(file) = vectors() else { return };
    let mut group = Group::new("site strings");
    for case in file["site_string_vectors"].as_array().expect("cases") {
        let input = text(&case["input"]);
        let problem = |what: &str, why: &str| json!({ "error": format!("{what} is invalid: {why}") });
        let ours = match Site::parse(input) {
            Ok(site) => json!({ "hostname": site.hostname, "port": site.port, "path": site.path }),
            Err(SiteError::Unreadable(input)) => problem(&input, "invalid site string"),
            Err(SiteError::Hostname(host)) => problem(&host, "hostname must have at least a host and TLD (e.g., site.com)"),
            Err(SiteError::TooLong(_)) => problem(input, "hostname is too long"),
        };
        group.case(&format!("site {input:?}"), &ours, &case["expect"]);
    }
}

#[test]
fn meta_elements() {
    let Some(file) = vectors() else { return };
    let mut group = Group::new("meta elements");
    for case in file["meta_vectors"].as_array().expect("cases") {
        let (policies, referrer) = mdn::http_equiv(text(&case["html"]).as_bytes());
        let mut ours = json!({ "content-security-policy": policies });
        if let Some(referrer) = referrer {
            ours["referrer-policy"] = json!([referrer]);
        }
        group.case(text(&case["name"]), &ours, &case["expect"]);
    }
}
