//! `casque check [FILE]`: is the policy file right, and is it as safe as it could be? `--explain PATH`: what would a response get?

mod explain;

use std::path::Path;

use casque_gateway::Policy;
use casque_gateway::config::Upstream;
use casque_gateway::policy::{Overrides, summary};

use crate::cli::CheckArgs;
use crate::env;
use crate::exit::Exit;
use crate::policy_file::{DEFAULT_NAME, PolicyFile};
use crate::printer::{self, BOLD, GOOD};

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, String> {
    // Without a file the defaults run, and they can be explained.
    let defaults = args.explain.is_some() && args.file == Path::new(DEFAULT_NAME) && !args.file.exists();
    let file = if defaults { PolicyFile::default() } else { PolicyFile::open(&args.file)? };
    let complete = file.names_upstream();
    // The app's address may come from the command line, so a file without one is not wrong; its routes are checked all the same.
    let upstream = (!complete).then(|| Upstream::Unix("/an/app/named/later".into()));
    let read = file.read(&Overrides { upstream, variable: Some(env::secret), ..Overrides::default() });
    let path = args.file.display();
    if read.count.errors > 0 {
        printer::say(format_args!("{BOLD}{path}{BOLD:#}: {}", read.count.in_words()));
        return Ok(Exit::Findings);
    }
    if let (Some(path), Some(policy)) = (&args.explain, &read.policy) {
        return explain::print(policy, &file, path, &args.request).map(|()| Exit::Clean);
    }
    for (what, value) in summary(&read.config, read.policy.as_ref().and_then(Policy::store)) {
        printer::tell(format_args!("{what:>8}  {value}"));
    }
    if let Some(audit) = &read.audit {
        let ignored = audit.policy.ignores.len();
        printer::tell(format_args!("{:>8}  {}; {ignored} ignores", "audit", audit.policy.gate));
    }
    if !complete {
        printer::hint("no [upstream] url: name the app with `casque guard --upstream URL` or `casque guard -- COMMAND`");
    }
    if read.count.warnings > 0 {
        printer::say(format_args!("{BOLD}{path}{BOLD:#} is valid, with {}", read.count.in_words()));
    } else {
        printer::say(format_args!("{BOLD}{path}{BOLD:#} is {GOOD}valid{GOOD:#}"));
    }
    Ok(Exit::Clean)
}
