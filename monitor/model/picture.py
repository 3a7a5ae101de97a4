"""Everything that people look at, from the bus: the newest state, what happened lately, and the past in figures.

Independent of who shows it: messages and the time come in, sections come out (:mod:`monitor.model.sections`).
The monitor's API holds one, and so does whatever looks at the bus by itself, such as ``tradebyte top``. All of it is
bounded (:mod:`shared.limits`). ``now`` is ns of CLOCK_BOOTTIME, ``wall`` ns since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from monitor.model import sections, status_details
from monitor.model.alerting.alerts import Alerts, Condition, Say
from monitor.model.alerting.conditions import conditions
from monitor.model.history import History
from monitor.model.last_minute import LastMinute
from monitor.model.latency import Latency
from monitor.model.recent import Fills, Notices, Trades, order_shown
from monitor.model.status_object import MachineFigures, Status
from monitor.model.view import View
from shared import limits, numbers
from shared.bus import Received, topics
from shared.clock import MS, SECOND
from shared.config import Config
from shared.config.checks.names import bases
from shared.messages import Account, Alert, Book, BookState, FeedTrades, Fill, LogLine
from shared.valuation import legs

# Everything but raw frames, which only the book process needs.
WANTED: Final = [kind.name for kind in topics.KINDS if kind.name not in ("feed.book", "feed.level3", "feed.ticker")]
S = TypeVar("S", bound=msgspec.Struct)
MONEY: Final = ("equity", "realised", "unrealised", "fees")


class Picture:
    """Take every message in with :meth:`take`, call :meth:`turn` once a second, and read sections at any time."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._pairs = config.trading.pairs
        self.view = View(config)
        self.latency = Latency()
        rules = config.monitor.alerts
        self.alerts = Alerts(rules)
        self._minute = LastMinute(self.latency.hops, rules.latency.above_ms)
        self.trades = Trades(self._pairs)
        self.fills = Fills()
        self.notices = Notices()
        series = [f"{kind}.{pair}" for pair in self._pairs for kind in ("mid", "bid", "ask", "position", "pnl")]
        series += [f"asset.{base}" for base in bases(self._pairs)]
        self.history = History([*series, "profit", *MONEY, *(f"rss_mb.{name}" for name in config.process_names)])

    def take(self, received: Received, now: int) -> None:
        """Take in one message of the bus."""
        self.view.take(received, now)
        self.latency.take(received)
        match received.message:
            case FeedTrades() as trades:
                self.trades.take(trades)
            case Fill() as fill:
                if fill.symbol in self._pairs:
                    self.fills.take(fill)
            case Alert() as alert:
                self.notices.alert(alert)
            case LogLine() as line:
                self.notices.line(line)
            case _:
                pass

    def turn(self, now: int, wall: int, more: Mapping[str, Condition] = MappingProxyType({})) -> list[Say]:
        """Sample the past and return the alerts that are due, for the caller to publish.

        ``more`` are troubles that only the caller knows of.
        """
        self.history.sample(wall / SECOND, self._samples(now, wall))
        figures = status_details.detail(self.view, "monitor", "machine", MachineFigures)
        self._minute.turn(now)
        holds = conditions(self.view, self.config, figures, self._minute, now, wall)
        return self.alerts.turn({**holds, **more}, now)

    def status(self, now: int, wall: int, halted: str | None) -> Status:
        """Return the status object; ``halted`` is the text of data/HALT."""
        return status_details.status(self.view, self.config, now, wall, halted)

    def processes(self, now: int) -> dict[str, sections.Process]:
        """Return every configured process, in the order of the data's way."""
        return {name: self._process(name, now) for name in self.config.process_names}

    def books(self, wall: int) -> dict[str, sections.BookShown]:
        """Return every configured pair's book."""
        return {pair: self._book(pair, wall) for pair in self._pairs}

    def orders(self, now: int) -> sections.OrdersShown:
        """Return own orders, by pair in the order of the configuration."""
        known = [self.view.orders[pair] for pair in self._pairs if pair in self.view.orders]
        rows = [order_shown(pair_orders, order) for pair_orders in known for order in pair_orders.orders]
        return sections.OrdersShown(known=self.view.orders_known(now), orders=rows)

    def own_fills(self, symbol: str = "", most: int = limits.FILLS_SHOWN) -> sections.FillsShown:
        """Return the last ``most`` own fills of a symbol (empty: all), oldest first."""
        return sections.FillsShown(fills=self.fills.newest(symbol, most))

    def market_trades(self) -> dict[str, list[sections.TradeShown]]:
        """Return the market's last trades by symbol, oldest first."""
        return self.trades.by_symbol()

    def positions(self, now: int) -> sections.PositionsShown:
        """Return positions and balances as the executor last published them."""
        account = self.view.account
        strategies = [
            sections.StrategyPosition(
                strategy=strategy,
                symbol=symbol,
                valid=item.valid,
                position=numbers.text(item.position, item.qty_precision),
                account_position=numbers.text(item.account_position, item.qty_precision),
                fills=item.fills,
            )
            for (strategy, symbol), item in sorted(self.view.positions.items())
        ]
        balances = account.balances if account else {}
        why = self.view.silence("executor", now) or ("" if account else "the executor has not published the account")
        return sections.PositionsShown(
            known=not why,
            why=why,
            account=self.view.position_texts(),
            assets=self.view.asset_rows(),
            currency=self.config.trading.currency,
            rates=self.view.rate_rows(),
            balances=dict(balances),
            strategies=strategies,
        )

    def profit(self, now: int) -> sections.ProfitShown:
        """Return profit in total and by pair as the executor last published it."""
        account = self.view.account or Account(valid=False, why="the executor has not published the account")
        pairs = {
            symbol: sections.PairProfit(
                realised=profit.realised,
                unrealised=profit.unrealised,
                fees=profit.fees,
                qty=profit.qty,
                average_price=profit.average_price or None,
                mid=profit.mid or None,
                is_stale=profit.is_stale,
            )
            for symbol, profit in account.profits.items()
        }
        total = sections.Total(
            profit=format(_profit(account), "f"),
            today=format(-(_decimal(account.day_loss)), "f"),
            equity=account.equity,
            realised=account.realised,
            unrealised=account.unrealised,
            fees=account.fees_paid,
            transfers=account.transfers,
            rounding=account.rounding,
            fx=account.fx,
        )
        currency = self.config.trading.currency
        silence = self.view.silence("executor", now)
        return sections.ProfitShown(
            valid=account.valid and not silence,
            why=silence or account.why,
            currency=currency,
            total=total,
            pairs=pairs,
            quotes={asset: _as(sections.QuoteProfitShown, made) for asset, made in account.quotes.items()},
            attribution=_as(sections.PartsShown, account.attribution) if account.attribution is not None else None,
            unmarked_fills=account.unmarked_fills,
            markouts={horizon: _as(sections.MarkoutShown, mean) for horizon, mean in account.markouts.items()},
        )

    def hops(self) -> sections.LatencyShown:
        """Return how long each hop takes."""
        return sections.LatencyShown(hops=self.latency.described())

    def alerts_shown(self, now: int, wall: int) -> sections.AlertsShown:
        """Return the alerts that hold now, and the recent ones."""
        return sections.AlertsShown(active=self.alerts.active(now, wall), recent=list(self.notices.alerts))

    def lines(self, process: str = "", level: str = "", most: int = limits.LINES_SHOWN) -> sections.LogsShown:
        """Return the last ``most`` warnings and errors, of a process (empty: all), from a level on."""
        levels = sections.LEVELS[sections.LEVELS.index(level) if level else 0 :]
        chosen = [
            line for line in self.notices.lines if process in ("", line.process) and (not level or line.level in levels)
        ]
        return sections.LogsShown(lines=chosen[-most:])

    def past(self, names: Iterable[str], points: int, since_ts: float) -> sections.HistoryShown:
        """Return the series of these names; without any, all names. Raises KeyError for an unknown one."""
        series = {name: self.history.points(name, points, since_ts) for name in names}
        return sections.HistoryShown(names=[] if series else self.history.names, series=series)

    def control(self, halted: str | None, *, flattening: bool) -> sections.ControlShown:
        """Return what is switched on."""
        return sections.ControlShown(
            halted=halted is not None,
            why=halted or "",
            flattening=flattening,
            sandbox=self.config.kraken.sandbox,
            dry_run=self.config.trading.dry_run,
            paused=status_details.paused(self.view),
        )

    def _process(self, name: str, now: int) -> sections.Process:
        heard = self.view.heartbeats.get(name)
        beat = heard.beat if heard else None
        return sections.Process(
            **msgspec.structs.asdict(self.view.process(name, now)),
            messages_in=beat.messages_in if beat else None,
            messages_out=beat.messages_out if beat else None,
            version=beat.version if beat else None,
        )

    def _live(self, symbol: str, wall: int) -> Book | None:
        """Return a symbol's book if it is live and has both sides."""
        book = self.view.books.get(symbol)
        if book is None or not (book.bids and book.asks) or book.state is not BookState.LIVE:
            return None
        return book if self.view.book_state(symbol, wall)[0] is BookState.LIVE else None

    def _book(self, symbol: str, wall: int) -> sections.BookShown:
        state, why = self.view.book_state(symbol, wall)
        status, newest = self.view.book_status, self.view.books.get(symbol)
        info = status.books.get(symbol) if status else None
        live = self._live(symbol, wall)
        bid, ask = (live.bids[0][0], live.asks[0][0]) if live else (0, 0)
        return sections.BookShown(
            state=str(state),
            why=why,
            stale=info.stale if info else False,
            age_ms=info.age_ms + max(0, wall - status.ts) // MS if info and status else None,
            mid=numbers.text((bid + ask) * 5, live.price_precision + 1) if live else None,
            spread_bps=round(20_000 * (ask - bid) / (bid + ask), 4) if live and bid + ask else None,
            price_precision=newest.price_precision if newest else None,
            qty_precision=newest.qty_precision if newest else None,
            bids=_levels(live, live.bids) if live else [],
            asks=_levels(live, live.asks) if live else [],
            checksums_ok=info.checksums_ok if info else 0,
            checksums_failed=info.checksums_failed if info else 0,
        )

    def _samples(self, now: int, wall: int) -> Iterator[tuple[str, float]]:
        """Yield every series' value of now; floats are for charts only."""
        for pair in self._pairs:
            live = self._live(pair, wall)
            if live is not None:
                bid, ask = (side[0][0] * 10.0**-live.price_precision for side in (live.bids, live.asks))
                yield from ((f"bid.{pair}", bid), (f"ask.{pair}", ask), (f"mid.{pair}", (bid + ask) / 2))
        account = self.view.account
        if account is not None and account.valid and not self.view.silence("executor", now):
            # Before it is reconciled, an executor's position is an empty balance less the inventory: not worth drawing.
            for pair, text in self.view.position_texts().items():
                yield f"position.{pair}", numbers.approximate(text)
            for asset, row in account.assets.items():
                yield f"asset.{asset}", numbers.approximate(row.position)
            yield "profit", float(_profit(account))
            amounts = (account.equity, account.realised, account.unrealised, account.fees_paid)
            yield from zip(MONEY, map(numbers.approximate, amounts), strict=True)
            for pair, profit in account.profits.items():
                made = (
                    numbers.approximate(profit.realised)
                    + numbers.approximate(profit.unrealised)
                    - numbers.approximate(profit.fees)
                )
                # In the trading currency, since a chart draws all pairs on one axis.
                quote = legs(pair)[1]
                rate = account.rates.get(quote)
                if quote == account.currency:
                    yield f"pnl.{pair}", made
                elif rate is not None and rate.rate:
                    yield f"pnl.{pair}", made * numbers.approximate(rate.rate)
        for name, heard in self.view.heartbeats.items():
            if now - heard.at <= limits.HEARTBEAT_DEAD_S * SECOND:
                yield f"rss_mb.{name}", heard.beat.rss_mb


def _levels(book: Book, side: list[tuple[int, int]]) -> list[tuple[str, str]]:
    return [
        (numbers.text(price, book.price_precision), numbers.text(qty, book.qty_precision))
        for price, qty in side[: limits.LEVELS_SHOWN]
    ]


def _profit(account: Account) -> Decimal:
    """Return what trading made: transfers are no profit."""
    return _decimal(account.realised) + _decimal(account.unrealised) - _decimal(account.fees_paid)


def _decimal(text: str) -> Decimal:
    """Return decimal text as a number; NaN for text of a stranger on the bus that is none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _as(kind: type[S], made: msgspec.Struct) -> S:
    """Return a struct's values as another kind with the same members."""
    return kind(**msgspec.structs.asdict(made))
