//! Public channels for as long as asked. The client has no book and no checksum: both are here, from the numbers it read.

use crate::SYMBOLS;
use kraken_async_rs::wss::*;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_stream::StreamExt;

const DEPTH: usize = 10;

/// One symbol's levels; the client's decimals keep the digits as sent.
#[derive(Default)]
struct Book {
    asks: BTreeMap<Decimal, Decimal>,
    bids: BTreeMap<Decimal, Decimal>,
}

impl Book {
    fn apply(&mut self, asks: &[BidAsk], bids: &[BidAsk]) {
        for (levels, changes) in [(&mut self.asks, asks), (&mut self.bids, bids)] {
            for change in changes {
                if change.quantity.is_zero() {
                    levels.remove(&change.price);
                } else {
                    // Removed first: an insert would keep the old key, and so its digits.
                    levels.remove(&change.price);
                    levels.insert(change.price, change.quantity);
                }
            }
        }
        while self.asks.len() > DEPTH {
            self.asks.pop_last();
        }
        while self.bids.len() > DEPTH {
            self.bids.pop_first();
        }
    }

    fn checksum(&self) -> u32 {
        let digits =
            |number: &Decimal| number.to_string().replace('.', "").trim_start_matches('0').to_string();
        let text: String = self
            .asks
            .iter()
            .chain(self.bids.iter().rev())
            .map(|(price, quantity)| digits(price) + &digits(quantity))
            .collect();
        crc32fast::hash(text.as_bytes())
    }
}

/// Follows all public channels; panics on a bad checksum, a refusal, or a message that the client cannot read.
pub async fn follow_books(sockets: &mut KrakenWSSClient, lasting: Duration) {
    let mut stream = sockets.connect::<WssMessage>().await.unwrap();
    let symbols: Vec<String> = SYMBOLS.map(String::from).to_vec();
    stream.send(&Message::new_subscription(InstrumentsSubscription::new(true), 1)).await.unwrap();
    stream.send(&Message::new_subscription(BookSubscription::new(symbols.clone()), 2)).await.unwrap();
    stream.send(&Message::new_subscription(TickerSubscription::new(symbols.clone()), 3)).await.unwrap();
    stream.send(&Message::new_subscription(TradesSubscription::new(symbols.clone()), 4)).await.unwrap();
    stream.send(&Message::new_subscription(OhlcSubscription::new(symbols, 1), 5)).await.unwrap();

    let mut books: HashMap<String, Book> = HashMap::new();
    let (mut updates, mut tickers, mut trades, mut candles, mut pairs) = (0, 0, 0, 0, 0);
    let end = Instant::now() + lasting;
    while let Ok(message) = timeout_at(end, stream.next()).await {
        match message.expect("the stream ended").unwrap() {
            WssMessage::Channel(ChannelMessage::Orderbook(book)) => {
                let (symbol, checksum, asks, bids) = match book.data {
                    L2::Orderbook(all) => (all.symbol, all.checksum, all.asks, all.bids),
                    L2::Update(change) => (change.symbol, change.checksum, change.asks, change.bids),
                };
                let book = books.entry(symbol).or_default();
                book.apply(&asks, &bids);
                assert_eq!(book.checksum(), checksum);
                updates += 1;
            }
            WssMessage::Channel(ChannelMessage::Ticker(_)) => tickers += 1,
            WssMessage::Channel(ChannelMessage::Trade(rows)) => trades += rows.data.len(),
            WssMessage::Channel(ChannelMessage::Ohlc(rows)) => candles += rows.data.len(),
            WssMessage::Channel(ChannelMessage::Instrument(all)) => pairs = all.data.pairs.len(),
            WssMessage::Method(MethodMessage::Subscription(answer)) => assert!(answer.success, "{answer:?}"),
            WssMessage::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    assert!(pairs > 0 && tickers > 0 && trades > 0 && candles > 0);
    assert_eq!(books.len(), SYMBOLS.len());
    println!(
        "books: {updates} updates of {} pairs, none bad by the session's checksum over its decimals, as it has none; \
         {pairs} instruments, {tickers} tickers, {trades} trades, {candles} candles",
        books.len()
    );
}
