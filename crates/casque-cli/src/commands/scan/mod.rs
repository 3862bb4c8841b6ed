//! `casque scan URL...`: how well does a site defend itself, and what should be done?

pub(crate) mod fetch;
mod input;

use std::time::{Duration, SystemTime};

use casque_scan::mdn::Preload;
use casque_scan::render::{Judged, one_line, render};
use casque_scan::{Capture, Profile, Report, ScanError, mdn, strict};
use http::header::COOKIE;
use tokio::task::JoinSet;

use self::fetch::{Options, Target};
use self::input::Input;
use crate::cli::ScanArgs;
use crate::exit::Exit;
use crate::net::FetchError;
use crate::output;
use crate::printer::{self, BOLD};

/// How many sites are asked at the same time.
const AT_ONCE: usize = 4;

pub(crate) fn run(args: &ScanArgs) -> Result<Exit, String> {
    let baseline = args.baseline.as_deref().map(input::baseline).transpose()?;
    let rules = Rules::of(args)?;
    let (captures, mut failed) = captures(args)?;
    let alone = captures.len() == 1;
    let mut judged: Vec<Judged> = Vec::new();
    for capture in &captures {
        match rules.grade(capture) {
            Ok(report) => judged.push(Judged { delta: baseline.as_ref().map(|b| b.compare(&report, alone)), report }),
            Err(why) => {
                failed = true;
                printer::error(why);
            }
        }
    }
    if !judged.is_empty() {
        write(args, &judged)?;
    }
    failed |= judged.is_empty();
    let below = judged.iter().any(|j| j.is_below(args.min_grade));
    Ok(match (failed, below) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

/// Everything that there is to grade, in the order of the command line, and whether something could not be had.
fn captures(args: &ScanArgs) -> Result<(Vec<Capture>, bool), String> {
    let mut inputs: Vec<Input> = Vec::new();
    for text in &args.targets {
        inputs.push(Input::parse(text)?);
    }
    let mut all = Vec::new();
    for path in &args.har {
        all.extend(input::recording(path)?);
    }
    let targets: Vec<Target> = inputs.iter().filter_map(Input::target).collect();
    for target in targets.iter().filter(|t| t.had_userinfo) {
        let origin = one_line(&target.address.origin());
        printer::warning(format_args!("{BOLD}{origin}{BOLD:#}: the user and password in its address are not sent"));
        printer::hint("give them as a header: -H 'Authorization: Basic ...', with the base64 of USER:PASSWORD");
    }
    let mut failed = false;
    if !targets.is_empty() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| format!("cannot start: {e}"))?;
        for (target, result) in targets.iter().zip(runtime.block_on(ask(&targets, &options(args)))) {
            match result {
                Ok(capture) => all.push(capture),
                Err(error) => {
                    failed = true;
                    tell(target, &error);
                }
            }
        }
        // A name that is being looked up cannot be interrupted; nobody waits for it.
        runtime.shutdown_background();
    }
    if inputs.iter().any(|i| matches!(i, Input::Stdin)) {
        all.extend(input::stdin()?);
    }
    Ok((all, failed))
}

fn options(args: &ScanArgs) -> Options {
    let cookies = args.cookie.iter().map(|c| (COOKIE, c.clone()));
    Options {
        headers: args.header.iter().cloned().chain(cookies).collect(),
        send_credentials_over_http: args.send_credentials_over_http,
        accept_invalid_certs: args.accept_invalid_certs,
        timeout: args.timeout,
        ..Options::default()
    }
}

/// Asks some sites, a few at the same time, and gives what came of each in their order.
async fn ask(targets: &[Target], options: &Options) -> Vec<Result<Capture, FetchError>> {
    let mut waiting = targets.iter().cloned().enumerate();
    let mut asking = JoinSet::new();
    let mut results: Vec<Option<Result<Capture, FetchError>>> = targets.iter().map(|_| None).collect();
    loop {
        while asking.len() < AT_ONCE {
            let Some((n, target)) = waiting.next() else { break };
            let options = options.clone();
            asking.spawn(async move { (n, fetch::capture(&target, &options).await) });
        }
        match asking.join_next().await {
            Some(Ok((n, result))) => results[n] = Some(result),
            Some(Err(_)) => {}
            None => break,
        }
    }
    results.into_iter().map(|r| r.unwrap_or(Err(FetchError::Timeout { limit: options.timeout, whole: options.timeout }))).collect()
}

fn tell(target: &Target, error: &FetchError) {
    printer::error(format_args!("{BOLD}{}{BOLD:#}: {error}", one_line(&target.address.to_string())));
    if let Some(hint) = error.hint() {
        printer::hint(hint);
    }
}

/// What grades.
struct Rules {
    profile: Profile,
    preload: Preload,
    now: Duration,
}

impl Rules {
    fn of(args: &ScanArgs) -> Result<Self, String> {
        let preload = args.preload_list.as_deref().map_or_else(|| Ok(Preload::unknown()), input::preload)?;
        Ok(Self { profile: args.profile, preload, now: today() })
    }

    fn grade(&self, capture: &Capture) -> Result<Report, String> {
        if self.profile == Profile::Mdn {
            let mut report = mdn::grade(capture, &self.preload).map_err(|e| ungraded(capture, e))?;
            report.not_judged.extend(capture.notes.iter().cloned());
            return Ok(report);
        }
        let preload = (!self.preload.is_unknown()).then_some(&self.preload);
        strict::grade(capture, &strict::Context { now: Some(self.now), preload }).map_err(|e| ungraded(capture, e))
    }
}

/// Why there is no report, with the address that it is about.
fn ungraded(capture: &Capture, error: ScanError) -> String {
    let page = capture.https.as_ref().or(capture.http.as_ref()).map(|e| e.url.as_str()).filter(|url| !url.is_empty());
    let what = page.unwrap_or(if capture.host.is_empty() { "the response" } else { &capture.host });
    format!("{BOLD}{}{BOLD:#}: {error}", one_line(what))
}

/// The time since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "whether a date has passed is asked of the calendar, which no clock of ours has")]
fn today() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn write(args: &ScanArgs, judged: &[Judged]) -> Result<(), String> {
    let text = render(args.format, judged, args.min_grade);
    match &args.output {
        Some(path) => {
            output::replace(path, &anstream::adapter::strip_str(&text).to_string())?;
            for j in judged {
                printer::say(format_args!("{BOLD}{}{BOLD:#}  {}", j.report.grade, one_line(&j.report.target)));
            }
            printer::say(format_args!("wrote {BOLD}{}{BOLD:#}", path.display()));
        }
        None => printer::tell(text.trim_end_matches('\n')),
    }
    Ok(())
}
