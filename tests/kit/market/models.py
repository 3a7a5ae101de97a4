"""Every model with settings that need all that it can need, and views with valid signals for them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import msgspec

from shared.messages import Target
from strategy.interface import Strategy, View
from strategy.models import avellaneda_stoikov, glft, grid, market_maker, microprice, pure
from strategy.models.avellaneda_stoikov import AvellanedaStoikov
from strategy.models.glft import Glft
from strategy.models.grid import Grid
from strategy.models.market_maker import MarketMaker
from strategy.models.microprice import Microprice
from strategy.models.pure import PureMarketMaker
from strategy.models.reference import PriceType
from strategy.signals.values import Signal, Signals
from tests.kit.market.strategy_view import view


class Case(NamedTuple):
    """A model with its settings, and the signals that it cannot do without."""

    name: str
    kind: type[Strategy]
    settings: msgspec.Struct
    needed: tuple[str, ...] = ()

    def model(self) -> Strategy:
        """Return a new instance."""
        return self.kind(self.settings)

    def decide(self, seen: View) -> Target:
        """Return what a new instance wants."""
        target = self.model().on_book(seen)
        assert target is not None
        return target


CASES = [
    Case("market maker", MarketMaker, market_maker.Settings(levels=3, skew_bps=10)),
    Case("avellaneda-stoikov", AvellanedaStoikov, avellaneda_stoikov.Settings(levels=3), ("volatility",)),
    Case("by parkinson", AvellanedaStoikov, avellaneda_stoikov.Settings(volatility="parkinson"), ("parkinson",)),
    Case("glft", Glft, glft.Settings(levels=3), ("volatility",)),
    Case(
        "microprice",
        Microprice,
        microprice.Settings(order_flow_weight=1.0, skew_bps=20),
        ("microprice", "imbalance", "order_flow"),
    ),
    Case("grid", Grid, grid.Settings(levels=3)),
    Case("grid around a price", Grid, grid.Settings(levels=2, reference_price=Decimal(84_000))),
    Case("pure", PureMarketMaker, pure.Settings(bid_spread_bps=3, ask_spread_bps=2, skew_bps=10)),
    Case(
        "pure with its rules",
        PureMarketMaker,
        pure.Settings(
            levels=3, optimise_orders=True, hanging_orders=True, ping_pong=True, price_type=PriceType.MICROPRICE
        ),
    ),
]
NAMES = [case.name for case in CASES]


def seen(
    bid: int = 840_000,
    ask: int = 840_001,
    *,
    position: int = 0,
    maker: str = "0.00",
    step: int = 1,
    sigma: float = 0.5,
    lean: float = 0.0,
) -> View:
    """Return a view with valid signals: ``sigma`` in bp per √s, ``lean`` from -1 to 1 of what points a direction."""
    mid = (bid + ask) / 2
    signals = Signals(
        volatility=Signal(sigma, True),
        parkinson=Signal(sigma, True),
        forecast=Signal(20 * lean, True),
        imbalance=Signal(lean, True),
        microprice=Signal(mid + lean * (ask - bid) / 2, True),
        order_flow=Signal(lean, True),
    )
    return replace(view(bid, ask, position=position, maker=maker, price_increment=step), signals=signals)
