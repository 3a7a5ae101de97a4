//! The levels of one side of a book.

#![forbid(unsafe_code)]

use crate::side::Side;

/// Levels from here to the best are looked through one by one: nearly all changes are there.
const NEAR: usize = 8;

/// One side's levels as (rank, quantity), worst first, so that the busy end is the cheap end of the vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    side: Side,
    levels: Vec<(u64, u64)>,
}

impl Ladder {
    pub fn new(side: Side) -> Self {
        Self { side, levels: Vec::new() }
    }

    pub fn clear(&mut self) {
        self.levels.clear();
    }

    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// The levels as (price, quantity), best first.
    pub fn best_first(&self) -> impl Iterator<Item = (u64, u64)> {
        self.levels.iter().rev().map(|(rank, qty)| (self.side.rank(*rank), *qty))
    }

    /// Sets the quantity at a price; 0 takes the level away.
    pub fn set(&mut self, price: u64, qty: u64) {
        let rank = self.side.rank(price);
        match (self.find(rank), qty) {
            (Ok(at), 0) => {
                self.levels.remove(at);
            }
            (Ok(at), _) => self.levels[at].1 = qty,
            (Err(_), 0) => {}
            (Err(at), _) => self.levels.insert(at, (rank, qty)),
        }
    }

    /// Finds a rank, or the place where it would go.
    fn find(&self, rank: u64) -> Result<usize, usize> {
        let near = self.levels.len().saturating_sub(NEAR);
        for at in (near..self.levels.len()).rev() {
            let other = self.levels[at].0;
            if other >= rank {
                return if other == rank { Ok(at) } else { Err(at + 1) };
            }
        }
        self.levels[..near].binary_search_by(|level| rank.cmp(&level.0))
    }

    /// Drops the worst levels beyond `depth`.
    pub fn truncate(&mut self, depth: usize) {
        if self.levels.len() > depth {
            self.levels.drain(..self.levels.len() - depth);
        }
    }

    /// Multiplies prices and quantities; None where one becomes too large.
    pub fn rescale(&mut self, price: u64, qty: u64) -> Option<()> {
        for level in &mut self.levels {
            let exact = self.side.rank(level.0).checked_mul(price)?;
            *level = (self.side.rank(exact), level.1.checked_mul(qty)?);
        }
        Some(())
    }
}
