"""One side of a book, with own quotes in place."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from monitor.model.sections import OrderShown
from monitor.ui.text import DASH, Row, Tone

Level = tuple[str, str, int]  # price, quantity (empty where the book does not have it), number from the touch


def own_by_price(orders: Sequence[OrderShown]) -> dict[str, Decimal]:
    """Return what remains of own orders, by price."""
    left: dict[str, Decimal] = {}
    for order in orders:
        if order.is_live:
            left[order.price] = left.get(order.price, Decimal(0)) + Decimal(order.qty) - Decimal(order.filled)
    return left


def nearest(side: Sequence[tuple[str, str]], own: dict[str, Decimal], room: int, *, rising: bool) -> list[Level]:
    """Return up to ``room`` levels, best first: the touch, then own quotes nearest to it, then the best others."""
    there = {price: (price, qty, number) for number, (price, qty) in enumerate(side, 1)}
    missing = [(price, "", 0) for price in own if price not in there]
    every: list[Level] = sorted([*there.values(), *missing], key=lambda level: Decimal(level[0]), reverse=not rising)
    wanted = [level for level in every if level[0] in own or level[2] == 1]
    wanted += [level for level in every if level not in wanted]
    kept = wanted[:room]
    return [level for level in every if level in kept]


def level_row(word: str, level: Level, own: dict[str, Decimal]) -> Row:
    """Return a ladder's row: ``ask`` or ``bid``, number, price, quantity, and what is our own there."""
    price, qty, number = level
    ours = own.get(price)
    tone = Tone.OWN if ours is not None else Tone.PLAIN
    return (
        (word, Tone.BAD if word == "ask" else Tone.GOOD),
        (str(number), Tone.QUIET) if number else DASH,
        (price, tone),
        (qty, Tone.PLAIN) if qty else DASH,
        (format(ours, "f") if ours is not None else "", tone),
    )
