use super::rows::Row;
use super::*;
use crate::engine::{SelfTrade, TimeInForce};
use crate::side::Side;

fn row(exchange_ts: i64, kind: Kind, side: Side, ticks: i64, lots: i64, flags: u8) -> Row {
    let heard_ts = exchange_ts;
    Row { exchange_ts, heard_ts, ticks, lots, order: 0, symbol: 0, kind: kind as u8, side: side as u8, flags }
}

fn order(id: u64, side: Side, price: u64, qty: u64) -> NewOrder {
    let (tif, stp) = (TimeInForce::Gtc, SelfTrade::Newest);
    NewOrder { id, owner: 1, side, price: Some(price), qty, tif, post_only: true, stp }
}

fn market(model: Model) -> Market {
    let mut market = Market::new(1, model);
    let rows = [
        row(1, Kind::Snapshot, Side::Buy, 100, 10, 2),
        row(1, Kind::Snapshot, Side::Sell, 102, 10, 1),
        row(2, Kind::Trade, Side::Sell, 100, 12, 1),
        row(3, Kind::Level, Side::Buy, 100, 0, 1),
    ];
    market.load(rows.into_iter()).unwrap();
    market
}

#[test]
fn a_trade_eats_the_queue_ahead_and_then_fills_us() {
    let mut market = market(Model::ProRata);
    assert_eq!(market.advance(1, stop::MARK).why, stop::MARK);
    market.submit(0, order(1, Side::Buy, 100, 5)).unwrap();
    let stopped = market.advance(9, 0);
    assert_eq!(stopped, Stopped { why: stop::FILL, symbol: 0, start: 2, end: 3 });
    let book = market.book(0).unwrap();
    assert_eq!((book.stats.fills, book.stats.fill_lots), (1, 2));
    assert_eq!(market.advance(9, 0), Stopped { why: 0, symbol: 0, start: 4, end: 4 });
    assert_eq!((market.now(), market.next_ts()), (9, None));
}

#[test]
fn rows_before_the_message_played_last_are_dropped() {
    let mut market = market(Model::Back);
    market.advance(9, 0);
    market.load(std::iter::once(row(9, Kind::Mark, Side::Buy, 0, 1, 1))).unwrap();
    assert_eq!((market.row(2), market.row(3).map(|row| row.exchange_ts)), (None, Some(3)));
    let early = market.load(std::iter::once(row(8, Kind::Mark, Side::Buy, 0, 1, 1)));
    assert_eq!(early, Err(RowFault::Unordered));
}

#[test]
fn the_models_share_a_cancel_within_their_bounds() {
    let models = [Model::Front, Model::ProRata, Model::Power(2.0), Model::Log, Model::Back];
    for lots in 1..40 {
        for ahead in 0..=lots {
            for cancelled in 1..=lots {
                let shares = models.map(|model| model.cancelled_ahead(ahead, lots, cancelled));
                assert!(shares.iter().all(|share| (shares[4]..=shares[0]).contains(share)));
            }
        }
    }
    assert_eq!(models.map(|model| model.cancelled_ahead(10, 14, 8)), [8, 5, 6, 4, 4]);
}

fn fixed(distance_bps: f64) -> quoter::Quoter {
    quoter::Quoter::Fixed(quoter::Fixed { distance_bps, qty: 5, max_position: 5, price_step: 1 })
}

#[test]
fn a_fixed_rule_rounds_away_from_the_mid_and_leaves_a_full_side() {
    let mut quotes = Vec::new();
    let sight = |position| Some(quoter::Sight { bid: 100_000, ask: 100_003, position });
    fixed(1.0).quotes(sight(0), &mut quotes);
    // 100001.5 less and plus 10.00015.
    assert_eq!(quotes.iter().map(|quote| quote.price).collect::<Vec<_>>(), [99_991, 100_012]);
    fixed(1.0).quotes(sight(5), &mut quotes);
    assert_eq!(quotes.iter().map(|quote| quote.side).collect::<Vec<_>>(), [Side::Sell]);
    fixed(1.0).quotes(None, &mut quotes);
    assert!(quotes.is_empty());
}

#[test]
fn a_request_takes_both_ways_and_its_turnaround() {
    let mut market = Market::new(1, Model::ProRata);
    let rows = [
        row(1, Kind::Snapshot, Side::Buy, 100_000, 10, 2),
        row(1, Kind::Snapshot, Side::Sell, 100_003, 10, 1),
        // Two delays of 10 and a turnaround of 5 after 1: the orders come at 26.
        row(25, Kind::Trade, Side::Sell, 99_980, 3, 1),
        row(27, Kind::Trade, Side::Sell, 99_980, 3, 1),
    ];
    market.load(rows.into_iter()).unwrap();
    let delays = screen::Delays { one_way: 10, submit: 5, amend: 1, cancel: 1 };
    let outcome = screen::Screen::new(fixed(1.0), screen::Pace::Touch, delays).run(&mut market, 40).unwrap();
    assert_eq!(outcome.requests.iter().map(|request| request.at).collect::<Vec<_>>(), [26, 26]);
    let fill = screen::Fill {
        ts: 27,
        id: 1,
        side: Side::Buy,
        price: 99_991,
        qty: 3,
        ahead: Some(0),
        opened_ts: 26,
        ahead_at_fill: Some(0),
    };
    assert_eq!((outcome.fills, outcome.position), (vec![fill], 3));
}

fn order_row(exchange_ts: i64, kind: Kind, order: u32, lots: i64, flags: u8) -> Row {
    Row { order, ..row(exchange_ts, kind, Side::Buy, 100, lots, flags) }
}

#[test]
fn among_single_orders_only_those_before_us_are_ahead() {
    let mut market = Market::new(1, Model::Back);
    let rows = [
        order_row(1, Kind::OrderSnapshot, 1, 4, 2),
        order_row(1, Kind::OrderSnapshot, 2, 6, 1),
        // One comes behind us and leaves again, one before us gets smaller, then grows.
        order_row(2, Kind::Order, 3, 8, 1),
        order_row(3, Kind::Order, 3, 0, 1),
        order_row(4, Kind::Order, 1, 1, 1),
        order_row(5, Kind::Order, 1, 9, 1),
        row(6, Kind::Trade, Side::Sell, 100, 8, 1),
    ];
    market.load(rows.into_iter()).unwrap();
    market.advance(1, 0);
    market.submit(0, order(1, Side::Buy, 100, 5)).unwrap();
    let ahead = [2, 3, 4, 5].map(|ts| {
        market.advance(ts, 0);
        market.book(0).unwrap().find(1).unwrap().ahead
    });
    assert_eq!(ahead, [10, 10, 7, 6]);
    assert_eq!(market.advance(6, 0).why, stop::FILL);
    let book = market.book(0).unwrap();
    assert_eq!((book.stats.fill_lots, &book.aheads[..]), (2, &[Some(0)][..]));
}
