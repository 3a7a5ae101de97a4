//! An order's life over the private WebSocket, and the reports of it.

use crate::decimal;
use kraken_async_rs::crypto::secrets::Token;
use kraken_async_rs::request_types::{IntOrString, TimeInForceV2, TriggerType};
use kraken_async_rs::response_types::{BuySell, OrderType};
use kraken_async_rs::wss::*;
use std::time::Duration;
use tokio::time::timeout;
use tokio_stream::StreamExt;

const WAIT: Duration = Duration::from_secs(30);

struct Private {
    stream: KrakenMessageStream<WssMessage>,
    reports: Vec<ExecutionResult>,
    balances: usize,
    single_orders: usize,
}

impl Private {
    /// Reads until an answer to a request; keeps the reports that come before it.
    async fn answer(&mut self) -> MethodMessage {
        loop {
            let message =
                timeout(WAIT, self.stream.next()).await.expect("no answer").expect("the stream ended");
            match message.unwrap() {
                WssMessage::Channel(ChannelMessage::Execution(rows)) => self.reports.extend(rows.data),
                WssMessage::Channel(ChannelMessage::Balance(_)) => self.balances += 1,
                WssMessage::Channel(ChannelMessage::L3(_)) => self.single_orders += 1,
                WssMessage::Channel(_) => {}
                WssMessage::Method(answer) => return answer,
                WssMessage::Error(error) => panic!("{error:?}"),
            }
        }
    }

    /// Reads until an order has ended.
    async fn end_of(&mut self, order: &str, kind: ExecutionType) {
        while !self.reports.iter().any(|report| report.order_id == order && report.execution_type == kind) {
            let message =
                timeout(WAIT, self.stream.next()).await.expect("no report").expect("the stream ended");
            match message.unwrap() {
                WssMessage::Channel(ChannelMessage::Execution(rows)) => self.reports.extend(rows.data),
                WssMessage::Channel(ChannelMessage::Balance(_)) => self.balances += 1,
                _ => {}
            }
        }
    }
}

/// A batch's order; an order of its own has the same members and the symbol beside them.
fn limit() -> BatchOrder {
    BatchOrder {
        order_type: OrderType::Limit,
        side: BuySell::Buy,
        limit_price: Some(decimal("60000.1")),
        limit_price_type: None,
        triggers: None,
        time_in_force: Some(TimeInForceV2::GTC),
        order_quantity: decimal("0.001"),
        margin: None,
        post_only: Some(true),
        reduce_only: None,
        effective_time: None,
        expire_time: None,
        order_user_ref: None,
        conditional: None,
        display_quantity: None,
        fee_preference: Some(FeePreference::Quote),
        no_market_price_protection: None,
        stp_type: None,
        cash_order_quantity: None,
        client_order_id: None,
    }
}

fn add(order: BatchOrder, token: &Token) -> Message<AddOrderParams> {
    let params = AddOrderParams {
        order_type: order.order_type,
        side: order.side,
        symbol: "BTC/USD".into(),
        limit_price: order.limit_price,
        limit_price_type: order.limit_price_type,
        triggers: order.triggers,
        time_in_force: order.time_in_force,
        order_quantity: order.order_quantity,
        margin: order.margin,
        post_only: order.post_only,
        reduce_only: order.reduce_only,
        expire_time: order.expire_time,
        deadline: None,
        effective_time: order.effective_time,
        client_order_id: order.client_order_id,
        order_user_ref: order.order_user_ref,
        conditional: order.conditional,
        display_quantity: order.display_quantity,
        fee_preference: order.fee_preference,
        no_market_price_protection: order.no_market_price_protection,
        stp_type: order.stp_type,
        cash_order_quantity: order.cash_order_quantity,
        validate: None,
        sender_sub_id: None,
        token: token.clone(),
    };
    message("add_order", params)
}

/// Orders with other members, of which nothing fills.
fn variants() -> Vec<BatchOrder> {
    vec![
        BatchOrder {
            order_type: OrderType::Iceberg,
            order_quantity: decimal("0.01"),
            display_quantity: Some(decimal("0.001")),
            post_only: None,
            ..limit()
        },
        BatchOrder { client_order_id: Some("compat-2".into()), ..limit() },
        BatchOrder { margin: Some(true), order_user_ref: Some(9), ..limit() },
    ]
}

/// A stop, which Kraken refuses of this client: it writes a trigger's price as text.
fn stop() -> BatchOrder {
    let triggers =
        TriggerParams { price: decimal("50000"), price_type: None, reference: Some(TriggerType::Last) };
    BatchOrder {
        order_type: OrderType::StopLoss,
        side: BuySell::Sell,
        limit_price: None,
        triggers: Some(triggers),
        post_only: None,
        ..limit()
    }
}

fn message<T: std::fmt::Debug>(method: &str, params: T) -> Message<T> {
    Message { method: method.into(), params, req_id: 7 }
}

fn added(answer: MethodMessage) -> String {
    match answer {
        MethodMessage::AddOrder(ResultResponse { result: Some(order), .. }) => order.order_id,
        other => panic!("{other:?}"),
    }
}

/// Trades on the private socket; panics when an answer or a report is missing.
pub async fn trade(sockets: &mut KrakenWSSClient, token: Token) {
    let stream = sockets.connect_auth::<WssMessage>().await.unwrap();
    let mut private = Private { stream, reports: Vec::new(), balances: 0, single_orders: 0 };
    private
        .stream
        .send(&Message::new_subscription(ExecutionSubscription::new(token.clone()), 1))
        .await
        .unwrap();
    assert!(matches!(private.answer().await, MethodMessage::Subscription(answer) if answer.success));
    private
        .stream
        .send(&Message::new_subscription(BalancesSubscription::new(token.clone()), 2))
        .await
        .unwrap();
    assert!(matches!(private.answer().await, MethodMessage::Subscription(answer) if answer.success));
    let level3 = BookSubscription::new_l3(vec!["BTC/USD".into()], token.clone());
    private.stream.send(&Message::new_subscription(level3, 3)).await.unwrap();
    assert!(matches!(private.answer().await, MethodMessage::Subscription(answer) if answer.success));

    private.stream.send(&add(limit(), &token)).await.unwrap();
    let id = added(private.answer().await);
    let amend = AmendOrderParams::builder(decimal("0.002"), token.clone())
        .order_id(id.clone())
        .limit_price(decimal("60001.0"))
        .build();
    private.stream.send(&message("amend_order", amend)).await.unwrap();
    assert!(matches!(private.answer().await, MethodMessage::AmendOrder(answer) if answer.success));
    let edit = EditOrderParams {
        deadline: None,
        display_quantity: None,
        fee_preference: None,
        limit_price: Some(decimal("60002.0")),
        no_market_price_protection: None,
        order_id: id,
        order_quantity: Some(decimal("0.003")),
        order_user_ref: None,
        post_only: Some(true),
        reduce_only: None,
        symbol: "BTC/USD".into(),
        triggers: None,
        validate: None,
        token: token.clone(),
    };
    private.stream.send(&message("edit_order", edit)).await.unwrap();
    let MethodMessage::EditOrder(answer) = private.answer().await else { panic!("no answer to the edit") };
    let edited = answer.result.expect("a refusal").order_id;
    let cancel = CancelOrderParams {
        order_id: Some(vec![edited.clone()]),
        client_order_id: None,
        order_user_ref: None,
        token: token.clone(),
    };
    private.stream.send(&message("cancel_order", cancel)).await.unwrap();
    assert!(matches!(private.answer().await, MethodMessage::CancelOrder(answer) if answer.success));
    private.end_of(&edited, ExecutionType::Canceled).await;

    let batch = BatchOrderParams {
        deadline: None,
        symbol: "BTC/USD".into(),
        validate: None,
        token: token.clone(),
        orders: vec![limit(), limit()],
    };
    private.stream.send(&message("batch_add", batch)).await.unwrap();
    let MethodMessage::BatchOrder(answer) = private.answer().await else { panic!("no answer to the batch") };
    let orders = answer
        .result
        .expect("a refusal")
        .into_iter()
        .map(|order| IntOrString::from(order.order_id))
        .collect();
    let cancel = BatchCancelParams { orders, token: token.clone(), client_order_id: None };
    private.stream.send(&message("batch_cancel", cancel)).await.unwrap();
    assert!(
        matches!(private.answer().await, MethodMessage::BatchCancel(answer) if answer.orders_cancelled == 2)
    );
    for timeout in [60, 0] {
        let switch = CancelOnDisconnectParams { timeout, token: token.clone() };
        private.stream.send(&message("cancel_all_orders_after", switch)).await.unwrap();
        assert!(
            matches!(private.answer().await, MethodMessage::CancelOnDisconnect(answer) if answer.success)
        );
    }
    private.stream.send(&add(stop(), &token)).await.unwrap();
    let MethodMessage::AddOrder(answer) = private.answer().await else { panic!("no answer to the stop") };
    assert!(answer.error.expect("the stop is taken").contains("must be a number"));
    for order in variants() {
        private.stream.send(&add(order, &token)).await.unwrap();
        added(private.answer().await);
    }
    private
        .stream
        .send(&message("cancel_all", CancelAllOrdersParams { token: token.clone() }))
        .await
        .unwrap();
    let MethodMessage::CancelAllOrders(answer) = private.answer().await else {
        panic!("no answer to cancel_all")
    };
    assert_eq!(answer.result.expect("a refusal").count, 3);

    let market = BatchOrder { order_type: OrderType::Market, limit_price: None, post_only: None, ..limit() };
    private.stream.send(&add(market, &token)).await.unwrap();
    let bought = added(private.answer().await);
    private.end_of(&bought, ExecutionType::Filled).await;
    println!(
        "order over WebSocket: add, amend, edit, cancel, batch of two, dead man's switch, iceberg, margin, a market buy; its stops are refused, as it sends trigger prices as text"
    );
    assert!(private.reports.iter().any(|report| report.order_id == bought && report.fees.is_some()));
    assert!(private.balances > 1);
    assert!(private.single_orders > 0);
    println!(
        "private feed: {} execution reports, {} balance messages, {} of level3",
        private.reports.len(),
        private.balances,
        private.single_orders
    );
}
