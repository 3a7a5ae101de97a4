//! The reader of Kraken's own form against the general one.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["BTC/USD", "1INCH/USD", "A\"B", "É\\/USD"];

/// Reads a frame both ways; true if the plain reader took it.
fn agree(frame: &[u8], symbol: &str) -> bool {
    let (mut plain, mut general) = (Staging::default(), Staging::default());
    // A minute seen before must not change what is read.
    let earlier = br#"{"channel":"book","type":"update","data":[{"symbol":"A","bids":[],"asks":[],"checksum":1,"timestamp":"2023-07-30T15:29:00.000000Z"}]}"#;
    assert_eq!(plain::frame(earlier, "A", &mut plain), Some(()));
    plain.clear();
    let taken = plain::frame(frame, symbol, &mut plain).is_some();
    if taken {
        assert_eq!(any_form(frame, symbol, &mut general), Ok(()), "{}", String::from_utf8_lossy(frame));
        assert_eq!((plain.levels, plain.messages), (general.levels, general.messages));
    }
    taken
}

fn number() -> impl Strategy<Value = String> {
    let plain = (0u64..10_000_000, 0usize..12, any::<u64>()).prop_map(|(whole, decimals, fraction)| {
        let fraction = format!("{fraction:020}");
        if decimals == 0 { whole.to_string() } else { format!("{whole}.{}", &fraction[..decimals]) }
    });
    let odd = prop::sample::select(vec![
        "0",
        "00.1",
        "0.",
        ".5",
        "1e5",
        "1.5E-3",
        "-1",
        "\"1\"",
        "",
        "0.0",
        "9999999999999999999",
        "18446744073709551615",
        "18446744073709551616",
        "0.000000000000000001",
        "0.0000000000000000001",
        "10.000000000000000001",
        "1 ",
    ]);
    prop_oneof![20 => plain, 1 => odd.prop_map(str::to_owned)]
}

prop_compose! {
    fn side()(levels in prop::collection::vec((number(), number()), 0..4)) -> String {
        let texts: Vec<_> = levels.iter().map(|(price, qty)| format!("{{\"price\":{price},\"qty\":{qty}}}")).collect();
        texts.join(",")
    }
}

fn tail() -> impl Strategy<Value = String> {
    let time = prop::sample::select(vec![
        "2023-07-30T15:29:58.343415Z",
        "2023-07-30T15:29:58Z",
        "2023-07-30T15:30:59.000001Z",
        "2023-07-30T15:29:60.343415Z",
        "2023-07-30T15:29:5:.343415Z",
        "2023-07-30T15:29:58.34341xZ",
        "2300-07-30T15:29:58.343415Z",
        "2023-02-30T00:00:00Z",
        "",
        "x",
        "\\u0041",
    ]);
    let checksum = prop_oneof![10 => any::<u32>().prop_map(|value| value.to_string()), 1 => number()];
    (checksum, prop::option::of(time)).prop_map(|(checksum, time)| {
        format!(
            ",\"checksum\":{checksum}{}",
            time.map_or(String::new(), |time| format!(",\"timestamp\":\"{time}\""))
        )
    })
}

fn frame() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let kind = prop::sample::select(vec!["update", "update", "snapshot", "other"]);
    (prop::sample::select(NAMES.to_vec()), kind, side(), side(), tail()).prop_map(
        |(name, kind, bids, asks, tail)| {
            let data = format!("{{\"symbol\":\"{name}\",\"bids\":[{bids}],\"asks\":[{asks}]{tail}}}");
            (name, format!("{{\"channel\":\"book\",\"type\":\"{kind}\",\"data\":[{data}]}}").into_bytes())
        },
    )
}

#[test]
fn kraken_s_own_form_is_plain() {
    for (frame, is_plain) in [
        (&br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[{"price":29430.3,"qty":8.25182177}],"checksum":3111681483,"timestamp":"2023-07-30T15:30:00.029286Z"}]}"#[..], true),
        (br#"{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":5,"qty":0}],"asks":[],"checksum":0}]}"#, true),
        (br#"{"channel":"book","type":"update","data":[{"symbol":"XBT/USD","bids":[],"asks":[],"checksum":1}]}"#, false),
        (br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":01}]}"#, false),
        (br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":1.0}]}"#, false),
        (br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":1}]} "#, false),
        (br#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":0.0,"qty":1}],"asks":[],"checksum":1}]}"#, false),
    ] {
        assert_eq!(agree(frame, "BTC/USD"), is_plain, "{}", String::from_utf8_lossy(frame));
    }
}

proptest! {
    #[test]
    fn the_plain_reader_reads_what_the_general_one_reads((name, frame) in frame()) {
        agree(&frame, name);
    }

    #[test]
    fn a_broken_frame_is_the_general_reader_s(
        (name, mut frame) in frame(), at in 0usize..400, with in any::<u8>(), cut in 0usize..400, insert in any::<bool>(),
    ) {
        let len = frame.len();
        agree(&frame[..cut % len], name);
        if insert { frame.insert(at % len, with) } else { frame[at % len] = with }
        agree(&frame, name);
    }
}
