"""The status object of a view, and the parts of it that need the configuration or a heartbeat's details.

Pure functions of a view; what has not been heard is null, never guessed.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from monitor.model.fees import break_even_bps
from monitor.model.status_object import (
    Connection,
    EmptySlotShown,
    FeesShown,
    Level3Shown,
    MachineFigures,
    RateCounter,
    RateCounters,
    SlowOperation,
    Status,
    UnwantedShown,
)
from monitor.model.view import View
from shared import limits
from shared.clock import SECOND
from shared.config import Config
from shared.messages import BookState

T = TypeVar("T")


class OperationTimes(msgspec.Struct, frozen=True):
    """An operation's durations in a heartbeat's details, in ms (``Histogram.summary_ms`` in ``shared.measures``)."""

    count: int = 0
    sum: float = 0.0
    average: float = 0.0
    min: float = 0.0
    max: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


def status(view: View, config: Config, now: int, wall: int, halted: str | None) -> Status:
    """Return the status object; leave out what the executor publishes while it is not heard.

    ``now`` is ns of CLOCK_BOOTTIME, ``wall`` ns since the epoch, ``halted`` the text of data/HALT.
    """
    # An old position is not shown: trading may have gone on unheard.
    is_heard = not view.silence("executor", now)
    return Status(
        halted=halted is not None,
        halted_why=halted or "",
        sandbox=config.kraken.sandbox,
        dry_run=config.trading.dry_run,
        processes={name: view.process(name, now) for name in config.process_names},
        books={pair: view.book(pair, wall) for pair in config.trading.pairs},
        open_orders=view.open_orders,
        orders_known=view.orders_known(now),
        positions=view.position_texts() if is_heard else {},
        assets=view.asset_rows() if is_heard else {},
        stale=stale(view, config, wall),
        paused=paused(view),
        empty_slots=empty_slots(view) if is_heard else [],
        unwanted=unwanted(view) if is_heard else [],
        currency=config.trading.currency,
        asset_rates=view.rate_rows() if is_heard else {},
        unlisted=unlisted(view, config),
        connection=connection(view),
        rates=rates(view) if is_heard else RateCounters(pairs={}, rest=None),
        fees=fees(view) if is_heard else {},
        machine=detail(view, "monitor", "machine", MachineFigures),
        slow=slow(view, config.monitor.slow_operation_s),
    )


def detail(view: View, process: str, name: str, kind: type[T]) -> T | None:
    """Return one of the details of a process's newest heartbeat; None where it has none of this kind."""
    heard = view.heartbeats.get(process)
    try:
        return msgspec.convert(heard.beat.details.get(name), kind) if heard else None
    except msgspec.ValidationError:
        return None


def operations(view: View, process: str) -> dict[str, OperationTimes]:
    """Return the durations of a process's operations by name; leave out what cannot be read."""
    times = {}
    for name, summary in (detail(view, process, "operations", dict[str, object]) or {}).items():
        try:
            times[name] = msgspec.convert(summary, OperationTimes)
        except msgspec.ValidationError:
            continue
    return times


def stale(view: View, config: Config, wall: int) -> list[str]:
    """Return symbols whose book is live and had no update for 60 s."""
    infos = view.book_status.books if view.book_status else {}
    return [
        pair
        for pair in config.trading.pairs
        if pair in infos and infos[pair].stale and view.book_state(pair, wall)[0] is BookState.LIVE
    ]


def connection(view: View) -> Connection:
    """Return the public connection: Kraken's status word, how often it was lost, attempts against the limit."""
    feed = view.feed_status
    return Connection(
        connected=feed.connected if feed else None,
        system=feed.system if feed else None,
        reconnects=feed.reconnects if feed else None,
        private_connected=detail(view, "executor", "connected", bool),
        private_problem=detail(view, "executor", "connection_problem", str) or "",
        attempts=detail(view, "collector", "connection_attempts", int),
        private_attempts=detail(view, "executor", "connection_attempts", int),
        attempts_10_min_max=limits.CONNECT_ATTEMPTS_10_MIN,
        level3=detail(view, "collector", "level3", Level3Shown),
        refused={symbol: f"refused: {why}" for symbol, why in (feed.refused if feed else {}).items()},
    )


def paused(view: View) -> dict[str, str]:
    """Return pairs and strategies that the executor has paused, each with the reason."""
    return detail(view, "executor", "paused", dict[str, str]) or {}


def empty_slots(view: View) -> list[EmptySlotShown]:
    """Return slots that are wanted and empty for 20 s (invariant 12), the longest first."""
    slots = view.account.empty_slots if view.account else []
    rows = [EmptySlotShown(**msgspec.structs.asdict(slot) | {"since_ts": slot.since_ts / SECOND}) for slot in slots]
    return sorted(rows, key=lambda slot: slot.since_ts)


def unwanted(view: View) -> list[UnwantedShown]:
    """Return own orders that are open for 20 s although nobody wants them (invariant 12)."""
    orders = view.account.unwanted if view.account else []
    return [UnwantedShown(**msgspec.structs.asdict(order) | {"since_ts": order.since_ts / SECOND}) for order in orders]


def unlisted(view: View, config: Config) -> list[str]:
    """Return the configured pairs that the exchange does not list."""
    unknown = view.instruments.unknown if view.instruments else []
    return [pair for pair in config.trading.pairs if pair in unknown]


def rates(view: View) -> RateCounters:
    """Return Kraken's counters: one a pair for orders, and the key's for REST calls."""
    account = view.account
    counters = account.counters if account else {}
    threshold = account.threshold if account else 0.0
    pairs = {symbol: _counter(used, threshold) for symbol, used in counters.items()}
    used, most = (detail(view, "executor", name, float) for name in ("rest_counter", "rest_counter_max"))
    rest = _counter(used, most) if used is not None and most is not None else None
    return RateCounters(pairs=pairs, rest=rest)


def _counter(used: float, threshold: float) -> RateCounter:
    return RateCounter(counter=used, threshold=threshold, left=round(max(0.0, threshold - used), 2))


def fees(view: View) -> dict[str, FeesShown]:
    """Return maker and taker fee in percent, and the half-spread in basis points that earns the maker fee back."""
    known = view.account.fees if view.account else {}
    return {
        symbol: FeesShown(maker=fee.maker, taker=fee.taker, break_even_bps=break_even_bps(fee.maker))
        for symbol, fee in known.items()
    }


def slow(view: View, slow_s: float) -> list[SlowOperation]:
    """Return operations that ever took longer than the threshold, the slowest first; times in ms."""
    rows = [
        SlowOperation(process=process, operation=name, **msgspec.structs.asdict(times))
        for process in view.heartbeats
        for name, times in operations(view, process).items()
        if times.max > slow_s * 1000
    ]
    return sorted(rows, key=lambda each: -each.max)
