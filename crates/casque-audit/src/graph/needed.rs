//! Whether an instance is there to run, or only for development, as an option, or as a peer.

use super::{Edge, EdgeKind, InstanceId};

/// Along which paths from a project an instance is reached. Four questions are asked at once, as npm asks them
/// (@npmcli/arborist, calc-dep-flags): is there a path without any dev edge, without any optional edge, without either, without
/// any peer edge?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Needed(u8);

const NO_DEV: u8 = 1;
const NO_OPTIONAL: u8 = 2;
const NEITHER: u8 = 4;
const NO_PEER: u8 = 8;

impl Needed {
    /// To run: also what projects themselves are, and what no project reaches, as nothing unknown may be hidden.
    pub const TO_RUN: Self = Self(NO_DEV | NO_OPTIONAL | NEITHER | NO_PEER);

    pub(super) const fn from_flags(dev: bool, optional: bool, dev_or_optional: bool, peer: bool) -> Self {
        let mut bits = Self::TO_RUN.0;
        if dev {
            bits &= !(NO_DEV | NEITHER);
        }
        if optional {
            bits &= !(NO_OPTIONAL | NEITHER);
        }
        if dev_or_optional {
            bits &= !NEITHER;
        }
        if peer {
            bits &= !NO_PEER;
        }
        Self(bits)
    }

    /// Every path to it goes through a dev dependency: `--omit=dev` leaves it out.
    pub const fn only_dev(self) -> bool {
        self.0 & NO_DEV == 0
    }

    /// Every path to it goes through an optional dependency, optional peers included.
    pub const fn only_optional(self) -> bool {
        self.0 & NO_OPTIONAL == 0
    }

    /// Every path to it goes through a dev or an optional dependency, though neither alone is on all of them.
    pub const fn only_dev_or_optional(self) -> bool {
        self.0 & NEITHER == 0 && !self.only_dev() && !self.only_optional()
    }

    /// Every path to it goes through a peer dependency.
    pub const fn only_peer(self) -> bool {
        self.0 & NO_PEER == 0
    }
}

/// What passes along an edge.
const fn passes(kind: EdgeKind) -> u8 {
    match kind {
        EdgeKind::Prod | EdgeKind::Link => Needed::TO_RUN.0,
        EdgeKind::Dev => NO_OPTIONAL | NO_PEER,
        EdgeKind::Optional => NO_DEV | NO_PEER,
        EdgeKind::Peer => NO_DEV | NO_OPTIONAL | NEITHER,
        EdgeKind::PeerOptional => NO_DEV,
    }
}

/// Walks from the roots; nothing for what is not reached. Each instance is visited at most once for each of the four questions.
pub(super) fn walk(edges: &[Edge], starts: &[u32], roots: &[InstanceId], count: usize) -> Vec<Option<Needed>> {
    let mut bits: Vec<Option<u8>> = vec![None; count];
    let mut queue: Vec<InstanceId> = Vec::new();
    for root in roots {
        bits[root.index()] = Some(Needed::TO_RUN.0);
        queue.push(*root);
    }
    while let Some(from) = queue.pop() {
        let have = bits[from.index()].unwrap_or(0);
        let range = starts[from.index()] as usize..starts[from.index() + 1] as usize;
        for edge in &edges[range] {
            let Some(to) = edge.to else { continue };
            let passed = have & passes(edge.kind);
            let now = bits[to.index()];
            if now.is_none_or(|now| now | passed != now) {
                bits[to.index()] = Some(now.unwrap_or(0) | passed);
                queue.push(to);
            }
        }
    }
    bits.into_iter().map(|b| b.map(Needed)).collect()
}
