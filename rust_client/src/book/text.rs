//! The text of a side's best levels that the checksum is over, kept as the levels change.

#![forbid(unsafe_code)]

use crate::checksum::{LEVELS, print};

/// A u64 has at most 20 digits.
const LEVEL_MAX: usize = 2 * 20;

/// The best levels of a side as text, best first: prices and quantities without points and leading zeros.
///
/// A place is a level's, 0 for the best; places beyond [`LEVELS`] have no text.
#[derive(Debug, Clone)]
pub struct Text {
    /// Room for one more level than the text has, which an insertion pushes out.
    bytes: [u8; (LEVELS + 1) * LEVEL_MAX],
    /// Where each level's text ends.
    ends: [usize; LEVELS + 1],
    count: usize,
    /// True from a change until [`Text::take_changed`].
    changed: bool,
}

impl Text {
    pub fn new() -> Self {
        Self { bytes: [0; (LEVELS + 1) * LEVEL_MAX], ends: [0; LEVELS + 1], count: 0, changed: true }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.start(self.count)]
    }

    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Forgets the levels from a place on.
    pub fn truncate(&mut self, count: usize) {
        if count < self.count {
            self.count = count;
            self.changed = true;
        }
    }

    /// Puts a level between those before and at a place.
    pub fn insert(&mut self, place: usize, price: u64, qty: u64) {
        if place >= LEVELS {
            return;
        }
        let (level, len) = printed(price, qty);
        let (from, end) = (self.start(place), self.start(self.count));
        self.bytes.copy_within(from..end, from + len);
        self.bytes[from..from + len].copy_from_slice(&level[..len]);
        for at in (place..self.count).rev() {
            self.ends[at + 1] = self.ends[at] + len;
        }
        self.ends[place] = from + len;
        self.count = LEVELS.min(self.count + 1);
        self.changed = true;
    }

    /// Writes a level anew.
    pub fn replace(&mut self, place: usize, price: u64, qty: u64) {
        if place >= LEVELS {
            return;
        }
        let (level, len) = printed(price, qty);
        let (from, to, end) = (self.start(place), self.ends[place], self.start(self.count));
        if to - from != len {
            self.bytes.copy_within(to..end, from + len);
            for at in place..self.count {
                self.ends[at] = self.ends[at] + len - (to - from);
            }
        }
        self.bytes[from..from + len].copy_from_slice(&level[..len]);
        self.changed = true;
    }

    /// Takes a level out; true if the text now has room for a worse one.
    pub fn remove(&mut self, place: usize) -> bool {
        if place >= LEVELS {
            return false;
        }
        let (from, to, end) = (self.start(place), self.ends[place], self.start(self.count));
        self.bytes.copy_within(to..end, from);
        for at in place + 1..self.count {
            self.ends[at - 1] = self.ends[at] - (to - from);
        }
        self.count -= 1;
        self.changed = true;
        true
    }

    fn start(&self, place: usize) -> usize {
        if place == 0 { 0 } else { self.ends[place - 1] }
    }
}

/// The text of a level and its length.
#[inline]
fn printed(price: u64, qty: u64) -> ([u8; LEVEL_MAX], usize) {
    let mut level = [0; LEVEL_MAX];
    let len = print(&mut level, 0, price);
    let len = print(&mut level, len, qty);
    (level, len)
}
