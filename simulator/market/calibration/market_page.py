"""Write docs/market.md: the synthetic market beside the real one, and what captures say of judged figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simulator.errors import RecordingError
from simulator.market import recorded, replay
from simulator.market.calibration import listener
from simulator.market.calibration.captured import (
    Figure,
    Measured,
    book_figures,
    measure,
    measure_order,
    message_order,
    trade_figures,
)
from simulator.market.calibration.follower import Follower
from simulator.market.calibration.listener import Seen
from simulator.market.recorded import Arrival
from simulator.market.style import style_of
from simulator.pairs.pairs import PAIRS

# The pair whose crowd stands beside the captures, and how long its messages are recorded to see their order.
PAIR, ORDER_S = "BTC/USD", 300.0
# Captures with a book and its trades, and the pair that is measured in each.
CAPTURES = (
    ("data/kraken_btc_20260724_levels_trades.csv", "BTC/USD", "2026-07-24"),
    ("frames/public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl", "BTC/USD", "2026-07-07"),
    ("frames/public_v2/book10_trades_BTCUSD_ETHUSD_flashbook.jsonl", "ETH/USD", "2026-07-07"),
)
PAGE = """# The synthetic market beside the real one

Written by `make calibrate` (`python -m simulator calibrate {command}`).
*Measured* is what captures of the exchange show, *here* is the synthetic market, a column a seed. A test
(`tests/unit/simulator/market/calibration/test_calibrate.py`) asks the same of 900 seconds of one seed.

The style of `calm` was chosen with the seeds 1 to 3 in sight, so that they meet every row says less than it seems. Of
four hours of the seeds 4 to 7, all meet all rows of BTC/USD in `calm` but one: 70.8 and 72.5 % of a trade's impact are
left in two of them. That row is noisy: its standard deviation over the seven is 5, around 66. Shorter runs miss more.

```text
{text}
```

## Where the measured figures come from

{sources}

{measured}"""
SOURCES = (
    ("volatility, trades per second, mean trade", "OHLC and ticker of 2026-09-25 (`*_live_20260925_bytex`)"),
    (
        "book messages, levels, changes, inserts, sizes, lives, touch",
        "`book10_BTCUSD_python-kraken-sdk`: 2023-07-30, depth 10, 51 s, 509 updates",
    ),
    ("Fano factor and gaps", "the same, and nine pairs of `book1000_10pairs_cryptofeed`, 2021-04-17"),
    ("thin", "`book1000_10pairs_cryptofeed`, 2021-04-17"),
    ("turnaround", "`kraken-async-rs_private` (2024): one or two of each request"),
    ("history behind a fill", "users' reports"),
    ("*set*: signs, mid after a fill, impact, `volatile`, delays", "judgement; see below what captures say of them"),
    (
        "accepted volatility and smaller side in `calm`",
        "judgement, within what was measured of the one and around the other",
    ),
)
HEADING = "## What was set by judgement, measured"
CAPTURED = """{heading}

Of captures with a book and its trades, read with the same code as `python -m simulator style FILE` reads a recording.
The interval is the one of 95 %: 1000 resamples of blocks of 5 s (or as long as what is looked ahead), so that what
hangs together stays together; Wilson's of shares of messages. It knows nothing of other hours than the capture's own.

A row is *measured* where its interval is no wider than what is accepted of it (± 30 % of the value where MARKET.md
accepts nothing in particular). It stays *set* where the interval is wider, or where fewer than 8 blocks have a sample,
and it is *kept* where a longer source says more. *Here* is BTC/USD in `calm`, marked where it is outside the interval
of a measured row.

{tables}
"""


def read_captures(folder: Path) -> list[tuple[str, list[Arrival], str]]:
    """Return (title, arrivals, symbol) of each of CAPTURES in a folder. Raises RecordingError with the file's name."""
    read = []
    for name, symbol, date in CAPTURES:
        try:
            read.append((f"{symbol}, {date}, {Path(name).name}", recorded.read(folder / name), symbol))
        except RecordingError as error:
            raise RecordingError(f"{name}: {error}") from error
    return read


def captured_part(captures: Sequence[tuple[str, list[Arrival], str]], synthetic: Seen) -> str:
    """Return the part of the page on what was set, with what was seen of the synthetic BTC/USD beside it."""
    own = {figure.name: figure.value for figure in _figures(synthetic, PAIR)} | _own_order()
    tables = [
        f"### {title}\n\n```text\n{captured_table(arrived, symbol, own if symbol == PAIR else {})}\n```"
        for title, arrived, symbol in captures
    ]
    return CAPTURED.format(heading=HEADING, tables="\n\n".join(tables))


def _own_order() -> dict[str, float]:
    """Return the order and the stamps of the synthetic market's messages, by the names of their rows."""
    frames = listener.record(PAIRS[PAIR], style_of(PAIRS[PAIR], "calm"), ORDER_S)
    arrived = replay.arrivals(frame.encode() for frame in frames)
    return {row.name: row.value for row in measure_order(message_order(arrived, PAIR), ORDER_S)}


def _figures(seen: Seen, symbol: str) -> list[Figure]:
    lot = 10.0 ** -PAIRS[symbol].qty_precision
    return trade_figures(seen, lot) + book_figures(seen, lot)


def captured_table(arrived: Sequence[Arrival], symbol: str, own: dict[str, float]) -> str:
    """Return what a recording says of a pair, a line a row; ``own`` is the synthetic market's figure by name."""
    seen = Follower(replay.ordered(arrived)[symbol]).follow()
    rows = [measure(figure, seen.seconds) for figure in _figures(seen, symbol)]
    rows += measure_order(message_order(arrived, symbol), seen.seconds)
    head = f"{seen.seconds:.1f} s, {len(seen.messages)} book messages, {len(seen.trades)} trades\n\n"
    titles = f"{'property':<50} {'value':>9} {'samples':>8}  {'95 % interval':<22} {'standing':<20}"
    return head + "\n".join([f"{titles} {'here':>8}".rstrip(), *(_line(row, own.get(row.name)) for row in rows)])


def _line(row: Measured, own: float | None) -> str:
    interval = "" if row.interval is None else f"{row.interval[0]:.4g} to {row.interval[1]:.4g}"
    line = f"{row.name:<50} {row.value:>9.4g} {row.samples:>8}  {interval:<22} {row.standing:<20}"
    if own is None:
        return line.rstrip()
    outside = row.interval is not None and not row.interval[0] <= own <= row.interval[1]
    return f"{line} {own:>8.4g}" + ("  *" if outside and row.standing == "measured" else "")


def write(page: Path, command: str, text: str, measured: str | None) -> None:
    """Write the page; without ``measured`` its part on the captures stays as it is."""
    if measured is None:
        old = page.read_text(encoding="utf-8") if page.exists() else ""
        _, heading, kept = old.partition(HEADING)
        measured = heading + kept
    sources = "\n".join(["| rows | source |", "| --- | --- |", *(f"| {rows} | {source} |" for rows, source in SOURCES)])
    made = PAGE.format(command=command, text=text, sources=sources, measured=measured)
    page.write_text(made.rstrip() + "\n", encoding="utf-8")
