"""Judging each assumption about Kraken by a transcript.

The outcome of a check is ``confirmed``, ``differs`` (the executor copes, unless the finding is unsafe) or ``not seen``.
``switch`` names the simulator's switch for the same behaviour, and ``value`` the setting that was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any  # Any: what Kraken answered, compared with what is believed of it

from executor.livecheck.transcript import Call, Transcript
from shared.clock import MS, SECOND, parse_rfc3339
from shared.kraken.errors import Meaning, meaning

CLOCK_OFF_MS = 500


class Outcome(StrEnum):
    """The evidence for or against a belief."""

    CONFIRMED = "confirmed"
    DIFFERS = "differs"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Finding:
    """One belief; ``seen`` is the evidence, and with an ``is_unsafe`` one trading must not begin."""

    name: str
    belief: str
    outcome: Outcome
    seen: str
    switch: str = ""
    value: Any = None
    is_unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """The two orders of a check; an order id is empty if its order was not placed."""

    cl_ord_ids: tuple[str, str]
    order_ids: tuple[str, str]


def judge(transcript: Transcript, placed: Placed) -> list[Finding]:
    """Return a finding for every belief that this transcript has evidence about."""
    return [finding for check in CHECKS for finding in check(transcript, placed)]


def _result(call: Call | None) -> dict[str, Any]:
    result = call.answer.get("result") if call is not None else None
    return result if isinstance(result, dict) else {}


def _of(name: str, belief: str, holds: bool | None, seen: str, **more: Any) -> Finding:
    outcome = Outcome.NOT_SEEN if holds is None else Outcome.CONFIRMED if holds else Outcome.DIFFERS
    if outcome is not Outcome.DIFFERS:
        more.pop("is_unsafe", None)
    return Finding(name, belief, outcome, seen, **more)


def clock(transcript: Transcript, _placed: Placed) -> Iterator[Finding]:
    """Check that answers carry the exchange's time, precisely enough for deadlines."""
    offsets = []
    for call in transcript.calls:
        if call.answered and call.answer.get("time_in") and call.answer.get("time_out"):
            time_in, time_out = parse_rfc3339(call.answer["time_in"]), parse_rfc3339(call.answer["time_out"])
            yield from (
                [] if time_out >= time_in else [_of("time order", "time_in is before time_out", False, call.step)]
            )
            offsets.append(((call.answered - call.sent) - (time_out - time_in)) / MS)
    quickest = min(offsets, default=None)
    seen = (
        "no answer carried times" if quickest is None else f"{quickest:.0f} ms of a round trip are not the exchange's"
    )
    yield _of(
        "answer times",
        "every answer says when it was taken in and sent out, so that deadlines can be computed",
        None if not transcript.calls else quickest is not None and quickest < 2 * CLOCK_OFF_MS,
        seen,
        is_unsafe=True,
    )


def snapshots(transcript: Transcript, _placed: Placed) -> Iterator[Finding]:
    """Check that both channels begin with a snapshot of sequence 1; which comes first is noted."""
    executions, balances = transcript.snapshot("executions"), transcript.snapshot("balances")
    both = executions is not None and balances is not None
    first = "none came"
    if executions is not None and balances is not None:
        first = "executions first" if executions.order < balances.order else "balances first"
    yield _of("first snapshots", "executions and balances each begin with a snapshot", both, first, is_unsafe=True)
    sequences = [push.sequence for push in (executions, balances) if push is not None]
    is_one = all(sequence == 1 for sequence in sequences)
    yield _of("sequence", "each channel's sequence begins at 1", is_one if sequences else None, str(sequences))
    yield from _gaps(transcript)
    if balances is not None:
        wallets = [wallet for row in balances.data for wallet in row.get("wallets") or []]
        kinds = sorted({f"{wallet.get('type')}/{wallet.get('id')}" for wallet in wallets})
        seen = ", ".join(kinds) or "no wallets are listed"
        yield _of("wallets", "a balance's wallets are listed, the spot one as spot/main", "spot/main" in kinds, seen)


def _gaps(transcript: Transcript) -> Iterator[Finding]:
    last: dict[str, int] = {}
    gaps = []
    for push in transcript.pushes:
        before = last.get(push.channel)
        if push.type != "snapshot" and before is not None and push.sequence != before + 1:
            gaps.append(f"{push.channel} {before} to {push.sequence}")
        last[push.channel] = push.sequence
    yield _of("no gaps", "a channel's sequence rises by one", not gaps if transcript.pushes else None, ", ".join(gaps))


def add(transcript: Transcript, placed: Placed) -> Iterator[Finding]:
    """Check that an add's answer has both ids, and that reports carry the client's."""
    call = transcript.call("add")
    result = _result(call)
    has_both = bool(result.get("order_id")) and result.get("cl_ord_id") == placed.cl_ord_ids[0]
    known = None if call is None or call.error else has_both
    yield _of("add's answer", "add_order answers with order_id and the cl_ord_id that was sent", known, str(result))
    reports = transcript.reports(placed.order_ids[0], placed.cl_ord_ids[0])
    kinds = [str(row.get("exec_type")) for _, row in reports]
    yield _of(
        "pending_new", "a report pending_new comes before new", _before(kinds, "pending_new", "new"), str(kinds[:4])
    )
    news = [row for _, row in reports if row.get("exec_type") in ("pending_new", "new")]
    echoes = [row.get("cl_ord_id") == placed.cl_ord_ids[0] for row in news]
    yield _of(
        "cl_ord_id in reports",
        "reports carry the cl_ord_id, so that an order is known before its answer",
        all(echoes) if echoes else None,
        f"{sum(echoes)} of {len(echoes)} reports",
    )
    if call is not None and reports:
        first = "the answer" if call.order < reports[0][0].order else "the report"
        yield _of("answer or report first", "either may come first", True, f"{first} came first")


def _before(kinds: list[str], one: str, other: str) -> bool | None:
    if one not in kinds or other not in kinds:
        return False if kinds else None
    return kinds.index(one) < kinds.index(other)


def snapshot_of_open_orders(transcript: Transcript, placed: Placed) -> Iterator[Finding]:
    """Check that a new subscription shows what rests, at once or after a lag."""
    resubscribed = transcript.call("subscribe again")
    if resubscribed is None:
        return
    snapshot = transcript.snapshot("executions", resubscribed.order - 1)
    ids = [row.get("order_id") for row in snapshot.data] if snapshot is not None else []
    shows = placed.order_ids[0] in ids
    yield _of(
        "open order in a snapshot",
        "a snapshot shows an order that was acknowledged 5 s before it was asked for (T17)",
        shows if snapshot is not None and placed.order_ids[0] else None,
        f"{len(ids)} rows, {'with' if shows else 'without'} the order",
        is_unsafe=True,
    )


def amend(transcript: Transcript, placed: Placed) -> Iterator[Finding]:
    """Check that an amend by cl_ord_id keeps the order, and that its report has the new price."""
    call = transcript.call("amend")
    if call is None or call.error:
        yield _of(
            "amend", "amend_order by cl_ord_id changes price and quantity in place", None, call.error if call else ""
        )
        return
    amended = [row for _, row in transcript.reports(*_ids(placed)) if row.get("exec_type") == "amended"]
    wanted = call.params.get("limit_price")
    holds = (
        bool(amended) and str(amended[-1].get("limit_price")) != "" and _same(amended[-1].get("limit_price"), wanted)
    )
    yield _of(
        "amend", "amend_order by cl_ord_id changes the price in place, and a report says so", holds, str(amended[-1:])
    )


def _ids(placed: Placed) -> tuple[str, str]:
    return placed.order_ids[0], placed.cl_ord_ids[0]


def _same(one: Any, other: Any) -> bool:
    try:
        return abs(float(one) - float(other)) <= 1e-9 * abs(float(other))
    except (TypeError, ValueError):
        return False


def batch_cancel(transcript: Transcript, placed: Placed) -> Iterator[Finding]:
    """Check that a batch of cancels by order ids takes both, whichever form its answer has."""
    call = transcript.call("batch cancel") or transcript.call("batch cancel with an unknown order")
    if call is None:
        return
    forms = {
        (True, True): "both",
        (True, False): "count",
        (False, True): "orders_cancelled",
    }
    form = forms.get(("count" in _result(call), "orders_cancelled" in call.answer), "")
    seen = f"{form or 'neither form'} {call.error}".strip()
    more = {"switch": "batch_cancel_result", "value": form} if form else {}
    yield _of(
        "batch_cancel", "batch_cancel takes order ids, and counts them", not call.error and bool(form), seen, **more
    )
    ended = [
        row
        for name, order_id in zip(placed.cl_ord_ids, placed.order_ids, strict=True)
        for _, row in transcript.reports(order_id, name)
        if row.get("exec_type") == "canceled"
    ]
    reasons = sorted({str(row.get("reason") or row.get("cancel_reason")) for row in ended})
    holds = len(ended) == 2 and reasons == ["User requested"]
    yield _of(
        "reports of cancels", "each cancelled order has a report, its reason 'User requested'", holds, str(reasons)
    )


def small_batches(transcript: Transcript, _placed: Placed) -> Iterator[Finding]:
    """Find the fewest orders that a batch of cancels takes, and what an order that is not open does to it."""
    call = transcript.call("batch cancel of one")
    if call is not None:
        # Rejected for the order, and not for the number of orders: one would be taken.
        least = 1 if not call.error or meaning(call.error) is Meaning.UNKNOWN_ORDER else 2
        seen = call.error or "taken"
        belief = "a batch_cancel wants two orders; one is cancelled alone"
        yield _of("least of a batch", belief, least == 2, seen, switch="batch_cancel_least", value=least)
    call = transcript.call("batch cancel with an unknown order")
    if call is not None:
        value = "refused" if call.error else "skipped"
        belief = "an order that is not open is left out of a batch_cancel"
        yield _of(
            "unknown in a batch",
            belief,
            value == "skipped",
            call.error or "skipped",
            switch="batch_cancel_unknown",
            value=value,
        )
    call = transcript.call("cancel of an ended order")
    if call is not None:
        holds = meaning(call.error) is Meaning.UNKNOWN_ORDER
        yield _of("unknown order", "a cancel of an ended order is EOrder:Unknown order", holds, call.error or "taken")


def dry_adds(transcript: Transcript, _placed: Placed) -> Iterator[Finding]:
    """Note the answer to ``validate``, and the error for a price with too many decimals."""
    call = transcript.call("validated add")
    if call is not None and not call.error:
        has_id = "order_id" in _result(call)
        belief = "add_order with validate places nothing, and has no order_id"
        yield _of("validate", belief, not has_id, str(_result(call)), switch="validate_order_id", value=has_id)
    call = transcript.call("too many decimals")
    if call is not None:
        value = {"EOrder:Invalid price": "invalid_price", "EOrder:Tick size check failed": "tick_size"}
        seen = next((position for text, position in value.items() if call.error.startswith(text)), "")
        more = {"switch": "too_many_decimals", "value": seen} if seen else {}
        yield _of(
            "too many decimals", "a price off the tick is refused", bool(call.error), call.error or "taken", **more
        )


def subscriptions(transcript: Transcript, _placed: Placed) -> Iterator[Finding]:
    """Note the answer to a second subscription to the same channel."""
    call = transcript.call("subscribe twice")
    if call is not None:
        value = "refused" if call.error else "acknowledged"
        belief = "a second subscribe to a channel is refused, or acknowledged with a new snapshot"
        yield _of("second subscribe", belief, True, call.error or value, switch="duplicate_subscribe", value=value)


def counters(transcript: Transcript, placed: Placed) -> Iterator[Finding]:
    """Check that reports have the pair's rate counter, under either name, and the subscription its threshold."""
    rows = [
        row
        for name, order_id in zip(placed.cl_ord_ids, placed.order_ids, strict=True)
        for _, row in transcript.reports(order_id, name)
    ]
    names = sorted({name for row in rows for name in ("ratecount", "ratecounter") if row.get(name) is not None})
    more = {"switch": "rate_counter_name", "value": names[0]} if len(names) == 1 else {}
    seen = ", ".join(names) or "no report has it: our own counter alone counts"
    yield _of("rate counter", "reports have the pair's counter", bool(names) if rows else None, seen, **more)
    subscribed = transcript.call("subscribe executions")
    most = _result(subscribed).get("maxratecount")
    known = most in (60, 125, 180)
    yield _of(
        "threshold",
        "the subscription's answer has the tier's threshold: 60, 125 or 180",
        known if subscribed else None,
        str(most),
    )


def switch(transcript: Transcript, _placed: Placed) -> Iterator[Finding]:
    """Check that the dead man's switch says when it fires, and that disarming it shows."""
    armed, off = transcript.call("arm"), transcript.call("disarm")
    result = _result(armed)
    try:
        life_s = (parse_rfc3339(result["triggerTime"]) - parse_rfc3339(result["currentTime"])) / SECOND
    except (KeyError, ValueError, TypeError, AttributeError):
        life_s = -1.0
    wanted = armed.params.get("timeout", 0) if armed is not None else 0
    holds = None if armed is None or armed.error else abs(life_s - wanted) <= 1
    belief = "cancel_all_orders_after answers with its trigger time, the timeout from now"
    yield _of("the switch", belief, holds, str(result or (armed.error if armed else "")), is_unsafe=True)
    trigger = str(_result(off).get("triggerTime"))
    known = None if off is None or off.error else trigger in ("0", "", "None")
    yield _of("the switch is off", "a timeout of 0 disarms, and its trigger time is 0", known, trigger)


def ledger(transcript: Transcript, _placed: Placed) -> Iterator[Finding]:
    """Check that ledger entries name their trade by ``refid``, and that the history shows cancelled orders."""
    entries, trades = transcript.call("ledgers"), transcript.call("trades")
    if entries is not None and trades is not None and not entries.error and not trades.error:
        rows = [row for row in (entries.answer.get("ledger") or {}).values() if row.get("type") == "trade"]
        names = set((trades.answer.get("trades") or {}).keys())
        oldest = min((float(row["time"]) for row in (trades.answer.get("trades") or {}).values()), default=0.0)
        recent = [row for row in rows if names and float(row.get("time", 0)) >= oldest]
        holds = all(row.get("refid") in names for row in recent) if recent else None
        belief = "a trade's ledger entries name its trade as refid"
        yield _of(
            "ledger's refid", belief, holds, f"{len(recent)} entries held against {len(names)} trades", is_unsafe=True
        )
    closed = transcript.call("closed orders")
    if closed is not None and not closed.error:
        names = {row.get("cl_ord_id") for row in (closed.answer.get("closed") or {}).values()}
        wanted = str(closed.params.get("cl_ord_id"))
        belief = "ClosedOrders finds an order by its cl_ord_id, a minute later at the latest"
        seen = f"{(closed.answered - closed.sent) / SECOND:.1f} s, {len(names)} rows"
        yield _of("history by cl_ord_id", belief, wanted in names, seen, is_unsafe=True)


CHECKS: tuple[Callable[[Transcript, Placed], Iterator[Finding]], ...] = (
    clock,
    snapshots,
    add,
    snapshot_of_open_orders,
    amend,
    batch_cancel,
    small_batches,
    dry_adds,
    subscriptions,
    counters,
    switch,
    ledger,
)
