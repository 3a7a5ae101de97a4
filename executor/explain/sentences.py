"""A sentence for each kind of event, for a person who asks why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # Any: what the journal holds of an event, as executor/record/events.py wrote it

from executor.record.rows import OrderRow
from shared.clock import rfc3339


def frame(frame: dict[str, Any]) -> str:
    if not frame.get("exchange_ts"):
        return "a book frame of Kraken's was received"
    late = (frame["received_ts"] - frame["exchange_ts"]) / 1e6
    at = rfc3339(frame["exchange_ts"])[11:23]
    return f"Kraken's book frame of {at} (its clock) received {late:.1f} ms later by ours"


def book(book: dict[str, Any]) -> str:
    if "bid" not in book and "ask" not in book:
        return "booked; its touch is not known"
    return f"booked: bid {book.get('bid', 'none')}, ask {book.get('ask', 'none')}"


def target(order: OrderRow, target: dict[str, Any]) -> str:
    if "price" in target:
        text = f"{order.strategy} wants {order.side} {target['qty']} at {target['price']} in {order.slot}"
    else:
        text = f"{order.strategy} wants nothing in {order.slot}"
    why = f" ({target['why']})" if "why" in target else ""
    signals = [f"{name.replace('_', ' ')} {values[0]:.3g}" for name, values in target.get("signals", {}).items()]
    why += f", by {', '.join(signals)}" if signals else ""
    return f"{text}{why}, for {target['ttl_ms'] / 1000:g} s, knowing of {_count(target['fills'], 'fill')}"


def plan(plan: dict[str, Any]) -> str:
    if plan["step"] != "amend":
        return f"{plan['step']}: {plan['why']}"
    price, qty = plan["price"], plan["qty"]
    changes = [f"{plan['old_price']} to {price}"] if price != plan["old_price"] else []
    changes += [f"{plan['old_qty']} to {qty} left"] if qty != plan["old_qty"] else []
    worth = ""
    if "staying_bps" in plan:
        worth = (
            f"; staying is likely to lose {plan['staying_bps']:g} bp, and the points are worth {plan['moving_bps']:g}"
        )
    return f"amend {', '.join(changes)}: {plan['why']}{worth}"


def budget(budget: dict[str, Any]) -> str:
    points, most = _count(budget["points"], "point"), budget["threshold"]
    where = f"{points} more on the pair's counter at {budget['counter']:g} of {most:g}"
    return f"{where}; {budget['held_back']:g} held back for pulling everything"


# --- what came back --------------------------------------------------------------------------------------------------


def _answer(data: dict[str, Any]) -> str:
    after = f"after {data['latency_ms']:.1f} ms"
    if data.get("error"):
        return f"{data['method']} refused {after}: {data['error']}"
    named = f" as {data['order_id']}" if data.get("order_id") else ""
    return f"{data['method']} accepted {after}{named}"


def _report(data: dict[str, Any]) -> str:
    parts = [f"executions report '{data.get('exec_type', '')}'"]
    parts += [f"because '{data['reason']}'"] if "reason" in data else []
    parts += [f"at {data['limit_price']}"] if "limit_price" in data else []
    parts += [f"{data['cum_qty']} filled"] if float(data.get("cum_qty", 0)) else []
    parts += [f"by {data['by']}: no cancel of ours was on its way"] if "by" in data else []
    return ", ".join(parts)


def fill(data: dict[str, Any]) -> str:
    fees = ", ".join(f"{fee} {asset}" for asset, fee in data.get("fees", {}).items()) or "none"
    how = {"history": ", found in the trades' history", "snapshot": ", found in the executions snapshot"}
    kind = {"m": " as maker", "t": " as taker"}.get(data.get("liquidity_ind", ""), "")
    text = f"{data['last_qty']} at {data['last_price']}{kind}, fee {fees} ({data['exec_id']})"
    return text + how.get(data.get("source", ""), "")


def _snapshot(data: dict[str, Any]) -> str:
    start = "this start's first snapshot" if data.get("is_start") else "a snapshot"
    where = f" at {data['limit_price']}" if "limit_price" in data else ""
    done = f", {data['cum_qty']} filled" if float(data.get("cum_qty", 0)) else ""
    return f"{start} of the open orders shows it as {data.get('order_id', '?')}{where}{done}"


def _restored(data: dict[str, Any]) -> str:
    amend = ", with an amend of unknown outcome" if data["amending"] else ""
    return f"the start of epoch {data['epoch']} found it in the journal as {data['was']}{amend}"


def _adopted(data: dict[str, Any]) -> str:
    where = "this start's first snapshot" if data["is_start"] else "the executions channel"
    owner = "an earlier life's, to be pulled" if data["ours"] else "not ours: left alone, and counted"
    return f"the executor of epoch {data['epoch']} found it by {where} and not in the journal: {owner}"


def _history(data: dict[str, Any]) -> str:
    if data["shows"]:
        return f"the history of closed orders shows it as {data.get('status', 'closed')}"
    return "neither a snapshot after its deadline nor the history of closed orders knows it: it was never placed"


def kept(data: dict[str, Any]) -> str:
    whys = sorted(data["targets"].items(), key=lambda item: -item[1])
    reasons = ", ".join(f"{why} ({count})" if len(whys) > 1 else why for why, count in whys)
    seconds = (data["until_ts"] - data["since_ts"]) / 1e9
    return f"left as it was by {_count(sum(data['targets'].values()), 'target')} in {seconds:.1f} s: {reasons}"


def _count(number: float, noun: str) -> str:
    return f"{number:.10g} {noun}" + ("" if number == 1 else "s")


SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "decided": lambda data: plan(data["plan"]),
    "denied": lambda data: str(data["denied"]),
    "answer": _answer,
    "no_answer": lambda data: f"{data['method']}: {data['why']}; its outcome is unknown",
    "not_sent": lambda data: f"{data['method']} did not leave: {data['why']}",
    "report": _report,
    "fill": fill,
    "snapshot": _snapshot,
    "not_in_snapshot": lambda data: data["why"],
    "history": _history,
    "restored": _restored,
    "adopted": _adopted,
}
SOURCES = {
    "answer": "Kraken's answer",
    "no_answer": "the lack of an answer",
    "not_sent": "our own decision not to send",
    "report": "Kraken's report",
    "fill": "a fill",
    "snapshot": "a snapshot",
    "not_in_snapshot": "a snapshot",
    "history": "the history",
    "restored": "the journal",
    "adopted": "the exchange",
    "decided": "our own decision",
    "denied": "our own decision",
}
