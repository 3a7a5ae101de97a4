//! The frame scanner: one pass over the bytes of a Kraken book frame, v1 or v2, number text to integers.
//!
//! It reads strict JSON (RFC 8259) and never allocates for a well-formed frame. What is wrong with the levels of a
//! book other than the one asked for is no error of ours, so such errors are remembered and raised only if the
//! frame turns out to be about our symbol, which v1 tells in its last element.

#![forbid(unsafe_code)]

use std::borrow::Cow;

use crate::json::{Cursor, Scan, ScanError};
use crate::numbers::{self, Number, decimal, rfc3339_ns, unix_ns};

/// One level as the frame states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub is_bid: bool,
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
    staging.levels.clear();
    staging.messages.clear();
    let mut cursor = Cursor::new(frame);
    match cursor.peek() {
        Some(b'{') => v2_frame(&mut cursor, symbol, staging),
        Some(b'[') => v1_frame(&mut cursor, symbol, staging),
        _ => Err(cursor.error("neither an object nor an array")),
    }
}

// ---- v2 ------------------------------------------------------------------------------------------------------------

fn v2_frame(cursor: &mut Cursor, symbol: &str, staging: &mut Staging) -> Scan<()> {
    let (mut is_book, mut snapshot) = (None, None);
    let (mut has_data, mut others, mut wrong) = (false, None, None);
    cursor.object(|cursor, key| {
        match &*key {
            b"channel" => {
                cursor.once(is_book.is_some(), "channel")?;
                is_book = Some(cursor.peek() == Some(b'"') && &*cursor.string()? == b"book");
                if is_book == Some(false) {
                    return Err(cursor.error("not the book channel"));
                }
            }
            b"type" => {
                cursor.once(snapshot.is_some(), "type")?;
                snapshot = match &*cursor.string()? {
                    b"snapshot" => Some(true),
                    b"update" => Some(false),
                    _ => return Err(cursor.error("type is neither snapshot nor update")),
                };
            }
            b"data" => {
                cursor.once(has_data, "data")?;
                has_data = true;
                cursor.array(|cursor, _| {
                    let (theirs, fault) = v2_element(cursor, symbol, staging)?;
                    others = theirs.or(others.take());
                    wrong = wrong.take().or(fault);
                    Ok(())
                })?;
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    cursor.end()?;
    let (Some(true), Some(snapshot), true) = (is_book, snapshot, has_data) else {
        return Err(cursor.error("channel, type or data is missing"));
    };
    for message in &mut staging.messages {
        message.snapshot = snapshot;
    }
    finish(cursor, staging, wrong, others)
}

/// Reads one element of `data`; returns the symbol if it is another's, and what is wrong with ours.
fn v2_element(
    cursor: &mut Cursor,
    symbol: &str,
    staging: &mut Staging,
) -> Scan<(Option<String>, Option<ScanError>)> {
    let from = staging.levels.len();
    let mut name: Option<Cow<[u8]>> = None;
    let (mut bids, mut asks, mut checksum, mut time) = (false, false, None, None);
    let mut wrong = None;
    cursor.object(|cursor, key| {
        let known = match &*key {
            b"symbol" if name.is_none() => {
                name = Some(cursor.string()?);
                return Ok(());
            }
            b"bids" | b"asks" => cursor.tried(&mut wrong, |cursor| {
                let is_bid = &*key == b"bids";
                let side = if is_bid { &mut bids } else { &mut asks };
                cursor.once(*side, "levels")?;
                *side = true;
                cursor.array(|cursor, _| {
                    staging.levels.push(v2_level(cursor, is_bid)?);
                    Ok(())
                })
            })?,
            b"checksum" => cursor.tried(&mut wrong, |cursor| {
                cursor.once(checksum.is_some(), "checksum")?;
                checksum = Some(cursor.checksum()?);
                Ok(())
            })?,
            b"timestamp" => cursor.tried(&mut wrong, |cursor| {
                cursor.once(time.is_some(), "timestamp")?;
                time = Some(cursor.time(rfc3339_ns)?);
                Ok(())
            })?,
            b"symbol" => cursor.tried(&mut wrong, |cursor| cursor.once(true, "symbol"))?,
            _ => false,
        };
        if known { Ok(()) } else { cursor.skip_value() }
    })?;
    let Some(name) = name else {
        return Err(cursor.error("an element of data has no symbol"));
    };
    let name = String::from_utf8_lossy(&name);
    if new_name(&name) != symbol {
        staging.levels.truncate(from);
        return Ok((Some(name.into_owned()), None));
    }
    if !bids && !asks && wrong.is_none() {
        wrong = Some(cursor.error("neither bids nor asks"));
    }
    staging.messages.push(Message {
        from,
        to: staging.levels.len(),
        is_v2: true,
        snapshot: false,
        checksum,
        exchange_ts: time.unwrap_or(0),
    });
    Ok((None, wrong))
}

fn v2_level(cursor: &mut Cursor, is_bid: bool) -> Scan<Level> {
    let (mut price, mut qty) = (None, None);
    cursor.object(|cursor, key| {
        match &*key {
            b"price" => {
                cursor.once(price.is_some(), "price")?;
                price = Some(cursor.number()?);
            }
            b"qty" => {
                cursor.once(qty.is_some(), "qty")?;
                qty = Some(cursor.number()?);
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    match (price, qty) {
        (Some(price), Some(qty)) => cursor.level(is_bid, price, qty),
        _ => Err(cursor.error("a level without price or qty")),
    }
}

// ---- v1 ------------------------------------------------------------------------------------------------------------

/// One element of a v1 frame's array.
enum Element<'a> {
    Body(Body),
    Text(Cow<'a, [u8]>),
    Other,
}

/// An object of a v1 frame: levels of one or both sides, or the channel's name.
#[derive(Default)]
struct Body {
    from: usize,
    snapshot: bool,
    has_levels: bool,
    checksum: Option<u32>,
    exchange_ts: u64,
    is_book_name: bool,
    wrong: Option<ScanError>,
}

fn v1_frame(cursor: &mut Cursor, symbol: &str, staging: &mut Staging) -> Scan<()> {
    let mut elements = Vec::with_capacity(5);
    cursor.array(|cursor, _| {
        elements.push(match cursor.peek() {
            Some(b'{') => Element::Body(v1_body(cursor, staging)?),
            Some(b'"') => Element::Text(cursor.string()?),
            _ => {
                cursor.skip_value()?;
                Element::Other
            }
        });
        Ok(())
    })?;
    cursor.end()?;
    let [_, bodies @ .., channel, Element::Text(pair)] = &elements[..] else {
        return Err(cursor.error("a v1 frame is [id, levels, channel, pair]"));
    };
    let is_book = match channel {
        Element::Text(name) => is_book_name(name),
        Element::Body(body) => body.is_book_name,
        Element::Other => false,
    };
    if !is_book {
        return Err(cursor.error("not the book channel"));
    }
    if let Element::Body(body) = channel {
        staging.levels.truncate(body.from);
    }
    // Not from 0: the first element could be an object with levels too, which belong to nobody.
    let to = staging.levels.len();
    let mut message = Message {
        from: if let Some(Element::Body(body)) = bodies.first() { body.from } else { to },
        to,
        is_v2: false,
        snapshot: false,
        checksum: None,
        exchange_ts: 0,
    };
    let (mut has_levels, mut wrong) = (false, None);
    for body in bodies {
        let Element::Body(body) = body else {
            return Err(cursor.error("levels that are no object"));
        };
        wrong = wrong.or_else(|| body.wrong.clone());
        has_levels |= body.has_levels;
        message.snapshot |= body.snapshot;
        message.checksum = body.checksum.or(message.checksum);
        message.exchange_ts = message.exchange_ts.max(body.exchange_ts);
    }
    let pair = String::from_utf8_lossy(pair);
    if new_name(&pair) != symbol {
        return Err(ScanError::WrongSymbol(pair.into_owned()));
    }
    if !has_levels && wrong.is_none() {
        wrong = Some(cursor.error("no levels"));
    }
    staging.messages.push(message);
    finish(cursor, staging, wrong, None)
}

fn v1_body(cursor: &mut Cursor, staging: &mut Staging) -> Scan<Body> {
    let mut body = Body { from: staging.levels.len(), ..Body::default() };
    let mut seen: u8 = 0;
    let mut wrong = None;
    cursor.object(|cursor, key| {
        let bit = match &*key {
            b"as" => 1,
            b"bs" => 2,
            b"a" => 4,
            b"b" => 8,
            b"c" => 16,
            b"name" if seen & 32 == 0 => 32,
            _ => return cursor.skip_value(),
        };
        let again = seen & bit != 0;
        seen |= bit;
        let done = match bit {
            32 => {
                if cursor.peek() != Some(b'"') {
                    return cursor.skip_value();
                }
                body.is_book_name = is_book_name(&cursor.string()?);
                true
            }
            16 => cursor.tried(&mut wrong, |cursor| {
                cursor.once(again, "c")?;
                body.checksum = Some(cursor.checksum()?);
                Ok(())
            })?,
            _ => cursor.tried(&mut wrong, |cursor| {
                cursor.once(again, "levels")?;
                body.has_levels = true;
                body.snapshot |= bit < 4;
                cursor.array(|cursor, _| {
                    let (level, time) = v1_level(cursor, bit == 2 || bit == 8)?;
                    staging.levels.push(level);
                    body.exchange_ts = body.exchange_ts.max(time);
                    Ok(())
                })
            })?,
        };
        if done { Ok(()) } else { cursor.skip_value() }
    })?;
    body.wrong = wrong;
    Ok(body)
}

/// A level `[price, qty, time, "r"]` and its time; a republished level's time is old news and counts as none.
fn v1_level(cursor: &mut Cursor, is_bid: bool) -> Scan<(Level, u64)> {
    let (mut price, mut qty, mut time) = (None, None, 0);
    cursor.array(|cursor, place| {
        match place {
            0 => price = Some(cursor.number()?),
            1 => qty = Some(cursor.number()?),
            2 => time = cursor.time(unix_ns)?,
            3 if cursor.peek() == Some(b'"') => {
                if &*cursor.string()? == b"r" {
                    time = 0;
                }
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    match (price, qty) {
        (Some(price), Some(qty)) => Ok((cursor.level(is_bid, price, qty)?, time)),
        _ => Err(cursor.error("a level without price or volume")),
    }
}

fn is_book_name(name: &[u8]) -> bool {
    name == b"book" || name.starts_with(b"book-")
}

fn finish(cursor: &Cursor, staging: &Staging, wrong: Option<ScanError>, others: Option<String>) -> Scan<()> {
    match (wrong, others) {
        (Some(wrong), _) => Err(wrong),
        (None, _) if !staging.messages.is_empty() => Ok(()),
        (None, Some(other)) => Err(ScanError::WrongSymbol(other)),
        (None, None) => Err(cursor.error("it holds no book")),
    }
}

// ---- values of a book ------------------------------------------------------------------------------------

impl Cursor<'_> {
    /// A price or a quantity, bare (v2) or in quotes (v1).
    fn number(&mut self) -> Scan<Number> {
        let text = self.number_or_string()?;
        numbers::number(&text).ok_or_else(|| {
            self.error(&format!("{:?} is no price or quantity", String::from_utf8_lossy(&text)))
        })
    }

    fn level(&self, is_bid: bool, price: Number, qty: Number) -> Scan<Level> {
        if price.mantissa == 0 {
            return Err(self.error("a price of zero"));
        }
        Ok(Level { is_bid, price, qty })
    }

    fn checksum(&mut self) -> Scan<u32> {
        let text = self.number_or_string()?;
        let value = (1..=10).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
        let value = if value { decimal(&text) } else { None };
        value.and_then(|value| u32::try_from(value).ok()).ok_or_else(|| self.error("no checksum"))
    }

    /// A time by `read`; what is no time, or none that we know, is 0: nothing but a lag is measured with it.
    fn time(&mut self, read: fn(&[u8]) -> Option<u64>) -> Scan<u64> {
        match self.peek() {
            Some(b'"' | b'0'..=b'9') => Ok(read(&self.number_or_string()?).unwrap_or(0)),
            _ => self.skip_value().map(|()| 0),
        }
    }
}
