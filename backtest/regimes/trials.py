"""One model in one regime for one seed, by the exact engine."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from backtest.exact import run, setting
from backtest.exact.run import Options
from backtest.report import figures
from shared.config import Config
from shared.config.strategies import Strategy

MODELS: Final = {
    "market_maker": "strategy.market_maker:MarketMaker",
    "avellaneda_stoikov": "strategy.models.avellaneda_stoikov:AvellanedaStoikov",
    "glft": "strategy.models.glft:Glft",
    "microprice": "strategy.models.microprice:Microprice",
    "grid": "strategy.models.grid:Grid",
    "pure": "strategy.models.pure:PureMarketMaker",
}
REGIMES: Final = ("calm", "trending", "volatile", "thin")


@dataclass(frozen=True, slots=True)
class Trial:
    """One run to make."""

    model: str
    regime: str
    seed: int
    seconds: float
    pair: str


@dataclass(frozen=True, slots=True)
class Earned:
    """A trial's profit in its parts, in the trading currency, and what it took."""

    trial: Trial
    fills: int
    turnover: Decimal
    pnl: Decimal
    spread: Decimal
    adverse: Decimal
    drift: Decimal
    fees: Decimal
    unexplained: Decimal
    points: float
    rejects: int
    halted: bool


def attempt(config: Config, trial: Trial) -> Earned:
    """Run one trial with the model's default settings; a daily loss does not halt it, so that all last as long."""
    configured = config.strategies.get(trial.model)
    section = configured or Strategy(class_=MODELS[trial.model])
    trading = msgspec.structs.replace(config.trading, pairs=[trial.pair], max_daily_loss=Decimal(10**6))
    config = msgspec.structs.replace(config, trading=trading, strategies={trial.model: section})
    prepared = setting.prepare(config, trial.model, [trial.pair], [trial.pair], trial.seed, trial.regime)
    outcome = run.on_synthetic(prepared, trial.seconds, Options(trial.model, trial.seed))
    fills = figures.marked(outcome)
    parts, pnl = figures.attribution(outcome, fills), figures.profit(outcome)
    return Earned(
        trial=trial,
        fills=len(fills),
        turnover=sum((fill.qty * fill.price for fill in fills), Decimal(0)),
        pnl=pnl,
        spread=parts.spread,
        adverse=parts.adverse,
        drift=parts.drift,
        fees=parts.fees,
        unexplained=parts.unexplained(pnl),
        points=outcome.points,
        rejects=outcome.rejects.total(),
        halted=bool(outcome.halted),
    )
