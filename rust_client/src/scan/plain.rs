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
    let rest = bytes.strip_prefix(b"{\"channel\":\"book\",\"type\":\"")?;
    let (snapshot, rest) = match rest.strip_prefix(b"update") {
        Some(rest) => (false, rest),
        None => (true, rest.strip_prefix(b"snapshot")?),
    };
    let rest = rest.strip_prefix(b"\",\"data\":[{\"symbol\":\"")?;
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
        Some(rest) => rfc3339_ns(rest.strip_suffix(b"\"}]}")?)?,
        None if rest == b"}]}" => 0,
        None => return None,
    };
    let checksum = Some(u32::try_from(checksum.mantissa).ok()?);
    let to = staging.levels.len();
    staging.messages.push(Message { from: 0, to, is_v2: true, snapshot, checksum, exchange_ts });
    Some(())
}

/// True for a byte that stands for itself in a JSON string.
pub fn is_plain(byte: u8) -> bool {
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
