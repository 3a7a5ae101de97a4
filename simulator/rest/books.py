"""REST's views of the book besides ``Depth``: levels grouped by ticks, and single orders (Kraken's documentation)."""

from __future__ import annotations

from simulator import arguments
from simulator.errors import invalid
from simulator.exchange.engine import Side
from simulator.exchange.venue.venue import Venue
from simulator.keys import KeyState
from simulator.wire import Fields, Written
from simulator.world import World

GROUPED_DEPTHS = (10, 25, 100, 250, 1000)
GROUPINGS = (1, 5, 10, 25, 50, 100, 250, 500, 1000)
LEVEL3_DEPTHS = (0, 10, 25, 100, 250, 1000)


def _one_of(fields: Fields, name: str, allowed: tuple[int, ...], default: int) -> int:
    value = arguments.decimal_text(fields, name)
    if value is None:
        return default
    if value not in allowed:
        raise invalid(name)
    return int(value)


def _venue(world: World, fields: Fields) -> Venue:
    if not fields.get("pair"):
        raise invalid("pair")
    return world.exchange.venues[arguments.rest_pair(fields, world.exchange.state).symbol]


def grouped(world: World, fields: Fields, _now: int) -> Written:
    """Answer ``GroupedBook``: levels of ``grouping`` ticks, each added up at its passive end (asks up, bids down)."""
    venue = _venue(world, fields)
    pair = venue.pair
    depth = _one_of(fields, "depth", GROUPED_DEPTHS, GROUPED_DEPTHS[0])
    grouping = _one_of(fields, "grouping", GROUPINGS, 1)
    step = grouping * pair.tick
    sides: dict[str, list[dict[str, str]]] = {}
    for name, side in (("bids", venue.book.bids), ("asks", venue.book.asks)):
        levels: dict[int, int] = {}
        for price, qty in side.best(len(side.keys)):
            level = price // step * step if name == "bids" else -(-price // step) * step
            if level not in levels and len(levels) == depth:
                break
            levels[level] = levels.get(level, 0) + qty
        sides[name] = [{"price": pair.padded_price(level), "qty": pair.qty(qty)} for level, qty in levels.items()]
    return {"pair": str(fields["pair"]), "grouping": grouping, **sides}


def level3(world: World, _key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``Level3``: the orders of ``depth`` levels a side, 0 for all, next to trade first; times in ns."""
    venue = _venue(world, fields)
    pair = venue.pair
    depth = _one_of(fields, "depth", LEVEL3_DEPTHS, 100) or 2**31
    sides: dict[str, list[dict[str, Written]]] = {}
    names: dict[str, Side] = {"bids": "buy", "asks": "sell"}
    for name, side in names.items():
        sides[name] = [
            {
                "price": pair.padded_price(price),
                "qty": pair.qty(entry.qty),
                "order_id": venue.order_name(entry.number),
                "timestamp": entry.ns,
            }
            for price, entry in venue.order_book().orders(side, depth)
        ]
    return {"pair": str(fields["pair"]), **sides}
