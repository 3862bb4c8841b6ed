//! Where keys are counted for which there is no entry: a count-min sketch of words.
//!
//! Every key has a cell in each of four rows and is taken for the least of them. Cells only ever rise, so a key is never
//! taken for less than it is; that two keys meet in all four rows is rare, and then both are taken for the greater. A cell
//! whose time has passed is empty, so nothing has to be cleared.

use std::sync::atomic::{AtomicU64, Ordering};

use super::word::Word;
use crate::clock::Micros;

const ROWS: usize = 4;
const CELLS: usize = 4096;

#[derive(Debug)]
pub(super) struct Sketch {
    cells: Box<[AtomicU64]>,
    /// The latest word ever put in: nothing has to be looked up when its time has passed.
    latest: AtomicU64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { cells: (0..ROWS * CELLS).map(|_| AtomicU64::new(0)).collect(), latest: AtomicU64::new(0) }
    }
}

impl Sketch {
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.cells)
    }

    /// What the key is taken for; zero if it is taken for new.
    pub(super) fn get(&self, fingerprint: u64, now: Micros) -> Word {
        if Word(self.latest.load(Ordering::Acquire)).time() <= now {
            return Word(0);
        }
        let least = self.cells_of(fingerprint).map(|cell| cell.load(Ordering::Acquire)).min().unwrap_or(0);
        Word(if Word(least).time() <= now { 0 } else { least })
    }

    /// Makes the key be taken for at least `word`.
    pub(super) fn raise(&self, fingerprint: u64, word: Word) {
        for cell in self.cells_of(fingerprint) {
            cell.fetch_max(word.0, Ordering::AcqRel);
        }
        self.latest.fetch_max(word.0, Ordering::AcqRel);
    }

    fn cells_of(&self, fingerprint: u64) -> impl Iterator<Item = &AtomicU64> {
        // Twelve bits of the hash for each row; the lower half, for the upper has chosen the bucket.
        let mixed = fingerprint.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..ROWS).map(move |row| {
            let cell = (mixed >> (12 * row + 8)) as usize % CELLS;
            &self.cells[row * CELLS + cell]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_taken_for_less_than_it_is() {
        let (sketch, now) = (Sketch::default(), Micros(1000));
        let of = |n: u64| n.wrapping_mul(0xd6e8_feb8_6659_fd93);
        for n in 1..=2000u64 {
            sketch.raise(of(n), Word::rate(Micros(now.0 + n), 0));
        }
        for n in 1..=2000u64 {
            assert!(sketch.get(of(n), now).time() >= Micros(now.0 + n), "{n}");
        }
        let strangers = (5000..6000u64).filter(|n| sketch.get(of(*n), now) != Word(0)).count();
        assert!(strangers < 100, "{strangers} of 1000 strangers are taken for somebody");
        assert_eq!(sketch.get(of(2000), Micros(now.0 + 2000)), Word(0), "what is paid back is forgotten");
    }
}
