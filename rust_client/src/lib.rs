//! The Python edge: arguments in, results and named errors out, and nothing else.

mod batch;
mod book;
mod bus;
mod checksum;
mod columns;
mod engine;
mod errors;
mod json;
mod numbers;
mod orders;
mod scan;
mod side;
mod venue;

use pyo3::create_exception;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use book::Book;
use bus::book::{Header, book_message};
use engine::{Engine, Event, NewOrder, Reason, SelfTrade, TimeInForce};
use errors::BookError;
use side::Side;

create_exception!(rust_client, FrameError, PyValueError, "Bytes that are no sound book frame of this pair.");
create_exception!(rust_client, WrongSymbolError, PyValueError, "A sound book frame of other symbols only.");
create_exception!(rust_client, EngineError, PyValueError, "An order or a call that the engine cannot take.");

/// As a precision: whatever the wire prints.
const WIRE: i64 = -1;
/// Frames longer than this are worth letting other Python threads run meanwhile: snapshots of deep books.
const LONG_FRAME: usize = 8 * 1024;

impl From<BookError> for PyErr {
    fn from(error: BookError) -> Self {
        let text = error.to_string();
        match error {
            BookError::Frame(_) => FrameError::new_err(text),
            BookError::WrongSymbol(_) => WrongSymbolError::new_err(text),
            BookError::Call(_) => PyValueError::new_err(text),
        }
    }
}

impl From<errors::EngineError> for PyErr {
    fn from(error: errors::EngineError) -> Self {
        EngineError::new_err(error.to_string())
    }
}

#[pyclass(module = "rust_client")]
struct OrderBook {
    book: Book,
}

#[pymethods]
impl OrderBook {
    #[new]
    fn new(symbol: &str, depth: i64, price_precision: i64, qty_precision: i64) -> PyResult<Self> {
        // What does not fit becomes a value that Book::new refuses.
        let depth = usize::try_from(depth).unwrap_or(0);
        let precision = |value: i64| (value != WIRE).then(|| u32::try_from(value).unwrap_or(u32::MAX));
        Ok(Self { book: Book::new(symbol, depth, precision(price_precision), precision(qty_precision))? })
    }

    fn apply_frame(&mut self, py: Python<'_>, frame: &[u8]) -> PyResult<bool> {
        let book = &mut self.book;
        if frame.len() < LONG_FRAME {
            return Ok(book.apply_frame(frame)?);
        }
        Ok(py.detach(|| book.apply_frame(frame))?)
    }

    fn bids(&self, n: i64) -> Vec<(u64, u64)> {
        self.book.levels(Side::Buy, count(n)).collect()
    }

    fn asks(&self, n: i64) -> Vec<(u64, u64)> {
        self.book.levels(Side::Sell, count(n)).collect()
    }

    fn checksum(&self) -> u32 {
        self.book.checksum()
    }

    fn clear(&mut self) {
        self.book.clear();
    }

    #[allow(clippy::too_many_arguments)]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        n: i64,
        state: &str,
        src: &str,
        boot: u64,
        seq: u64,
        ts: u64,
        received: u64,
        booked: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let header = Header { state, src, boot, seq, ts, received, booked };
        Ok(PyBytes::new(py, &book_message(&self.book, count(n), &header)?))
    }

    #[getter]
    fn symbol(&self) -> &str {
        self.book.symbol()
    }

    #[getter]
    fn depth(&self) -> usize {
        self.book.depth()
    }

    #[getter]
    fn price_precision(&self) -> u32 {
        self.book.price_precision()
    }

    #[getter]
    fn qty_precision(&self) -> u32 {
        self.book.qty_precision()
    }

    #[getter]
    fn synced(&self) -> bool {
        self.book.synced()
    }

    #[getter]
    fn crossed(&self) -> bool {
        self.book.crossed()
    }

    #[getter]
    fn checksums_ok(&self) -> u64 {
        self.book.checksums_ok
    }

    #[getter]
    fn checksums_failed(&self) -> u64 {
        self.book.checksums_failed
    }

    #[getter]
    fn last_was_snapshot(&self) -> bool {
        self.book.last_was_snapshot()
    }

    #[getter]
    fn exchange_ts(&self) -> u64 {
        self.book.exchange_ts()
    }
}

/// A count of levels: a negative one is none.
fn count(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

#[pyfunction]
fn get_bid(book: &OrderBook) -> Option<(u64, u64)> {
    book.book.levels(Side::Buy, 1).next()
}

#[pyfunction]
fn get_ask(book: &OrderBook) -> Option<(u64, u64)> {
    book.book.levels(Side::Sell, 1).next()
}

#[pyclass(module = "rust_client")]
struct MatchingEngine {
    engine: Engine,
}

/// A non-negative integer argument; one that no u64 holds is an [`EngineError`], not an OverflowError.
struct Whole(u64);

impl FromPyObject<'_, '_> for Whole {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        value.extract::<u64>().map(Self).map_err(|error| {
            if error.is_instance_of::<PyOverflowError>(value.py()) {
                return EngineError::new_err(format!("{} is out of range", &*value));
            }
            error
        })
    }
}

#[pymethods]
impl MatchingEngine {
    #[new]
    fn new() -> Self {
        Self { engine: Engine::default() }
    }

    #[pyo3(signature = (order_id, owner, side, price, qty, tif="gtc", post_only=false, stp="cancel_newest"))]
    #[allow(clippy::too_many_arguments)]
    fn submit<'py>(
        &mut self,
        py: Python<'py>,
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
        to_list(py, self.engine.submit(order)?)
    }

    #[pyo3(signature = (order_id, price, qty, post_only=false))]
    fn amend<'py>(
        &mut self,
        py: Python<'py>,
        order_id: Whole,
        price: Option<Whole>,
        qty: Option<Whole>,
        post_only: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let (price, qty) = (price.map(|price| price.0), qty.map(|qty| qty.0));
        to_list(py, self.engine.amend(order_id.0, price, qty, post_only)?)
    }

    fn cancel<'py>(&mut self, py: Python<'py>, order_id: Whole) -> PyResult<Bound<'py, PyList>> {
        to_list(py, self.engine.cancel(order_id.0))
    }

    fn levels(&self, side: &str, n: i64) -> PyResult<Vec<(u64, u128)>> {
        Ok(self.engine.levels(to_side(side)?, count(n)).collect())
    }

    fn best(&self, side: &str) -> PyResult<Option<(u64, u128)>> {
        Ok(self.engine.levels(to_side(side)?, 1).next())
    }

    fn queue(&self, side: &str, price: Whole) -> PyResult<Vec<u64>> {
        Ok(self.engine.queue(to_side(side)?, price.0))
    }

    fn order(&self, order_id: Whole) -> Option<(u32, &'static str, u64, u64, u64)> {
        let order = self.engine.order(order_id.0)?;
        Some((order.owner, side_name(order.side), order.price, order.remaining, order.filled))
    }

    fn count(&self) -> usize {
        self.engine.count()
    }

    fn changes(&mut self) -> Vec<(&'static str, u64, u128)> {
        let named = |(side, price, total)| (side_name(side), price, total);
        self.engine.changes().into_iter().map(named).collect()
    }
}

/// A new order from its terms in words.
#[allow(clippy::too_many_arguments)]
fn new_order(
    order_id: Whole,
    owner: Whole,
    side: &str,
    price: Option<Whole>,
    qty: Whole,
    tif: &str,
    post_only: bool,
    stp: &str,
) -> PyResult<NewOrder> {
    Ok(NewOrder {
        id: order_id.0,
        owner: u32::try_from(owner.0).map_err(|_| EngineError::new_err("an owner is 0 to 4294967295"))?,
        side: to_side(side)?,
        price: price.map(|price| price.0),
        qty: qty.0,
        tif: match tif {
            "gtc" => TimeInForce::Gtc,
            "ioc" => TimeInForce::Ioc,
            "fok" => TimeInForce::Fok,
            _ => return Err(EngineError::new_err(format!("{tif:?} is no time in force"))),
        },
        post_only,
        stp: match stp {
            "cancel_newest" => SelfTrade::Newest,
            "cancel_oldest" => SelfTrade::Oldest,
            "cancel_both" => SelfTrade::Both,
            _ => return Err(EngineError::new_err(format!("{stp:?} is no self-trade rule"))),
        },
    })
}

fn to_side(name: &str) -> PyResult<Side> {
    match name {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(EngineError::new_err(format!("{name:?} is no side"))),
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::PostOnly => "post_only",
        Reason::Ioc => "ioc",
        Reason::Fok => "fok",
        Reason::SelfTrade => "stp",
        Reason::User => "user",
        Reason::Reduced => "reduced",
        Reason::Market => "market",
        Reason::Unknown => "unknown",
    }
}

fn to_list<'py>(py: Python<'py>, events: &[Event]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for event in events {
        list.append(to_tuple(py, event)?)?;
    }
    Ok(list)
}

fn to_tuple<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyTuple>> {
    match *event {
        Event::Trade { taker, maker, price, qty, taker_remaining, maker_remaining } => {
            ("trade", taker, maker, price, qty, taker_remaining, maker_remaining).into_pyobject(py)
        }
        Event::Rest { id, price, remaining } => ("rest", id, price, remaining).into_pyobject(py),
        Event::Cancel { id, remaining, reason } => {
            ("cancel", id, remaining, reason_name(reason)).into_pyobject(py)
        }
        Event::Amend { id, price, remaining } => ("amend", id, price, remaining).into_pyobject(py),
        Event::Refused { id, reason } => ("refused", id, reason_name(reason)).into_pyobject(py),
    }
}

#[pymodule]
fn rust_client(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<OrderBook>()?;
    module.add_class::<MatchingEngine>()?;
    module.add_class::<columns::FrameReader>()?;
    module.add_class::<orders::OrderReader>()?;
    module.add_class::<batch::FeedBatch>()?;
    module.add_class::<batch::BookBatch>()?;

    module.add_class::<venue::python::QueueMarket>()?;
    module.add_function(wrap_pyfunction!(get_bid, module)?)?;
    module.add_function(wrap_pyfunction!(get_ask, module)?)?;
    module.add("FrameError", py.get_type::<FrameError>())?;
    module.add("WrongSymbolError", py.get_type::<WrongSymbolError>())?;
    module.add("EngineError", py.get_type::<EngineError>())?;
    module.add("WIRE", WIRE)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
