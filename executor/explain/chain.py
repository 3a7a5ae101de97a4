"""An order's events as the steps of its causal chain, each with a sentence: what ``why`` prints.

One event of the journal may become several steps: a decision has a frame, book, target, plan, risk verdict, rate budget
and bytes, each at its own time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any  # Any: what the journal holds of an event, as executor/record/events.py wrote it

from executor.explain import sentences
from executor.record.rows import EventRow, FillRow, OrderRow
from shared.clock import rfc3339

# Steps that are shown of an order's first decision; of later ones only with --all.
_ONCE = frozenset({"frame", "book", "risk", "budget"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its time (ns since the epoch), kind, sentence and data; a ``detail`` is shown only with --all."""

    ts: int
    kind: str
    text: str
    data: dict[str, Any]
    detail: bool = False


def steps(order: OrderRow, events: Sequence[EventRow], fills: Iterable[FillRow]) -> list[Step]:
    """Return every known step of an order, in time order."""
    chain: list[Step] = []
    waiting: dict[int, tuple[EventRow, dict[str, Any]]] = {}  # decisions whose bytes have no answer yet, by request
    decided = 0
    for event in sorted(events, key=lambda event: event.n):
        data: dict[str, Any] = json.loads(event.data)
        kept = data.pop("kept", None)
        if kept:
            chain.append(Step(kept["until_ts"], "kept", sentences.kept(kept), kept))
        if event.kind == "kept":
            continue
        if event.kind in ("decided", "denied"):
            chain += _decision(order, event, data, first=not decided)
            decided += 1
            if "req_id" in data:
                waiting[data["req_id"]] = (event, data)
            continue
        if event.kind in ("answer", "no_answer") and data.get("req_id") in waiting:
            chain.append(_sent(*waiting.pop(data["req_id"]), data["sent_ts"]))
        if event.kind == "restored":
            chain += [_sent(*left, None) for left in waiting.values()]
            waiting.clear()
        chain.append(
            Step(event.event_ts, event.kind, sentences.SENTENCES[event.kind](data), data, _is_plain(event.kind, data))
        )
    chain += [_sent(*left, None) for left in waiting.values()]
    reported = {step.data.get("exec_id") for step in chain}
    chain += [_fill_of_row(fill) for fill in fills if fill.exec_id not in reported]
    return sorted(chain, key=lambda step: step.ts)


def evidence(order: OrderRow, events: Sequence[EventRow]) -> tuple[EventRow | None, str]:
    """Return the event that put the order into its state, and a sentence for it."""
    last: EventRow | None = None
    for event in sorted(events, key=lambda event: event.n):
        if event.kind == "kept":
            continue
        if event.state != order.state:
            last = None
        elif last is None:
            last = event
    if last is None:
        return None, f"{order.state}; what showed it is not among the events that are kept"
    sentence = sentences.SENTENCES[last.kind](json.loads(last.data))
    return last, f"{order.state}, by {sentences.SOURCES[last.kind]} at {rfc3339(last.event_ts)[11:23]}: {sentence}"


def left_out(events: Sequence[EventRow]) -> int:
    """Return how many events between an order's beginning and its newest are not kept any more."""
    numbers = [event.n for event in events]
    return max(numbers) + 1 - len(numbers) if numbers else 0


# --- steps of events -------------------------------------------------------------------------------------------------


def _decision(order: OrderRow, event: EventRow, data: dict[str, Any], *, first: bool) -> list[Step]:
    at = event.event_ts
    parts: list[tuple[int, str, str, Any]] = []
    frame, book, target = data.get("frame"), data.get("book"), data.get("target")
    if frame:
        parts.append((frame["received_ts"], "frame", sentences.frame(frame), frame))
    if book:
        parts.append((book["booked_ts"], "book", sentences.book(book), book))
    if target:
        parts.append((target["decided_ts"], "target", sentences.target(order, target), target))
    plan = data["plan"]
    parts.append((at, "plan", sentences.plan(plan), plan))
    if "denied" in data:
        parts.append((at, "denied", data["denied"], {"why": data["denied"]}))
    elif plan["step"] == "cancel":
        parts.append((at, "risk", "a cancel is always allowed, and waits for nothing", {"allowed": True}))
    else:
        parts.append((at, "risk", "allowed: within every limit at the worst that could happen", {"allowed": True}))
    if "budget" in data:
        parts.append((at, "budget", sentences.budget(data["budget"]), data["budget"]))
    amends = plan["step"] == "amend" and "denied" not in data
    return [
        Step(ts, kind, sentence, part, not first and (kind in _ONCE or (kind == "target" and amends)))
        for ts, kind, sentence, part in parts
    ]


def _sent(event: EventRow, data: dict[str, Any], sent_ts: int | None) -> Step:
    batch = f", in a batch of {data['batch']}" if "batch" in data else ""
    is_amend = data["plan"]["step"] == "amend"
    known = {"bytes": data["bytes"], "batch": data.get("batch", 1)}
    if sent_ts is None:
        return Step(event.event_ts, "sent", f"journaled, no answer seen{batch}: {data['bytes']}", known)
    return Step(sent_ts, "sent", f"{data['bytes']}{batch}", known, is_amend)


def _fill_of_row(row: FillRow) -> Step:
    data = {
        "exec_id": row.exec_id,
        "last_qty": row.qty,
        "last_price": row.price,
        "fees": {row.fee_asset: row.fee},
        "timestamp": rfc3339(row.fill_ts),
    }
    return Step(row.fill_ts, "fill", sentences.fill(data), data)


def _is_plain(kind: str, data: dict[str, Any]) -> bool:
    """True for a report that only repeats an answer: an amend was carried out."""
    return kind == "report" and data.get("exec_type") in ("amended", "restated")


# --- what is printed -------------------------------------------------------------------------------------------------


def as_json(order: OrderRow, events: Sequence[EventRow], fills: Sequence[FillRow]) -> dict[str, Any]:
    """Return the whole chain as one object: numbers as decimal text, times RFC 3339."""
    event, sentence = evidence(order, events)
    names = ("cl_ord_id", "order_id", "strategy", "symbol", "slot", "side", "price", "qty", "filled", "state", "error")
    return {
        **{name: getattr(order, name) for name in names},
        "live": order.is_live,
        "created": rfc3339(order.created_ts),
        "changed": rfc3339(order.changed_ts),
        "evidence": {"kind": event.kind if event else "", "ts": _time(event), "text": sentence},
        "events_left_out": left_out(events),
        "events": [
            {"ts": rfc3339(step.ts), "kind": step.kind, "text": step.text, **_times(step.data)}
            for step in steps(order, events, fills)
        ],
    }


def _time(event: EventRow | None) -> str:
    return rfc3339(event.event_ts) if event is not None else ""


def _times(data: dict[str, Any]) -> dict[str, Any]:
    """Return ``*_ts`` as RFC 3339 without the suffix, as the other commands print times."""
    return {
        name.removesuffix("_ts"): rfc3339(value) if name.endswith("_ts") and value else value
        for name, value in data.items()
        if name not in ("kind", "text", "ts")
    }


def screen(order: OrderRow, events: Sequence[EventRow], fills: Sequence[FillRow], most: int | None) -> list[str]:
    """Return the chain as lines for a person: at most ``most`` steps without details, or everything for None."""
    whole = steps(order, events, fills)
    chosen = [step for step in whole if most is None or not step.detail]
    gap, missing = len(chosen), 0
    if most is not None and len(chosen) > most:
        gap, missing = most // 2, len(chosen) - most
        chosen = chosen[:gap] + chosen[gap + missing :]
    amount = f"{order.side} {order.qty} {order.symbol} at {order.price}"
    lines = [
        f"{order.cl_ord_id}  {order.order_id or '(no id of Kraken)'}  {order.strategy} {order.slot}",
        f"{amount}, {order.filled} filled, {order.state}" + (f" ({order.error})" if order.error else ""),
        "",
    ]
    last = ""
    for number, step in enumerate(chosen):
        if missing and number == gap:
            lines.append(f"{'':<15}  …           {missing} steps more; --all shows them")
        at = rfc3339(step.ts)
        if at[:10] != last[:10]:
            lines.append(at[:10])
        lines.append(f"{'' if at[:23] == last[:23] else at[11:23]:<12}  {step.kind.replace('_', ' '):<15}  {step.text}")
        last = at
    if not whole:
        lines.append("its events are not kept any more, or it is older than events are")
    elif left_out(events):
        lines.append(f"{left_out(events)} events between its beginning and its newest are not kept")
    lines += ["", f"evidence: {evidence(order, events)[1]}" if whole else f"last state: {order.state}"]
    return lines
