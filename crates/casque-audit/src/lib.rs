//! The island: what a project depends on, read from its lockfiles, and what is known against it.
//!
//! This crate depends on nothing of ours and does no network. A lockfile is found ([`search`]), read from the disk ([`read`()]) or
//! from bytes ([`parse`]), and becomes a [`Graph`]: instances of packages, each with its place in the file, and who asked for whom.
//! Its packages are looked up in a database of advisories ([`db`]); what that finds ([`matching`]) becomes a [`report`], from which a
//! [`policy`] takes what its project has decided about.

pub mod ask;
pub mod cvss;
pub mod db;
pub mod diff;
mod discover;
mod error;
mod graph;
mod installed;
mod kind;
mod limits;
mod lockfile;
mod manifest;
pub mod matching;
mod nearest;
pub mod npm_view;
pub mod osv;
mod package;
mod place;
pub mod policy;
mod read;
pub mod report;
mod sbom;
pub mod supply;
mod text;
pub mod version;

pub use discover::{Found, Lockfile, Remark, discover, identify, kind_named, named, search, split_type};
pub use error::Error;
pub use graph::{Edge, EdgeKind, Graph, Instance, InstanceId, Marks, Needed, Note, NoteKind, Source};
pub use installed::Installed;
pub use kind::Kind;
pub use limits::Limits;
pub use lockfile::parse;
pub use manifest::{Manifest, Manifests};
pub use nearest::nearest;
pub use package::{Ecosystem, Package};
pub use place::Place;
pub use read::{manifests, manifests_among, read, read_stream};
