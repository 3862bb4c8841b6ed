//! casque.toml from the disk to a policy.

use std::path::{Path, PathBuf};

use casque::config::{Document, Problem, Severity};
use casque_gateway::policy::Overrides;
use casque_gateway::{Config, Policy};

use crate::commands::audit::section;
use crate::login_secret;
use crate::problems::{self, Count};

/// The name that is looked for where none is given.
pub(crate) const DEFAULT_NAME: &str = "casque.toml";

/// A policy file in hand: its name and its text. Without a file, the defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct PolicyFile {
    pub(crate) path: Option<PathBuf>,
    text: String,
}

/// Everything that reading a file gives.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) config: Config,
    /// `None` when the file names no upstream and nobody else does.
    pub(crate) policy: Option<Policy>,
    pub(crate) audit: Option<section::Written>,
    pub(crate) count: Count,
}

impl PolicyFile {
    /// The file that was named, or `casque.toml` if it is there, or the defaults.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self, String> {
        match named {
            Some(path) => Self::open(path),
            None if Path::new(DEFAULT_NAME).is_file() => Self::open(Path::new(DEFAULT_NAME)),
            None => Ok(Self::default()),
        }
    }

    /// Reads a file.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            format!("`{}` is not UTF-8 text: byte {} is not", path.display(), at + 1)
        })?;
        Ok(Self { path: Some(path.to_owned()), text })
    }

    /// Reads the same file again. Where there was none, one may have been written since.
    pub(crate) fn again(&self) -> Result<Self, String> {
        Self::find(self.path.as_deref())
    }

    /// A place in the file as people say it: `casque.toml:12`.
    pub(crate) fn place(&self, at: usize) -> String {
        let line = self.text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
        let name = self.path.as_deref().and_then(Path::file_name).map_or_else(|| DEFAULT_NAME.into(), |n| n.to_string_lossy());
        format!("{name}:{line}")
    }

    /// Whether it says where the app is, or where each route's is.
    pub(crate) fn names_upstream(&self) -> bool {
        let (config, _) = sections(&Document::parse(&self.text));
        config.upstream.url.is_some() || config.routes.iter().any(|r| r.upstream.is_some())
    }

    /// Where it says that a running gateway is asked.
    pub(crate) fn admin_socket(&self) -> Option<PathBuf> {
        Config::read(&Document::parse(&self.text)).admin.socket
    }

    /// Reads what is written, draws all problems, and gives what runs.
    pub(crate) fn read(&self, over: &Overrides) -> Read {
        let document = Document::parse(&self.text);
        let (config, audit) = sections(&document);
        let over = Overrides { login_secrets: login_secret::find(&config.login_secret, &document), ..over.clone() };
        let policy = Policy::compile(&config, &over, &document);
        let count = problems::print(&self.name(), &self.text, &document.problems());
        Read { config, policy, audit, count }
    }

    /// Reads what `casque audit` goes by. All of the file must be right all the same; what could be safer elsewhere is for
    /// `casque check` to say.
    pub(crate) fn audit(&self) -> Result<section::Written, String> {
        let document = Document::parse(&self.text);
        let (_, audit) = sections(&document);
        let errors: Vec<Problem> = document.problems().into_iter().filter(|problem| problem.severity == Severity::Error).collect();
        if errors.is_empty() {
            return Ok(audit.unwrap_or_default());
        }
        let count = problems::print(&self.name(), &self.text, &errors);
        Err(format!("`{}` has {}", self.name(), count.in_words()))
    }

    /// The file with another text.
    pub(crate) fn with(&self, path: &Path, text: String) -> Self {
        Self { path: Some(self.path.clone().unwrap_or_else(|| path.to_owned())), text }
    }

    /// A path as the file would name it: from its folder down, where it is below that.
    pub(crate) fn seen_from_folder(&self, path: &Path) -> String {
        let folder = self.path.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let whole = |path: &Path| std::fs::canonicalize(path).ok();
        let inside = whole(path).and_then(|path| Some(path.strip_prefix(whole(folder)?).ok()?.display().to_string()));
        inside.unwrap_or_else(|| path.display().to_string())
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Its name as it was given.
    pub(crate) fn name(&self) -> String {
        self.path.as_deref().map_or_else(|| DEFAULT_NAME.to_owned(), |path| path.display().to_string())
    }
}

/// Every section of the file. Each part reads its own; here they meet, so that a key which nobody knows is an error to all.
fn sections(document: &Document<'_>) -> (Config, Option<section::Written>) {
    let mut root = document.root();
    let config = Config::read_from(&mut root);
    let audit = root.section("audit").map(section::read);
    root.finish();
    (config, audit)
}
