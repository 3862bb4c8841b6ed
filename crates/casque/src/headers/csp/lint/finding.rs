//! What a linter says about a policy.

use std::fmt;

/// How bad a finding is, the worst first. The steps are those of csp-evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The policy does not stop what it is there to stop.
    High,
    /// Browsers do not read it as it was meant.
    Syntax,
    /// A weakness that takes something more to be used.
    Medium,
    /// High, if what cannot be seen from here is so.
    HighMaybe,
    /// Advice on the way to a policy of nonces or hashes.
    StrictCsp,
    /// Medium, if what cannot be seen from here is so.
    MediumMaybe,
    /// To be known.
    Info,
    /// Nothing to do.
    None,
}

impl Severity {
    /// Their names in csp-evaluator.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("HIGH", Self::High),
        ("SYNTAX", Self::Syntax),
        ("MEDIUM", Self::Medium),
        ("HIGH_MAYBE", Self::HighMaybe),
        ("STRICT_CSP", Self::StrictCsp),
        ("MEDIUM_MAYBE", Self::MediumMaybe),
        ("INFO", Self::Info),
        ("NONE", Self::None),
    ];

    /// Its name in csp-evaluator.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What a finding is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind {
            $($(#[$doc])* $kind,)*
        }

        impl FindingKind {
            /// Its name in reports; for those that csp-evaluator has, the one it has there.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// A directive's name among the values of another.
    MissingSemicolon = "MISSING_SEMICOLON",
    /// A directive that there is not.
    UnknownDirective = "UNKNOWN_DIRECTIVE",
    /// A word in quotes that there is not, or a word without the quotes it needs.
    InvalidKeyword = "INVALID_KEYWORD",
    /// A nonce of other letters than base64 has.
    NonceCharset = "NONCE_CHARSET",
    /// A directive without which the policy stops no script.
    MissingDirectives = "MISSING_DIRECTIVES",
    /// Inline scripts run.
    ScriptUnsafeInline = "SCRIPT_UNSAFE_INLINE",
    /// Texts run as scripts.
    ScriptUnsafeEval = "SCRIPT_UNSAFE_EVAL",
    /// Handlers run by their hash.
    ScriptUnsafeHashes = "SCRIPT_UNSAFE_HASHES",
    /// A whole scheme where scripts come from.
    PlainUrlSchemes = "PLAIN_URL_SCHEMES",
    /// Everything where scripts come from.
    PlainWildcard = "PLAIN_WILDCARD",
    /// A host from which scripts of others can be had.
    ScriptAllowlistBypass = "SCRIPT_ALLOWLIST_BYPASS",
    /// A host from which plug-ins of others can be had.
    ObjectAllowlistBypass = "OBJECT_ALLOWLIST_BYPASS",
    /// A nonce that can be guessed.
    NonceLength = "NONCE_LENGTH",
    /// An address instead of a name.
    IpSource = "IP_SOURCE",
    /// A directive that browsers no longer heed.
    DeprecatedDirective = "DEPRECATED_DIRECTIVE",
    /// A source or a report's way without encryption.
    SrcHttp = "SRC_HTTP",
    /// Hosts where nonces would be safer.
    StrictDynamic = "STRICT_DYNAMIC",
    /// `'strict-dynamic'` without anything that is trusted to begin with.
    StrictDynamicNotStandalone = "STRICT_DYNAMIC_NOT_STANDALONE",
    /// Old browsers would run no inline script.
    UnsafeInlineFallback = "UNSAFE_INLINE_FALLBACK",
    /// Old browsers would load no script.
    AllowlistFallback = "ALLOWLIST_FALLBACK",
    /// A value that counts for nothing.
    Ignored = "IGNORED",
    /// Texts reach dangerous places of the DOM unchecked.
    RequireTrustedTypesForScripts = "REQUIRE_TRUSTED_TYPES_FOR_SCRIPTS",
    /// Nobody learns of violations.
    ReportingDestinationMissing = "REPORTING_DESTINATION_MISSING",
    /// Some browsers report nowhere.
    ReportToOnly = "REPORT_TO_ONLY",
    /// Anyone's inline styles apply.
    StyleUnsafeInline = "STYLE_UNSAFE_INLINE",
    /// Forms may send to anywhere.
    FormActionOpen = "FORM_ACTION_OPEN",
    /// The page may be framed by anyone.
    FrameAncestorsOpen = "FRAME_ANCESTORS_OPEN",
    /// Nothing rules `<base>`.
    BaseUriMissing = "BASE_URI_MISSING",
    /// What the policy does not name is not restricted.
    DefaultSrcMissing = "DEFAULT_SRC_MISSING",
    /// What an attacker has read in the page can be sent to anywhere.
    ExfiltrationOpen = "EXFILTRATION_OPEN",
    /// Scripts from data that scripts have made.
    LocalScheme = "LOCAL_SCHEME",
    /// A host on which anyone can have a name or a file.
    SharedHost = "SHARED_HOST",
    /// A whole scheme without encryption.
    InsecureScheme = "INSECURE_SCHEME",
    /// Handlers are ruled otherwise than elements.
    ScriptAttributes = "SCRIPT_ATTRIBUTES",
    /// A word where it means nothing.
    MisplacedKeyword = "MISPLACED_KEYWORD",
    /// A hash that matches nothing.
    IncompleteHash = "INCOMPLETE_HASH",
    /// A sandbox that the page can leave.
    SandboxEscape = "SANDBOX_ESCAPE",
    /// Reports could say more.
    ReportDetail = "REPORT_DETAIL",
    /// A header that proxies may refuse.
    PolicyLength = "POLICY_LENGTH",
}

/// Something that a linter has to say about a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// How bad it is.
    pub severity: Severity,
    /// The directive it is about, whether or not it is there.
    pub directive: String,
    /// The value it is about.
    pub value: Option<String>,
    /// What is wrong: a sentence without its full stop.
    pub description: String,
    /// What to do. May be empty.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.directive, self.description)
    }
}

/// Findings being collected, none twice.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    seen: std::collections::HashSet<(FindingKind, String, Option<String>)>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        kind: FindingKind,
        severity: Severity,
        directive: &str,
        value: Option<&str>,
        description: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let key = (kind, directive.to_owned(), value.map(str::to_owned));
        if self.seen.insert(key.clone()) {
            let (kind, directive, value) = key;
            self.findings.push(Finding { kind, severity, directive, value, description: description.into(), remedy: remedy.into() });
        }
    }

    pub(super) fn finish(self) -> Vec<Finding> {
        self.findings
    }
}
