//! The hasher of ids and prices, which are our own small integers: a multiplication spreads them well enough.

#![forbid(unsafe_code)]

use std::hash::{BuildHasherDefault, Hasher};

pub type Mixed = BuildHasherDefault<Mixer>;

#[derive(Default)]
pub struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
