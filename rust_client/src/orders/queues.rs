//! One pair's single orders in their queues; `Level3Book` of `shared/kraken/level3.py` is the Python twin.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};

use crc32fast::Hasher;

use crate::checksum::{LEVELS, print};
use crate::side::Side;

/// Two numbers of a u64 each.
const TEXT_MAX: usize = 40;

/// What happens to an order; the numbers are those of `backtest/data/columns.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Add = 0,
    Modify = 1,
    Delete = 2,
}

/// One order's change, in ticks and lots; `order_ts` is when it came or was amended, ns since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    pub event: Event,
    pub side: Side,
    pub id: &'a str,
    pub ticks: u64,
    pub lots: u64,
    pub order_ts: u64,
}

/// An order that rests.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    pub id: Box<str>,
    pub lots: u64,
    pub order_ts: u64,
}

/// The orders at a price, next to trade first, and what they add to the checksum, empty until that is asked for.
#[derive(Debug, Default)]
struct Level {
    orders: Vec<Order>,
    text: Vec<u8>,
}

/// Every order by its level, and the levels of both sides.
#[derive(Debug, Default)]
pub struct Queues {
    bids: BTreeMap<u64, Level>,
    asks: BTreeMap<u64, Level>,
    places: HashMap<Box<str>, (Side, u64)>,
}

impl Queues {
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.places.clear();
    }

    /// Takes one order's change; less quantity keeps the place, all else goes to the back.
    pub fn change(&mut self, change: &Change) {
        let old = self.places.get(change.id).copied();
        if let Some((side, ticks)) = old {
            let is_here = change.event == Event::Modify && (side, ticks) == (change.side, change.ticks);
            if is_here && self.shrink(change) {
                return;
            }
            self.remove(change.id, side, ticks);
        }
        if change.event != Event::Delete {
            let level = self.side(change.side).entry(change.ticks).or_default();
            level.text.clear();
            let order = Order { id: change.id.into(), lots: change.lots, order_ts: change.order_ts };
            level.orders.push(order);
            self.places.insert(change.id.into(), (change.side, change.ticks));
        }
    }

    /// Changes an order where it stands; false if it grows.
    fn shrink(&mut self, change: &Change) -> bool {
        let level = self.side(change.side).get_mut(&change.ticks);
        let order = level.and_then(|level| {
            level.text.clear();
            level.orders.iter_mut().find(|order| *order.id == *change.id)
        });
        match order {
            Some(order) if change.lots <= order.lots => {
                order.lots = change.lots;
                order.order_ts = change.order_ts;
                true
            }
            _ => false,
        }
    }

    fn remove(&mut self, id: &str, side: Side, ticks: u64) {
        self.places.remove(id);
        let levels = self.side(side);
        if let Some(level) = levels.get_mut(&ticks) {
            level.text.clear();
            level.orders.retain(|order| *order.id != *id);
            if level.orders.is_empty() {
                levels.remove(&ticks);
            }
        }
    }

    /// Forgets the levels beyond a depth: Kraken sends no delete for them.
    pub fn trim(&mut self, depth: usize) {
        while self.bids.len() > depth {
            self.forget(Side::Buy);
        }
        while self.asks.len() > depth {
            self.forget(Side::Sell);
        }
    }

    /// Forgets the worst level of a side.
    fn forget(&mut self, side: Side) {
        let worst = match side {
            Side::Buy => self.bids.pop_first(),
            Side::Sell => self.asks.pop_last(),
        };
        for order in worst.into_iter().flat_map(|(_, level)| level.orders) {
            self.places.remove(&order.id);
        }
    }

    /// Kraken's CRC-32 over the single orders of the best levels.
    pub fn checksum(&mut self) -> u32 {
        let mut hasher = Hasher::new();
        for (ticks, level) in self.asks.iter_mut().take(LEVELS) {
            hasher.update(text(*ticks, level));
        }
        for (ticks, level) in self.bids.iter_mut().rev().take(LEVELS) {
            hasher.update(text(*ticks, level));
        }
        hasher.finalize()
    }

    /// The best levels of a side with their orders, best first.
    pub fn best(&self, side: Side, n: usize) -> impl Iterator<Item = (u64, &[Order])> {
        let (bids, asks) = match side {
            Side::Buy => (Some(self.bids.iter().rev()), None),
            Side::Sell => (None, Some(self.asks.iter())),
        };
        let levels = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        levels.take(n).map(|(ticks, level)| (*ticks, level.orders.as_slice()))
    }

    fn side(&mut self, side: Side) -> &mut BTreeMap<u64, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// What a level adds to the checksum, printed anew after a change.
fn text(ticks: u64, level: &mut Level) -> &[u8] {
    if level.text.is_empty() {
        let mut buffer = [0; TEXT_MAX];
        let after = print(&mut buffer, 0, ticks);
        for order in &level.orders {
            let end = print(&mut buffer, after, order.lots);
            level.text.extend_from_slice(&buffer[..end]);
        }
    }
    &level.text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(event: Event, id: &str, ticks: u64, lots: u64) -> Change<'_> {
        Change { event, side: Side::Buy, id, ticks, lots, order_ts: 0 }
    }

    fn queue(queues: &Queues) -> Vec<(u64, String, u64)> {
        let best = queues.best(Side::Buy, 9);
        best.flat_map(|(ticks, orders)| orders.iter().map(move |o| (ticks, o.id.to_string(), o.lots)))
            .collect()
    }

    #[test]
    fn less_keeps_the_place_and_all_else_loses_it() {
        let mut queues = Queues::default();
        for (event, id, ticks, lots) in [
            (Event::Add, "A", 100, 5),
            (Event::Add, "B", 100, 6),
            (Event::Modify, "A", 100, 4),
            (Event::Modify, "B", 100, 7),
            (Event::Add, "C", 101, 1),
            (Event::Modify, "A", 101, 3),
            (Event::Delete, "gone", 100, 1),
        ] {
            queues.change(&change(event, id, ticks, lots));
        }
        let shown = [(101, "C", 1), (101, "A", 3), (100, "B", 7)].map(|(p, id, q)| (p, id.to_owned(), q));
        assert_eq!(queue(&queues), shown);
    }

    #[test]
    fn the_checksum_is_of_every_order_of_the_best_levels_asks_first() {
        let mut queues = Queues::default();
        for (side, id, ticks, lots) in [
            (Side::Buy, "A", 99, 2),
            (Side::Sell, "B", 101, 30),
            (Side::Sell, "C", 101, 4),
            (Side::Buy, "D", 98, 5),
        ] {
            queues.change(&Change { event: Event::Add, side, id, ticks, lots, order_ts: 0 });
        }
        assert_eq!(queues.checksum(), crc32fast::hash(b"101301014992985"));
        queues.change(&change(Event::Delete, "D", 98, 5));
        assert_eq!(queues.checksum(), crc32fast::hash(b"101301014992"));
    }

    #[test]
    fn what_is_beyond_the_depth_is_forgotten_with_its_orders() {
        let mut queues = Queues::default();
        for ticks in 1..=4 {
            queues.change(&change(Event::Add, &format!("O{ticks}"), ticks, 1));
        }
        queues.trim(2);
        assert_eq!(queue(&queues).len(), 2);
        assert_eq!(queues.places.len(), 2);
        queues.change(&change(Event::Modify, "O1", 1, 1));
        assert_eq!(queue(&queues).len(), 3);
    }
}
