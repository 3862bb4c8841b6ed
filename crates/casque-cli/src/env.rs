//! The variables of the environment that casque reads, all of them.

use std::ffi::OsString;
use std::path::PathBuf;

/// The text of a variable that holds a secret; `None` where it is not set, empty, or no text.
pub(crate) fn secret(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok().filter(|text| !text.trim().is_empty())
}

/// The folder for what can be had again: `XDG_CACHE_HOME`, or else `.cache` in `HOME` (XDG Base Directory Specification). What is no
/// absolute path counts as not set.
pub(crate) fn cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
}

/// Where `casque db update` downloads from, if not from OSV's public export: `CASQUE_DB_URL`.
pub(crate) fn advisories() -> Option<OsString> {
    set(&["CASQUE_DB_URL"])
}

/// The proxy for https: `https_proxy`, or else `all_proxy`, in small or in capital letters as curl has them.
pub(crate) fn https_proxy() -> Option<OsString> {
    set(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
}

/// The hosts that are asked without a proxy: `no_proxy`.
pub(crate) fn no_proxy() -> Option<OsString> {
    set(&["no_proxy", "NO_PROXY"])
}

/// The first of some variables that is set to something.
fn set(names: &[&str]) -> Option<OsString> {
    names.iter().find_map(std::env::var_os).filter(|value| !value.is_empty())
}

/// The time to write into what should be the same on every run: `SOURCE_DATE_EPOCH`, seconds since 1970
/// (reproducible-builds.org/specs/source-date-epoch). Not set: the caller's own time.
pub(crate) fn source_date() -> Result<Option<jiff::Timestamp>, String> {
    let Some(text) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(None) };
    let time = text.to_str().and_then(|text| text.parse().ok()).and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or_else(|| "SOURCE_DATE_EPOCH is no number of seconds since 1970; set it to one, or not at all".to_owned())
}
