//! What an advisory says, and whether a project has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Form, SCHEMA, finish};
use crate::cvss::{Cvss, Severity};
use crate::db::{Database, Error, Verdict, preference};
use crate::graph::{Graph, InstanceId};
use crate::matching::{Context, check};
use crate::osv::{Affected, Record};
use crate::package::{Ecosystem, Package};
use crate::place::Place;
use crate::report::clean::plain;
use crate::report::{BOLD, DIM, Paths, chain};

/// How many versions of what an advisory is about are told for one lockfile.
const MAX_HELD: usize = 100;
/// How many links and functions are shown.
const MAX_LISTED: usize = 10;
/// How many lines of an advisory's own text are shown.
const MAX_LINES: usize = 40;

/// An advisory by one of its ids: every record that has the id or an alias of it, the best known first.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The records. Never empty.
    pub records: Vec<Record>,
    /// What the project has of the packages in question.
    pub held: Vec<Held>,
    /// How many lockfiles were looked at.
    pub lockfiles: usize,
}

/// A version of a package in question that a lockfile has.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The lockfile's path as it was found.
    pub path: String,
    /// The package.
    pub package: Package,
    /// Whether it has what the advisory is about.
    pub verdict: Verdict,
    /// Where its nearest instance stands in the lockfile.
    pub place: Place,
    /// A shortest way to that from a project.
    pub chain: Vec<String>,
    /// How many packages were left out of the chain after its second.
    pub left_out: usize,
    /// All of it is there for development only.
    pub dev: bool,
    /// The lowest version above with which a record says that it is mended.
    pub fixed: Option<String>,
    /// It is no package of a registry: what has that name may be something else, and was not judged.
    pub elsewhere: bool,
}

/// The records of an id, in whatever case its letters are. Empty: the database has no such id.
///
/// # Errors
/// The database is damaged there.
pub fn explain(database: &Database, id: &str) -> Result<Vec<Record>, Error> {
    let (upper, lower) = (id.to_ascii_uppercase(), id.to_ascii_lowercase());
    // GHSA-xxxx-xxxx-xxxx has small letters after its first word, all others have none.
    let ghsa = lower.strip_prefix("ghsa-").map(|rest| format!("GHSA-{rest}"));
    let mut found = Vec::new();
    for spelling in [Some(id.to_owned()), ghsa, Some(upper)].into_iter().flatten() {
        found = database.find(&spelling)?;
        if !found.is_empty() {
            break;
        }
    }
    found.sort_by(|a, b| key(a).cmp(&key(b)));
    Ok(found)
}

/// Records in force before those that were withdrawn, then the best known first.
fn key(record: &Record) -> (bool, (u8, &str, &str)) {
    let ecosystem = record.affected.first().map_or(Ecosystem::Npm, |affected| affected.ecosystem);
    (record.withdrawn.is_some(), preference(ecosystem, &record.id))
}

impl Explanation {
    /// An explanation with no project to hold it against.
    #[must_use]
    pub const fn new(records: Vec<Record>) -> Self {
        Self { records, held: Vec::new(), lockfiles: 0 }
    }

    /// Holds it against a lockfile.
    ///
    /// # Errors
    /// The database is damaged at a place that was asked.
    pub fn look(&mut self, path: &str, graph: &Graph, database: &Database, context: &Context<'_>) -> Result<(), Error> {
        self.lockfiles += 1;
        let mut there: BTreeMap<(&Package, bool), Vec<InstanceId>> = BTreeMap::new();
        for (id, instance) in graph.iter() {
            let is_about =
                |affected: &Affected| affected.ecosystem == instance.package.ecosystem && affected.name == *instance.package.name;
            if self.records.iter().flat_map(|record| &record.affected).any(is_about) {
                there.entry((&instance.package, instance.is_from_registry())).or_default().push(id);
            }
        }
        if there.is_empty() {
            return Ok(());
        }
        let paths = Paths::new(graph);
        for ((package, judged), mut ids) in there.into_iter().take(MAX_HELD) {
            ids.sort_by_key(|id| (paths.steps(*id), graph.instance(*id).place));
            let Some(nearest) = ids.first().copied() else { continue };
            let findings = if judged { check([package], database, context)? } else { Vec::new() };
            let finding = findings.iter().find(|finding| self.records.iter().any(|record| finding.has_id(&record.id)));
            let (chain, left_out) = paths.chain(nearest);
            self.held.push(Held {
                path: path.to_owned(),
                package: package.clone(),
                verdict: finding.map_or(Verdict::Safe, |finding| finding.verdict),
                place: graph.instance(nearest).place,
                chain,
                left_out,
                dev: ids.iter().all(|id| graph.instance(*id).needed.only_dev()),
                fixed: finding.and_then(|finding| finding.fixed.first()).map(ToString::to_string),
                elsewhere: !judged,
            });
        }
        Ok(())
    }

    /// Whether the project has it, or may have it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.iter().any(|held| held.verdict != Verdict::Safe)
    }

    /// In a form.
    #[must_use]
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Text => self.text(),
            Form::Json => {
                let records: Vec<Value> = self.records.iter().map(record_json).collect();
                let held: Vec<Value> = self.held.iter().map(held_json).collect();
                finish(&json!({"schema": SCHEMA, "records": records, "lockfiles": self.lockfiles, "project": held}))
            }
        }
    }

    fn text(&self) -> String {
        let mut out: String = self.records.iter().map(record_text).collect();
        match (self.lockfiles, self.held.is_empty()) {
            (0, _) => {}
            (_, true) => out.push_str(&format!("\n{BOLD}This project{BOLD:#} has none of these packages.\n")),
            (_, false) => {
                out.push_str(&format!("\n{BOLD}This project{BOLD:#}\n"));
                self.held.iter().for_each(|held| out.push_str(&held_text(held)));
            }
        }
        out
    }
}

fn severity(record: &Record) -> Option<Severity> {
    record.label.or_else(|| vectors(record).map(|cvss| cvss.score).max().and_then(|score| score.severity()))
}

fn vectors(record: &Record) -> impl Iterator<Item = &Cvss> {
    record.scores.iter().chain(record.affected.iter().flat_map(|affected| &affected.scores))
}

fn links(record: &Record) -> impl Iterator<Item = &String> {
    record.references.iter().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

fn record_text(record: &Record) -> String {
    let word = if record.is_malware() { "malware" } else { severity(record).map_or("not rated", Severity::word) };
    let title = if record.summary.is_empty() { "no title" } else { &record.summary };
    let mut out = format!("\n{BOLD}{}{BOLD:#}  {word}\n  {}\n", plain(&record.id), plain(title));
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            out.push_str(&format!("  {DIM}{name:<10}{DIM:#} {value}\n"));
        }
    };
    line("withdrawn", record.withdrawn.map(|at| format!("on {}: it counts no more", at.strftime("%F"))).unwrap_or_default());
    line("also", record.aliases.iter().take(MAX_LISTED).map(|alias| plain(alias)).collect::<Vec<_>>().join(", "));
    line("published", record.published.map(|at| at.strftime("%F").to_string()).unwrap_or_default());
    line("changed", record.modified.strftime("%F").to_string());
    vectors(record).for_each(|cvss| line("score", format!("{} {}", cvss.score, plain(&cvss.vector))));
    line("weakness", record.cwes.iter().map(|cwe| format!("CWE-{cwe}")).collect::<Vec<_>>().join(", "));
    for affected in &record.affected {
        let fixed: Vec<String> = affected.versions.fixed().map(|version| plain(&version.to_string())).collect();
        let mended = if fixed.is_empty() { "no fixed version is known".to_owned() } else { format!("fixed in {}", fixed.join(", ")) };
        let kind = affected.informational.map(|kind| format!(" ({})", kind.word())).unwrap_or_default();
        line(
            "package",
            format!("{} ({}){kind} {}; {mended}", plain(&affected.name), affected.ecosystem, plain(&affected.versions.to_string())),
        );
        line("functions", affected.functions.iter().take(MAX_LISTED).map(|name| plain(name)).collect::<Vec<_>>().join(", "));
    }
    links(record).take(MAX_LISTED).for_each(|url| line("see", plain(url)));
    let prose: Vec<&str> = record.details.trim().lines().collect();
    if !prose.is_empty() {
        out.push('\n');
    }
    prose.iter().take(MAX_LINES).for_each(|line| out.push_str(&format!("  {}\n", plain(line))));
    if prose.len() > MAX_LINES {
        out.push_str(&format!("  {DIM}({} more lines){DIM:#}\n", prose.len() - MAX_LINES));
    }
    out
}

fn held_text(held: &Held) -> String {
    let verdict = match (held.verdict, held.elsewhere) {
        (_, true) => "is not from a registry and was not judged",
        (Verdict::Affected, _) => "is affected",
        (Verdict::Unknown, _) => "may be affected: a version could not be read",
        (Verdict::Safe, _) => "is not affected",
    };
    let fixed = held.fixed.as_deref().map(|fixed| format!("; fixed in {}", plain(fixed))).unwrap_or_default();
    let dev = if held.dev { ", dev" } else { "" };
    let style = if held.verdict == Verdict::Safe { DIM } else { BOLD };
    let mut out =
        format!("  {style}{}{style:#} {verdict}{fixed}{DIM}  {}:{}{dev}{DIM:#}\n", held.package, plain(&held.path), held.place.line);
    if held.chain.len() > 1 {
        out.push_str(&format!("    {DIM}{}{DIM:#}\n", chain(held.chain.iter().map(|name| plain(name)), held.left_out)));
    }
    out
}

fn record_json(record: &Record) -> Value {
    let affected = |affected: &Affected| {
        json!({
            "ecosystem": affected.ecosystem.osv(),
            "name": affected.name,
            "vulnerable": affected.versions.to_string(),
            "fixed": affected.versions.fixed().map(ToString::to_string).collect::<Vec<_>>(),
            "kind": affected.informational.map(|kind| kind.word()),
            "functions": affected.functions,
        })
    };
    let scores: Vec<Value> = vectors(record).map(|cvss| json!({"score": cvss.score.value(), "vector": cvss.vector})).collect();
    json!({
        "id": record.id,
        "aliases": record.aliases,
        "title": record.summary,
        "details": record.details,
        "malware": record.is_malware(),
        "severity": severity(record).map(Severity::word),
        "scores": scores,
        "cwes": record.cwes,
        "published": record.published.map(|at| at.to_string()),
        "modified": record.modified.to_string(),
        "withdrawn": record.withdrawn.map(|at| at.to_string()),
        "affected": record.affected.iter().map(affected).collect::<Vec<_>>(),
        "urls": links(record).collect::<Vec<_>>(),
    })
}

fn held_json(held: &Held) -> Value {
    let status = match (held.verdict, held.elsewhere) {
        (_, true) => "not-judged",
        (Verdict::Affected, _) => "affected",
        (Verdict::Unknown, _) => "unknown",
        (Verdict::Safe, _) => "not-affected",
    };
    json!({
        "path": held.path,
        "ecosystem": held.package.ecosystem.osv(),
        "name": &*held.package.name,
        "version": &*held.package.version,
        "status": status,
        "line": held.place.line,
        "column": held.place.column,
        "dev": held.dev,
        "chain": held.chain,
        "chain_left_out": held.left_out,
        "fixed": held.fixed,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::db::Builder;
    use crate::{Kind, Limits, Manifests, parse};

    const RECORD: &str = r#"{"id": "GHSA-jf85-cpcp-j695", "aliases": ["CVE-2019-10744"], "modified": "2020-01-01T00:00:00Z",
        "summary": "Pollution \u001b[31m", "details": "First\u0007\nSecond", "references": [{"type": "WEB", "url": "https://x.example/\u202e"}],
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "npm", "name": "lodash"},
          "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.12"}]}]}]}"#;
    const OTHER: &str = r#"{"id": "CVE-2019-10744", "aliases": ["GHSA-jf85-cpcp-j695"], "modified": "2020-01-01T00:00:00Z",
        "withdrawn": "2021-01-01T00:00:00Z", "affected": []}"#;
    const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {"": {"name": "app", "dependencies": {"a": "1", "lodash": "4"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"lodash": "^3"}},
        "node_modules/a/node_modules/lodash": {"version": "3.10.1"}, "node_modules/lodash": {"version": "4.17.21"},
        "node_modules/lo": {"name": "lodash", "version": "1.0.0", "resolved": "git+ssh://git@h.example/x.git#01"}}}"#;

    fn database() -> Database {
        let mut builder = Builder::default();
        [RECORD, OTHER].iter().for_each(|json| builder.add(&Record::read(json.as_bytes()).unwrap()));
        Database::from_bytes(builder.finish(Timestamp::UNIX_EPOCH).unwrap()).unwrap()
    }

    fn explained() -> Explanation {
        let graph = parse(Kind::Npm, LOCK.as_bytes(), &Manifests::default(), &Limits::default()).unwrap();
        let mut explanation = Explanation::new(explain(&database(), "ghsa-JF85-cpcp-j695").unwrap());
        explanation.look("package-lock.json", &graph, &database(), &Context::default()).unwrap();
        explanation
    }

    #[test]
    fn an_advisory_is_found_by_any_of_its_ids() {
        for id in ["GHSA-jf85-cpcp-j695", "ghsa-jf85-cpcp-j695", "cve-2019-10744", "CVE-2019-10744"] {
            let found = explain(&database(), id).unwrap();
            assert_eq!(found.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["GHSA-jf85-cpcp-j695", "CVE-2019-10744"], "{id}");
        }
        assert!(explain(&database(), "GHSA-jf85-cpcp-j696").unwrap().is_empty());
        let ids: Vec<String> = database().ids().map(Result::unwrap).collect();
        assert_eq!(crate::nearest("GHSA-jf85-cpcp-j696", ids).as_deref(), Some("GHSA-jf85-cpcp-j695"));
    }

    #[test]
    fn what_the_project_has_is_told_whether_affected_or_not() {
        let explanation = explained();
        let told: Vec<(String, Verdict, bool)> = explanation.held.iter().map(|h| (h.package.to_string(), h.verdict, h.elsewhere)).collect();
        assert_eq!(
            told,
            [
                ("lodash@1.0.0".to_owned(), Verdict::Safe, true),
                ("lodash@3.10.1".to_owned(), Verdict::Affected, false),
                ("lodash@4.17.21".to_owned(), Verdict::Safe, false),
            ]
        );
        assert!(explanation.is_held());
        assert_eq!(explanation.held[1].chain, ["app", "a@1.0.0", "lodash@3.10.1"]);
        assert_eq!(explanation.held[1].fixed.as_deref(), Some("4.17.12"));
    }

    #[test]
    fn text_and_json_say_all_of_it_and_nothing_acts() {
        let text = explained().render(Form::Text);
        for part in ["critical", "9.1 CVSS:3.1/AV:N", "<4.17.12; fixed in 4.17.12", "withdrawn", "  First\n  Second\n"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.contains("Pollution") && !text.contains(['\u{202e}', '\u{7}']) && !text.contains("\u{1b}[31m"));
        let value: Value = serde_json::from_str(&explained().render(Form::Json)).unwrap();
        assert_eq!(value["project"][1]["status"], "affected");
        assert_eq!(value["records"][0]["affected"][0]["vulnerable"], "<4.17.12");
    }
}
