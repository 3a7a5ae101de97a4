//! The bus message `shared.messages.Book` as msgpack, straight from the book to bytes.

#![forbid(unsafe_code)]

use super::{VERSION, Writer};
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
    let mut out = Writer::with_capacity(256 + 40 * n.min(book.depth()));
    write(&mut out, book, n, header);
    Ok(out.into_bytes())
}

/// Writes the message; the caller has seen to it that the book is as its state says.
pub fn write(out: &mut Writer, book: &Book, n: usize, header: &Header) {
    out.map(FIELDS);
    out.member("v", VERSION);
    out.text("src");
    out.text(header.src);
    out.member("boot", header.boot);
    out.member("seq", header.seq);
    out.member("ts", header.ts);
    out.text("symbol");
    out.text(book.symbol());
    out.text("state");
    out.text(header.state);
    out.member("price_precision", book.price_precision().into());
    out.member("qty_precision", book.qty_precision().into());
    levels(out, "bids", book, Side::Buy, n);
    levels(out, "asks", book, Side::Sell, n);
    out.member("checksum", if n > 0 { book.checksum().into() } else { 0 });
    out.member("exchange_ts", book.exchange_ts());
    out.member("received", header.received);
    out.member("booked", header.booked);
}

fn levels(out: &mut Writer, key: &str, book: &Book, side: Side, n: usize) {
    out.text(key);
    out.array(book.count(side).min(n));
    for (price, qty) in book.levels(side, n) {
        out.array(2);
        out.uint(price);
        out.uint(qty);
    }
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
