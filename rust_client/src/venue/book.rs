//! One pair's recorded book with our own orders in its queues: what the record does to them.

#![forbid(unsafe_code)]

use super::ladder::Ladder;
use super::model::Model;
use super::own::{OwnSide, Queued};
use super::queues::Queues;
use super::rows::{Kind, Row};
use crate::engine::Event;
use crate::side::Side;

/// The first id of a recorded taker or maker in events; own ids are below.
pub const RECORDED_IDS_FROM: u64 = 1 << 40;

/// Counts of fills of resting own orders against the record, and quantities in lots.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    pub fills: u64,
    pub fill_lots: u128,
    pub outside_fills: u64,
    pub crossed_fills: u64,
    pub through_fills: u64,
    pub traded_lots: u128,
    pub own_taken_lots: u128,
}

/// A side: what the record has by price, its single orders where it has them, and our own orders.
#[derive(Default)]
pub struct Half {
    pub recorded: Ladder,
    pub queues: Queues,
    pub own: OwnSide,
}

impl Half {
    /// Sets a single order; own orders at its prices know what is before them now.
    fn set_order(&mut self, number: u32, rank: u64, lots: u64) {
        for sums in self.queues.set(number, rank, lots).into_iter().flatten() {
            self.recorded.sum(&sums);
            self.count_ahead(sums.rank);
        }
    }

    fn count_ahead(&mut self, rank: u64) {
        for order in self.own.at_mut(rank).filter(|order| order.is_known) {
            order.ahead = self.queues.visible_before(rank, order.place);
        }
    }
}

pub struct Book {
    /// The levels a side that the record follows: of levels, and of single orders.
    pub depths: [usize; 2],
    pub is_live: bool,
    /// True if the record has single orders, from the last snapshot on.
    is_by_order: bool,
    pub stats: Stats,
    /// Trades of resting own orders with the record that nobody has taken yet.
    pub events: Vec<Event>,
    /// What was still ahead of the order of each event; None where its place was not known.
    pub aheads: Vec<Option<u64>>,
    pub(super) model: Model,
    pub(super) halves: [Half; 2],
    /// What the last operation did.
    pub(super) outcome: Vec<Event>,
}

/// Gives the recorded side of a trade its id; all pairs of a market share one.
#[derive(Debug)]
pub struct RecordedIds(u64);

impl Default for RecordedIds {
    fn default() -> Self {
        Self(RECORDED_IDS_FROM)
    }
}

impl RecordedIds {
    pub fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0 - 1
    }
}

impl Book {
    pub fn new(model: Model) -> Self {
        Self {
            depths: [0, 0],
            is_live: false,
            is_by_order: false,
            stats: Stats::default(),
            events: Vec::new(),
            aheads: Vec::new(),
            model,
            halves: [Half::default(), Half::default()],
            outcome: Vec::new(),
        }
    }

    /// The levels a side that the record follows now; 0 is all.
    pub fn depth(&self) -> usize {
        self.depths[usize::from(self.is_by_order)]
    }

    pub fn half(&self, side: Side) -> &Half {
        &self.halves[side as usize]
    }

    pub fn half_mut(&mut self, side: Side) -> &mut Half {
        &mut self.halves[side as usize]
    }

    /// Takes one row, all but its effect at the end of its message.
    pub fn play(&mut self, row: &Row, ids: &mut RecordedIds) {
        let side = row.side();
        match row.kind() {
            Kind::Mark => self.is_live = false,
            Kind::Trade => {
                self.stats.traded_lots += u128::from(row.lots());
                if self.is_live {
                    self.trade(side.opposite(), row.ticks(), row.lots(), ids);
                }
            }
            Kind::Snapshot => {
                if row.is_first() {
                    self.begin_snapshot(false);
                }
                if !self.is_by_order {
                    self.half_mut(side).recorded.set(side.rank(row.ticks()), row.lots());
                }
            }
            Kind::Level => {
                if self.is_live && !self.is_by_order {
                    self.change_level(side, side.rank(row.ticks()), row.lots());
                }
            }
            Kind::OrderSnapshot => {
                if row.is_first() {
                    self.begin_snapshot(true);
                }
                if self.is_by_order {
                    self.half_mut(side).set_order(row.order, side.rank(row.ticks()), row.lots());
                }
            }
            Kind::Order => {
                if self.is_live && self.is_by_order {
                    self.half_mut(side).set_order(row.order, side.rank(row.ticks()), row.lots());
                }
            }
        }
    }

    fn begin_snapshot(&mut self, is_by_order: bool) {
        for half in &mut self.halves {
            half.recorded.clear();
            half.queues.hide_all();
            if is_by_order && !self.is_by_order {
                // Where they stand among the single orders is not known.
                half.own.iter_mut().for_each(|order| order.is_known = false);
            }
        }
        (self.is_live, self.is_by_order) = (true, is_by_order);
    }

    /// Trims the sides to the depth, settles places at prices that the record shows, fills what it crosses.
    pub fn end_book_message(&mut self, ids: &mut RecordedIds) {
        if !self.is_live {
            return;
        }
        let depth = self.depth();
        for half in &mut self.halves {
            let Half { recorded, queues, own } = half;
            recorded.trim(depth, |rank| queues.hide(rank));
            for order in own.iter_mut() {
                // A known place that has nothing ahead stays as it is.
                if (order.ahead > 0 || !order.is_known) && recorded.shows(order.rank, depth) {
                    let lots = recorded.get(order.rank).map_or(0, |level| level.lots);
                    if !order.is_known {
                        (order.ahead, order.place, order.is_known) = (lots, queues.arrivals(), true);
                    }
                    order.ahead = order.ahead.min(lots);
                }
            }
            queues.forget_hidden(|rank| own.at(rank).next().is_some() && !recorded.shows(rank, depth));
        }
        for side in [Side::Buy, Side::Sell] {
            self.cross(side, ids);
        }
    }

    /// The ranks of the best prices, bid and ask, own orders included; the worst rank where a side is empty.
    pub fn touch(&self) -> (Option<u64>, Option<u64>) {
        (self.best_rank(Side::Buy), self.best_rank(Side::Sell))
    }

    pub fn best_rank(&self, side: Side) -> Option<u64> {
        let half = self.half(side);
        better(half.recorded.best().map(|level| level.rank), half.own.best_rank())
    }

    /// The best `n` levels as (price, total quantity): what is visible of the record, and our own.
    pub fn levels(&self, side: Side, n: usize) -> Vec<(u64, u128)> {
        let half = self.half(side);
        let mut recorded = half.recorded.iter().filter(|level| level.visible() > 0).peekable();
        let mut own = half.own.iter().peekable();
        let mut levels = Vec::new();
        while levels.len() < n {
            let ranks = (recorded.peek().map(|level| level.rank), own.peek().map(|order| order.rank));
            let Some(rank) = better(ranks.0, ranks.1) else {
                break;
            };
            let mut total =
                recorded.next_if(|level| level.rank == rank).map_or(0, |level| level.visible().into());
            while let Some(order) = own.next_if(|order| order.rank == rank) {
                total += u128::from(order.order.remaining);
            }
            levels.push((side.rank(rank), total));
        }
        levels
    }

    /// Trades a recorded taker's `lots` with own orders of `side` that it would have met.
    fn trade(&mut self, side: Side, price: u64, lots: u64, ids: &mut RecordedIds) {
        let Self { halves, stats, events, aheads, model, is_by_order, .. } = self;
        let half = &mut halves[side as usize];
        let rank = side.rank(price);
        let by_order = if *is_by_order { half.queues.trade(rank, lots) } else { None };
        let Half { recorded, own, .. } = half;
        if let Some(sums) = by_order {
            recorded.sum(&sums);
        } else if let Some(level) = recorded.get_mut(rank) {
            level.lots = level.lots.saturating_sub(lots);
        }
        let left_at_level = recorded.get(rank).map(|level| level.lots);
        if own.best_rank().is_none_or(|best| best > rank) {
            return;
        }
        let mut taker = None;
        let mut note = |order: &mut Queued, qty: u64, taker_remaining: u64, ahead: u64| {
            let taker = *taker.get_or_insert_with(|| ids.next());
            aheads.push(order.is_known.then_some(ahead));
            fill(order, taker, qty, taker_remaining, stats, events);
        };
        let (mut left, mut through) = (lots, 0);
        for order in own.iter_mut().take_while(|order| order.rank < rank) {
            if left == 0 {
                break;
            }
            let qty = order.order.remaining.min(left);
            left -= qty;
            through += 1;
            note(order, qty, left, order.ahead);
        }
        let (reached, mut own_lots, mut foremost) = (left, 0, 0);
        for order in own.at_mut(rank) {
            if order.is_known || *model == Model::Front {
                foremost = order.ahead.max(foremost);
                let left = reached.saturating_sub(foremost).saturating_sub(own_lots);
                let qty = order.order.remaining.min(left);
                if qty > 0 {
                    own_lots += qty;
                    note(order, qty, left - qty, 0);
                }
            }
            order.ahead = order.ahead.saturating_sub(reached).min(left_at_level.unwrap_or(u64::MAX));
        }
        stats.through_fills += through;
        if by_order.is_some() {
            half.count_ahead(rank);
        }
        half.own.remove_filled();
    }

    /// Sets a level; of what left it without a trade, own orders move up by their share.
    fn change_level(&mut self, side: Side, rank: u64, lots: u64) {
        let model = self.model;
        let Half { recorded, own, .. } = self.half_mut(side);
        let before = recorded.set(rank, lots);
        if lots >= before {
            return;
        }
        let mut foremost = 0;
        for order in own.at_mut(rank).filter(|order| order.is_known) {
            let ahead = order.ahead.min(before);
            let left = ahead - model.cancelled_ahead(ahead, before, before - lots);
            // Never ahead of an own order that is before it.
            foremost = left.min(lots).max(foremost);
            order.ahead = foremost;
        }
    }

    /// Fills own orders of `side` that the record's other side reaches, at their own prices.
    fn cross(&mut self, side: Side, ids: &mut RecordedIds) {
        let Self { halves, stats, events, aheads, .. } = self;
        let [bids, asks] = halves;
        let (own, other) = match side {
            Side::Buy => (&mut bids.own, asks),
            Side::Sell => (&mut asks.own, bids),
        };
        let Half { recorded, queues, .. } = other;
        let before = stats.crossed_fills;
        'orders: for order in own.iter_mut() {
            let limit = side.opposite().rank(order.order.price);
            while order.order.remaining > 0 {
                let Some(level) = recorded.best_mut().filter(|level| level.rank <= limit) else {
                    break 'orders;
                };
                let qty = order.order.remaining.min(level.visible());
                level.taken += qty;
                queues.take(level.rank, qty);
                stats.crossed_fills += 1;
                aheads.push(order.is_known.then_some(order.ahead));
                fill(order, ids.next(), qty, level.visible(), stats, events);
            }
        }
        if stats.crossed_fills > before {
            own.remove_filled();
        }
    }
}

/// The better of two ranks, where there are any.
fn better(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn fill(
    order: &mut Queued,
    taker: u64,
    qty: u64,
    taker_remaining: u64,
    stats: &mut Stats,
    events: &mut Vec<Event>,
) {
    order.fill(qty);
    stats.fills += 1;
    stats.fill_lots += u128::from(qty);
    stats.outside_fills += u64::from(!order.is_known);
    let Queued { order, .. } = order;
    let maker_remaining = order.remaining;
    events.push(Event::Trade {
        taker,
        maker: order.id,
        price: order.price,
        qty,
        taker_remaining,
        maker_remaining,
    });
}
