//! Which versions of a package are affected, by asking for few of them.
//!
//! npm looks at the versions of each `major.minor` apart: where its first and its last release are affected, everything between
//! counts as affected; else it is halved and looked at again. Prereleases are asked for only at the ends, and elsewhere share the
//! answer of the release beside them (metavuln-calculator). The answers, and so the ranges, are npm's because the questions are.

use std::collections::VecDeque;
use std::ops::Range;

use super::releases::Releases;

/// What was found out about each version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sampled {
    /// The answers, where a question was asked.
    pub(super) tested: Vec<Option<bool>>,
    /// Those that are affected, or taken to be.
    pub(super) affected: Vec<bool>,
}

struct Sampling<'r, T> {
    releases: &'r Releases,
    test: T,
    out: Sampled,
}

/// Asks `test` about as few versions as npm does.
pub(super) fn sample(releases: &Releases, test: impl FnMut(usize) -> bool) -> Sampled {
    let count = releases.list.len();
    let out = Sampled { tested: vec![None; count], affected: vec![false; count] };
    let mut sampling = Sampling { releases, test, out };
    let mut open: VecDeque<Range<usize>> = VecDeque::new();
    let line = |n: usize| releases.list.get(n).and_then(|release| release.version.numbers()).map(|[major, minor, _]| (major, minor));
    let mut start = 0;
    for n in 1..=count {
        if n == count || line(n) != line(start) {
            open.push_back(start..n);
            start = n;
        }
    }
    while let Some(list) = open.pop_front() {
        open.extend(sampling.look_at(list).into_iter().flatten());
    }
    sampling.out
}

impl<T: FnMut(usize) -> bool> Sampling<'_, T> {
    /// Answers for a list that is not empty, or halves it.
    fn look_at(&mut self, list: Range<usize>) -> Option<[Range<usize>; 2]> {
        let last = list.end - 1;
        let (mut head, mut tail) = (list.start, last);
        let first_is = self.ask(head);
        while head < list.end && self.is_prerelease(head) {
            head += 1;
        }
        if head == list.end {
            head = list.start;
        } else if first_is {
            self.mark(list.start..head);
        }
        let last_is = self.ask(tail);
        while tail > head && self.is_prerelease(tail) {
            tail -= 1;
        }
        if tail == head {
            tail = last;
        } else if last_is {
            self.mark(tail + 1..list.end);
        }
        let head_is = if head == list.start { first_is } else { self.ask(head) };
        let tail_is = if tail == last { last_is } else { self.ask(tail) };
        if head_is && tail_is {
            self.mark(head..tail);
            return None;
        }
        if tail < head + 2 {
            return None;
        }
        let middle = list.start + list.len() / 2;
        Some([self.without_prereleases_at_end(list.start..middle), self.without_prereleases_at_start(middle..list.end)])
    }

    fn without_prereleases_at_end(&mut self, mut list: Range<usize>) -> Range<usize> {
        if !self.is_prerelease(list.start) {
            let is = self.ask(list.end - 1);
            while self.is_prerelease(list.end - 1) {
                list.end -= 1;
                if is {
                    self.mark(list.end..list.end + 1);
                }
            }
        }
        list
    }

    fn without_prereleases_at_start(&mut self, mut list: Range<usize>) -> Range<usize> {
        if !self.is_prerelease(list.end - 1) {
            let is = self.ask(list.start);
            while self.is_prerelease(list.start) {
                if is {
                    self.mark(list.start..list.start + 1);
                }
                list.start += 1;
            }
        }
        list
    }

    fn ask(&mut self, n: usize) -> bool {
        if let Some(known) = self.out.tested[n] {
            return known;
        }
        let answer = self.out.affected[n] || (self.test)(n);
        self.out.affected[n] |= answer;
        self.out.tested[n] = Some(answer);
        answer
    }

    fn mark(&mut self, range: Range<usize>) {
        self.out.affected[range].fill(true);
    }

    fn is_prerelease(&self, n: usize) -> bool {
        self.releases.list[n].is_prerelease()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::releases::Release;
    use super::*;

    fn releases(texts: &[&str]) -> Releases {
        Releases::new(texts.iter().map(|text| Release::new(text).unwrap()).collect(), Vec::new(), true)
    }

    #[test]
    fn only_what_npm_asks_about_is_asked() {
        let releases = releases(&["1.0.0-a", "1.0.0-b", "1.0.0", "1.0.1", "1.0.2-a", "1.0.2", "1.0.3", "1.1.0"]);
        let mut asked = Vec::new();
        let sampled = sample(&releases, |n| {
            asked.push(n);
            n < 4
        });
        assert_eq!(sampled.affected, [true, true, true, true, false, false, false, false]);
        assert_eq!(asked, [0, 6, 2, 3, 7, 4, 5]);
    }

    #[test]
    fn between_two_that_are_affected_all_are_taken_to_be() {
        let releases = releases(&["1.0.0", "1.0.1", "1.0.2", "1.1.0"]);
        assert_eq!(sample(&releases, |n| n == 0 || n == 2).affected, [true, true, true, false]);
    }

    proptest! {
        #[test]
        fn what_begins_and_ends_once_is_found(patches in 1usize..40, pre in any::<u64>(), from in 0usize..40, to in 0usize..40) {
            let texts: Vec<String> = (0..patches).map(|n| format!("1.0.{n}{}", if pre >> n & 1 == 1 { "-a" } else { "" })).collect();
            let releases = releases(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            // Up to a version, as advisories are.
            let sampled = sample(&releases, |n| n < to);
            for (n, release) in releases.list.iter().enumerate() {
                prop_assert!(release.is_prerelease() || sampled.affected[n] == (n < to), "{}", release.text);
            }
            let _ = sample(&releases, |n| n >= from && n < to);
        }
    }
}
