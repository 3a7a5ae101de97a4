"""The market maker by the path that configurations name; it lives in :mod:`strategy.models.market_maker`."""

from strategy.models.market_maker import MarketMaker as MarketMaker, Settings as Settings
