//! The single orders of one side of the record in their queues, where it has them.

#![forbid(unsafe_code)]

use std::collections::HashMap;

/// An order of the record: what the record says it has, and what is left of that after the trades since.
#[derive(Debug, Clone, Copy)]
struct RecordedOrder {
    number: u32,
    lots: u64,
    left: u64,
    /// What own orders took of it.
    taken: u64,
    /// How many orders had come to the side's queues before it.
    place: u64,
}

impl RecordedOrder {
    fn visible(&self) -> u64 {
        self.left - self.taken
    }
}

/// What a level has together, after a change of its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    pub rank: u64,
    pub lots: u64,
    pub taken: u64,
    /// True if no order is left, and the level is gone.
    pub is_empty: bool,
}

/// A side's queues by rank, each with the next to trade first.
#[derive(Default)]
pub struct Queues {
    by_rank: HashMap<u64, Vec<RecordedOrder>>,
    ranks: HashMap<u32, u64>,
    /// Orders of which the record shows nothing at the moment, with rank and place: they may come back to it.
    hidden: HashMap<u32, (u64, u64)>,
    arrivals: u64,
}

impl Queues {
    /// How many orders came to the back of a queue so far.
    pub fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Sets what the record has of an order, 0 removes it; returns the levels that changed, at most two.
    ///
    /// Less than before at its rank keeps its place, all else goes to the back.
    pub fn set(&mut self, number: u32, rank: u64, lots: u64) -> [Option<Sums>; 2] {
        let old_rank = self.ranks.get(&number).copied();
        if old_rank == Some(rank)
            && lots > 0
            && let Some(order) = self.by_rank.get_mut(&rank).and_then(|queue| find(queue, number))
            && lots <= order.lots
        {
            order.lots = lots;
            order.left = order.left.min(lots);
            order.taken = order.taken.min(order.left);
            return [Some(self.sums(rank)), None];
        }
        let removed = old_rank.map(|old_rank| {
            self.ranks.remove(&number);
            if let Some(queue) = self.by_rank.get_mut(&old_rank) {
                queue.retain(|order| order.number != number);
                if queue.is_empty() {
                    self.by_rank.remove(&old_rank);
                }
            }
            self.sums(old_rank)
        });
        if lots == 0 {
            return [removed, None];
        }
        let place = self.place(number, rank);
        let order = RecordedOrder { number, lots, left: lots, taken: 0, place };
        self.by_rank.entry(rank).or_default().push(order);
        self.ranks.insert(number, rank);
        [removed, Some(self.sums(rank))]
    }

    /// Lets a recorded trade eat from the front; None where there is no queue.
    pub fn trade(&mut self, rank: u64, mut lots: u64) -> Option<Sums> {
        for order in self.by_rank.get_mut(&rank)? {
            let part = lots.min(order.left);
            order.left -= part;
            order.taken = order.taken.min(order.left);
            lots -= part;
            if lots == 0 {
                break;
            }
        }
        Some(self.sums(rank))
    }

    /// Lets an own order take from the front.
    pub fn take(&mut self, rank: u64, mut qty: u64) {
        for order in self.by_rank.get_mut(&rank).into_iter().flatten() {
            let part = qty.min(order.visible());
            order.taken += part;
            qty -= part;
            if qty == 0 {
                break;
            }
        }
    }

    /// What is left at a rank of the orders that came before a place.
    pub fn visible_before(&self, rank: u64, place: u64) -> u64 {
        let queue = self.by_rank.get(&rank).into_iter().flatten();
        queue
            .filter(|order| order.place < place)
            .fold(0, |sum: u64, order| sum.saturating_add(order.visible()))
    }

    /// Hides the orders of a level.
    pub fn hide(&mut self, rank: u64) {
        for order in self.by_rank.remove(&rank).into_iter().flatten() {
            self.ranks.remove(&order.number);
            self.hidden.insert(order.number, (rank, order.place));
        }
    }

    pub fn hide_all(&mut self) {
        let ranks: Vec<u64> = self.by_rank.keys().copied().collect();
        for rank in ranks {
            self.hide(rank);
        }
    }

    /// Forgets hidden orders but those of these ranks.
    pub fn forget_hidden(&mut self, keeps: impl Fn(u64) -> bool) {
        if !self.hidden.is_empty() {
            self.hidden.retain(|_, (rank, _)| keeps(*rank));
        }
    }

    /// The place of an order that comes: the one it had before it was hidden, or the last.
    fn place(&mut self, number: u32, rank: u64) -> u64 {
        match self.hidden.remove(&number) {
            Some((hidden_rank, place)) if hidden_rank == rank => place,
            _ => {
                self.arrivals += 1;
                self.arrivals - 1
            }
        }
    }

    fn sums(&self, rank: u64) -> Sums {
        let queue = self.by_rank.get(&rank);
        let mut sums = Sums { rank, lots: 0, taken: 0, is_empty: queue.is_none() };
        for order in queue.into_iter().flatten() {
            sums.lots = sums.lots.saturating_add(order.left);
            sums.taken = sums.taken.saturating_add(order.taken);
        }
        sums
    }
}

fn find(queue: &mut [RecordedOrder], number: u32) -> Option<&mut RecordedOrder> {
    queue.iter_mut().find(|order| order.number == number)
}
