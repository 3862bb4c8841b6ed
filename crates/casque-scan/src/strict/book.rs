//! Where findings are written down and added up.
//!
//! **Attacks and answers.** A site decides how often it makes a mistake: a page can load forty thousand foreign scripts. Of each rule
//! ten findings are kept, the rest are counted; what is written down takes the same time however much there already is.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use crate::report::{Finding, Fix, Grade, Profile, Report, Severity};

/// Every test and the most it takes.
const TESTS: [(&str, i32); 19] = [
    ("content-security-policy", 25),
    ("cookies", 40),
    ("certificate", 20),
    ("strict-transport-security", 20),
    ("redirection", 20),
    ("framing", 20),
    ("cross-origin-resource-sharing", 50),
    ("page-content", 50),
    ("x-content-type-options", 5),
    ("referrer-policy", 5),
    ("cross-origin-opener-policy", 5),
    ("cross-origin-embedder-policy", 5),
    ("cross-origin-resource-policy", 5),
    ("permissions-policy", 5),
    ("caching", 20),
    ("information", 10),
    ("contradictions", 10),
    ("other-responses", 10),
    ("security-txt", 0),
];
/// What must be left for a bonus to count.
const BONUS_FROM: i32 = 90;

/// How many findings of one rule are kept.
const MOST_OF_A_RULE: usize = 10;

/// All that was found on one site.
#[derive(Debug)]
pub(super) struct Book {
    findings: Vec<Finding>,
    /// What was written down or counted, by rule and evidence. Hashes under a random key: evidence can be long.
    seen: HashSet<u64>,
    keys: RandomState,
    /// How many findings each rule has had.
    of_rule: HashMap<String, usize>,
    not_judged: Vec<String>,
}

impl Book {
    pub(super) fn new(notes: &[String]) -> Self {
        Self { findings: Vec::new(), seen: HashSet::new(), keys: RandomState::new(), of_rule: HashMap::new(), not_judged: notes.to_vec() }
    }

    /// Writes a finding down, once: the same on a second response is the same mistake. Of a rule that has ten already it is counted,
    /// and takes the place of the mildest only if it is worse.
    pub(super) fn add(&mut self, finding: Finding) {
        if !self.seen.insert(self.keys.hash_one((&finding.id, &finding.evidence))) {
            return;
        }
        let count = self.of_rule.entry(finding.id.clone()).or_default();
        *count += 1;
        if *count <= MOST_OF_A_RULE {
            self.findings.push(finding);
            return;
        }
        let mildest = self.findings.iter_mut().filter(|f| f.id == finding.id).max_by_key(|f| f.modifier);
        if let Some(mildest) = mildest.filter(|m| finding.modifier < m.modifier) {
            *mildest = finding;
        }
    }

    /// Says what could not be judged, and why.
    pub(super) fn leave_out(&mut self, what: impl Into<String>) {
        self.not_judged.push(what.into());
    }

    /// Whether a test has found nothing wrong so far.
    pub(super) fn is_clean(&self, test: &str) -> bool {
        !self.findings.iter().any(|f| f.test == test && f.modifier < 0)
    }

    /// The last finding of a rule says how many more there are.
    fn tell_of_the_rest(&mut self) {
        for (id, count) in &self.of_rule {
            let more = count.saturating_sub(MOST_OF_A_RULE);
            if let Some(last) = self.findings.iter_mut().rfind(|f| f.id == *id && more > 0) {
                last.title.push_str(&format!(" (and {more} more)"));
            }
        }
    }

    /// Adds up.
    pub(super) fn close(mut self, target: String) -> Report {
        self.findings.sort_by_key(|f| (f.pass, std::cmp::Reverse(f.severity), f.modifier));
        self.tell_of_the_rest();
        let mut left = TESTS;
        for finding in &mut self.findings {
            let Some((_, left)) = left.iter_mut().find(|(test, _)| *test == finding.test) else { continue };
            if finding.modifier < 0 {
                finding.modifier = finding.modifier.max(-*left);
                *left += finding.modifier;
            }
        }
        let penalised = 100 + self.findings.iter().map(|f| f.modifier.min(0)).sum::<i32>();
        if penalised < BONUS_FROM {
            self.findings.iter_mut().for_each(|f| f.modifier = f.modifier.min(0));
        }
        let score = 100 + self.findings.iter().map(|f| f.modifier).sum::<i32>();
        let score = u32::try_from(score).unwrap_or(0);
        Report {
            target,
            profile: Profile::Strict,
            grade: Grade::of_score(score),
            score,
            findings: self.findings,
            not_judged: self.not_judged,
        }
    }
}

/// Something that is wrong, and the points it takes.
pub(super) fn bad(test: &str, id: &str, severity: Severity, takes: i32, title: impl Into<String>, why: &str) -> Finding {
    Finding {
        id: id.to_owned(),
        test: test.to_owned(),
        severity,
        pass: false,
        modifier: -takes,
        title: title.into(),
        why: why.to_owned(),
        evidence: None,
        url: String::new(),
        fix: None,
    }
}

/// Something that is well done, and the points it adds.
pub(super) fn good(test: &str, id: &str, bonus: i32, title: impl Into<String>) -> Finding {
    Finding { pass: true, modifier: bonus, ..bad(test, id, Severity::Good, 0, title, "") }
}

impl Finding {
    pub(super) fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    pub(super) fn at(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    pub(super) fn mended_by(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(findings: impl IntoIterator<Item = Finding>) -> Report {
        let mut book = Book::new(&[]);
        findings.into_iter().for_each(|f| book.add(f));
        book.close(String::new())
    }

    #[test]
    fn a_test_takes_no_more_than_its_most_the_worst_first() {
        let low = bad("cookies", "a", Severity::Low, 20, "", "");
        let high = bad("cookies", "b", Severity::High, 30, "", "");
        let report = scored([low, high]);
        assert_eq!(report.findings.iter().map(|f| (f.id.as_str(), f.modifier)).collect::<Vec<_>>(), [("b", -30), ("a", -10)]);
        assert_eq!((report.score, report.grade), (60, Grade::CPlus));
    }

    #[test]
    fn bonuses_count_from_ninety_points_on() {
        let bonus = good("framing", "g", 5, "");
        assert_eq!(scored([bonus.clone(), bad("caching", "c", Severity::Low, 10, "", "")]).score, 95);
        let below = scored([bonus, bad("caching", "c", Severity::Low, 11, "", "")]);
        assert_eq!((below.score, below.findings.last().unwrap().modifier), (89, 0));
    }

    #[test]
    fn nothing_is_less_than_zero_points() {
        let report = scored(TESTS.map(|(test, most)| bad(test, test, Severity::High, most + 10, "", "")));
        assert_eq!((report.score, report.grade), (0, Grade::F));
    }

    #[test]
    fn of_a_rule_ten_are_kept_the_worst_among_them_and_the_rest_counted() {
        let many = (0..5000).map(|n| bad("page-content", "p", Severity::Low, 1, "Open", "").seen(n.to_string()));
        let worst = bad("page-content", "p", Severity::High, 50, "Open", "").seen("the worst comes last");
        let report = scored(many.chain([worst, bad("caching", "c", Severity::Low, 1, "Kept", "")]));
        assert_eq!(report.findings.len(), 11);
        assert_eq!(report.findings[0].modifier, -50);
        let more: Vec<&str> = report.findings.iter().map(|f| f.title.as_str()).filter(|t| *t != "Open").collect();
        assert_eq!(more, ["Open (and 4991 more)", "Kept"]);
    }

    #[test]
    fn the_same_mistake_is_written_down_once() {
        let one = || bad("caching", "c", Severity::Low, 5, "", "").seen("X: 1");
        assert_eq!(scored([one(), one().at("elsewhere"), one().seen("X: 2")]).findings.len(), 2);
    }
}
