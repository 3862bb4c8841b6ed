//! How much of a hostile file is read before it is refused.

/// What a file may cost. Lockfiles come from pull requests of strangers, so each of these is met before memory is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file. Default 64 MiB; the largest lockfiles of public monorepos have 2 to 5.
    pub bytes: u64,
    /// Packages in a file. Default 200,000.
    pub packages: usize,
    /// Dependencies between them. Default 2,000,000.
    pub edges: usize,
    /// Folders looked at in search of lockfiles. Default 20,000.
    pub folders: usize,
    /// Levels of folders below the one that was named. Default 12.
    pub levels: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, packages: 200_000, edges: 2_000_000, folders: 20_000, levels: 12 }
    }
}
