//! Raw frames of Kraken to finished messages `feed.book.<symbol>`.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::{next, wire};
use crate::bus::Writer;
use crate::bus::feed_frame::{self, Batch};
use crate::scan::{self, Staging};

/// A wanted symbol with its topic, as Python counts by it and as ZeroMQ sends it.
struct Wanted {
    symbol: String,
    topic: Py<PyString>,
    wire: Py<PyBytes>,
}

/// See `rust_client.pyi` for what each method promises.
#[pyclass(module = "rust_client")]
pub struct FeedBatch {
    src: String,
    boot: u64,
    seqs: Py<PyDict>,
    wanted: HashMap<Vec<u8>, Wanted>,
    /// Kept between calls so that their memory is reused.
    staging: Staging,
    out: Writer,
}

#[pymethods]
impl FeedBatch {
    #[new]
    fn new(src: &str, boot: u64, seqs: Py<PyDict>) -> Self {
        let (staging, out) = (Staging::default(), Writer::default());
        Self { src: src.to_owned(), boot, seqs, wanted: HashMap::new(), staging, out }
    }

    fn want(&mut self, py: Python<'_>, symbol: String) {
        let topic = format!("feed.book.{symbol}");
        let (key, wire) = (PyString::new(py, &topic).unbind(), PyBytes::new(py, &wire(&topic)).unbind());
        self.wanted.insert(symbol.clone().into_bytes(), Wanted { symbol, topic: key, wire });
    }

    fn take<'py>(
        &mut self,
        py: Python<'py>,
        frames: &Bound<'py, PyList>,
        start: usize,
        connection: u64,
        received: u64,
        ts: u64,
    ) -> PyResult<Bound<'py, PyList>> {
        let made = PyList::empty(py);
        let batch = Batch { src: &self.src, boot: self.boot, ts, connection, received };
        let seqs = self.seqs.bind(py);
        for place in start..frames.len() {
            let frame = frames.get_item(place)?;
            let Ok(frame) = frame.cast::<PyBytes>() else {
                break;
            };
            let frame = frame.as_bytes();
            let Some(wanted) = scan::symbol_of(frame).and_then(|symbol| self.wanted.get(symbol)) else {
                break;
            };
            if !scan::is_plain(frame, &wanted.symbol, &mut self.staging) {
                break;
            }
            let seq = next(seqs, wanted.topic.bind(py))?;
            self.out.clear();
            feed_frame::write(&mut self.out, &batch, seq, &wanted.symbol, frame);
            made.append((wanted.wire.bind(py), PyBytes::new(py, self.out.bytes())))?;
        }
        Ok(made)
    }
}
