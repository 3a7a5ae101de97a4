"""Measures of captures: intervals that cover, a standing for each row, and the page that says so."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from statistics import fmean

import pytest

from simulator.errors import RecordingError
from simulator.exchange.engine import Side
from simulator.market.calibration import captured, intervals, listener, market_page
from simulator.market.calibration.captured import Figure, Measured
from simulator.market.calibration.listener import Seen
from simulator.market.replay import Moment
from simulator.wire import NS
from tests.frames import ROOT, frames_path

PAGE = ROOT / "docs" / "market.md"


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        rng = Random(seed)
        samples = [(at * NS, rng.gauss(3.0, 1.0)) for at in range(100)]
        interval = intervals.bootstrap(samples, fmean, 1.0, 100.0)
        assert interval is not None
        covered += interval[0] <= 3.0 <= interval[1]
    assert 52 <= covered <= 60


def test_samples_that_hang_together_make_the_interval_wider() -> None:
    rng = Random(1)
    levels = [rng.gauss(0, 1) for _ in range(20)]
    samples = [(at * NS, levels[at // 10]) for at in range(200)]

    def width(block_s: float) -> float:
        interval = intervals.bootstrap(samples, fmean, block_s, 200.0)
        assert interval is not None
        return interval[1] - interval[0]

    assert width(10.0) > 2 * width(1.0)


def test_too_few_blocks_have_no_interval() -> None:
    samples = [(at * NS, 1.0) for at in range(35)]
    assert intervals.bootstrap(samples, fmean, 5.0, 35.0) is None
    assert intervals.bootstrap(samples, fmean, 4.0, 35.0) == (1.0, 1.0)
    assert intervals.bootstrap([], fmean, 5.0, 100.0) is None


def test_wilsons_interval_of_a_share() -> None:
    assert intervals.wilson(7, 7) == pytest.approx((0.6457, 1.0), abs=1e-4)
    assert intervals.wilson(72, 74) == pytest.approx((0.9067, 0.9926), abs=1e-4)


@pytest.mark.parametrize(
    ("interval", "kept", "standing"),
    [
        ((0.25, 0.40), "", "measured"),
        ((0.15, 0.40), "", "set, too wide"),
        (None, "", "set, too few blocks"),
        ((0.25, 0.26), "OHLC", "kept, OHLC"),
    ],
)
def test_a_row_is_measured_where_its_interval_fits_what_is_accepted(
    interval: tuple[float, float] | None, kept: str, standing: str
) -> None:
    assert Measured("signs", 0.3, 100, interval, (0.2, 0.4), kept).standing == standing


def test_what_is_accepted_of_a_new_property_is_a_third_around_its_value() -> None:
    measured = captured.measure(Figure("x", [(at * NS, -2.0) for at in range(100)], fmean), 100.0)
    assert measured.band == pytest.approx((-2.6, -1.4))
    assert (measured.value, measured.samples, measured.interval) == (-2.0, 100, (-2.0, -2.0))


def seen_of(trades: list[tuple[float, int, int, int]], messages: list[float]) -> Seen:
    """Return ten seconds of a touch at 100 and 101; trades are (second, sign, price, lots)."""
    seen = Seen(seconds=10.0)
    seen.touches = [(at * NS // 10, 100, 101, 5, 3) for at in range(100)]
    seen.trades = [(int(second * NS), sign, price, qty, 100.5) for second, sign, price, qty in trades]
    seen.messages = [int(second * NS) for second in messages]
    return seen


def test_fills_of_one_time_are_one_takers_order() -> None:
    seen = seen_of([(1, 1, 101, 2), (1, 1, 102, 3), (2, 1, 101, 1), (3, -1, 100, 4)], [1.0])
    assert captured.taker_orders(seen) == [(NS, 1, 5), (2 * NS, 1, 1), (3 * NS, -1, 4)]
    figures = {figure.name: figure for figure in captured.trade_figures(seen, 1.0)}
    assert figures["trades of a taker's order, mean"].value == pytest.approx(4 / 3)
    assert figures["size of trades, mean, base"].value == 2.5
    assert figures["trades per second"].value == 0.4
    # Buyers pay 101 and 102 for what is worth 100.5 a second later: the maker gains.
    assert figures["mid after a fill, 1 s, bp"].value > 0


def test_the_reaction_counts_messages_against_as_many_as_usual() -> None:
    # Ten messages in ten seconds are 0.1 usually; four follow the only order within 0.1 s.
    messages = [0.5, 1.01, 1.02, 1.03, 1.05, 5, 6, 7, 8, 9]
    assert captured.taker_reactions(seen_of([(1, 1, 101, 2)], messages)) == pytest.approx(40.0)


def test_which_message_comes_first_is_that_of_the_level_that_was_hit() -> None:
    def trade(ns: int) -> tuple[str, Moment]:
        return "BTC/USD", Moment(ns, "trade", (("buy", 101, 1),))

    def book(ns: int, qty: int, side: Side = "sell", price: int = 101) -> tuple[str, Moment]:
        return "BTC/USD", Moment(ns, "book", ((side, price, qty),))

    second = NS
    arrived = [
        ("BTC/USD", Moment(0, "snapshot", (("buy", 100, 50), ("sell", 101, 50)))),
        trade(second), trade(second), book(second, 40, "buy", 100), book(second + 7_000, 48),
        # One that raises the level is nearer, and is none of the trade's doing.
        book(2 * second - 4_000, 47), book(2 * second - 2_000, 60), trade(2 * second - 1_000),
        # Nothing of this one's level within 5 ms.
        trade(3 * second), book(4 * second, 1),
    ]  # fmt: skip
    assert captured.message_order(arrived, "BTC/USD") == [
        (second, (True, 7_000)),
        (2 * second - 1_000, (False, -3_000)),
    ]
    share, behind = captured.measure_order(captured.message_order(arrived, "BTC/USD"), 10.0)
    assert (share.value, share.samples, behind.value) == (50.0, 2, 2.0)


def test_the_synthetic_market_tells_a_trade_before_its_book_change() -> None:
    assert market_page._own_order()[captured.TRADE_FIRST] == 100


def captures_folder() -> Path:
    """Return the folder of the captures, or the test is skipped."""
    return frames_path("public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl").parents[2]


def rows_of(part: str) -> list[str]:
    """Return the lines of the part's tables without the synthetic market's column."""
    names = r"^(.{50} .{9} .{8}  .{0,22} ?\S.*?)(?: {2,}(?:[-\d.e]+|nan))?(?:  \*)?$"
    return [match.group(1).rstrip() for line in part.splitlines() if (match := re.match(names, line))]


def test_the_page_says_what_the_captures_say() -> None:
    captures = market_page.read_captures(captures_folder())
    _, seen = listener.watch("BTC/USD", "calm", 60)
    made = rows_of(market_page.captured_part(captures, seen))
    written = rows_of(PAGE.read_text(encoding="utf-8").partition(market_page.HEADING)[2])
    assert len(made) >= 3 * 19
    assert made == written


def test_the_reaction_of_the_synthetic_book_is_within_what_was_measured() -> None:
    captures = market_page.read_captures(captures_folder())
    table = market_page.captured_table(captures[0][1], "BTC/USD", {})
    (row,) = [line for line in table.splitlines() if line.startswith("book messages 0.1 s after an order")]
    assert row.endswith("measured")
    low, high = (float(figure) for figure in re.search(r"([\d.]+) to ([\d.]+)", row).groups())  # type: ignore[union-attr]
    _, seen = listener.watch("BTC/USD", "calm", 900)
    assert low <= captured.taker_reactions(seen) <= high


def test_a_capture_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"kraken_btc_20260724_levels_trades\.csv: No such file"):
        market_page.read_captures(tmp_path)


def test_without_captures_the_page_keeps_what_they_said(tmp_path: Path) -> None:
    page = tmp_path / "market.md"
    market_page.write(page, "--seed 1", "rows", f"{market_page.HEADING}\n\nmeasured\n")
    market_page.write(page, "--seed 2", "others", None)
    text = page.read_text(encoding="utf-8")
    assert text.endswith(f"{market_page.HEADING}\n\nmeasured\n")
    assert "others" in text
    assert "--seed 2" in text
