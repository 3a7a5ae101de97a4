"""``tradebyte pnl``: the profit, where it comes from, and what became of the market after each fill."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from monitor.cli.common import ConfigOption, JsonOption, console, fail, load, print_json, run_component, table
from monitor.model.listener import gather
from shared.messages import Account, MarkoutMean, Parts, Profit


class PnlReport(msgspec.Struct, frozen=True, kw_only=True):
    """The object that ``pnl --json`` prints; money is decimal text in ``currency``, pairs in their quote asset.

    ``profit`` is realised and unrealised less fees. ``attribution`` is null before the first mids; ``unmarked_fills``
    counts the fills that it cannot take apart. ``markouts`` are by horizon in s.
    """

    valid: bool
    why: str
    currency: str
    equity: str
    realised: str
    unrealised: str
    fees_paid: str
    rounding: str
    transfers: str
    fx: str
    attribution: Parts | None
    unmarked_fills: int
    markouts: dict[str, MarkoutMean]
    pairs: dict[str, Profit]


def pnl(
    config: ConfigOption = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="A statement of fills, conversions and results.")] = False,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="With --csv: from this date or time on (UTC).")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="With --csv: until before this date or time.")
    ] = None,
) -> None:
    """Print the profit with its parts: spread captured, adverse selection, drift, fees, fx, rounding.

    With --csv: every fill, deposit and conversion from the journal, with the results, for taxes and books; that works
    when nothing runs.
    """
    settings = load(config)
    if csv and json:
        fail("either --csv or --json: the statement is CSV")
    if csv:
        times = [word for name, text in (("--from", begin), ("--to", end)) if text for word in (name, text)]
        run_component(settings, "executor", "statement", *times)
    if begin or end:
        fail("--from and --to go with --csv: the profit itself is since the journal began")
    view = gather(settings, lambda view: view.account is not None, ("account",))
    if view.account is None:
        fail("the executor said nothing of profit; does it run? ('tradebyte status'; 'pnl --csv' reads the journal)")
    report = described(view.account)
    if json:
        print_json(report)
    else:
        _show(report)


def described(account: Account) -> PnlReport:
    """Return the object that ``pnl --json`` prints."""
    return PnlReport(
        valid=account.valid,
        why=account.why,
        currency=account.currency,
        equity=account.equity,
        realised=account.realised,
        unrealised=account.unrealised,
        fees_paid=account.fees_paid,
        rounding=account.rounding,
        transfers=account.transfers,
        fx=account.fx,
        attribution=account.attribution,
        unmarked_fills=account.unmarked_fills,
        markouts=account.markouts,
        pairs=account.profits,
    )


def _show(report: PnlReport) -> None:
    out = console()
    if not report.valid:
        out.print(f"[yellow]not reconciled with the exchange yet[/yellow] {escape(report.why)}".rstrip())
    pairs = table(
        "pair", "realised", "unrealised", "fees", "position", right=("realised", "unrealised", "fees", "position")
    )
    for symbol, made in report.pairs.items():
        pairs.add_row(symbol, made.realised, made.unrealised, made.fees, made.qty)
    out.print(pairs)
    out.print()
    if report.attribution is None:
        out.print("where it comes from: not known yet")
    else:
        parts = table("part", report.currency, right=(report.currency,))
        for name in report.attribution.__struct_fields__:
            parts.add_row(name, getattr(report.attribution, name))
        parts.add_row("[bold]equity[/bold]", f"[bold]{report.equity}[/bold]")
        out.print(parts)
    if report.unmarked_fills:
        out.print(f"unmarked: the mids around {report.unmarked_fills} fills were not heard")
    out.print()
    marks = table("after", "markout bp", "error", "fills", right=("markout bp", "error", "fills"))
    for horizon, mean in report.markouts.items():
        marks.add_row(f"{horizon} s", _bps(mean.mean_bps, "+.3f"), _bps(mean.error_bps, ".3f"), str(mean.fills))
    out.print(marks)


def _bps(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
