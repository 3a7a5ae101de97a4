//! A matching engine for one pair: strict price-time priority, integers only, the naive reference's equal.
//!
//! `simulator/exchange/engine.py` says the same in fewer words; where the two differ, that one is right.

#![forbid(unsafe_code)]

use std::collections::btree_map::{BTreeMap, Entry, OccupiedEntry};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Buy,
    Sell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeInForce {
    Gtc,
    Ioc,
    Fok,
}

/// Which of two orders of one owner goes when they would trade with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfTrade {
    CancelNewest,
    CancelOldest,
    CancelBoth,
}

/// Why an order ended unfilled, or why an amend was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    PostOnly,
    Ioc,
    Fok,
    SelfTrade,
    User,
    Reduced,
    Market,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Trade { taker: u64, maker: u64, price: u64, qty: u64, taker_remaining: u64, maker_remaining: u64 },
    Rest { id: u64, price: u64, remaining: u64 },
    Cancel { id: u64, remaining: u64, reason: Reason },
    Amend { id: u64, price: u64, remaining: u64 },
    Refused { id: u64, reason: Reason },
}

/// A new order; `price` None is a market order.
#[derive(Debug, Clone, Copy)]
pub struct NewOrder {
    pub id: u64,
    pub owner: u32,
    pub side: Side,
    pub price: Option<u64>,
    pub qty: u64,
    pub tif: TimeInForce,
    pub post_only: bool,
    pub stp: SelfTrade,
}

/// A resting order as [`Engine::order`] shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderView {
    pub owner: u32,
    pub side: Side,
    pub price: u64,
    pub remaining: u64,
    pub filled: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError(pub String);

/// Prices and quantities stay below this, so that `filled + remaining` and a price's key never overflow.
pub const VALUE_MAX: u64 = i64::MAX as u64;

const NONE: u32 = u32::MAX;

/// A resting order, linked to its neighbours in the level's queue.
#[derive(Debug, Clone, Copy)]
struct Node {
    id: u64,
    owner: u32,
    side: Side,
    stp: SelfTrade,
    price: u64,
    remaining: u64,
    filled: u64,
    before: u32,
    after: u32,
}

/// A price's queue; the total is wider than any sum of orders can be.
#[derive(Debug, Clone, Copy)]
struct Level {
    first: u32,
    last: u32,
    total: u128,
}

type Levels = BTreeMap<u64, Level>;

/// Ids and prices are our own small integers, so a multiplication spreads them well enough.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

type Mixed = BuildHasherDefault<Mixer>;

#[derive(Default)]
pub struct Engine {
    nodes: Vec<Node>,
    free: Vec<u32>,
    index: HashMap<u64, u32, Mixed>,
    /// By key: a bid's is `!price`, an ask's its price, so that the best comes first on both sides.
    bids: Levels,
    asks: Levels,
    touched: Vec<(Side, u64)>,
    touched_set: HashSet<u64, Mixed>,
    events: Vec<Event>,
}

/// The order on its way through the opposite side.
struct Taker {
    id: u64,
    owner: u32,
    side: Side,
    /// The worst key of the opposite side that it trades with.
    limit: u64,
    remaining: u64,
    filled: u64,
    stp: SelfTrade,
    stopped: bool,
}

impl Side {
    fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    fn key(self, price: u64) -> u64 {
        match self {
            Self::Buy => !price,
            Self::Sell => price,
        }
    }
}

impl Engine {
    /// Takes a new order; the events tell what became of it, in order.
    pub fn submit(&mut self, order: NewOrder) -> Result<&[Event], EngineError> {
        self.events.clear();
        check(order.price, Some(order.qty))?;
        if self.index.contains_key(&order.id) {
            return Err(EngineError(format!("order {} is resting already", order.id)));
        }
        if order.post_only && (order.price.is_none() || order.tif != TimeInForce::Gtc) {
            return Err(EngineError("a post-only order is a limit order good till cancelled".into()));
        }
        let NewOrder { id, owner, side, qty, stp, .. } = order;
        let limit = order.price.map_or(u64::MAX, |price| side.opposite().key(price));
        if order.post_only && self.crosses(side, limit) {
            return Ok(self.ended(id, qty, Reason::PostOnly));
        }
        let mut taker = Taker { id, owner, side, limit, remaining: qty, filled: 0, stp, stopped: false };
        if order.tif == TimeInForce::Fok && !self.fills_whole(&taker) {
            return Ok(self.ended(id, qty, Reason::Fok));
        }
        self.take(&mut taker);
        if taker.remaining == 0 || taker.stopped {
            return Ok(&self.events);
        }
        match (order.price, order.tif) {
            (None, _) => Ok(self.ended(id, taker.remaining, Reason::Market)),
            (Some(_), TimeInForce::Ioc) => Ok(self.ended(id, taker.remaining, Reason::Ioc)),
            // A fill-or-kill order that came this far was filled, or stopped by its own owner's order.
            (Some(_), TimeInForce::Fok) => Ok(self.ended(id, taker.remaining, Reason::Fok)),
            (Some(price), TimeInForce::Gtc) => {
                self.rest(&taker, price);
                self.events.push(Event::Rest { id, price, remaining: taker.remaining });
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
        let Some(&at) = self.index.get(&id) else {
            self.events.push(Event::Refused { id, reason: Reason::Unknown });
            return Ok(&self.events);
        };
        let node = self.nodes[at as usize];
        let total = qty.unwrap_or(node.filled + node.remaining);
        if total <= node.filled {
            self.remove(at);
            return Ok(self.ended(id, node.remaining, Reason::Reduced));
        }
        let remaining = total - node.filled;
        let price = price.unwrap_or(node.price);
        let limit = node.side.opposite().key(price);
        if price != node.price && post_only && self.crosses(node.side, limit) {
            self.events.push(Event::Refused { id, reason: Reason::PostOnly });
            return Ok(&self.events);
        }
        self.events.push(Event::Amend { id, price, remaining });
        if price == node.price && remaining <= node.remaining {
            self.reduce(at, node.remaining - remaining);
            return Ok(&self.events);
        }
        self.remove(at);
        let mut taker = Taker {
            id,
            owner: node.owner,
            side: node.side,
            limit,
            remaining,
            filled: node.filled,
            stp: node.stp,
            stopped: false,
        };
        let crossed = self.take(&mut taker);
        if taker.remaining > 0 && !taker.stopped {
            self.rest(&taker, price);
            if crossed {
                self.events.push(Event::Rest { id, price, remaining: taker.remaining });
            }
        }
        Ok(&self.events)
    }

    /// Takes a resting order out; no event if there is none.
    pub fn cancel(&mut self, id: u64) -> &[Event] {
        self.events.clear();
        if let Some(&at) = self.index.get(&id) {
            let remaining = self.nodes[at as usize].remaining;
            self.remove(at);
            self.ended(id, remaining, Reason::User);
        }
        &self.events
    }

    /// The best `n` levels of a side as (price, total), best first.
    pub fn levels(&self, side: Side, n: usize) -> impl Iterator<Item = (u64, u128)> {
        let levels = if side == Side::Buy { &self.bids } else { &self.asks };
        levels.iter().take(n).map(move |(key, level)| (side.key(*key), level.total))
    }

    /// The ids resting at a price, first in the queue first.
    pub fn queue(&self, side: Side, price: u64) -> Vec<u64> {
        let levels = if side == Side::Buy { &self.bids } else { &self.asks };
        let mut at = levels.get(&side.key(price)).map_or(NONE, |level| level.first);
        let mut ids = Vec::new();
        while at != NONE {
            let node = &self.nodes[at as usize];
            ids.push(node.id);
            at = node.after;
        }
        ids
    }

    pub fn order(&self, id: u64) -> Option<OrderView> {
        let node = &self.nodes[*self.index.get(&id)? as usize];
        let Node { owner, side, price, remaining, filled, .. } = *node;
        Some(OrderView { owner, side, price, remaining, filled })
    }

    /// How many orders rest.
    pub fn count(&self) -> usize {
        self.index.len()
    }

    /// The levels touched since the last call with what they hold now, in the order of their first touch.
    pub fn changes(&mut self) -> Vec<(Side, u64, u128)> {
        self.touched_set.clear();
        let touched = std::mem::take(&mut self.touched);
        let now = |&(side, price): &(Side, u64)| {
            let levels = if side == Side::Buy { &self.bids } else { &self.asks };
            (side, price, levels.get(&side.key(price)).map_or(0, |level| level.total))
        };
        let changes = touched.iter().map(now).collect();
        self.touched = touched;
        self.touched.clear();
        changes
    }

    fn ended(&mut self, id: u64, remaining: u64, reason: Reason) -> &[Event] {
        self.events.push(Event::Cancel { id, remaining, reason });
        &self.events
    }

    fn side(&mut self, side: Side) -> &mut Levels {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn touch(&mut self, side: Side, price: u64) {
        touch(&mut self.touched, &mut self.touched_set, side, price);
    }

    fn crosses(&self, side: Side, limit: u64) -> bool {
        let opposite = if side == Side::Buy { &self.asks } else { &self.bids };
        opposite.first_key_value().is_some_and(|(key, _)| *key <= limit)
    }

    /// Could the taker be filled at once, given that it never trades with its owner's own orders.
    fn fills_whole(&self, taker: &Taker) -> bool {
        let opposite = if taker.side == Side::Buy { &self.asks } else { &self.bids };
        let mut missing = taker.remaining;
        for (_, level) in opposite.range(..=taker.limit) {
            let mut at = level.first;
            while at != NONE {
                let maker = &self.nodes[at as usize];
                if taker.owner != 0 && maker.owner == taker.owner {
                    if taker.stp != SelfTrade::CancelOldest {
                        return false;
                    }
                } else {
                    missing = missing.saturating_sub(maker.remaining);
                    if missing == 0 {
                        return true;
                    }
                }
                at = maker.after;
            }
        }
        false
    }

    /// Trades the taker against the opposite side; true if anything happened.
    fn take(&mut self, taker: &mut Taker) -> bool {
        let before = self.events.len();
        let opposite = taker.side.opposite();
        while taker.remaining > 0 && !taker.stopped {
            let levels = if opposite == Side::Buy { &mut self.bids } else { &mut self.asks };
            let Some(mut level) = levels.first_entry().filter(|level| *level.key() <= taker.limit) else {
                break;
            };
            let price = opposite.key(*level.key());
            let total = level.get().total;
            let mut store = Store { nodes: &mut self.nodes, free: &mut self.free, index: &mut self.index };
            trade_level(taker, level.get_mut(), price, &mut store, &mut self.events);
            if level.get().total != total {
                touch(&mut self.touched, &mut self.touched_set, opposite, price);
            }
            drop_if_empty(level);
        }
        self.events.len() > before
    }

    /// Puts what is left of the taker at the back of its price's queue.
    fn rest(&mut self, taker: &Taker, price: u64) {
        let Taker { id, owner, side, remaining, filled, stp, .. } = *taker;
        let mut node = Node { id, owner, side, stp, price, remaining, filled, before: NONE, after: NONE };
        let at = self.free.pop().unwrap_or(self.nodes.len() as u32);
        match self.side(side).entry(side.key(price)) {
            Entry::Vacant(entry) => {
                entry.insert(Level { first: at, last: at, total: remaining.into() });
            }
            Entry::Occupied(mut entry) => {
                let level = entry.get_mut();
                node.before = level.last;
                level.last = at;
                level.total += u128::from(remaining);
                self.nodes[node.before as usize].after = at;
            }
        }
        match self.nodes.get_mut(at as usize) {
            Some(place) => *place = node,
            None => self.nodes.push(node),
        }
        self.index.insert(id, at);
        self.touch(side, price);
    }

    /// Takes a resting order out of its queue, wherever it stands in it.
    fn remove(&mut self, at: u32) {
        let node = self.nodes[at as usize];
        self.touch(node.side, node.price);
        let levels = if node.side == Side::Buy { &mut self.bids } else { &mut self.asks };
        if let Entry::Occupied(mut entry) = levels.entry(node.side.key(node.price)) {
            let level = entry.get_mut();
            level.total -= u128::from(node.remaining);
            match node.before {
                NONE => level.first = node.after,
                before => self.nodes[before as usize].after = node.after,
            }
            match node.after {
                NONE => level.last = node.before,
                after => self.nodes[after as usize].before = node.before,
            }
            drop_if_empty(entry);
        }
        self.index.remove(&node.id);
        self.free.push(at);
    }

    /// Makes a resting order smaller where it stands.
    fn reduce(&mut self, at: u32, by: u64) {
        if by == 0 {
            return;
        }
        let node = &mut self.nodes[at as usize];
        node.remaining -= by;
        let (side, price) = (node.side, node.price);
        if let Some(level) = self.side(side).get_mut(&side.key(price)) {
            level.total -= u128::from(by);
        }
        self.touch(side, price);
    }
}

/// The parts of the engine that own resting orders.
struct Store<'a> {
    nodes: &'a mut Vec<Node>,
    free: &'a mut Vec<u32>,
    index: &'a mut HashMap<u64, u32, Mixed>,
}

impl Store<'_> {
    fn pop_first(&mut self, level: &mut Level) {
        let at = level.first;
        let node = &self.nodes[at as usize];
        self.index.remove(&node.id);
        level.first = node.after;
        match node.after {
            NONE => level.last = NONE,
            after => self.nodes[after as usize].before = NONE,
        }
        self.free.push(at);
    }
}

/// Trades the taker against one level, front of the queue first, until either is done.
fn trade_level(taker: &mut Taker, level: &mut Level, price: u64, store: &mut Store, events: &mut Vec<Event>) {
    while taker.remaining > 0 && level.first != NONE {
        let maker = &mut store.nodes[level.first as usize];
        if taker.owner != 0 && maker.owner == taker.owner {
            let oldest =
                Event::Cancel { id: maker.id, remaining: maker.remaining, reason: Reason::SelfTrade };
            if taker.stp != SelfTrade::CancelNewest {
                level.total -= u128::from(maker.remaining);
                events.push(oldest);
                store.pop_first(level);
            }
            if taker.stp != SelfTrade::CancelOldest {
                let (id, remaining) = (taker.id, taker.remaining);
                events.push(Event::Cancel { id, remaining, reason: Reason::SelfTrade });
                taker.stopped = true;
                return;
            }
            continue;
        }
        let qty = taker.remaining.min(maker.remaining);
        taker.remaining -= qty;
        taker.filled += qty;
        maker.remaining -= qty;
        maker.filled += qty;
        level.total -= u128::from(qty);
        events.push(Event::Trade {
            taker: taker.id,
            maker: maker.id,
            price,
            qty,
            taker_remaining: taker.remaining,
            maker_remaining: maker.remaining,
        });
        if maker.remaining == 0 {
            store.pop_first(level);
        }
    }
}

fn drop_if_empty(level: OccupiedEntry<u64, Level>) {
    if level.get().first == NONE {
        level.remove();
    }
}

fn touch(touched: &mut Vec<(Side, u64)>, set: &mut HashSet<u64, Mixed>, side: Side, price: u64) {
    if touched.last() != Some(&(side, price)) && set.insert(price << 1 | u64::from(side == Side::Sell)) {
        touched.push((side, price));
    }
}

fn check(price: Option<u64>, qty: Option<u64>) -> Result<(), EngineError> {
    let bad = |value: Option<u64>| value.is_some_and(|value| value == 0 || value > VALUE_MAX);
    if bad(price) || bad(qty) {
        return Err(EngineError(format!("prices and quantities are 1 to {VALUE_MAX}")));
    }
    Ok(())
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
