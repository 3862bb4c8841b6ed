//! How old a database is.

use jiff::Timestamp;

use super::Info;

const DAY: i64 = 24 * 60 * 60;

/// From when on the age of a database matters, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// From this age on it is worth a warning. Default: 7.
    pub warn: u32,
    /// From this age on it is not to be relied on. Default: 90, as cargo-audit has it.
    pub fail: u32,
}

impl Default for Age {
    fn default() -> Self {
        Self { warn: 7, fail: 90 }
    }
}

/// What the age of a database means. Ages are in whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// Young enough.
    Fresh(u32),
    /// Worth a warning.
    Stale(u32),
    /// Not to be relied on.
    Expired(u32),
    /// It has neither the date of its source nor a dated record.
    Unknown,
}

impl Info {
    /// The age at a time, counted from when the source was fetched, or else from the latest change of a record: an export that
    /// gets new records every day is as old as its newest one.
    pub fn staleness(&self, now: Timestamp, limits: Age) -> Staleness {
        let Some(since) = self.fetched.or(self.newest) else { return Staleness::Unknown };
        // A clock that runs behind makes no database younger than today.
        let days = (now.as_second() - since.as_second()).max(0) / DAY;
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        if days >= limits.fail {
            Staleness::Expired(days)
        } else if days >= limits.warn {
            Staleness::Stale(days)
        } else {
            Staleness::Fresh(days)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_ages() {
        let at = |days: i64| Timestamp::from_second(days * DAY).unwrap();
        let info = |fetched, newest| Info {
            built: at(0),
            fetched,
            newest,
            records: 0,
            withdrawn: 0,
            malware: 0,
            packages: [0; 2],
            size: 0,
            notes: vec![],
        };
        let of = |info: Info, days| info.staleness(at(days), Age::default());
        assert_eq!(of(info(Some(at(100)), Some(at(50))), 106), Staleness::Fresh(6));
        assert_eq!(of(info(None, Some(at(50))), 57), Staleness::Stale(7));
        assert_eq!(of(info(None, Some(at(50))), 140), Staleness::Expired(90));
        assert_eq!(of(info(None, Some(at(50))), 10), Staleness::Fresh(0));
        assert_eq!(of(info(None, None), 10), Staleness::Unknown);
    }
}
