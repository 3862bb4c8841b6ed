//! What helmet and the packages around it send, recorded by running them, against `headers::helmet`.
//!
//! Every case is written down twice, as JSON and as TOML, and read again from both. The cases turn on what JavaScript can hold:
//! what neither can is counted apart, and what differs by a rule stands in [`DIFFERENT`].

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use casque::headers::helmet::{Kind, Outcome, Problem, Release, Severity, Value, headers, middleware};
use casque::headers::{Channel, HeaderPolicy, Preset};
use http::{HeaderMap, HeaderValue};

use crate::group::{Group, vectors_text};

/// The recorded packages.
const PROFILES: [(&str, Release); 15] = [
    ("helmet-3.23.3", Release::V3),
    ("helmet-4.6.0", Release::V4),
    ("helmet-5.1.1", Release::V5),
    ("helmet-6.2.0", Release::V6),
    ("helmet-7.2.0", Release::V7),
    ("helmet-8.3.0", Release::V8),
    ("helmet-csp-2.10.0", Release::HelmetCsp2),
    ("hpkp-2.0.0", Release::Hpkp),
    ("hpkp-3.0.0", Release::Hpkp),
    ("nocache-2.1.0", Release::NoCache2),
    ("nocache-4.0.0", Release::NoCache4),
    ("expect-ct-1.0.0", Release::ExpectCt1),
    ("feature-policy-0.3.0", Release::FeaturePolicy3),
    ("feature-policy-0.6.0", Release::FeaturePolicy6),
    ("permissions-policy-0.6.0", Release::PermissionsPolicy),
];

type Rule = fn(&Case<'_>) -> bool;

/// Where ours may differ: the rule, whether it is the case's, and why.
const DIFFERENT: [(&str, Rule, &str); 5] = [
    ("a function that throws", |c| c.markers.iter().any(|m| m == "fn throws"), "needs JavaScript at run time"),
    (
        "a function that looks at the request",
        |c| c.markers.iter().any(|m| m == "fnHeaderEquals"),
        "needs JavaScript at run time; routes of the policy file choose by request",
    ),
    (
        "a key that is there and undefined",
        |c| c.markers.iter().any(|m| m == "undefined") && c.recorded.is_none(),
        "a key in JSON or TOML is there with a value, or it is not there",
    ),
    (
        "headers chosen by the browser's name",
        |c| c.sniffs && c.recorded.is_some(),
        "casque sends what browsers of today know to all: a response that depends on User-Agent cannot be cached, and the browsers that got another header are gone",
    ),
    (
        "a number from 1e21 on",
        |c| c.recorded.as_ref().is_some_and(|r| r.set.values().any(|v| v.contains("max-age=1e+"))),
        "JavaScript writes it with an exponent, which makes the header invalid",
    ),
];

/// Headers as a response has them in the end.
#[derive(Debug, Clone, PartialEq, Default)]
struct Sent {
    set: BTreeMap<String, String>,
    removed: Vec<String>,
}

struct Case<'v> {
    id: &'v str,
    release: Release,
    middleware: &'v str,
    /// As JSON and TOML can hold them; nothing for a call without options.
    options: Option<Value>,
    /// The response's headers before.
    before: Vec<String>,
    /// What the options hold beyond JSON, by name.
    markers: Vec<String>,
    /// A function that always says no, where it is asked whether to send the header at all.
    off: bool,
    sniffs: bool,
    /// The headers, or nothing for an error.
    recorded: Option<Sent>,
    warned: bool,
}

fn get<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match &value.kind {
        Kind::Map(map) => map.iter().find(|(k, _)| k.name == key).map(|(_, v)| v),
        _ => None,
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    match &get(value, key)?.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let map: &[_] = match value.map(|v| &v.kind) {
        Some(Kind::Map(map)) => map,
        _ => &[],
    };
    map.iter().map(|(k, v)| (k.name.as_str(), v))
}

fn is(value: Option<&Value>, wanted: bool) -> bool {
    value.is_some_and(|v| v.kind == Kind::Bool(wanted))
}

impl<'v> Case<'v> {
    /// The case, or the name of what neither JSON nor TOML can hold.
    fn read(case: &'v Value, of_type: bool) -> Result<Self, String> {
        let (id, profile) = (text(case, "id").unwrap(), text(case, "profile").unwrap());
        let middleware = text(case, "middleware").unwrap();
        let release = PROFILES.iter().find(|(p, _)| *p == profile).unwrap_or_else(|| panic!("{id}: unknown profile")).1;
        let mut decoder = Decoder { of_type, ..Decoder::default() };
        let options = get(case, "options").map(|o| decoder.decode(o)).transpose()?.flatten();
        let expect = get(case, "expect").unwrap();
        let recorded = get(expect, "headers").filter(|_| get(expect, "error").is_none()).map(|headers| {
            let set = entries(Some(headers)).map(|(n, v)| (n.to_owned(), scalar(v))).collect();
            let removed = match get(expect, "removed").map(|r| &r.kind) {
                Some(Kind::List(names)) => names.iter().map(scalar).collect(),
                _ => Vec::new(),
            };
            Sent { set, removed }
        });
        let before = get(case, "before")
            .map_or_else(|| vec!["x-powered-by".to_owned()], |b| entries(Some(b)).map(|(n, _)| n.to_ascii_lowercase()).collect());
        let csp = if middleware == "helmet" { options.as_ref().and_then(|o| get(o, "contentSecurityPolicy")) } else { options.as_ref() };
        let by_name = csp.is_some_and(|o| !is(get(o, "browserSniff"), false) && !is(get(o, "setAllHeaders"), true));
        let sniffs = match (release, middleware) {
            (Release::HelmetCsp2, _) => by_name,
            (Release::V3, "helmet" | "contentSecurityPolicy") => by_name,
            (Release::V3, "xssFilter") => get(case, "request").is_some(),
            _ => false,
        };
        let warned = get(expect, "warnings").is_some();
        let (markers, off) = (decoder.markers, decoder.off);
        Ok(Self { id, release, middleware, options, before, markers, off, sniffs, recorded, warned })
    }

    /// What ours makes of options that were read from a text.
    fn run(&self, options: Option<&Value>) -> (Option<Sent>, bool) {
        let none = Value { kind: Kind::Map(Vec::new()), span: 0..0 };
        let (outcome, problems) = match self.middleware {
            "helmet" => headers(self.release, options.unwrap_or(&none)),
            name => middleware(self.release, name, options),
        };
        let warned = problems.iter().any(|p| p.severity == Severity::Warning);
        (self.sent(&outcome, &problems), warned)
    }

    fn sent(&self, outcome: &Outcome, problems: &[Problem]) -> Option<Sent> {
        if problems.iter().any(|p| p.severity == Severity::Error) {
            return None;
        }
        if self.off {
            return Some(Sent::default());
        }
        let set = outcome.set.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        let removed = outcome.remove.iter().filter(|n| self.before.iter().any(|b| b == *n)).map(|n| (*n).to_owned()).collect();
        Some(Sent { set, removed })
    }
}

fn scalar(value: &Value) -> String {
    match &value.kind {
        Kind::Text(text) => text.clone(),
        Kind::Number(n) => n.to_string(),
        other => panic!("{other:?} for a header"),
    }
}

/// Turns recorded options into what JSON and TOML can hold.
#[derive(Default)]
struct Decoder {
    of_type: bool,
    markers: Vec<String>,
    off: bool,
}

impl Decoder {
    /// `None` for what is as good as not written.
    fn decode(&mut self, value: &Value) -> Result<Option<Value>, String> {
        let made = |kind| Ok(Some(Value { kind, span: 0..0 }));
        let map = match &value.kind {
            Kind::Map(map) => map,
            Kind::List(list) => {
                let mut out = Vec::new();
                for item in list {
                    out.push(self.decode(item)?.ok_or("undefined in a list")?);
                }
                return made(Kind::List(out));
            }
            other => return made(other.clone()),
        };
        let Some(marker) = text(value, "$js") else {
            let mut out = Vec::new();
            for (key, value) in map {
                if key.name == "setIf" && text(value, "$js") == Some("fn") && !self.of_type {
                    self.off |= is(get(value, "returns"), false);
                    continue;
                }
                if let Some(value) = self.decode(value)? {
                    out.push((key.clone(), value));
                }
            }
            return made(Kind::Map(out));
        };
        self.markers.push(if marker == "fn" && get(value, "throws").is_some() { "fn throws".to_owned() } else { marker.to_owned() });
        match marker {
            "NaN" => made(Kind::Number(f64::NAN)),
            "Infinity" => made(Kind::Number(f64::INFINITY)),
            "-Infinity" => made(Kind::Number(f64::NEG_INFINITY)),
            "-0" => made(Kind::Number(-0.0)),
            "dangerouslyDisableDefaultSrc" => made(Kind::Text("dangerouslyDisableDefaultSrc".to_owned())),
            // The case turns on the type that JSON cannot hold.
            other if self.of_type => Err(other.to_owned()),
            "undefined" => Ok(None),
            "nullProto" => get(value, "props").map_or_else(|| made(Kind::Map(Vec::new())), |p| self.decode(p)),
            "Set" => self.decode(get(value, "values").ok_or("a Set without values")?),
            "emptyIterable" => made(Kind::List(Vec::new())),
            // What a function always says is as good as what is written.
            "fn" => get(value, "returns").map_or_else(|| made(Kind::Text("thrown".to_owned())), |r| self.decode(r)),
            "fnHeaderEquals" => Ok(None),
            other => Err(other.to_owned()),
        }
    }
}

/// As JSON, or nothing if it cannot hold the value.
fn json(value: &Value) -> Option<String> {
    Some(match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) if n.is_finite() => format!("{n:?}"),
        Kind::Text(text) => serde_json::to_string(text).unwrap(),
        Kind::List(list) => format!("[{}]", list.iter().map(json).collect::<Option<Vec<_>>>()?.join(", ")),
        Kind::Map(map) => {
            let entries = map.iter().map(|(k, v)| Some(format!("{}: {}", serde_json::to_string(&k.name).unwrap(), json(v)?)));
            format!("{{{}}}", entries.collect::<Option<Vec<_>>>()?.join(", "))
        }
        Kind::Number(_) | Kind::Off | Kind::Date => return None,
    })
}

/// As TOML, with `false` for `null`.
fn toml(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "false".to_owned(),
        Kind::Number(n) if n.is_infinite() => if *n > 0.0 { "inf" } else { "-inf" }.to_owned(),
        Kind::Number(n) if n.is_nan() => "nan".to_owned(),
        Kind::List(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Kind::Map(map) => {
            let entries = map.iter().map(|(k, v)| format!("{} = {}", serde_json::to_string(&k.name).unwrap(), toml(v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        _ => json(value).unwrap(),
    }
}

fn read_toml(value: &Value) -> Value {
    let text = format!("a = {}", toml(value));
    let table = toml::de::DeTable::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    Value::from_toml(&table.get_ref()["a"])
}

fn holds(value: &Value, found: &dyn Fn(&Kind) -> bool) -> bool {
    found(&value.kind)
        || match &value.kind {
            Kind::List(list) => list.iter().any(|v| holds(v, found)),
            Kind::Map(map) => map.iter().any(|(_, v)| holds(v, found)),
            _ => false,
        }
}

fn cases(file: &Value) -> &[Value] {
    match &get(file, "vectors").unwrap().kind {
        Kind::List(list) => list,
        _ => panic!("no list of vectors"),
    }
}

fn file() -> Option<Value> {
    Some(Value::from_json(&vectors_text("headers-vectors.json")?).expect("the vectors are JSON"))
}

/// What options mean: the headers to the byte, what is removed, what is an error, and that what helmet warns of is warned of.
#[test]
fn values() {
    let Some(file) = file() else { return };
    let mut groups: BTreeMap<Release, Group> = BTreeMap::new();
    let mut different: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let of_value = cases(&file).iter().filter(|c| get(c, "kind").is_none());
    for case in of_value {
        let case = match Case::read(case, false) {
            Ok(case) => case,
            Err(what) => {
                say!("left out: {}, which turns on a {what}, and neither JSON nor TOML has one", text(case, "id").unwrap());
                continue;
            }
        };
        let from_json = case.options.as_ref().map(|o| Value::from_json(&json(o).unwrap()).unwrap());
        let from_toml = case.options.as_ref().map(read_toml);
        let (ours, warned) = case.run(from_json.as_ref());
        let (ours_toml, _) = case.run(from_toml.as_ref());
        let group = groups.entry(case.release).or_insert_with(|| Group::new(case.release.name(), &[]));
        // Sniffing may cost a header or add one; that our reading is none at all, or an error, it does not excuse.
        let rule = DIFFERENT.iter().find(|(_, applies, _)| applies(&case)).filter(|_| ours != case.recorded);
        if let Some((name, _, reason)) = rule.filter(|_| !case.sniffs || ours.is_some()) {
            group.differs();
            different.entry((*name, *reason)).or_default().push(case.id);
            continue;
        }
        // Dead headers warn where helmet was silent; helmet 8 has none, so there both warn of the same.
        let warns = if case.release == Release::V8 { warned } else { warned || !case.warned };
        let wanted = case.recorded.is_some().then_some(if case.release == Release::V8 { case.warned } else { true });
        let ours = (ours.clone(), ours_toml, ours.is_some().then_some(warns));
        group.case(case.id, &ours, &(case.recorded.clone(), case.recorded.clone(), wanted));
    }
    for ((name, reason), ids) in different {
        say!("  {} differ, {name} ({reason}): {}", ids.len(), ids.join(", "));
    }
}

/// What turns on JavaScript's types: wherever such options can be written down, they are an error.
#[test]
fn types() {
    let Some(file) = file() else { return };
    let mut as_json = Group::new("helmet: type mistakes in JSON", &[]);
    let mut as_toml = Group::new("helmet: type mistakes in TOML", &[]);
    let (mut nowhere, mut not_in_json, mut not_in_toml) = (0, 0, 0);
    for case in cases(&file).iter().filter(|c| get(c, "kind").is_some()) {
        let Ok(case) = Case::read(case, true) else {
            nowhere += 1;
            continue;
        };
        let options = case.options.as_ref().expect("a type needs a value");
        match json(options) {
            Some(text) => as_json.case(case.id, &case.run(Some(&Value::from_json(&text).unwrap())).0, &None),
            None => not_in_json += 1,
        }
        // TOML's `false` is `null` too, which is no mistake in the directives of helmet 4 and later.
        let taken_out = case.middleware == "contentSecurityPolicy" && case.release != Release::HelmetCsp2;
        let holds_null = holds(options, &|k| *k == Kind::Null);
        if holds_null || (taken_out && holds(options, &|k| *k == Kind::Bool(false))) {
            not_in_toml += 1;
        } else {
            as_toml.case(case.id, &case.run(Some(&read_toml(options))).0, &None);
        }
    }
    say!(
        "left out: {nowhere} type mistakes that neither JSON nor TOML can hold, {not_in_json} besides that JSON cannot, {not_in_toml} that TOML cannot"
    );
}

/// The preset is helmet 8's default, and what its options give is what the preset gives.
#[test]
fn preset() {
    let mut headers_of_preset = HeaderMap::new();
    headers_of_preset.insert("x-powered-by", HeaderValue::from_static("Express"));
    HeaderPolicy::preset(Preset::Helmet).apply(Channel::Https, 200, &mut headers_of_preset);
    let preset: BTreeMap<String, String> = headers_of_preset.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    let (outcome, problems) = headers(Release::V8, &Value::from_json("{}").unwrap());
    assert!(problems.is_empty());
    assert_eq!(preset, outcome.set.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect());
    assert_eq!(outcome.remove, ["x-powered-by"]);
}
