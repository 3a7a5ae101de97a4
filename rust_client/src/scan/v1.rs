//! Book frames of WebSocket version 1: arrays `[id, levels, channel, pair]`, the levels in one object or two.

#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::{Level, Message, Staging, finish, new_name};
use crate::errors::{Flaw, ScanError};
use crate::json::{Cursor, Scan};
use crate::numbers::unix_ns;
use crate::side::Side;

/// One element of a v1 frame's array.
enum Element<'a> {
    Body(Body),
    Text(Cow<'a, [u8]>),
    Other,
}

/// An object of a v1 frame: levels of one or both sides, or the channel's name.
#[derive(Default)]
struct Body {
    /// Where its levels begin in the staging.
    from: usize,
    snapshot: Sides,
    update: Sides,
    checksum: Option<u32>,
    exchange_ts: u64,
    is_book_name: Option<bool>,
    wrong: Option<ScanError>,
}

/// Which sides an object has had levels of.
#[derive(Default)]
struct Sides {
    bids: bool,
    asks: bool,
}

impl Sides {
    fn any(&self) -> bool {
        self.bids || self.asks
    }

    /// Notes a side; returns whether it was there before.
    fn note(&mut self, side: Side) -> bool {
        let seen = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        std::mem::replace(seen, true)
    }
}

/// A member of an object that the scanner reads.
enum Member {
    Snapshot(Side),
    Update(Side),
    Checksum,
    ChannelName,
}

impl Member {
    fn of_key(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"as" => Self::Snapshot(Side::Sell),
            b"bs" => Self::Snapshot(Side::Buy),
            b"a" => Self::Update(Side::Sell),
            b"b" => Self::Update(Side::Buy),
            b"c" => Self::Checksum,
            b"name" => Self::ChannelName,
            _ => return None,
        })
    }
}

pub fn frame(cursor: &mut Cursor, symbol: &str, staging: &mut Staging) -> Scan<()> {
    let mut elements = Vec::with_capacity(5);
    cursor.array(|cursor, _| {
        elements.push(match cursor.peek() {
            Some(b'{') => Element::Body(body(cursor, staging)?),
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
        return Err(cursor.error(Flaw::NotFourParts));
    };
    let is_book = match channel {
        Element::Text(name) => is_book_name(name),
        Element::Body(body) => body.is_book_name == Some(true),
        Element::Other => false,
    };
    if !is_book {
        return Err(cursor.error(Flaw::OtherChannel));
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
            return Err(cursor.error(Flaw::LevelsNoObject));
        };
        wrong = wrong.or_else(|| body.wrong.clone());
        has_levels |= body.snapshot.any() || body.update.any();
        message.snapshot |= body.snapshot.any();
        message.checksum = body.checksum.or(message.checksum);
        message.exchange_ts = message.exchange_ts.max(body.exchange_ts);
    }
    let pair = String::from_utf8_lossy(pair);
    if new_name(&pair) != symbol {
        return Err(ScanError::WrongSymbol(pair.into_owned()));
    }
    if !has_levels && wrong.is_none() {
        wrong = Some(cursor.error(Flaw::NoLevels));
    }
    staging.messages.push(message);
    finish(cursor, staging, wrong, None)
}

fn body(cursor: &mut Cursor, staging: &mut Staging) -> Scan<Body> {
    let mut body = Body { from: staging.levels.len(), ..Body::default() };
    let mut wrong = None;
    cursor.object(|cursor, key| {
        let done = match Member::of_key(&key) {
            Some(Member::Snapshot(side)) => {
                let again = body.snapshot.note(side);
                cursor.tried(&mut wrong, |cursor| levels(cursor, side, again, &mut body, staging))?
            }
            Some(Member::Update(side)) => {
                let again = body.update.note(side);
                cursor.tried(&mut wrong, |cursor| levels(cursor, side, again, &mut body, staging))?
            }
            Some(Member::Checksum) => cursor.tried(&mut wrong, |cursor| {
                cursor.once(body.checksum.is_some(), "c")?;
                body.checksum = Some(cursor.checksum()?);
                Ok(())
            })?,
            Some(Member::ChannelName) if body.is_book_name.is_none() => {
                let is_text = cursor.peek() == Some(b'"');
                body.is_book_name = Some(is_text && is_book_name(&cursor.string()?));
                is_text
            }
            _ => false,
        };
        if done { Ok(()) } else { cursor.skip_value() }
    })?;
    body.wrong = wrong;
    Ok(body)
}

/// Reads the levels of one side; `again` where the object has had them before.
fn levels(cursor: &mut Cursor, side: Side, again: bool, body: &mut Body, staging: &mut Staging) -> Scan<()> {
    cursor.once(again, "levels")?;
    cursor.array(|cursor, _| {
        let (level, time) = level(cursor, side)?;
        staging.levels.push(level);
        body.exchange_ts = body.exchange_ts.max(time);
        Ok(())
    })
}

/// A level `[price, qty, time, "r"]` and its time; a republished level's time is old news and counts as none.
fn level(cursor: &mut Cursor, side: Side) -> Scan<(Level, u64)> {
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
        (Some(price), Some(qty)) => Ok((cursor.level(side, price, qty)?, time)),
        _ => Err(cursor.error(Flaw::NoVolume)),
    }
}

fn is_book_name(name: &[u8]) -> bool {
    name == b"book" || name.starts_with(b"book-")
}
