"""Details of ``status`` besides processes, books and orders: rates, connections, fees, machine, slow operations.

Pure functions of a view; what has not been told is null, never guessed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.model.fees import break_even_bps
from monitor.model.view import View
from shared import limits
from shared.clock import SECOND
from shared.config import Config
from shared.kraken.errors import explained
from shared.messages import BookState


def beyond(view: View, config: Config, now: int, wall: int) -> dict[str, Any]:
    """Return the further keys of the status object; leave out the executor's while it is not heard."""
    is_told = not view.silence("executor", now)
    return {
        "stale": stale(view, config, wall),
        "paused": paused(view),
        "empty_slots": empty_slots(view) if is_told else [],
        "unwanted": unwanted(view) if is_told else [],
        "currency": config.trading.currency,
        "asset_rates": view.rate_rows() if is_told else {},
        "unlisted": unlisted(view, config),
        "connection": connection(view),
        "rates": rates(view) if is_told else {"pairs": {}, "rest": None},
        "fees": fees(view) if is_told else {},
        "machine": detail(view, "monitor", "machine"),
        "slow": slow(view, config.monitor.slow_operation_s),
    }


def detail(view: View, process: str, name: str) -> Any:
    """Return one of the details of a process's newest heartbeat; None where it has none."""
    heard = view.heartbeats.get(process)
    return heard.beat.details.get(name) if heard else None


def stale(view: View, config: Config, wall: int) -> list[str]:
    """Return symbols whose book is live and had no update for 60 s."""
    infos = view.book_status.books if view.book_status else {}
    return [
        pair
        for pair in config.trading.pairs
        if pair in infos and infos[pair].stale and view.book_state(pair, wall)[0] is BookState.LIVE
    ]


def connection(view: View) -> dict[str, Any]:
    """Return the public connection: Kraken's status word, how often it was lost, attempts against the limit."""
    feed = view.feed_status
    return {
        "connected": feed.connected if feed else None,
        "system": feed.system if feed else None,
        "reconnects": feed.reconnects if feed else None,
        "private_connected": detail(view, "executor", "connected"),
        "private_problem": str(detail(view, "executor", "connection_problem") or ""),
        "attempts": detail(view, "collector", "connection_attempts"),
        "private_attempts": detail(view, "executor", "connection_attempts"),
        "attempts_10_min_max": limits.CONNECT_ATTEMPTS_10_MIN,
        "refused": {symbol: said for symbol, said in feed.symbols.items() if said.startswith("refused")}
        if feed
        else {},
    }


def paused(view: View) -> dict[str, str]:
    """Return pairs and strategies that the executor has paused, each with the reason."""
    names = detail(view, "executor", "paused")
    return {str(name): str(why) for name, why in names.items()} if isinstance(names, dict) else {}


def empty_slots(view: View) -> list[dict[str, Any]]:
    """Return slots that are wanted and empty for 20 s (invariant 12), the longest first; ``since_ts`` in seconds."""
    slots = view.account.empty_slots if view.account else []
    rows = [msgspec.to_builtins(slot) | {"since_ts": slot.since_ts / SECOND} for slot in slots]
    return sorted(rows, key=lambda slot: float(slot["since_ts"]))


def unwanted(view: View) -> list[dict[str, Any]]:
    """Return own orders that are open for 20 s although nobody wants them (invariant 12); ``since_ts`` in seconds."""
    orders = view.account.unwanted if view.account else []
    return [msgspec.to_builtins(order) | {"since_ts": order.since_ts / SECOND} for order in orders]


def not_trading(status: dict[str, Any], wall: int) -> list[tuple[bool, str, str]]:
    """Return what is wanted and is not so: whether it is more than our own limits, what it is, and why, for people."""
    troubles = []
    for slot in status.get("empty_slots") or []:
        what = f"{slot['strategy']} {slot['symbol']} {slot['slot']}"
        why = f"Kraken refuses it: {explained([slot['error'] or slot['why']])}" if slot["refused"] else slot["why"]
        troubles.append((bool(slot["refused"]), what, f"wanted and empty for {_age_s(slot, wall)} s; {why}"))
    for order in status.get("unwanted") or []:
        what = f"{order['strategy']} {order['symbol']} {order['slot']}"
        troubles.append(
            (True, what, f"{order['cl_ord_id']} is open for {_age_s(order, wall)} s, and unwanted: {order['why']}")
        )
    return troubles


def held_and_rates(status: dict[str, Any]) -> list[tuple[bool, str, str]]:
    """Return the assets that are held, and those whose rate is not valid, in the form of :func:`not_trading`."""
    assets, rates = status.get("assets") or {}, status.get("asset_rates") or {}
    troubles = [(True, f"{asset} is held", row["held"]) for asset, row in assets.items() if row["held"]]
    for asset, rate in rates.items():
        if not rate["valid"]:
            what = f"the rate of {asset} is {'stale' if rate['rate'] else 'not known'}"
            why = f"it goes by {', '.join(rate['way'])}; what is valued by it is not quoted until those books are live"
            troubles.append((False, what, why))
    return troubles


def troubles(status: dict[str, Any], wall: int) -> list[tuple[bool, str, str]]:
    """Return everything that is configured or wanted and is not so, as :func:`not_trading` has it."""
    out = "the exchange does not list it; the other pairs are quoted"
    unlisted = [(True, f"{symbol} is out", out) for symbol in status.get("unlisted") or []]
    return [*held_and_rates(status), *unlisted, *not_trading(status, wall)]


def unlisted(view: View, config: Config) -> list[str]:
    """Return the configured pairs that the exchange does not list."""
    unknown = view.instruments.unknown if view.instruments else []
    return [pair for pair in config.trading.pairs if pair in unknown]


def _age_s(row: dict[str, Any], wall: int) -> int:
    return max(0, int(wall / SECOND - row["since_ts"]))


def rates(view: View) -> dict[str, Any]:
    """Return Kraken's counters, one a pair for orders and the key's for REST calls: what is used and what is left."""
    account = view.account
    threshold = account.threshold if account else 0.0
    pairs = {
        symbol: {"counter": used, "threshold": threshold, "left": round(max(0.0, threshold - used), 2)}
        for symbol, used in (account.counters.items() if account else ())
    }
    used, most = (detail(view, "executor", name) for name in ("rest_counter", "rest_counter_max"))
    is_known = isinstance(used, int | float) and isinstance(most, int | float)
    rest = {"counter": used, "threshold": most, "left": round(max(0.0, most - used), 2)} if is_known else None
    return {"pairs": pairs, "rest": rest}


def fees(view: View) -> dict[str, dict[str, str | None]]:
    """Return maker and taker fee in percent, and the half-spread in basis points that earns the maker fee back."""
    return {
        symbol: {"maker": fee.maker, "taker": fee.taker, "break_even_bps": break_even_bps(fee.maker)}
        for symbol, fee in (view.account.fees.items() if view.account else ())
    }


def slow(view: View, slow_s: float) -> list[dict[str, Any]]:
    """Return operations that ever took longer than the threshold, the slowest first; times in ms."""
    rows = []
    for process, heard in view.heartbeats.items():
        operations = heard.beat.details.get("operations")
        for name, summary in operations.items() if isinstance(operations, dict) else ():
            if isinstance(summary, dict) and float(summary.get("max") or 0) > slow_s * 1000:
                rows.append({"process": process, "operation": name, **summary})
    return sorted(rows, key=lambda each: -float(each["max"]))
