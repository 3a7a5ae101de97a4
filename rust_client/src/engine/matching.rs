//! A taker on its way through the opposite side: price by price, front of each queue first.

#![forbid(unsafe_code)]

use super::resting::{Level, Resting, Slab};
use super::touched::Touched;
use super::types::{Event, Order, Reason, SelfTrade};

/// An order that trades before it rests; `order.price` is where what is left of it would rest.
pub struct Taker {
    pub order: Order,
    /// The worst rank of the opposite side that it trades with.
    pub limit: u64,
    /// True once its owner's own order has ended it.
    pub stopped: bool,
}

impl Taker {
    fn owns(&self, maker: &Order) -> bool {
        self.order.owner != 0 && maker.owner == self.order.owner
    }
}

/// True if the opposite side's best level is within the limit.
pub fn crosses(resting: &Resting, taker: &Taker) -> bool {
    let opposite = resting.levels(taker.order.side.opposite());
    opposite.first_key_value().is_some_and(|(rank, _)| *rank <= taker.limit)
}

/// True if the taker can be filled at once, given that it never trades with its owner's own orders.
pub fn fills_whole(resting: &Resting, taker: &Taker) -> bool {
    let mut missing = taker.order.remaining;
    for (_, level) in resting.levels(taker.order.side.opposite()).range(..=taker.limit) {
        for maker in resting.slab.queue(level) {
            if !taker.owns(maker) {
                missing = missing.saturating_sub(maker.remaining);
                if missing == 0 {
                    return true;
                }
            } else if taker.order.stp != SelfTrade::Oldest {
                return false;
            }
        }
    }
    false
}

/// Trades the taker against the opposite side; true if anything happened.
pub fn take(
    resting: &mut Resting,
    taker: &mut Taker,
    touched: &mut Touched,
    events: &mut Vec<Event>,
) -> bool {
    let before = events.len();
    let opposite = taker.order.side.opposite();
    let (levels, slab) = resting.parts(opposite);
    while taker.order.remaining > 0 && !taker.stopped {
        let Some(mut level) = levels.first_entry().filter(|level| *level.key() <= taker.limit) else {
            break;
        };
        let price = opposite.rank(*level.key());
        let total = level.get().total;
        trade_level(taker, level.get_mut(), price, slab, events);
        if level.get().total != total {
            touched.note(opposite, price);
        }
        if level.get().is_empty() {
            level.remove();
        }
    }
    events.len() > before
}

/// Trades the taker against one level, until either is done.
fn trade_level(taker: &mut Taker, level: &mut Level, price: u64, slab: &mut Slab, events: &mut Vec<Event>) {
    while taker.order.remaining > 0 && !level.is_empty() {
        let maker = slab.first(level);
        if taker.owns(maker) {
            if taker.order.stp != SelfTrade::Newest {
                let (id, remaining) = (maker.id, maker.remaining);
                level.total -= u128::from(remaining);
                events.push(Event::Cancel { id, remaining, reason: Reason::SelfTrade });
                slab.pop_first(level);
            }
            if taker.order.stp != SelfTrade::Oldest {
                let (id, remaining) = (taker.order.id, taker.order.remaining);
                events.push(Event::Cancel { id, remaining, reason: Reason::SelfTrade });
                taker.stopped = true;
                return;
            }
            continue;
        }
        let qty = taker.order.remaining.min(maker.remaining);
        for order in [&mut taker.order, &mut *maker] {
            order.remaining -= qty;
            order.filled += qty;
        }
        level.total -= u128::from(qty);
        events.push(Event::Trade {
            taker: taker.order.id,
            maker: maker.id,
            price,
            qty,
            taker_remaining: taker.order.remaining,
            maker_remaining: maker.remaining,
        });
        if maker.remaining == 0 {
            slab.pop_first(level);
        }
    }
}
