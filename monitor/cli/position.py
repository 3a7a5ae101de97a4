"""``tradebyte position``: positions, balances and profit, as the executor publishes them."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

from monitor.cli.common import ConfigOption, JsonOption, console, fail, load, print_json, table
from monitor.model.listener import gather
from monitor.model.view import View
from shared import numbers


def position(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Print positions by pair and strategy, balances, profit and fees."""
    settings = load(config)
    wanted = [(name, pair) for name in settings.strategies for pair in settings.strategy_pairs(name)]
    view = gather(
        settings,
        lambda view: view.account is not None and all(key in view.positions for key in wanted),
        ("position", "account"),
    )
    if view.account is None and not view.positions:
        fail("the executor said nothing of positions; does it run? ('tradebyte status')")
    report = described(view)
    if json:
        print_json(report)
    else:
        _show(report)


def described(view: View) -> dict[str, Any]:
    """Return the object that ``position --json`` prints; all amounts decimal text.

    ``valid`` is false until the executor has reconciled with the exchange.
    """
    account = view.account
    strategies: dict[str, dict[str, Any]] = {}
    for (strategy, symbol), item in view.positions.items():
        strategies.setdefault(strategy, {})[symbol] = {
            "position": numbers.text(item.position, item.qty_precision),
            "fills": item.fills,
            "valid": item.valid,
        }
    return {
        "valid": account is not None and account.valid and all(item.valid for item in view.positions.values()),
        "positions": view.position_texts(),
        "assets": view.asset_rows(),
        "currency": account.currency if account else None,
        "rates": {asset: msgspec.to_builtins(rate) for asset, rate in account.rates.items()} if account else {},
        "strategies": strategies,
        "balances": account.balances if account else {},
        "equity": account.equity if account else None,
        "realised": account.realised if account else None,
        "unrealised": account.unrealised if account else None,
        "fees_paid": account.fees_paid if account else None,
        "rounding": account.rounding if account else None,
        "transfers": account.transfers if account else None,
        "fx": account.fx if account else None,
        "quotes": {asset: msgspec.to_builtins(made) for asset, made in account.quotes.items()} if account else {},
        "fees": {symbol: {"maker": fee.maker, "taker": fee.taker} for symbol, fee in account.fees.items()}
        if account
        else {},
        "why": account.why if account else "the executor has not told of the account",
    }


def _show(report: dict[str, Any]) -> None:
    out = console()
    if not report["valid"]:
        out.print(f"[yellow]not reconciled with the exchange yet[/yellow] {escape(report['why'])}".rstrip())
    figures = ("position", "fills")
    positions = table("pair", "strategy", *figures, right=figures)
    for symbol, amount in report["positions"].items():
        positions.add_row(symbol, "[bold]account[/bold]", amount, "")
        for strategy, symbols in report["strategies"].items():
            if symbol in symbols:
                positions.add_row("", strategy, symbols[symbol]["position"], str(symbols[symbol]["fills"]))
    out.print(positions)
    out.print()
    _show_assets(out, report)
    balances = table("asset", "balance", right=("balance",))
    for asset, amount in report["balances"].items():
        balances.add_row(asset, amount)
    out.print(balances)
    out.print()
    for name in ("equity", "realised", "unrealised", "fees_paid", "transfers", "rounding", "fx"):
        if report[name] is not None:
            out.print(f"{name.replace('_', ' '):<12}{report[name]} {report['currency']}")


def _show_assets(out: Console, report: dict[str, Any]) -> None:
    """Print each traded base with its position over all pairs."""
    worth = f"worth {report['currency']}"
    assets = table("asset", "position", worth, "kept", "other wallets", "held", right=("position", worth, "kept"))
    for name, row in report["assets"].items():
        wallets = ", ".join(f"{amount} in {wallet}" for wallet, amount in row["wallets"].items())
        assets.add_row(name, row["position"], row["worth"], row["inventory"], wallets, escape(row["held"]))
    if report["assets"]:
        out.print(assets)
        out.print()
    rates = [
        f"1 {asset} = {rate['rate'] or '?'}{'' if rate['valid'] else ' [yellow]stale[/yellow]'}"
        for asset, rate in report["rates"].items()
        if rate["way"]
    ]
    if rates:
        out.print(f"rates in {report['currency']}: {', '.join(rates)}", soft_wrap=True)
        out.print()
