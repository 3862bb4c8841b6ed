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
    /// Where it was seen.
    pub url: String,
    /// How to mend it; `None` for what is well done or cannot be mended by a header.
    pub fix: Option<Fix>,
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
