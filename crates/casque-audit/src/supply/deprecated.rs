//! Packages whose authors advise against them, where the lockfile says so: package-lock.json and pnpm's.

use super::{Check, Notice, packages};
use crate::graph::Graph;

/// How much of an author's reason is kept. Some are letters.
const LONGEST: usize = 200;

pub(super) fn check(graph: &Graph, out: &mut Vec<Notice>) {
    for (_, instance) in packages(graph) {
        let Some(reason) = instance.deprecated.as_deref() else { continue };
        let mut short: String = reason.chars().take(LONGEST).collect();
        if short.len() < reason.len() {
            short.push('…');
        }
        let message = if short.trim().is_empty() { "is deprecated".to_owned() } else { format!("is deprecated: {short}") };
        out.push(Notice::new(Check::Deprecated, instance, message));
    }
}
