"""One side of the Python book: its levels in order, and the text of the best of them that the checksum is over."""

from __future__ import annotations

from bisect import bisect_left, insort

from book.levels import U64_MAX

CHECKSUM_LEVELS = 10


class Ladder:
    """One side's levels. A rank is a price, negative for bids, so that the best comes first on both sides."""

    __slots__ = ("_lots", "_per_wire_unit", "_ranks", "_sign", "_text", "_texts")

    def __init__(self, *, is_bid: bool) -> None:
        self._sign = -1 if is_bid else 1
        self._ranks: list[int] = []
        # The quantity and the checksum's text of each rank.
        self._lots: dict[int, int] = {}
        self._texts: dict[int, bytes] = {}
        # What a price and a quantity are divided by for the checksum's text.
        self._per_wire_unit = (1, 1)
        # The best levels' text; None once one of them has changed.
        self._text: bytes | None = b""

    @property
    def best(self) -> int | None:
        """Return the best price, None without one."""
        return self._ranks[0] * self._sign if self._ranks else None

    def clear(self) -> None:
        """Forget every level."""
        self._ranks, self._lots, self._texts, self._text = [], {}, {}, b""

    def set(self, price: int, qty: int) -> None:
        """Set the quantity at a price; 0 takes the level away."""
        rank, ranks, lots = price * self._sign, self._ranks, self._lots
        if qty:
            if rank not in lots:
                insort(ranks, rank)
            lots[rank] = qty
            per_price, per_qty = self._per_wire_unit
            self._texts[rank] = b"%d%d" % (price // per_price, qty // per_qty)
        elif rank in lots:
            del lots[rank], self._texts[rank], ranks[bisect_left(ranks, rank)]
        if len(ranks) <= CHECKSUM_LEVELS or rank <= ranks[CHECKSUM_LEVELS - 1]:
            self._text = None

    def truncate(self, depth: int) -> None:
        """Drop the worst levels beyond ``depth``: Kraken sends no delete for what falls out of the subscription."""
        if len(self._ranks) > depth:
            for rank in self._ranks[depth:]:
                del self._lots[rank], self._texts[rank]
            del self._ranks[depth:]
            self._text = None

    def best_first(self, n: int, per_price: int, per_qty: int) -> list[tuple[int, int]]:
        """Return up to ``n`` levels as (price, quantity), best first, in so many times coarser units."""
        sign, lots = self._sign, self._lots
        return [(rank * sign // per_price, lots[rank] // per_qty) for rank in self._ranks[: max(n, 0)]]

    def text(self) -> bytes:
        """Return the checksum's text of the best levels."""
        if self._text is None:
            self._text = b"".join(map(self._texts.__getitem__, self._ranks[:CHECKSUM_LEVELS]))
        return self._text

    def outgrows(self, by_price: int, by_qty: int) -> bool:
        """True if a level in so many times finer units would not fit 64 bits."""
        return any(abs(rank) * by_price > U64_MAX or qty * by_qty > U64_MAX for rank, qty in self._lots.items())

    def rescale(self, by_price: int, by_qty: int, per_wire_unit: tuple[int, int]) -> None:
        """Bring the levels to finer units, and the text to the wire's."""
        levels = [(abs(rank) * by_price, self._lots[rank] * by_qty) for rank in self._ranks]
        self._per_wire_unit = per_wire_unit
        self.clear()
        for price, qty in levels:
            self.set(price, qty)
