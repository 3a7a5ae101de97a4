"""Each check is seen to fail: an executor that is broken on purpose is found out within a few seeds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import pytest

from executor.account.held import Holds
from executor.account.profit import Statement
from executor.account.rates import Rates
from executor.decide import flatten, risk
from executor.decide.closed import Closed
from executor.decide.flatten import Flatten, Step
from executor.decide.gates import Gates
from executor.orders.denial import Denial
from shared.messages import Side
from shared.valuation import legs
from tests.simulation.markets import MARKETS
from tests.simulation.world import World

Patch = pytest.MonkeyPatch
SHARED, CRYPTO = MARKETS[1], MARKETS[2]
SEEDS = (4, 5, 1, 2, 3, 6)


def count_by_pair(patch: Patch) -> None:
    """Limits as they were before: a base's other pairs do not count."""
    refusal = risk.refusal

    def of_one_pair(
        proposal: risk.Proposal, portfolio: risk.Portfolio, standing: risk.Standing, *rest: Any
    ) -> Denial | None:
        return refusal(proposal, portfolio, risk.Listed(portfolio, standing.on(proposal.symbol)), *rest)

    patch.setattr(risk, "refusal", of_one_pair)


def forget_quote_legs(patch: Patch) -> None:
    """A buy of ETH/BTC moves ETH only."""

    def base_only(symbol: str, side: Side, positions: Any) -> Iterator[tuple[str, int]]:
        base, _ = legs(symbol)
        if base in positions:
            yield base, risk.UP if side == "buy" else risk.DOWN

    patch.setattr(risk, "moves", base_only)


def close_through_all_pairs(patch: Patch) -> None:
    """Each order that closes a base goes to another of its pairs."""
    tries = itertools.count()

    def another(traded: Iterable[str], tradable: Collection[str]) -> dict[str, str]:
        pairs: dict[str, list[str]] = {}
        for symbol in sorted(set(traded) & set(tradable)):
            pairs.setdefault(legs(symbol)[0], []).append(symbol)
        turn = next(tries)
        return {base: own[turn % len(own)] for base, own in pairs.items()}

    patch.setattr(flatten, "closing_pairs", another)


def call_it_flat(patch: Patch) -> None:
    """Flatten takes whatever is left for dust."""
    patch.setattr(Flatten, "_close", lambda *_: Step.FLAT)


def leave_rounding_out(patch: Patch) -> None:
    """A quote's equity lacks what rounding took."""
    whole = Statement._of_quote
    patch.setattr(Statement, "_of_quote", lambda self, *rest: replace_rounding(whole(self, *rest)))


def replace_rounding(profit: Any) -> Any:
    return type(profit)(**{name: getattr(profit, name) for name in profit.__struct_fields__} | {"rounding": "0"})


def hold_nothing(patch: Patch) -> None:
    """A deposit beyond the limit is a position like any other."""
    patch.setattr(Holds, "look", lambda *_: [])


def quote_what_is_held(patch: Patch) -> None:
    """Quote what is held all the same."""
    whole = Gates.quoting

    def ignoring(self: Gates, symbol: str, now: int) -> Closed | None:
        held, self.state.account.holds.held = self.state.account.holds.held, {}
        try:
            return whole(self, symbol, now)
        finally:
            self.state.account.holds.held = held

    patch.setattr(Gates, "quoting", ignoring)


def trust_every_rate(patch: Patch) -> None:
    """A rate is valid however old it is."""
    patch.setattr(Rates, "is_valid", lambda *_: True)


@pytest.mark.parametrize(
    ("broken", "market", "fault", "name"),
    [
        (count_by_pair, SHARED, "", "4"),
        (forget_quote_legs, CRYPTO, "", "4"),
        (close_through_all_pairs, SHARED, "", "T11"),
        (call_it_flat, SHARED, "", "T11"),
        (leave_rounding_out, SHARED, "", "profit"),
        (hold_nothing, SHARED, "deposit beyond the limit", "held"),
        (quote_what_is_held, SHARED, "deposit beyond the limit", "held"),
        (trust_every_rate, CRYPTO, "book not live", "rate"),
    ],
)
def test_a_broken_executor_is_found_out(
    broken: Callable[[Patch], None], market: Any, fault: str, name: str, monkeypatch: Patch
) -> None:
    broken(monkeypatch)
    for seed in SEEDS:
        world = World(seed, market=market, often=fault)
        result = world.run(20)
        if any(f"invariant {name}:" in text for text in result.violations):
            return
    pytest.fail(f"{SEEDS} play as if nothing was wrong")
