//! The recorded answers of other tools, held against ours.
//!
//! They lie in the folder that `CASQUE_VECTORS` names (default: `shared` beside the checkout), never in the repository. Without
//! it this suite says what it left out and passes. Each group prints `N of M`; what may differ stands in a table with its reason.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
#[path = "conformance/group.rs"]
mod group;
#[path = "conformance/lockfiles.rs"]
mod lockfiles;
#[path = "conformance/matching.rs"]
mod matching;
#[path = "conformance/npm.rs"]
mod npm;
#[path = "conformance/others.rs"]
mod others;
#[path = "conformance/project.rs"]
mod project;
#[path = "conformance/schemas.rs"]
mod schemas;
#[path = "conformance/semver.rs"]
mod semver;
