//! The two sides of a book: bids buy, asks sell.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Ranks a price on this side, the best lowest; the rank of a rank is the price.
    pub fn rank(self, price: u64) -> u64 {
        match self {
            Self::Buy => !price,
            Self::Sell => price,
        }
    }
}
