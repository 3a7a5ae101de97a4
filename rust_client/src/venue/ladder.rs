//! One side of the recorded book, as far as the record follows it, less what own takers took.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

use super::queues::Sums;

/// So many levels at the touch are looked at one by one: most changes are there.
const NEAR: usize = 8;

/// A recorded level by its rank on its side.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    pub rank: u64,
    pub lots: u64,
    /// What own orders took of it, which the record knows nothing about.
    pub taken: u64,
}

impl Level {
    /// What is left to trade with.
    pub fn visible(&self) -> u64 {
        self.lots.saturating_sub(self.taken)
    }
}

/// A side's levels, best first; one that trades emptied stays until the record removes it.
#[derive(Default)]
pub struct Ladder {
    levels: VecDeque<Level>,
}

impl Ladder {
    /// Sets what the record has at a rank, 0 removes the level; returns what it had before.
    pub fn set(&mut self, rank: u64, lots: u64) -> u64 {
        match self.find(rank) {
            Ok(at) if lots == 0 => self.levels.remove(at).map_or(0, |level| level.lots),
            Ok(at) => std::mem::replace(&mut self.levels[at].lots, lots),
            Err(at) => {
                if lots > 0 {
                    self.levels.insert(at, Level { rank, lots, taken: 0 });
                }
                0
            }
        }
    }

    /// Sets what single orders have together at a rank; without one the level is removed.
    pub fn sum(&mut self, sums: &Sums) {
        match self.find(sums.rank) {
            Ok(at) if sums.is_empty => drop(self.levels.remove(at)),
            Ok(at) => (self.levels[at].lots, self.levels[at].taken) = (sums.lots, sums.taken),
            Err(_) if sums.is_empty => {}
            Err(at) => {
                self.levels.insert(at, Level { rank: sums.rank, lots: sums.lots, taken: sums.taken });
            }
        }
    }

    pub fn clear(&mut self) {
        self.levels.clear();
    }

    pub fn get(&self, rank: u64) -> Option<&Level> {
        self.find(rank).ok().map(|at| &self.levels[at])
    }

    pub fn get_mut(&mut self, rank: u64) -> Option<&mut Level> {
        self.find(rank).ok().map(|at| &mut self.levels[at])
    }

    /// What is left to trade with at a rank.
    pub fn visible(&self, rank: u64) -> u64 {
        self.get(rank).map_or(0, Level::visible)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter()
    }

    /// The best level that has something left to trade with.
    pub fn best(&self) -> Option<&Level> {
        self.levels.iter().find(|level| level.visible() > 0)
    }

    pub fn best_mut(&mut self) -> Option<&mut Level> {
        self.levels.iter_mut().find(|level| level.visible() > 0)
    }

    /// Keeps the best `depth` levels, all where it is 0; `gone` gets the ranks of the others.
    pub fn trim(&mut self, depth: usize, mut gone: impl FnMut(u64)) {
        if depth > 0 && self.levels.len() > depth {
            self.levels.drain(depth..).for_each(|level| gone(level.rank));
        }
    }

    /// True if a record of `depth` levels would have a level at this rank.
    pub fn shows(&self, rank: u64, depth: usize) -> bool {
        depth == 0 || self.levels.len() < depth || self.levels.back().is_some_and(|worst| rank <= worst.rank)
    }

    fn find(&self, rank: u64) -> Result<usize, usize> {
        for (at, level) in self.levels.iter().take(NEAR).enumerate() {
            if level.rank >= rank {
                return if level.rank == rank { Ok(at) } else { Err(at) };
            }
        }
        self.levels.binary_search_by_key(&rank, |level| level.rank)
    }
}
