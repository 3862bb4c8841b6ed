//! The patterns of workspaces: `*` within a part of a path, `**` for any parts, `?` for one byte, `{a,b}` for either.

/// Patterns made ready. What they cost is counted over all folders: a list of patterns and folders made for each other could keep a
/// matcher busy for hours.
#[derive(Debug)]
pub(crate) struct Patterns<'p> {
    list: Vec<Pattern<'p>>,
    steps: u64,
}

#[derive(Debug)]
struct Pattern<'p> {
    text: &'p str,
    /// `!pattern` takes folders out again.
    takes_out: bool,
    /// Without braces, by parts.
    alternatives: Vec<Vec<Vec<u8>>>,
}

/// The patterns were too costly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooCostly;

impl<'p> Patterns<'p> {
    const STEPS: u64 = 50_000_000;

    pub(crate) fn new(patterns: &'p [String]) -> Self {
        let list = patterns.iter().map(|written| {
            let (takes_out, text) = written.strip_prefix('!').map_or((false, written.as_str()), |text| (true, text));
            let alternatives = alternatives(text).iter().map(|p| split(p).map(<[u8]>::to_vec).collect()).collect();
            Pattern { text, takes_out, alternatives }
        });
        Self { list: list.collect(), steps: Self::STEPS }
    }

    /// The patterns that bring folders in, without their braces undone.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'p str> {
        self.list.iter().filter(|p| !p.takes_out).map(|p| p.text)
    }

    /// Whether a folder is meant: the last pattern that matches decides.
    pub(crate) fn matches(&mut self, folder: &str) -> Result<bool, TooCostly> {
        let parts: Vec<&[u8]> = split(folder).collect();
        let mut is_meant = false;
        for pattern in &self.list {
            if is_meant == pattern.takes_out {
                for alternative in &pattern.alternatives {
                    if under(alternative, &parts, &mut self.steps)? {
                        is_meant = !pattern.takes_out;
                        break;
                    }
                }
            }
        }
        Ok(is_meant)
    }
}

fn split(path: &str) -> impl Iterator<Item = &[u8]> {
    path.split('/').filter(|p| !p.is_empty() && *p != ".").map(str::as_bytes)
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
                open.extend(p[from + 1..to].split(',').take(MOST).map(|middle| [&p[..from], middle, &p[to + 1..]].concat()));
            }
            _ => done.push(p),
        }
    }
    done
}

fn under(pattern: &[Vec<u8>], path: &[&[u8]], steps: &mut u64) -> Result<bool, TooCostly> {
    wild(pattern, path, |p| p == b"**", |p, part, steps| wild(p, part, |p| *p == b'*', |p, b, _| Ok(*p == b'?' || p == b), steps), steps)
}

/// Goes back only to the last wildcard: time is the product of the lengths, whatever the pattern.
fn wild<P, T>(
    pattern: &[P],
    text: &[T],
    any: impl Fn(&P) -> bool,
    same: impl Fn(&P, &T, &mut u64) -> Result<bool, TooCostly>,
    steps: &mut u64,
) -> Result<bool, TooCostly> {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        *steps = steps.checked_sub(1).ok_or(TooCostly)?;
        let at = pattern.get(p);
        if at.is_some_and(&any) {
            back = Some((p, t));
            p += 1;
        } else if let Some(at) = at
            && same(at, &text[t], steps)?
        {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            (p, t) = (star + 1, from + 1);
        } else {
            return Ok(false);
        }
    }
    Ok(pattern[p..].iter().all(any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_package_managers_take_them_for() {
        let is = |patterns: &[&str], folder: &str| {
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            Patterns::new(&patterns).matches(folder).unwrap()
        };
        assert!(is(&["packages/*"], "packages/api"));
        assert!(!is(&["packages/*"], "packages/api/deep"));
        assert!(is(&["./packages/**"], "packages/api/deep"));
        assert!(is(&["**"], "a/b"));
        assert!(is(&["a/**/z"], "a/b/c/z"));
        assert!(is(&["lib-?-*"], "lib-1-x"));
        assert!(is(&["{apps,libs}/*/"], "libs/x"));
        assert!(!is(&["{apps,libs}/*"], "docs/x"));
        assert!(!is(&["packages/*", "!packages/old"], "packages/old"));
        assert!(is(&["packages/*", "!packages/*", "packages/new"], "packages/new"));
        assert!(is(&["docs"], "docs"));
        assert!(!is(&[], "docs"));
    }

    #[test]
    fn patterns_made_to_be_slow_are_given_up() {
        let patterns = vec!["a*".repeat(1000) + "b"; 1000];
        let mut patterns = Patterns::new(&patterns);
        let tries = (0..1000).take_while(|_| patterns.matches(&"a".repeat(4000)) == Ok(false)).count();
        assert!(tries < 20, "{tries}");
        assert!(alternatives(&"{a,b}".repeat(40)).len() <= 128);
    }
}
