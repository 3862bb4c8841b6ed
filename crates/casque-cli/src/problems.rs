//! Problems of a file, drawn under their place.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use casque::config::{Problem, Severity};

use crate::printer;

/// Draws one problem as rustc would.
fn draw(path: &str, text: &str, problem: &Problem) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let span = visible(text, problem.span.clone());
    let mut annotation = AnnotationKind::Primary.span(span);
    if !problem.label.is_empty() {
        annotation = annotation.label(problem.label.as_str());
    }
    let snippet = Snippet::source(text).path(path).annotation(annotation);
    let group = level.primary_title(problem.message.as_str()).element(snippet);
    Renderer::styled().render(&[group])
}

/// The span cut to its first line: a table's span covers all of it, and its header is enough to find it.
fn visible(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = span.start.min(text.len());
    let line_end = text.get(start..).and_then(|t| t.find('\n')).map_or(text.len(), |i| start + i);
    start..span.end.clamp(start, line_end.max(start))
}

/// How many there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

/// Draws all problems on stderr and counts them.
pub(crate) fn print(path: &str, text: &str, problems: &[Problem]) -> Count {
    let mut count = Count::default();
    for problem in problems {
        match problem.severity {
            Severity::Error => count.errors += 1,
            Severity::Warning => count.warnings += 1,
        }
        printer::say(draw(path, text, problem));
    }
    count
}

impl Count {
    /// `2 errors and 1 warning`.
    pub(crate) fn in_words(self) -> String {
        let some = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        match (self.errors, self.warnings) {
            (e, 0) => some(e, "error"),
            (0, w) => some(w, "warning"),
            (e, w) => format!("{} and {}", some(e, "error"), some(w, "warning")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stands_under_its_place_with_line_column_and_caret() {
        let text = "[server]\nheader-timout = \"10s\"\n";
        let problem = Problem {
            severity: Severity::Error,
            span: 9..22,
            message: "unknown key `header-timout` in [server]".to_owned(),
            label: "did you mean `header-timeout`?".to_owned(),
        };
        let drawn = anstream::adapter::strip_str(&draw("casque.toml", text, &problem)).to_string();
        assert_eq!(
            drawn.lines().map(str::trim_end).collect::<Vec<_>>(),
            [
                "error: unknown key `header-timout` in [server]",
                " --> casque.toml:2:1",
                "  |",
                "2 | header-timout = \"10s\"",
                "  | ^^^^^^^^^^^^^ did you mean `header-timeout`?",
            ]
        );
    }

    #[test]
    fn spans_beyond_the_text_do_not_panic() {
        let problem = Problem { severity: Severity::Warning, span: 5..900, message: "x".to_owned(), label: String::new() };
        let _ = draw("f", "ab", &problem);
        let _ = draw("f", "", &problem);
        let _ = draw("f", "a\nb\nc\nd", &Problem { span: 0..7, ..problem });
    }
}
