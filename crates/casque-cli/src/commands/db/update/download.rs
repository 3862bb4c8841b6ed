//! An archive into a file, going on where an earlier try broke off (RFC 9110 14: Range and If-Range).
//!
//! Beside the part stands from where it is and with which tag: only a strong tag tells that the rest is of the same file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use casque_scan::Address;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderName, StatusCode};

use super::client::{Answer, Client, Failure};
use super::place::Place;
use super::progress::Progress;
use super::sum;

/// How many bytes further a try must have got to count as none in vain.
const STEP: u64 = 1 << 20;

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// It is the one that was had already.
    Same,
    /// It is in the file.
    Whole {
        /// Its tag, if it has one.
        tag: Option<String>,
    },
}

/// A file that is being downloaded.
#[derive(Debug)]
pub(super) struct Download<'a> {
    address: &'a Address,
    place: &'a Place,
    name: &'a str,
    part: PathBuf,
    tag: PathBuf,
    most: u64,
}

/// Removes what has come of a file.
pub(super) fn forget(place: &Place, name: &str) {
    for path in [place.file(name), tag_file(place, name)] {
        let _ = fs::remove_file(path);
    }
}

fn tag_file(place: &Place, name: &str) -> PathBuf {
    place.file(&format!("{name}.tag"))
}

impl<'a> Download<'a> {
    /// Of at most `most` bytes, under a name in the folder of the update.
    pub(super) fn new(address: &'a Address, place: &'a Place, name: &'a str, most: u64) -> Self {
        Self { address, place, name, part: place.file(name), tag: tag_file(place, name), most }
    }

    /// Downloads it, unless it is still the one with the tag `known`.
    pub(super) async fn run(&self, client: &mut Client, known: Option<&str>, progress: &Progress) -> Result<Got, Failure> {
        let (mut tries, mut had) = (0, 0);
        loop {
            match self.once(client, known, progress).await {
                Err(failure) => {
                    // Each try that gets further is worth another one; the time for all of it ends them.
                    let has = fs::metadata(&self.part).map_or(0, |part| part.len());
                    tries = if has >= had + STEP { 1 } else { tries + 1 };
                    had = has;
                    client.pause(tries, failure).await?;
                }
                got => return got,
            }
        }
    }

    async fn once(&self, client: &mut Client, known: Option<&str>, progress: &Progress) -> Result<Got, Failure> {
        let started = self.started();
        let fields: Vec<(HeaderName, String)> = match (&started, known) {
            (Some((length, tag)), _) => vec![(RANGE, format!("bytes={length}-")), (IF_RANGE, tag.clone())],
            (None, Some(known)) => vec![(IF_NONE_MATCH, known.to_owned())],
            (None, None) => vec![],
        };
        let mut answer = client.get(self.address, &fields).await?;
        let tag = answer.field(&ETAG).map(str::to_owned);
        match (answer.status, &started) {
            (StatusCode::NOT_MODIFIED, None) if known.is_some() => return Ok(Got::Same),
            (StatusCode::OK, _) => {
                let total = length(&answer);
                self.begin(tag.as_deref())?;
                self.write(&mut answer, 0, total, progress).await?;
            }
            (StatusCode::PARTIAL_CONTENT, Some((had, of))) if tag.as_ref().is_none_or(|tag| tag == of) => {
                let Some((from, total)) = range(&answer).filter(|(from, _)| from == had) else {
                    self.forget();
                    return Err(Failure::Passing(format!("{} answers with another part than was asked for", self.address)));
                };
                self.write(&mut answer, from, Some(total), progress).await?;
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some((had, tag))) if answer.field(&CONTENT_RANGE) == Some(&format!("bytes */{had}")) => {
                // Nothing is left of the file of this tag: an earlier update had all of it.
                return Ok(Got::Whole { tag: Some(tag.clone()) });
            }
            // What is here is no part of what is there.
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => {
                self.forget();
                return Err(Failure::Passing(format!("{} is another file meanwhile", self.address)));
            }
            (status, _) => return Err(Failure::Lasting(format!("{} answered with {}", self.address, status.as_u16()))),
        }
        if let Some(announced) = sum::announced(&answer.headers)
            && sum::of_file(&self.part).map_err(|e| self.unwritable(&e))? != announced
        {
            self.forget();
            return Err(Failure::Lasting(format!(
                "{} was damaged on the way: its sum is not the one that its server names; nothing of it was used, try again",
                self.address
            )));
        }
        Ok(Got::Whole { tag: tag.or(started.map(|(_, tag)| tag)) })
    }

    /// How much an earlier try has brought, and of which tag.
    fn started(&self) -> Option<(u64, String)> {
        let text = fs::read_to_string(&self.tag).ok()?;
        let (address, tag) = text.split_once('\n')?;
        let length = fs::metadata(&self.part).ok()?.len();
        (address == self.address.to_string() && length > 0 && length < self.most).then(|| (length, tag.to_owned()))
    }

    fn begin(&self, tag: Option<&str>) -> Result<(), Failure> {
        self.forget();
        let strong = tag.filter(|tag| tag.starts_with('"'));
        let note = |tag| fs::write(&self.tag, format!("{}\n{tag}", self.address));
        strong.map_or(Ok(()), note).and_then(|()| File::create(&self.part).map(drop)).map_err(|e| self.unwritable(&e))
    }

    async fn write(&self, answer: &mut Answer, from: u64, total: Option<u64>, progress: &Progress) -> Result<(), Failure> {
        let too_large = || Failure::Lasting(format!("{} is larger than {} MiB and was not downloaded", self.address, self.most >> 20));
        if total.is_some_and(|total| total > self.most) {
            self.forget();
            return Err(too_large());
        }
        progress.begin(from, total);
        let file = OpenOptions::new().append(true).open(&self.part);
        let mut file = file.map_err(|e| self.unwritable(&e))?;
        let mut length = from;
        while let Some(chunk) = answer.chunk().await? {
            length += chunk.len() as u64;
            if length > total.unwrap_or(self.most) {
                self.forget();
                return Err(too_large());
            }
            file.write_all(&chunk).map_err(|e| {
                // A full disk is not left full.
                self.forget();
                self.unwritable(&e)
            })?;
            progress.reach(length);
        }
        if total.is_some_and(|total| total != length) {
            return Err(Failure::Passing(format!("{} broke off after {length} bytes", self.address)));
        }
        Ok(())
    }

    fn forget(&self) {
        forget(self.place, self.name);
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        Failure::Lasting(format!("cannot write `{}`: {error}", self.part.display()))
    }
}

fn length(answer: &Answer) -> Option<u64> {
    answer.field(&CONTENT_LENGTH)?.parse().ok()
}

/// Where a part begins, and how long the whole is.
fn range(answer: &Answer) -> Option<(u64, u64)> {
    let (unit, rest) = answer.field(&CONTENT_RANGE)?.split_once(' ')?;
    let (span, total) = rest.split_once('/')?;
    let (from, to) = span.split_once('-')?;
    let (from, to, total): (u64, u64, u64) = (from.parse().ok()?, to.parse().ok()?, total.parse().ok()?);
    (unit == "bytes" && from <= to && to.checked_add(1) == Some(total)).then_some((from, total))
}
