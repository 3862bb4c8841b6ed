//! What has changed in one ecosystem: a few records by themselves, or all of them in an archive.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use casque_audit::Ecosystem;
use casque_audit::db::{Change, Database, outdated, read_changes};
use casque_audit::osv::{MAX_RECORD, Record};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use tokio::task::JoinSet;

use super::client::{Client, Failure};
use super::download::{Download, Got};
use super::notes::Notes;
use super::place::Place;
use super::progress::Progress;
use super::source::Source;

/// How many records are fetched one by one at most. Above that the archive is less work for both ends: npm's has some 200,000 records
/// in 210 MB, and a record by itself has 3 KB and a wait.
const FEW: usize = 800;
/// What these may have together, in bytes: they are kept in memory.
const MAX_TOGETHER: usize = 64 << 20;
/// How many of them are asked for at the same time.
const AT_ONCE: usize = 8;
/// The longest list of changes, in bytes; npm's has 9 MB.
const MAX_LIST: u64 = 128 << 20;
/// The longest archive, in bytes. npm's has 210 MB.
const MAX_ARCHIVE: u64 = 2 << 30;

/// What was had.
#[derive(Debug)]
pub(super) enum Fetched {
    /// Nothing that is not here already.
    Same,
    /// Records that are new or changed, and the ids of those that are no longer listed.
    Some(Vec<Record>, HashSet<String>),
    /// All records, in the archive of this name in the folder of the update.
    All(String),
}

/// What an archive is called in the folder of the update.
pub(super) fn archive_name(ecosystem: Ecosystem) -> String {
    format!("{ecosystem}.zip")
}

/// Fetches what an older database lacks, and notes what the next update can make use of.
pub(super) async fn fetch(
    client: &mut Client,
    source: &Source,
    ecosystem: Ecosystem,
    older: Option<&Database>,
    notes: &mut Notes,
    place: &Place,
) -> Result<Fetched, Failure> {
    let progress = Progress::new(ecosystem.osv());
    if let Some(older) = older {
        match list(client, source, ecosystem, notes.list.as_deref()).await? {
            List::Same => return Ok(Fetched::Same),
            List::Changes(changes, tag) => {
                if let Some((records, gone)) = few(client, source, ecosystem, older, &changes, notes, &progress).await? {
                    notes.list = records.complete.then_some(tag).flatten();
                    let same = records.records.is_empty() && gone.is_empty();
                    return Ok(if same { Fetched::Same } else { Fetched::Some(records.records, gone) });
                }
            }
            List::Unusable => {}
        }
    }
    let (address, name) = (source.file(ecosystem, "all.zip"), archive_name(ecosystem));
    let known = notes.archive.as_deref().filter(|_| older.is_some());
    let got = Download::new(&address, place, &name, MAX_ARCHIVE).run(client, known, &progress).await?;
    // The archive may be older than the list: caches stand between. Only a comparison will tell.
    notes.list = None;
    match got {
        Got::Same => Ok(Fetched::Same),
        Got::Whole { tag } => {
            notes.archive = tag;
            Ok(Fetched::All(name))
        }
    }
}

enum List {
    /// It has not changed since all of it was had.
    Same,
    Changes(Vec<Change>, Option<String>),
    /// There is none, or none that can be read: a mirror need not have it.
    Unusable,
}

async fn list(client: &mut Client, source: &Source, ecosystem: Ecosystem, known: Option<&str>) -> Result<List, Failure> {
    let fields: Vec<_> = known.map(|tag| (IF_NONE_MATCH, tag.to_owned())).into_iter().collect();
    let address = source.file(ecosystem, "modified_id.csv");
    let (status, headers, body) = client.small(&address, &fields, MAX_LIST).await?;
    if status == StatusCode::NOT_MODIFIED && known.is_some() {
        return Ok(List::Same);
    }
    let text = String::from_utf8(body).ok().filter(|_| status == StatusCode::OK);
    let changes = text.and_then(|text| read_changes(&text).ok()).filter(|changes| !changes.is_empty());
    Ok(changes.map_or(List::Unusable, |changes| List::Changes(changes, tag(&headers))))
}

fn tag(headers: &HeaderMap) -> Option<String> {
    headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned)
}

/// What a database lacks by the list, if that is little.
async fn few(
    client: &mut Client,
    source: &Source,
    ecosystem: Ecosystem,
    older: &Database,
    changes: &[Change],
    notes: &mut Notes,
    progress: &Progress,
) -> Result<Option<(Records, HashSet<String>)>, Failure> {
    let mut lacks = outdated(older, ecosystem, changes).map_err(|e| Failure::Lasting(e.to_string()))?;
    let mut listed: HashMap<&str, i64> = HashMap::new();
    for change in changes {
        let at = listed.entry(change.id.as_str()).or_insert(i64::MIN);
        *at = change.modified.as_second().max(*at);
    }
    notes.useless.retain(|id, at| listed.get(id.as_str()) == Some(at));
    lacks.fetch.retain(|id| !notes.useless.contains_key(id));
    if lacks.fetch.len() + lacks.gone.len() > FEW {
        return Ok(None);
    }
    progress.count(lacks.fetch.len() as u64);
    let wanted = lacks.fetch.into_iter().map(|id| (listed.get(id.as_str()).copied().unwrap_or_default(), id)).collect();
    let Some(records) = records(client, source, ecosystem, wanted, progress).await? else { return Ok(None) };
    notes.useless.extend(records.useless.iter().cloned());
    Ok(Some((records, lacks.gone.into_iter().collect())))
}

/// Records that were asked for one by one.
#[derive(Debug, Default)]
struct Records {
    records: Vec<Record>,
    /// Those that cannot be used, with the time of their change.
    useless: Vec<(String, i64)>,
    /// Whether each was had as it is listed.
    complete: bool,
}

/// Asks for records, some at the same time. `None`: they are too large for that.
async fn records(
    client: &Client,
    source: &Source,
    ecosystem: Ecosystem,
    wanted: Vec<(i64, String)>,
    progress: &Progress,
) -> Result<Option<Records>, Failure> {
    let count = wanted.len();
    let waiting = Arc::new(Mutex::new(wanted));
    let mut asking = JoinSet::new();
    let (sender, mut answers) = tokio::sync::mpsc::channel(AT_ONCE);
    for _ in 0..AT_ONCE.min(count) {
        let (mut client, source, waiting, sender) = (client.beside(), source.clone(), waiting.clone(), sender.clone());
        asking.spawn(async move {
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((at, id)) = next else { return };
                let answer = client.small(&source.file(ecosystem, &format!("{id}.json")), &[], MAX_RECORD as u64).await;
                if sender.send((at, id, answer)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut had = Records { complete: true, ..Records::default() };
    let (mut bytes, mut answered) = (0, 0);
    // Whoever leaves this loop ends those who still ask.
    while let Some((at, id, answer)) = answers.recv().await {
        let (status, _, body) = answer?;
        (bytes, answered) = (bytes + body.len(), answered + 1);
        progress.reach(answered);
        if bytes > MAX_TOGETHER {
            return Ok(None);
        }
        if status != StatusCode::OK {
            // The list may be ahead of the records. The next update asks again.
            had.complete = false;
            continue;
        }
        match Record::read(&body) {
            Ok(record) if record.id == id && !record.affected.is_empty() => {
                had.complete &= record.modified.as_second() >= at;
                had.records.push(record);
            }
            _ => had.useless.push((id, at)),
        }
    }
    Ok(Some(had))
}
