//! The Python edge of the queue market.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::screen::{Delays, Pace};
use super::screen_python::{run, to_dict, to_quoter};
use super::taking::{check_id, queue};
use super::{Market, Model, Row};
use crate::errors::{EngineError as Fault, RowFault};
use crate::{EngineError, Whole, count, new_order, side_name, to_list, to_side};

const SYMBOLS_MAX: u64 = 1 << 16;
const POWER_MAX: f64 = 16.0;
/// No delay is longer than a minute.
const DELAY_MAX: i64 = 60_000_000_000;

#[pyclass(module = "rust_client")]
pub struct QueueMarket {
    market: Market,
}

type RowTuple = (i64, i64, u16, u8, u8, i64, i64, u8, u32);
type OrderTuple = (u32, &'static str, u64, u64, u64);

#[pymethods]
impl QueueMarket {
    #[new]
    #[pyo3(signature = (symbols, model="pro_rata", power=2.0))]
    fn new(symbols: Whole, model: &str, power: f64) -> PyResult<Self> {
        if !(1..=SYMBOLS_MAX).contains(&symbols.0) {
            return Err(Fault::OutOfRange.into());
        }
        Ok(Self { market: Market::new(symbols.0 as usize, to_model(model, power)?) })
    }

    #[pyo3(signature = (exchange_ts, heard_ts, symbol, kind, side, ticks, lots, flags, orders=None))]
    #[allow(clippy::too_many_arguments)]
    fn load(
        &mut self,
        exchange_ts: &Bound<'_, PyAny>,
        heard_ts: &Bound<'_, PyAny>,
        symbol: &Bound<'_, PyAny>,
        kind: &Bound<'_, PyAny>,
        side: &Bound<'_, PyAny>,
        ticks: &Bound<'_, PyAny>,
        lots: &Bound<'_, PyAny>,
        flags: &Bound<'_, PyAny>,
        orders: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (exchange_ts, heard_ts) = (integers(exchange_ts)?, integers(heard_ts)?);
        let (ticks, lots) = (integers(ticks)?, integers(lots)?);
        let symbol = values(symbol, u16::from_ne_bytes)?;
        let (kind, side, flags) = (octets(kind)?, octets(side)?, octets(flags)?);
        let orders = orders.map(|column| values(column, u32::from_ne_bytes)).transpose()?;
        let length = exchange_ts.len();
        let lengths =
            [heard_ts.len(), symbol.len(), kind.len(), side.len(), ticks.len(), lots.len(), flags.len()];
        let has_orders = orders.as_ref().is_none_or(|column| column.len() == length);
        if !has_orders || lengths.iter().any(|other| *other != length) {
            return Err(Fault::Row(RowFault::Ragged).into());
        }
        let rows = (0..length).map(|at| Row {
            exchange_ts: exchange_ts[at],
            heard_ts: heard_ts[at],
            ticks: ticks[at],
            lots: lots[at],
            order: orders.as_ref().map_or(0, |column| column[at]),
            symbol: symbol[at],
            kind: kind[at],
            side: side[at],
            flags: flags[at],
        });
        Ok(self.market.load(rows).map_err(Fault::Row)?)
    }

    #[pyo3(signature = (model="pro_rata", power=2.0))]
    fn again(&self, model: &str, power: f64) -> PyResult<Self> {
        let market = self.market.again(to_model(model, power)?).ok_or(Fault::OutOfRange)?;
        Ok(Self { market })
    }

    #[pyo3(signature = (symbol, depth, order_depth=Whole(0)))]
    fn set_depth(&mut self, symbol: Whole, depth: Whole, order_depth: Whole) -> PyResult<()> {
        self.market.book_mut(index(&symbol))?.depths = [index(&depth), index(&order_depth)];
        Ok(())
    }

    fn advance(&mut self, until_ns: i64, stop: u32) -> (u32, u16, usize, usize) {
        let stopped = self.market.advance(until_ns, stop);
        (stopped.why, stopped.symbol, stopped.start, stopped.end)
    }

    fn next_ts(&self) -> Option<i64> {
        self.market.next_ts()
    }

    fn now(&self) -> i64 {
        self.market.now()
    }

    fn row(&self, index: Whole) -> PyResult<RowTuple> {
        let row = self.market.row(self::index(&index)).ok_or(Fault::OutOfRange)?;
        let Row { exchange_ts, heard_ts, ticks, lots, order, symbol, kind, side, flags } = *row;
        Ok((exchange_ts, heard_ts, symbol, kind, side, ticks, lots, flags, order))
    }

    fn take_events<'py>(&mut self, py: Python<'py>, symbol: Whole) -> PyResult<Bound<'py, PyList>> {
        let book = self.market.book_mut(index(&symbol))?;
        let list = to_list(py, &book.events)?;
        book.events.clear();
        book.aheads.clear();
        Ok(list)
    }

    fn fills_ahead(&self, symbol: Whole) -> PyResult<Vec<Option<u64>>> {
        Ok(self.market.book(index(&symbol))?.aheads.clone())
    }

    #[pyo3(signature = (symbol, order_id, owner, side, price, qty, tif="gtc", post_only=false, stp="cancel_newest"))]
    #[allow(clippy::too_many_arguments)]
    fn submit<'py>(
        &mut self,
        py: Python<'py>,
        symbol: Whole,
        order_id: Whole,
        owner: Whole,
        side: &str,
        price: Option<Whole>,
        qty: Whole,
        tif: &str,
        post_only: bool,
        stp: &str,
    ) -> PyResult<Bound<'py, PyList>> {
        let order = new_order(order_id, owner, side, price, qty, tif, post_only, stp)?;
        to_list(py, self.market.submit(index(&symbol), order)?)
    }

    #[pyo3(signature = (symbol, order_id, price, qty, post_only=false))]
    fn amend<'py>(
        &mut self,
        py: Python<'py>,
        symbol: Whole,
        order_id: Whole,
        price: Option<Whole>,
        qty: Option<Whole>,
        post_only: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let (price, qty) = (price.map(|price| price.0), qty.map(|qty| qty.0));
        to_list(py, self.market.amend(index(&symbol), order_id.0, price, qty, post_only)?)
    }

    fn cancel<'py>(
        &mut self,
        py: Python<'py>,
        symbol: Whole,
        order_id: Whole,
    ) -> PyResult<Bound<'py, PyList>> {
        to_list(py, self.market.book_mut(index(&symbol))?.cancel(order_id.0)?)
    }

    fn order(&self, symbol: Whole, order_id: Whole) -> PyResult<Option<OrderTuple>> {
        check_id(order_id.0)?;
        let queued = self.market.book(index(&symbol))?.find(order_id.0);
        Ok(queued.map(|queued| {
            let order = &queued.order;
            (order.owner, side_name(order.side), order.price, order.remaining, order.filled)
        }))
    }

    fn place(&self, symbol: Whole, order_id: Whole) -> PyResult<Option<(u64, bool)>> {
        check_id(order_id.0)?;
        let queued = self.market.book(index(&symbol))?.find(order_id.0);
        Ok(queued.map(|queued| (queued.ahead, queued.is_known)))
    }

    fn count(&self, symbol: Whole) -> PyResult<usize> {
        Ok(self.market.book(index(&symbol))?.count())
    }

    fn levels(&self, symbol: Whole, side: &str, n: i64) -> PyResult<Vec<(u64, u128)>> {
        Ok(self.market.book(index(&symbol))?.levels(to_side(side)?, count(n)))
    }

    fn best(&self, symbol: Whole, side: &str) -> PyResult<Option<(u64, u128)>> {
        Ok(self.market.book(index(&symbol))?.levels(to_side(side)?, 1).pop())
    }

    fn queue(&self, symbol: Whole, side: &str, price: Whole) -> PyResult<Vec<u64>> {
        Ok(queue(self.market.book(index(&symbol))?, to_side(side)?, price.0))
    }

    fn is_live(&self, symbol: Whole) -> PyResult<bool> {
        Ok(self.market.book(index(&symbol))?.is_live)
    }

    fn stats<'py>(&self, py: Python<'py>, symbol: Whole) -> PyResult<Bound<'py, PyDict>> {
        let stats = &self.market.book(index(&symbol))?.stats;
        let dict = PyDict::new(py);
        dict.set_item("fills", stats.fills)?;
        dict.set_item("fill_lots", stats.fill_lots)?;
        dict.set_item("outside_fills", stats.outside_fills)?;
        dict.set_item("crossed_fills", stats.crossed_fills)?;
        dict.set_item("through_fills", stats.through_fills)?;
        dict.set_item("traded_lots", stats.traded_lots)?;
        dict.set_item("own_taken_lots", stats.own_taken_lots)?;
        Ok(dict)
    }

    #[pyo3(signature = (rule, every_ns, delays_ns, end_ts))]
    fn screen<'py>(
        &mut self,
        py: Python<'py>,
        rule: &Bound<'py, PyAny>,
        every_ns: Option<i64>,
        delays_ns: [i64; 4],
        end_ts: i64,
    ) -> PyResult<Bound<'py, PyDict>> {
        if delays_ns.iter().any(|delay| !(0..=DELAY_MAX).contains(delay))
            || every_ns.is_some_and(|every| every <= 0)
        {
            return Err(Fault::OutOfRange.into());
        }
        let pace = every_ns.map_or(Pace::Touch, Pace::Every);
        let [one_way, submit, amend, cancel] = delays_ns;
        let delays = Delays { one_way, submit, amend, cancel };
        let outcome = run(py, &mut self.market, to_quoter(rule)?, pace, delays, end_ts)?;
        to_dict(py, &outcome)
    }
}

fn to_model(name: &str, power: f64) -> PyResult<Model> {
    if !(power > 0.0 && power <= POWER_MAX) {
        return Err(EngineError::new_err(format!("a power is above 0 and at most {POWER_MAX}")));
    }
    match name {
        "front" => Ok(Model::Front),
        "pro_rata" => Ok(Model::ProRata),
        "power" => Ok(Model::Power(power)),
        "log" => Ok(Model::Log),
        "back" => Ok(Model::Back),
        _ => Err(EngineError::new_err(format!("{name:?} is no queue model"))),
    }
}

/// An index; one that no usize holds is beyond every list.
fn index(value: &Whole) -> usize {
    usize::try_from(value.0).unwrap_or(usize::MAX)
}

fn integers(column: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    values(column, i64::from_ne_bytes)
}

fn octets(column: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let view = column.py().import("builtins")?.getattr("memoryview")?.call1((column,))?;
    PyBuffer::<u8>::get(&view.call_method1("cast", ("B",))?)?.to_vec(column.py())
}

fn values<T, const SIZE: usize>(column: &Bound<'_, PyAny>, value: fn([u8; SIZE]) -> T) -> PyResult<Vec<T>> {
    let bytes = octets(column)?;
    let (chunks, rest) = bytes.as_chunks::<SIZE>();
    if !rest.is_empty() {
        return Err(Fault::Row(RowFault::Ragged).into());
    }
    Ok(chunks.iter().map(|chunk| value(*chunk)).collect())
}
