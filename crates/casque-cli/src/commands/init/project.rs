//! What kind of project lies in a folder, by its manifest.
//!
//! The manifest may be a stranger's. What is repeated of it, on a terminal and in the file that is written, is plain text: no
//! line break ends a comment there, no control byte reaches the terminal.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The frameworks whose habits are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framework {
    Express,
    Next,
    Fastify,
    Axum,
}

impl Framework {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Express => "Express",
            Self::Next => "Next.js",
            Self::Fastify => "Fastify",
            Self::Axum => "axum",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) framework: Option<Framework>,
    /// The command of package.json's `start` script, or its `main`.
    start: Option<String>,
    /// Packages that do in the app what casque does in front of it.
    pub(super) overlaps: Vec<&'static str>,
    /// What to tell.
    pub(super) said: Vec<String>,
}

impl Project {
    /// The command that starts it, as far as the manifest tells.
    pub(super) fn start_command(&self) -> Option<&str> {
        self.start.as_deref()
    }
}

pub(super) fn look(folder: &Path) -> Result<Project, String> {
    if let Some(text) = read(&folder.join("package.json"))? {
        return node(&text).map_err(|e| format!("`package.json` cannot be read: {e}"));
    }
    if let Some(text) = read(&folder.join("Cargo.toml"))? {
        return rust(&text).map_err(|e| format!("`Cargo.toml` cannot be read: {}", without_controls(&e.to_string())));
    }
    Ok(Project::default())
}

fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("cannot read `{}`: {e}", path.display())),
    }
}

/// An error that shows the line it is about.
fn without_controls(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "?")
}

fn node(text: &str) -> Result<Project, serde_json::Error> {
    let manifest: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let version = |name: &str| manifest["dependencies"][name].as_str().map(|v| v.escape_debug().to_string());
    let mut project = Project::default();
    // Next first: a Next project may have Express beside it, but it is Next that answers.
    for (package, framework) in [("next", Framework::Next), ("express", Framework::Express), ("fastify", Framework::Fastify)] {
        if let Some(version) = version(package) {
            project.framework = Some(framework);
            project.said.push(format!("{} {version} in `package.json`", framework.name()));
            break;
        }
    }
    for package in ["helmet", "@fastify/helmet", "express-rate-limit", "rate-limiter-flexible", "cookie-session", "express-session"] {
        if let Some(version) = version(package) {
            project.said.push(format!("{package} {version}"));
            project.overlaps.push(package);
        }
    }
    let script = manifest["scripts"]["start"].as_str();
    let main = manifest["main"].as_str();
    project.start = match (script, main) {
        (Some(_), _) => Some("npm start".to_owned()),
        (None, Some(main)) if is_plain_path(main) && main.ends_with("js") => Some(format!("node {main}")),
        _ => None,
    };
    Ok(project)
}

/// Whether a path can be shown as an argument in a command: nothing to quote, and no option.
fn is_plain_path(path: &str) -> bool {
    !path.starts_with('-') && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@+".contains(&b))
}

fn rust(text: &str) -> Result<Project, toml::de::Error> {
    let manifest = toml::de::DeTable::parse(text)?;
    let mut project = Project::default();
    let dependencies = manifest.get_ref().get("dependencies").and_then(|d| d.get_ref().as_table());
    if let Some(axum) = dependencies.and_then(|d| d.get("axum")) {
        let version = axum.get_ref().as_str().or_else(|| axum.get_ref().get("version")?.get_ref().as_str()).unwrap_or("");
        let version = version.escape_debug();
        project.framework = Some(Framework::Axum);
        project.said.push(format!("axum {version} in `Cargo.toml`").replace("  ", " "));
        project.start = Some("cargo run --release".to_owned());
    }
    Ok(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frameworks_are_known_by_their_package() {
        for (package, framework) in [("express", Framework::Express), ("next", Framework::Next), ("fastify", Framework::Fastify)] {
            let found = node(&format!("{{\"dependencies\":{{\"{package}\":\"^5\"}},\"main\":\"server.js\"}}")).unwrap();
            assert_eq!(found.framework, Some(framework));
            assert_eq!(found.start_command(), Some("node server.js"));
        }
        let both = node("{\"dependencies\":{\"express\":\"5\",\"next\":\"16\",\"helmet\":\"^8\"},\"scripts\":{\"start\":\"next start\"}}")
            .unwrap();
        assert_eq!((both.framework, both.start_command()), (Some(Framework::Next), Some("npm start")));
        assert_eq!(both.overlaps, ["helmet"]);
        assert_eq!(rust("[dependencies]\naxum = { version = \"0.8\" }\n").unwrap().said, ["axum 0.8 in `Cargo.toml`"]);
        assert_eq!(rust("[dependencies]\naxum.workspace = true\n").unwrap().framework, Some(Framework::Axum));
        assert_eq!(node("{}").unwrap(), Project::default());
    }

    #[test]
    fn a_hostile_manifest_is_repeated_as_plain_text_or_not_at_all() {
        let found = node(r#"{"dependencies":{"express":"\u001b[2J5\nfound"},"main":"x\n[[route]]\nlimits = []\n#.js"}"#).unwrap();
        assert_eq!((found.start_command(), found.said.len()), (None, 1));
        assert!(!found.said[0].contains(char::is_control), "{:?}", found.said);
        let main = |main: &str| node(&format!("{{\"main\":\"{main}\"}}")).unwrap().start;
        for hostile in ["-e.js", "a b.js", "$(x).js", "x;y.js", "`x`.js"] {
            assert_eq!(main(hostile), None, "{hostile}");
        }
        assert_eq!(main("./dist/src/main-1.mjs").as_deref(), Some("node ./dist/src/main-1.mjs"));
        assert_eq!(rust("[dependencies]\naxum = \"\\u001b[2J\"\n").unwrap().said, ["axum \\u{1b}[2J in `Cargo.toml`"]);
        assert_eq!(without_controls("a\u{1b}\nb"), "a?\nb");
    }

    #[test]
    fn broken_manifests_are_errors_not_panics() {
        assert!(node("{").is_err());
        assert!(rust("[").is_err());
        assert_eq!(node("[1]").unwrap(), Project::default());
        assert_eq!(node("{\"dependencies\":[]}").unwrap(), Project::default());
    }
}
