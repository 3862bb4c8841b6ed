//! What people ask of a lockfile besides what is wrong with it: why a package is there, what an advisory is about, who asks for
//! whom, under which licences. Answers are values first, and text for people or JSON afterwards. Pure.
//!
//! **Attacks and answers.** A lockfile can hold more ways to a package than there are atoms, chains as long as the file, and a
//! hundred thousand copies of one name. Ways are counted without being walked and some are shown; every list that text or JSON
//! carries ends at a bound and says how many it left out. Names are shown as the report shows them: nothing in them acts.

mod explain;
mod licenses;
mod query;
mod tree;
mod why;

pub use explain::{Explanation, Held, explain};
pub use licenses::{Licenses, licenses};
pub use query::Query;
pub use tree::{Node, Tree, TreeOptions, tree};
pub use why::{Asked, Reason, Step, Why, why};

/// How an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// For a person at a terminal.
    #[default]
    Text,
    /// For programs: versioned, and described in docs/reference/audit.md.
    Json,
}

impl Form {
    /// Both by the names they are chosen by.
    pub const NAMES: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

/// The version of the answers' JSON.
const SCHEMA: u32 = 1;

/// JSON in its final form: nothing in it steers a terminal.
fn finish(value: &serde_json::Value) -> String {
    crate::report::clean::json(&format!("{value:#}")) + "\n"
}
