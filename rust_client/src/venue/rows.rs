//! Rows of all symbols as they were recorded, checked once, when they are loaded.

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::errors::RowFault;
use crate::side::Side;

const SELL: u8 = 1;
const FLAG_LAST: u8 = 1;
const FLAG_FIRST: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Level = 0,
    Snapshot = 1,
    Trade = 2,
    Mark = 3,
    Order = 4,
    OrderSnapshot = 5,
}

/// A row; made by [`Row::check`]ed columns only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub exchange_ts: i64,
    pub heard_ts: i64,
    pub ticks: i64,
    pub lots: i64,
    /// The number of a single order, by which the record names it.
    pub order: u32,
    pub symbol: u16,
    pub kind: u8,
    pub side: u8,
    pub flags: u8,
}

impl Row {
    pub fn kind(&self) -> Kind {
        match self.kind {
            0 => Kind::Level,
            1 => Kind::Snapshot,
            2 => Kind::Trade,
            3 => Kind::Mark,
            4 => Kind::Order,
            _ => Kind::OrderSnapshot,
        }
    }

    pub fn side(&self) -> Side {
        if self.side == SELL { Side::Sell } else { Side::Buy }
    }

    pub fn ticks(&self) -> u64 {
        self.ticks.unsigned_abs()
    }

    pub fn lots(&self) -> u64 {
        self.lots.unsigned_abs()
    }

    pub fn is_first(&self) -> bool {
        self.flags & FLAG_FIRST != 0
    }

    /// True if the row ends its message, which `next` follows.
    pub fn ends_message(&self, next: Option<&Self>) -> bool {
        self.flags & FLAG_LAST != 0
            || self.kind() == Kind::Mark
            || next.is_none_or(|next| (next.symbol, next.exchange_ts) != (self.symbol, self.exchange_ts))
    }

    /// Refuses what is no row of a market of so many symbols, or comes before `not_before`.
    pub fn check(&self, symbols: usize, not_before: i64) -> Result<(), RowFault> {
        if self.exchange_ts < not_before {
            return Err(RowFault::Unordered);
        }
        let is_row =
            usize::from(self.symbol) < symbols && self.kind <= Kind::OrderSnapshot as u8 && self.side <= SELL;
        if !is_row || self.ticks < 0 || self.lots < 0 {
            return Err(RowFault::OutOfRange);
        }
        Ok(())
    }
}

/// The rows from the last played message on; they are counted from the first ever loaded. Markets may share them.
#[derive(Default)]
pub struct Tape {
    rows: Arc<Vec<Row>>,
    first: usize,
    /// The next row to play, and the first of the message played last.
    next: usize,
    last_start: usize,
}

impl Tape {
    /// Appends rows, and drops those before the message played last.
    pub fn load(
        &mut self,
        rows: impl ExactSizeIterator<Item = Row>,
        symbols: usize,
        now: i64,
    ) -> Result<(), RowFault> {
        let all = Arc::make_mut(&mut self.rows);
        let kept = all.len();
        let mut newest = all.last().map_or(now, |row| row.exchange_ts.max(now));
        all.reserve(rows.len());
        for row in rows {
            if let Err(fault) = row.check(symbols, newest) {
                all.truncate(kept);
                return Err(fault);
            }
            newest = row.exchange_ts;
            all.push(row);
        }
        all.drain(..self.last_start - self.first);
        self.first = self.last_start;
        Ok(())
    }

    /// The same rows from the first, which must be held still.
    pub fn again(&self) -> Option<Self> {
        (self.first == 0).then(|| Self { rows: Arc::clone(&self.rows), ..Self::default() })
    }

    pub fn get(&self, index: usize) -> Option<&Row> {
        self.rows.get(index.checked_sub(self.first)?)
    }

    /// The next row to play.
    pub fn peek(&self) -> Option<&Row> {
        self.rows.get(self.next - self.first)
    }

    pub fn next_index(&self) -> usize {
        self.next
    }

    /// The next message as the index of its first row and its rows; it counts as played.
    pub fn take_message(&mut self) -> (usize, &[Row]) {
        let start = self.next - self.first;
        let mut end = start;
        while let Some(row) = self.rows.get(end) {
            end += 1;
            if row.ends_message(self.rows.get(end)) {
                break;
            }
        }
        self.last_start = self.next;
        self.next = self.first + end;
        (self.last_start, &self.rows[start..end])
    }
}
