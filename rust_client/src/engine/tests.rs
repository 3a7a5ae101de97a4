//! The engine's rules one by one, and its invariants on random orders.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const GTC: NewOrder = NewOrder {
    id: 0,
    owner: 0,
    side: Side::Buy,
    price: None,
    qty: 0,
    tif: TimeInForce::Gtc,
    post_only: false,
    stp: SelfTrade::Newest,
};

fn limit(id: u64, side: Side, price: u64, qty: u64) -> NewOrder {
    NewOrder { id, side, price: Some(price), qty, ..GTC }
}

fn trade(taker: u64, maker: u64, price: u64, qty: u64, left: (u64, u64)) -> Event {
    Event::Trade { taker, maker, price, qty, taker_remaining: left.0, maker_remaining: left.1 }
}

/// Sells of 5 at 100 (ids 1 and 2) and at 101 (id 3).
fn stocked() -> Engine {
    let mut engine = Engine::default();
    for (id, price) in [(1, 100), (2, 100), (3, 101)] {
        engine.submit(limit(id, Side::Sell, price, 5)).unwrap();
    }
    engine.changes();
    engine
}

#[test]
fn better_prices_trade_first_then_earlier_orders() {
    let mut engine = stocked();
    let events = engine.submit(limit(9, Side::Buy, 101, 12)).unwrap();
    let wanted = [trade(9, 1, 100, 5, (7, 0)), trade(9, 2, 100, 5, (2, 0)), trade(9, 3, 101, 2, (0, 3))];
    assert_eq!(events, wanted);
    assert_eq!(engine.changes(), [(Side::Sell, 100, 0), (Side::Sell, 101, 3)]);
    assert_eq!(engine.changes(), []);
}

#[test]
fn what_is_left_rests_or_goes_by_its_time_in_force() {
    let buy = limit(9, Side::Buy, 100, 12);
    let last = |order| *stocked().submit(order).unwrap().last().unwrap();
    let cancelled = |reason| Event::Cancel { id: 9, remaining: 2, reason };
    assert_eq!(last(buy), Event::Rest { id: 9, price: 100, remaining: 2 });
    assert_eq!(last(NewOrder { tif: TimeInForce::Ioc, ..buy }), cancelled(Reason::Ioc));
    let market = NewOrder { price: None, qty: 17, ..buy };
    assert_eq!(last(market), cancelled(Reason::Market));
    let fok = NewOrder { tif: TimeInForce::Fok, ..buy };
    assert_eq!(stocked().submit(fok).unwrap(), [Event::Cancel { id: 9, remaining: 12, reason: Reason::Fok }]);
    assert_eq!(stocked().submit(NewOrder { qty: 10, ..fok }).unwrap().len(), 2);
}

#[test]
fn a_post_only_order_that_would_trade_never_does() {
    let mut engine = stocked();
    let order = NewOrder { post_only: true, ..limit(9, Side::Buy, 100, 1) };
    let refused = [Event::Cancel { id: 9, remaining: 1, reason: Reason::PostOnly }];
    assert_eq!(engine.submit(order).unwrap(), refused);
    assert_eq!(engine.count(), 3);
    assert_eq!(engine.changes(), []);
}

#[test]
fn self_trades_are_prevented_as_asked() {
    let own = |stp| {
        let mut engine = Engine::default();
        engine.submit(NewOrder { owner: 7, ..limit(1, Side::Sell, 100, 5) }).unwrap();
        engine.submit(NewOrder { owner: 8, ..limit(2, Side::Sell, 100, 5) }).unwrap();
        engine.submit(NewOrder { owner: 7, stp, ..limit(3, Side::Buy, 100, 6) }).unwrap().to_vec()
    };
    let newest = Event::Cancel { id: 3, remaining: 6, reason: Reason::SelfTrade };
    let oldest = Event::Cancel { id: 1, remaining: 5, reason: Reason::SelfTrade };
    assert_eq!(own(SelfTrade::Newest), [newest]);
    assert_eq!(own(SelfTrade::Both), [oldest, newest]);
    let rest = Event::Rest { id: 3, price: 100, remaining: 1 };
    assert_eq!(own(SelfTrade::Oldest), [oldest, trade(3, 2, 100, 5, (1, 0)), rest]);
}

#[test]
fn an_amend_keeps_its_place_only_when_it_shrinks() {
    let mut engine = stocked();
    assert_eq!(
        engine.amend(1, None, Some(3), false).unwrap(),
        [Event::Amend { id: 1, price: 100, remaining: 3 }]
    );
    assert_eq!(engine.queue(Side::Sell, 100), [1, 2]);
    engine.amend(1, Some(100), Some(4), false).unwrap();
    assert_eq!(engine.queue(Side::Sell, 100), [2, 1]);
    engine.amend(2, Some(101), None, true).unwrap();
    assert_eq!(engine.queue(Side::Sell, 101), [3, 2]);
    assert_eq!(engine.changes(), [(Side::Sell, 100, 4), (Side::Sell, 101, 10)]);
}

#[test]
fn an_amend_into_the_other_side_trades_or_is_refused() {
    let mut engine = stocked();
    engine.submit(limit(4, Side::Buy, 99, 6)).unwrap();
    let refused = [Event::Refused { id: 4, reason: Reason::PostOnly }];
    assert_eq!(engine.amend(4, Some(100), None, true).unwrap(), refused);
    assert_eq!(engine.order(4).unwrap().price, 99);
    let amended = Event::Amend { id: 4, price: 100, remaining: 12 };
    let rest = Event::Rest { id: 4, price: 100, remaining: 2 };
    let wanted = [amended, trade(4, 1, 100, 5, (7, 0)), trade(4, 2, 100, 5, (2, 0)), rest];
    assert_eq!(engine.amend(4, Some(100), Some(12), false).unwrap(), wanted);
    assert_eq!(engine.order(4).unwrap().filled, 10);
    let reduced = [Event::Cancel { id: 4, remaining: 2, reason: Reason::Reduced }];
    assert_eq!(engine.amend(4, None, Some(10), false).unwrap(), reduced);
    let unknown = [Event::Refused { id: 4, reason: Reason::Unknown }];
    assert_eq!(engine.amend(4, None, Some(10), false).unwrap(), unknown);
}

#[test]
fn what_makes_no_sense_is_an_error_and_changes_nothing() {
    let mut engine = stocked();
    let buy = limit(9, Side::Buy, 100, 1);
    for bad in [
        NewOrder { qty: 0, ..buy },
        NewOrder { qty: VALUE_MAX + 1, ..buy },
        NewOrder { price: Some(0), ..buy },
        NewOrder { id: 1, ..buy },
        NewOrder { post_only: true, price: None, ..buy },
        NewOrder { post_only: true, tif: TimeInForce::Ioc, ..buy },
    ] {
        assert!(engine.submit(bad).is_err());
    }
    assert!(engine.amend(1, Some(0), None, false).is_err());
    assert!(engine.cancel(77).is_empty());
    assert_eq!((engine.count(), engine.changes().len()), (3, 0));
}

#[derive(Debug, Clone)]
enum Action {
    Submit(NewOrder),
    Amend(u64, Option<u64>, Option<u64>, bool),
    Cancel(u64),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let tif =
        prop_oneof![4 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::Ioc), 1 => Just(TimeInForce::Fok)];
    let stp = prop_oneof![Just(SelfTrade::Newest), Just(SelfTrade::Oldest), Just(SelfTrade::Both)];
    let price = || prop::option::weighted(0.9, 90u64..110);
    let submit = (0u32..3, any::<bool>(), price(), 1u64..20, tif, any::<bool>(), stp);
    let submit = submit.prop_map(|(owner, buys, price, qty, tif, post_only, stp)| {
        let side = if buys { Side::Buy } else { Side::Sell };
        let post_only = post_only && price.is_some() && tif == TimeInForce::Gtc;
        Action::Submit(NewOrder { id: 0, owner, side, price, qty, tif, post_only, stp })
    });
    let amend = (0u64..80, price(), prop::option::of(1u64..30), any::<bool>())
        .prop_map(|(id, price, qty, post_only)| Action::Amend(id, price, qty, post_only));
    prop::collection::vec(
        prop_oneof![4 => submit, 2 => amend, 1 => (0u64..80).prop_map(Action::Cancel)],
        1..80,
    )
}

/// What must hold between any two calls.
fn check_sound(engine: &Engine) {
    let best = |side| engine.levels(side, 1).next().map(|level| level.0);
    if let (Some(bid), Some(ask)) = (best(Side::Buy), best(Side::Sell)) {
        assert!(bid < ask, "crossed: {bid} {ask}");
    }
    let mut resting = 0;
    for side in [Side::Buy, Side::Sell] {
        for (price, total) in engine.levels(side, usize::MAX) {
            let orders: Vec<_> =
                engine.queue(side, price).iter().map(|id| engine.order(*id).unwrap()).collect();
            assert!(
                orders.iter().all(|order| order.remaining > 0 && order.price == price && order.side == side)
            );
            assert_eq!(orders.iter().map(|order| u128::from(order.remaining)).sum::<u128>(), total);
            assert!(total > 0);
            resting += orders.len();
        }
    }
    assert_eq!(resting, engine.count());
}

proptest! {
    #[test]
    fn nothing_is_made_or_lost_and_the_book_never_crosses(actions in actions()) {
        let mut engine = Engine::default();
        // Per order: what is still wanted, by the events alone.
        let mut open: HashMap<u64, u64> = HashMap::new();
        for (id, action) in actions.into_iter().enumerate() {
            let id = id as u64;
            let before: Vec<_> = [Side::Buy, Side::Sell]
                .into_iter()
                .flat_map(|side| engine.levels(side, 1).flat_map(|(price, _)| engine.queue(side, price)).next())
                .collect();
            let events = match action {
                Action::Submit(order) => {
                    open.insert(id, order.qty);
                    engine.submit(NewOrder { id, ..order }).unwrap().to_vec()
                }
                Action::Amend(id, price, qty, post_only) => engine.amend(id, price, qty, post_only).unwrap().to_vec(),
                Action::Cancel(id) => engine.cancel(id).to_vec(),
            };
            // Whoever trades first was first in the queue of the best price.
            if let Some(Event::Trade { maker, .. }) = events.iter().find(|event| !matches!(event, Event::Amend { .. }))
            {
                prop_assert!(before.contains(maker));
            }
            for event in events {
                match event {
                    Event::Trade { taker, maker, qty, taker_remaining, maker_remaining, .. } => {
                        for (id, left) in [(taker, taker_remaining), (maker, maker_remaining)] {
                            prop_assert_eq!(open[&id], left + qty);
                            open.insert(id, left);
                        }
                    }
                    Event::Cancel { id, remaining, .. } => prop_assert_eq!(open.insert(id, 0), Some(remaining)),
                    Event::Amend { id, remaining, .. } => {
                        open.insert(id, remaining);
                    }
                    Event::Rest { id, remaining, .. } => prop_assert_eq!(open[&id], remaining),
                    Event::Refused { .. } => {}
                }
            }
            check_sound(&engine);
            for (id, left) in &open {
                prop_assert_eq!(engine.order(*id).map_or(0, |order| order.remaining), *left);
            }
        }
    }
}

#[test]
fn fill_or_kill_counts_past_own_orders_only_where_these_are_cancelled() {
    for (stp, is_filled) in [(SelfTrade::Oldest, true), (SelfTrade::Newest, false), (SelfTrade::Both, false)]
    {
        let mut engine = Engine::default();
        engine.submit(NewOrder { owner: 7, ..limit(1, Side::Sell, 100, 5) }).unwrap();
        engine.submit(NewOrder { owner: 8, ..limit(2, Side::Sell, 100, 5) }).unwrap();
        let order = NewOrder { owner: 7, stp, tif: TimeInForce::Fok, ..limit(9, Side::Buy, 100, 5) };
        let events = engine.submit(order).unwrap();
        assert_eq!(events.contains(&trade(9, 2, 100, 5, (0, 0))), is_filled);
    }
}

#[test]
fn an_amend_that_trades_with_nobody_is_told_once() {
    let mut engine = stocked();
    let events = engine.amend(1, Some(102), None, false).unwrap();
    assert_eq!(events, [Event::Amend { id: 1, price: 102, remaining: 5 }]);
}
