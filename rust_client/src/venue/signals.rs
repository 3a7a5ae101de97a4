//! The two signals of the market maker, as `strategy/signals/` and `shared/measures/volatility.py` have them.
//!
//! Each takes in the mid in force, at any times; what counts is its path and whole seconds.

#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::hint::black_box;

const SECOND: i64 = 1_000_000_000;
const BP: f64 = 1e-4;
/// `shared/measures/volatility.py`.
const SAMPLES_LEAST: i64 = 20;
/// `strategy/signals/forecast.py`.
const MEMORY_HALF_LIFE_S: f64 = 1800.0;
const DOUBT_S: f64 = 60.0;
const SECONDS_LEAST: f64 = 60.0;

/// Half to the power of `halvings`, by the same function as Python's: not by an equal one that rounds otherwise.
fn half_to(halvings: f64) -> f64 {
    black_box(0.5_f64).powf(halvings)
}

/// The root of the decayed mean of squared moves by the second; a gap of a half-life begins anew.
#[derive(Debug, Clone)]
pub struct Volatility {
    decay: f64,
    gap_s: i64,
    second: Option<i64>,
    sampled: Option<f64>,
    mid: f64,
    squares: f64,
    weight: f64,
    samples: i64,
}

impl Volatility {
    pub fn new(half_life_s: f64) -> Self {
        Self {
            decay: half_to(1.0 / half_life_s),
            gap_s: half_life_s.ceil() as i64 + 1,
            second: None,
            sampled: None,
            mid: 0.0,
            squares: 0.0,
            weight: 0.0,
            samples: 0,
        }
    }

    pub fn add(&mut self, now: i64, mid: f64) {
        let second = now.div_euclid(SECOND);
        match self.second {
            Some(last) if second - last <= self.gap_s => {
                if second > last {
                    self.sample(second - last);
                }
            }
            _ => {
                self.sampled = None;
                (self.squares, self.weight, self.samples) = (0.0, 0.0, 0);
            }
        }
        (self.second, self.mid) = (Some(second), mid);
    }

    /// In bp per √s; None while it is not known.
    pub fn bps(&self) -> Option<f64> {
        (self.samples >= SAMPLES_LEAST).then(|| (self.squares / self.weight).sqrt())
    }

    fn sample(&mut self, mut seconds: i64) {
        let sampled = *self.sampled.get_or_insert_with(|| {
            seconds -= 1;
            self.mid
        });
        if seconds > 0 {
            let keep = self.decay.powf(seconds as f64);
            let move_bps = (self.mid / sampled).ln() / BP;
            self.squares = self.squares * keep + move_bps * move_bps * self.decay.powf((seconds - 1) as f64);
            self.weight = self.weight * keep + (1.0 - keep) / (1.0 - self.decay);
            self.samples += seconds;
            self.sampled = Some(self.mid);
        }
    }
}

/// The average of the mid weighted by time, which forgets with a half-life.
#[derive(Debug, Clone)]
struct Average {
    half_life_s: f64,
    at: Option<i64>,
    mid: f64,
    average: f64,
}

impl Average {
    fn new(half_life_s: f64) -> Self {
        Self { half_life_s, at: None, mid: 0.0, average: 0.0 }
    }

    fn add(&mut self, now: i64, mid: f64) -> f64 {
        self.average = match self.at {
            None => mid,
            Some(at) => {
                let keep = half_to((now - at) as f64 / SECOND as f64 / self.half_life_s);
                self.mid + keep * (self.average - self.mid)
            }
        };
        (self.at, self.mid) = (Some(now), mid);
        self.average
    }
}

/// The expected move of the mid over the horizon in bp.
#[derive(Debug, Clone)]
pub struct Forecast {
    horizon_s: f64,
    samples: usize,
    keep: f64,
    second: Option<i64>,
    past: VecDeque<(f64, f64)>,
    products: f64,
    squares: f64,
    weight: f64,
    mid: f64,
    away: f64,
    average: Average,
}

impl Forecast {
    pub fn new(horizon_s: f64) -> Self {
        Self {
            horizon_s,
            samples: horizon_s.ceil() as usize,
            keep: half_to(1.0 / MEMORY_HALF_LIFE_S),
            second: None,
            past: VecDeque::new(),
            products: 0.0,
            squares: 0.0,
            weight: 0.0,
            mid: 0.0,
            away: 0.0,
            average: Average::new(horizon_s / 2.0),
        }
    }

    pub fn add(&mut self, now: i64, mid: f64) {
        let second = now.div_euclid(SECOND);
        match self.second {
            Some(last) if second - last <= self.samples as i64 => {
                for passed in last + 1..=second {
                    self.sample(passed * SECOND);
                }
                if mid != self.mid {
                    self.follow(now, mid);
                }
            }
            _ => {
                self.past.clear();
                self.average = Average::new(self.horizon_s / 2.0);
                self.follow(now, mid);
            }
        }
        self.second = Some(second);
    }

    /// None while it is not valid.
    pub fn bps(&self) -> Option<f64> {
        if self.weight < SECONDS_LEAST || self.squares == 0.0 {
            return None;
        }
        let slope = self.products / (self.squares * (1.0 + DOUBT_S / self.weight));
        Some(slope * self.away)
    }

    fn follow(&mut self, at: i64, mid: f64) {
        self.mid = mid;
        self.away = (mid / self.average.add(at, mid) - 1.0) / BP;
    }

    fn sample(&mut self, at: i64) {
        self.follow(at, self.mid);
        if self.past.len() == self.samples {
            let (away, mid) = self.past.pop_front().unwrap_or_default();
            let moved = (self.mid / mid - 1.0) / BP;
            self.products = self.products * self.keep + away * moved;
            self.squares = self.squares * self.keep + away * away;
            self.weight = self.weight * self.keep + 1.0;
        }
        self.past.push_back((self.away, self.mid));
    }
}
