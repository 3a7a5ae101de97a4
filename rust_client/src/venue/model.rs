//! Which orders a cancel was: those ahead of ours, or those behind; `queue_models.py` says the same in Python.

#![forbid(unsafe_code)]

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Model {
    /// Cancels come from ahead of us; an order whose place is unknown is first at its price.
    Front,
    ProRata,
    /// The probability that a cancel was behind is f(behind) / (f(behind) + f(ahead)), with f(x) = x ^ power.
    Power(f64),
    /// The same with f(x) = ln(1 + x).
    Log,
    /// Cancels come from behind us as long as there is anything.
    Back,
}

impl Model {
    /// How much of `cancelled` stood ahead, in a queue of `lots` of which `ahead` are ahead of the order.
    pub fn cancelled_ahead(self, ahead: u64, lots: u64, cancelled: u64) -> u64 {
        let behind = lots - ahead;
        let (most, least) = (ahead.min(cancelled), cancelled.saturating_sub(behind));
        let (weight_ahead, weight_behind) = match self {
            Self::Front => return most,
            Self::Back => return least,
            Self::ProRata => {
                let share = u128::from(cancelled) * u128::from(ahead) / u128::from(lots);
                // Never above what is ahead, which fits.
                return u64::try_from(share).unwrap_or(most);
            }
            Self::Power(power) => ((ahead as f64).powf(power), (behind as f64).powf(power)),
            Self::Log => ((ahead as f64).ln_1p(), (behind as f64).ln_1p()),
        };
        let share = weight_behind / (weight_behind + weight_ahead);
        let cancelled = cancelled as f64;
        let taken = cancelled * (1.0 - share) + (cancelled * share - behind as f64).max(0.0);
        (taken.floor() as u64).max(least).min(most)
    }
}
