//! A matching engine for one pair: strict price-time priority, integers only, the naive reference's equal.
//!
//! `simulator/exchange/engine.py` says the same in fewer words; where the two differ, that one is right.

#![forbid(unsafe_code)]

mod matching;
mod mixer;
mod resting;
mod touched;
mod types;

use crate::errors::EngineError;
use crate::side::Side;
use matching::{Taker, crosses, fills_whole, take};
use resting::Resting;
use touched::Touched;
pub use types::{Event, NewOrder, Order, Reason, SelfTrade, TimeInForce};

/// Prices and quantities stay below this, so that `filled + remaining` and a price's rank never overflow.
pub const VALUE_MAX: u64 = i64::MAX as u64;

#[derive(Default)]
pub struct Engine {
    resting: Resting,
    touched: Touched,
    events: Vec<Event>,
}

impl Engine {
    /// Takes a new order; the events say what became of it, in order.
    pub fn submit(&mut self, new: NewOrder) -> Result<&[Event], EngineError> {
        self.events.clear();
        check(new.price, Some(new.qty))?;
        if self.resting.order(new.id).is_some() {
            return Err(EngineError::AlreadyResting(new.id));
        }
        if new.post_only && (new.price.is_none() || new.tif != TimeInForce::Gtc) {
            return Err(EngineError::PostOnlyTerms);
        }
        let NewOrder { id, owner, side, qty, stp, .. } = new;
        let price = new.price.unwrap_or_default();
        let order = Order { id, owner, side, price, remaining: qty, filled: 0, stp };
        let limit = new.price.map_or(u64::MAX, |price| side.opposite().rank(price));
        let mut taker = Taker { order, limit, stopped: false };
        if new.post_only && crosses(&self.resting, &taker) {
            return Ok(self.ended(id, qty, Reason::PostOnly));
        }
        if new.tif == TimeInForce::Fok && !fills_whole(&self.resting, &taker) {
            return Ok(self.ended(id, qty, Reason::Fok));
        }
        take(&mut self.resting, &mut taker, &mut self.touched, &mut self.events);
        let remaining = taker.order.remaining;
        if remaining == 0 || taker.stopped {
            return Ok(&self.events);
        }
        match (new.price, new.tif) {
            (None, _) => Ok(self.ended(id, remaining, Reason::Market)),
            (Some(_), TimeInForce::Ioc) => Ok(self.ended(id, remaining, Reason::Ioc)),
            // A fill-or-kill order that came this far was filled, or stopped by its own owner's order.
            (Some(_), TimeInForce::Fok) => Ok(self.ended(id, remaining, Reason::Fok)),
            (Some(price), TimeInForce::Gtc) => {
                self.rest(taker.order);
                self.events.push(Event::Rest { id, price, remaining });
                Ok(&self.events)
            }
        }
    }

    /// Changes a resting order's price, or its total quantity, or both, by Kraken's rules of queue priority.
    pub fn amend(
        &mut self,
        id: u64,
        price: Option<u64>,
        qty: Option<u64>,
        post_only: bool,
    ) -> Result<&[Event], EngineError> {
        self.events.clear();
        check(price, qty)?;
        let Some(&old) = self.resting.order(id) else {
            return Ok(self.refused(id, Reason::Unknown));
        };
        let total = qty.unwrap_or(old.filled + old.remaining);
        if total <= old.filled {
            self.remove(id);
            return Ok(self.ended(id, old.remaining, Reason::Reduced));
        }
        let remaining = total - old.filled;
        let price = price.unwrap_or(old.price);
        let limit = old.side.opposite().rank(price);
        let mut taker = Taker { order: Order { price, remaining, ..old }, limit, stopped: false };
        if price != old.price && post_only && crosses(&self.resting, &taker) {
            return Ok(self.refused(id, Reason::PostOnly));
        }
        self.events.push(Event::Amend { id, price, remaining });
        if price == old.price && remaining <= old.remaining {
            self.reduce(&old, old.remaining - remaining);
            return Ok(&self.events);
        }
        self.remove(id);
        let traded = take(&mut self.resting, &mut taker, &mut self.touched, &mut self.events);
        if taker.order.remaining > 0 && !taker.stopped {
            self.rest(taker.order);
            if traded {
                self.events.push(Event::Rest { id, price, remaining: taker.order.remaining });
            }
        }
        Ok(&self.events)
    }

    /// Takes a resting order out; no event if there is none.
    pub fn cancel(&mut self, id: u64) -> &[Event] {
        self.events.clear();
        if let Some(order) = self.remove(id) {
            self.ended(id, order.remaining, Reason::User);
        }
        &self.events
    }

    /// The best `n` levels of a side as (price, total), best first.
    pub fn levels(&self, side: Side, n: usize) -> impl Iterator<Item = (u64, u128)> {
        self.resting.levels(side).iter().take(n).map(move |(rank, level)| (side.rank(*rank), level.total))
    }

    /// The ids resting at a price, next to trade first.
    pub fn queue(&self, side: Side, price: u64) -> Vec<u64> {
        let level = self.resting.levels(side).get(&side.rank(price));
        level.map_or_else(Vec::new, |level| self.resting.slab.queue(level).map(|order| order.id).collect())
    }

    pub fn order(&self, id: u64) -> Option<&Order> {
        self.resting.order(id)
    }

    /// How many orders rest.
    pub fn count(&self) -> usize {
        self.resting.count()
    }

    /// The levels touched since the last call with what they hold now, in the order of their first touch.
    pub fn changes(&mut self) -> Vec<(Side, u64, u128)> {
        let now = |&(side, price): &(Side, u64)| (side, price, self.resting.total(side, price));
        let changes = self.touched.levels().iter().map(now).collect();
        self.touched.clear();
        changes
    }

    fn ended(&mut self, id: u64, remaining: u64, reason: Reason) -> &[Event] {
        self.events.push(Event::Cancel { id, remaining, reason });
        &self.events
    }

    fn refused(&mut self, id: u64, reason: Reason) -> &[Event] {
        self.events.push(Event::Refused { id, reason });
        &self.events
    }

    fn rest(&mut self, order: Order) {
        self.resting.push(order);
        self.touched.note(order.side, order.price);
    }

    fn remove(&mut self, id: u64) -> Option<Order> {
        let order = self.resting.remove(id)?;
        self.touched.note(order.side, order.price);
        Some(order)
    }

    fn reduce(&mut self, order: &Order, by: u64) {
        if by > 0 {
            self.resting.reduce(order.id, by);
            self.touched.note(order.side, order.price);
        }
    }
}

/// Refuses what is no price or no quantity.
pub fn check(price: Option<u64>, qty: Option<u64>) -> Result<(), EngineError> {
    let is_bad = |value: u64| value == 0 || value > VALUE_MAX;
    if price.is_some_and(is_bad) || qty.is_some_and(is_bad) {
        return Err(EngineError::OutOfRange);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
