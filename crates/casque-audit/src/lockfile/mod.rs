//! One file for each format. Each reads text it must not trust into a [`Graph`], or says where it stopped understanding.
//!
//! **What a hostile lockfile may try**, and what becomes of it: memory is bounded by [`Limits`] before it is spent; nesting ends
//! before the stack does; lookups are hashed with random keys or walk a bounded chain; doubled keys are refused, as two readers
//! would read two lockfiles; a format newer than those known is refused rather than half read; a package that says it comes from
//! elsewhere is only believed if its address agrees, or it would hide from advisories; a package that no project reaches counts
//! as needed to run. No code of a package manager is run, and nothing is fetched.

mod bun;
mod cargo;
mod cargo_lines;
mod deno;
mod npm;
mod npm_old;
mod pnpm;
mod pnpm_key;
pub(crate) mod spec;
#[cfg(test)]
mod testing;
mod tree;
mod yarn;
mod yarn_berry;
mod yarn_classic;

use crate::error::Error;
use crate::graph::Graph;
use crate::kind::Kind;
use crate::limits::Limits;
use crate::manifest::Manifests;
use crate::sbom;
use crate::text;

/// Reads a lockfile from its bytes. `manifests` are used where the format does not say what projects ask for themselves.
///
/// # Errors
/// Too large, no UTF-8, a merge conflict, no such format, or a newer version of it. The error has line and column.
pub fn parse(kind: Kind, bytes: &[u8], manifests: &Manifests, limits: &Limits) -> Result<Graph, Error> {
    if bytes.len() as u64 > limits.bytes {
        return Err(too_large(bytes.len() as u64, limits));
    }
    let text = text::decode(bytes)?;
    let graph = match kind {
        Kind::NpmShrinkwrap | Kind::Npm | Kind::NpmInstalled => npm::parse(text, manifests, limits),
        Kind::YarnClassic => yarn_classic::parse(text, manifests, limits),
        Kind::YarnBerry => yarn_berry::parse(text, manifests, limits),
        Kind::Pnpm => pnpm::parse(text, limits),
        Kind::Bun => bun::parse(text, limits),
        Kind::Deno => deno::parse(text, limits),
        Kind::Cargo => cargo::parse(text, limits),
        Kind::CycloneDx => sbom::cyclonedx(text, limits),
        Kind::Spdx => sbom::spdx(text, limits),
    };
    graph.map_err(|fault| text::locate(text, fault))
}

pub(crate) fn too_large(bytes: u64, limits: &Limits) -> Error {
    Error::whole(format!(
        "the file has {} MiB, and {} is the limit; raise it if the file is yours",
        bytes.div_ceil(1 << 20),
        limits.bytes >> 20
    ))
}
