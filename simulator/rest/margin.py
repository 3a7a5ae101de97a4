"""Private REST calls about margin: ``OpenPositions`` and ``TradeBalance``."""

from __future__ import annotations

from decimal import Decimal

from simulator import arguments, errors
from simulator.errors import KrakenError, invalid
from simulator.exchange.accounts.margin import ROLLOVER_RATE
from simulator.exchange.orders import Position
from simulator.keys import KeyState
from simulator.pairs.pairs import ASSETS, find_asset, percent
from simulator.rest.views import time_of
from simulator.wire import NS, Fields, Written
from simulator.world import World


def open_positions(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``OpenPositions`` by id, or a row a pair and side (``consolidation``), valued with ``docalcs``."""
    listed = key.account.positions
    if fields.get("txid"):
        ids = str(fields["txid"]).replace(" ", "").split(",")
        listed = {name: position for name, position in listed.items() if name in ids}
    calculated = arguments.rest_flag(fields, "docalcs")
    if fields.get("consolidation") not in (None, "", "market"):
        raise invalid("consolidation")
    if fields.get("consolidation"):
        return _consolidated(world, list(listed.values()), calculated)
    return {name: _row(world, position, calculated) for name, position in listed.items()}


def _row(world: World, position: Position, calculated: bool) -> dict[str, Written]:
    pair = position.pair
    row: dict[str, Written] = {
        "ordertxid": position.order_id,
        "posstatus": "open",
        "pair": pair.rest_id,
        "time": time_of(position.opened_ns),
        "type": position.side,
        "ordertype": position.kind,
        "cost": pair.cost(position.cost),
        "fee": pair.cost(position.fee),
        "vol": pair.qty(position.qty),
        "vol_closed": pair.qty(position.closed),
        "margin": pair.cost(position.margin),
        "terms": f"{percent(ROLLOVER_RATE)}% per 4 hours",
        "rollovertm": str(position.rollover_ns // NS),
        "misc": "",
        "oflags": "",
    }
    return {**row, **(_worth(world, [position]) if calculated else {})}


def _worth(world: World, positions: list[Position]) -> dict[str, str]:
    """Return value and result of what is open, in the quote asset."""
    pair = positions[0].pair
    value = sum(world.exchange.margin.value(position) for position in positions)
    paid = sum(position.cost_of(position.open) for position in positions)
    net = value - paid if positions[0].side == "buy" else paid - value
    sign = "" if net < 0 else "+"
    return {"value": pair.cost(value), "net": f"{sign}{pair.cost(net)}"}


def _consolidated(world: World, positions: list[Position], calculated: bool) -> list[dict[str, Written]]:
    groups: dict[tuple[str, str], list[Position]] = {}
    for position in positions:
        groups.setdefault((position.pair.symbol, position.side), []).append(position)
    rows = []
    for (_, side), group in groups.items():
        pair = group[0].pair
        row: dict[str, Written] = {"pair": pair.rest_id, "positions": str(len(group)), "type": side}
        for name in ("cost", "fee", "margin"):
            row[name] = pair.cost(sum(getattr(position, name) for position in group))
        for name, attribute in (("vol", "qty"), ("vol_closed", "closed")):
            row[name] = pair.qty(sum(getattr(position, attribute) for position in group))
        cost, margin = (sum(getattr(position, name) for position in group) for name in ("cost", "margin"))
        row["leverage"] = f"{cost / margin:.5f}" if margin else "0.00000"
        rows.append({**row, **(_worth(world, group) if calculated else {})})
    return rows


def trade_balance(world: World, key: KeyState, fields: Fields, _arrived: int, _now: int) -> Written:
    """Answer ``TradeBalance``: what the account is worth at the mids in ``asset`` (ZUSD), and its margin."""
    asset = find_asset(str(fields.get("asset") or "ZUSD"))
    exchange, account = world.exchange, key.account
    rate = None if asset is None else exchange.state.rates.usd(asset.name)
    if not rate:
        raise KrakenError(errors.UNKNOWN_ASSET)
    whole = sum(
        (
            Decimal(account.total(name)).scaleb(-ASSETS[name].decimals) * (exchange.state.rates.usd(name) or 0)
            for name in {*account.balances, *account.wallets}
        ),
        Decimal(0),
    )
    valued = [exchange.margin.valuation(position) for position in account.positions.values()]
    used, result = exchange.margin.margin_used(account), exchange.margin.unrealised(account)
    equity = whole + result
    figures = {
        "eb": whole,
        "tb": whole,
        "m": used,
        "uv": Decimal(0),
        "n": result,
        "c": sum((cost for cost, _ in valued), Decimal(0)),
        "v": sum((value for _, value in valued), Decimal(0)),
        "e": equity,
        "mf": equity - used,
    }
    rows = {name: f"{value / rate:.4f}" for name, value in figures.items()}
    return {**rows, "ml": f"{equity / used * 100:.2f}"} if used else rows
