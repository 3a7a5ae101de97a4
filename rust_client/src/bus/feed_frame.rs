//! The bus message `shared.messages.FeedFrame`: a raw frame with the connection that it came on.

#![forbid(unsafe_code)]

use super::{Reader, VERSION, Writer};

/// A message `feed.book.<symbol>`; names are bytes of UTF-8, which whoever reads them compares with names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedFrame<'a> {
    pub src: &'a [u8],
    pub boot: u64,
    pub seq: u64,
    pub ts: u64,
    pub symbol: &'a [u8],
    pub frame: &'a [u8],
    pub connection: u64,
    pub received: u64,
}

const FIELDS: u32 = 9;
/// The first byte of a map of so many members.
const MAP: u8 = 0x80 | FIELDS as u8;

impl<'a> FeedFrame<'a> {
    /// Reads a message of our own making; None for any other form, which Python judges.
    pub fn read(message: &'a [u8]) -> Option<Self> {
        let mut reader = Reader { rest: message.strip_prefix(&[MAP])? };
        if reader.member("v")? != VERSION {
            return None;
        }
        reader.key("src")?;
        let src = reader.text()?;
        let (boot, seq, ts) = (reader.member("boot")?, reader.member("seq")?, reader.member("ts")?);
        reader.key("symbol")?;
        let symbol = reader.text()?;
        reader.key("frame")?;
        let frame = reader.binary()?;
        let (connection, received) = (reader.member("connection")?, reader.member("received")?);
        reader.rest.is_empty().then_some(Self { src, boot, seq, ts, symbol, frame, connection, received })
    }
}

/// What the frames of one batch have in common.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub src: &'a str,
    pub boot: u64,
    pub ts: u64,
    pub connection: u64,
    pub received: u64,
}

/// Writes the message of a frame.
pub fn write(out: &mut Writer, batch: &Batch, seq: u64, symbol: &str, frame: &[u8]) {
    out.map(FIELDS);
    out.member("v", VERSION);
    out.text("src");
    out.text(batch.src);
    out.member("boot", batch.boot);
    out.member("seq", seq);
    out.member("ts", batch.ts);
    out.text("symbol");
    out.text(symbol);
    out.text("frame");
    out.binary(frame);
    out.member("connection", batch.connection);
    out.member("received", batch.received);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_no_cut_of_it(
            src in "[a-zé]{0,40}", symbol in ".{0,60}", frame in prop::collection::vec(any::<u8>(), 0..700),
            numbers in prop::array::uniform5(any::<u64>()), small in 0u32..64, cut in any::<prop::sample::Index>(),
        ) {
            let [boot, seq, ts, connection, received] = numbers.map(|number| number >> small);
            let mut out = Writer::default();
            write(&mut out, &Batch { src: &src, boot, ts, connection, received }, seq, &symbol, &frame);
            let wanted = FeedFrame {
                src: src.as_bytes(), boot, seq, ts, symbol: symbol.as_bytes(), frame: &frame, connection, received,
            };
            prop_assert_eq!(FeedFrame::read(out.bytes()), Some(wanted));
            prop_assert_eq!(FeedFrame::read(&out.bytes()[..cut.index(out.bytes().len())]), None);
            out.uint(0);
            prop_assert_eq!(FeedFrame::read(out.bytes()), None);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = FeedFrame::read(&bytes);
        }
    }
}
