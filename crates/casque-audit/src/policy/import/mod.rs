//! What other tools were told to ignore, as entries of the policy: read when somebody asks for it, once, never by the way.
//!
//! What cannot be carried over without hiding more than it did is left out, and a note says so at its place: ids that no public
//! database has (npm's numbers, Snyk's own), whole packages, patterns within names. Ignores of malware are never carried over.
//!
//! **Attacks and answers.** These files come with pull requests too. They are read up to [`MAX_BYTES`], with the readers that lockfiles
//! are read with: no nesting that the stack cannot carry, no alias that grows. Their text goes into casque.toml as strings in which
//! nothing can end the string ([`super::to_toml`]), and to a terminal escaped.

mod cargo;
mod draft;
mod managers;
mod npm;
mod osv_scanner;
mod snyk;
mod tree;
mod trivy;

use jiff::civil::Date;

use self::draft::Drafts;
use super::Ignore;
use crate::error::Error;
use crate::place::Place;
use crate::text::{self, Fault};

/// How much of a file is read. The largest of public projects have some tens of KiB.
pub const MAX_BYTES: usize = 1 << 20;

/// A tool that can be told to ignore findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Snyk's `.snyk`.
    Snyk,
    /// better-npm-audit's `.nsprc`.
    Nsprc,
    /// audit-ci's configuration.
    AuditCi,
    /// `osv-scanner.toml`.
    OsvScanner,
    /// Trivy's `.trivyignore`.
    Trivy,
    /// Trivy's `.trivyignore.yaml`.
    TrivyYaml,
    /// cargo-audit's `audit.toml`.
    CargoAudit,
    /// cargo-deny's `deny.toml`.
    CargoDeny,
    /// `auditConfig` in `pnpm-workspace.yaml`.
    Pnpm,
    /// `pnpm.auditConfig` in `package.json`.
    PnpmManifest,
    /// `npmAuditIgnoreAdvisories` in `.yarnrc.yml`.
    Yarn,
}

impl Tool {
    /// The names by which `TOOL:FILE` calls them.
    pub const NAMES: [(&'static str, Self); 11] = [
        ("snyk", Self::Snyk),
        ("nsprc", Self::Nsprc),
        ("audit-ci", Self::AuditCi),
        ("osv-scanner", Self::OsvScanner),
        ("trivy", Self::Trivy),
        ("trivy-yaml", Self::TrivyYaml),
        ("cargo-audit", Self::CargoAudit),
        ("cargo-deny", Self::CargoDeny),
        ("pnpm", Self::Pnpm),
        ("package-json", Self::PnpmManifest),
        ("yarn", Self::Yarn),
    ];

    /// Where the tools look for their files, from a project's folder.
    pub const FILES: [(&'static str, Self); 20] = [
        (".snyk", Self::Snyk),
        (".nsprc", Self::Nsprc),
        ("audit-ci.json", Self::AuditCi),
        ("audit-ci.jsonc", Self::AuditCi),
        ("audit-ci.json5", Self::AuditCi),
        (".audit-ci.json", Self::AuditCi),
        (".audit-ci.jsonc", Self::AuditCi),
        (".audit-ci.json5", Self::AuditCi),
        ("osv-scanner.toml", Self::OsvScanner),
        (".trivyignore", Self::Trivy),
        (".trivyignore.yaml", Self::TrivyYaml),
        (".trivyignore.yml", Self::TrivyYaml),
        (".cargo/audit.toml", Self::CargoAudit),
        ("audit.toml", Self::CargoAudit),
        ("deny.toml", Self::CargoDeny),
        (".deny.toml", Self::CargoDeny),
        (".cargo/deny.toml", Self::CargoDeny),
        ("pnpm-workspace.yaml", Self::Pnpm),
        ("package.json", Self::PnpmManifest),
        (".yarnrc.yml", Self::Yarn),
    ];

    /// The tool whose file has this name.
    #[must_use]
    pub fn of(file_name: &str) -> Option<Self> {
        let last = |path: &'static str| path.rsplit('/').next();
        Self::FILES.iter().find(|(path, _)| last(path) == Some(file_name)).map(|(_, tool)| *tool)
    }
}

/// What came of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// The entries that were carried over, in the file's order.
    pub ignores: Vec<Ignore>,
    /// What was not, or not as it stood.
    pub notes: Vec<Note>,
}

/// Something that was not carried over as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it stands.
    pub place: Place,
    /// What it is, why it was not, and what can be done. Text of the file in it is escaped and shortened.
    pub message: String,
}

/// Reads a file. `name` is what reasons and notes call it; entries that have ended before `today` are left out.
///
/// # Errors
/// It is too long, no text, or not what the tool writes; with the place.
pub fn import(tool: Tool, name: &str, bytes: &[u8], today: Date) -> Result<Imported, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::whole(format!("longer than {} KiB, which no list of ignores is", MAX_BYTES >> 10)));
    }
    let text = text::decode(bytes)?;
    let comment = if matches!(tool, Tool::Nsprc | Tool::AuditCi | Tool::PnpmManifest) { "//" } else { "#" };
    let mut drafts = Drafts::new(name, text, comment, today);
    let mut read = || -> Result<(), Fault> {
        match tool {
            Tool::Snyk => snyk::read(&tree::yaml(text)?, &mut drafts),
            Tool::Nsprc => npm::nsprc(&tree::json(text)?, &mut drafts),
            Tool::AuditCi => npm::audit_ci(&tree::json(text)?, &mut drafts),
            Tool::OsvScanner => osv_scanner::read(&tree::toml(text)?, &mut drafts),
            Tool::Trivy => trivy::lines(text, &mut drafts),
            Tool::TrivyYaml => trivy::yaml(&tree::yaml(text)?, &mut drafts),
            Tool::CargoAudit => cargo::audit(&tree::toml(text)?, &mut drafts),
            Tool::CargoDeny => cargo::deny(&tree::toml(text)?, &mut drafts),
            Tool::Pnpm => managers::pnpm(&tree::yaml(text)?, &mut drafts),
            Tool::PnpmManifest => managers::package_json(&tree::json(text)?, &mut drafts),
            Tool::Yarn => managers::yarn(&tree::yaml(text)?, &mut drafts),
        }
        Ok(())
    };
    read().map_err(|fault| text::locate(text, fault))?;
    Ok(drafts.finish())
}

#[cfg(test)]
mod tests;
