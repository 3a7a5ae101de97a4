//! Frames of the channel `level3`, read in one pass. Whatever is out of the ordinary is left to Python's reader, which
//! names the flaw: what is read here, that reader would read too, and the same.

#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::queues::{Change, Event};
use crate::json::{Cursor, Scan};
use crate::numbers::{self, decimal, rfc3339_ns};
use crate::side::Side;

/// One message about our pair: its rows are `rows[from..to]` of the frame, bids first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub from: usize,
    pub to: usize,
    pub checksum: i64,
    /// ns since the epoch; 0 where neither the message nor an order tells.
    pub exchange_ts: u64,
}

/// What a frame says of one pair.
#[derive(Debug, Default)]
pub struct Frame<'a> {
    pub snapshot: bool,
    pub rows: Vec<Change<'a>>,
    pub messages: Vec<Message>,
}

/// A pair's name and its precisions.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    pub symbol: &'a str,
    pub price_precision: u32,
    pub qty_precision: u32,
}

/// Reads a frame; None for one that is not of the ordinary form.
pub fn frame<'a>(bytes: &'a [u8], pair: Pair) -> Option<Frame<'a>> {
    let mut frame = Frame::default();
    let mut cursor = Cursor::new(bytes);
    let (mut is_ours, mut kind, mut has_data) = (false, None, false);
    let mut is_plain = true;
    let read: Scan<()> = cursor.object(|cursor, key| {
        match &*key {
            b"channel" if !is_ours => is_ours = &*cursor.string()? == b"level3",
            b"type" if kind.is_none() => kind = Some(cursor.string()?),
            b"data" if !has_data => {
                has_data = true;
                cursor.array(|cursor, _| {
                    is_plain &= element(cursor, pair, &mut frame)?.is_some();
                    Ok(())
                })?;
            }
            _ => {
                is_plain = false;
                cursor.skip_value()?;
            }
        }
        Ok(())
    });
    read.and_then(|()| cursor.end()).ok()?;
    frame.snapshot = match kind.as_deref() {
        Some(b"snapshot") => true,
        Some(b"update") => false,
        _ => return None,
    };
    (is_ours && has_data && is_plain).then_some(frame)
}

/// Reads one element of `data`; None within if it is not of the ordinary form.
fn element<'a>(cursor: &mut Cursor<'a>, pair: Pair, frame: &mut Frame<'a>) -> Scan<Option<()>> {
    let from = frame.rows.len();
    let (mut symbol, mut checksum, mut time) = (None, None, None);
    let (mut bids, mut asks) = (None, None);
    let mut is_plain = true;
    cursor.object(|cursor, key| {
        match &*key {
            b"symbol" if symbol.is_none() => symbol = Some(cursor.string()?),
            b"checksum" if checksum.is_none() => checksum = Some(unsigned(cursor.number_text()?)),
            b"timestamp" if time.is_none() => time = Some(rfc3339_ns(&cursor.string()?)),
            b"bids" if bids.is_none() => bids = Some(rows(cursor, Side::Buy, pair, &mut frame.rows)?),
            b"asks" if asks.is_none() => asks = Some(rows(cursor, Side::Sell, pair, &mut frame.rows)?),
            b"symbol" | b"checksum" | b"timestamp" | b"bids" | b"asks" => {
                is_plain = false;
                cursor.skip_value()?;
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    // What a flaw of another pair's element is, Python's reader says too.
    let are_sides = bids.is_none_or(|whole| whole) && asks.is_none_or(|whole| whole);
    let (Some(symbol), Some(Some(checksum))) = (symbol, checksum) else {
        return Ok(None);
    };
    if !is_plain || !are_sides || time == Some(None) {
        return Ok(None);
    }
    if *symbol != *pair.symbol.as_bytes() {
        frame.rows.truncate(from);
        return Ok(Some(()));
    }
    let mine = &mut frame.rows[from..];
    // Bids come first, whatever the order of the members.
    mine.sort_by_key(|row| row.side == Side::Sell);
    let newest = mine.iter().map(|row| row.order_ts).max().unwrap_or(0);
    let exchange_ts = time.flatten().unwrap_or(newest);
    frame.messages.push(Message { from, to: frame.rows.len(), checksum, exchange_ts });
    Ok(Some(()))
}

/// Reads the orders of a side; false if one is not of the ordinary form.
fn rows<'a>(cursor: &mut Cursor<'a>, side: Side, pair: Pair, rows: &mut Vec<Change<'a>>) -> Scan<bool> {
    let mut is_plain = true;
    cursor.array(|cursor, _| {
        match row(cursor, side, pair)? {
            Some(row) => rows.push(row),
            None => is_plain = false,
        }
        Ok(())
    })?;
    Ok(is_plain)
}

fn row<'a>(cursor: &mut Cursor<'a>, side: Side, pair: Pair) -> Scan<Option<Change<'a>>> {
    let (mut event, mut id, mut price, mut qty, mut time) = (None, None, None, None, None);
    let mut is_plain = true;
    cursor.object(|cursor, key| {
        match &*key {
            b"event" if event.is_none() => {
                event = Some(match &*cursor.string()? {
                    b"add" => Some(Event::Add),
                    b"modify" => Some(Event::Modify),
                    b"delete" => Some(Event::Delete),
                    _ => None,
                });
            }
            b"order_id" if id.is_none() => id = Some(cursor.string()?),
            b"limit_price" if price.is_none() => {
                price = Some(units(&cursor.number_or_string()?, pair.price_precision));
            }
            b"order_qty" if qty.is_none() => {
                qty = Some(units(&cursor.number_or_string()?, pair.qty_precision))
            }
            b"timestamp" if time.is_none() => time = Some(rfc3339_ns(&cursor.string()?)),
            b"event" | b"order_id" | b"limit_price" | b"order_qty" | b"timestamp" => {
                is_plain = false;
                cursor.skip_value()?;
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    let event = event.unwrap_or(Some(Event::Add));
    let (Some(Cow::Borrowed(id)), Some(Some(ticks)), Some(Some(lots)), Some(event)) = (id, price, qty, event)
    else {
        return Ok(None);
    };
    let (Ok(id), false, true) = (std::str::from_utf8(id), time == Some(None) || ticks == 0, is_plain) else {
        return Ok(None);
    };
    // An order without a quantity rests no more.
    let event = if lots == 0 { Event::Delete } else { event };
    Ok(Some(Change { event, side, id, ticks, lots, order_ts: time.flatten().unwrap_or(0) }))
}

/// A number in units of a precision; None for one that is finer, or that no column holds.
fn units(text: &[u8], precision: u32) -> Option<u64> {
    let number = numbers::number(text)?;
    let missing = precision.checked_sub(number.decimals)?;
    let value = number.mantissa.checked_mul(10u64.checked_pow(missing)?)?;
    i64::try_from(value).is_ok().then_some(value)
}

fn unsigned(text: &[u8]) -> Option<i64> {
    let is_digits = text.iter().all(u8::is_ascii_digit);
    is_digits.then(|| decimal(text))?.and_then(|value| i64::try_from(value).ok())
}
