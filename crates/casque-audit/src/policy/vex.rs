//! Why a vulnerability does no harm here, in the words of OpenVEX and CycloneDX.

/// A standard word for what was found out: a status, or the justification of `not_affected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vex {
    word: &'static str,
    openvex: (&'static str, Option<&'static str>),
    cyclonedx: (&'static str, Option<&'static str>),
}

/// `not_affected` in both, with the justification that each has for it. Where OpenVEX has none, its documents give the reason as the
/// impact statement instead.
const fn not_affected(word: &'static str, openvex: Option<&'static str>, cyclonedx: Option<&'static str>) -> Vex {
    Vex { word, openvex: ("not_affected", openvex), cyclonedx: ("not_affected", cyclonedx) }
}

const NOT_PRESENT: &str = "vulnerable_code_not_present";
const NOT_EXECUTED: &str = "vulnerable_code_not_in_execute_path";
const MITIGATED: &str = "inline_mitigations_already_exist";

impl Vex {
    /// Every word that is known: OpenVEX 0.2.0 (status, status justifications), CycloneDX 1.6 (`impactAnalysisState`,
    /// `impactAnalysisJustification`).
    pub const ALL: [Self; 20] = [
        not_affected("component_not_present", Some("component_not_present"), Some("code_not_present")),
        not_affected(NOT_PRESENT, Some(NOT_PRESENT), Some("code_not_present")),
        not_affected(NOT_EXECUTED, Some(NOT_EXECUTED), Some("code_not_reachable")),
        not_affected("vulnerable_code_cannot_be_controlled_by_adversary", Some("vulnerable_code_cannot_be_controlled_by_adversary"), None),
        not_affected(MITIGATED, Some(MITIGATED), Some("protected_by_mitigating_control")),
        not_affected("code_not_present", Some(NOT_PRESENT), Some("code_not_present")),
        not_affected("code_not_reachable", Some(NOT_EXECUTED), Some("code_not_reachable")),
        not_affected("requires_configuration", None, Some("requires_configuration")),
        not_affected("requires_dependency", None, Some("requires_dependency")),
        not_affected("requires_environment", None, Some("requires_environment")),
        not_affected("protected_by_compiler", Some(MITIGATED), Some("protected_by_compiler")),
        not_affected("protected_at_runtime", Some(MITIGATED), Some("protected_at_runtime")),
        not_affected("protected_at_perimeter", None, Some("protected_at_perimeter")),
        not_affected("protected_by_mitigating_control", Some(MITIGATED), Some("protected_by_mitigating_control")),
        not_affected("not_affected", None, None),
        Self { word: "false_positive", openvex: ("not_affected", None), cyclonedx: ("false_positive", None) },
        Self { word: "affected", openvex: ("affected", None), cyclonedx: ("exploitable", None) },
        Self { word: "exploitable", openvex: ("affected", None), cyclonedx: ("exploitable", None) },
        Self { word: "under_investigation", openvex: ("under_investigation", None), cyclonedx: ("in_triage", None) },
        Self { word: "in_triage", openvex: ("under_investigation", None), cyclonedx: ("in_triage", None) },
    ];

    /// The one with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vex| vex.word == word)
    }

    /// The word that it was named by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.word
    }

    /// OpenVEX: status, and justification where there is one.
    #[must_use]
    pub const fn openvex(self) -> (&'static str, Option<&'static str>) {
        self.openvex
    }

    /// CycloneDX: state of the analysis, and justification where there is one.
    #[must_use]
    pub const fn cyclonedx(self) -> (&'static str, Option<&'static str>) {
        self.cyclonedx
    }

    /// Whether it says for good that no harm is done, so that an end is not needed.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        self.openvex.0 == "not_affected"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_known_once_and_stands_for_itself_in_its_own_standard() {
        for vex in Vex::ALL {
            assert_eq!(Vex::named(vex.word()), Some(vex));
            let (status, state) = (vex.openvex(), vex.cyclonedx());
            let words = [Some(status.0), status.1, Some(state.0), state.1];
            assert!(words.contains(&Some(vex.word())), "{}", vex.word());
            // OpenVEX has justifications for `not_affected` alone.
            assert!(status.1.is_none() || vex.is_harmless(), "{}", vex.word());
        }
        assert_eq!(Vex::named("fixed"), None);
    }
}
