"""``tradebyte status``: is everything ready, which books are live, what is open."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor.cli import last_output
from monitor.cli.common import ConfigOption, JsonOption, console, load, looked_in, print_json, say, table
from monitor.model import halted, status_details
from monitor.model.ages import PRECISE, age
from monitor.model.listener import gather
from monitor.model.status_object import Level3Shown, Status
from monitor.model.troubles import troubles
from shared.clock import boot_ns, wall_ns
from shared.messages import ProcessState

COLOURS = {"ready": "green", "live": "green", "dead": "bold red", "halted": "bold yellow", "silent": "red"}


def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Print processes, books, open orders and positions, asked from the bus itself."""
    settings = load(config)
    view = gather(settings, lambda view: view.is_complete)
    now, wall = boot_ns(), wall_ns()
    report = last_output.added(status_details.status(view, settings, now, wall, halted.text(settings)), settings)
    if json:
        print_json(report)
    else:
        show(report, console())
    if not view.heartbeats:
        say(f"tradebyte: nothing of this folder's runs; looked in {looked_in(settings)}")


def coloured(state: str) -> str:
    """Return a state in its colour."""
    colour = COLOURS.get(state, "yellow")
    return f"[{colour}]{state}[/{colour}]"


def show(report: Status, out: Console) -> None:
    """Print the status object for people."""
    where = "sandbox" if report.sandbox else "[bold red]LIVE[/bold red]"
    ready = sum(process.state == ProcessState.READY for process in report.processes.values())
    headline = f"{where}{', dry run' if report.dry_run else ''}: {ready} of {len(report.processes)} processes ready"
    out.print(headline)
    if report.halted:
        out.print(f"[bold yellow]HALTED[/bold yellow]: {escape(report.halted_why)} ('tradebyte resume' ends it)")
    out.print()
    numbers: tuple[str, ...] = ("pid", "up", "heard", "MB", "lag ms", "gaps", "drops")
    processes = table("process", "state", *numbers, "why", right=numbers)
    for name, process in report.processes.items():
        processes.add_row(
            name,
            coloured(process.state),
            _text(process.pid),
            age(process.uptime_s, PRECISE),
            age(process.heartbeat_age_s, PRECISE),
            _text(process.rss_mb),
            _text(process.loop_lag_ms),
            _text(process.gaps),
            _text(process.drops),
            escape(process.why),
        )
    out.print(processes)
    out.print()
    numbers = ("age", "bid", "ask", "reach bp", "checksums", "failed")
    books = table("book", "state", *numbers, "why", right=numbers)
    for symbol, book in report.books.items():
        books.add_row(
            symbol,
            coloured(book.state),
            age(None if book.age_ms is None else book.age_ms / 1000, PRECISE),
            book.bid or "-",
            book.ask or "-",
            _text(book.coverage_bps),
            _text(book.checksums_ok),
            _text(book.checksums_failed),
            escape(book.why),
        )
    out.print(books)
    out.print()
    if report.assets:
        out.print(assets(report))
        out.print()
    known = "" if report.orders_known else " (the executor has not published them, or not reconciled yet)"
    out.print(f"open orders: {report.open_orders}{known}")
    for line in lines(report):
        out.print(line, soft_wrap=True)


def assets(report: Status) -> Table:
    """Return each traded base over all its pairs: position, worth, what is kept, what lies outside the spot wallet."""
    worth = f"worth {report.currency}"
    made = table("asset", "position", worth, "kept", "other wallets", "", right=("position", worth, "kept"))
    for name, row in report.assets.items():
        wallets = ", ".join(f"{amount} in {wallet}" for wallet, amount in row.wallets.items())
        rate = report.asset_rates.get(name)
        is_stale = rate is not None and not rate.valid
        state = "[red]held[/red]" if row.held else "[yellow]stale rate[/yellow]" if is_stale else ""
        made.add_row(name, row.position, row.worth or "-", row.inventory, wallets, state)
    return made


def lines(report: Status) -> list[str]:
    """Return further facts, a line each; leave out what is not known."""
    texts = []
    if report.stale:
        texts.append(f"[yellow]stale[/yellow] (no update for 60 s): {', '.join(report.stale)}")
    for name, why in report.paused.items():
        texts.append(f"[yellow]paused[/yellow]: {escape(name)} ({escape(why)}; 'tradebyte resume {name}' ends it)")
    for is_bad, what, why in troubles(report, wall_ns()):
        colour = "red" if is_bad else "yellow"
        texts.append(f"[{colour}]{escape(what)}[/{colour}]: {escape(why)}")
    connection = report.connection
    if connection.connected is not None:
        word = "connected" if connection.connected else "[red]not connected[/red]"
        lost = f"lost {connection.reconnects} times, {_text(connection.attempts)} attempts since it started"
        most = f"(at most {connection.attempts_10_min_max} in 10 minutes)"
        texts.append(f"connection: {word}, Kraken is {escape(str(connection.system))}; {lost} {most}")
    if connection.private_connected is not None:
        word = "connected" if connection.private_connected else "[red]not connected[/red]"
        why = f" ({escape(connection.private_problem)})" if connection.private_problem else ""
        texts.append(f"private connection: {word}{why}, {_text(connection.private_attempts)} attempts")
    if connection.level3 is not None:
        texts.append(_level3(connection.level3))
    texts += [f"[red]{symbol}: subscription {escape(said)}[/red]" for symbol, said in connection.refused.items()]
    values = [
        f"1 {asset} = {rate.rate or '?'}{'' if rate.valid else ' [yellow]stale[/yellow]'}"
        for asset, rate in report.asset_rates.items()
        if rate.way
    ]
    if values:
        texts.append(f"rates in {report.currency}: {', '.join(values)}")
    rates = report.rates
    if rates.pairs:
        left = ", ".join(f"{symbol} {rate.left:g}" for symbol, rate in rates.pairs.items())
        threshold = next(iter(rates.pairs.values())).threshold
        texts.append(f"order rate left, of {threshold:g} points: {left}")
    if rates.rest:
        texts.append(f"REST rate left: {rates.rest.left:g} of {rates.rest.threshold:g} points")
    by_fee: dict[tuple[str, str, str | None], list[str]] = {}
    for symbol, fee in report.fees.items():
        by_fee.setdefault((fee.maker, fee.taker, fee.break_even_bps), []).append(symbol)
    for (maker, taker, even), symbols in by_fee.items():
        texts.append(f"fees: maker {maker} %, taker {taker} %; break-even half-spread {even} bp ({', '.join(symbols)})")
    machine = report.machine
    if machine:
        texts.append(
            f"machine: CPU {machine.cpu_percent:.0f} %, memory {machine.memory_percent:.0f} %, "
            f"{machine.disk_free_mb} MB of disk free"
        )
    for slow in report.slow:
        texts.append(
            f"[yellow]slow[/yellow]: {slow.process} {slow.operation}, {slow.max:.0f} ms at the longest "
            f"(99 of 100 within {slow.p99:.1f} ms)"
        )
    return texts


def _level3(orders: Level3Shown) -> str:
    if not orders.is_read:
        return "single orders (level3): fetched while somebody records them"
    word = "connected" if orders.connected else "[yellow]not connected[/yellow]"
    why = f" ({escape(orders.problem)})" if orders.problem else ""
    ready = sum(state == "subscribed" for state in orders.symbols.values())
    checked = f"{orders.checksums_ok} checksums held, {orders.checksums_failed} failed"
    return f"single orders (level3): {word}{why}, {ready} of {len(orders.symbols)} pairs; {checked}"


def _text(value: object) -> str:
    return "-" if value is None else str(value)
