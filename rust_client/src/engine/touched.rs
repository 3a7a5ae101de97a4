//! The levels that operations have touched, in the order of their first touch.

#![forbid(unsafe_code)]

use std::collections::HashSet;

use super::mixer::Mixed;
use crate::side::Side;

#[derive(Default)]
pub struct Touched {
    levels: Vec<(Side, u64)>,
    /// Each level's price and side in one number.
    seen: HashSet<u64, Mixed>,
}

impl Touched {
    pub fn note(&mut self, side: Side, price: u64) {
        // A price is below 2^63, so that the side fits beside it.
        let key = price << 1 | u64::from(side == Side::Sell);
        if self.levels.last() != Some(&(side, price)) && self.seen.insert(key) {
            self.levels.push((side, price));
        }
    }

    pub fn levels(&self) -> &[(Side, u64)] {
        &self.levels
    }

    pub fn clear(&mut self) {
        self.levels.clear();
        self.seen.clear();
    }
}
