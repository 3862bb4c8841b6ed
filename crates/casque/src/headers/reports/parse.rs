//! From a body to reports.

use serde_json::{Map, Value};

use super::fields::{body as read_body, entry};
use super::kind::Kind;
use super::refusal::Refusal;
use super::report::Report;
use super::scan::scan;

/// How much one body may hold. The length of each text is bounded besides, where it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of body. Default 64 KiB.
    pub body: usize,
    /// Reports in a body; those beyond are dropped. Default 50.
    pub reports: usize,
    /// Brackets within brackets. Default 8; the deepest known body (`network-error` with header lists) has 5.
    pub depth: usize,
    /// Values in all: texts, numbers, lists and objects. Default 4,096, which is 50 reports of 80.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 64 << 10, reports: 50, depth: 8, values: 4096 }
    }
}

/// What a body held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The reports, in their order.
    pub reports: Vec<Report>,
    /// Members that were dropped, by reason.
    pub refused: Vec<(Refusal, u64)>,
}

/// The content types that are read (CSP3 5.3; Reporting API), and the one that some senders use for both.
const CONTENT_TYPES: [&[u8]; 3] = [b"application/csp-report", b"application/reports+json", b"application/json"];

/// Reads a body.
///
/// Which of the two forms it has is told by the JSON itself, because browsers have mixed up the content types: an object with
/// `csp-report` is one violation, an array is a batch, an object with `type` and `body` is a batch of one.
///
/// # Errors
/// [`Refusal`], one of those that are about a body. A body within its limits with one good report is read; members that
/// are no reports are counted in [`Batch::refused`].
pub fn parse(content_type: &[u8], body: &[u8], limits: &Limits) -> Result<Batch, Refusal> {
    let essence = content_type.split(|b| *b == b';').next().unwrap_or(content_type).trim_ascii();
    if !CONTENT_TYPES.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Err(Refusal::ContentType);
    }
    if body.len() > limits.body {
        return Err(Refusal::TooLarge);
    }
    let text = scan(body, limits)?;
    match serde_json::from_str(&text).map_err(|_| Refusal::NotJson)? {
        Value::Array(members) => batch(&members, limits),
        Value::Object(object) => single(&object).map(|report| Batch { reports: vec![report], refused: Vec::new() }),
        _ => Err(Refusal::NoReport),
    }
}

fn single(object: &Map<String, Value>) -> Result<Report, Refusal> {
    match object.get("csp-report") {
        Some(Value::Object(fields)) if !fields.is_empty() => Ok(read_body(Kind::CspViolation, fields, None)),
        Some(_) => Err(Refusal::NoReport),
        None => entry(object).ok_or(Refusal::NoReport),
    }
}

fn batch(members: &[Value], limits: &Limits) -> Result<Batch, Refusal> {
    let mut batch = Batch::default();
    let within = &members[..members.len().min(limits.reports)];
    batch.reports.extend(within.iter().filter_map(|member| single(member.as_object()?).ok()));
    if batch.reports.is_empty() {
        return Err(Refusal::NoReport);
    }
    for (refusal, n) in [(Refusal::NoReport, within.len() - batch.reports.len()), (Refusal::TooManyReports, members.len() - within.len())] {
        if n > 0 {
            batch.refused.push((refusal, n as u64));
        }
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clean::is_harmless;
    use super::*;
    use crate::headers::reports::{Agent, Disposition, PolicyId, Resource};

    const REPORTS: &[u8] = b"application/reports+json; charset=utf-8";

    fn read(body: &str) -> Result<Batch, Refusal> {
        parse(REPORTS, body.as_bytes(), &Limits::default())
    }

    fn one(body: &str) -> Report {
        let batch = read(body).unwrap();
        assert_eq!((batch.reports.len(), batch.refused.len()), (1, 0));
        batch.reports.into_iter().next().unwrap()
    }

    /// One member of the Reporting API's array.
    fn member(kind: &str, body: &str) -> Report {
        one(&format!(
            r#"[{{"type":"{kind}","age":12,"url":"https://shop.example/page?id=1","user_agent":"Chrome/140","body":{{{body}}}}}]"#
        ))
    }

    fn details(report: &Report) -> String {
        report.details.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_csp_report_as_firefox_and_old_browsers_send_it() {
        let body = r#"{"csp-report":{
            "document-uri":"https://user:pw@shop.example/cart?token=s3cret#x","referrer":"https://search.example/?q=s3cret",
            "violated-directive":"Script-Src-Elem 'self' https://cdn.example","original-policy":"default-src 'self'; report-uri /r",
            "blocked-uri":"https://evil.example/x.js?s3cret","source-file":"https://shop.example/app.js?v=s3cret",
            "line-number":12,"column-number":"7","status-code":200,"script-sample":"fetch('https://a.example/?k=s3cret"}}"#;
        let batch = parse(b"application/csp-report", body.as_bytes(), &Limits::default()).unwrap();
        let report = &batch.reports[0];
        assert_eq!(report.kind, Kind::CspViolation);
        assert_eq!(report.document.as_ref().unwrap().to_string(), "https://shop.example/cart");
        assert_eq!(report.referrer.as_deref(), Some("https://search.example"));
        assert_eq!(report.directive.as_deref(), Some("script-src-elem"));
        assert_eq!(report.policy, Some(PolicyId::of("default-src 'self'")));
        assert_eq!(report.sample.as_deref(), Some("fetch('https://a.example/…"));
        assert_eq!((report.status, report.disposition, report.agent), (Some(200), Disposition::Enforce, None));
        let source = report.source.as_ref().unwrap();
        assert_eq!((source.line, source.column), (Some(12), Some(7)));
        assert!(matches!(&report.blocked, Some(Resource::Url(a)) if a.to_string() == "https://evil.example/x.js"));
        assert!(!format!("{report:?}").contains("s3cret"));
    }

    #[test]
    fn a_csp_violation_of_the_reporting_api() {
        let report = member(
            "csp-violation",
            r#""documentURL":"https://shop.example/a","blockedURL":"inline","effectiveDirective":"style-src-attr","disposition":"report","statusCode":0,"lineNumber":3,"sourceFile":null,"sample":"color:red""#,
        );
        assert_eq!((report.blocked, report.disposition, report.status), (Some(Resource::Inline), Disposition::Report, None));
        assert_eq!((report.source, report.age, report.agent), (None, 12, Some(Agent::Chromium)));
        assert_eq!(report.sample.as_deref(), Some("color:red"));
    }

    #[test]
    fn every_kind_keeps_what_it_is_about() {
        let hash = format!("sha256-{}=", "A".repeat(43));
        for (url, document) in [("subresource_url", "document_url"), ("subresourceURL", "documentURL")] {
            let fields = format!(
                r#""{document}":"https://shop.example/","{url}":"https://cdn.example/a.js?v=2","hash":"{hash}","destination":"script","type":"subresource""#
            );
            let report = member("csp-hash", &fields);
            assert_eq!(report.hash.as_deref(), Some(hash.as_str()));
            assert!(matches!(&report.blocked, Some(Resource::Url(a)) if a.to_string() == "https://cdn.example/a.js"));
            assert_eq!((report.directive.as_deref(), details(&report).as_str()), (Some("script"), "type=subresource"));
        }
        let cases = [
            (
                "coop",
                r#""disposition":"reporting","effectivePolicy":"same-origin","type":"navigation-to-response","nextResponseURL":"https://pay.example/x?t=1""#,
                "navigation-to-response Report effective-policy=same-origin next-response=https://pay.example/x",
            ),
            (
                "coep",
                r#""type":"corp","blockedURL":"https://cdn.example/a.png","destination":"image","disposition":"enforce""#,
                "corp Enforce destination=image",
            ),
            (
                "integrity-violation",
                r#""blockedURL":"https://cdn.example/a.js","destination":"script","reportOnly":true"#,
                "script Report ",
            ),
            (
                "network-error",
                r#""type":"tcp.timed_out","phase":"connection","method":"GET","protocol":"h2","elapsed_time":143,"sampling_fraction":0.5,"server_ip":"10.0.0.1","request_headers":{"Cookie":["s3cret"]}"#,
                "tcp.timed_out Enforce phase=connection protocol=h2 method=GET elapsed-ms=143 sampling-fraction=0.5",
            ),
            (
                "permissions-policy-violation",
                r#""featureId":"camera","disposition":"report","message":"See https://a.example/x?t=s3cret now""#,
                "camera Report message=See https://a.example/x… now",
            ),
            ("document-policy-violation", r#""policyId":"document-write","message":"m""#, "document-write Enforce message=m"),
            (
                "deprecation",
                r#""id":"WebSQL","anticipatedRemoval":"2026-01-01","message":"m""#,
                "WebSQL Enforce anticipated-removal=2026-01-01 message=m",
            ),
            ("intervention", r#""id":"HeavyAd","message":"m""#, "HeavyAd Enforce message=m"),
            ("crash", r#""reason":"oom","stack":"s3cret","is_top_level":true"#, "oom Enforce is-top-level=true"),
            (r"future\u001b-kind", r#""secret":"s3cret","type":"x","message":"s3cret","sourceFile":"s3cret""#, "- Enforce "),
        ];
        for (kind, fields, kept) in cases {
            let report = member(kind, fields);
            assert_eq!(format!("{} {:?} {}", report.directive.as_deref().unwrap_or("-"), report.disposition, details(&report)), kept);
            assert_eq!(report.document.as_ref().unwrap().to_string(), "https://shop.example/page");
            assert!(!report.to_json().to_string().contains("s3cret") && !format!("{report:?}").contains("s3cret"));
        }
        assert_eq!(member(r"future\u001b-kind", "").kind.name(), r"future\u{1b}-kind");
    }

    #[test]
    fn a_hash_is_a_hash() {
        for bad in ["sha256-x", "md5-AAAA", "sha256-' 'unsafe-inline", ""] {
            assert_eq!(member("csp-hash", &format!(r#""hash":"{bad}""#)).hash, None, "{bad}");
        }
    }

    #[test]
    fn content_types_and_shapes() {
        let legacy = br#"{"csp-report":{"blocked-uri":"eval"}}"#;
        for good in ["application/csp-report", "Application/Reports+JSON", "application/json;charset=utf-8", " application/json ; x"] {
            assert!(parse(good.as_bytes(), legacy, &Limits::default()).is_ok(), "{good}");
        }
        for bad in ["", "text/plain", "application/x-www-form-urlencoded", "application/json2", "multipart/form-data; application/json"] {
            assert_eq!(parse(bad.as_bytes(), legacy, &Limits::default()), Err(Refusal::ContentType), "{bad}");
        }
        assert!(read(r#"{"type":"crash","body":{}}"#).is_ok());
        for (body, refusal) in [
            ("", Refusal::NotJson),
            ("{\"csp-report\":", Refusal::NotJson),
            ("\u{feff}", Refusal::NotJson),
            ("null", Refusal::NoReport),
            ("[]", Refusal::NoReport),
            ("{}", Refusal::NoReport),
            (r#"{"csp-report":{}}"#, Refusal::NoReport),
            (r#"{"csp-report":[1]}"#, Refusal::NoReport),
            (r#"[{"type":"crash"},{"type":7,"body":{}}]"#, Refusal::NoReport),
            ("[[[[[[[[[]]]]]]]]]", Refusal::TooDeep),
        ] {
            assert_eq!(read(body), Err(refusal), "{body}");
        }
    }

    #[test]
    fn limits_cut_a_batch_and_say_so() {
        let many = |n: usize| format!("[{}]", vec![r#"{"type":"crash","body":{}}"#; n].join(","));
        assert_eq!(read(&many(50)).unwrap().refused, []);
        let cut = read(&many(52)).unwrap();
        assert_eq!((cut.reports.len(), &cut.refused[..]), (50, &[(Refusal::TooManyReports, 2)][..]));
        let mixed = read(r#"[{"type":"crash","body":{}},3]"#).unwrap();
        assert_eq!((mixed.reports.len(), &mixed.refused[..]), (1, &[(Refusal::NoReport, 1)][..]));
        let values = format!("[{}]", vec!["0"; 5000].join(","));
        assert_eq!(read(&values), Err(Refusal::TooManyValues));
        assert_eq!(parse(REPORTS, &vec![b' '; (64 << 10) + 1], &Limits::default()), Err(Refusal::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(REPORTS, &body, &Limits::default());
        }

        /// Whatever stands in whichever field: what is kept is visible and short.
        #[test]
        fn no_field_carries_anything_hostile(
            kind in proptest::sample::select(Kind::KNOWN.map(|(name, _)| name).to_vec()),
            names in proptest::sample::subsequence(NAMES.to_vec(), 1..NAMES.len()),
            text in r#"(https://)?[\PC\x00-\x20\u{7f}-\u{9f}\u{200b}-\u{2069}\u{e0001}-\u{e007f}]{0,80}"#,
        ) {
            let fields: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), Value::from(text.as_str()))).collect();
            let body = serde_json::json!([{ "type": kind, "url": text, "user_agent": text, "body": fields }]).to_string();
            for report in read(&body).unwrap().reports {
                let json = report.to_json();
                let mut texts = Vec::new();
                gather(&json, &mut texts);
                for seen in texts {
                    prop_assert!(seen.len() <= 700);
                    prop_assert!(is_harmless(seen), "{:?}", seen);
                }
                prop_assert!(report.weight() < 8 << 10);
            }
        }
    }

    const NAMES: [&str; 28] = [
        "documentURL",
        "blockedURL",
        "effectiveDirective",
        "sample",
        "sourceFile",
        "disposition",
        "statusCode",
        "referrer",
        "originalPolicy",
        "hash",
        "destination",
        "type",
        "subresource_url",
        "effectivePolicy",
        "property",
        "nextResponseURL",
        "openerURL",
        "phase",
        "protocol",
        "method",
        "featureId",
        "message",
        "id",
        "anticipatedRemoval",
        "reason",
        "visibility_state",
        "allowAttribute",
        "policyId",
    ];

    fn gather<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
        match value {
            Value::String(text) => texts.push(text),
            Value::Array(all) => all.iter().for_each(|v| gather(v, texts)),
            Value::Object(all) => all.values().for_each(|v| gather(v, texts)),
            _ => {}
        }
    }
}
