"""``tradebyte position``: positions, balances and profit, as the executor publishes them."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.markup import escape

from monitor.cli.common import ConfigOption, JsonOption, console, fail, load, print_json, table
from monitor.model.listener import gather
from monitor.model.status_object import AssetShown
from monitor.model.view import View
from shared import numbers
from shared.messages import Fees, QuoteProfit, Rate


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


class StrategyShare(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's position on a pair, how many fills made it, and whether that is reconciled."""

    position: str
    fills: int
    valid: bool


class PositionReport(msgspec.Struct, frozen=True, kw_only=True):
    """The object that ``position --json`` prints; all amounts decimal text, null where the executor is not heard.

    ``valid`` is false until the executor has reconciled with the exchange.
    """

    valid: bool
    positions: dict[str, str]
    assets: dict[str, AssetShown]
    currency: str | None = None
    rates: dict[str, Rate] = {}
    strategies: dict[str, dict[str, StrategyShare]]
    balances: dict[str, str] = {}
    equity: str | None = None
    realised: str | None = None
    unrealised: str | None = None
    fees_paid: str | None = None
    rounding: str | None = None
    transfers: str | None = None
    fx: str | None = None
    quotes: dict[str, QuoteProfit] = {}
    fees: dict[str, Fees] = {}
    why: str


def described(view: View) -> PositionReport:
    """Return the object that ``position --json`` prints."""
    account = view.account
    strategies: dict[str, dict[str, StrategyShare]] = {}
    for (strategy, symbol), item in view.positions.items():
        position = numbers.text(item.position, item.qty_precision)
        strategies.setdefault(strategy, {})[symbol] = StrategyShare(
            position=position, fills=item.fills, valid=item.valid
        )
    if account is None:
        why = "the executor has not published the account"
        return PositionReport(valid=False, positions={}, assets={}, strategies=strategies, why=why)
    return PositionReport(
        valid=account.valid and all(item.valid for item in view.positions.values()),
        positions=view.position_texts(),
        assets=view.asset_rows(),
        currency=account.currency,
        rates=account.rates,
        strategies=strategies,
        balances=account.balances,
        equity=account.equity,
        realised=account.realised,
        unrealised=account.unrealised,
        fees_paid=account.fees_paid,
        rounding=account.rounding,
        transfers=account.transfers,
        fx=account.fx,
        quotes=account.quotes,
        fees=account.fees,
        why=account.why,
    )


def _show(report: PositionReport) -> None:
    out = console()
    if not report.valid:
        out.print(f"[yellow]not reconciled with the exchange yet[/yellow] {escape(report.why)}".rstrip())
    figures = ("position", "fills")
    positions = table("pair", "strategy", *figures, right=figures)
    for symbol, position in report.positions.items():
        positions.add_row(symbol, "[bold]account[/bold]", position, "")
        for strategy, symbols in report.strategies.items():
            if symbol in symbols:
                positions.add_row("", strategy, symbols[symbol].position, str(symbols[symbol].fills))
    out.print(positions)
    out.print()
    _show_assets(out, report)
    balances = table("asset", "balance", right=("balance",))
    for asset, balance in report.balances.items():
        balances.add_row(asset, balance)
    out.print(balances)
    out.print()
    for name, amount in (
        ("equity", report.equity),
        ("realised", report.realised),
        ("unrealised", report.unrealised),
        ("fees paid", report.fees_paid),
        ("transfers", report.transfers),
        ("rounding", report.rounding),
        ("fx", report.fx),
    ):
        if amount is not None:
            out.print(f"{name:<12}{amount} {report.currency}")


def _show_assets(out: Console, report: PositionReport) -> None:
    """Print each traded base with its position over all pairs."""
    worth = f"worth {report.currency}"
    assets = table("asset", "position", worth, "kept", "other wallets", "held", right=("position", worth, "kept"))
    for name, row in report.assets.items():
        wallets = ", ".join(f"{amount} in {wallet}" for wallet, amount in row.wallets.items())
        assets.add_row(name, row.position, row.worth, row.inventory, wallets, escape(row.held))
    if report.assets:
        out.print(assets)
        out.print()
    rates = [
        f"1 {asset} = {rate.rate or '?'}{'' if rate.valid else ' [yellow]stale[/yellow]'}"
        for asset, rate in report.rates.items()
        if rate.way
    ]
    if rates:
        out.print(f"rates in {report.currency}: {', '.join(rates)}", soft_wrap=True)
        out.print()
