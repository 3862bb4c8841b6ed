//! The island: what a project depends on, read from its lockfiles, and what is known against it.
//!
//! This crate depends on nothing of ours and does no network. A lockfile is found ([`search`]), read from the disk ([`read`()]) or
//! from bytes ([`parse`]), and becomes a [`Graph`]: instances of packages, each with its place in the file, and who asked for whom.
//! Its packages are looked up in a database of advisories ([`db`]); what that finds ([`matching`]) becomes a [`report`].

pub mod cvss;
pub mod db;
mod discover;
mod error;
mod graph;
mod kind;
mod limits;
mod lockfile;
mod manifest;
pub mod matching;
pub mod npm_view;
pub mod osv;
mod package;
mod place;
mod read;
pub mod report;
mod sbom;
mod text;
pub mod version;

pub use discover::{Found, Lockfile, Remark, discover, identify, named, search, split_type};
pub use error::Error;
pub use graph::{Edge, EdgeKind, Graph, Instance, InstanceId, Marks, Needed, Note, NoteKind, Source};
pub use kind::Kind;
pub use limits::Limits;
pub use lockfile::parse;
pub use manifest::{Manifest, Manifests};
pub use package::{Ecosystem, Package};
pub use place::Place;
pub use read::{manifests, read};
