//! Book frames of version 2 in the very form in which Kraken sends them: no white space, members in Kraken's order, one
//! element, the pair's new name, numbers without signs and exponents.
//!
//! At the first surprise this gives up, and the general reader judges the frame. What it takes, that reader would take,
//! and the same from it.

#![forbid(unsafe_code)]

use super::{Level, Message, Staging};
use crate::numbers::{DECIMALS_MAX, Number, rfc3339_ns};
use crate::side::Side;

/// So many digits always fit a u64.
const DIGITS_MAX: usize = 19;

/// Reads a frame about `symbol`; None leaves the staging in any state.
pub fn frame(bytes: &[u8], symbol: &str, staging: &mut Staging) -> Option<()> {
    let (snapshot, rest) = head(bytes)?;
    let rest = rest.strip_prefix(symbol.as_bytes())?;
    if !symbol.bytes().all(is_plain) {
        return None;
    }
    let rest = levels(rest.strip_prefix(b"\",\"bids\":[")?, Side::Buy, staging)?;
    let rest = levels(rest.strip_prefix(b",\"asks\":[")?, Side::Sell, staging)?;
    let (checksum, rest) = number(rest.strip_prefix(b",\"checksum\":")?)?;
    if checksum.decimals != 0 {
        return None;
    }
    let exchange_ts = match rest.strip_prefix(b",\"timestamp\":\"") {
        Some(rest) => time(rest.strip_suffix(b"\"}]}")?, &mut staging.minute)?,
        None if rest == b"}]}" => 0,
        None => return None,
    };
    let checksum = Some(u32::try_from(checksum.mantissa).ok()?);
    let to = staging.levels.len();
    staging.messages.push(Message { from: 0, to, is_v2: true, snapshot, checksum, exchange_ts });
    Some(())
}

/// Reads what comes before the symbol; returns whether the frame is a snapshot, and what follows.
#[inline]
fn head(bytes: &[u8]) -> Option<(bool, &[u8])> {
    let rest = bytes.strip_prefix(b"{\"channel\":\"book\",\"type\":\"")?;
    let (snapshot, rest) = match rest.strip_prefix(b"update") {
        Some(rest) => (false, rest),
        None => (true, rest.strip_prefix(b"snapshot")?),
    };
    Some((snapshot, rest.strip_prefix(b"\",\"data\":[{\"symbol\":\"")?))
}

/// The symbol of what begins like a frame in Kraken's own form, as it stands there.
pub fn symbol_of(bytes: &[u8]) -> Option<&[u8]> {
    let (_, rest) = head(bytes)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    Some(&rest[..end])
}

/// The minute of a time's text as seen last, and ns since the epoch at its beginning: most frames share it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Minute {
    text: [u8; 17],
    ns: u64,
}

/// Reads `2023-07-30T15:29:58.343415Z`.
#[inline]
fn time(text: &[u8], minute: &mut Minute) -> Option<u64> {
    let (head, [tens, ones, b'.', fraction @ .., b'Z']) = text.split_first_chunk::<17>()? else {
        return None;
    };
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 5 || ones > 9 || fraction.len() != 6 || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if minute.text != *head {
        let mut start = *b"....-..-..T..:..:00Z";
        start[..17].copy_from_slice(head);
        *minute = Minute { text: *head, ns: rfc3339_ns(&start)? };
    }
    let micros = fraction.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some(minute.ns + u64::from(tens * 10 + ones) * 1_000_000_000 + micros * 1000)
}

/// True for a byte that stands for itself in a JSON string.
fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Reads levels up to the bracket that closes them; returns what follows it.
#[inline]
fn levels<'a>(mut rest: &'a [u8], side: Side, staging: &mut Staging) -> Option<&'a [u8]> {
    if let Some(rest) = rest.strip_prefix(b"]") {
        return Some(rest);
    }
    loop {
        let (price, qty);
        (price, rest) = number(rest.strip_prefix(b"{\"price\":")?)?;
        (qty, rest) = number(rest.strip_prefix(b",\"qty\":")?)?;
        if price.mantissa == 0 {
            return None;
        }
        staging.levels.push(Level { side, price, qty });
        match rest {
            [b'}', b',', after @ ..] => rest = after,
            [b'}', b']', after @ ..] => return Some(after),
            _ => return None,
        }
    }
}

/// The number that eight digits write, worked out on all of them at once; None if one is no digit.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(text);
    // A digit is 0x30 to 0x39: its high half is 3, and still is with 6 added. Of ASCII no sum reaches the next byte.
    let high = 0xf0 * ONES;
    if word & high != 0x30 * ONES || word.wrapping_add(0x06 * ONES) & high != 0x30 * ONES {
        return None;
    }
    let digits = word & (0x0f * ONES);
    // Neighbours become pairs, pairs fours, fours the number; the bytes before hold the higher digits.
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// Reads digits with at most one point among them; returns what follows.
#[inline]
fn number(text: &[u8]) -> Option<(Number, &[u8])> {
    let (mut mantissa, mut whole) = (0u64, 0);
    while let Some(digit) = text.get(whole).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
        whole += 1;
    }
    if whole == 0 || whole > DIGITS_MAX || (whole > 1 && text[0] == b'0') {
        return None;
    }
    let mut decimals = 0;
    let mut rest = &text[whole..];
    if let [b'.', fraction @ ..] = rest {
        // Most quantities have eight decimals.
        if let Some(eight) = fraction.first_chunk().and_then(|text| eight_digits(*text)) {
            mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(eight);
            decimals = 8;
        }
        while let Some(digit) =
            fraction.get(decimals).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
        {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
            decimals += 1;
        }
        if decimals == 0 || decimals > DECIMALS_MAX as usize || whole + decimals > DIGITS_MAX {
            return None;
        }
        rest = &fraction[decimals..];
    }
    if matches!(rest, [b'e' | b'E', ..]) {
        return None;
    }
    Some((Number { mantissa, decimals: decimals as u32 }, rest))
}
