//! `casque db update`: the public export of advisories, downloaded and compiled. The one command of casque that downloads.
//!
//! Where a database is there already, the list of changes tells what it lacks, and little is fetched record by record; else the
//! whole archive is, from where an earlier try broke off. Then the database is compiled anew in memory and swapped in, whole.
//!
//! **Attacks and answers.** Whoever is on the way can change nothing: https with the system's trust, also behind redirects, and plain
//! http for this machine alone. A server can be slow, endless or broken: heads, files, redirects, tries and the time for all of it are
//! bounded ([`client`]), what is unpacked has the bounds of [`casque_audit::db`], and a download whose length or sum is not the
//! announced one is not used. It can leave advisories out; if half of them are missing at once, the database stays as it is. What it
//! says cannot steer a terminal, name a file or lead into this network ([`Guard`](crate::net::Guard)). On this machine, what was
//! downloaded lies in a folder that only this user may write to ([`place`]), and two updates do not work at once. An update that ends
//! early, however it ends, leaves the old database.

mod client;
mod compile;
mod download;
mod fetch;
mod notes;
mod place;
mod progress;
mod source;
mod sum;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use casque_audit::Ecosystem;
use casque_audit::db::{Database, store};
use casque_scan::render::one_line;
use jiff::Timestamp;
use tokio::time::Instant;

use self::client::{Client, Failure, Limits};
use self::fetch::{Fetched, fetch};
use self::place::{Place, Taken};
use self::source::{PUBLIC, Source};
use crate::cli::DbUpdateArgs;
use crate::env;
use crate::exit::Exit;
use crate::net::Proxy;
use crate::printer;

/// What an update is to do.
#[derive(Debug)]
pub(crate) struct Plan {
    source: Source,
    proxy: Option<Proxy>,
    ecosystems: Vec<Ecosystem>,
    limits: Limits,
}

impl Plan {
    /// Both ecosystems, from where the environment says or else the public export.
    pub(crate) fn usual() -> Result<Self, String> {
        Self::new(None, false, Ecosystem::ALL.to_vec(), Limits::default().whole)
    }

    fn of(args: &DbUpdateArgs) -> Result<Self, String> {
        let mut ecosystems = if args.ecosystem.is_empty() { Ecosystem::ALL.to_vec() } else { args.ecosystem.clone() };
        ecosystems.sort_unstable();
        ecosystems.dedup();
        Self::new(args.url.clone(), args.insecure_http, ecosystems, args.timeout)
    }

    fn new(url: Option<String>, insecure: bool, ecosystems: Vec<Ecosystem>, whole: Duration) -> Result<Self, String> {
        let utf8 = |name: &str, value: OsString| value.into_string().map_err(|_| format!("the variable {name} is not UTF-8"));
        let variable = env::advisories().map(|value| utf8("CASQUE_DB_URL", value)).transpose()?;
        let no_proxy = env::no_proxy().map(|value| utf8("no_proxy", value)).transpose()?.unwrap_or_default();
        let proxy = env::https_proxy().map(|value| Proxy::parse(&utf8("https_proxy", value)?, &no_proxy)).transpose()?;
        Ok(Self {
            source: Source::parse(url.or(variable).as_deref().unwrap_or(PUBLIC), insecure)?,
            proxy,
            ecosystems,
            limits: Limits { whole, ..Limits::default() },
        })
    }
}

pub(super) fn run(args: &DbUpdateArgs) -> Result<Exit, String> {
    let path = super::place(args.db.as_deref())?;
    update(&path, args.db.is_none(), &Plan::of(args)?)?;
    let database = Database::open(&path, Timestamp::now()).map_err(|e| one_line(&e.to_string()))?;
    super::tell(&path, &database);
    Ok(Exit::Clean)
}

/// Brings the database at a path up to date, or makes it. Says on stderr what was had.
///
/// # Errors
/// Something was not had whole, in words. The database is then as it was.
pub(crate) fn update(path: &Path, make_folder: bool, plan: &Plan) -> Result<(), String> {
    if path.is_dir() {
        return Err(format!("`{}` is a folder: a database to update is a file", one_line(&path.display().to_string())));
    }
    if make_folder {
        super::make_folder(path)?;
    }
    let place = Place::take(path).map_err(|taken| taken_by(path, &taken))?;
    let now = Timestamp::now();
    let older = existing(path, now);
    let source = plan.source.to_string();
    let mut notes = older.as_ref().map(|older| notes::read(older.info(), &source)).unwrap_or_default();
    let fetched = match download(plan, older.as_ref(), &mut notes, &place) {
        Ok(fetched) => fetched,
        Err(Failure::Passing(why) | Failure::Lasting(why)) => {
            place.leave();
            return Err(one_line(&why));
        }
    };
    for (ecosystem, fetched) in &fetched {
        notes.entry(*ecosystem).or_default().fetched = Some(now);
        tell(*ecosystem, fetched);
    }
    let bytes = compile::compile(older, fetched, &notes, &source, &place, now);
    match bytes.and_then(|bytes| store(path, &bytes).map_err(|e| e.to_string())) {
        Ok(()) => place.clear(),
        Err(why) => {
            place.leave();
            return Err(one_line(&why));
        }
    }
    Ok(())
}

/// The database that is there, if it can be used. What cannot be is made anew.
fn existing(path: &Path, now: Timestamp) -> Option<Database> {
    if !path.exists() {
        return None;
    }
    let opened = Database::open(path, now).and_then(|database| database.verify().map(|()| database));
    opened.inspect_err(|e| printer::warning(format_args!("{}; it is made anew", one_line(&e.to_string())))).ok()
}

fn taken_by(path: &Path, taken: &Taken) -> String {
    let path = one_line(&path.display().to_string());
    match taken {
        Taken::ByAnother => format!("another update of `{path}` is at work; nothing was done"),
        Taken::NotOurs(folder) => {
            let folder = one_line(&folder.display().to_string());
            format!("`{folder}` belongs to another user or may be written to by others, so what is in it is not to be trusted: remove it")
        }
        Taken::Io(error) => format!("cannot work beside `{path}`: {error}"),
    }
}

fn download(
    plan: &Plan,
    older: Option<&Database>,
    notes: &mut BTreeMap<Ecosystem, notes::Notes>,
    place: &Place,
) -> Result<BTreeMap<Ecosystem, Fetched>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::Lasting(format!("cannot start: {e}")))?;
    let all = runtime.block_on(async {
        let deadline = Instant::now() + plan.limits.whole;
        let mut client = Client::new(&plan.source, plan.limits, deadline, plan.proxy.clone());
        let mut all = BTreeMap::new();
        for ecosystem in &plan.ecosystems {
            let older = older.filter(|older| older.info().packages_of(*ecosystem) > 0);
            let notes = notes.entry(*ecosystem).or_default();
            all.insert(*ecosystem, fetch(&mut client, &plan.source, *ecosystem, older, notes, place).await?);
        }
        Ok(all)
    });
    // A name that is being looked up cannot be interrupted; nobody waits for it.
    runtime.shutdown_background();
    all
}

fn tell(ecosystem: Ecosystem, fetched: &Fetched) {
    let what = match fetched {
        Fetched::Same => "nothing has changed".to_owned(),
        Fetched::Some(records, gone) if gone.is_empty() => format!("{} records are new or changed", records.len()),
        Fetched::Some(records, gone) => format!("{} records are new or changed, {} are gone", records.len(), gone.len()),
        Fetched::All(_) => "all records were downloaded".to_owned(),
    };
    printer::say(format_args!("{:<11} {what}", ecosystem.osv()));
}
