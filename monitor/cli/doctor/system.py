"""The running system by its messages on the bus: processes, halt, books, and orders that are not ours."""

from __future__ import annotations

from typing import Final

from monitor.cli.doctor.finding import Finding, error, ok, warning
from monitor.cli.doctor.questions import Answer, Clock
from monitor.model.status_object import Status
from monitor.model.troubles import not_trading
from monitor.model.view import DEAD, FOREIGN, View, live_orders
from shared.messages import BookState, ProcessState

# No clock that works at all is further off.
OFFSET_KNOWN_MS: Final = 365 * 86_400_000.0


def processes(status: Status) -> list[Finding]:
    """Return findings on each process; one error where none runs."""
    states = {name: process.state for name, process in status.processes.items()}
    if all(state == DEAD for state in states.values()):
        return [error("processes", "nothing runs", "'make run', or supervisord as a daemon")]
    findings = []
    for name, process in status.processes.items():
        if process.state == DEAD:
            mend = f"see logs/{name}.log and logs/supervisord.log; 'tradebyte restart {name}'"
            findings.append(error("processes", f"{name} is dead: {process.why}", mend))
        elif process.state not in (ProcessState.READY, ProcessState.HALTED):
            mend = f"see logs/{name}.log if it stays so"
            findings.append(error("processes", f"{name} is {process.state}: {process.why}", mend))
    return findings or [ok("processes", f"all {len(states)} processes are heard")]


def paused(names: dict[str, str]) -> list[Finding]:
    """Return a warning for each pair and strategy that a person has paused."""
    return [
        warning(
            "paused", f"{name} is paused: {why or 'no reason given'}", f"'tradebyte resume {name}' when it may go on"
        )
        for name, why in names.items()
    ]


def trading(status: Status, wall: int) -> list[Finding]:
    """Return what is wanted and is not so: an error if the exchange refused it, a warning if our own limits did."""
    findings = []
    for is_bad, what, why in not_trading(status, wall):
        mend = "'tradebyte orders' names its last order, 'tradebyte why ORDER' what became of it"
        findings.append((error if is_bad else warning)("quotes", f"{what}: {why}", mend))
    return findings or [ok("quotes", "every quote that is wanted rests, or has been awaited for less than 20 s")]


def halted(why: str | None) -> list[Finding]:
    """Return a finding on the halt switch."""
    if why is None:
        return [ok("halt", "trading is not halted")]
    return [error("halt", f"trading is halted: {why}", "mend the cause, then 'tradebyte resume'")]


def books(status: Status) -> list[Finding]:
    """Return findings on books that are not live or stale."""
    findings = []
    for symbol, book in status.books.items():
        if book.state != BookState.LIVE:
            mend = "it is not quoted on until it is live; 'tradebyte tail feed.status' shows the connection"
            findings.append(error("books", f"{symbol} is {book.state}: {book.why or 'no reason given'}", mend))
        elif book.stale:
            mend = "quiet pairs are healthy; if others trade there now, 'tradebyte restart collector'"
            findings.append(warning("books", f"{symbol} is stale: no update for 60 s", mend))
    return findings or [ok("books", f"all {len(status.books)} books are live")]


def others(view: View, open_orders: Answer | None) -> list[Finding]:
    """Return a finding on foreign orders, which the dead man's switch pulls too."""
    if view.orders_published:
        asked_for = "the configured pairs; other pairs cannot be asked for while the executor uses its key"
        count = sum(order.strategy == FOREIGN for orders in view.orders.values() for order in live_orders(orders))
    elif open_orders is not None and isinstance(open_orders.value, dict):
        open_by_id = open_orders.value.get("open")
        asked_for = "the account"
        rows = open_by_id.values() if isinstance(open_by_id, dict) else []
        count = sum(not _is_ours(row.get("cl_ord_id")) for row in rows if isinstance(row, dict))
    else:
        why = "until the executor has reconciled" if "executor" in view.heartbeats else "while nobody can be asked"
        return [ok("other-orders", f"not known {why}; when the executor is gone, Kraken's switch pulls EVERY order")]
    if not count:
        return [ok("other-orders", f"no order but our own on {asked_for}")]
    text = f"{count} orders on the account are not ours: they are left alone, and count towards exposure"
    mend = (
        "when the executor is gone, Kraken's dead man's switch pulls EVERY order, these too: use an account of its own"
    )
    return [warning("other-orders", text, mend)]


def _is_ours(cl_ord_id: object) -> bool:
    return isinstance(cl_ord_id, str) and len(cl_ord_id) == 18 and cl_ord_id.startswith("T")


def executors_clock(view: View) -> Clock | None:
    """Return the clock offset that the running executor measures."""
    heard = view.heartbeats.get("executor")
    offset_ms = heard.beat.details.get("exchange_offset_ms") if heard else None
    # An older executor sends the whole time since 1970 while it does not know the offset.
    if not isinstance(offset_ms, int | float) or abs(offset_ms) > OFFSET_KNOWN_MS:
        return None
    # It sends the exchange's time less ours.
    return Clock(-offset_ms / 1000, 0.0)


def executors_key(view: View, key_end: str) -> list[Finding]:
    """Return what can be said of the executor's key while the executor uses it: asking would take its nonce."""
    heard = view.heartbeats.get("executor")
    works = heard is not None and view.account is not None and view.account.valid
    how = "to see all that it may do, run doctor with the executor stopped"
    if works:
        return [ok("api-key", f"key …{key_end} is in use by the executor, and works; {how}")]
    why = heard.beat.why if heard is not None else "an executor elsewhere on this machine holds it"
    return [warning("api-key", f"key …{key_end} is in use, and not reconciled with the exchange: {why}", how)]
