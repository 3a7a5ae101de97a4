//! The frame scanner: one pass over the bytes of a Kraken book frame, v1 or v2, number text to integers.
//!
//! It reads strict JSON (RFC 8259) and copies nothing of a well-formed frame. Flaws in the levels of another pair's
//! book are no errors of ours: a flaw is remembered, and raised only if the frame turns out to be about our symbol,
//! which v1 names in its last element.

#![forbid(unsafe_code)]

mod plain;
mod v1;
mod v2;

use std::borrow::Cow;

use crate::errors::{Flaw, ScanError};
use crate::json::{Cursor, Scan};
use crate::numbers::{self, Number, decimal};
use crate::side::Side;

/// One level as the frame states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub side: Side,
    pub price: Number,
    pub qty: Number,
}

/// One message about our book: its levels are `levels[from..to]` of the [`Staging`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub from: usize,
    pub to: usize,
    pub is_v2: bool,
    pub snapshot: bool,
    pub checksum: Option<u32>,
    /// ns since the epoch, 0 where the frame tells none.
    pub exchange_ts: u64,
}

/// What a frame said about our book; kept between frames so that its memory is reused.
#[derive(Debug, Default)]
pub struct Staging {
    pub levels: Vec<Level>,
    pub messages: Vec<Message>,
    minute: plain::Minute,
}

impl Staging {
    fn clear(&mut self) {
        self.levels.clear();
        self.messages.clear();
    }
}

/// A pair's name with both legs in their new names: `XBT/USD` is `BTC/USD`, `XDG/EUR` is `DOGE/EUR`.
pub fn new_name(symbol: &str) -> Cow<'_, str> {
    if !symbol.split('/').any(|leg| leg == "XBT" || leg == "XDG") {
        return Cow::Borrowed(symbol);
    }
    let legs: Vec<&str> = symbol
        .split('/')
        .map(|leg| match leg {
            "XBT" => "BTC",
            "XDG" => "DOGE",
            other => other,
        })
        .collect();
    Cow::Owned(legs.join("/"))
}

/// Reads `frame` into `staging`, keeping only messages about `symbol` (a name made by [`new_name`]).
///
/// On success there is at least one message.
pub fn scan(frame: &[u8], symbol: &str, staging: &mut Staging) -> Scan<()> {
    staging.clear();
    match plain::frame(frame, symbol, staging) {
        Some(()) => Ok(()),
        None => any_form(frame, symbol, staging),
    }
}

/// Reads an update in Kraken's own form; None for anything else. Its levels are all those of the staging.
pub fn plain_update(frame: &[u8], symbol: &str, staging: &mut Staging) -> Option<Message> {
    staging.clear();
    plain::frame(frame, symbol, staging)?;
    staging.messages.first().filter(|message| !message.snapshot).copied()
}

/// True for a frame about `symbol` in Kraken's own form.
pub fn is_plain(frame: &[u8], symbol: &str, staging: &mut Staging) -> bool {
    staging.clear();
    plain::frame(frame, symbol, staging).is_some()
}

pub use plain::symbol_of;

/// Reads a frame in whatever form JSON allows.
fn any_form(frame: &[u8], symbol: &str, staging: &mut Staging) -> Scan<()> {
    staging.clear();
    let mut cursor = Cursor::new(frame);
    match cursor.peek() {
        Some(b'{') => v2::frame(&mut cursor, symbol, staging),
        Some(b'[') => v1::frame(&mut cursor, symbol, staging),
        _ => Err(cursor.error(Flaw::NoContainer)),
    }
}

/// Judges a frame that was read to its end: a flaw of our levels, a frame of others, or good.
fn finish(cursor: &Cursor, staging: &Staging, wrong: Option<ScanError>, others: Option<String>) -> Scan<()> {
    match (wrong, others) {
        (Some(wrong), _) => Err(wrong),
        (None, _) if !staging.messages.is_empty() => Ok(()),
        (None, Some(other)) => Err(ScanError::WrongSymbol(other)),
        (None, None) => Err(cursor.error(Flaw::NoBook)),
    }
}

impl Cursor<'_> {
    /// A price or a quantity, bare (v2) or in quotes (v1).
    fn number(&mut self) -> Scan<Number> {
        let text = self.number_or_string()?;
        numbers::number(&text)
            .ok_or_else(|| self.error(Flaw::NoNumber(String::from_utf8_lossy(&text).into_owned())))
    }

    fn level(&self, side: Side, price: Number, qty: Number) -> Scan<Level> {
        if price.mantissa == 0 {
            return Err(self.error(Flaw::ZeroPrice));
        }
        Ok(Level { side, price, qty })
    }

    fn checksum(&mut self) -> Scan<u32> {
        let text = self.number_or_string()?;
        let value = (1..=10).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
        let value = if value { decimal(&text) } else { None };
        value.and_then(|value| u32::try_from(value).ok()).ok_or_else(|| self.error(Flaw::NoChecksum))
    }

    /// A time by `read`; what is no time, or none that we know, is 0: nothing but a lag is measured with it.
    fn time(&mut self, read: fn(&[u8]) -> Option<u64>) -> Scan<u64> {
        match self.peek() {
            Some(b'"' | b'0'..=b'9') => Ok(read(&self.number_or_string()?).unwrap_or(0)),
            _ => self.skip_value().map(|()| 0),
        }
    }
}

#[cfg(test)]
mod tests;
