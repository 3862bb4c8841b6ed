//! Keys that clients make up: which one a charge is counted under, once its creator has begun too many.

use super::{Charge, Receipt};
use crate::limit::subject::{Key, Subject};

/// Keys that one creator may begin an hour, unless set otherwise.
pub(super) const CREATIONS: u32 = 100;
/// Mixed into a limit's id for how many of its keys a creator has begun.
pub(super) const CREATION: u64 = 0x6b65_7973_2062_6567;
/// Mixed into a limit's id for which keys were begun not long ago.
pub(super) const BEGUN: u64 = 0x6265_6775_6e20_6b65;
/// Mixed into a limit's id for what is counted under a creator's name.
pub(super) const SHARED: u64 = 0x7368_6172_6564_2121;

/// Where it is kept that a key was begun not long ago, also when nothing is left of what it used.
pub(super) fn begun_key(key: &Key) -> Key {
    Key { limit: key.limit ^ BEGUN, ..*key }
}

/// Where it is counted how many keys a creator has begun.
pub(super) fn creations_key(key: &Key, creator: Subject) -> Key {
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
