//! The variables of the environment that casque reads, all of them.

use std::path::PathBuf;

/// The variable of this name, which the policy file writes as `env:NAME`. One that is empty or no text counts as not set.
///
/// Besides those that a file names, `CASQUE_REDIS_URL` and `CASQUE_SECRET` say where limits are kept and what their names are
/// hashed under, where the file says nothing of it.
pub(crate) fn named(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
}

/// The folder for what can be had again: `XDG_CACHE_HOME`, or else `.cache` in `HOME` (XDG Base Directory Specification). What is no
/// absolute path counts as not set.
pub(crate) fn cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
}
