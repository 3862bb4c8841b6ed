//! How much of a hostile file is read before it is refused.

use crate::text::{Result, fault};

/// What a file may cost. Lockfiles come from pull requests of strangers, so each of these is met before memory is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file. Default 64 MiB; the largest lockfiles of public monorepos have 2 to 5.
    pub bytes: u64,
    /// Packages in a file. Default 200,000.
    pub packages: usize,
    /// Dependencies between them. Default 1,000,000.
    pub edges: usize,
    /// Folders looked at in search of lockfiles. Default 20,000.
    pub folders: usize,
    /// Levels of folders below the one that was named. Default 12.
    pub levels: usize,
}

impl Limits {
    /// Whether another package may be read after so many.
    pub(crate) fn more_packages(&self, at: usize, have: usize) -> Result<()> {
        if have >= self.packages {
            return fault(at, format!("more than {} packages; raise the limit if this file is yours", self.packages));
        }
        Ok(())
    }

    /// Whether another dependency may be read after so many.
    pub(crate) fn more_edges(&self, at: usize, have: usize) -> Result<()> {
        if have >= self.edges {
            return fault(at, format!("more than {} dependencies; raise the limit if this file is yours", self.edges));
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, packages: 200_000, edges: 1_000_000, folders: 20_000, levels: 12 }
    }
}
