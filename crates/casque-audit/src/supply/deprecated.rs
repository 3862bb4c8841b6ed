//! Packages whose authors advise against them, where the lockfile says so: package-lock.json and pnpm's.

use super::{Check, Found, Notice};

/// How much of an author's reason is kept. Some are letters.
const LONGEST: usize = 200;

pub(super) fn check(packages: &[Found<'_>], out: &mut Vec<Notice>) {
    for instance in packages.iter().map(|found| found.instance) {
        let Some(reason) = instance.deprecated.as_deref() else { continue };
        let mut short: String = reason.chars().take(LONGEST).collect();
        if short.len() < reason.len() {
            short.push('…');
        }
        let message = if short.trim().is_empty() { "is deprecated".to_owned() } else { format!("is deprecated: {short}") };
        out.push(Notice::new(Check::Deprecated, instance, message));
    }
}
