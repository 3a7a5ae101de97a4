"""The benchmark measures what it says: sound frames, both books, and a section of its own in RESULTS.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import book as benchmark, book_peers, report
from book import orderbook
from tests.frames import rust


@pytest.mark.parametrize("depth", benchmark.DEPTHS)
def test_generated_frames_are_what_both_books_take(depth: int) -> None:
    workload = benchmark.generated(depth, 50)
    book = orderbook.OrderBook("BTC/USD", depth, -1, -1)
    assert all(book.apply_frame(frame) for _, frame in workload.frames)
    assert (book.checksums_ok, book.crossed) == (51, False)
    assert len(book.bids(depth)) > depth // 2
    assert benchmark.generated(depth, 50) == workload


def test_frames_whose_checksum_fails_are_not_measured() -> None:
    workload = benchmark.generated(10, 5)
    symbol, frame = workload.frames[0]
    broken = benchmark.Workload("broken", 10, [(symbol, re.sub(rb'"checksum":\d+', b'"checksum":1', frame))])
    with pytest.raises(SystemExit, match="1 checksums failed"):
        benchmark.apply(orderbook, broken)


@pytest.mark.rust
def test_a_row_tells_medians_ranges_and_the_ratio() -> None:
    (apply, _) = benchmark.measure([benchmark.generated(10, 20)], rust(), 2)
    assert len(apply.python) == len(apply.rust) == 2
    text = benchmark.Row(apply.workload, "apply", [30.0, 10.0, 20.0], [1.0, 1.0, 2.0]).text()
    assert "| 21 | 20.0 (10.0 to 30.0) | 1.0 (1.0 to 2.0) | **10.0 (10.0 to 30.0)** |" in text


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    report.write("one", "first", file)
    report.write("two", "second", file)
    report.write("one", "anew", file)
    text = file.read_text()
    assert text.startswith("# Measured")
    assert ("first" in text, text.count("anew"), text.count("second")) == (False, 1, 1)
    assert text.index("anew") < text.index("second")


def test_the_peers_section_has_ratios_first_and_says_what_each_leaves_out() -> None:
    workloads = [benchmark.Workload("frames", 10, [])]
    contestants = [
        book_peers.Contestant(name, [[1.0 + place], [2.0 + 2 * place], [3.0]])
        for place, name in enumerate(book_peers.ABOUT)
    ]
    lines = book_peers.section(workloads, contestants, "a machine", 3).splitlines()
    assert "| order-book | **1.5** (1.0 to 3.0) | C; parsed by msgspec with Decimal; whole checksum |" in lines
    assert lines.index("| us a frame | frames, depth 10 |") > lines.index(
        "| times the Rust book's | frames, depth 10 | how, and what it leaves out |"
    )
    assert "| order-book | 3.00 |" in lines


@pytest.mark.rust
def test_frames_whose_checksum_fails_are_not_measured_beside_others() -> None:
    symbol, frame = benchmark.generated(10, 5).frames[0]
    broken = benchmark.Workload("broken", 10, [(symbol, re.sub(rb'"checksum":\d+', b'"checksum":1', frame))])
    with pytest.raises(SystemExit, match="1 checksums failed"):
        book_peers.own(rust(), [broken])
