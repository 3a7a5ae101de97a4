//! Messages of the bus as msgpack, made and read without Python: `shared/messages.py` is what they mean.
//!
//! The members stand in the order of the Python structs, and numbers take as few bytes as they can, so that the bytes
//! are those that Python would write.

#![forbid(unsafe_code)]

pub mod book;
pub mod feed_frame;

use rmp::encode::{self, buffer::ByteBuf};

/// The version of the messages.
const VERSION: u64 = 1;

/// The bytes of a message as they are written.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: ByteBuf,
}

// What rmp writes into memory cannot fail: its results say nothing.
impl Writer {
    fn with_capacity(bytes: usize) -> Self {
        Self { bytes: ByteBuf::with_capacity(bytes) }
    }

    fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_vec()
    }

    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    pub fn clear(&mut self) {
        self.bytes.as_mut_vec().clear();
    }

    fn map(&mut self, members: u32) {
        let _ = encode::write_map_len(&mut self.bytes, members);
    }

    fn array(&mut self, count: usize) {
        // A side holds at most 1000 levels, so the count always fits.
        let _ = encode::write_array_len(&mut self.bytes, count as u32);
    }

    #[inline]
    fn uint(&mut self, value: u64) {
        let _ = encode::write_uint(&mut self.bytes, value);
    }

    #[inline]
    fn text(&mut self, text: &str) {
        let _ = encode::write_str(&mut self.bytes, text);
    }

    #[inline]
    fn binary(&mut self, bytes: &[u8]) {
        let _ = encode::write_bin(&mut self.bytes, bytes);
    }

    #[inline]
    fn member(&mut self, name: &str, value: u64) {
        self.text(name);
        self.uint(value);
    }
}

/// A message as it is read, in the very form in which it is written; None at the first byte that differs.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    fn key(&mut self, name: &str) -> Option<()> {
        let [mark, rest @ ..] = self.rest else {
            return None;
        };
        self.rest = rest.strip_prefix(name.as_bytes())?;
        (usize::from(mark ^ 0xa0) == name.len()).then_some(())
    }

    fn number(&mut self, len: usize) -> Option<u64> {
        Some(self.take(len)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    #[inline]
    fn uint(&mut self) -> Option<u64> {
        match self.number(1)? {
            value @ 0..0x80 => Some(value),
            0xcc => self.number(1),
            0xcd => self.number(2),
            0xce => self.number(4),
            0xcf => self.number(8),
            _ => None,
        }
    }

    #[inline]
    fn member(&mut self, name: &str) -> Option<u64> {
        self.key(name)?;
        self.uint()
    }

    /// The bytes of a text of up to 255 bytes.
    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        let len = match self.number(1)? {
            mark @ 0xa0..0xc0 => mark ^ 0xa0,
            0xd9 => self.number(1)?,
            _ => return None,
        };
        self.take(len as usize)
    }

    #[inline]
    fn binary(&mut self) -> Option<&'a [u8]> {
        let len = match self.number(1)? {
            0xc4 => self.number(1)?,
            0xc5 => self.number(2)?,
            0xc6 => self.number(4)?,
            _ => return None,
        };
        self.take(usize::try_from(len).ok()?)
    }
}
