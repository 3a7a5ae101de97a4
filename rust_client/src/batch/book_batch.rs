//! Messages `feed.book.<symbol>` to books, and to finished messages `book.<symbol>`.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::{last, next, wire};
use crate::OrderBook;
use crate::bus::Writer;
use crate::bus::book::{self, Header};
use crate::bus::feed_frame::FeedFrame;

/// A live book, and its topics as Python counts by them and as ZeroMQ sends them.
struct Armed {
    book: Py<OrderBook>,
    symbol: Py<PyString>,
    feed_topic: Py<PyString>,
    book_topic: Py<PyString>,
    wire: Py<PyBytes>,
    made: Made,
}

/// A book's last message: in which run it was made, its place among that run's, and its number.
#[derive(Clone, Copy, Default)]
struct Made {
    run: u64,
    place: usize,
    seq: u64,
}

/// Whose messages are taken, and from which connection to Kraken.
#[derive(FromPyObject)]
struct Source {
    src: String,
    boot: u64,
    connection: u64,
}

/// See `rust_client.pyi` for what each method promises.
#[pyclass(module = "rust_client")]
pub struct BookBatch {
    src: String,
    boot: u64,
    seqs: Py<PyDict>,
    published: usize,
    /// By the topic of their frames.
    armed: HashMap<Vec<u8>, Armed>,
    /// Counts the calls.
    run: u64,
    /// Kept between calls so that its memory is reused.
    out: Writer,
}

#[pymethods]
impl BookBatch {
    #[new]
    fn new(src: &str, boot: u64, seqs: Py<PyDict>, published: usize) -> Self {
        let (armed, out) = (HashMap::new(), Writer::default());
        Self { src: src.to_owned(), boot, seqs, published, armed, run: 0, out }
    }

    fn arm(&mut self, py: Python<'_>, symbol: &str, book: Py<OrderBook>) {
        let (feed_topic, book_topic) = (format!("feed.book.{symbol}"), format!("book.{symbol}"));
        let armed = Armed {
            book,
            symbol: PyString::new(py, symbol).unbind(),
            feed_topic: PyString::new(py, &feed_topic).unbind(),
            book_topic: PyString::new(py, &book_topic).unbind(),
            wire: PyBytes::new(py, &wire(&book_topic)).unbind(),
            made: Made::default(),
        };
        self.armed.insert(wire(&feed_topic), armed);
    }

    fn disarm(&mut self, symbol: &str) {
        self.armed.remove(&wire(&format!("feed.book.{symbol}")));
    }

    #[allow(clippy::too_many_arguments)]
    fn take<'py>(
        &mut self,
        py: Python<'py>,
        messages: &Bound<'py, PyList>,
        start: usize,
        source: Source,
        seen: &Bound<'py, PyDict>,
        now: u64,
        ts: u64,
        oldest: u64,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyDict>, usize)> {
        let (made, received) = (PyList::empty(py), PyDict::new(py));
        self.run += 1;
        let mut taken = 0;
        for place in start..messages.len() {
            let parts = messages.get_item(place)?;
            let Some((topic, payload)) = two_parts(&parts) else {
                break;
            };
            let Some(armed) = self.armed.get_mut(topic.as_bytes()) else {
                break;
            };
            let Some(message) = FeedFrame::read(payload.as_bytes()) else {
                break;
            };
            let feed_topic = armed.feed_topic.bind(py);
            // What Python has seen may be no number of ours.
            let Ok(last_seen) = last(seen, feed_topic) else {
                break;
            };
            let Ok(mut book) = armed.book.try_borrow_mut(py) else {
                break;
            };
            let expected = message.src == source.src.as_bytes()
                && (message.boot, message.connection) == (source.boot, source.connection)
                && last_seen != 0
                && Some(message.seq) == last_seen.checked_add(1)
                && message.symbol == book.book.symbol().as_bytes();
            if !expected || !book.book.apply_ordinary(message.frame, oldest) {
                break;
            }
            seen.set_item(feed_topic, message.seq)?;
            received.set_item(armed.symbol.bind(py), message.received)?;
            taken += 1;
            let earlier = Some(armed.made).filter(|made| made.run == self.run);
            let seq = match earlier {
                Some(made) => made.seq,
                None => next(self.seqs.bind(py), armed.book_topic.bind(py))?,
            };
            let header = Header {
                state: "live",
                src: &self.src,
                boot: self.boot,
                seq,
                ts,
                received: message.received,
                booked: now,
            };
            self.out.clear();
            book::write(&mut self.out, &book.book, self.published, &header);
            let parts = (armed.wire.bind(py), PyBytes::new(py, self.out.bytes()));
            if let Some(earlier) = earlier {
                made.set_item(earlier.place, parts)?;
            } else {
                armed.made = Made { run: self.run, place: made.len(), seq };
                made.append(parts)?;
            }
        }
        Ok((made, received, taken))
    }
}

/// Topic and payload of a message as pyzmq receives it.
fn two_parts<'py>(parts: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let parts = parts.cast::<PyList>().ok().filter(|parts| parts.len() == 2)?;
    let part = |place| parts.get_item(place).ok()?.cast_into::<PyBytes>().ok();
    Some((part(0)?, part(1)?))
}
