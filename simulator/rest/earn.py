"""Private REST calls of Earn: strategies, allocations, and the moves between wallets."""

from __future__ import annotations

from decimal import Decimal

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.accounts import earn
from simulator.exchange.accounts.earn import STRATEGIES, Strategy
from simulator.keys import KeyState
from simulator.pairs.pairs import ASSETS, find_asset
from simulator.wire import NS, Fields, Written, fixed
from simulator.world import World


def strategies(_world: World, _key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``Earn/Strategies``, of one asset or lock type where one is named; all on one page."""
    wanted = find_asset(str(fields["asset"])) if fields.get("asset") else None
    if fields.get("asset") and wanted is None:
        raise KrakenError(errors.UNKNOWN_ASSET)
    locks = fields.get("lock_type") or []
    chosen = [
        strategy
        for strategy in STRATEGIES.values()
        if (wanted is None or strategy.asset == wanted.name)
        and (not locks or strategy.lock in (locks if isinstance(locks, list) else str(locks).split(",")))
    ]
    if arguments.rest_flag(fields, "ascending"):
        chosen.sort(key=lambda strategy: strategy.strategy_id)
    return {"next_cursor": None, "items": [_strategy(strategy) for strategy in chosen]}


def _strategy(strategy: Strategy) -> dict[str, Written]:
    lock: dict[str, Written] = {"type": strategy.lock}
    if strategy.lock != "flex":
        lock["payout_frequency"] = earn.PAYOUT_NS // NS
    if strategy.lock == "bonded":
        lock |= {
            "bonding_period": 0,
            "bonding_period_variable": False,
            "bonding_rewards": False,
            "unbonding_period": earn.UNBONDING_S,
            "unbonding_period_variable": False,
            "unbonding_rewards": False,
            "exit_queue_period": 0,
        }
    return {
        "id": strategy.strategy_id,
        "asset": ASSETS[strategy.asset].altname,
        "lock_type": lock,
        "apr_estimate": {"low": f"{strategy.low:.4f}", "high": f"{strategy.high:.4f}"},
        "user_min_allocation": str(strategy.minimum),
        "allocation_fee": "0.0000",
        "deallocation_fee": "0.0000",
        "auto_compound": {"type": "enabled"},
        "yield_source": {"type": "staking" if strategy.lock == "bonded" else "opt_in_rewards"},
        "can_allocate": True,
        "can_deallocate": True,
        "allocation_restriction_info": [],
    }


def allocations(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``Earn/Allocations``: what is or was in each strategy, also in ``converted_asset`` (USD)."""
    name = str(fields.get("converted_asset") or "USD")
    asset = find_asset(name)
    rate = None if asset is None else world.exchange.state.rates.usd(asset.name)
    if asset is None or not rate:
        raise KrakenError(errors.UNKNOWN_ASSET)

    def amount(strategy: Strategy, units: int) -> dict[str, str]:
        decimals = ASSETS[strategy.asset].decimals
        worth = Decimal(units).scaleb(-decimals) * world.exchange.state.rates.usd_or_start(strategy.asset) / rate
        return {"native": fixed(units, decimals), "converted": f"{worth:.{asset.decimals}f}"}

    hidden = arguments.rest_flag(fields, "hide_zero_allocations")
    items: list[Written] = []
    totals = [Decimal(0), Decimal(0)]
    for strategy in STRATEGIES.values():
        units = earn.held(key.account, strategy)
        rewarded = world.store.history.rewarded(key.account.index, strategy.asset, strategy.wallet)
        if units or (rewarded and not hidden):
            whole, reward = amount(strategy, units), amount(strategy, rewarded)
            totals = [totals[0] + Decimal(whole["converted"]), totals[1] + Decimal(reward["converted"])]
            items.append(
                {
                    "strategy_id": strategy.strategy_id,
                    "native_asset": ASSETS[strategy.asset].altname,
                    "amount_allocated": {"total": whole},
                    "total_rewarded": reward,
                }
            )
    if arguments.rest_flag(fields, "ascending"):
        items.reverse()
    allocated, rewarded_all = (f"{total:.{asset.decimals}f}" for total in totals)
    return {"converted_asset": name, "total_allocated": allocated, "total_rewarded": rewarded_all, "items": items}


def _named(fields: Fields) -> Strategy:
    strategy = STRATEGIES.get(str(fields.get("strategy_id")))
    if strategy is None:
        raise invalid("strategy_id")
    return strategy


def allocate(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``Earn/Allocate``."""
    return _moved(world, key, fields, now, back=False)


def deallocate(world: World, key: KeyState, fields: Fields, _arrived: int, now: int) -> Written:
    """Answer ``Earn/Deallocate``."""
    return _moved(world, key, fields, now, back=True)


def _moved(world: World, key: KeyState, fields: Fields, now: int, *, back: bool) -> bool:
    strategy, amount = _named(fields), arguments.decimal_text(fields, "amount")
    if amount is None or amount <= 0:
        raise invalid("amount")
    earn.allocate(world.exchange.state, key.account, strategy, amount, now, back=back)
    return True


def status(_world: World, _key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``Earn/AllocateStatus`` and ``Earn/DeallocateStatus``: moves are done when they are answered."""
    _named(fields)
    return {"pending": False}
