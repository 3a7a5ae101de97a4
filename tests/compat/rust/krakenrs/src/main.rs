//! A whole session of krakenrs, over REST and WebSocket v1. Its host names are fixed.

use krakenrs::ws::{KrakenWsAPI, KrakenWsConfig, OrderStatus};
use krakenrs::{
    BsType, KrakenCredentials, KrakenRestAPI, KrakenRestConfig, LimitOrder, MarketOrder, OrderFlag,
};
use std::collections::BTreeSet;
use std::env;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

const PAIRS: [&str; 5] = ["XBT/USD", "ETH/USD", "SOL/USD", "XDG/USD", "ETH/XBT"];
const LOW: &str = "60000.1";
const WAIT: Duration = Duration::from_secs(60);

/// The client logs what it cannot read, and bad checksums, and goes on: here they are counted as failures.
struct Complaints(Mutex<Vec<String>>);

static COMPLAINTS: Complaints = Complaints(Mutex::new(Vec::new()));

impl log::Log for Complaints {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.level() <= log::Level::Warn && metadata.target().starts_with("krakenrs")
    }

    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn main() {
    log::set_logger(&COMPLAINTS).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let creds = KrakenCredentials {
        key: env::var("KRAKEN_KEY").unwrap(),
        secret: env::var("KRAKEN_SECRET").unwrap(),
    };
    let rest = KrakenRestAPI::new(KrakenRestConfig::builder().creds(creds).build().unwrap()).unwrap();
    markets(&rest);
    books();
    trade(&rest);
    assert_eq!(*COMPLAINTS.0.lock().unwrap(), Vec::<String>::new());
}

/// Waits for a condition, asked ten times a second; panics after a minute without it.
fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + WAIT;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        sleep(Duration::from_millis(100));
    }
}

fn names(pairs: &[&str]) -> Vec<String> {
    pairs.iter().map(|pair| pair.to_string()).collect()
}

fn markets(rest: &KrakenRestAPI) {
    assert!(rest.time().unwrap().unixtime > 0);
    assert!(rest.system_status().unwrap().timestamp.ends_with('Z'));
    assert!(rest.assets().unwrap().contains_key("XXBT"));
    let pairs = rest.asset_pairs(Vec::new()).unwrap();
    assert_eq!(pairs["XXBTZUSD"].wsname.as_deref(), Some("XBT/USD"));
    assert!(rest.ticker(names(&["XBTUSD"])).unwrap().contains_key("XXBTZUSD"));
    until("a trade", || !rest.get_recent_trades("XBTUSD".into(), None).unwrap().data.is_empty());
    assert!(!rest.ohlc("XBTUSD".into(), None).unwrap().data.is_empty());
    println!("markets: {} pairs, ticker, trades, candles", pairs.len());
}

fn books() {
    let minutes: f64 = env::var("MINUTES").unwrap().parse().unwrap();
    let config = KrakenWsConfig::builder()
        .subscribe_book(names(&PAIRS))
        .subscribe_trades(names(&PAIRS))
        .subscribe_ohlc(names(&PAIRS))
        .build()
        .unwrap();
    let socket = KrakenWsAPI::new(config).unwrap();
    until("every book", || socket.get_all_books().values().all(|book| book.last_update.is_some()));
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let (mut looks, mut trades, mut candles) = (0, 0, 0);
    while Instant::now() < end {
        for (pair, book) in socket.get_all_books() {
            assert!(!book.checksum_failed, "{pair}: bad checksum");
            assert_eq!((book.bid.len(), book.ask.len()), (10, 10), "{pair}");
            assert!(
                book.bid.last_key_value().unwrap().0 < book.ask.first_key_value().unwrap().0,
                "{pair} is crossed"
            );
            trades += socket.get_trades(&pair).unwrap().len();
            candles += socket.get_ohlc(&pair).unwrap().len();
        }
        assert!(!socket.stream_closed());
        looks += 1;
        sleep(Duration::from_millis(20));
    }
    assert!(looks > 0 && trades > 0 && candles > 0);
    println!(
        "books: {} pairs, depth 10, looked at {looks} times, none bad by its own checksum; {trades} trades, {candles} candles",
        PAIRS.len()
    );
}

fn trade(rest: &KrakenRestAPI) {
    let token = rest.get_websockets_token().unwrap().token;
    let config = KrakenWsConfig::builder()
        .token(token)
        .subscribe_open_orders(true)
        .subscribe_own_trades(true)
        .build()
        .unwrap();
    let socket = KrakenWsAPI::new(config).unwrap();

    let resting = |pair: &str| LimitOrder {
        bs_type: BsType::Buy,
        volume: "0.001".into(),
        pair: pair.into(),
        price: LOW.into(),
        oflags: BTreeSet::from([OrderFlag::Post]),
    };
    let added = rest.add_limit_order(resting("XBTUSD"), Some(7), false).unwrap();
    let by_rest = added.txid[0].clone();
    assert!(rest.get_open_orders(Some(7)).unwrap().open.contains_key(&by_rest));
    until("the order over REST", || socket.get_open_orders().contains_key(&by_rest));
    assert_eq!(rest.cancel_order(by_rest.clone()).unwrap().count, 1);

    let answer = socket.add_limit_order(resting("XBT/USD"), None, false).unwrap();
    let by_socket = answer.blocking_recv().unwrap().unwrap();
    until("the order over WebSocket", || socket.get_open_orders().contains_key(&by_socket));
    socket.cancel_order(by_socket.clone()).unwrap().blocking_recv().unwrap().unwrap();
    let ended = |id: &String| {
        socket.get_open_orders().get(id).is_none_or(|order| order.status == OrderStatus::Canceled)
    };
    until("both cancels", || ended(&by_rest) && ended(&by_socket));
    assert_eq!(socket.cancel_all_orders().unwrap().blocking_recv().unwrap().unwrap(), 0);
    rest.cancel_all_orders_after(60).unwrap();
    rest.cancel_all_orders_after(0).unwrap();

    let market = MarketOrder {
        bs_type: BsType::Buy,
        volume: "0.001".into(),
        pair: "XBT/USD".into(),
        oflags: BTreeSet::new(),
    };
    let bought = socket.add_market_order(market, None, false).unwrap().blocking_recv().unwrap().unwrap();
    println!(
        "order: add and cancel over REST and over WebSocket, dead man's switch, a market buy; it cannot amend or edit"
    );

    let orders = rest.query_orders(vec![by_rest.clone(), by_socket, bought.clone()]).unwrap();
    assert_eq!(orders.len(), 3);
    assert_eq!(orders[&bought].status, krakenrs::OrderStatus::Closed);
    assert!(!rest.get_account_balance().unwrap().is_empty());
    let fees = rest.get_trade_volume(names(&["XBTUSD"])).unwrap();
    assert!(fees.fees_maker.contains_key("XXBTZUSD"));
    println!("history: {} orders by id, balances, fees; it has no calls for trades and ledger", orders.len());

    let end = Instant::now() + WAIT;
    let mut fills = 0;
    while fills == 0 {
        assert!(Instant::now() < end, "waited in vain for the fill");
        fills += socket.get_own_trades().iter().filter(|trade| trade.ordertxid == bought).count();
        sleep(Duration::from_millis(100));
    }
    println!("private feed: openOrders of both, ownTrades with {fills} fills");
}
