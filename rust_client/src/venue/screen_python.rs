//! The Python edge of the fast engine.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::Market;
use super::quoter::{Fixed, MarketMaker, Quoter, Terms};
use super::screen::{Delays, Outcome, Pace, Request, Screen, Travelling};
use crate::side_name;

/// The fields of a Python object, by name.
struct Fields<'a, 'py>(&'a Bound<'py, PyAny>);

impl<'py> Fields<'_, 'py> {
    fn get<T: for<'a> FromPyObject<'a, 'py, Error = PyErr>>(&self, name: &str) -> PyResult<T> {
        let value = self.0.getattr(name)?;
        value.extract()
    }
}

pub fn run(
    py: Python<'_>,
    market: &mut Market,
    quoter: Quoter,
    pace: Pace,
    delays: Delays,
    end: i64,
) -> PyResult<Outcome> {
    Ok(py.detach(|| Screen::new(quoter, pace, delays).run(market, end))?)
}

/// The quoter that a Python object describes: `backtest.screen.built_in`'s MakerRule or FixedRule.
pub fn to_quoter(rule: &Bound<'_, PyAny>) -> PyResult<Quoter> {
    let fields = Fields(rule);
    if rule.hasattr("distance_bps")? {
        return Ok(Quoter::Fixed(Fixed {
            distance_bps: fields.get("distance_bps")?,
            qty: fields.get("qty")?,
            max_position: fields.get("max_position")?,
            price_step: fields.get("price_step")?,
        }));
    }
    let terms = Terms {
        price_step: fields.get("price_step")?,
        qty_step: fields.get("qty_step")?,
        qty_min: fields.get("qty_min")?,
        cost_min: fields.get("cost_min")?,
        min_order: fields.get("min_order")?,
        max_order: fields.get("max_order")?,
        max_position: fields.get("max_position")?,
    };
    let mut maker = MarketMaker::new(
        fields.get("sizes")?,
        [fields.get("quotes_bids")?, fields.get("quotes_asks")?],
        fields.get("limit")?,
        terms,
    );
    maker.fee_bps = fields.get("fee_bps")?;
    maker.edge_bps = fields.get("edge_bps")?;
    maker.min_edge_bps = fields.get("min_edge_bps")?;
    maker.spacing_bps = fields.get("spacing_bps")?;
    maker.tolerance_bps = fields.get("tolerance_bps")?;
    maker.skew_bps = fields.get("skew_bps")?;
    maker.inventory_target = fields.get("inventory_target")?;
    maker.follow(fields.get("usual_volatility")?, fields.get("forecast_horizon_s")?);
    Ok(Quoter::MarketMaker(Box::new(maker)))
}

/// The outcome as a dictionary: fills and requests as tuples, touches as three lists.
pub fn to_dict<'py>(py: Python<'py>, outcome: &Outcome) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let fills = PyList::empty(py);
    for fill in &outcome.fills {
        fills.append((
            fill.ts,
            fill.id,
            side_name(fill.side),
            fill.price,
            fill.qty,
            fill.ahead,
            fill.opened_ts,
            fill.ahead_at_fill,
        ))?;
    }
    dict.set_item("fills", fills)?;
    let requests = PyList::empty(py);
    for Travelling { at, id, request, .. } in &outcome.requests {
        let (side, price, qty) = match request {
            Request::Submit { quote } => (Some(side_name(quote.side)), Some(quote.price), Some(quote.qty)),
            Request::Amend { price, qty } => (None, Some(*price), Some(*qty)),
            Request::Cancel => (None, None, None),
        };
        requests.append((*at, *id, side, price, qty))?;
    }
    dict.set_item("requests", requests)?;
    dict.set_item("touch_ts", outcome.touches.iter().map(|touch| touch.0).collect::<Vec<_>>())?;
    dict.set_item("touch_bids", outcome.touches.iter().map(|touch| touch.1).collect::<Vec<_>>())?;
    dict.set_item("touch_asks", outcome.touches.iter().map(|touch| touch.2).collect::<Vec<_>>())?;
    dict.set_item("decisions", outcome.counts.decisions)?;
    dict.set_item("submits", outcome.counts.submits)?;
    dict.set_item("amends", outcome.counts.amends)?;
    dict.set_item("cancels", outcome.counts.cancels)?;
    dict.set_item("refused", outcome.counts.refused)?;
    dict.set_item("position", outcome.position)?;
    Ok(dict)
}
