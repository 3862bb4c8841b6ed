//! The island: what a project depends on, read from its lockfiles.
//!
//! This crate depends on nothing of ours and does no network. So far it finds lockfiles and tells their kinds apart
//! ([`discover`]); matching them against advisories is built on that.

pub mod cvss;
pub mod db;
mod discover;
mod error;
mod graph;
mod limits;
mod lockfile;
mod manifest;
pub mod matching;
pub mod osv;
mod package;
mod place;
mod text;
pub mod version;

pub use discover::{Kind, Lockfile, discover};
pub use error::Error;
pub use graph::{Edge, EdgeKind, Graph, Instance, InstanceId, Marks, Needed, Note, NoteKind, Source};
pub use limits::Limits;
pub use lockfile::parse;
pub use manifest::{Manifest, Manifests};
pub use package::{Ecosystem, Package};
pub use place::Place;
