//! What goes into the engine and what comes out: new orders and events.

#![forbid(unsafe_code)]

use crate::side::Side;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeInForce {
    Gtc,
    Ioc,
    Fok,
}

/// Which of two orders of one owner is cancelled when they would trade with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfTrade {
    Newest,
    Oldest,
    Both,
}

/// Why an order ended unfilled, or why an amend was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    PostOnly,
    Ioc,
    Fok,
    SelfTrade,
    User,
    Reduced,
    Market,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Trade { taker: u64, maker: u64, price: u64, qty: u64, taker_remaining: u64, maker_remaining: u64 },
    Rest { id: u64, price: u64, remaining: u64 },
    Cancel { id: u64, remaining: u64, reason: Reason },
    Amend { id: u64, price: u64, remaining: u64 },
    Refused { id: u64, reason: Reason },
}

/// A new order; `price` None is a market order.
#[derive(Debug, Clone, Copy)]
pub struct NewOrder {
    pub id: u64,
    pub owner: u32,
    pub side: Side,
    pub price: Option<u64>,
    pub qty: u64,
    pub tif: TimeInForce,
    pub post_only: bool,
    pub stp: SelfTrade,
}

/// A resting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub id: u64,
    /// 0 is the crowd, whose orders may trade with each other.
    pub owner: u32,
    pub side: Side,
    pub price: u64,
    pub remaining: u64,
    pub filled: u64,
    pub stp: SelfTrade,
}
