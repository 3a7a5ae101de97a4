"""The fills of both sides, beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from executor.orders import ids
from shared.clock import SECOND
from shared.messages import Fill, Pair, Side
from shared.numbers import scale
from simulator.exchange.orders import Fill as PlayedFill

# Fills of one price match within this time.
WITHIN_NS = 2 * SECOND
# A fill of which this share matches is a matched one; what is left of it is a difference in size.
ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class OwnFill:
    """One own fill: time at the exchange (ns since the epoch), ticks and lots, fee in the quote asset.

    ``key`` is the exec id, with which side the fill is of.
    """

    key: str
    is_live: bool
    ts: int
    symbol: str
    slot: str
    side: Side
    price: int
    lots: int
    fee: Decimal
    cl_ord_id: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Lots of a live fill, of a played one, or of both."""

    live: OwnFill | None
    played: OwnFill | None
    lots: int

    @property
    def fill(self) -> OwnFill:
        """Return the live fill, else the played one."""
        fill = self.live or self.played
        assert fill is not None
        return fill


@dataclass(frozen=True, slots=True)
class Beside:
    """All pieces: matched ones, what is left of matched fills, and fills of only one side."""

    matched: list[Piece]
    sizes: list[Piece]
    missed: list[Piece]
    extra: list[Piece]
    # How many live fills match.
    live_matched: int


def live_fills(
    fills: Iterable[Fill], strategy: str, pairs: dict[str, Pair], begin_ts: int, end_ts: int
) -> list[OwnFill]:
    """Return a strategy's recorded fills in a time, each once."""
    mine: dict[str, OwnFill] = {}
    for fill in fills:
        pair = pairs.get(fill.symbol)
        if fill.strategy != strategy or pair is None or not begin_ts <= fill.fill_ts <= end_ts:
            continue
        mine[fill.exec_id] = OwnFill(
            f"live {fill.exec_id}",
            True,
            fill.fill_ts,
            fill.symbol,
            slot_of(fill.cl_ord_id),
            fill.side,
            scale(fill.price, pair.price_precision),
            scale(fill.qty, pair.qty_precision),
            Decimal(fill.fee),
            fill.cl_ord_id,
        )
    return sorted(mine.values(), key=lambda fill: fill.ts)


def played_fills(fills: Iterable[PlayedFill]) -> list[OwnFill]:
    """Return the fills of the exact engine."""
    return [
        OwnFill(
            f"played {fill.exec_id}",
            False,
            fill.ns,
            fill.pair.symbol,
            slot_of(fill.cl_ord_id or ""),
            fill.side,
            fill.price,
            fill.qty,
            Decimal(fill.fee).scaleb(-fill.pair.cost_precision),
            fill.cl_ord_id or "",
        )
        for fill in fills
    ]


def slot_of(cl_ord_id: str) -> str:
    """Return the slot that a client order id names, or nothing."""
    parts = ids.parse(cl_ord_id)
    return parts.slot if parts is not None else ""


def match(live: list[OwnFill], played: list[OwnFill]) -> Beside:
    """Match fills of one symbol, side and price, the nearest in time first, lot by lot."""
    left = {fill.key: fill.lots for fill in [*live, *played]}
    theirs: dict[tuple[str, Side, int], list[OwnFill]] = defaultdict(list)
    for fill in played:
        theirs[fill.symbol, fill.side, fill.price].append(fill)
    near = [
        (abs(ours.ts - other.ts), number, place, ours, other)
        for number, ours in enumerate(live)
        for place, other in enumerate(theirs[ours.symbol, ours.side, ours.price])
        if abs(ours.ts - other.ts) <= WITHIN_NS
    ]
    matched = []
    for _, _, _, ours, other in sorted(near, key=lambda each: each[:3]):
        lots = min(left[ours.key], left[other.key])
        if lots:
            matched.append(Piece(ours, other, lots))
            left[ours.key] -= lots
            left[other.key] -= lots
    beside = Beside(matched, [], [], [], sum(_is_matched(fill, left) for fill in live))
    of_order: dict[str, int] = defaultdict(int)
    for piece in matched:
        for own in (piece.live, piece.played):
            assert own is not None
            of_order[own.cl_ord_id] += piece.lots
    for fill in [*live, *played]:
        lots = left[fill.key]
        if lots:
            # The rest of an order that was filled on both sides, in the same fill or in one of its own.
            is_rest = _is_matched(fill, left) or lots <= (1 - ENOUGH) * of_order[fill.cl_ord_id]
            others = beside.missed if fill.is_live else beside.extra
            piece = Piece(fill, None, lots) if fill.is_live else Piece(None, fill, lots)
            (beside.sizes if is_rest else others).append(piece)
    return beside


def _is_matched(fill: OwnFill, left: dict[str, int]) -> bool:
    return left[fill.key] <= (1 - ENOUGH) * fill.lots
