"""Make the table of docs/simulator.md: what is not confirmed of Kraken, with a switch and without one."""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.config import unconfirmed


class Fixed(NamedTuple):
    """Behaviour that is not known and has no switch: what the simulator does, and why there is none."""

    about: str
    done: str
    why: str


FIXED: Final = (
    Fixed(
        "reasons of ended orders",
        "`Immediate or cancel`, `Fill or kill`, `Self trade prevention`, `Market price protection`, `Order replaced`, "
        "`Out of funds`, `Expired`, `Pair changed`",
        "3.2, 10.3: texts for people, and no other text is known",
    ),
    Fixed(
        "an order that the engine cancels",
        "adds no cancel to the rate counter",
        "5.2: not read anywhere; the documentation counts requests",
    ),
    Fixed(
        "the order of an order's checks",
        "arguments, status, price, minimums, funds, rate, open orders",
        "4.5: not read anywhere; each error is the same in any order",
    ),
    Fixed(
        "`triggerTime` of a disarmed switch",
        '`"0"`',
        "3.4: not read anywhere, and no other text is known",
    ),
    Fixed(
        "messages a second",
        "400 at once, 100 a second, then `Exceeded msg rate`",
        "1.11, 10.5: Kraken publishes no figure and says that it varies",
    ),
    Fixed(
        "members of `upcoming_maintenance`",
        "`start_time`, `end_time`",
        "1.2: no capture shows a notice",
    ),
    Fixed(
        "candles of intervals without trades",
        "none",
        "1.8: not read anywhere; a client that copes with gaps also copes without",
    ),
    Fixed(
        "a book message with both sides",
        "version 2 sends one side in each message",
        "1.5, 10.9: none was observed, so nothing is known about its checksum",
    ),
    Fixed(
        "a tick coarser than the last decimal",
        "no pair of the table has one; off the tick of a further pair: `EOrder:Tick size check failed`",
        "6.2: not read anywhere, and no pair is known",
    ),
    Fixed(
        "version 1: an amended or triggered order in `openOrders`",
        "its new terms under the names of the whole order, `misc` `amended` or `touched`",
        "2: no capture shows one",
    ),
    Fixed(
        "version 1: `cancelOrder` of several orders",
        "one `cancelOrderStatus` for each",
        "2: no capture shows one",
    ),
    Fixed(
        "version 1: reasons, rate counter",
        "`cancel_reason`; `ratecount`, a whole number, with `maxratecount` in the acknowledgement",
        "2, 5.2: named in the documentation, no capture",
    ),
)


def table() -> str:
    """Return the table of docs/simulator.md."""
    lines = ["| what | switch | by default | otherwise | what is known |", "| --- | --- | --- | --- | --- |"]
    for name, default, assumption in unconfirmed.assumptions():
        others = "; ".join(
            f"`{plain(value)}`: {meaning}" for value, meaning in assumption.outcomes.items() if value != default
        )
        first = f"`{plain(default)}`: {assumption.outcomes[default]}"
        lines.append(f"| {assumption.about} | `{name}` | {first} | {others} | {assumption.standing} |")
    lines += [f"| {row.about} | none | {row.done} | | {row.why} |" for row in FIXED]
    return "\n".join(lines) + "\n"


def plain(value: object) -> str:
    """Return a value as the configuration's file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
