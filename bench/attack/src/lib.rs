//! Attacks on a log-in form under a virtual clock: a day of honest users, an attacker among them, and one defence at a time.
//!
//! Everything is drawn from fixed seeds, so that two runs print the same figures. What the model leaves out: the time that a
//! password check takes (the end-to-end races are for that), users who try again after they were refused, and attackers who
//! learn from what they are told.

pub mod attackers;
pub mod flood;
pub mod honest;
pub mod policies;
pub mod random;
pub mod scenario;
pub mod table;
