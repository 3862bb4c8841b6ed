//! The variables of the environment that casque reads, all of them.

use std::path::PathBuf;

/// The text of a variable that holds a secret; `None` where it is not set, empty, or no text.
pub(crate) fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// The folder for what can be had again: `XDG_CACHE_HOME`, or else `.cache` in `HOME` (XDG Base Directory Specification). What is no
/// absolute path counts as not set.
pub(crate) fn cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
}
