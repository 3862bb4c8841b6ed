//! One module per command, each with a `run`.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod guard;
pub(crate) mod init;
pub(crate) mod limits;
pub(crate) mod scan;
