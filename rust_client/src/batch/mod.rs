//! Batches of messages in one call from Python: what is ordinary is done here, and the first that is not is left to it.

mod book_batch;
mod feed_batch;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

pub use book_batch::BookBatch;
pub use feed_batch::FeedBatch;

/// A topic as its bytes on the wire.
fn wire(topic: &str) -> Vec<u8> {
    [topic.as_bytes(), b"\0"].concat()
}

/// A topic's last number by a dictionary of them, 0 for none.
fn last(numbers: &Bound<PyDict>, topic: &Bound<PyString>) -> PyResult<u64> {
    numbers.get_item(topic)?.map_or(Ok(0), |number| number.extract())
}

/// Counts a topic's numbers up by one; returns the new one.
fn next(numbers: &Bound<PyDict>, topic: &Bound<PyString>) -> PyResult<u64> {
    let number = last(numbers, topic)?.saturating_add(1);
    numbers.set_item(topic, number)?;
    Ok(number)
}
