//! Real lockfiles and what other tools said about them, run against ours.
//!
//! They lie under the folder that `CASQUE_VECTORS` names (default: `shared` beside the checkout), never in the repository. Without
//! it this suite says what it left out and passes. Each group prints `N of M`; what may differ stands in a table with its reason.

#[macro_use]
#[path = "conformance/group.rs"]
mod group;
#[path = "conformance/semver.rs"]
mod semver;
