//! Book frames as rows of columns, each checksum verified on the way; `backtest/data/frames.py` is the Python twin.

#![forbid(unsafe_code)]

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::book::Book;
use crate::errors::BookError;
use crate::numbers::Number;
use crate::scan::{self, Level, Message, Staging};
use crate::side::Side;

pub const DAY_NS: i64 = 86_400 * 1_000_000_000;
/// Kraken's depths of a subscription.
const DEPTHS: [usize; 5] = [10, 25, 100, 500, 1000];
// The numbers of `backtest/data/columns.py`.
const LEVEL: u8 = 0;
const SNAPSHOT: u8 = 1;
const TRADE: u8 = 2;
const MARK: u8 = 3;
pub const LAST: u8 = 1;
pub const FIRST: u8 = 2;
pub const MARK_CHECKSUM: i64 = 3;
const MARK_UNREADABLE: i64 = 4;
pub const BUY: u8 = 0;
pub const SELL: u8 = 1;

/// Rows by column, in the order of the schema.
#[derive(Debug, Default)]
struct Rows {
    exchange_ts: Vec<i64>,
    heard_ts: Vec<i64>,
    kind: Vec<u8>,
    side: Vec<u8>,
    ticks: Vec<i64>,
    lots: Vec<i64>,
    flags: Vec<u8>,
}

/// The times and the kind that the rows of one message share.
#[derive(Clone, Copy)]
struct Stamp {
    at: i64,
    heard: i64,
    kind: u8,
}

impl Rows {
    fn add(&mut self, stamp: Stamp, side: u8, ticks: i64, lots: i64, flags: u8) {
        self.exchange_ts.push(stamp.at);
        self.heard_ts.push(stamp.heard);
        self.kind.push(stamp.kind);
        self.side.push(side);
        self.ticks.push(ticks);
        self.lots.push(lots);
        self.flags.push(flags);
    }

    fn add_levels(&mut self, stamp: Stamp, levels: impl ExactSizeIterator<Item = (u8, i64, i64)>) {
        let snapshot = stamp.kind == SNAPSHOT;
        let count = levels.len();
        if snapshot && count == 0 {
            // An empty book, too, empties the one before.
            self.add(stamp, BUY, 0, 0, FIRST | LAST);
        }
        for (place, (side, ticks, lots)) in levels.enumerate() {
            let first = if snapshot && place == 0 { FIRST } else { 0 };
            let last = if place + 1 == count { LAST } else { 0 };
            self.add(stamp, side, ticks, lots, first | last);
        }
    }
}

/// One pair's book frames as rows; see `rust_client.pyi` for what each method promises.
#[pyclass(module = "rust_client")]
pub struct FrameReader {
    book: Book,
    name: String,
    price_precision: u32,
    qty_precision: u32,
    depth: usize,
    expected: usize,
    last: i64,
    rows: Rows,
    staging: Staging,
    /// Levels of a message of followed rows that has not ended yet, and whether it is a snapshot.
    pending: Vec<Level>,
    pending_snapshot: bool,
}

#[pymethods]
impl FrameReader {
    #[new]
    fn new(symbol: &str, price_precision: u32, qty_precision: u32) -> PyResult<Self> {
        Ok(Self {
            book: Book::new(symbol, DEPTHS[0], Some(price_precision), Some(qty_precision))?,
            name: scan::new_name(symbol).into_owned(),
            price_precision,
            qty_precision,
            depth: 0,
            expected: 0,
            last: 0,
            rows: Rows::default(),
            staging: Staging::default(),
            pending: Vec::new(),
            pending_snapshot: false,
        })
    }

    #[getter]
    fn depth(&self) -> usize {
        self.depth
    }

    #[getter]
    fn checksums_ok(&self) -> u64 {
        self.book.checksums_ok
    }

    #[getter]
    fn checksums_failed(&self) -> u64 {
        self.book.checksums_failed
    }

    #[getter]
    fn synced(&self) -> bool {
        self.book.synced()
    }

    fn expect_depth(&mut self, depth: usize) {
        self.expected = depth;
    }

    fn feed(&mut self, frame: &[u8], heard_ts: i64) -> PyResult<bool> {
        let mut staging = std::mem::take(&mut self.staging);
        let result = self.read(frame, heard_ts, &mut staging);
        self.staging = staging;
        if matches!(result, Err(BookError::Frame(_))) {
            self.mark(MARK_UNREADABLE, heard_ts);
        }
        Ok(result?)
    }

    fn change(
        &mut self,
        exchange_ts: i64,
        heard_ts: i64,
        snapshot: bool,
        levels: Vec<(u8, u64, u64)>,
    ) -> PyResult<bool> {
        let levels: Vec<Level> =
            levels.into_iter().map(|(side, ticks, lots)| self.level(side, ticks, lots)).collect();
        let exchange_ts = u64::try_from(exchange_ts).unwrap_or(0);
        let message =
            Message { from: 0, to: levels.len(), is_v2: true, snapshot, checksum: None, exchange_ts };
        Ok(self.take_message(&message, &levels, heard_ts)?)
    }

    fn follow(
        &mut self,
        kinds: &[u8],
        sides: &[u8],
        ticks: &[u8],
        lots: &[u8],
        flags: &[u8],
    ) -> PyResult<()> {
        let rows = kinds.iter().zip(sides).zip(words(ticks)).zip(words(lots)).zip(flags);
        for ((((&kind, &side), ticks), lots), &flag) in rows {
            match kind {
                TRADE => {}
                MARK => self.book.clear(),
                _ => {
                    self.pending_snapshot |= kind == SNAPSHOT;
                    if ticks != 0 {
                        self.pending.push(self.level(side, ticks, lots));
                    }
                    if flag & LAST != 0 {
                        self.end_message()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn edges(&self) -> Option<(u64, u64, u64, u64)> {
        let depth = self.book.depth();
        let price = |side, last: bool| {
            let mut prices = self.book.levels(side, depth).map(|(ticks, _)| ticks);
            if last { prices.last() } else { prices.next() }
        };
        let (bid, ask) = (price(Side::Buy, false)?, price(Side::Sell, false)?);
        Some((bid, ask, price(Side::Buy, true)?, price(Side::Sell, true)?))
    }

    fn mark(&mut self, why: i64, heard_ts: i64) {
        if self.book.synced() {
            self.add_mark(why, heard_ts);
        }
        self.book.clear();
    }

    fn state(&mut self, exchange_ts: i64, heard_ts: i64) {
        let depth = self.book.depth();
        let side = |side, code| {
            self.book.levels(side, depth).map(move |(ticks, lots)| (code, signed(ticks), signed(lots)))
        };
        let levels: Vec<(u8, i64, i64)> = side(Side::Buy, BUY).chain(side(Side::Sell, SELL)).collect();
        let stamp = Stamp { at: exchange_ts, heard: heard_ts, kind: SNAPSHOT };
        self.rows.add_levels(stamp, levels.into_iter());
    }

    fn take<'py>(&mut self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let rows = std::mem::take(&mut self.rows);
        vec![
            wide(py, &rows.exchange_ts),
            wide(py, &rows.heard_ts),
            PyBytes::new(py, &rows.kind),
            PyBytes::new(py, &rows.side),
            wide(py, &rows.ticks),
            wide(py, &rows.lots),
            PyBytes::new(py, &rows.flags),
        ]
    }
}

impl FrameReader {
    fn level(&self, side: u8, ticks: u64, lots: u64) -> Level {
        Level {
            side: if side == BUY { Side::Buy } else { Side::Sell },
            price: Number { mantissa: ticks, decimals: self.price_precision },
            qty: Number { mantissa: lots, decimals: self.qty_precision },
        }
    }

    /// Brings the book to where it is after the followed rows of one message.
    fn end_message(&mut self) -> Result<(), BookError> {
        let levels = std::mem::take(&mut self.pending);
        let snapshot = std::mem::take(&mut self.pending_snapshot);
        if snapshot {
            self.fit(&levels);
        }
        let to = levels.len();
        let message = Message { from: 0, to, is_v2: true, snapshot, checksum: None, exchange_ts: 0 };
        self.book.apply_message(&message, &levels).map(|_| ())
    }

    fn read(&mut self, frame: &[u8], heard: i64, staging: &mut Staging) -> Result<bool, BookError> {
        scan::scan(frame, &self.name, staging)?;
        for message in &staging.messages {
            if !self.take_message(message, &staging.levels[message.from..message.to], heard)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take_message(&mut self, message: &Message, levels: &[Level], heard: i64) -> Result<bool, BookError> {
        if message.snapshot {
            self.fit(levels);
        }
        let failed = self.book.checksums_failed;
        let stated = if message.exchange_ts == 0 { heard } else { signed(message.exchange_ts) };
        let at = stated.max(self.last);
        if self.book.synced() {
            self.pass_midnight(at, heard);
        }
        if !self.book.apply_message(message, levels)? {
            if self.book.checksums_failed > failed {
                self.last = at;
                self.add_mark(MARK_CHECKSUM, heard);
            }
            return Ok(false);
        }
        let heard = if heard == 0 { at } else { heard };
        if self.last == 0 {
            self.date_first(at, heard);
        }
        self.last = at;
        let (price, qty) = (self.price_precision, self.qty_precision);
        let rows = levels.iter().map(|level| {
            let side = if level.side == Side::Buy { BUY } else { SELL };
            (side, units(level.price, price), units(level.qty, qty))
        });
        let kind = if message.snapshot { SNAPSHOT } else { LEVEL };
        self.rows.add_levels(Stamp { at, heard, kind }, rows);
        Ok(true)
    }

    /// Makes the book as deep as the subscription that a snapshot is of.
    fn fit(&mut self, levels: &[Level]) {
        let bids = levels.iter().filter(|level| level.side == Side::Buy).count();
        let longest = bids.max(levels.len() - bids);
        let holds = DEPTHS.into_iter().find(|depth| *depth >= longest).unwrap_or(DEPTHS[DEPTHS.len() - 1]);
        let depth = if self.expected == 0 { holds } else { self.expected };
        self.depth = self.depth.max(depth);
        self.book.set_depth(depth);
    }

    /// Gives rows of a snapshot without a time that of the first message with one.
    fn date_first(&mut self, at: i64, heard: i64) {
        self.rows.exchange_ts.fill(at);
        for received in self.rows.heard_ts.iter_mut().filter(|received| **received == 0) {
            *received = heard;
        }
    }

    fn pass_midnight(&mut self, at: i64, heard: i64) {
        let midnight = at - at % DAY_NS;
        if self.last != 0 && self.last < midnight {
            let lag = if heard == 0 { 0 } else { (heard - at).max(0) };
            self.state(midnight, midnight + lag);
        }
    }

    fn add_mark(&mut self, why: i64, heard: i64) {
        let heard = if heard == 0 { self.last } else { heard };
        self.rows.add(Stamp { at: self.last, heard, kind: MARK }, 0, 0, why, 0);
    }
}

/// A number that a book has taken, in units of a precision.
fn units(number: Number, precision: u32) -> i64 {
    signed(if number.decimals <= precision {
        number.mantissa.saturating_mul(10u64.pow(precision - number.decimals))
    } else {
        number.mantissa / 10u64.pow(number.decimals - precision)
    })
}

/// A count as the columns hold it; beyond what any market has it stays at the end of the range.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The counts in a column's bytes.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
}

pub fn wide<'py>(py: Python<'py>, values: &[i64]) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    PyBytes::new(py, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_the_precision_of_the_pair_whatever_the_wire_prints() {
        let number = |mantissa, decimals| Number { mantissa, decimals };
        assert_eq!(units(number(15, 1), 3), 1500);
        assert_eq!(units(number(1_500_000, 6), 1), 15);
        assert_eq!(units(number(u64::MAX, 0), 0), i64::MAX);
        assert_eq!(units(number(u64::MAX, 0), 18), i64::MAX);
    }

    #[test]
    fn the_bytes_of_a_column_are_its_counts_in_order() {
        let bytes: Vec<u8> = [7i64, 1 << 40].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(words(&bytes).collect::<Vec<_>>(), [7, 1 << 40]);
        assert_eq!(words(&bytes[..12]).collect::<Vec<_>>(), [7]);
    }
}
