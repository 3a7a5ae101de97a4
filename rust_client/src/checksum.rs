//! Kraken's book checksum: CRC-32 over the text of the best ten asks, then the best ten bids.

#![forbid(unsafe_code)]

/// Levels of each side that the checksum covers.
pub const LEVELS: usize = 10;
/// A u64 has at most 20 digits; two numbers a level, ten levels, two sides.
const TEXT_MAX: usize = 20 * 2 * LEVELS * 2;

/// The CRC-32 of `asks` then `bids`, each best first, prices and quantities as integers of the wire's precision.
///
/// An integer printed without leading zeros is what Kraken means by fixed-point text less its point and its
/// leading zeros. The caller passes no more than [`LEVELS`] of each side.
pub fn checksum(asks: impl Iterator<Item = (u64, u64)>, bids: impl Iterator<Item = (u64, u64)>) -> u32 {
    let mut text = [0u8; TEXT_MAX];
    let mut len = 0;
    for (price, qty) in asks.take(LEVELS).chain(bids.take(LEVELS)) {
        len = print(&mut text, len, price);
        len = print(&mut text, len, qty);
    }
    crc32fast::hash(&text[..len])
}

/// Writes `value` in decimal at `from`; returns where it ends.
#[inline]
fn print(text: &mut [u8; TEXT_MAX], from: usize, mut value: u64) -> usize {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    let to = from + digits.len() - at;
    text[from..to].copy_from_slice(&digits[at..]);
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_of_v1() {
        let asks = (0..10).map(|step| (5005 + 5 * step, 500));
        let bids = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950];
        assert_eq!(checksum(asks, bids.into_iter().map(|price| (price, 500))), 974947235);
    }

    #[test]
    fn the_longest_numbers_fit() {
        let longest = || (0..20).map(|_| (u64::MAX, u64::MAX));
        let text = u64::MAX.to_string().repeat(40);
        assert_eq!(checksum(longest(), longest()), crc32fast::hash(text.as_bytes()));
    }

    #[test]
    fn an_empty_book_is_the_crc_of_nothing() {
        assert_eq!(checksum(std::iter::empty(), std::iter::empty()), 0);
    }
}
