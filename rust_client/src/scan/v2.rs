//! Book frames of WebSocket version 2: objects with `data`, an element a symbol.

#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::{Level, Message, Staging, finish, new_name};
use crate::errors::{Flaw, ScanError};
use crate::json::{Cursor, Scan};
use crate::numbers::rfc3339_ns;
use crate::side::Side;

pub fn frame(cursor: &mut Cursor, symbol: &str, staging: &mut Staging) -> Scan<()> {
    let (mut is_book, mut snapshot) = (None, None);
    let (mut has_data, mut others, mut wrong) = (false, None, None);
    cursor.object(|cursor, key| {
        match &*key {
            b"channel" => {
                cursor.once(is_book.is_some(), "channel")?;
                is_book = Some(cursor.peek() == Some(b'"') && &*cursor.string()? == b"book");
                if is_book == Some(false) {
                    return Err(cursor.error(Flaw::OtherChannel));
                }
            }
            b"type" => {
                cursor.once(snapshot.is_some(), "type")?;
                snapshot = match &*cursor.string()? {
                    b"snapshot" => Some(true),
                    b"update" => Some(false),
                    _ => return Err(cursor.error(Flaw::UnknownType)),
                };
            }
            b"data" => {
                cursor.once(has_data, "data")?;
                has_data = true;
                cursor.array(|cursor, _| {
                    let (theirs, fault) = element(cursor, symbol, staging)?;
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
        return Err(cursor.error(Flaw::MissingMember));
    };
    for message in &mut staging.messages {
        message.snapshot = snapshot;
    }
    finish(cursor, staging, wrong, others)
}

/// Reads one element of `data`; returns the symbol if it is another's, and what is wrong with ours.
fn element(
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
                let (side, seen) =
                    if &*key == b"bids" { (Side::Buy, &mut bids) } else { (Side::Sell, &mut asks) };
                cursor.once(*seen, "levels")?;
                *seen = true;
                cursor.array(|cursor, _| {
                    staging.levels.push(level(cursor, side)?);
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
        return Err(cursor.error(Flaw::NoSymbol));
    };
    let name = String::from_utf8_lossy(&name);
    if new_name(&name) != symbol {
        staging.levels.truncate(from);
        return Ok((Some(name.into_owned()), None));
    }
    if !bids && !asks && wrong.is_none() {
        wrong = Some(cursor.error(Flaw::NoSides));
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

fn level(cursor: &mut Cursor, side: Side) -> Scan<Level> {
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
        (Some(price), Some(qty)) => cursor.level(side, price, qty),
        _ => Err(cursor.error(Flaw::NoQty)),
    }
}
