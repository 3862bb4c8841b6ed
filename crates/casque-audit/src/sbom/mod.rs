//! Software bills of materials, as if they were lockfiles. Of the ecosystems in them, those of npm and cargo are taken.

mod cyclonedx;
mod purl;
mod spdx;

use crate::graph::{Builder, NoteKind};

pub(crate) use cyclonedx::parse as cyclonedx;
pub(crate) use purl::Purl;
pub(crate) use spdx::parse as spdx;

/// Says how many entries were of other ecosystems, or of none.
fn left_out(b: &mut Builder<'_>, count: usize) {
    if count > 0 {
        b.note(None, NoteKind::LeftOut, format!("{count} entries have no package URL of npm or cargo and were left out"));
    }
}
