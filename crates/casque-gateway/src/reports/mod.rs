//! The endpoint that browsers report violations to: beside the app, under a path that the app never sees.
//!
//! It stands outside the limits, so that a page with a hundred violations costs its visitor none of his requests; it has budgets of
//! its own instead. Whatever is sent, the answer is the same and at once.
//!
//! **Attacks and answers.** See [`casque::headers::reports`]; here only this: no more of a body is read than the limit, how slowly it
//! may come is the server's concern as with any body, and the lock is held for nothing but counting.

mod inbox;
mod intake;

pub(crate) use inbox::Inbox;
pub(crate) use intake::{Intake, IntakeLayer};
