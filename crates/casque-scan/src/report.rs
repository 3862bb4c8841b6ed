//! What a grader has to say.

/// One site, graded.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The address that was graded.
    pub target: String,
    /// Which rules were used.
    pub profile: Profile,
    /// A+ to F.
    pub grade: Grade,
    /// The points behind the grade.
    pub score: u32,
    /// What was found: mistakes first (worst first), then what is well done.
    pub findings: Vec<Finding>,
    /// What could not be judged, and why: a preload list that was not given, a probe that got no answer.
    pub not_judged: Vec<String>,
}

/// The rules a site is graded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// The MDN HTTP Observatory's algorithm 6, bit-exact.
    Mdn,
    /// The same scale, with the Observatory's mistakes mended and much more looked at.
    #[default]
    Strict,
}

impl Profile {
    /// Every profile by the name it is chosen by.
    pub const NAMES: [(&'static str, Self); 2] = [("strict", Self::Strict), ("mdn", Self::Mdn)];

    /// The name it is chosen by.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, p)| *p == self).map_or("strict", |(n, _)| n)
    }
}

/// A grade; a greater one is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    F,
    DMinus,
    D,
    DPlus,
    CMinus,
    C,
    CPlus,
    BMinus,
    B,
    BPlus,
    AMinus,
    A,
    APlus,
}

/// How bad a finding is; a greater one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Well done.
    Good,
    /// Worth knowing.
    Info,
    /// A defence that is missing or weak.
    Low,
    /// A defence that most sites need is missing.
    Medium,
    /// An attack is open.
    High,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 5] = [Self::High, Self::Medium, Self::Low, Self::Info, Self::Good];

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
            Self::Good => "good",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule, stable over versions: `csp-not-implemented`, `cookies-session-without-httponly-flag`.
    pub id: String,
    /// The test it belongs to: `content-security-policy`, `cookies`.
    pub test: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the test counts as passed.
    pub pass: bool,
    /// What it did to the score.
    pub modifier: i32,
    /// One sentence: what is wrong (or right).
    pub title: String,
    /// Why that matters: what an attacker does with it. Empty for what is well done.
    pub why: String,
    /// The header line, cookie or address that it was seen in. Hostile text: escape it wherever it is shown.
    pub evidence: Option<String>,
    /// Where it was seen; empty for a response whose address is not known.
    pub url: String,
    /// How to mend it; `None` for what is well done or cannot be mended by a header.
    pub fix: Option<Fix>,
}

impl Finding {
    /// Where it was seen, if that is known.
    pub(crate) fn place(&self) -> Option<&str> {
        (!self.url.is_empty()).then_some(self.url.as_str())
    }
}

/// The same remedy for different servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fix {
    /// Lines of casque.toml.
    pub casque: String,
    /// An Express app's call, with helmet where helmet can do it.
    pub express: String,
    /// nginx.
    pub nginx: String,
    /// A Caddyfile.
    pub caddy: String,
}

impl Fix {
    /// The remedies with the names of what they are for; those that do not exist are left out.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("casque.toml", self.casque.as_str()),
            ("Express", self.express.as_str()),
            ("nginx", self.nginx.as_str()),
            ("Caddyfile", self.caddy.as_str()),
        ];
        all.into_iter().filter(|(_, text)| !text.is_empty())
    }
}
