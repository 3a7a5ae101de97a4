//! The book against worked examples and a naive model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::bus::book::{Header, book_message};
use crate::numbers::rfc3339_ns;

fn book(depth: usize) -> Book {
    Book::new("BTC/USD", depth, Some(1), Some(8)).unwrap()
}

fn v2(kind: &str, bids: &[(&str, &str)], asks: &[(&str, &str)], checksum: Option<u32>) -> Vec<u8> {
    let side = |levels: &[(&str, &str)]| {
        let texts: Vec<String> =
            levels.iter().map(|(price, qty)| format!(r#"{{"price":{price},"qty":{qty}}}"#)).collect();
        texts.join(",")
    };
    let checksum = checksum.map_or(String::new(), |checksum| format!(r#","checksum":{checksum}"#));
    format!(
        r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{}],"asks":[{}]{checksum}}}]}}"#,
        side(bids),
        side(asks),
    )
    .into_bytes()
}

fn live(bids: &[(&str, &str)], asks: &[(&str, &str)]) -> Book {
    let mut book = book(10);
    assert_eq!(book.apply_frame(&v2("snapshot", bids, asks, None)), Ok(true));
    book
}

fn is_frame_error<T>(result: Result<T, BookError>) -> bool {
    matches!(result, Err(BookError::Frame(_)))
}

#[test]
fn kraken_s_worked_example_of_v2_verifies() {
    let bids = [
        ("45283.5", "0.10000000"),
        ("45283.4", "1.54582015"),
        ("45282.1", "0.10000000"),
        ("45281.0", "0.10000000"),
        ("45280.3", "1.54592586"),
        ("45279.0", "0.07990000"),
        ("45277.6", "0.03310103"),
        ("45277.5", "0.30000000"),
        ("45277.3", "1.54602737"),
        ("45276.6", "0.15445238"),
    ];
    let asks = [
        ("45285.2", "0.00100000"),
        ("45286.4", "1.54571953"),
        ("45286.6", "1.54571109"),
        ("45289.6", "1.54560911"),
        ("45290.2", "0.15890660"),
        ("45291.8", "1.54553491"),
        ("45294.7", "0.04454749"),
        ("45296.1", "0.35380000"),
        ("45297.5", "0.09945542"),
        ("45299.5", "0.18772827"),
    ];
    let mut book = book(10);
    assert_eq!(book.apply_frame(&v2("snapshot", &bids, &asks, Some(3310070434))), Ok(true));
    assert_eq!((book.checksums_ok, book.checksums_failed), (1, 0));
    assert_eq!(book.levels(Side::Buy, 1).collect::<Vec<_>>(), [(452835, 10_000_000)]);
}

#[test]
fn a_failed_checksum_holds_until_the_next_snapshot() {
    let mut book = live(&[("1.0", "1")], &[("2.0", "1")]);
    assert_eq!(book.apply_frame(&v2("update", &[("1.1", "1")], &[], Some(7))), Ok(false));
    assert!(!book.synced());
    assert_eq!(book.apply_frame(&v2("update", &[("1.1", "1")], &[], None)), Ok(false));
    assert_eq!(book.apply_frame(&v2("snapshot", &[("1.1", "1")], &[], None)), Ok(true));
}

#[test]
fn an_update_before_a_snapshot_is_false() {
    assert_eq!(book(10).apply_frame(&v2("update", &[("1.0", "1")], &[], None)), Ok(false));
}

#[test]
fn exponents_and_integers_are_exact() {
    let book = live(&[("1E+3", "5e-05"), ("27120", "1.50e1")], &[]);
    assert_eq!(book.levels(Side::Buy, 9).collect::<Vec<_>>(), [(271200, 1_500_000_000), (10000, 5000)]);
}

#[test]
fn a_price_between_two_ticks_is_refused_and_named() {
    let mut book = live(&[("1.0", "1")], &[]);
    let result = book.apply_frame(&v2("update", &[("1.05", "1")], &[], None));
    assert!(is_frame_error(result.clone()));
    assert_eq!(result.unwrap_err().to_string(), "price 1.05 has more than 1 decimals");
    assert_eq!(book.levels(Side::Buy, 9).collect::<Vec<_>>(), [(10, 100_000_000)]);
    assert!(!book.synced());
}

#[test]
fn levels_that_no_integer_holds_are_refused() {
    for (price, qty) in [
        ("1", "1e12"),
        ("-1", "1"),
        ("0", "1"),
        ("1", "18446744073709551616"),
        ("1e999", "1"),
        ("1e9999", "1"),
    ] {
        let mut book = book(10);
        assert!(
            is_frame_error(book.apply_frame(&v2("snapshot", &[(price, qty)], &[], None))),
            "{price} {qty}"
        );
    }
}

#[test]
fn v1_is_checked_in_its_own_precision_and_published_in_the_pair_s() {
    let mut book = book(10);
    let snapshot = br#"[0,{"as":[["5541.30000","2.50700000","1534614248.123678"]],"bs":[["5541.20000","1.5"]]},"book-10","XBT/USD"]"#;
    assert_eq!(book.apply_frame(snapshot), Ok(true));
    assert_eq!(book.checksum(), crc32fast::hash(b"554130000250700000554120000150000000"));
    assert_eq!(book.levels(Side::Sell, 1).collect::<Vec<_>>(), [(55413, 250_700_000)]);
    assert_eq!(book.exchange_ts(), 1_534_614_248_123_678_000);
    let both = br#"[0,{"a":[["5541.30000","0.00000000","1534614249.0"]]},{"b":[["5541.20000","3","1534614250.5","r"]]},{"name":"book","depth":10},"BTC/USD"]"#;
    assert_eq!(book.apply_frame(both), Ok(true));
    assert_eq!(book.levels(Side::Sell, 9).count(), 0);
    assert_eq!(book.levels(Side::Buy, 9).collect::<Vec<_>>(), [(55412, 300_000_000)]);
    assert_eq!(book.exchange_ts(), 1_534_614_249_000_000_000);
}

#[test]
fn another_symbol_s_frame_leaves_the_book_alone() {
    let mut book = live(&[("1.0", "1")], &[]);
    for frame in [
        r#"{"data":[{"bids":"nonsense","symbol":"BTC/USDT"}],"type":"update","channel":"book"}"#,
        r#"[1,{"a":[["x"]]},"book-10","XBT/USDT"]"#,
    ] {
        let name = "BTC/USDT".replace("BTC", if frame.starts_with('[') { "XBT" } else { "BTC" });
        assert_eq!(book.apply_frame(frame.as_bytes()), Err(BookError::WrongSymbol(name)));
        assert!(book.synced());
    }
}

#[test]
fn of_several_elements_only_ours_is_taken() {
    let mut book = live(&[("1.0", "1")], &[]);
    let frame = br#"{"channel":"book","type":"update","data":[{"symbol":"A/B","bids":[{"price":9.9,"qty":1}],"asks":[]},{"symbol":"XBT\/USD","bids":[{"price":1.1,"qty":2}],"asks":[]}]}"#;
    assert_eq!(book.apply_frame(frame), Ok(true));
    assert_eq!(book.levels(Side::Buy, 9).map(|level| level.0).collect::<Vec<_>>(), [11, 10]);
}

#[test]
fn what_is_no_book_frame_is_refused() {
    for frame in [
        &b""[..],
        b"CloudFlare WebSocket proxy restarting",
        b"{}",
        b"[]",
        b"null",
        br#"{"channel":"heartbeat"}"#,
        br#"{"channel":"book","type":"update","data":[]}"#,
        br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD"}]}"#,
        br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[]}]} x"#,
        br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"bids":[]}]}"#,
        br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":01.0,"qty":1}]}]}"#,
        br#"[0,{"a":[["1"]]},"book-10","XBT/USD"]"#,
        br#"[0,{"a":[]},"trade","XBT/USD"]"#,
        br#"[0,"book-10","XBT/USD"]"#,
        b"[\"\xff\"]",
        b"{\"\\u12g4\":1}",
    ] {
        let mut book = live(&[("1.0", "1")], &[]);
        assert!(is_frame_error(book.apply_frame(frame)), "{}", String::from_utf8_lossy(frame));
        assert!(!book.synced());
    }
    let deep = "[".repeat(100_000);
    assert!(is_frame_error(book(10).apply_frame(deep.as_bytes())));
}

#[test]
fn a_finer_wire_rescales_the_book() {
    let mut book = Book::new("BTC/USD", 10, None, None).unwrap();
    assert_eq!(book.apply_frame(&v2("snapshot", &[("5", "1.5")], &[("7", "2")], None)), Ok(true));
    assert_eq!(book.apply_frame(&v2("update", &[("5.25", "1")], &[], None)), Ok(true));
    assert_eq!((book.price_precision(), book.qty_precision()), (2, 1));
    assert_eq!(book.levels(Side::Buy, 9).collect::<Vec<_>>(), [(525, 10), (500, 15)]);
    assert_eq!(book.levels(Side::Sell, 9).collect::<Vec<_>>(), [(700, 20)]);
    assert_eq!(book.checksum(), crc32fast::hash(b"700205251050015"));
    let too_fine = v2("update", &[("5.0000000000000000000", "1")], &[], None);
    assert!(is_frame_error(book.apply_frame(&too_fine)));
}

#[test]
fn a_bad_book_is_never_encoded_as_live() {
    let header = |state| Header { state, src: "book", boot: 1, seq: 2, ts: 3, received: 4, booked: 5 };
    let good = live(&[("1.0", "1")], &[("2.0", "1")]);
    assert!(book_message(&good, 10, &header("live")).is_ok());
    let crossed = live(&[("2.0", "1")], &[("2.0", "1")]);
    assert!(crossed.crossed());
    assert!(book_message(&crossed, 10, &header("live")).is_err());
    assert!(book_message(&book(10), 10, &header("live")).is_err());
    assert!(book_message(&good, 10, &header("fine")).is_err());
    let silent = book_message(&good, 10, &header("silent")).unwrap();
    assert!(silent.windows(6).any(|bytes| bytes == b"\xa4bids\x90"));
}

#[test]
fn times_are_read_to_the_nanosecond() {
    assert_eq!(rfc3339_ns(b"2023-07-30T15:29:58.343415Z"), Some(1_690_730_998_343_415_000));
    assert_eq!(rfc3339_ns(b"2024-02-29T00:00:00Z"), Some(1_709_164_800_000_000_000));
    assert_eq!(rfc3339_ns(b"1970-01-01T00:00:00.000000001Z"), Some(1));
    for bad in [&b"2023-02-29T00:00:00Z"[..], b"2023-13-01T00:00:00Z", b"2023-01-01T24:00:00Z", b"", b"now"] {
        assert_eq!(rfc3339_ns(bad), None);
    }
}

/// The model: a sorted map a side, everything applied in order, then cut to depth.
#[derive(Default)]
struct Model {
    bids: BTreeMap<u64, u64>,
    asks: BTreeMap<u64, u64>,
}

impl Model {
    fn apply(&mut self, depth: usize, is_bid: bool, levels: &[(u64, u64)]) {
        let side = if is_bid { &mut self.bids } else { &mut self.asks };
        for &(price, qty) in levels {
            if qty == 0 {
                side.remove(&price);
            } else {
                side.insert(price, qty);
            }
        }
        while side.len() > depth {
            if is_bid {
                side.pop_first()
            } else {
                side.pop_last()
            };
        }
    }

    fn text(&self) -> String {
        let asks = self.asks.iter().take(10);
        asks.chain(self.bids.iter().rev().take(10)).map(|(price, qty)| format!("{price}{qty}")).collect()
    }
}

fn tenths(units: u64) -> String {
    format!("{}.{}", units / 10, units % 10)
}

type Seen = (Vec<(u64, u64)>, Vec<(u64, u64)>, u32, bool, bool, (u64, u64), u64, (u32, u32));

/// All that can be seen of a book.
fn state(book: &Book) -> Seen {
    (
        book.levels(Side::Buy, 99).collect(),
        book.levels(Side::Sell, 99).collect(),
        book.checksum(),
        book.synced(),
        book.last_was_snapshot(),
        (book.checksums_ok, book.checksums_failed),
        book.exchange_ts(),
        (book.price_precision(), book.qty_precision()),
    )
}

type Change = (bool, Vec<(u64, u64)>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let level = (1u64..60, prop_oneof![Just(0u64), 1u64..1000]);
    prop::collection::vec((any::<bool>(), prop::collection::vec(level, 0..6)), 1..60)
}

proptest! {
    #[test]
    fn the_book_equals_the_model(depth in 1usize..14, changes in changes()) {
        let mut book = Book::new("BTC/USD", depth, Some(1), Some(1)).unwrap();
        let mut model = Model::default();
        let mut kind = "snapshot";
        for (is_bid, levels) in changes {
            model.apply(depth, is_bid, &levels);
            let texts: Vec<_> = levels.iter().map(|(price, qty)| (tenths(*price), tenths(*qty))).collect();
            let side: Vec<_> = texts.iter().map(|(price, qty)| (price.as_str(), qty.as_str())).collect();
            let (bids, asks) = if is_bid { (&side[..], &[][..]) } else { (&[][..], &side[..]) };
            let checksum = Some(crc32fast::hash(model.text().as_bytes()));
            prop_assert_eq!(book.apply_frame(&v2(kind, bids, asks, checksum)), Ok(true));
            kind = "update";
            let wanted: Vec<_> = model.bids.iter().rev().map(|(price, qty)| (*price, *qty)).collect();
            prop_assert_eq!(book.levels(Side::Buy, 99).collect::<Vec<_>>(), wanted);
            let wanted: Vec<_> = model.asks.iter().map(|(price, qty)| (*price, *qty)).collect();
            prop_assert_eq!(book.levels(Side::Sell, 99).collect::<Vec<_>>(), wanted);
        }
    }

    /// Whatever the frames: trying each first as an ordinary one comes to the same as judging each at once.
    #[test]
    fn a_frame_that_is_not_ordinary_is_as_if_it_had_not_been_tried(
        depth in 1usize..14, changes in changes(), precisions in (0u32..3, 0u32..3), wrong in 0usize..12,
        at in any::<prop::sample::Index>(), with in any::<u8>(), oldest in prop_oneof![Just(0), Just(u64::MAX)],
    ) {
        let new = || Book::new("BTC/USD", depth, Some(precisions.0), Some(precisions.1)).unwrap();
        let (mut tried, mut judged) = (new(), new());
        let mut model = Model::default();
        let mut kind = "snapshot";
        for (place, (is_bid, levels)) in changes.into_iter().enumerate() {
            model.apply(depth, is_bid, &levels);
            let texts: Vec<_> = levels.iter().map(|(price, qty)| (tenths(*price), tenths(*qty))).collect();
            let side: Vec<_> = texts.iter().map(|(price, qty)| (price.as_str(), qty.as_str())).collect();
            let (bids, asks) = if is_bid { (&side[..], &[][..]) } else { (&[][..], &side[..]) };
            let checksum = crc32fast::hash(model.text().as_bytes()) ^ u32::from(place == wrong);
            let mut frame = v2(kind, bids, asks, Some(checksum));
            if place + 1 == wrong {
                let at = at.index(frame.len());
                frame[at] = with;
            }
            let was = (tried.checksums_ok, tried.synced);
            if tried.apply_ordinary(&frame, oldest) {
                prop_assert!(was.1 && tried.synced && !tried.crossed());
                prop_assert_eq!(tried.checksums_ok, was.0 + 1);
                prop_assert_eq!(judged.apply_frame(&frame), Ok(true));
            } else {
                prop_assert_eq!(tried.apply_frame(&frame), judged.apply_frame(&frame));
            }
            prop_assert_eq!(state(&tried), state(&judged));
            kind = if place % 9 == 8 { "snapshot" } else { "update" };
            if kind == "snapshot" {
                model = Model::default();
            }
        }
    }

    #[test]
    fn no_bytes_panic(frame in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = book(10).apply_frame(&frame);
    }

    #[test]
    fn no_broken_frame_panics(at in 0usize..200, with in any::<u8>(), cut in 0usize..200) {
        let mut frame = v2("snapshot", &[("27120.5", "1.00000000")], &[("27121.0", "5e-05")], Some(1));
        let len = frame.len();
        frame[at % len] = with;
        let _ = book(10).apply_frame(&frame);
        let _ = book(10).apply_frame(&frame[..cut % len]);
    }
}

#[test]
fn a_new_book_and_a_cleared_one_are_empty_and_have_no_time() {
    let mut cleared = live(&[("5.2", "1")], &[("5.3", "1")]);
    assert!(cleared.last_was_snapshot());
    assert_eq!(cleared.apply_frame(&v2("update", &[("5.1", "1")], &[], Some(7))), Ok(false));
    assert!(!cleared.last_was_snapshot());
    assert_eq!(cleared.apply_frame(&v2("snapshot", &[("5.2", "1")], &[], None)), Ok(true));
    cleared.clear();
    assert_eq!(cleared.checksums_failed, 1);
    for empty in [book(10), cleared] {
        assert_eq!((empty.symbol(), empty.depth()), ("BTC/USD", 10));
        assert_eq!((empty.price_precision(), empty.qty_precision()), (1, 8));
        assert_eq!((empty.synced(), empty.last_was_snapshot(), empty.exchange_ts()), (false, false, 0));
        assert_eq!((empty.count(Side::Buy), empty.count(Side::Sell), empty.crossed()), (0, 0, false));
    }
}

#[test]
fn a_cleared_book_takes_the_wire_s_precision_anew() {
    let mut book = Book::new("BTC/USD", 10, None, None).unwrap();
    assert_eq!(book.apply_frame(&v2("snapshot", &[("5.25", "1.5")], &[], None)), Ok(true));
    assert_eq!((book.price_precision(), book.qty_precision()), (2, 1));
    book.clear();
    assert_eq!((book.price_precision(), book.qty_precision()), (0, 0));
}

#[test]
fn a_book_may_have_any_depth_and_precision_within_the_limits_and_no_other() {
    for (symbol, depth, price, qty) in [("A/B", 1, Some(18), Some(18)), ("A/B", 1000, None, Some(0))] {
        assert_eq!(Book::new(symbol, depth, price, qty).unwrap().depth(), depth);
    }
    let (symbol_or_depth, precision) = (CallFault::SymbolOrDepth, CallFault::Precision);
    for (symbol, depth, price, qty, fault) in [
        ("", 10, Some(1), Some(8), &symbol_or_depth),
        ("A/B", 0, Some(1), Some(8), &symbol_or_depth),
        ("A/B", 1001, Some(1), Some(8), &symbol_or_depth),
        ("A/B", 10, Some(19), Some(8), &precision),
        ("A/B", 10, None, Some(19), &precision),
    ] {
        assert_eq!(Book::new(symbol, depth, price, qty).unwrap_err(), BookError::Call(fault.clone()));
    }
}

#[test]
fn both_sides_are_cut_to_the_depth_at_their_far_ends() {
    let mut book = book(2);
    assert_eq!(
        book.apply_frame(&v2("snapshot", &[("2.0", "1"), ("1.0", "1")], &[("3.0", "1")], None)),
        Ok(true)
    );
    let update = v2("update", &[("1.5", "1")], &[("4.0", "1"), ("3.5", "1")], None);
    assert_eq!(book.apply_frame(&update), Ok(true));
    assert_eq!(book.levels(Side::Buy, 9).map(|level| level.0).collect::<Vec<_>>(), [20, 15]);
    assert_eq!(book.levels(Side::Sell, 9).map(|level| level.0).collect::<Vec<_>>(), [30, 35]);
    assert_eq!((book.count(Side::Buy), book.count(Side::Sell)), (2, 2));
}

#[test]
fn a_book_finer_than_the_wire_is_checked_with_the_wire_s_decimals() {
    let mut book = Book::new("BTC/USD", 10, Some(3), Some(8)).unwrap();
    let snapshot = br#"[0,{"as":[],"bs":[["3.1","1.5","1"]]},"book-10","XBT/USD"]"#;
    assert_eq!(book.apply_frame(snapshot), Ok(true));
    assert_eq!(book.checksum(), crc32fast::hash(b"3115"));
}

#[test]
fn a_book_is_crossed_when_its_bid_meets_its_ask() {
    for (bid, ask, is_crossed) in [("2.0", "2.0", true), ("2.1", "2.0", true), ("1.9", "2.0", false)] {
        assert_eq!(live(&[(bid, "1")], &[(ask, "1")]).crossed(), is_crossed);
    }
    assert!(!live(&[("1.0", "1")], &[]).crossed());
}

#[test]
fn checksums_are_counted_each() {
    let mut book = live(&[("1.0", "1")], &[]);
    let good = crc32fast::hash(b"10100000000");
    for _ in 0..3 {
        assert_eq!(book.apply_frame(&v2("snapshot", &[("1.0", "1")], &[], Some(good))), Ok(true));
        assert_eq!(book.apply_frame(&v2("snapshot", &[("1.0", "1")], &[], Some(!good))), Ok(false));
    }
    assert_eq!((book.checksums_ok, book.checksums_failed), (3, 3));
}

#[test]
fn levels_may_be_as_large_as_64_bits_hold_in_finer_units_too() {
    let most = u64::MAX.to_string();
    for (first, finer, level) in [
        (("1", most.as_str()), ("0.5", "1"), Some((10, u64::MAX))),
        ((most.as_str(), "1"), ("1", "0.5"), Some((u64::MAX, 10))),
        ((most.as_str(), "1"), ("0.5", "1"), None),
        (("1", most.as_str()), ("2", "0.5"), None),
    ] {
        let mut book = Book::new("BTC/USD", 10, None, None).unwrap();
        assert_eq!(book.apply_frame(&v2("snapshot", &[first], &[], None)), Ok(true));
        let result = book.apply_frame(&v2("update", &[finer], &[], None));
        match level {
            Some(level) => assert_eq!((result, book.levels(Side::Buy, 1).next()), (Ok(true), Some(level))),
            None => {
                assert_eq!((result, book.synced()), (Err(BookError::Frame(FrameFault::Outgrown)), false));
            }
        }
    }
}

#[test]
fn a_wire_finer_than_the_pair_is_published_in_the_pair_s_ticks_and_lots() {
    let mut book = Book::new("BTC/USD", 10, Some(1), Some(1)).unwrap();
    let snapshot = br#"[0,{"as":[],"bs":[["3.10000","1.50000000","1"]]},"book-10","XBT/USD"]"#;
    assert_eq!(book.apply_frame(snapshot), Ok(true));
    assert_eq!(book.levels(Side::Buy, 1).next(), Some((31, 15)));
}

#[test]
fn an_ordinary_frame_is_an_update_in_kraken_s_own_form_that_is_not_old_and_leaves_a_sound_book() {
    let mut book = live(&[("1.0", "1.00000000")], &[("2.0", "1.00000000")]);
    let frame = |price: &str, text: &str, time: &str| {
        let checksum = crc32fast::hash(text.as_bytes());
        let level = format!(r#"{{"price":{price},"qty":1.00000000}}"#);
        format!(
            r#"{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD","bids":[{level}],"asks":[],"checksum":{checksum},"timestamp":"{time}"}}]}}"#
        )
        .into_bytes()
    };
    let time = "2023-07-30T15:29:58.343415Z";
    let (at, good) = (rfc3339_ns(time.as_bytes()).unwrap(), "201000000001110000000010100000000");
    let before = state(&book);
    assert!(!book.apply_ordinary(&frame("1.1", good, time), at + 1));
    assert!(!book.apply_ordinary(&v2("snapshot", &[("1.1", "1")], &[], Some(1)), 0));
    assert!(!book.apply_ordinary(&v2("update", &[("1.1", "1")], &[], None), 0));
    assert_eq!(state(&book), before);
    assert!(!book.apply_ordinary(&frame("1.1", "wrong", time), 0));
    assert!(!book.apply_ordinary(&frame("2.0", "201000000002010000000010100000000", time), at));
    assert_eq!((book.synced(), book.checksums_ok, book.checksums_failed), (true, 0, 0));
    let mut book = live(&[("1.0", "1.00000000")], &[("2.0", "1.00000000")]);
    assert!(book.apply_ordinary(&frame("1.1", good, time), at));
    assert_eq!((book.checksums_ok, book.exchange_ts()), (1, at));
}
