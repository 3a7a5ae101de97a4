//! The built-in rules of the fast engine: from touch and position to wanted quotes.
//!
//! The market maker's is that of `strategy/models/market_maker.py` and `quoting.py`, in the same floats for prices and in
//! exact integers for money: units of 10^-(price precision + quantity precision + 6) / 2.

#![forbid(unsafe_code)]

use super::signals::{Forecast, Volatility};
use crate::side::Side;

const BP: f64 = 1e-4;
const VOLATILITY_HALF_LIFE_S: f64 = 300.0;
const STRETCH_MOST: f64 = 10.0;
const FORECAST_MOST_BPS: f64 = 10.0;
/// What one lot at one tick is worth, twice over, so that a mid between two ticks is whole.
const UNIT: i128 = 1_000_000;

/// A wanted quote; the slot counts the levels of the bids, then those of the asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub slot: usize,
    pub side: Side,
    pub price: u64,
    pub qty: u64,
}

/// What a decision sees.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    pub bid: u64,
    pub ask: u64,
    /// In lots, signed.
    pub position: i64,
}

/// The pair's steps and minimums; money in the units above.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub price_step: u64,
    pub qty_step: u64,
    pub qty_min: u64,
    pub cost_min: i128,
    pub min_order: i128,
    /// The limits less the headroom that the risk gate wants.
    pub max_order: i128,
    pub max_position: i128,
}

/// The market maker's settings; distances in bp of the mid.
#[derive(Debug, Clone)]
pub struct MarketMaker {
    pub sizes: Vec<i128>,
    pub fee_bps: f64,
    pub edge_bps: f64,
    pub min_edge_bps: f64,
    pub spacing_bps: f64,
    pub tolerance_bps: f64,
    pub skew_bps: f64,
    pub inventory_target: i128,
    /// The position at which the skew is whole.
    pub limit: i128,
    pub sides: [bool; 2],
    pub terms: Terms,
    held: Vec<Option<u64>>,
    signals: Signals,
}

/// The mid in force, None without a live one, and what is measured of it; each part only where a setting needs it.
#[derive(Debug, Clone, Default)]
struct Signals {
    mid: Option<f64>,
    usual: Option<(f64, Volatility)>,
    forecast: Option<Forecast>,
}

impl MarketMaker {
    /// A maker without distances; the caller sets those.
    pub fn new(sizes: Vec<i128>, sides: [bool; 2], limit: i128, terms: Terms) -> Self {
        Self {
            held: vec![None; 2 * sizes.len()],
            sizes,
            fee_bps: 0.0,
            edge_bps: 0.0,
            min_edge_bps: 0.0,
            spacing_bps: 0.0,
            tolerance_bps: 0.0,
            skew_bps: 0.0,
            inventory_target: 0,
            limit,
            sides,
            terms,
            signals: Signals::default(),
        }
    }

    /// Has distances grow above this volatility, in bp per √s, and both sides lean by a forecast; None: not.
    pub fn follow(&mut self, usual_volatility: Option<f64>, forecast_horizon_s: Option<f64>) {
        self.signals.usual = usual_volatility.map(|usual| (usual, Volatility::new(VOLATILITY_HALF_LIFE_S)));
        self.signals.forecast = forecast_horizon_s.map(Forecast::new);
    }

    /// Takes in the mid, None without a live one.
    pub fn see(&mut self, now: i64, mid: Option<f64>) {
        self.signals.mid = mid;
        self.wait(now);
    }

    /// Takes in that the mid still stands at `now`.
    pub fn wait(&mut self, now: i64) {
        let Some(mid) = self.signals.mid else { return };
        if let Some((_, volatility)) = &mut self.signals.usual {
            volatility.add(now, mid);
        }
        if let Some(forecast) = &mut self.signals.forecast {
            forecast.add(now, mid);
        }
    }

    fn stretch(&self) -> f64 {
        let known =
            self.signals.usual.as_ref().and_then(|(usual, volatility)| Some(volatility.bps()? / usual));
        known.map_or(1.0, |times| times.clamp(1.0, STRETCH_MOST))
    }

    fn lean_bps(&self) -> f64 {
        let forecast = self.signals.forecast.as_ref().and_then(Forecast::bps);
        forecast.map_or(0.0, |bps| bps.clamp(-FORECAST_MOST_BPS, FORECAST_MOST_BPS))
    }

    /// The quotes for what is seen; without a book there are none, and no price is kept.
    pub fn quotes(&mut self, sight: Option<Sight>, quotes: &mut Vec<Quote>) {
        quotes.clear();
        let Some(sight) = sight else {
            self.held.fill(None);
            return;
        };
        let mid2 = sight.bid + sight.ask;
        let mid = mid2 as f64 / 2.0;
        let worth = i128::from(sight.position) * i128::from(mid2) * UNIT;
        let away = worth - self.inventory_target;
        let tilt = (away as f64 / self.limit as f64).clamp(-1.0, 1.0);
        let stretch = self.stretch();
        let shift_bps = self.lean_bps() - stretch * self.skew_bps * tilt;
        for side in [Side::Buy, Side::Sell] {
            if !self.sides[side as usize] {
                continue;
            }
            let signed = if side == Side::Buy { worth } else { -worth };
            let mut room = self.terms.max_position - signed;
            for level in 0..self.sizes.len() {
                let slot = side as usize * self.sizes.len() + level;
                let away = stretch * (self.edge_bps + level as f64 * self.spacing_bps);
                let wanted = self.wanted(side, mid, self.fee_bps + away, shift_bps, sight);
                let price = match self.held[slot] {
                    Some(held) if self.keeps(side, held, wanted, mid, sight) => held,
                    _ => wanted,
                };
                let qty = self.lots(price, self.sizes[level], room, mid2);
                if qty == 0 {
                    self.held[slot] = None;
                    continue;
                }
                self.held[slot] = Some(price);
                room -= i128::from(mid2.max(2 * price)) * i128::from(qty) * UNIT;
                quotes.push(Quote { slot, side, price, qty });
            }
        }
    }

    fn wanted(&self, side: Side, mid: f64, away: f64, shift_bps: f64, sight: Sight) -> u64 {
        let sign = if side == Side::Buy { -1.0 } else { 1.0 };
        let distance = (away + sign * shift_bps).max(self.fee_bps + self.min_edge_bps);
        let price = mid * (1.0 + sign * distance * BP);
        let step = self.terms.price_step as f64;
        let rounded = match side {
            Side::Buy => whole_steps(price.min(sight.ask as f64 - step), step, false),
            Side::Sell => whole_steps(price.max(sight.bid as f64 + step), step, true),
        };
        // A price below zero is none; lots() refuses it.
        rounded.max(0.0) as u64 * self.terms.price_step
    }

    fn keeps(&self, side: Side, held: u64, wanted: u64, mid: f64, sight: Sight) -> bool {
        if held.abs_diff(wanted) as f64 > self.tolerance_bps * BP * mid {
            return false;
        }
        let away = mid * (self.fee_bps + self.min_edge_bps) * BP;
        match side {
            Side::Buy => held < sight.ask && held as f64 <= mid - away,
            Side::Sell => held > sight.bid && held as f64 >= mid + away,
        }
    }

    /// Lots worth `size` at `price`, rounded down, within room and limits; 0 below any minimum.
    fn lots(&self, price: u64, size: i128, room: i128, mid2: u64) -> u64 {
        let Terms { qty_step, qty_min, cost_min, min_order, max_order, .. } = self.terms;
        let most = room.min(max_order);
        if price == 0 || size.min(most) < min_order {
            return 0;
        }
        let (unit, step) = (2 * i128::from(price) * UNIT, i128::from(qty_step));
        let worth = i128::from(mid2.max(2 * price)) * UNIT;
        let mut lots = (size / unit).min(most / worth);
        lots -= lots % step;
        if lots * unit < min_order {
            // Rounding down must not take a size below the minimum that it met.
            lots = (min_order + unit * step - 1) / (unit * step) * step;
        }
        if lots < i128::from(qty_min) || lots * unit < cost_min {
            return 0;
        }
        u64::try_from(lots).unwrap_or(0)
    }
}

/// How many whole steps a price has, rounded down or up; as Python's `//` does it.
fn whole_steps(price: f64, step: f64, up: bool) -> f64 {
    let rest = price % step;
    let steps = ((price - rest) / step).round();
    if up && rest > 0.0 { steps + 1.0 } else { steps }
}

/// A two-sided quoter at a fixed distance from the mid, with fixed quantities: the simplest rule there is.
#[derive(Debug, Clone, Copy)]
pub struct Fixed {
    pub distance_bps: f64,
    pub qty: u64,
    /// The position beyond which a side that would raise it is not quoted, in lots.
    pub max_position: i64,
    pub price_step: u64,
}

impl Fixed {
    pub fn quotes(&self, sight: Option<Sight>, quotes: &mut Vec<Quote>) {
        quotes.clear();
        let Some(Sight { bid, ask, position }) = sight else { return };
        let mid = (bid + ask) as f64 / 2.0;
        let step = self.price_step as f64;
        let away = mid * self.distance_bps * BP;
        if position < self.max_position {
            let steps = whole_steps((mid - away).min(ask as f64 - step), step, false);
            let price = steps.max(0.0) as u64 * self.price_step;
            if price > 0 {
                quotes.push(Quote { slot: 0, side: Side::Buy, price, qty: self.qty });
            }
        }
        if position > -self.max_position {
            let steps = whole_steps((mid + away).max(bid as f64 + step), step, true);
            let price = steps as u64 * self.price_step;
            quotes.push(Quote { slot: 1, side: Side::Sell, price, qty: self.qty });
        }
    }
}

pub enum Quoter {
    MarketMaker(Box<MarketMaker>),
    Fixed(Fixed),
}

impl Quoter {
    pub fn slots(&self) -> usize {
        match self {
            Self::MarketMaker(maker) => 2 * maker.sizes.len(),
            Self::Fixed(_) => 2,
        }
    }

    pub fn quotes(&mut self, sight: Option<Sight>, quotes: &mut Vec<Quote>) {
        match self {
            Self::MarketMaker(maker) => maker.quotes(sight, quotes),
            Self::Fixed(fixed) => fixed.quotes(sight, quotes),
        }
    }

    /// Takes in the mid, None without a live one.
    pub fn see(&mut self, now: i64, mid: Option<f64>) {
        if let Self::MarketMaker(maker) = self {
            maker.see(now, mid);
        }
    }

    /// Takes in that the mid still stands at `now`.
    pub fn wait(&mut self, now: i64) {
        if let Self::MarketMaker(maker) = self {
            maker.wait(now);
        }
    }
}
