//! One pair's order book, kept from Kraken's frames and proven by their checksums.
//!
//! Levels are integers of the finer of two precisions: the wire's, which the checksum is printed in and which the
//! snapshot's text tells, and the pair's, which ticks and lots are published in.

#![forbid(unsafe_code)]

mod ladder;
mod scale;
mod text;

use crate::checksum::Checksum;
use crate::errors::{BookError, CallFault, FrameFault, Measure};
use crate::numbers::DECIMALS_MAX;
use crate::scan::{self, Level, Message, Staging};
use crate::side::Side;
use ladder::Ladder;
use scale::Scale;

/// A level of a frame in the book's units.
#[derive(Debug, Clone, Copy)]
struct Converted {
    side: Side,
    price: u64,
    qty: u64,
}

/// An order book; see `rust_client.pyi` for what each method promises.
#[derive(Debug)]
pub struct Book {
    symbol: String,
    name: String,
    depth: usize,
    price: Scale,
    qty: Scale,
    bids: Ladder,
    asks: Ladder,
    checksum: Checksum,
    synced: bool,
    pub checksums_ok: u64,
    pub checksums_failed: u64,
    exchange_ts: u64,
    last_was_snapshot: bool,
    /// Kept between frames so that their memory is reused: levels as scanned, and in the book's units.
    staging: Staging,
    converted: Vec<Converted>,
}

impl Book {
    /// An empty book; a precision of None is taken from the wire.
    pub fn new(symbol: &str, depth: usize, price: Option<u32>, qty: Option<u32>) -> Result<Self, BookError> {
        if symbol.is_empty() || !(1..=1000).contains(&depth) {
            return Err(BookError::Call(CallFault::SymbolOrDepth));
        }
        if price.max(qty).is_some_and(|precision| precision > DECIMALS_MAX) {
            return Err(BookError::Call(CallFault::Precision));
        }
        Ok(Self {
            symbol: symbol.to_owned(),
            name: scan::new_name(symbol).into_owned(),
            depth,
            price: Scale { pair: price, wire: 0 },
            qty: Scale { pair: qty, wire: 0 },
            bids: Ladder::new(Side::Buy),
            asks: Ladder::new(Side::Sell),
            checksum: Checksum::default(),
            synced: false,
            checksums_ok: 0,
            checksums_failed: 0,
            exchange_ts: 0,
            last_was_snapshot: false,
            staging: Staging::default(),
            converted: Vec::new(),
        })
    }

    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Follows so many levels a side from the next message on.
    pub fn set_depth(&mut self, depth: usize) {
        self.depth = depth;
    }

    pub fn synced(&self) -> bool {
        self.synced
    }

    pub fn exchange_ts(&self) -> u64 {
        self.exchange_ts
    }

    /// True if the last frame taken held a snapshot, whose time is that of the last change and not of its sending.
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
        self.bids.clear();
        self.asks.clear();
        self.renew_checksum();
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
            if !self.apply_message(message, &staging.levels[message.from..message.to])? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes an update in Kraken's own form, no older than `oldest` by its own time, that leaves the book in sync and
    /// not crossed.
    ///
    /// False for any other frame: [`Self::apply_frame`] is to judge it. Nothing is counted then, and the levels that
    /// the frame sets may have been set, which setting them again does not change.
    pub fn apply_ordinary(&mut self, frame: &[u8], oldest: u64) -> bool {
        let mut staging = std::mem::take(&mut self.staging);
        let taken = match scan::plain_update(frame, &self.name, &mut staging) {
            Some(message) if self.synced && !(1..oldest).contains(&message.exchange_ts) => {
                let before =
                    (self.checksums_ok, self.checksums_failed, self.exchange_ts, self.last_was_snapshot);
                let good = self.apply_message(&message, &staging.levels) == Ok(true) && !self.crossed();
                if !good {
                    (self.checksums_ok, self.checksums_failed, self.exchange_ts, self.last_was_snapshot) =
                        before;
                    self.synced = true;
                }
                good
            }
            _ => false,
        };
        self.staging = staging;
        taken
    }

    /// Takes one message of a frame; false when the book is not in sync after it.
    pub fn apply_message(&mut self, message: &Message, levels: &[Level]) -> Result<bool, BookError> {
        self.exchange_ts = message.exchange_ts;
        self.last_was_snapshot = message.snapshot;
        if !message.snapshot && !self.synced {
            return Ok(false);
        }
        let price = self.price.after(message, levels.iter().map(|level| level.price.decimals));
        let qty = self.qty.after(message, levels.iter().map(|level| level.qty.decimals));
        // All of them before anything changes: a frame is taken whole or not at all.
        self.converted.clear();
        for level in levels {
            self.converted.push(Converted {
                side: level.side,
                price: price.units(level.price, Measure::Price).map_err(BookError::Frame)?,
                qty: qty.units(level.qty, Measure::Quantity).map_err(BookError::Frame)?,
            });
        }
        if price != self.price || qty != self.qty {
            if !message.snapshot {
                self.rescale(price, qty)?;
            }
            (self.price, self.qty) = (price, qty);
            for side in [&mut self.bids, &mut self.asks] {
                side.set_wire_units(price.per_wire_unit(), qty.per_wire_unit());
            }
        }
        if message.snapshot {
            let side = |side| {
                self.converted
                    .iter()
                    .filter(move |level| level.side == side)
                    .map(|level| (level.price, level.qty))
            };
            self.bids.load(side(Side::Buy));
            self.asks.load(side(Side::Sell));
        } else {
            for &Converted { side, price, qty } in &self.converted {
                match side {
                    Side::Buy => self.bids.set(price, qty),
                    Side::Sell => self.asks.set(price, qty),
                }
            }
        }
        self.bids.truncate(self.depth);
        self.asks.truncate(self.depth);
        self.renew_checksum();
        self.synced = self.verify(message.checksum);
        Ok(self.synced)
    }

    /// Brings the checksum to the levels: nothing is to do for levels beyond those that it covers.
    fn renew_checksum(&mut self) {
        let asks = self.asks.text_if_changed();
        let asks_changed = asks.is_some();
        if let Some(text) = asks {
            self.checksum.set_asks(text);
        }
        if self.bids.text_if_changed().is_some() || asks_changed {
            self.checksum.set_bids(self.bids.text());
        }
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
        let done = bids.rescale(by_price, by_qty).and_then(|()| asks.rescale(by_price, by_qty));
        done.ok_or(BookError::Frame(FrameFault::Outgrown))?;
        (self.bids, self.asks) = (bids, asks);
        Ok(())
    }

    fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// How many levels a side holds.
    pub fn count(&self, side: Side) -> usize {
        self.ladder(side).len()
    }

    /// Up to `n` levels of a side in ticks and lots, best first.
    pub fn levels(&self, side: Side, n: usize) -> impl Iterator<Item = (u64, u64)> {
        let (price, qty) = (self.price.per_tick(), self.qty.per_tick());
        self.ladder(side).best_first().take(n).map(move |level| (level.0 / price, level.1 / qty))
    }

    /// The checksum of the book as it is now.
    pub fn checksum(&self) -> u32 {
        self.checksum.value()
    }

    /// True when the best bid is not below the best ask.
    pub fn crossed(&self) -> bool {
        matches!((self.bids.best(), self.asks.best()), (Some(bid), Some(ask)) if bid >= ask)
    }
}

#[cfg(test)]
mod tests;
