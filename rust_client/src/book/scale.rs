//! The decimals of a book's prices or quantities: the pair's, the wire's, and those that levels are stored in.

#![forbid(unsafe_code)]

use crate::errors::{FrameFault, Measure};
use crate::numbers::Number;
use crate::scan::Message;

/// The decimals of one kind of number, a price or a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// The pair's precision; None takes the wire's.
    pub pair: Option<u32>,
    /// The most decimals that the wire has printed since the snapshot.
    pub wire: u32,
}

impl Scale {
    /// Decimals of the integers in the book.
    pub fn stored(self) -> u32 {
        self.pair.map_or(self.wire, |pair| pair.max(self.wire))
    }

    pub fn published(self) -> u32 {
        self.pair.unwrap_or(self.wire)
    }

    pub fn per_tick(self) -> u64 {
        10u64.pow(self.stored() - self.published())
    }

    pub fn per_wire_unit(self) -> u64 {
        10u64.pow(self.stored() - self.wire)
    }

    /// Converts `number` to stored units; it has to be a whole number of the pair's ticks or lots.
    pub fn units(self, number: Number, measure: Measure) -> Result<u64, FrameFault> {
        let stored = self.stored();
        if number.decimals == stored && stored == self.published() {
            return Ok(number.mantissa);
        }
        let factor = 10u64.pow(stored - number.decimals);
        let units = number.mantissa.checked_mul(factor).ok_or(FrameFault::TooLarge(measure, number))?;
        if units % self.per_tick() != 0 {
            return Err(FrameFault::TooFine(measure, number, self.published()));
        }
        Ok(units)
    }

    /// Returns the scale with the wire's decimals after a message: anew from a snapshot, only ever more from an update.
    pub fn after(self, message: &Message, decimals: impl Iterator<Item = u32>) -> Self {
        let least = match (message.snapshot, message.is_v2) {
            (false, _) => self.wire,
            // v2 prints the pair's precision exactly, even where zeros at the end were lost on the way.
            (true, true) => self.pair.unwrap_or(0),
            (true, false) => 0,
        };
        Self { wire: decimals.fold(least, u32::max), ..self }
    }
}
