"""Profit, in total and of one pair, and the holding of each base."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from monitor.model.sections import PairProfit
from monitor.ui.amounts import in_quote
from monitor.ui.snapshot import Snapshot
from monitor.ui.text import DASH, Piece, Tone, money, toned
from shared.valuation import legs

NOTHING: Final[Piece] = ("", Tone.PLAIN)


def made(realised: str, unrealised: str, fees: str) -> Decimal | None:
    """Return realised and unrealised profit less fees; None where one of them is no number."""
    try:
        return Decimal(realised) + Decimal(unrealised) - Decimal(fees)
    except InvalidOperation:
        return None


def total_made(snapshot: Snapshot) -> str | None:
    """Return the profit of all pairs to the cent, with its sign; None until the executor is reconciled."""
    total = snapshot.profit.total
    value = made(total.realised, total.unrealised, total.fees)
    return money(value, signed=True) if snapshot.profit.valid and value is not None else None


def pair_amounts(snapshot: Snapshot, symbol: str, each: PairProfit) -> list[Piece]:
    """Return a pair's profit, realised, unrealised and fees, in its quote asset."""
    rate = snapshot.positions.rates.get(legs(symbol)[1])
    known, currency = rate.rate if rate is not None else None, snapshot.profit.currency

    def text(value: str | Decimal | None, *, signed: bool) -> str:
        return in_quote(value, symbol, currency, known, signed=signed)

    values = (made(each.realised, each.unrealised, each.fees), each.realised, each.unrealised)
    signed = [text(value, signed=True) for value in values]
    return [*((amount, toned(amount)) for amount in signed), (text(each.fees, signed=False), Tone.PLAIN)]


def total_amounts(snapshot: Snapshot) -> list[Piece]:
    """Return the same of all pairs together, in the trading currency."""
    total = snapshot.profit.total
    values = (made(total.realised, total.unrealised, total.fees), total.realised, total.unrealised)
    signed = [money(value, signed=True) for value in values]
    return [*((amount, toned(amount)) for amount in signed), (money(total.fees), Tone.PLAIN)]


def parts(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return the parts of the profit with their amounts to the cent; those that are nothing only where they matter."""
    made_of = snapshot.profit.attribution
    if made_of is None or not snapshot.profit.valid:
        return []
    always = {"spread": made_of.spread, "adverse": made_of.adverse, "drift": made_of.drift, "fees": made_of.fees}
    rare = {"unmarked": made_of.unmarked, "unexplained": made_of.unexplained}
    amounts = [(name, money(text, signed=True)) for name, text in always.items()]
    return amounts + [(name, amount) for name, text in rare.items() if (amount := money(text, signed=True)) != "0.00"]


def markouts(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return the mean markout in bp by horizon, those that have fills."""
    means = snapshot.profit.markouts.items()
    return [(f"{horizon} s", f"{mean.mean_bps:+.2f} bp") for horizon, mean in means if mean.mean_bps is not None]


def first_pairs(snapshot: Snapshot) -> dict[str, tuple[Piece, Piece]]:
    """Return each base's position and worth by the first pair that it is the base of."""
    first: dict[str, tuple[Piece, Piece]] = {}
    seen = set()
    for symbol in snapshot.books:
        base = legs(symbol)[0]
        row = snapshot.positions.assets.get(base)
        if base not in seen:
            first[symbol] = (DASH, DASH) if row is None else _held(snapshot, base, row.position, row.worth, row.held)
        seen.add(base)
    return first


def _held(snapshot: Snapshot, base: str, position: str, worth: str, held: str) -> tuple[Piece, Piece]:
    rate = snapshot.positions.rates.get(base)
    is_stale = rate is not None and not rate.valid
    tone = Tone.BAD if held else Tone.PLAIN
    return (position, tone), (money(worth or None) + (" stale" if is_stale else ""), Tone.WARN if is_stale else tone)
