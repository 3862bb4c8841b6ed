//! Lists of what is exploited, which their publishers renew every day: EPSS and KEV, from files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use casque_audit::matching::{Context, Epss, Kev};
use casque_scan::render::one_line;
use clap::Args;
use jiff::Timestamp;

use crate::cli::named;

/// The longest list that is read: five times what they have in 2026.
const MAX: u64 = 64 << 20;

#[derive(Debug, Args)]
#[command(next_help_heading = "What is exploited")]
pub(crate) struct ListArgs {
    /// FIRST's EPSS list (CSV, gzip or not): how likely it is that each is exploited soon
    #[arg(long, value_name = "FILE")]
    epss: Option<PathBuf>,

    /// CISA's KEV catalogue (JSON): which are known to be exploited
    #[arg(long, value_name = "FILE")]
    kev: Option<PathBuf>,

    /// What comes first: the most severe, or what these lists show to be in danger
    #[arg(long, value_name = "NAME", default_value = "severity", value_parser = named(&Order::NAMES))]
    pub(super) order: Order,
}

/// What comes first, after malware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Severity,
    Risk,
}

impl Order {
    const NAMES: [(&'static str, Self); 2] = [("severity", Self::Severity), ("risk", Self::Risk)];
}

/// The lists, read.
pub(super) struct Lists {
    epss: Option<Epss>,
    kev: Option<Kev>,
}

impl ListArgs {
    pub(super) fn read(&self) -> Result<Lists, String> {
        if self.order == Order::Risk && self.epss.is_none() && self.kev.is_none() {
            return Err("the order by risk needs --epss or --kev: without them no risk is known".to_owned());
        }
        let epss = |path: &Path| Epss::read(&bytes(path)?).map_err(|error| failed(path, &error.to_string()));
        let kev = |path: &Path| Kev::read(&bytes(path)?).map_err(|error| failed(path, &format!("this is no KEV catalogue: {error}")));
        Ok(Lists { epss: self.epss.as_deref().map(epss).transpose()?, kev: self.kev.as_deref().map(kev).transpose()? })
    }
}

impl Lists {
    pub(super) fn context(&self, now: Timestamp) -> Context<'_> {
        Context { now: Some(now), epss: self.epss.as_ref(), kev: self.kev.as_ref(), ..Context::default() }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| failed(path, &error.to_string()))?;
    if bytes.len() as u64 > MAX {
        return Err(failed(path, &format!("longer than {} MiB", MAX >> 20)));
    }
    Ok(bytes)
}

fn failed(path: &Path, why: &str) -> String {
    one_line(&format!("{}: {why}", path.display()))
}
