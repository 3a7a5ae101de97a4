//! The levels of one side of a book.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

use super::text::Text;
use crate::checksum;
use crate::side::Side;

/// Levels from here to the best are looked through one by one: nearly all changes are there.
const NEAR: usize = 8;

/// One side's levels as (rank, quantity), worst first, so that the busy end is the cheap end of the queue.
#[derive(Debug, Clone)]
pub struct Ladder {
    side: Side,
    levels: VecDeque<(u64, u64)>,
    text: Text,
    /// What a price and a quantity are divided by for the checksum's text.
    per_wire_unit: (u64, u64),
}

impl Ladder {
    pub fn new(side: Side) -> Self {
        Self { side, levels: VecDeque::new(), text: Text::new(), per_wire_unit: (1, 1) }
    }

    pub fn clear(&mut self) {
        self.levels.clear();
        self.text.truncate(0);
    }

    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// The levels as (price, quantity), best first.
    pub fn best_first(&self) -> impl Iterator<Item = (u64, u64)> {
        self.levels.iter().rev().map(|(rank, qty)| (self.side.rank(*rank), *qty))
    }

    pub fn best(&self) -> Option<u64> {
        self.levels.back().map(|(rank, _)| self.side.rank(*rank))
    }

    /// The checksum's text of the best levels, if it has changed since the last call.
    pub fn text_if_changed(&mut self) -> Option<&[u8]> {
        self.text.take_changed().then(|| self.text.bytes())
    }

    pub fn text(&self) -> &[u8] {
        self.text.bytes()
    }

    /// Sets the quantity at a price; 0 takes the level away.
    #[inline]
    pub fn set(&mut self, price: u64, qty: u64) {
        let rank = self.side.rank(price);
        let wire = self.wire(price, qty);
        match (self.find(rank), qty) {
            (Ok(at), 0) => {
                self.levels.remove(at);
                if self.text.remove(self.levels.len() - at) {
                    self.print(checksum::LEVELS - 1);
                }
            }
            (Ok(at), _) => {
                self.levels[at].1 = qty;
                self.text.replace(self.levels.len() - 1 - at, wire.0, wire.1);
            }
            (Err(_), 0) => {}
            (Err(at), _) => {
                self.levels.insert(at, (rank, qty));
                self.text.insert(self.levels.len() - 1 - at, wire.0, wire.1);
            }
        }
    }

    /// Finds a rank, or the place where it would go.
    #[inline]
    fn find(&self, rank: u64) -> Result<usize, usize> {
        let near = self.levels.len().saturating_sub(NEAR);
        for (back, level) in self.levels.iter().rev().take(NEAR).enumerate() {
            if level.0 >= rank {
                let at = self.levels.len() - 1 - back;
                return if level.0 == rank { Ok(at) } else { Err(at + 1) };
            }
        }
        let found = self.levels.binary_search_by(|level| rank.cmp(&level.0));
        debug_assert!(found.is_ok_and(|at| at < near) || found.is_err_and(|at| at <= near));
        found
    }

    /// Adds the text of a level to the end of the text, if there is such a level.
    fn print(&mut self, place: usize) {
        if let Some(at) = self.levels.len().checked_sub(place + 1) {
            let (rank, qty) = self.levels[at];
            let (price, qty) = self.wire(self.side.rank(rank), qty);
            self.text.insert(place, price, qty);
        }
    }

    fn print_all(&mut self) {
        self.text.truncate(0);
        for place in 0..self.levels.len().min(checksum::LEVELS) {
            self.print(place);
        }
    }

    /// A price and a quantity in the wire's units.
    #[inline]
    fn wire(&self, price: u64, qty: u64) -> (u64, u64) {
        match self.per_wire_unit {
            (1, 1) => (price, qty),
            (price_unit, qty_unit) => (price / price_unit, qty / qty_unit),
        }
    }

    /// Replaces all levels by those of a snapshot, of which Kraken writes the best first.
    pub fn load(&mut self, levels: impl Iterator<Item = (u64, u64)>) {
        self.clear();
        for (price, qty) in levels {
            let rank = self.side.rank(price);
            if qty != 0 && self.levels.front().is_none_or(|worst| rank > worst.0) {
                self.levels.push_front((rank, qty));
                self.print(self.levels.len() - 1);
            } else {
                self.set(price, qty);
            }
        }
    }

    /// Drops the worst levels beyond `depth`.
    #[inline]
    pub fn truncate(&mut self, depth: usize) {
        while self.levels.len() > depth {
            self.levels.pop_front();
            self.text.truncate(self.levels.len());
        }
    }

    /// Multiplies prices and quantities; None where one becomes too large.
    pub fn rescale(&mut self, price: u64, qty: u64) -> Option<()> {
        for level in &mut self.levels {
            let exact = self.side.rank(level.0).checked_mul(price)?;
            *level = (self.side.rank(exact), level.1.checked_mul(qty)?);
        }
        self.print_all();
        Some(())
    }

    /// Prints the text anew where the wire's units are others.
    pub fn set_wire_units(&mut self, price: u64, qty: u64) {
        if self.per_wire_unit != (price, qty) {
            self.per_wire_unit = (price, qty);
            self.print_all();
        }
    }
}
