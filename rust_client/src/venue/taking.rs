//! What we do in one pair's book: submit, amend, cancel, by the rules of the matching engine.

#![forbid(unsafe_code)]

use super::book::{Book, Half, RECORDED_IDS_FROM, RecordedIds};
use super::own::Queued;
use crate::engine::{Event, NewOrder, Order, Reason, SelfTrade, TimeInForce, check};
use crate::errors::EngineError;
use crate::side::Side;

/// Quantity that a taker meets: an own order's, or the record's where there is none.
struct Meeting {
    rank: u64,
    own: Option<Order>,
    qty: u64,
}

/// An order that trades before it rests; `limit` is the worst rank of the other side that it trades with.
struct Taker {
    order: Order,
    limit: u64,
    is_stopped: bool,
}

impl Taker {
    fn owns(&self, maker: &Order) -> bool {
        self.order.owner != 0 && maker.owner == self.order.owner
    }

    fn fill(&mut self, qty: u64) {
        self.order.remaining -= qty;
        self.order.filled += qty;
    }
}

impl Book {
    /// Takes a new order; the events say what became of it, in order.
    pub fn submit(&mut self, new: NewOrder, ids: &mut RecordedIds) -> Result<&[Event], EngineError> {
        self.outcome.clear();
        check(new.price, Some(new.qty))?;
        check_id(new.id)?;
        if self.find(new.id).is_some() {
            return Err(EngineError::AlreadyResting(new.id));
        }
        if new.post_only && (new.price.is_none() || new.tif != TimeInForce::Gtc) {
            return Err(EngineError::PostOnlyTerms);
        }
        let NewOrder { id, owner, side, qty, stp, .. } = new;
        let price = new.price.unwrap_or_default();
        let order = Order { id, owner, side, price, remaining: qty, filled: 0, stp };
        let limit = new.price.map_or(u64::MAX, |price| side.opposite().rank(price));
        let mut taker = Taker { order, limit, is_stopped: false };
        if new.post_only && self.crosses(&taker) {
            return Ok(self.ended(id, qty, Reason::PostOnly));
        }
        if new.tif == TimeInForce::Fok && !self.fills_whole(&taker) {
            return Ok(self.ended(id, qty, Reason::Fok));
        }
        self.take(&mut taker, ids);
        let remaining = taker.order.remaining;
        if remaining == 0 || taker.is_stopped {
            return Ok(&self.outcome);
        }
        match (new.price, new.tif) {
            (None, _) => Ok(self.ended(id, remaining, Reason::Market)),
            (Some(_), TimeInForce::Ioc) => Ok(self.ended(id, remaining, Reason::Ioc)),
            (Some(_), TimeInForce::Fok) => Ok(self.ended(id, remaining, Reason::Fok)),
            (Some(price), TimeInForce::Gtc) => {
                self.rest(taker.order);
                self.outcome.push(Event::Rest { id, price, remaining });
                Ok(&self.outcome)
            }
        }
    }

    /// Changes a resting order; less quantity keeps the place, more or another price loses it.
    pub fn amend(
        &mut self,
        id: u64,
        price: Option<u64>,
        qty: Option<u64>,
        post_only: bool,
        ids: &mut RecordedIds,
    ) -> Result<&[Event], EngineError> {
        self.outcome.clear();
        check(price, qty)?;
        check_id(id)?;
        let Some(&Queued { order: old, .. }) = self.find(id) else {
            return Ok(self.refused(id, Reason::Unknown));
        };
        let total = qty.unwrap_or(old.filled + old.remaining);
        if total <= old.filled {
            self.half_mut(old.side).own.remove(id);
            return Ok(self.ended(id, old.remaining, Reason::Reduced));
        }
        let remaining = total - old.filled;
        let price = price.unwrap_or(old.price);
        if price == old.price && remaining <= old.remaining {
            if let Some(queued) = self.half_mut(old.side).own.find_mut(id) {
                queued.order.remaining = remaining;
            }
            self.outcome.push(Event::Amend { id, price, remaining });
            return Ok(&self.outcome);
        }
        let limit = old.side.opposite().rank(price);
        let mut taker = Taker { order: Order { price, remaining, ..old }, limit, is_stopped: false };
        if post_only && self.crosses(&taker) {
            return Ok(self.refused(id, Reason::PostOnly));
        }
        self.outcome.push(Event::Amend { id, price, remaining });
        self.half_mut(old.side).own.remove(id);
        self.take(&mut taker, ids);
        if taker.order.remaining > 0 && !taker.is_stopped {
            self.rest(taker.order);
            if self.outcome.len() > 1 {
                self.outcome.push(Event::Rest { id, price, remaining: taker.order.remaining });
            }
        }
        Ok(&self.outcome)
    }

    /// Takes a resting order out; no event if there is none.
    pub fn cancel(&mut self, id: u64) -> Result<&[Event], EngineError> {
        self.outcome.clear();
        check_id(id)?;
        let [bids, asks] = &mut self.halves;
        if let Some(queued) = bids.own.remove(id).or_else(|| asks.own.remove(id)) {
            self.ended(id, queued.order.remaining, Reason::User);
        }
        Ok(&self.outcome)
    }

    pub fn find(&self, id: u64) -> Option<&Queued> {
        self.halves.iter().find_map(|half| half.own.find(id))
    }

    /// How many own orders rest.
    pub fn count(&self) -> usize {
        self.halves.iter().map(|half| half.own.len()).sum()
    }

    fn ended(&mut self, id: u64, remaining: u64, reason: Reason) -> &[Event] {
        self.outcome.push(Event::Cancel { id, remaining, reason });
        &self.outcome
    }

    fn refused(&mut self, id: u64, reason: Reason) -> &[Event] {
        self.outcome.push(Event::Refused { id, reason });
        &self.outcome
    }

    fn crosses(&self, taker: &Taker) -> bool {
        self.best_rank(taker.order.side.opposite()).is_some_and(|rank| rank <= taker.limit)
    }

    fn fills_whole(&self, taker: &Taker) -> bool {
        let mut missing = taker.order.remaining;
        for meeting in self.meetings(taker) {
            if meeting.own.is_none_or(|maker| !taker.owns(&maker)) {
                missing = missing.saturating_sub(meeting.qty);
            } else if taker.order.stp != SelfTrade::Oldest {
                break;
            }
        }
        missing == 0
    }

    /// Trades the taker with what it reaches.
    fn take(&mut self, taker: &mut Taker, ids: &mut RecordedIds) {
        if !self.crosses(taker) {
            return;
        }
        let side = taker.order.side.opposite();
        for Meeting { rank, own, qty } in self.meetings(taker) {
            if taker.order.remaining == 0 {
                break;
            }
            let price = side.rank(rank);
            let Some(maker) = own else {
                self.take_recorded(taker, rank, qty, ids);
                continue;
            };
            if taker.owns(&maker) {
                if taker.order.stp != SelfTrade::Newest {
                    self.half_mut(side).own.remove(maker.id);
                    self.ended(maker.id, maker.remaining, Reason::SelfTrade);
                }
                if taker.order.stp != SelfTrade::Oldest {
                    self.ended(taker.order.id, taker.order.remaining, Reason::SelfTrade);
                    taker.is_stopped = true;
                    return;
                }
                continue;
            }
            let qty = taker.order.remaining.min(maker.remaining);
            taker.fill(qty);
            let queue = &mut self.half_mut(side).own;
            if qty == maker.remaining {
                queue.remove(maker.id);
            } else if let Some(queued) = queue.find_mut(maker.id) {
                queued.fill(qty);
            }
            self.outcome.push(Event::Trade {
                taker: taker.order.id,
                maker: maker.id,
                price,
                qty,
                taker_remaining: taker.order.remaining,
                maker_remaining: maker.remaining - qty,
            });
        }
    }

    /// Takes recorded quantity at the front of a level.
    fn take_recorded(&mut self, taker: &mut Taker, rank: u64, most: u64, ids: &mut RecordedIds) {
        let side = taker.order.side.opposite();
        let qty = taker.order.remaining.min(most);
        taker.fill(qty);
        self.stats.own_taken_lots += u128::from(qty);
        let Half { recorded, queues, own } = self.half_mut(side);
        let maker_remaining = recorded.get_mut(rank).map_or(0, |level| {
            level.taken += qty;
            level.visible()
        });
        queues.take(rank, qty);
        for order in own.at_mut(rank) {
            order.ahead = order.ahead.saturating_sub(qty);
        }
        self.outcome.push(Event::Trade {
            taker: taker.order.id,
            maker: ids.next(),
            price: side.rank(rank),
            qty,
            taker_remaining: taker.order.remaining,
            maker_remaining,
        });
    }

    /// What the taker meets, in order; each level in the order of its queue. In a gap only own orders.
    fn meetings(&self, taker: &Taker) -> Vec<Meeting> {
        let half = self.half(taker.order.side.opposite());
        let mut ranks: Vec<u64> = half.own.iter().map(|order| order.rank).collect();
        if self.is_live {
            ranks
                .extend(half.recorded.iter().map(|level| level.rank).take_while(|rank| *rank <= taker.limit));
        }
        ranks.retain(|rank| *rank <= taker.limit);
        ranks.sort_unstable();
        ranks.dedup();
        let mut meetings = Vec::new();
        for rank in ranks {
            let visible = if self.is_live { half.recorded.visible(rank) } else { 0 };
            let mut passed = 0;
            for maker in half.own.at(rank) {
                let before = if maker.is_known { maker.ahead.min(visible) } else { visible };
                if before > passed {
                    meetings.push(Meeting { rank, own: None, qty: before - passed });
                    passed = before;
                }
                meetings.push(Meeting { rank, own: Some(maker.order), qty: maker.order.remaining });
            }
            if visible > passed {
                meetings.push(Meeting { rank, own: None, qty: visible - passed });
            }
        }
        meetings
    }

    fn rest(&mut self, order: Order) {
        let (is_live, depth) = (self.is_live, self.depth());
        let rank = order.side.rank(order.price);
        let Half { recorded, queues, own } = self.half_mut(order.side);
        let is_known = is_live && recorded.shows(rank, depth);
        let before = own.at(rank).map(|other| other.ahead).max().unwrap_or(0);
        let ahead = if is_known { recorded.visible(rank).max(before) } else { 0 };
        own.insert(Queued { order, rank, ahead, place: queues.arrivals(), is_known });
    }
}

/// The ids resting at a price, next to trade first.
pub fn queue(book: &Book, side: Side, price: u64) -> Vec<u64> {
    book.half(side).own.at(side.rank(price)).map(|queued| queued.order.id).collect()
}

pub fn check_id(id: u64) -> Result<(), EngineError> {
    if id < RECORDED_IDS_FROM { Ok(()) } else { Err(EngineError::OutOfRange) }
}
