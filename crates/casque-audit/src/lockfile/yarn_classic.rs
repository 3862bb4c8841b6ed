//! yarn.lock of yarn 1: blocks of lines, nearly YAML, but not.
//!
//! ```text
//! "a@^1.0.0", "a@^1.1.0":
//!   version "1.2.0"
//!   resolved "https://registry.example/a/-/a-1.2.0.tgz#sha1"
//!   dependencies:
//!     b "^2.0.0"
//! ```
//! It has no root, no dev flag and no peers: what projects ask for is read from package.json.

use std::borrow::Cow;
use std::collections::HashMap;

use super::spec::{Spec, is_registry_address, split_name};
use super::yarn::{self, Descriptors};
use crate::graph::{Builder, Draft, EdgeKind, Graph, InstanceId, Source};
use crate::limits::Limits;
use crate::manifest::Manifests;
use crate::text::{Result, fault, quote};

pub(super) fn parse(text: &str, manifests: &Manifests, limits: &Limits) -> Result<Graph> {
    let mut b = Builder::new(limits);
    let mut known = Descriptors::default();
    let lines = Lines { text, at: 0 };
    let mut block: Option<Block<'_>> = None;
    let mut inside = Inside::Nothing;
    for line in lines {
        match line.indent {
            0 => {
                if let Some(done) = block.take() {
                    done.add(&mut b, &mut known)?;
                }
                let keys = line.keys(limits)?;
                inside = Inside::Block;
                block = Some(Block { at: line.at, keys, ..Block::default() });
            }
            2 => {
                let Some(block) = &mut block else { return fault(line.at, "indented, but under nothing") };
                inside = block.field(&line)?;
            }
            4 => {
                let kind = match (&inside, &mut block) {
                    (Inside::Requests(kind), Some(_)) => *kind,
                    (Inside::Skipped, _) => continue,
                    _ => return fault(line.at, "indented, but under nothing"),
                };
                let (name, range) = line.pair()?;
                if let Some(block) = &mut block {
                    limits.more_edges(line.at, block.requests.len())?;
                    block.requests.push((line.at, kind, name, range));
                }
            }
            _ if matches!(inside, Inside::Skipped) => {}
            _ => return fault(line.at, "indented by neither 2 nor 4 blanks"),
        }
    }
    if let Some(done) = block.take() {
        done.add(&mut b, &mut known)?;
    }
    yarn::finish(b, &known, text, manifests)
}

#[derive(Debug, Clone, Copy)]
enum Inside {
    Nothing,
    Block,
    Requests(EdgeKind),
    Skipped,
}

#[derive(Default)]
struct Block<'a> {
    at: usize,
    keys: Vec<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    resolved: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    requests: Vec<(usize, EdgeKind, Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Block<'a> {
    fn field(&mut self, line: &Line<'a>) -> Result<Inside> {
        if let Some(head) = line.text.strip_suffix(':') {
            return Ok(match head {
                "dependencies" => Inside::Requests(EdgeKind::Prod),
                "optionalDependencies" => Inside::Requests(EdgeKind::Optional),
                _ => Inside::Skipped,
            });
        }
        let (name, value) = line.pair()?;
        let slot = match &*name {
            "version" => &mut self.version,
            "resolved" => &mut self.resolved,
            "integrity" => &mut self.integrity,
            _ => return Ok(Inside::Block),
        };
        if slot.replace(value).is_some() {
            return fault(line.at, format!("{} appears twice", quote(&name)));
        }
        Ok(Inside::Block)
    }

    fn add(self, b: &mut Builder<'_>, known: &mut Descriptors) -> Result<()> {
        let Some(version) = self.version.as_deref() else { return fault(self.at, "a block without a version") };
        let resolved = self.resolved.as_deref().unwrap_or("");
        let mut made: HashMap<&str, InstanceId> = HashMap::new();
        for key in &self.keys {
            let Some((own, range)) = split_name(key) else { return fault(self.at, format!("{} has no range", quote(key))) };
            let (name, source) = match Spec::parse(range) {
                Spec::Range(_) => (own, Source::Registry),
                Spec::Alias { name, .. } => (name, Source::Registry),
                Spec::Elsewhere(_) if is_registry_address(resolved) => (own, Source::Registry),
                Spec::Elsewhere(source) => (own, source),
            };
            // A resolution can send a range elsewhere too.
            let source = match (source, Spec::parse(resolved)) {
                (Source::Registry, Spec::Elsewhere(Source::Git)) if !is_registry_address(resolved) => Source::Git,
                (source, _) => source,
            };
            // Yarn may put an alias and the package itself into one block.
            let id = match made.get(name) {
                Some(id) => *id,
                None => {
                    let package = b.npm(name, version);
                    let path = b.intern(key);
                    let mut draft = Draft::new(self.at, package, source, path);
                    draft.alias = (name != own).then(|| b.intern(own));
                    draft.resolved = self.resolved.as_deref().map(Into::into);
                    draft.integrity = integrity(self.integrity.as_deref(), resolved);
                    let id = b.add(draft)?;
                    for (at, kind, name, range) in &self.requests {
                        b.edge(*at, id, None, *kind, name, range)?;
                    }
                    made.insert(name, id);
                    id
                }
            };
            if name == own {
                b.draft(id).alias = None;
            }
            known.add(b, self.at, own, range, id)?;
        }
        Ok(())
    }
}

/// The hash: yarn before 1.10 put a sha1 behind the address only.
fn integrity(written: Option<&str>, resolved: &str) -> Option<std::sync::Arc<str>> {
    let behind = resolved.rsplit_once('#').map(|(_, hash)| hash);
    let sha1 = behind.filter(|h| h.len() == 40 && h.bytes().all(|b| b.is_ascii_hexdigit())).map(|h| format!("sha1:{h}"));
    written.map(Into::into).or_else(|| sha1.map(Into::into))
}

struct Lines<'a> {
    text: &'a str,
    at: usize,
}

/// A line that says something.
struct Line<'a> {
    at: usize,
    indent: usize,
    text: &'a str,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let length = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            let line = rest[..length].trim_end_matches(['\r', ' ']);
            let start = self.at;
            self.at += (length + 1).min(rest.len());
            let text = line.trim_start_matches(' ');
            if !text.is_empty() && !text.starts_with('#') {
                let indent = line.len() - text.len();
                return Some(Line { at: start + indent, indent, text });
            }
        }
        None
    }
}

impl<'a> Line<'a> {
    /// `a@1, "b@2":`
    fn keys(&self, limits: &Limits) -> Result<Vec<Cow<'a, str>>> {
        let mut keys = Vec::new();
        let mut at = 0;
        loop {
            let (key, end) = self.word(at, &[',', ':'])?;
            limits.more_edges(self.at, keys.len())?;
            keys.push(key);
            let rest = &self.text[end..];
            if rest == ":" {
                return Ok(keys);
            }
            let Some(next) = rest.strip_prefix(',') else { return fault(self.at + end, "expected `,` or `:` and the line's end") };
            at = self.text.len() - next.trim_start_matches(' ').len();
        }
    }

    /// `name "value"`
    fn pair(&self) -> Result<(Cow<'a, str>, Cow<'a, str>)> {
        let (name, end) = self.word(0, &[' '])?;
        let rest = self.text[end..].trim_start_matches(' ');
        if rest.is_empty() {
            return fault(self.at + end, format!("{} has no value", quote(&name)));
        }
        let from = self.text.len() - rest.len();
        let (value, end) = self.word(from, &[])?;
        if end != self.text.len() {
            return fault(self.at + end, "expected the end of the line");
        }
        Ok((name, value))
    }

    /// A word from an offset, quoted or up to one of these; a colon ends it only at the line's end.
    fn word(&self, from: usize, ends: &[char]) -> Result<(Cow<'a, str>, usize)> {
        let rest = &self.text[from..];
        let Some(quoted) = rest.strip_prefix('"') else {
            let ends_here = |(i, c): (usize, char)| ends.contains(&c) && (c != ':' || from + i + 1 == self.text.len());
            let length = rest.char_indices().find(|p| ends_here(*p)).map_or(rest.len(), |(i, _)| i);
            if length == 0 {
                return fault(self.at + from, "expected a name");
            }
            return Ok((Cow::Borrowed(&rest[..length]), from + length));
        };
        let mut at = 0;
        loop {
            match memchr::memchr2(b'"', b'\\', &quoted.as_bytes()[at..]) {
                Some(n) if quoted.as_bytes()[at + n] == b'"' => {
                    let end = at + n;
                    let raw = &quoted[..end];
                    let text = if raw.contains('\\') { Cow::Owned(self.unescape(from, end + 2)?) } else { Cow::Borrowed(raw) };
                    return Ok((text, from + end + 2));
                }
                Some(n) if at + n + 1 < quoted.len() => at += n + 2,
                _ => return fault(self.at + from, "a quoted name has no end on its line"),
            }
            if !quoted.is_char_boundary(at) {
                return fault(self.at + from, "a name with a broken escape");
            }
        }
    }

    /// What is quoted is quoted as JSON does it.
    fn unescape(&self, from: usize, length: usize) -> Result<String> {
        let mut json = crate::text::json::Json::new(&self.text[from..from + length]);
        match json.string() {
            Ok(text) => Ok(text.into_owned()),
            Err(f) => fault(self.at + from + f.at, f.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, graph, instances, problem};
    use crate::graph::NoteKind;
    use crate::kind::Kind;

    const TEXT: &str = r##"# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.
# yarn lockfile v1


"@s/a@^1.0.0", "@s/a@^1.1.0":
  version "1.2.0"
  resolved "https://registry.example/@s/a/-/a-1.2.0.tgz#0123456789012345678901234567890123456789"
  dependencies:
    b "^2.0.0 || 3"
    "string-width-cjs" "npm:string-width@^4.2.0"
  optionalDependencies:
    fsevents "*"

"b@^2.0.0 || 3":
  version "2.0.0"
  integrity sha512-x

"forked@https://github.com/u/forked.git":
  version "1.0.0"
  resolved "https://github.com/u/forked.git#0123"

"hidden@git+https://h.example/x.git":
  version "1.0.0"
  resolved "https://registry.example/hidden/-/hidden-1.0.0.tgz"

"string-width-cjs@npm:string-width@^4.2.0", string-width@^4.1.0:
  name string-width-cjs
  version "4.2.3"
"##;

    #[test]
    fn blocks_become_instances() {
        let g = graph(
            Kind::YarnClassic,
            TEXT,
            Some(
                r#"{"name": "app", "dependencies": {"@s/a": "^1.0.0"}, "devDependencies": {"string-width": "^4.1.0", "forked": "u/forked"}}"#,
            ),
        );
        assert_eq!(
            instances(&g),
            [
                "@s/a@^1.0.0 = @s/a@1.2.0 Registry",
                "b@^2.0.0 || 3 = b@2.0.0 Registry",
                "forked@https://github.com/u/forked.git = forked@1.0.0 Git",
                "hidden@git+https://h.example/x.git = hidden@1.0.0 Registry",
                "string-width-cjs@npm:string-width@^4.2.0 = string-width@4.2.3 Registry",
                " = app@ Workspace",
            ]
        );
        assert_eq!(
            edges(&g),
            [
                "@s/a@^1.0.0 -> b@^2.0.0 || 3 (b ^2.0.0 || 3)",
                "@s/a@^1.0.0 -> string-width-cjs@npm:string-width@^4.2.0 (string-width-cjs npm:string-width@^4.2.0)",
                "@s/a@^1.0.0 -> nobody (Optional fsevents *)",
                " -> @s/a@^1.0.0 (@s/a ^1.0.0)",
                " -> forked@https://github.com/u/forked.git (Dev forked u/forked)",
                " -> string-width-cjs@npm:string-width@^4.2.0 (Dev string-width ^4.1.0)",
            ]
        );
        assert_eq!(g.instances()[0].integrity.as_deref(), Some("sha1:0123456789012345678901234567890123456789"));
        let dev: Vec<bool> = g.instances().iter().map(|i| i.needed.only_dev()).collect();
        assert_eq!(dev, [false, false, true, false, false, false]);
        assert_eq!(g.instances()[1].place.line, 14);
    }

    #[test]
    fn without_package_json_the_roots_are_guessed_and_that_is_said() {
        let g = graph(Kind::YarnClassic, TEXT, None);
        assert_eq!(g.notes()[0].kind, NoteKind::NoManifest);
        let asked: Vec<String> = edges(&g).into_iter().filter(|e| e.starts_with(" ->")).collect();
        assert_eq!(asked.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("a@1:\n  version \"1\"\n<<<<<<< HEAD\n", "3:1: a merge conflict"),
            ("a@1:\n  resolved \"x\"\n", "1:1: a block without a version"),
            ("a@1:\n  version\n", "`version` has no value"),
            ("a@1:\n  version \"1\n", "a quoted name has no end on its line"),
            ("a@1\n  version \"1\"\n", "1:4: expected `,` or `:`"),
            ("  version \"1\"\n", "1:3: indented, but under nothing"),
            ("a:\n  version \"1\"\n", "1:1: `a` has no range"),
            ("a@1:\n  version \"1\"\n\na@1:\n  version \"1\"\n", "4:1: `a@1` appears twice"),
        ] {
            assert!(problem(Kind::YarnClassic, text).contains(said), "{text}: {}", problem(Kind::YarnClassic, text));
        }
    }
}
