//! The patterns of workspaces: `*` within a part of a path, `**` for any parts, `?` for one byte, `{a,b}` is taken apart first.

/// Whether a folder is meant by a list of patterns; one that begins with `!` takes folders out again, the last word counts.
pub(crate) fn matches(patterns: &[String], folder: &str) -> bool {
    patterns.iter().fold(false, |so_far, pattern| match pattern.strip_prefix('!') {
        Some(not) => so_far && !one(not, folder),
        None => so_far || one(pattern, folder),
    })
}

fn one(pattern: &str, folder: &str) -> bool {
    alternatives(pattern).iter().any(|p| {
        let parts: Vec<&[u8]> = split(p);
        under(&parts, &split(folder))
    })
}

fn split(path: &str) -> Vec<&[u8]> {
    path.split('/').filter(|p| !p.is_empty() && *p != ".").map(str::as_bytes).collect()
}

/// `a/{b,c}` is `a/b` and `a/c`. No more than 64 come of it; braces beyond that are taken as they stand.
fn alternatives(pattern: &str) -> Vec<String> {
    const MOST: usize = 64;
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(p) = open.pop() {
        let braces = p.find('{').and_then(|from| p[from..].find('}').map(|length| (from, from + length)));
        match braces {
            Some((from, to)) if done.len() + open.len() < MOST => {
                open.extend(p[from + 1..to].split(',').take(MOST).map(|middle| format!("{}{middle}{}", &p[..from], &p[to + 1..])));
            }
            _ => done.push(p),
        }
    }
    done
}

/// Part by part, going back only to the last `**`: time is the product of the lengths, whatever the pattern.
fn under(pattern: &[&[u8]], path: &[&[u8]]) -> bool {
    wild(pattern, path, |p| *p == b"**", |p, part| part_matches(p, part))
}

fn part_matches(pattern: &[u8], part: &[u8]) -> bool {
    wild(pattern, part, |p| *p == b'*', |p, b| *p == b'?' || p == b)
}

fn wild<T>(pattern: &[T], text: &[T], any: impl Fn(&T) -> bool, same: impl Fn(&T, &T) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p).is_some_and(&any) {
            back = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|p| same(p, &text[t])) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            (p, t) = (star + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_package_managers_take_them_for() {
        let is = |patterns: &[&str], folder: &str| matches(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>(), folder);
        assert!(is(&["packages/*"], "packages/api"));
        assert!(!is(&["packages/*"], "packages/api/deep"));
        assert!(is(&["./packages/**"], "packages/api/deep"));
        assert!(is(&["**"], "a/b"));
        assert!(is(&["a/**/z"], "a/b/c/z"));
        assert!(is(&["lib-?-*"], "lib-1-x"));
        assert!(is(&["{apps,libs}/*/"], "libs/x"));
        assert!(!is(&["{apps,libs}/*"], "docs/x"));
        assert!(!is(&["packages/*", "!packages/old"], "packages/old"));
        assert!(is(&["docs"], "docs"));
    }

    #[test]
    fn patterns_made_to_be_slow_are_not() {
        let pattern = "a*".repeat(1000) + "b";
        assert!(!matches(&[pattern], &"a".repeat(4000)));
        assert!(alternatives(&"{a,b}".repeat(40)).len() <= 128);
    }
}
