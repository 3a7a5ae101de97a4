//! The bus message `shared.messages.Book` as msgpack, straight from the book to bytes.

#![forbid(unsafe_code)]

use rmp::encode;

use crate::book::Book;
use crate::errors::{BookError, CallFault};
use crate::side::Side;

/// What the message carries besides the book itself.
pub struct Header<'a> {
    pub state: &'a str,
    pub src: &'a str,
    pub boot: u64,
    pub seq: u64,
    pub ts: u64,
    pub received: u64,
    pub booked: u64,
}

const VERSION: u64 = 1;
const FIELDS: u32 = 15;
const STATES: [&str; 4] = ["syncing", "live", "resyncing", "silent"];

/// The message with up to `n` levels a side; none unless the state is `live`.
///
/// A book that is crossed or not in sync is refused as `live`: the last place where a bad book could get out.
pub fn book_message(book: &Book, n: usize, header: &Header) -> Result<Vec<u8>, BookError> {
    if !STATES.contains(&header.state) {
        return Err(BookError::Call(CallFault::UnknownState(header.state.to_owned())));
    }
    let live = header.state == "live";
    if live && (!book.synced() || book.crossed()) {
        return Err(BookError::Call(CallFault::NotLive));
    }
    let n = if live { n } else { 0 };
    let mut out = Vec::with_capacity(256 + 40 * n.min(book.depth()));
    let written = write(&mut out, book, n, header);
    written.map_err(|error| BookError::Call(CallFault::Encoding(error.to_string())))?;
    Ok(out)
}

fn write(out: &mut Vec<u8>, book: &Book, n: usize, header: &Header) -> std::io::Result<()> {
    encode::write_map_len(out, FIELDS)?;
    uint(out, "v", VERSION)?;
    text(out, "src", header.src)?;
    uint(out, "boot", header.boot)?;
    uint(out, "seq", header.seq)?;
    uint(out, "ts", header.ts)?;
    text(out, "symbol", book.symbol())?;
    text(out, "state", header.state)?;
    uint(out, "price_precision", book.price_precision().into())?;
    uint(out, "qty_precision", book.qty_precision().into())?;
    levels(out, "bids", book, Side::Buy, n)?;
    levels(out, "asks", book, Side::Sell, n)?;
    uint(out, "checksum", if n > 0 { book.checksum().into() } else { 0 })?;
    uint(out, "exchange_ts", book.exchange_ts())?;
    uint(out, "received", header.received)?;
    uint(out, "booked", header.booked)
}

fn uint(out: &mut Vec<u8>, key: &str, value: u64) -> std::io::Result<()> {
    encode::write_str(out, key)?;
    encode::write_uint(out, value)?;
    Ok(())
}

fn text(out: &mut Vec<u8>, key: &str, value: &str) -> std::io::Result<()> {
    encode::write_str(out, key)?;
    encode::write_str(out, value)?;
    Ok(())
}

fn levels(out: &mut Vec<u8>, key: &str, book: &Book, side: Side, n: usize) -> std::io::Result<()> {
    encode::write_str(out, key)?;
    // A side holds at most 1000 levels, so the count always fits.
    encode::write_array_len(out, book.count(side).min(n) as u32)?;
    for (price, qty) in book.levels(side, n) {
        encode::write_array_len(out, 2)?;
        encode::write_uint(out, price)?;
        encode::write_uint(out, qty)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(message: &[u8], part: &[u8]) -> bool {
        message.windows(part.len()).any(|bytes| bytes == part)
    }

    #[test]
    fn a_message_has_each_value_after_its_name_and_a_checksum_only_with_levels() {
        let mut book = Book::new("A/B", 10, Some(1), Some(8)).unwrap();
        let snapshot = br#"[0,{"as":[],"bs":[["3.1","1.5","1"]]},"book-10","A/B"]"#;
        assert_eq!(book.apply_frame(snapshot), Ok(true));
        let header = |state| Header { state, src: "book", boot: 1, seq: 2, ts: 3, received: 4, booked: 5 };
        let live = book_message(&book, 1, &header("live")).unwrap();
        assert!(has(
            &live,
            b"\x8f\xa1v\x01\xa3src\xa4book\xa4boot\x01\xa3seq\x02\xa2ts\x03\xa6symbol\xa3A/B"
        ));
        assert!(has(
            &live,
            b"\xa5state\xa4live\xafprice_precision\x01\xadqty_precision\x08\xa4bids\x91\x92\x1f"
        ));
        assert!(has(&live, b"\xa8received\x04\xa6booked\x05"));
        let checksum = [&b"\xa8checksum\xce"[..], &book.checksum().to_be_bytes()].concat();
        assert!(has(&live, &checksum));
        for (n, state) in [(0, "live"), (1, "silent")] {
            assert!(has(&book_message(&book, n, &header(state)).unwrap(), b"\xa8checksum\x00"));
        }
    }
}
