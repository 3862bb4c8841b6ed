//! Keys that clients make up: which one a charge is counted under, once its creator has begun too many.

use super::{Charge, Receipt};
use crate::limit::subject::{Key, Subject};

/// Keys that one creator may begin an hour, unless set otherwise.
pub(super) const CREATIONS: u32 = 100;
/// Mixed into a limit's id for how many of its keys a creator has begun.
pub(super) const CREATION: u64 = 0x6b65_7973_2062_6567;
/// Mixed into a limit's id for what is counted under a creator's name.
pub(super) const SHARED: u64 = 0x7368_6172_6564_2121;

/// Where it is counted how many keys a creator has begun.
pub(super) fn begun_key(key: &Key, creator: Subject) -> Key {
    Key { limit: key.limit ^ CREATION, subject: creator }
}

/// Where a creator's keys beyond its budget are counted together.
pub(super) fn shared_key(key: &Key, creator: Subject) -> Key {
    Key { limit: key.limit ^ SHARED, subject: creator }
}

/// The key that a charge was counted under.
pub(super) fn counted_under(charge: &Charge, receipt: Receipt, index: usize) -> Key {
    match charge.creator {
        Some(creator) if receipt.shared >> (index % 8) & 1 == 1 => shared_key(&charge.key, creator),
        _ => charge.key,
    }
}
