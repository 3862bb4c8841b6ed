//! The reverse proxy behind `casque guard`.
//!
//! A request takes eight steps, each a file: accept (`server`) -> identify the client and route (`admit`, `route`) ->
//! headers, rescue, limit, cookies in the order of `stack` -> forward (`forward`) -> record (`observe`).
//!
//! What is configured comes in two types: [`Config`], as it was written, and [`Policy`], which runs. A reload makes a new
//! `Policy` and swaps it; the stack of services never changes shape.

mod admin;
mod admit;
pub mod config;
mod error;
mod forward;
mod names;
mod observe;
pub mod policy;
pub mod replay;
mod reports;
mod rescue;
mod route;
mod server;
mod stack;
mod store;

pub use config::Config;
pub use error::Error;
pub use policy::Policy;
pub use server::{Gateway, Handle, Notice};
