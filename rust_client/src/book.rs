//! One pair's order book, kept from Kraken's frames and proven by their checksums.
//!
//! Levels are integers of the finer of two precisions: the wire's, which the checksum is printed in and which the
//! snapshot's text tells, and the pair's, which ticks and lots are published in.

#![forbid(unsafe_code)]

use crate::checksum;
use crate::json::ScanError;
use crate::numbers::{DECIMALS_MAX, Number};
use crate::scan::{self, Level, Message, Staging};

/// Why a frame or a call was refused; the book is not in sync after `Frame`, and untouched after the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookError {
    Frame(String),
    WrongSymbol(String),
    Value(String),
}

impl From<ScanError> for BookError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Frame(what) => Self::Frame(what),
            ScanError::WrongSymbol(what) => Self::WrongSymbol(what),
        }
    }
}

/// The decimals of one kind of number, a price or a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scale {
    /// The pair's precision; None takes the wire's.
    pair: Option<u32>,
    /// The most decimals that the wire has printed since the snapshot.
    wire: u32,
}

impl Scale {
    /// Decimals of the integers in the book.
    fn stored(self) -> u32 {
        self.pair.map_or(self.wire, |pair| pair.max(self.wire))
    }

    fn published(self) -> u32 {
        self.pair.unwrap_or(self.wire)
    }

    fn per_tick(self) -> u64 {
        10u64.pow(self.stored() - self.published())
    }

    fn per_wire_unit(self) -> u64 {
        10u64.pow(self.stored() - self.wire)
    }

    /// `number` in stored units; it has to be a whole number of the pair's ticks or lots.
    fn units(self, number: Number, name: &str) -> Result<u64, BookError> {
        let factor = 10u64.pow(self.stored() - number.decimals);
        let units = number.mantissa.checked_mul(factor);
        let units =
            units.ok_or_else(|| BookError::Frame(format!("{name} {} is too large", written(number))))?;
        if units % self.per_tick() != 0 {
            let decimals = self.published();
            return Err(BookError::Frame(format!(
                "{name} {} has more than {decimals} decimals",
                written(number)
            )));
        }
        Ok(units)
    }
}

fn written(number: Number) -> String {
    let digits = format!("{:0width$}", number.mantissa, width = number.decimals as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - number.decimals as usize);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// One side's levels by `key`, worst first, so that the busy end is the cheap end of the vector.
///
/// A bid's key is its price, an ask's is `!price`: the best has the largest key on both sides.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Side(Vec<(u64, u64)>);

impl Side {
    /// Looks near the best price first, where nearly all changes are.
    fn find(&self, key: u64) -> Result<usize, usize> {
        let levels = &self.0;
        let near = levels.len().saturating_sub(8);
        for at in (near..levels.len()).rev() {
            if levels[at].0 <= key {
                return if levels[at].0 == key { Ok(at) } else { Err(at + 1) };
            }
        }
        levels[..near].binary_search_by_key(&key, |level| level.0)
    }

    fn set(&mut self, key: u64, qty: u64) {
        match (self.find(key), qty) {
            (Ok(at), 0) => {
                self.0.remove(at);
            }
            (Ok(at), _) => self.0[at].1 = qty,
            (Err(_), 0) => {}
            (Err(at), _) => self.0.insert(at, (key, qty)),
        }
    }

    fn truncate(&mut self, depth: usize) {
        if self.0.len() > depth {
            self.0.drain(..self.0.len() - depth);
        }
    }

    fn rescale(&mut self, is_bid: bool, price: u64, qty: u64) -> Option<()> {
        for level in &mut self.0 {
            let exact = if is_bid { level.0 } else { !level.0 }.checked_mul(price)?;
            *level = (if is_bid { exact } else { !exact }, level.1.checked_mul(qty)?);
        }
        Some(())
    }
}

/// An order book; see `rust_client.pyi` for what each method promises.
#[derive(Debug)]
pub struct Book {
    symbol: String,
    name: String,
    depth: usize,
    price: Scale,
    qty: Scale,
    bids: Side,
    asks: Side,
    synced: bool,
    pub checksums_ok: u64,
    pub checksums_failed: u64,
    exchange_ts: u64,
    last_was_snapshot: bool,
    staging: Staging,
}

impl Book {
    /// An empty book; a precision of None is taken from the wire.
    pub fn new(symbol: &str, depth: usize, price: Option<u32>, qty: Option<u32>) -> Result<Self, BookError> {
        if symbol.is_empty() || !(1..=1000).contains(&depth) {
            return Err(BookError::Value("a book wants a symbol and a depth of 1 to 1000".into()));
        }
        if price.max(qty).is_some_and(|precision| precision > DECIMALS_MAX) {
            return Err(BookError::Value(format!("a precision is WIRE or 0 to {DECIMALS_MAX}")));
        }
        Ok(Self {
            symbol: symbol.to_owned(),
            name: scan::new_name(symbol).into_owned(),
            depth,
            price: Scale { pair: price, wire: 0 },
            qty: Scale { pair: qty, wire: 0 },
            bids: Side::default(),
            asks: Side::default(),
            synced: false,
            checksums_ok: 0,
            checksums_failed: 0,
            exchange_ts: 0,
            last_was_snapshot: false,
            staging: Staging::default(),
        })
    }

    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    pub fn synced(&self) -> bool {
        self.synced
    }

    pub fn exchange_ts(&self) -> u64 {
        self.exchange_ts
    }

    /// Did the last frame taken hold a snapshot, whose time is that of the last change and not of its sending.
    pub fn last_was_snapshot(&self) -> bool {
        self.last_was_snapshot
    }

    pub fn price_precision(&self) -> u32 {
        self.price.published()
    }

    pub fn qty_precision(&self) -> u32 {
        self.qty.published()
    }

    /// Forgets every level; the counts of checksums stay.
    pub fn clear(&mut self) {
        self.bids.0.clear();
        self.asks.0.clear();
        self.synced = false;
        self.exchange_ts = 0;
        self.last_was_snapshot = false;
        self.price.wire = 0;
        self.qty.wire = 0;
    }

    /// Takes one frame; false when the book is not in sync after it.
    pub fn apply_frame(&mut self, frame: &[u8]) -> Result<bool, BookError> {
        let mut staging = std::mem::take(&mut self.staging);
        let result = self.apply_staged(frame, &mut staging);
        self.staging = staging;
        if matches!(result, Err(BookError::Frame(_))) {
            self.synced = false;
        }
        result
    }

    fn apply_staged(&mut self, frame: &[u8], staging: &mut Staging) -> Result<bool, BookError> {
        scan::scan(frame, &self.name, staging)?;
        for message in &staging.messages {
            self.exchange_ts = message.exchange_ts;
            self.last_was_snapshot = message.snapshot;
            if !self.apply(message, &staging.levels[message.from..message.to])? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn apply(&mut self, message: &Message, levels: &[Level]) -> Result<bool, BookError> {
        if !message.snapshot && !self.synced {
            return Ok(false);
        }
        let price = seen(self.price, message, levels.iter().map(|level| level.price.decimals));
        let qty = seen(self.qty, message, levels.iter().map(|level| level.qty.decimals));
        for level in levels {
            // Checked before anything changes: a frame is taken whole or not at all.
            price.units(level.price, "price")?;
            qty.units(level.qty, "quantity")?;
        }
        if message.snapshot {
            self.bids.0.clear();
            self.asks.0.clear();
        } else {
            self.rescale(price, qty)?;
        }
        (self.price, self.qty) = (price, qty);
        for level in levels {
            let units = price.units(level.price, "price")?;
            let (side, key) = if level.is_bid { (&mut self.bids, units) } else { (&mut self.asks, !units) };
            side.set(key, qty.units(level.qty, "quantity")?);
        }
        self.bids.truncate(self.depth);
        self.asks.truncate(self.depth);
        self.synced = self.verify(message.checksum);
        Ok(self.synced)
    }

    fn verify(&mut self, wanted: Option<u32>) -> bool {
        let Some(wanted) = wanted else {
            return true;
        };
        let good = self.checksum() == wanted;
        if good {
            self.checksums_ok += 1;
        } else {
            self.checksums_failed += 1;
        }
        good
    }

    /// Brings the levels to finer units when the wire prints more decimals than the snapshot did.
    fn rescale(&mut self, price: Scale, qty: Scale) -> Result<(), BookError> {
        let by_price = 10u64.pow(price.stored() - self.price.stored());
        let by_qty = 10u64.pow(qty.stored() - self.qty.stored());
        if by_price == 1 && by_qty == 1 {
            return Ok(());
        }
        let (mut bids, mut asks) = (self.bids.clone(), self.asks.clone());
        let done = bids.rescale(true, by_price, by_qty).and_then(|()| asks.rescale(false, by_price, by_qty));
        done.ok_or_else(|| BookError::Frame("a level is too large for the wire's new precision".into()))?;
        (self.bids, self.asks) = (bids, asks);
        Ok(())
    }

    fn side(&self, is_bid: bool) -> impl Iterator<Item = (u64, u64)> {
        let side = if is_bid { &self.bids } else { &self.asks };
        side.0.iter().rev().map(move |(key, qty)| (if is_bid { *key } else { !*key }, *qty))
    }

    fn published(&self, is_bid: bool) -> impl Iterator<Item = (u64, u64)> {
        let (price, qty) = (self.price.per_tick(), self.qty.per_tick());
        self.side(is_bid).map(move |level| (level.0 / price, level.1 / qty))
    }

    /// How many levels a side holds.
    pub fn count(&self, is_bid: bool) -> usize {
        if is_bid { self.bids.0.len() } else { self.asks.0.len() }
    }

    /// Up to `n` bids in ticks and lots, best first.
    pub fn bids(&self, n: usize) -> impl Iterator<Item = (u64, u64)> {
        self.published(true).take(n)
    }

    /// Up to `n` asks in ticks and lots, best first.
    pub fn asks(&self, n: usize) -> impl Iterator<Item = (u64, u64)> {
        self.published(false).take(n)
    }

    /// The checksum of the book as it is now.
    pub fn checksum(&self) -> u32 {
        let (price, qty) = (self.price.per_wire_unit(), self.qty.per_wire_unit());
        let wire = |level: (u64, u64)| (level.0 / price, level.1 / qty);
        checksum::checksum(
            self.side(false).take(checksum::LEVELS).map(wire),
            self.side(true).take(checksum::LEVELS).map(wire),
        )
    }

    /// True when the best bid is not below the best ask.
    pub fn crossed(&self) -> bool {
        match (self.side(true).next(), self.side(false).next()) {
            (Some(bid), Some(ask)) => bid.0 >= ask.0,
            _ => false,
        }
    }
}

/// `scale` with the wire's decimals after a message: anew from a snapshot, only ever more from an update.
fn seen(scale: Scale, message: &Message, decimals: impl Iterator<Item = u32>) -> Scale {
    let least = match (message.snapshot, message.is_v2) {
        (false, _) => scale.wire,
        // v2 prints the pair's precision exactly, even where zeros at the end were lost on the way.
        (true, true) => scale.pair.unwrap_or(0),
        (true, false) => 0,
    };
    Scale { wire: decimals.fold(least, u32::max), ..scale }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
