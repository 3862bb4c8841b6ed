//! A policy with a gap for the nonce, cut once, filled per response.

use super::policy::{Csp, Separator};

/// How casque writes "the nonce of this response" in a policy.
pub(super) const PLACEHOLDER: &str = "'nonce'";

/// The text of a policy, cut where the nonce goes: between any two pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<String>,
}

impl Csp {
    /// Whether a directive holds `'nonce'`, so that the policy needs a nonce per response.
    #[must_use]
    pub fn uses_nonce(&self) -> bool {
        self.directives.iter().flat_map(|d| &d.values).any(|v| v == PLACEHOLDER)
    }

    /// The policy as text with gaps for the nonce; without `'nonce'` in it a single piece.
    #[must_use]
    pub fn template(&self) -> Template {
        self.template_with(Separator::Spaced)
    }

    /// As [`Csp::template`], with that separator.
    #[must_use]
    pub fn template_with(&self, separator: Separator) -> Template {
        let mut pieces = Vec::new();
        let mut open = String::new();
        for (i, directive) in self.directives.iter().enumerate() {
            if i > 0 {
                open.push_str(separator.text());
            }
            open.push_str(&directive.name);
            for value in &directive.values {
                open.push(' ');
                if value == PLACEHOLDER {
                    open.push_str("'nonce-");
                    pieces.push(std::mem::replace(&mut open, "'".to_owned()));
                } else {
                    open.push_str(value);
                }
            }
        }
        pieces.push(open);
        Template { pieces }
    }
}

impl Template {
    /// The pieces, in order; there is always one. `'nonce-` and the closing quote belong to them.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// How many bytes the policy takes with a nonce of `nonce` bytes.
    #[must_use]
    pub fn len_with(&self, nonce: usize) -> usize {
        self.pieces.iter().map(String::len).sum::<usize>() + nonce * (self.pieces.len() - 1)
    }

    /// The policy of one response.
    ///
    /// Bytes of the nonce that are neither base64 nor base64url are left out: a nonce can never end the directive it stands in.
    #[must_use]
    pub fn render(&self, nonce: &str) -> String {
        let mut text = String::with_capacity(self.len_with(nonce.len()));
        for (i, piece) in self.pieces.iter().enumerate() {
            if i > 0 {
                text.extend(nonce.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=')));
            }
            text.push_str(piece);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gap_is_filled() {
        let csp = Csp::parse("script-src 'nonce' 'strict-dynamic'; style-src 'self' 'nonce'").unwrap();
        assert!(csp.uses_nonce());
        let template = csp.template();
        assert_eq!(template.pieces(), ["script-src 'nonce-", "' 'strict-dynamic'; style-src 'self' 'nonce-", "'"]);
        let text = template.render("aB3+/w==");
        assert_eq!(text, "script-src 'nonce-aB3+/w==' 'strict-dynamic'; style-src 'self' 'nonce-aB3+/w=='");
        assert_eq!(text.len(), template.len_with(8));
    }

    #[test]
    fn without_a_nonce_there_is_one_piece() {
        let csp = Csp::parse("default-src 'self'").unwrap();
        assert!(!csp.uses_nonce());
        assert_eq!(csp.template().pieces(), ["default-src 'self'"]);
        assert_eq!(csp.template().render("x"), "default-src 'self'");
    }

    #[test]
    fn a_nonce_cannot_break_out() {
        let template = Csp::parse("script-src 'nonce'").unwrap().template();
        assert_eq!(template.render("a'; img-src *\r\nx: y, z"), "script-src 'nonce-aimg-srcxyz'");
    }
}
