//! The fast engine: a rule, a market, a constant delay; no executor. `backtest/screen/callback.py` says the same for
//! strategies in Python.
//!
//! Times are the exchange's. A decision at `t` sees the market and the own orders as they were at `t`. What it asks for is
//! carried out two delays (there and back) and a turnaround later, one request after the other; its outcome is known to
//! decisions from then on.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

use super::quoter::{Quote, Quoter, Sight};
use super::{Market, stop};
use crate::engine::{Event, NewOrder, Reason, SelfTrade, TimeInForce};
use crate::errors::EngineError;
use crate::side::Side;

/// `executor/decide/planner.py` has the same figure.
const EXCESS_PERCENT: u128 = 5;

/// When decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Every so many ns.
    Every(i64),
    /// Whenever the touch changed, or an own order was filled.
    Touch,
}

/// How long news and requests travel each way, and how long a request takes inside the exchange, by kind; in ns.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    pub one_way: i64,
    pub submit: i64,
    pub amend: i64,
    pub cancel: i64,
}

/// A fill of an own order; `ahead` is what was before it when it came to rest, `ahead_at_fill` what still was at this
/// fill; None where that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    pub ts: i64,
    pub id: u64,
    pub side: Side,
    pub price: u64,
    pub qty: u64,
    pub ahead: Option<u64>,
    pub opened_ts: i64,
    pub ahead_at_fill: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub decisions: u64,
    pub submits: u64,
    pub amends: u64,
    pub cancels: u64,
    /// Submits and amends that post-only refused.
    pub refused: u64,
}

/// What a run leaves behind; `touches` are (ts, bid, ask) of a live book.
#[derive(Debug, Default)]
pub struct Outcome {
    pub fills: Vec<Fill>,
    pub touches: Vec<(i64, u64, u64)>,
    /// In the order in which they arrived.
    pub requests: Vec<Travelling>,
    pub counts: Counts,
    pub position: i64,
    pub end_ts: i64,
}

#[derive(Debug, Clone, Copy)]
pub enum Request {
    Submit { quote: Quote },
    Amend { price: u64, qty: u64 },
    Cancel,
}

/// A request and when it arrives.
#[derive(Debug, Clone, Copy)]
pub struct Travelling {
    pub at: i64,
    slot: usize,
    pub id: u64,
    pub request: Request,
}

/// A slot's last order; `busy_until` is when the outcome of its last request is known.
#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    id: u64,
    busy_until: i64,
    is_refused: bool,
}

/// An order's side, and where it stood when it came to rest.
#[derive(Debug, Clone, Copy)]
struct Opened {
    side: Side,
    ts: i64,
    ahead: Option<u64>,
}

pub struct Screen {
    quoter: Quoter,
    pace: Pace,
    delays: Delays,
    /// When the last request sent is carried out.
    worked: i64,
    slots: Vec<Slot>,
    travelling: VecDeque<Travelling>,
    /// By order id less one.
    opened: Vec<Opened>,
    quotes: Vec<Quote>,
    wanted: Vec<Option<Quote>>,
    touch: (Option<u64>, Option<u64>),
    outcome: Outcome,
}

impl Screen {
    pub fn new(quoter: Quoter, pace: Pace, delays: Delays) -> Self {
        let slots = quoter.slots();
        Self {
            quoter,
            pace,
            delays,
            worked: i64::MIN,
            slots: vec![Slot { busy_until: i64::MIN, ..Slot::default() }; slots],
            travelling: VecDeque::new(),
            opened: Vec::new(),
            quotes: Vec::new(),
            wanted: vec![None; slots],
            touch: (None, None),
            outcome: Outcome::default(),
        }
    }

    /// Plays a market of one symbol until `end`; orders that rest then stay.
    pub fn run(mut self, market: &mut Market, end: i64) -> Result<Outcome, EngineError> {
        let mut next_decision = match (self.pace, market.next_ts()) {
            (Pace::Every(period), Some(begin)) => begin + period,
            _ => i64::MAX,
        };
        loop {
            let arrival = self.travelling.front().map_or(i64::MAX, |request| request.at);
            let due = arrival.min(next_decision);
            let stopped = market.advance(due.min(end), stop::TOUCH | stop::MARK);
            if stopped.why != 0 {
                self.heed(market, stopped.why)?;
                continue;
            }
            if due > end {
                break;
            }
            if arrival == due {
                self.arrive(market)?;
            } else {
                self.decide(market)?;
                if let Pace::Every(period) = self.pace {
                    next_decision += period;
                }
            }
        }
        self.outcome.end_ts = end;
        Ok(self.outcome)
    }

    /// Books what the market did to us, and decides where every change is decided on.
    fn heed(&mut self, market: &mut Market, why: u32) -> Result<(), EngineError> {
        if why & stop::FILL != 0 {
            self.book_fills(market)?;
        }
        self.note_touch(market)?;
        if why & (stop::TOUCH | stop::MARK) != 0 {
            let mid = match self.touch {
                (Some(bid), Some(ask)) => Some((Side::Buy.rank(bid) + Side::Sell.rank(ask)) as f64 / 2.0),
                _ => None,
            };
            self.quoter.see(market.now(), mid);
        }
        if self.pace == Pace::Touch {
            self.decide(market)?;
        }
        Ok(())
    }

    fn book_fills(&mut self, market: &mut Market) -> Result<(), EngineError> {
        let ts = market.now();
        let book = market.book_mut(0)?;
        for (event, ahead_at_fill) in book.events.drain(..).zip(book.aheads.drain(..)) {
            let Event::Trade { maker: id, price, qty, .. } = event else { continue };
            let Opened { side, ts: opened_ts, ahead } = self.opened[id as usize - 1];
            let lots = i64::try_from(qty).unwrap_or(i64::MAX);
            self.outcome.position += if side == Side::Buy { lots } else { -lots };
            self.outcome.fills.push(Fill { ts, id, side, price, qty, ahead, opened_ts, ahead_at_fill });
        }
        Ok(())
    }

    /// Notes the touch if it is another; true if it is.
    fn note_touch(&mut self, market: &Market) -> Result<bool, EngineError> {
        let book = market.book(0)?;
        let touch = if book.is_live { book.touch() } else { (None, None) };
        if touch == self.touch {
            return Ok(false);
        }
        self.touch = touch;
        if let (Some(bid), Some(ask)) = touch {
            let (ts, bid, ask) = (market.now(), Side::Buy.rank(bid), Side::Sell.rank(ask));
            match self.outcome.touches.last_mut() {
                Some(last) if last.0 == ts => *last = (ts, bid, ask),
                _ => self.outcome.touches.push((ts, bid, ask)),
            }
        }
        Ok(true)
    }

    fn decide(&mut self, market: &Market) -> Result<(), EngineError> {
        self.outcome.counts.decisions += 1;
        let now = market.now();
        let sight = match self.touch {
            (Some(bid), Some(ask)) => {
                let (bid, ask) = (Side::Buy.rank(bid), Side::Sell.rank(ask));
                Some(Sight { bid, ask, position: self.outcome.position })
            }
            _ => None,
        };
        if market.book(0)?.is_live {
            self.quoter.wait(now);
            self.quoter.quotes(sight, &mut self.quotes);
        } else {
            // A book that cannot be trusted is not quoted on; the prices are kept for when it is live again.
            self.quotes.clear();
        }
        self.wanted.fill(None);
        for quote in &self.quotes {
            self.wanted[quote.slot] = Some(*quote);
        }
        let book = market.book(0)?;
        for slot in 0..self.slots.len() {
            let Slot { id, busy_until, is_refused } = self.slots[slot];
            if now < busy_until {
                continue;
            }
            let request = match (book.find(id), self.wanted[slot]) {
                (None, None) => continue,
                (None, Some(quote)) => Request::Submit { quote },
                (Some(_), None) => Request::Cancel,
                (Some(_), Some(_)) if is_refused => Request::Cancel,
                (Some(queued), Some(Quote { price, qty, .. })) => {
                    let order = &queued.order;
                    let qty = kept_qty(order.remaining, qty, price == order.price);
                    if (price, qty) == (order.price, order.remaining) {
                        continue;
                    }
                    Request::Amend { price, qty: order.filled + qty }
                }
            };
            self.send(now, slot, request);
        }
        Ok(())
    }

    fn send(&mut self, now: i64, slot: usize, request: Request) {
        let counts = &mut self.outcome.counts;
        let turnaround = match request {
            Request::Submit { quote } => {
                counts.submits += 1;
                self.opened.push(Opened { side: quote.side, ts: 0, ahead: None });
                self.slots[slot].id = self.opened.len() as u64;
                self.delays.submit
            }
            Request::Amend { .. } => {
                counts.amends += 1;
                self.delays.amend
            }
            Request::Cancel => {
                counts.cancels += 1;
                self.delays.cancel
            }
        };
        let at = self.worked.max(now + 2 * self.delays.one_way + turnaround);
        self.worked = at;
        let id = self.slots[slot].id;
        self.slots[slot].busy_until = at;
        self.travelling.push_back(Travelling { at, slot, id, request });
    }

    /// Carries out the request that arrives next.
    fn arrive(&mut self, market: &mut Market) -> Result<(), EngineError> {
        let Some(travelling) = self.travelling.pop_front() else { return Ok(()) };
        self.outcome.requests.push(travelling);
        let Travelling { at, slot, id, request } = travelling;
        let outcome = match request {
            Request::Submit { quote } => {
                let Quote { side, price, qty, .. } = quote;
                let (tif, stp) = (TimeInForce::Gtc, SelfTrade::Newest);
                let price = Some(price);
                market.submit(0, NewOrder { id, owner: 1, side, price, qty, tif, post_only: true, stp })?
            }
            Request::Amend { price, qty } => market.amend(0, id, Some(price), Some(qty), true)?,
            Request::Cancel => market.book_mut(0)?.cancel(id)?,
        };
        let is_refused = outcome.iter().any(|event| {
            matches!(
                event,
                Event::Cancel { reason: Reason::PostOnly, .. }
                    | Event::Refused { reason: Reason::PostOnly, .. }
            )
        });
        self.outcome.counts.refused += u64::from(is_refused);
        self.slots[slot].is_refused = is_refused;
        if let Some(queued) = market.book(0)?.find(id)
            && !is_refused
            && !matches!(request, Request::Cancel)
        {
            let opened = &mut self.opened[id as usize - 1];
            opened.ts = at;
            opened.ahead = queued.is_known.then_some(queued.ahead);
        }
        if self.note_touch(market)? && self.pace == Pace::Touch {
            self.decide(market)?;
        }
        Ok(())
    }
}

/// The quantity that an order is to have at the price that is wanted, by the executor's rule: a partial fill is not topped
/// up while half of it is left, and a few percent too much are not worth an amend.
fn kept_qty(remaining: u64, wanted: u64, is_same_price: bool) -> u64 {
    let (left, quote) = (u128::from(remaining), u128::from(wanted));
    if quote > 2 * left || 100 * left > (100 + EXCESS_PERCENT) * quote {
        return wanted;
    }
    if is_same_price { remaining } else { remaining.min(wanted) }
}
