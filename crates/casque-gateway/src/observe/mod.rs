//! Step eight: what is said about a request when its answer is complete.

mod access_log;
mod record;

pub(crate) use access_log::{LogWriter, Logger};
pub(crate) use record::{Record, RecordLayer, Who};
