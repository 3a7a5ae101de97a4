"""The report for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from backtest.report.report import KNOWN, Report


def show(report: Report, console: Console) -> None:
    """Print the report's main figures."""
    console.print(
        f"{report.strategy} on {report.market} ({', '.join(report.pairs)}): {report.seconds:,.0f} s of data, "
        f"{report.rows:,} rows in {report.wall_s:.1f} s ({report.times_real_time:,.0f} times real time)"
    )
    money = Table(
        box=None, pad_edge=False, header_style="bold", title=f"Profit in {report.currency}", title_justify="left"
    )
    money.add_column("part")
    money.add_column("amount", justify="right")
    for name in report.attribution.__struct_fields__:
        money.add_row(name, f"{float(getattr(report.attribution, name)):,.4f}")
    money.add_row("[bold]profit[/]", f"[bold]{float(report.pnl):,.4f}[/]")
    console.print(money)
    per_fill = "-" if report.pnl_per_fill_bps is None else f"{report.pnl_per_fill_bps:+.2f} bp of turnover"
    console.print(f"fills {report.fills}, {per_fill}; orders {report.orders}, requests {report.requests}, "
                  f"rate points {report.rate_points:g}, rejects {sum(report.rejects.values())}")  # fmt: skip
    marks = ", ".join(
        f"{h} s {_bps(v)} ± {_plain(report.markout_errors_bps[h])}" for h, v in report.markouts_bps.items()
    )
    console.print(f"markouts in bp: {marks}")
    if report.level3:
        console.print(f"played order by order (level 3): {', '.join(report.level3)}")
    if report.queue != KNOWN:
        table = Table("queue rule", "fills", "orders filled", "profit", box=None, pad_edge=False, header_style="bold")
        for name, bound in report.bounds.items():
            table.add_row(f"{name} ({bound.queue})", str(bound.fills), str(bound.orders), f"{float(bound.pnl):,.4f}")
        console.print(table)
        if report.outside_depth_share is not None:
            console.print(f"fills outside the recorded depth: {report.outside_depth_share:.0%}")
    cover = ", ".join(f"{symbol} {_plain(value)} bp" for symbol, value in report.coverage_bps.items())
    if cover:
        console.print(f"the data reach from the mid to (median): {cover}")
    console.print(f"outbound requests: sha256 {report.outbound_sha256}")
    for warning in report.warnings:
        console.print(f"note: {warning}")


def _bps(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
