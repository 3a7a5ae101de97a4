//! Kraken's book checksum: CRC-32 over the text of the best ten asks, then the best ten bids.
//!
//! An integer printed without leading zeros is what Kraken means by fixed-point text less its point and its leading
//! zeros.

#![forbid(unsafe_code)]

use crc32fast::Hasher;

/// Levels of each side that the checksum covers.
pub const LEVELS: usize = 10;
const DIGITS_MAX: usize = 20;
const PAIRS: [[u8; 2]; 100] = pairs();

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
}

/// A checksum with the part of it that only the asks make, which changes of bids leave as it is.
#[derive(Debug, Default, Clone, Copy)]
pub struct Checksum {
    asks: u32,
    whole: u32,
}

impl Checksum {
    pub fn value(self) -> u32 {
        self.whole
    }

    pub fn set_asks(&mut self, text: &[u8]) {
        self.asks = crc32fast::hash(text);
    }

    /// Takes the bids' text; the asks' stands.
    pub fn set_bids(&mut self, text: &[u8]) {
        let mut hasher = Hasher::new_with_initial(self.asks);
        hasher.update(text);
        self.whole = hasher.finalize();
    }
}

/// Writes `value` in decimal at `from`; returns where it ends.
#[inline]
pub fn print(text: &mut [u8], from: usize, mut value: u64) -> usize {
    let mut digits = [0u8; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    while value >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[value as usize]);
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    let to = from + DIGITS_MAX - at;
    text[from..to].copy_from_slice(&digits[at..]);
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum(asks: &str, bids: &str) -> u32 {
        let mut checksum = Checksum::default();
        checksum.set_asks(asks.as_bytes());
        checksum.set_bids(bids.as_bytes());
        checksum.value()
    }

    #[test]
    fn the_worked_example_of_v1() {
        let asks: String = (0..10).map(|step| format!("{}500", 5005 + 5 * step)).collect();
        let bids = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950];
        let bids: String = bids.into_iter().map(|price| format!("{price}500")).collect();
        assert_eq!(checksum(&asks, &bids), 974947235);
    }

    #[test]
    fn numbers_are_printed_as_people_write_them() {
        for value in [0, 9, 10, 99, 100, 101, 12345, 123_456_789, u64::MAX / 10, u64::MAX] {
            let mut text = [0; 25];
            let to = print(&mut text, 3, value);
            assert_eq!(std::str::from_utf8(&text[3..to]), Ok(value.to_string().as_str()));
        }
    }

    #[test]
    fn an_empty_book_is_the_crc_of_nothing() {
        assert_eq!(Checksum::default().value(), checksum("", ""));
    }
}
