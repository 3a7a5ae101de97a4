//! Own orders of one side in price-time priority. They are few: every look-up is a walk.

#![forbid(unsafe_code)]

use crate::engine::Order;

/// An own order; `ahead` is the recorded quantity before it, and says nothing while the place is unknown.
#[derive(Debug, Clone, Copy)]
pub struct Queued {
    pub order: Order,
    pub rank: u64,
    pub ahead: u64,
    /// How many single orders had come to its side of the record before it.
    pub place: u64,
    pub is_known: bool,
}

impl Queued {
    pub fn fill(&mut self, qty: u64) {
        self.order.remaining -= qty;
        self.order.filled += qty;
    }
}

/// A side's orders, best first.
#[derive(Default)]
pub struct OwnSide {
    orders: Vec<Queued>,
}

impl OwnSide {
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    pub fn best_rank(&self) -> Option<u64> {
        self.orders.first().map(|order| order.rank)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Queued> {
        self.orders.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queued> {
        self.orders.iter_mut()
    }

    /// The orders at a rank, next to trade first.
    pub fn at(&self, rank: u64) -> impl Iterator<Item = &Queued> {
        self.orders.iter().filter(move |order| order.rank == rank)
    }

    pub fn at_mut(&mut self, rank: u64) -> impl Iterator<Item = &mut Queued> {
        self.orders.iter_mut().filter(move |order| order.rank == rank)
    }

    pub fn find(&self, id: u64) -> Option<&Queued> {
        self.orders.iter().find(|order| order.order.id == id)
    }

    pub fn find_mut(&mut self, id: u64) -> Option<&mut Queued> {
        self.orders.iter_mut().find(|order| order.order.id == id)
    }

    /// Puts an order behind all that are as good as it or better.
    pub fn insert(&mut self, order: Queued) {
        let at = self.orders.partition_point(|other| other.rank <= order.rank);
        self.orders.insert(at, order);
    }

    pub fn remove(&mut self, id: u64) -> Option<Queued> {
        let at = self.orders.iter().position(|order| order.order.id == id)?;
        Some(self.orders.remove(at))
    }

    /// Takes out all that have nothing left.
    pub fn remove_filled(&mut self) {
        self.orders.retain(|order| order.order.remaining > 0);
    }
}
