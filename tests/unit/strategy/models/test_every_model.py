"""Check what holds for every model in any market: never crossing, never inside the fee, within every limit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, strategies as st

from shared.messages import Target
from strategy.models import market_maker
from strategy.models.guard import GuardSettings
from strategy.signals.values import Markout, Signal, Signals
from tests.kit.market.models import CASES, NAMES, Case, seen

every_model = pytest.mark.parametrize("case", CASES, ids=NAMES)
BIDS, SPREADS = st.integers(10_000, 2_000_000), st.integers(1, 5_000)
POSITIONS = st.integers(-3_000_000, 3_000_000)
FEES, STEPS = st.sampled_from(["0", "0.02", "0.25"]), st.sampled_from([1, 5, 100])
SIGMAS, LEANS = st.floats(0, 50), st.floats(-1, 1)


@every_model
@given(BIDS, SPREADS, POSITIONS, FEES, STEPS, SIGMAS, LEANS)
def test_no_quote_crosses_loses_by_itself_or_passes_a_limit(
    case: Case, bid: int, spread: int, position: int, maker: str, step: int, sigma: float, lean: float
) -> None:
    bid -= bid % step
    ask = bid + spread * step
    mid = (bid + ask) / 2
    view = seen(bid, ask, position=position, maker=maker, step=step, sigma=sigma, lean=lean)
    target = case.decide(view)
    worst = {"buy": Decimal(0), "sell": Decimal(0)}
    assert len({quote.slot for quote in target.quotes}) == len(target.quotes)
    for quote in target.quotes:
        assert len(quote.slot) == 2
        assert quote.price % step == 0
        assert quote.price < ask if quote.side == "buy" else quote.price > bid
        away = mid - quote.price if quote.side == "buy" else quote.price - mid
        assert away >= mid * float(maker) / 100 * 0.999999
        worth = view.worth(Decimal(quote.price).scaleb(-1)) * Decimal(quote.qty).scaleb(-8)
        assert view.min_order * Decimal("0.999") <= worth <= view.max_order
        worst[quote.side] += worth
    held = view.position_worth()
    assert worst["buy"] == 0 or worst["buy"] + held <= view.max_position
    assert worst["sell"] == 0 or worst["sell"] - held <= view.max_position


@every_model
@given(BIDS, SPREADS, POSITIONS, POSITIONS, FEES, SIGMAS, LEANS)
def test_prices_fall_as_the_position_rises(
    case: Case, bid: int, spread: int, one: int, other: int, maker: str, sigma: float, lean: float
) -> None:
    def prices(position: int) -> dict[str, int]:
        view = seen(bid, bid + spread, position=position, maker=maker, sigma=sigma, lean=lean)
        return {quote.slot: quote.price for quote in case.decide(view).quotes}

    short, long = prices(min(one, other)), prices(max(one, other))
    assert all(long[slot] <= short[slot] for slot in short.keys() & long.keys())


@every_model
def test_a_long_position_moves_at_least_one_side(case: Case) -> None:
    flat, long = case.decide(seen()).quotes, case.decide(seen(position=600_000)).quotes
    assert {quote.side for quote in flat} == {"buy", "sell"}
    assert long != flat


@every_model
@given(st.lists(st.tuples(st.integers(839_000, 841_000), st.integers(-900_000, 900_000)), max_size=20))
def test_the_same_events_give_the_same_targets(case: Case, events: list[tuple[int, int]]) -> None:
    def run() -> list[Target | None]:
        model = case.model()
        views = [seen(bid, bid + 3, position=position) for bid, position in events]
        return [model.on_book(replace(view, now=number * 10**9)) for number, view in enumerate(views)]

    assert run() == run()


@pytest.mark.parametrize(
    ("case", "name"),
    [pytest.param(case, name, id=f"{case.name}: {name}") for case in CASES for name in case.needed],
)
def test_without_a_needed_signal_there_are_no_quotes_and_a_reason(case: Case, name: str) -> None:
    view = seen()
    assert case.decide(view).quotes
    missing = replace(view, signals=msgspec.structs.replace(view.signals, **{name: Signal(1.0, False)}))
    target = case.decide(missing)
    assert target.quotes == []
    assert "not valid" in target.why
    needs = case.model().needs
    assert needs.is_any


@every_model
def test_an_empty_side_withdraws(case: Case) -> None:
    view = seen()
    target = case.decide(replace(view, book=msgspec.structs.replace(view.book, asks=[])))
    assert (target.quotes, target.why) == ([], "one side of the book is empty")


@every_model
def test_a_price_is_kept_within_the_tolerance(case: Case) -> None:
    model = case.model()
    first, second = model.on_book(seen()), model.on_book(replace(seen(840_002, 840_003), now=2))
    assert first is not None
    assert second is not None
    assert [quote.price for quote in first.quotes] == [quote.price for quote in second.quotes]


@every_model
def test_the_guard_leaves_or_widens_a_side_that_loses_beyond_chance(case: Case) -> None:
    def bids(mean: float, position: int = 0, **guard: float) -> list[int]:
        settings = msgspec.convert({**msgspec.to_builtins(case.settings), "guard": guard}, type(case.settings))
        guarded = case._replace(settings=settings)
        assert guarded.model().needs.markout_half_life_s == 1800
        view = seen(position=position)
        signals = msgspec.structs.replace(view.signals, buy_markout_10s=Markout(mean, 0.5, True))
        return [q.price for q in guarded.decide(replace(view, signals=signals)).quotes if q.side == "buy"]

    usual = [quote.price for quote in case.decide(seen()).quotes if quote.side == "buy"]
    assert bids(-0.9) == usual
    assert bids(-1.1) == []
    assert bids(-1.1, z=3) == usual
    assert bids(-1.1, widen_bps=2.0)[0] == pytest.approx(usual[0] - 168, abs=2)
    assert len(bids(-1.1, position=-500_000)) > 0


def test_the_guard_counts_the_maker_fee_as_a_loss() -> None:
    case = CASES[0]._replace(settings=market_maker.Settings(guard=GuardSettings()))
    signals = Signals(buy_markout_10s=Markout(-0.5, 0.5, True), sell_markout_10s=Markout(0.5, 0.5, True))
    free, paid = (replace(seen(maker=maker), signals=signals) for maker in ("0", "0.01"))
    assert {quote.side for quote in case.decide(free).quotes} == {"buy", "sell"}
    assert {quote.side for quote in case.decide(paid).quotes} == {"sell"}
    assert case.decide(replace(paid, signals=Signals())).quotes


@every_model
def test_an_order_leaves_headroom_below_the_largest_one(case: Case) -> None:
    view = replace(seen(), max_order=Decimal(50))
    for quote in case.decide(view).quotes:
        worth = view.worth(Decimal(quote.price).scaleb(-1)) * Decimal(quote.qty).scaleb(-8)
        assert Decimal("49.9") < worth <= Decimal("49.95")
