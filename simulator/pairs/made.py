"""Made-up pairs in the form of Kraken's AssetPairs: names that nobody has, in the shapes of the pairs of the table."""

from __future__ import annotations

from simulator.pairs.pairs import PAIRS
from simulator.pairs.views import rest_pair


def made_pairs(count: int) -> dict[str, object]:
    """Return ``count`` pairs by id, with decimals, minimums, ticks and statuses of the table's pairs in turn."""
    shapes = list(PAIRS.values())
    made: dict[str, object] = {}
    for number in range(count):
        shape = shapes[number % len(shapes)]
        base = f"SIM{number + 1:04d}"
        quote = shape.quote.altname
        names = {"altname": f"{base}{quote}", "wsname": f"{base}/{quote}", "base": base}
        made[f"{base}{quote}"] = {**rest_pair(shape, shape.status), **names, "leverage_buy": [], "leverage_sell": []}
    return made
