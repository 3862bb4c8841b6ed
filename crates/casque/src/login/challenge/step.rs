//! What is asked of an unknown browser, harder with what its address owes.

use std::fmt;

/// One thing that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To wait so many seconds. Needs no script.
    Wait {
        /// Seconds, 1 to [`MAX_WAIT`].
        seconds: u16,
    },
    /// To find a number whose hash with the token begins with so many zero bits. Without script, a longer wait.
    ProofOfWork {
        /// Zero bits, 1 to [`MAX_BITS`]. Each doubles the work; 20 are a million tries, about a second on a desktop.
        bits: u8,
    },
    /// To satisfy a page of the operator, such as a captcha: see [`super::Vouching`].
    External {
        /// That page. The token is added to its query.
        url: HookUrl,
    },
    /// To sign in some other way, such as by a link in a mail. There is no way back from it to the password.
    StepUp {
        /// Where that begins.
        url: HookUrl,
    },
}

/// The most zero bits: 4 million tries on average, some twenty seconds on a phone.
pub const MAX_BITS: u8 = 22;
/// The most seconds of a wait.
pub const MAX_WAIT: u16 = 600;

impl Step {
    /// The step with its figures inside their bounds.
    pub(super) fn bounded(&self) -> Self {
        match self {
            Self::Wait { seconds } => Self::Wait { seconds: (*seconds).clamp(1, MAX_WAIT) },
            Self::ProofOfWork { bits } => Self::ProofOfWork { bits: (*bits).clamp(1, MAX_BITS) },
            other => other.clone(),
        }
    }
}

/// Seconds after which a browser is let through without this work: one without script, and one that is too slow for it. A wait
/// costs a program little, for it can wait in many places at once; so it is several times what the work takes.
pub(super) fn instead_of_work(bits: u8) -> u16 {
    match bits {
        0..=18 => 30,
        19..=20 => 60,
        _ => 120,
    }
}

/// Which step for which debt.
///
/// The debt is how many charged attempts still weigh on the client's address. Whoever wants to meet a flood of fresh addresses
/// with harder steps adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// From which debt on, in rising order.
    steps: Vec<(u32, Step)>,
}

impl Default for Escalation {
    /// Up to 2 failures, 5 seconds of waiting; then work: 18 bits (a quarter of a second on a desktop, one or two on a phone), 19
    /// from 6 failures on, 20 from 10, 21 from 14, and 22 from 18.
    fn default() -> Self {
        let work = |from, bits| (from, Step::ProofOfWork { bits });
        let steps = vec![(0, Step::Wait { seconds: 5 }), work(3, 18), work(6, 19), work(10, 20), work(14, 21), work(18, MAX_BITS)];
        Self { steps }
    }
}

impl Escalation {
    /// Always the same step.
    #[must_use]
    pub fn always(step: &Step) -> Self {
        Self { steps: vec![(0, step.bounded())] }
    }

    /// With another step from this debt on, in the place of all that came from there on.
    #[must_use]
    pub fn from_debt(mut self, debt: u32, step: &Step) -> Self {
        self.steps.retain(|(from, _)| *from < debt);
        self.steps.push((debt, step.bounded()));
        self
    }

    /// The step for a debt.
    #[must_use]
    pub fn step(&self, debt: u32) -> Step {
        let reached = self.steps.iter().rev().find(|(from, _)| *from <= debt).or_else(|| self.steps.first());
        reached.map_or(Step::Wait { seconds: 5 }, |(_, step)| step.clone())
    }
}

/// Where a page of the operator is: `https://…`, `http://…`, or a path of this site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookUrl(String);

impl HookUrl {
    /// Reads one.
    ///
    /// # Errors
    /// [`HookUrlError`] when it is neither, or has something else than visible ASCII in it, a `\`, or a fragment.
    pub fn parse(url: &str) -> Result<Self, HookUrlError> {
        let error = |problem| Err(HookUrlError { url: url.to_owned(), problem });
        if let Some(odd) = url.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '#')) {
            return error(Problem::Character(odd));
        }
        let absolute = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        match absolute {
            Some(rest) if rest.starts_with(['/', '?', ':', '@']) || rest.is_empty() => error(Problem::Host),
            Some(_) => Ok(Self(url.to_owned())),
            None if url.starts_with('/') && !url.starts_with("//") => Ok(Self(url.to_owned())),
            None => error(Problem::Form),
        }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL with a token in its query. A token has no character that means anything there.
    pub(super) fn with_token(&self, token: &str) -> String {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{separator}token={token}", self.0)
    }
}

/// A [`HookUrl`] that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookUrlError {
    url: String,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Character(char),
    Host,
    Form,
}

impl fmt::Display for HookUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match self.problem {
            Problem::Character(odd) => {
                write!(f, "{url:?} has the character {odd:?}, which cannot stand there; percent-encode it or leave it out")
            }
            Problem::Host => write!(f, "{url:?} names no host; write https://host/path"),
            Problem::Form => write!(f, "{url:?} is no page to send people to; write https://host/path, or /path for one of this site"),
        }
    }
}

impl std::error::Error for HookUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_get_harder_with_the_debt_and_never_easier() {
        let escalation = Escalation::default();
        assert_eq!(escalation.step(0), Step::Wait { seconds: 5 });
        assert_eq!(escalation.step(2), Step::Wait { seconds: 5 });
        assert_eq!(escalation.step(3), Step::ProofOfWork { bits: 18 });
        assert_eq!(escalation.step(13), Step::ProofOfWork { bits: 20 });
        assert_eq!(escalation.step(u32::MAX), Step::ProofOfWork { bits: 22 });
        let weight = |debt| match escalation.step(debt) {
            Step::ProofOfWork { bits } => bits,
            _ => 0,
        };
        assert!((0..100).all(|debt| weight(debt) <= weight(debt + 1)));
    }

    #[test]
    fn an_operator_puts_steps_of_his_own_on_top() {
        let captcha = Step::External { url: HookUrl::parse("https://captcha.example/").unwrap() };
        let mail = Step::StepUp { url: HookUrl::parse("/sign-in-by-mail").unwrap() };
        let escalation = Escalation::default().from_debt(8, &captcha).from_debt(20, &mail);
        assert_eq!(escalation.step(7), Step::ProofOfWork { bits: 19 });
        assert_eq!((escalation.step(8), escalation.step(19), escalation.step(20)), (captcha.clone(), captcha.clone(), mail));
        assert_eq!(Escalation::default().from_debt(0, &captcha).step(5), captcha);
        assert_eq!(Escalation::always(&Step::ProofOfWork { bits: 200 }).step(0), Step::ProofOfWork { bits: MAX_BITS });
        assert_eq!(Escalation::always(&Step::Wait { seconds: 0 }).step(9), Step::Wait { seconds: 1 });
        assert_eq!(Escalation::always(&captcha).from_debt(5, &Step::Wait { seconds: 9 }).step(4), captcha);
    }

    #[test]
    fn urls_of_the_operator() {
        for url in ["https://captcha.example", "http://localhost:8080/x?y=z", "/captcha"] {
            assert_eq!(HookUrl::parse(url).unwrap().as_str(), url);
        }
        for url in [
            "",
            "captcha",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://a/ b",
            "https://a/#x",
            "/a\r\nb",
        ] {
            assert!(HookUrl::parse(url).is_err(), "{url:?}");
        }
        assert_eq!(HookUrl::parse("/c").unwrap().with_token("t"), "/c?token=t");
        assert_eq!(HookUrl::parse("/c?a=b").unwrap().with_token("t"), "/c?a=b&token=t");
        assert_eq!(
            HookUrl::parse("captcha").unwrap_err().to_string(),
            "\"captcha\" is no page to send people to; write https://host/path, or /path for one of this site"
        );
    }
}
