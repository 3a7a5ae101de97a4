//! Frames of single orders as rows of columns, each checksum verified on the way; `OrderRows` of
//! `backtest/data/order_rows.py` is the Python twin.

#![forbid(unsafe_code)]

mod queues;
mod scan;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::columns::{BUY, DAY_NS, FIRST, LAST, MARK_CHECKSUM, SELL, signed, wide};
use crate::side::Side;
use queues::{Change, Event, Queues};
use scan::Pair;

// The numbers of `backtest/data/columns.py`.
const SNAPSHOT: u8 = 3;
const MARK: u8 = 4;
/// Kraken's depths of a subscription.
const DEPTHS: [usize; 3] = [10, 100, 1000];

/// Rows by column, in the order of the schema; ids end where `id_ends` says.
#[derive(Debug, Default)]
struct Rows {
    exchange_ts: Vec<i64>,
    heard_ts: Vec<i64>,
    event: Vec<u8>,
    id_ends: Vec<i32>,
    ids: Vec<u8>,
    side: Vec<u8>,
    ticks: Vec<i64>,
    lots: Vec<i64>,
    order_ts: Vec<i64>,
    flags: Vec<u8>,
}

/// An order as a row states it.
struct Stated<'a> {
    event: u8,
    id: &'a str,
    side: Side,
    ticks: u64,
    lots: u64,
    order_ts: u64,
}

impl Rows {
    fn add(&mut self, at: i64, heard: i64, order: &Stated, flags: u8) {
        self.exchange_ts.push(at);
        self.heard_ts.push(heard);
        self.event.push(order.event);
        self.ids.extend_from_slice(order.id.as_bytes());
        self.id_ends.push(i32::try_from(self.ids.len()).unwrap_or(i32::MAX));
        self.side.push(if order.side == Side::Buy { BUY } else { SELL });
        self.ticks.push(signed(order.ticks));
        self.lots.push(signed(order.lots));
        self.order_ts.push(signed(order.order_ts));
        self.flags.push(flags);
    }

    /// Adds the rows of one message.
    fn add_message<'a>(
        &mut self,
        at: i64,
        heard: i64,
        snapshot: bool,
        orders: impl Iterator<Item = Stated<'a>>,
    ) {
        let from = self.flags.len();
        for order in orders {
            let first = if snapshot && self.flags.len() == from { FIRST } else { 0 };
            self.add(at, heard, &order, first);
        }
        if snapshot && self.flags.len() == from {
            // An empty book, too, empties the one before.
            self.add(at, heard, &NOTHING, FIRST);
        }
        if let Some(last) = self.flags[from..].last_mut() {
            *last |= LAST;
        }
    }
}

const NOTHING: Stated = Stated { event: SNAPSHOT, id: "", side: Side::Buy, ticks: 0, lots: 0, order_ts: 0 };

/// One pair's frames of single orders as rows; see `rust_client.pyi` for what each method promises.
#[pyclass(module = "rust_client")]
pub struct OrderReader {
    queues: Queues,
    symbol: String,
    price_precision: u32,
    qty_precision: u32,
    depth: usize,
    /// That of the last snapshot.
    followed: usize,
    synced: bool,
    checksums_ok: u64,
    checksums_failed: u64,
    last: i64,
    rows: Rows,
}

/// A change as Python hands it over: event, whether it is a bid, id, ticks, lots, time of the order.
type Given = (u8, bool, String, u64, u64, u64);

#[pymethods]
impl OrderReader {
    #[new]
    fn new(symbol: String, price_precision: u32, qty_precision: u32) -> Self {
        Self {
            queues: Queues::default(),
            symbol,
            price_precision,
            qty_precision,
            depth: 0,
            followed: 0,
            synced: false,
            checksums_ok: 0,
            checksums_failed: 0,
            last: 0,
            rows: Rows::default(),
        }
    }

    #[getter]
    fn depth(&self) -> usize {
        self.depth
    }

    #[getter]
    fn synced(&self) -> bool {
        self.synced
    }

    #[getter]
    fn checksums(&self) -> (u64, u64) {
        (self.checksums_ok, self.checksums_failed)
    }

    fn feed(&mut self, frame: &[u8], heard_ts: i64) -> bool {
        let pair = Pair {
            symbol: &self.symbol,
            price_precision: self.price_precision,
            qty_precision: self.qty_precision,
        };
        let Some(frame) = scan::frame(frame, pair) else {
            return false;
        };
        for message in &frame.messages {
            let changes = &frame.rows[message.from..message.to];
            self.message(frame.snapshot, changes, message.checksum, signed(message.exchange_ts), heard_ts);
        }
        true
    }

    fn take_message(
        &mut self,
        snapshot: bool,
        changes: Vec<Given>,
        checksum: i64,
        exchange_ts: i64,
        heard_ts: i64,
    ) {
        let changes: Vec<Change> = changes
            .iter()
            .map(|(event, is_bid, id, ticks, lots, order_ts)| Change {
                event: match event {
                    0 => Event::Add,
                    1 => Event::Modify,
                    _ => Event::Delete,
                },
                side: if *is_bid { Side::Buy } else { Side::Sell },
                id,
                ticks: *ticks,
                lots: *lots,
                order_ts: *order_ts,
            })
            .collect();
        self.message(snapshot, &changes, checksum, exchange_ts, heard_ts);
    }

    fn mark(&mut self, why: i64, heard_ts: i64) {
        if self.synced {
            self.add_mark(why, heard_ts);
        }
        self.queues.clear();
        self.synced = false;
    }

    fn take<'py>(&mut self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let rows = std::mem::take(&mut self.rows);
        let ends: Vec<u8> = [0].iter().chain(&rows.id_ends).flat_map(|end: &i32| end.to_le_bytes()).collect();
        vec![
            wide(py, &rows.exchange_ts),
            wide(py, &rows.heard_ts),
            PyBytes::new(py, &rows.event),
            PyBytes::new(py, &ends),
            PyBytes::new(py, &rows.ids),
            PyBytes::new(py, &rows.side),
            wide(py, &rows.ticks),
            wide(py, &rows.lots),
            wide(py, &rows.order_ts),
            PyBytes::new(py, &rows.flags),
        ]
    }
}

impl OrderReader {
    fn message(&mut self, snapshot: bool, changes: &[Change], checksum: i64, stated: i64, heard: i64) {
        if snapshot {
            self.fit(changes);
        }
        let was_synced = self.synced;
        let at = (if stated == 0 { heard } else { stated }).max(self.last);
        if was_synced {
            self.pass_midnight(at, heard);
        }
        self.last = at;
        if !snapshot && !was_synced {
            return;
        }
        if snapshot {
            self.queues.clear();
        }
        for change in changes {
            self.queues.change(change);
        }
        self.queues.trim(self.followed);
        self.synced = i64::from(self.queues.checksum()) == checksum;
        if !self.synced {
            self.checksums_failed += 1;
            self.queues.clear();
            if was_synced {
                self.add_mark(MARK_CHECKSUM, heard);
            }
            return;
        }
        self.checksums_ok += 1;
        let heard = if heard == 0 { at } else { heard };
        let orders = changes.iter().map(|change| Stated {
            event: if snapshot { SNAPSHOT } else { change.event as u8 },
            id: change.id,
            side: change.side,
            ticks: change.ticks,
            lots: change.lots,
            order_ts: change.order_ts,
        });
        self.rows.add_message(at, heard, snapshot, orders);
    }

    /// Follows as many levels as the subscription that a snapshot is of.
    fn fit(&mut self, changes: &[Change]) {
        let levels = |side| {
            let mut prices: Vec<u64> =
                changes.iter().filter(|change| change.side == side).map(|change| change.ticks).collect();
            prices.sort_unstable();
            prices.dedup();
            prices.len()
        };
        let longest = levels(Side::Buy).max(levels(Side::Sell));
        let holds = DEPTHS.into_iter().find(|depth| *depth >= longest);
        self.followed = holds.unwrap_or(DEPTHS[DEPTHS.len() - 1]);
        self.depth = self.depth.max(self.followed);
    }

    fn pass_midnight(&mut self, at: i64, heard: i64) {
        let midnight = at - at % DAY_NS;
        if self.last == 0 || self.last >= midnight {
            return;
        }
        let lag = if heard == 0 { 0 } else { (heard - at).max(0) };
        let queues = &self.queues;
        let side = |side| {
            queues.best(side, self.followed).flat_map(move |(ticks, orders)| {
                orders.iter().map(move |order| Stated {
                    event: SNAPSHOT,
                    id: &order.id,
                    side,
                    ticks,
                    lots: order.lots,
                    order_ts: order.order_ts,
                })
            })
        };
        let orders = side(Side::Buy).chain(side(Side::Sell));
        self.rows.add_message(midnight, midnight + lag, true, orders);
    }

    fn add_mark(&mut self, why: i64, heard: i64) {
        let heard = if heard == 0 { self.last } else { heard };
        let lots = u64::try_from(why).unwrap_or(0);
        let mark = Stated { event: MARK, id: "", side: Side::Buy, ticks: 0, lots, order_ts: 0 };
        self.rows.add(self.last, heard, &mark, LAST);
    }
}
