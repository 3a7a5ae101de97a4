//! A market whose book is recorded and in which only our own orders are live.
//!
//! `backtest/venue/queue_market.py` has the rules; where the two differ, that one is right.

#![forbid(unsafe_code)]

mod book;
mod ladder;
mod model;
mod own;
pub mod python;
mod queues;
mod quoter;
mod rows;
mod screen;
mod screen_python;
mod signals;
mod taking;

pub use book::Book;
pub use model::Model;
pub use rows::{Kind, Row};

use crate::engine::{Event, NewOrder};
use crate::errors::{EngineError, RowFault};
use book::RecordedIds;
use rows::Tape;

/// What a message did, as bits.
pub mod stop {
    pub const FILL: u32 = 1;
    pub const TOUCH: u32 = 2;
    pub const BOOK: u32 = 4;
    pub const TRADE: u32 = 8;
    pub const MARK: u32 = 16;
}

/// Where the market stopped: what the message did of what was wanted, and its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    pub why: u32,
    pub symbol: u16,
    pub start: usize,
    pub end: usize,
}

pub struct Market {
    books: Vec<Book>,
    ids: RecordedIds,
    tape: Tape,
    now: i64,
}

impl Market {
    pub fn new(symbols: usize, model: Model) -> Self {
        let books = (0..symbols).map(|_| Book::new(model)).collect();
        Self { books, ids: RecordedIds::default(), tape: Tape::default(), now: i64::MIN }
    }

    /// A new market of the same rows, from the first, and the same depths; None if the first rows are dropped.
    pub fn again(&self, model: Model) -> Option<Self> {
        let mut market = Self { tape: self.tape.again()?, ..Self::new(self.books.len(), model) };
        for (book, old) in market.books.iter_mut().zip(&self.books) {
            book.depths = old.depths;
        }
        Some(market)
    }

    /// Appends whole messages; rows before the message played last are dropped.
    pub fn load(&mut self, rows: impl ExactSizeIterator<Item = Row>) -> Result<(), RowFault> {
        self.tape.load(rows, self.books.len(), self.now)
    }

    /// Plays messages up to a time, or to the first that did something wanted or filled us.
    pub fn advance(&mut self, until: i64, wanted: u32) -> Stopped {
        let wanted = wanted | stop::FILL;
        while self.tape.peek().is_some_and(|row| row.exchange_ts <= until) {
            let (start, rows) = self.tape.take_message();
            let (end, first) = (start + rows.len(), rows[0]);
            let book = &mut self.books[usize::from(first.symbol)];
            let why = play(book, rows, wanted, &mut self.ids) & wanted;
            self.now = self.now.max(first.exchange_ts);
            if why != 0 {
                return Stopped { why, symbol: first.symbol, start, end };
            }
        }
        self.now = self.now.max(until);
        let next = self.tape.next_index();
        Stopped { why: 0, symbol: 0, start: next, end: next }
    }

    /// The time of the next message.
    pub fn next_ts(&self) -> Option<i64> {
        self.tape.peek().map(|row| row.exchange_ts)
    }

    /// The time up to which the record was played.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// A row that is still held, counted from the first ever loaded.
    pub fn row(&self, index: usize) -> Option<&Row> {
        self.tape.get(index)
    }

    pub fn book(&self, symbol: usize) -> Result<&Book, EngineError> {
        self.books.get(symbol).ok_or(EngineError::OutOfRange)
    }

    pub fn book_mut(&mut self, symbol: usize) -> Result<&mut Book, EngineError> {
        self.books.get_mut(symbol).ok_or(EngineError::OutOfRange)
    }

    pub fn submit(&mut self, symbol: usize, order: NewOrder) -> Result<&[Event], EngineError> {
        self.books.get_mut(symbol).ok_or(EngineError::OutOfRange)?.submit(order, &mut self.ids)
    }

    pub fn amend(
        &mut self,
        symbol: usize,
        id: u64,
        price: Option<u64>,
        qty: Option<u64>,
        post_only: bool,
    ) -> Result<&[Event], EngineError> {
        let book = self.books.get_mut(symbol).ok_or(EngineError::OutOfRange)?;
        book.amend(id, price, qty, post_only, &mut self.ids)
    }
}

/// Plays a message; returns what it did, the touch only where that is wanted.
fn play(book: &mut Book, rows: &[Row], wanted: u32, ids: &mut RecordedIds) -> u32 {
    let fills = book.stats.fills;
    let was_live = book.is_live;
    let touch = (wanted & stop::TOUCH != 0).then(|| book.touch());
    let mut why = 0;
    for row in rows {
        book.play(row, ids);
        why |= match row.kind() {
            Kind::Trade => stop::TRADE,
            Kind::Mark => 0,
            Kind::Level | Kind::Snapshot | Kind::Order | Kind::OrderSnapshot => stop::BOOK,
        };
    }
    if why & stop::BOOK != 0 {
        book.end_book_message(ids);
    }
    if book.stats.fills != fills {
        why |= stop::FILL;
    }
    if touch.is_some_and(|touch| touch != book.touch()) {
        why |= stop::TOUCH;
    }
    if book.is_live != was_live {
        why |= stop::MARK;
    }
    why
}

#[cfg(test)]
mod tests;
