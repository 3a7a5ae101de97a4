//! A whole session of kraken-async-rs, over REST and WebSocket v2. A message that it cannot read ends the session.

mod account;
mod books;
mod private;

use books::follow_books;
use kraken_async_rs::clients::core_kraken_client::CoreKrakenClient;
use kraken_async_rs::clients::http_response_types::ResultErrorResponse;
use kraken_async_rs::clients::kraken_client::KrakenClient;
use kraken_async_rs::crypto::nonce_provider::{IncreasingNonceProvider, NonceProvider};
use kraken_async_rs::request_types::*;
use kraken_async_rs::response_types::{BuySell, OrderFlag, OrderStatus, OrderType};
use kraken_async_rs::secrets::secrets_provider::{EnvSecretsProvider, SecretsProvider};
use kraken_async_rs::wss::KrakenWSSClient;
use rust_decimal::Decimal;
use std::env;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

pub const SYMBOLS: [&str; 5] = ["BTC/USD", "ETH/USD", "SOL/USD", "DOGE/USD", "ETH/BTC"];
const PAIR: &str = "XBTUSD";

/// The result of a call that has to succeed.
pub fn good<T: Debug, E: Debug>(answer: Result<ResultErrorResponse<T>, E>) -> T {
    let answer = answer.unwrap();
    assert!(answer.error.is_empty(), "{:?}", answer.error);
    answer.result.unwrap()
}

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[tokio::main]
async fn main() {
    let secrets: Box<Arc<Mutex<dyn SecretsProvider>>> =
        Box::new(Arc::new(Mutex::new(EnvSecretsProvider::new("KRAKEN_KEY", "KRAKEN_SECRET"))));
    let nonces: Box<Arc<Mutex<dyn NonceProvider>>> =
        Box::new(Arc::new(Mutex::new(IncreasingNonceProvider::new())));
    let mut rest = CoreKrakenClient::new_with_url(secrets, nonces, env::var("KRAKEN_REST").unwrap());
    let mut sockets =
        KrakenWSSClient::new_with_urls(env::var("KRAKEN_WS").unwrap(), env::var("KRAKEN_WS_AUTH").unwrap());

    markets(&mut rest).await;
    let minutes: f64 = env::var("MINUTES").unwrap().parse().unwrap();
    follow_books(&mut sockets, Duration::from_secs_f64(minutes * 60.0)).await;
    let bought = orders(&mut rest).await;
    let token = good(rest.get_websockets_token().await).token;
    private::trade(&mut sockets, token).await;
    history(&mut rest, bought).await;
    account::look(&mut rest).await;
}

async fn markets(rest: &mut CoreKrakenClient) {
    assert!(good(rest.get_server_time().await).unix_time > 0);
    good(rest.get_system_status().await);
    assert!(good(rest.get_asset_info(&AssetInfoRequest::builder().build()).await).contains_key("XXBT"));
    let pairs = good(rest.get_tradable_asset_pairs(&TradableAssetPairsRequest::builder().build()).await);
    assert_eq!(pairs["XXBTZUSD"].tick_size, decimal("0.1"));
    let ticker = TickerRequest::builder().pair(StringCSV::from(PAIR)).build();
    assert!(good(rest.get_ticker_information(&ticker).await)["XXBTZUSD"].bids.price > Decimal::ZERO);
    let book = good(rest.get_orderbook(&OrderbookRequest::builder(PAIR.into()).count(5).build()).await);
    assert_eq!(book["XXBTZUSD"].bids.len(), 5);
    let trades = RecentTradesRequest::builder(PAIR.into()).build();
    while good(rest.get_recent_trades(&trades).await).trades["XXBTZUSD"].is_empty() {
        sleep(Duration::from_millis(500)).await;
    }
    assert!(
        !good(rest.get_ohlc(&OHLCRequest::builder(PAIR.into()).build()).await).ohlc["XXBTZUSD"].is_empty()
    );
    good(rest.get_recent_spreads(&RecentSpreadsRequest::builder(PAIR.into()).build()).await);
    println!("markets: {} pairs, ticker, depth, trades, candles, spreads", pairs.len());
}

/// An order's life over REST; returns the id of a market buy.
async fn orders(rest: &mut CoreKrakenClient) -> String {
    let request = AddOrderRequest::builder(OrderType::Limit, BuySell::Buy, decimal("0.001"), PAIR.into())
        .price(decimal("60000.1"))
        .order_flags(OrderFlags::from(OrderFlag::Post))
        .build();
    let id = good(rest.add_order(&request).await).tx_id.remove(0);
    assert!(good(rest.get_open_orders(&OpenOrdersRequest::builder().build()).await).open.contains_key(&id));
    let amend = AmendOrderRequest {
        tx_id: Some(id.clone()),
        client_order_id: None,
        order_quantity: Some(decimal("0.002")),
        display_quantity: None,
        limit_price: Some("60001.0".into()),
        trigger_price: None,
        post_only: Some(true),
        deadline: None,
    };
    good(rest.amend_order(&amend).await);
    let amends = good(rest.get_order_amends(&OrderAmendsRequest::builder(id.clone()).build()).await);
    assert_eq!(amends.count, 2);
    let edit = EditOrderRequest::builder(id, decimal("0.003"), PAIR.into()).price(decimal("60002.0")).build();
    let edited = good(rest.edit_order(&edit).await).tx_id;
    let orders = good(rest.query_orders_info(&OrderRequest::builder(StringCSV::from(&edited)).build()).await);
    assert_eq!((orders[&edited].status, orders[&edited].volume), (OrderStatus::Open, decimal("0.003")));
    let cancel = CancelOrderRequest::builder(IntOrString::from(edited)).build();
    assert_eq!(good(rest.cancel_order(&cancel).await).count, 1);
    let batched = BatchedOrderRequest::builder(OrderType::Limit, BuySell::Buy, decimal("0.001"))
        .price(decimal("60000.1"))
        .build();
    let batch = AddBatchedOrderRequest::builder(vec![batched.clone(), batched], PAIR.into()).build();
    let ids: Vec<String> =
        good(rest.add_order_batch(&batch).await).orders.into_iter().map(|order| order.tx_id).collect();
    assert_eq!(good(rest.cancel_order_batch(&CancelBatchOrdersRequest::from_tx_ids(ids)).await).count, 2);
    for timeout in [60, 0] {
        good(rest.cancel_all_orders_after(&CancelAllOrdersAfterRequest::builder(timeout).build()).await);
    }
    let stop = AddOrderRequest::builder(OrderType::StopLoss, BuySell::Sell, decimal("0.001"), PAIR.into())
        .price(decimal("50000.0"))
        .trigger(TriggerType::Last)
        .build();
    let waiting = good(rest.add_order(&stop).await).tx_id.remove(0);
    assert!(
        good(rest.get_open_orders(&OpenOrdersRequest::builder().trades(true).build()).await)
            .open
            .contains_key(&waiting)
    );
    assert_eq!(good(rest.cancel_all_orders().await).count, 1);
    let market = AddOrderRequest::builder(OrderType::Market, BuySell::Buy, decimal("0.001"), PAIR.into())
        .client_order_id("compat-1".into())
        .build();
    let bought = good(rest.add_order(&market).await).tx_id.remove(0);
    println!(
        "order over REST: add, amend, edit, cancel, batch of two, dead man's switch, a stop, a market buy"
    );
    bought
}

async fn history(rest: &mut CoreKrakenClient, bought: String) {
    let pause = Duration::from_secs(5);
    sleep(pause).await;
    let trades = good(rest.get_trades_history(&TradesHistoryRequest::builder().build()).await);
    assert!(trades.trades.values().any(|trade| trade.order_tx_id == bought));
    sleep(pause).await;
    let closed = good(rest.get_closed_orders(&ClosedOrdersRequest::builder().build()).await);
    assert_eq!(closed.closed[&bought].status, OrderStatus::Closed);
    sleep(pause).await;
    let ledger = good(rest.get_ledgers_info(&LedgersInfoRequest::builder().build()).await);
    assert!(ledger.count >= 2);
    assert!(good(rest.get_account_balance().await)["ZUSD"] > Decimal::ZERO);
    assert!(good(rest.get_extended_balances().await)["ZUSD"].balance > Decimal::ZERO);
    good(rest.get_trade_balances(&TradeBalanceRequest::builder().build()).await);
    let fees =
        good(rest.get_trade_volume(&TradeVolumeRequest::builder().pair(StringCSV::from(PAIR)).build()).await);
    assert!(fees.fees.unwrap().contains_key("XXBTZUSD"));
    println!(
        "history: {} trades, {} closed orders, {} ledger entries",
        trades.count, closed.count, ledger.count
    );
}
