//! The resting orders of a pair: a queue for each price, the orders linked to their neighbours in one slab.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};

use super::mixer::Mixed;
use super::types::Order;
use crate::side::Side;

const NONE: u32 = u32::MAX;

/// A side's levels by rank, so that the best comes first.
pub type Levels = BTreeMap<u64, Level>;

/// A price's queue; the total is wider than any sum of orders can be.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    first: u32,
    last: u32,
    pub total: u128,
}

impl Level {
    pub fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

#[derive(Debug, Clone, Copy)]
struct Node {
    order: Order,
    before: u32,
    after: u32,
}

/// The orders of all queues, found by id or by their place.
#[derive(Default)]
pub struct Slab {
    nodes: Vec<Node>,
    free: Vec<u32>,
    index: HashMap<u64, u32, Mixed>,
}

impl Slab {
    pub fn first(&mut self, level: &Level) -> &mut Order {
        &mut self.nodes[level.first as usize].order
    }

    pub fn pop_first(&mut self, level: &mut Level) {
        let at = level.first;
        let node = &self.nodes[at as usize];
        self.index.remove(&node.order.id);
        level.first = node.after;
        match node.after {
            NONE => level.last = NONE,
            after => self.nodes[after as usize].before = NONE,
        }
        self.free.push(at);
    }

    /// The orders of a level, next to trade first.
    pub fn queue(&self, level: &Level) -> impl Iterator<Item = &Order> {
        let mut at = level.first;
        std::iter::from_fn(move || {
            let node = self.nodes.get(at as usize)?;
            at = node.after;
            Some(&node.order)
        })
    }

    fn insert(&mut self, order: Order, before: u32) -> u32 {
        let at = self.free.pop().unwrap_or(self.nodes.len() as u32);
        let node = Node { order, before, after: NONE };
        match self.nodes.get_mut(at as usize) {
            Some(place) => *place = node,
            None => self.nodes.push(node),
        }
        self.index.insert(order.id, at);
        at
    }

    fn unlink(&mut self, at: u32, level: &mut Level) {
        let Node { order, before, after } = self.nodes[at as usize];
        level.total -= u128::from(order.remaining);
        match before {
            NONE => level.first = after,
            before => self.nodes[before as usize].after = after,
        }
        match after {
            NONE => level.last = before,
            after => self.nodes[after as usize].before = before,
        }
        self.index.remove(&order.id);
        self.free.push(at);
    }
}

#[derive(Default)]
pub struct Resting {
    pub slab: Slab,
    bids: Levels,
    asks: Levels,
}

impl Resting {
    pub fn levels(&self, side: Side) -> &Levels {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// One side's levels, and the orders of all.
    pub fn parts(&mut self, side: Side) -> (&mut Levels, &mut Slab) {
        match side {
            Side::Buy => (&mut self.bids, &mut self.slab),
            Side::Sell => (&mut self.asks, &mut self.slab),
        }
    }

    pub fn order(&self, id: u64) -> Option<&Order> {
        Some(&self.slab.nodes[*self.slab.index.get(&id)? as usize].order)
    }

    pub fn count(&self) -> usize {
        self.slab.index.len()
    }

    /// The total at a price, 0 where nothing rests.
    pub fn total(&self, side: Side, price: u64) -> u128 {
        self.levels(side).get(&side.rank(price)).map_or(0, |level| level.total)
    }

    /// Puts an order at the back of its price's queue.
    pub fn push(&mut self, order: Order) {
        let (levels, slab) = self.parts(order.side);
        match levels.entry(order.side.rank(order.price)) {
            Entry::Vacant(entry) => {
                let at = slab.insert(order, NONE);
                entry.insert(Level { first: at, last: at, total: order.remaining.into() });
            }
            Entry::Occupied(mut entry) => {
                let level = entry.get_mut();
                let at = slab.insert(order, level.last);
                slab.nodes[level.last as usize].after = at;
                level.last = at;
                level.total += u128::from(order.remaining);
            }
        }
    }

    /// Takes an order out of its queue, wherever it stands in it.
    pub fn remove(&mut self, id: u64) -> Option<Order> {
        let at = *self.slab.index.get(&id)?;
        let order = self.slab.nodes[at as usize].order;
        let (levels, slab) = self.parts(order.side);
        if let Entry::Occupied(mut entry) = levels.entry(order.side.rank(order.price)) {
            slab.unlink(at, entry.get_mut());
            if entry.get().is_empty() {
                entry.remove();
            }
        }
        Some(order)
    }

    /// Makes an order smaller where it stands.
    pub fn reduce(&mut self, id: u64, by: u64) {
        let Some(&at) = self.slab.index.get(&id) else {
            return;
        };
        let order = &mut self.slab.nodes[at as usize].order;
        order.remaining -= by;
        let (side, price) = (order.side, order.price);
        if let Some(level) = self.parts(side).0.get_mut(&side.rank(price)) {
            level.total -= u128::from(by);
        }
    }
}
