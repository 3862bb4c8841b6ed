//! A store as JSON, for the admin pages and for whoever learns from it. Names are in kebab-case; what is not known is left out.

use serde_json::{Map, Value, json};

use super::groups::Group;
use super::report::{Report, Source};
use super::resource::Resource;
use super::store::{Recent, Snapshot, Totals};

impl Snapshot<'_> {
    /// The snapshot as JSON. Times are in milliseconds since 1970.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let totals: Map<String, Value> =
            self.totals.iter().filter(|(_, t)| *t != Totals::default()).map(|(kind, t)| ((*kind).to_owned(), total(*t))).collect();
        let refused: Map<String, Value> =
            self.refused.iter().filter(|(_, n)| *n > 0).map(|(why, n)| ((*why).to_owned(), json!(n))).collect();
        json!({
            "recent": self.recent.iter().map(|r| r.to_json()).collect::<Vec<_>>(),
            "groups": self.groups.iter().map(|g| g.to_json()).collect::<Vec<_>>(),
            "all-groups": self.all_groups,
            "totals": totals,
            "refused": refused,
            "evicted": { "groups": self.evicted.groups, "reports": self.evicted.reports },
            "bytes": self.bytes,
        })
    }
}

fn total(totals: Totals) -> Value {
    json!({ "ours": totals.ours, "foreign": totals.foreign, "noise": totals.noise })
}

impl Recent {
    /// The report as JSON, with `received`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = fields(&self.report);
        object.insert("received".to_owned(), json!(self.received));
        Value::Object(object)
    }
}

impl Report {
    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(fields(self))
    }
}

impl Group {
    /// The group as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let key = &self.key;
        object([
            ("origin", Some(json!(key.origin.name()))),
            ("kind", Some(json!(key.kind.name()))),
            ("path", key.path.as_deref().map(Value::from)),
            ("directive", key.directive.as_deref().map(Value::from)),
            ("blocked", key.blocked.as_ref().map(resource)),
            ("hash", key.hash.as_deref().map(Value::from)),
            ("count", Some(json!(self.count))),
            ("enforced", Some(json!(self.enforced))),
            ("clients", Some(json!(self.clients()))),
            ("days", Some(json!(self.days))),
            ("first-seen", Some(json!(self.first_seen))),
            ("last-seen", Some(json!(self.last_seen))),
        ])
        .into()
    }
}

fn fields(report: &Report) -> Map<String, Value> {
    let details = report.details.iter().map(|(name, value)| ((*name).to_owned(), Value::from(&**value))).collect::<Map<_, _>>();
    object([
        ("kind", Some(json!(report.kind.name()))),
        ("document", report.document.as_ref().map(|d| json!(d.to_string()))),
        ("directive", report.directive.as_deref().map(Value::from)),
        ("blocked", report.blocked.as_ref().map(resource)),
        ("sample", report.sample.as_deref().map(Value::from)),
        ("source", report.source.as_ref().map(source)),
        ("disposition", Some(json!(report.disposition.name()))),
        ("status", report.status.map(Value::from)),
        ("referrer", report.referrer.as_deref().map(Value::from)),
        ("policy", report.policy.map(|id| json!(id.to_string()))),
        ("agent", report.agent.map(|agent| json!(agent.name()))),
        ("hash", report.hash.as_deref().map(Value::from)),
        ("age-ms", (report.age > 0).then(|| json!(report.age))),
        ("details", (!details.is_empty()).then_some(Value::Object(details))),
    ])
}

fn source(source: &Source) -> Value {
    object([("file", Some(resource(&source.file))), ("line", source.line.map(Value::from)), ("column", source.column.map(Value::from))])
        .into()
}

/// `{"class":"inline"}`, `{"class":"url","value":"https://cdn.example/a.js"}`: a stranger's text can never pass for a class.
fn resource(resource: &Resource) -> Value {
    let value = match resource {
        Resource::Url(address) => Some(json!(address.to_string())),
        Resource::Scheme(text) | Resource::Extension(text) | Resource::Other(text) => Some(json!(text)),
        _ => None,
    };
    object([("class", Some(json!(resource.class()))), ("value", value)]).into()
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
