//! `[[limit]]` in casque.toml.
//!
//! ```toml
//! [[limit]]
//! name = "login"
//! rate = "20/1m"              # so many per time
//! burst = 20                  # how many may come at once; default: the rate's number
//! methods = ["POST"]          # default: all
//! paths = ["**/login"]        # default: all; `*` is one segment (at the end: everything below), `**` any number
//! key = "client"              # what is counted: the client's address (IPv6: /64)
//! mode = "enforce"            # enforce, shadow (count and log only) or off
//! ```

use super::decision::MAX_LIMITS;
use super::quota::Quota;
use super::rule::{Limit, Mode};
use crate::config::{Section, rate};

/// What a limit counts by.
#[derive(Debug, Clone, Copy)]
enum Key {
    Client,
}

/// Reads all `[[limit]]` sections. Limits that were refused are left out.
#[must_use]
pub fn read(sections: Vec<Section<'_, '_>>) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for section in sections {
        if limits.len() == MAX_LIMITS {
            section.error(
                section.span(),
                format!("more than {MAX_LIMITS} limits"),
                "join some: each is asked for every request that it counts",
            );
        }
        if let Some(limit) = read_one(section, &limits) {
            limits.push(limit);
        }
    }
    limits
}

fn read_one(mut section: Section<'_, '_>, earlier: &[Limit]) -> Option<Limit> {
    let name = section.parsed("name", "a text in quotes", |s| {
        let plain = !s.is_empty() && s.len() <= 64 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if plain {
            Ok(s.to_owned())
        } else {
            Err("expected 1 to 64 letters, digits, `-`, `_` or `.`: the name is sent in header fields".to_owned())
        }
    });
    let quota = section.parsed("rate", "a rate such as \"20/1m\"", rate);
    let burst = section.integer("burst", 1..=u64::from(u32::MAX));
    let methods = section.methods("methods");
    let patterns = section.patterns("paths");
    let _key = section.choice("key", &[("client", Key::Client)]);
    let mode = section.choice("mode", &Mode::NAMES).map(|m| m.value).unwrap_or_default();

    if let Some(name) = &name
        && earlier.iter().any(|l| l.name() == name.value)
    {
        section.error(
            name.span.clone(),
            format!("a second limit is called `{}`", name.value),
            "limits of one name share their counts; give each its own",
        );
    }
    for (missing, key, example) in [(name.is_none(), "name", "\"login\""), (quota.is_none(), "rate", "\"20/1m\"")] {
        if missing && !section.has(key) {
            section.error(section.span(), format!("[[limit]] without `{key}`"), format!("add {key} = {example}"));
        }
    }
    section.finish();

    let ((requests, window), name) = (quota?.value, name?.value);
    let mut quota = Quota::new(requests, window);
    if let Some(burst) = burst {
        quota = quota.burst(u32::try_from(burst.value).unwrap_or(u32::MAX));
    }
    Some(Limit::new(name, quota).methods(methods).patterns(patterns).mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;

    fn run(text: &str) -> (Vec<Limit>, Vec<String>) {
        let document = Document::parse(text);
        let mut root = document.root();
        let limits = read(root.sections("limit").unwrap_or_default());
        root.finish();
        (limits, document.problems().into_iter().map(|p| format!("{} | {}", p.message, p.label)).collect())
    }

    #[test]
    fn a_limit_reads_as_written() {
        let (limits, problems) = run(
            "[[limit]]\nname = \"login\"\nrate = \"20/1m\"\nburst = 5\nmethods = [\"POST\"]\npaths = [\"**/login\"]\nmode = \"shadow\"\n",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(limits[0].quota(), Quota::per_minute(20).burst(5));
        assert!(!limits[0].is_enforced());
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let (limits, problems) = run(
            "[[limit]]\nrate = \"20\"\nmethods = [\"post\"]\npaths = [\"login\"]\nkey = \"ip\"\n[[limit]]\nname = \"a b\"\nrate = \"1/1s\"\n[[limit]]\nname = \"x\"\n",
        );
        assert!(limits.is_empty());
        let told = |part: &str| assert!(problems.iter().any(|p| p.contains(part)), "{part}: {problems:#?}");
        told("`rate` cannot be \"20\"");
        told("did you mean \"POST\"?");
        told("path `login` must start with");
        told("`key` cannot be \"ip\"");
        told("[[limit]] without `name`");
        told("`name` cannot be \"a b\"");
        told("[[limit]] without `rate`");
    }

    #[test]
    fn names_are_not_shared_by_mistake() {
        let one = "[[limit]]\nname = \"x\"\nrate = \"1/1s\"\n";
        assert!(run(&format!("{one}{one}")).1[0].contains("a second limit is called `x`"));
    }
}
