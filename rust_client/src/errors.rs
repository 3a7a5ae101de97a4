//! The errors of this crate as types. Text is made here, and only the Python edge and people read it.
//!
//! - [`ScanError`]: a frame that cannot be read, with the [`Flaw`] and its place, or a frame of other pairs
//! - [`BookError`]: a frame that a book does not take ([`FrameFault`]), or a call that it refuses ([`CallFault`])
//! - [`EngineError`]: an order or a call that the matching engine refuses

use std::error::Error;
use std::fmt::{Display, Formatter, Result};

use crate::engine::VALUE_MAX;
use crate::numbers::{DECIMALS_MAX, Number};

/// Why bytes are no book frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    // Of JSON.
    Expected(char),
    CommaExpected,
    DigitExpected,
    UnendedString,
    NotUtf8,
    BrokenEscape,
    UnknownWord,
    TooDeep,
    TrailingBytes,
    // Of a frame.
    NoContainer,
    OtherChannel,
    UnknownType,
    MissingMember,
    NoSymbol,
    NoSides,
    NoBook,
    NotFourParts,
    LevelsNoObject,
    NoLevels,
    Twice(&'static str),
    // Of a value.
    NoQty,
    NoVolume,
    NoNumber(String),
    ZeroPrice,
    NoChecksum,
}

impl Display for Flaw {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.write_str(match self {
            Self::Expected(wanted) => return write!(f, "{wanted} expected"),
            Self::CommaExpected => "a comma or a closing bracket expected",
            Self::DigitExpected => "a digit expected",
            Self::UnendedString => "a string that does not end",
            Self::NotUtf8 => "not UTF-8",
            Self::BrokenEscape => "a broken escape",
            Self::UnknownWord => "an unknown word",
            Self::TooDeep => "nested too deep",
            Self::TrailingBytes => "more after the frame's end",
            Self::NoContainer => "neither an object nor an array",
            Self::OtherChannel => "not the book channel",
            Self::UnknownType => "type is neither snapshot nor update",
            Self::MissingMember => "channel, type or data is missing",
            Self::NoSymbol => "an element of data has no symbol",
            Self::NoSides => "neither bids nor asks",
            Self::NoBook => "it holds no book",
            Self::NotFourParts => "a v1 frame is [id, levels, channel, pair]",
            Self::LevelsNoObject => "levels that are no object",
            Self::NoLevels => "no levels",
            Self::Twice(member) => return write!(f, "{member} twice"),
            Self::NoQty => "a level without price or qty",
            Self::NoVolume => "a level without price or volume",
            Self::NoNumber(text) => return write!(f, "{text:?} is no price or quantity"),
            Self::ZeroPrice => "a price of zero",
            Self::NoChecksum => "no checksum",
        })
    }
}

/// Why a frame was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanError {
    /// Not JSON, not a book frame, or levels that make no sense; `at` counts bytes.
    Flawed { flaw: Flaw, at: usize },
    /// A sound book frame that holds only other symbols.
    WrongSymbol(String),
}

/// A price or a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Price,
    Quantity,
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.write_str(match self {
            Self::Price => "price",
            Self::Quantity => "quantity",
        })
    }
}

/// Why a book takes no part of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameFault {
    Flawed {
        flaw: Flaw,
        at: usize,
    },
    /// No u64 holds the number in the book's units.
    TooLarge(Measure, Number),
    /// The number is no whole number of the pair's ticks or lots, which have so many decimals.
    TooFine(Measure, Number, u32),
    /// A level that the book has is too large for the decimals that the wire prints now.
    Outgrown,
}

impl Display for FrameFault {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::Flawed { flaw, at } => write!(f, "{flaw}, at byte {at}"),
            Self::TooLarge(measure, number) => write!(f, "{measure} {number} is too large"),
            Self::TooFine(measure, number, decimals) => {
                write!(f, "{measure} {number} has more than {decimals} decimals")
            }
            Self::Outgrown => f.write_str("a level is too large for the wire's new precision"),
        }
    }
}

/// Why a book refuses a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFault {
    SymbolOrDepth,
    Precision,
    UnknownState(String),
    NotLive,
}

impl Display for CallFault {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::SymbolOrDepth => f.write_str("a book wants a symbol and a depth of 1 to 1000"),
            Self::Precision => write!(f, "a precision is WIRE or 0 to {DECIMALS_MAX}"),
            Self::UnknownState(state) => write!(f, "{state:?} is no state of a book"),
            Self::NotLive => f.write_str("a book that is crossed or not in sync is not live"),
        }
    }
}

/// Why a book did not do what was asked; it is not in sync after `Frame`, and untouched after the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookError {
    Frame(FrameFault),
    WrongSymbol(String),
    Call(CallFault),
}

impl Display for BookError {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::Frame(fault) => fault.fmt(f),
            Self::WrongSymbol(symbol) => write!(f, "a frame of {symbol}"),
            Self::Call(fault) => fault.fmt(f),
        }
    }
}

impl Error for BookError {}

impl From<ScanError> for BookError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Flawed { flaw, at } => Self::Frame(FrameFault::Flawed { flaw, at }),
            ScanError::WrongSymbol(symbol) => Self::WrongSymbol(symbol),
        }
    }
}

/// Why the matching engine refuses an order or a call; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineError {
    AlreadyResting(u64),
    PostOnlyTerms,
    OutOfRange,
    Row(RowFault),
}

/// Why rows of a record are not loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    Ragged,
    Unordered,
    OutOfRange,
}

impl Display for RowFault {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.write_str(match self {
            Self::Ragged => "the columns are not of one length, or end within a value",
            Self::Unordered => "the rows are not in the order of the exchange's time",
            Self::OutOfRange => "a row's symbol, kind, side, ticks or lots is out of range",
        })
    }
}

impl Display for EngineError {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::AlreadyResting(id) => write!(f, "order {id} is resting already"),
            Self::PostOnlyTerms => f.write_str("a post-only order is a limit order good till cancelled"),
            Self::OutOfRange => {
                write!(f, "prices and quantities are 1 to {VALUE_MAX}, ids and indices within range")
            }
            Self::Row(fault) => fault.fmt(f),
        }
    }
}

impl Error for EngineError {}
