"""The models' distances against their papers' formulas, computed here in another form."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.clock import SECOND
from strategy.interface import SettingError, Strategy
from strategy.models import avellaneda_stoikov, glft, grid, microprice
from strategy.models.guard import GuardSettings
from strategy.models.levels import LevelSettings
from strategy.signals.average import AverageMid
from strategy.signals.values import Needs
from tests.kit.market.models import seen

MID = 840_000.5


def distances(model: Strategy, **market: Any) -> tuple[float, float]:
    """Return how far bid and ask stand from the mid, in bp."""
    target = model.on_book(seen(**market))
    assert target is not None
    prices = {quote.slot: quote.price for quote in target.quotes}
    return (MID - prices["b0"]) / MID * 1e4, (prices["a0"] - MID) / MID * 1e4


def lots(sizes: float) -> int:
    """Return the position of so many quotes of 100 dollars."""
    return round(sizes * 100 / 84_000.05 * 1e8)


@pytest.mark.parametrize("q", [-3, 0, 2])
@pytest.mark.parametrize("sigma", [0.0, 0.5, 1.3])
def test_avellaneda_stoikov_by_its_reservation_price_and_spread(q: int, sigma: float) -> None:
    settings = avellaneda_stoikov.Settings(risk_aversion=0.05, arrival_decay=0.5, horizon_s=30)
    reservation = -q * 0.05 * sigma**2 * 30
    spread = 0.05 * sigma**2 * 30 + 2 / 0.05 * math.log(1 + 0.05 / 0.5)
    bid, ask = distances(avellaneda_stoikov.AvellanedaStoikov(settings), position=lots(q), sigma=sigma, maker="0.01")
    assert bid == pytest.approx(max(1.0, 1.0 + spread / 2 - reservation), abs=0.02)
    assert ask == pytest.approx(max(1.0, 1.0 + spread / 2 + reservation), abs=0.02)


@pytest.mark.parametrize("q", [-3, 0, 2])
def test_glft_by_its_closed_form(q: int) -> None:
    gamma, k, rate, sigma = 0.2, 0.5, 0.8, 0.9
    root = math.sqrt(sigma**2 * gamma / (2 * k * rate) * (1 + gamma / k) ** (1 + k / gamma))
    settings = glft.Settings(risk_aversion=gamma, arrival_decay=k, arrival_rate=rate)
    bid, ask = distances(glft.Glft(settings), position=lots(q), sigma=sigma)
    assert bid == pytest.approx(max(0.0, math.log(1 + gamma / k) / gamma + (2 * q + 1) / 2 * root), abs=0.02)
    assert ask == pytest.approx(math.log(1 + gamma / k) / gamma - (2 * q - 1) / 2 * root, abs=0.02)


def test_glft_with_little_risk_aversion_is_the_risk_neutral_distance() -> None:
    bid, ask = distances(glft.Glft(glft.Settings(risk_aversion=1e-6, arrival_decay=0.5)))
    assert bid == pytest.approx(2.0, abs=0.02)
    assert ask == pytest.approx(2.0, abs=0.02)


def test_the_fair_price_moves_by_its_weighted_signals() -> None:
    settings = microprice.Settings(imbalance_bps=2.0, microprice_weight=0.0, edge_bps=5.0)
    assert distances(microprice.Microprice(settings), lean=0.5) == pytest.approx((4.0, 6.0), abs=0.02)
    settings = microprice.Settings(imbalance_bps=0.0, order_flow_weight=1.0, microprice_weight=1.0, edge_bps=5.0)
    # Half a tick of microprice and one of order flow.
    bid, ask = distances(microprice.Microprice(settings), lean=1.0)
    assert ask - bid == pytest.approx(2 * 1.5 / 84.0, abs=0.03)


def test_the_skew_is_whole_at_the_models_own_limit() -> None:
    settings = microprice.Settings(skew_bps=4.0, edge_bps=5.0, max_position=Decimal(400))
    bid, ask = distances(microprice.Microprice(settings), position=lots(2))
    assert (bid, ask) == pytest.approx((7.0, 3.0), abs=0.02)


def test_the_grid_s_price_is_in_the_quote_asset() -> None:
    seen_finer = replace(seen(), pair=msgspec.structs.replace(seen().pair, price_precision=2))
    target = grid.Grid(grid.Settings(reference_price=Decimal("8400.005"), spacing_bps=10)).on_book(seen_finer)
    assert target is not None
    assert target.quotes[0].price == pytest.approx(MID * 0.999, abs=1)


def test_a_weight_of_zero_needs_no_signal() -> None:
    settings = microprice.Settings(imbalance_bps=0.0, microprice_weight=0.0)
    assert microprice.Microprice(settings).needs == Needs()


@pytest.mark.parametrize("q", [0, 2, -1])
def test_the_grid_s_steps_pair_each_buy_with_a_sell_one_spacing_above(q: int) -> None:
    settings = grid.Settings(levels=2, spacing_bps=10, reference_price=Decimal("84000.05"))
    bid, ask = distances(grid.Grid(settings), position=lots(q))
    assert bid == pytest.approx(max(0.0, 10 * (q + 1)), abs=0.05)
    assert ask == pytest.approx(max(0.0, -10 * (q - 1)), abs=0.05)


def test_the_grid_s_own_reference_follows_the_mid_slowly() -> None:
    model = grid.Grid(grid.Settings(reference_half_life_s=100, spacing_bps=100, tolerance_bps=0))
    model.on_book(replace(seen(), now=0))
    model.on_book(replace(seen(841_000, 841_001), now=0))
    target = model.on_book(replace(seen(841_000, 841_001), now=100 * SECOND))
    assert target is not None
    bid = next(quote.price for quote in target.quotes if quote.slot == "b0")
    assert bid == pytest.approx((MID + 500) * 0.99, abs=2)


def test_the_average_mid_weighs_each_mid_by_its_time() -> None:
    average = AverageMid(10.0)
    assert average.add(0, 100.0) == 100.0
    assert average.add(5 * SECOND, 200.0) == 100.0
    assert average.add(15 * SECOND, 50.0) == pytest.approx(150.0)
    assert average.add(25 * SECOND, 50.0) == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (LevelSettings, {"levels": 0}),
        (LevelSettings, {"levels": 21}),
        (LevelSettings, {"size": Decimal(0)}),
        (LevelSettings, {"max_position": Decimal(-1)}),
        (LevelSettings, {"spacing_bps": 0.0}),
        (LevelSettings, {"tolerance_bps": float("nan")}),
        (avellaneda_stoikov.Settings, {"risk_aversion": 0.0}),
        (avellaneda_stoikov.Settings, {"arrival_decay": 0.0}),
        (avellaneda_stoikov.Settings, {"horizon_s": 0.0}),
        (avellaneda_stoikov.Settings, {"volatility_half_life_s": 1.0}),
        (avellaneda_stoikov.Settings, {"levels": 0}),
        (glft.Settings, {"risk_aversion": 0.0}),
        (glft.Settings, {"arrival_decay": -1.0}),
        (glft.Settings, {"arrival_rate": 0.0}),
        (microprice.Settings, {"edge_bps": -1.0}),
        (microprice.Settings, {"imbalance_bps": 101.0}),
        (microprice.Settings, {"imbalance_window_bps": 0.0}),
        (microprice.Settings, {"microprice_weight": 11.0}),
        (microprice.Settings, {"order_flow_half_life_s": 0.0}),
        (grid.Settings, {"levels": 1, "spacing_bps": 0.0}),
        (grid.Settings, {"reference_price": Decimal(0)}),
        (grid.Settings, {"reference_half_life_s": 0.0}),
        (GuardSettings, {"z": 0.0}),
        (GuardSettings, {"half_life_s": 1.0}),
        (GuardSettings, {"widen_bps": 0.0}),
    ],
)
def test_settings_that_cannot_work_are_refused(kind: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as caught:
        kind(**wrong)
    assert caught.value.key in wrong
