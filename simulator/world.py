"""One simulated Kraken without its sockets: venues, crowd, accounts, keys, tokens, database."""

from __future__ import annotations

import base64
import hashlib
import heapq
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Protocol

from shared.config import SimAccount, Simulator
from shared.config.sandbox import SANDBOX_PAIRS
from simulator import errors
from simulator.errors import KrakenError
from simulator.exchange.accounts import earn
from simulator.exchange.accounts.volume import HOUR_NS, HOURS, Volume
from simulator.exchange.database.store import Store
from simulator.exchange.engine import Engine
from simulator.exchange.exchange import Exchange
from simulator.exchange.limits import TIERS, Counter
from simulator.exchange.orders import RECENT_FILLS, SPOT, Account
from simulator.exchange.state import Journal, Report, SystemStatus
from simulator.exchange.venue.venue import Venue
from simulator.faults.rules import Faults
from simulator.hub import Hub
from simulator.keys import TOKEN_LIFE_NS, KeyState, Token
from simulator.market import crosses
from simulator.market.flood import Flood
from simulator.market.market import Market
from simulator.market.replay import Moment, Replay
from simulator.market.style import style_of
from simulator.pairs.instrument import PairStatus
from simulator.pairs.pairs import ASSETS, PAIRS, USD
from simulator.wire import NS, units

TOKENS_PER_KEY = 50
# Trade ids are set aside in blocks, so that a kill can skip some but never repeats one.
TRADE_ID_BLOCK = 2000
SAVE_EVERY_NS = NS
# How long a step may wait for the next one when nothing is due.
STEP_MAX_NS = NS // 20


class Flow(Protocol):
    """A source of a venue's market: a synthetic crowd or a recording."""

    venue: Venue

    def step(self, now: int) -> int: ...

    def shift(self, by: int) -> None: ...


class World:
    """One exchange with its market. Made from the configuration and what the database holds."""

    def __init__(
        self,
        config: Simulator,
        store: Store,
        engine: type[Engine],
        now: int,
        seed: int | None = None,
        pace: float = 1.0,
        recording: Mapping[str, list[Moment]] | None = None,
    ) -> None:
        self.config = config
        self.store = store
        if store.clock_offset_ns:
            # No fault outlives the process, and neither does a moved clock.
            store.shift(now + store.clock_offset_ns, 0)
        self.seed = config.seed if seed is None else seed
        self.rng = Random(f"world {self.seed} {now}")
        low, high = config.history_lag_s
        self._history = Random(f"lag {self.seed}")
        salt = int(store.meta("salt", str(Random(f"salt {self.seed}").getrandbits(70))))
        venues = []
        # A recording brings its pairs with it.
        named = {*(SANDBOX_PAIRS if config.pairs is None else config.pairs), *(recording or ())}
        for pair in [pair for name, pair in PAIRS.items() if name in named]:
            price, trade_id = store.venue(pair.symbol) or (pair.start_price, 1_000_000)
            venues.append(Venue(pair, engine(), trade_id, price))
        self.exchange = Exchange(venues, lambda: int(self._history.uniform(low, high) * NS), salt, config.unconfirmed)
        self.exchange.state.serial = int(store.meta("serial", "1000"))
        self.keys: dict[str, KeyState] = {}
        self.tokens: dict[str, Token] = {}
        self.hub = Hub(self.exchange.venues)
        self.faults = Faults(self.seed)
        self.engine = engine
        # The exchange's time at the last call, and the timers: (when, serial number, action).
        self.now = now
        self._timers: list[tuple[int, int, Callable[[int], None]]] = []
        self._timer_serial = 0
        # How far the exchange's clock is off, for the shell's clock; begin and end of an announced maintenance.
        self.clock_offset_ns = 0
        self.maintenance: list[int] | None = None
        self.broken: sqlite3.Error | None = None
        nonces = store.nonces()
        counters = store.rest_counters()
        made = [SimAccount(name=name, keys=[], balances={}) for name in store.subaccounts()]
        for declared in (*config.accounts, *made):
            self._add_account(declared, nonces, counters, now)
        # Balances of the start have no counterparty and are not reported.
        self.exchange.state.outside.clear()
        self.exchange.state.reports.clear()
        self._pay_rewards(now)
        self._saved_ns = now
        self._trade_ids = {symbol: venue.trade_id for symbol, venue in self.exchange.venues.items()}
        self._recording = recording
        self.flood: Flood | None = None
        self.markets = self._open_markets(config.regime, now, pace)
        self._restore(now)

    def _add_account(
        self,
        declared: SimAccount,
        nonces: dict[str, int],
        counters: dict[str, tuple[float, int]],
        now: int,
    ) -> None:
        index, trigger_ns = self.store.account_id(declared.name)
        tier = TIERS[declared.tier]
        start = int(max(declared.volume_30d_usd, Decimal(0)).scaleb(USD.decimals))
        volume = Volume(start, self.store.traded(index, now - HOURS * HOUR_NS, HOUR_NS))
        account = Account(index, declared.name, tier, volume, self.store.balances(index))
        account.trigger_ns = trigger_ns
        account.counters = self.store.counters(account)
        account.fills.extend(self.store.history.recent_fills(index, RECENT_FILLS))
        self.exchange.accounts[index] = account
        account.wallets = self.store.wallets(index)
        account.positions = self.store.positions(index)
        state = self.exchange.state
        for wallet, asset, amount in declared_wallets(declared):
            known = account.balances if wallet == SPOT else account.wallets.get(asset, {})
            if (asset if wallet == SPOT else wallet) in known or asset not in ASSETS:
                continue
            held = units(amount, ASSETS[asset].decimals) or 0
            state.book(account, asset, "deposit", held, 0, state.reference(), now, now, wallet=wallet)
        for key in declared.keys:
            counter = Counter(tier.rest_max, tier.rest_decay, *counters.get(key.api_key, ()))
            self.keys[key.api_key] = KeyState(key, account, nonces.get(key.api_key, 0), counter)

    def add_subaccount(self, name: str, now: int) -> None:
        """Add an account without keys or balances."""
        self.store.add_subaccount(name)
        self._add_account(SimAccount(name=name, keys=[], balances={}), {}, {}, now)

    def _pay_rewards(self, now: int) -> None:
        """Pay what Earn has brought since the last payout, at the turn of each week."""
        week = now // earn.PAYOUT_NS
        weeks = week - int(self.store.meta("earn_week", str(week)))
        if weeks > 0:
            for account in self.exchange.accounts.values():
                earn.pay(self.exchange.state, account, now, min(weeks, earn.WEEKS_MAX))
        self.store.put("earn_week", str(week))
        self.later((week + 1) * earn.PAYOUT_NS, self._pay_rewards)

    def _open_markets(self, regime: str, now: int, pace: float) -> Sequence[Flow]:
        if self._recording is not None:
            return self._open_replays(self._recording, now, pace)
        if regime == "flood":
            self.flood = Flood(self.exchange.venues.values(), now)
            for venue in self.exchange.venues.values():
                venue.public.clear()
            return []
        markets: list[Market] = []
        standing = self.store.open_orders()
        for symbol, venue in self.exchange.venues.items():
            market = Market(self.exchange, venue, style_of(venue.pair, regime), f"{symbol} {self.seed}", pace)
            own = [(o.side, o.price) for o in standing if o.pair.symbol == symbol and o.price is not None]
            market.open(now, own)
            venue.public.clear()
            markets.append(market)
        crosses.link(markets, now)
        return markets

    def _open_replays(self, recording: Mapping[str, list[Moment]], now: int, pace: float) -> list[Flow]:
        flows: list[Flow] = []
        for symbol, moments in recording.items():
            venue = self.exchange.venues[symbol]
            flow = Replay(self.exchange, venue, moments, pace)
            flow.open(now)
            venue.public.clear()
            flows.append(flow)
        return flows

    def _restore(self, now: int) -> None:
        """Open orders rest again behind the fresh crowd; what fell due while the exchange was down falls now."""
        for order in self.store.open_orders():
            if order.account in self.exchange.accounts:
                self.exchange.lifecycle.restore(order, now)
        self.exchange.tick(now)
        self._saved_ns = 0
        self.flush(now)

    def step(self, now: int) -> int:
        """Do everything that is due; return when to come back (ns since the epoch). Raises when a commit has failed."""
        if self.broken is not None:
            raise self.broken
        self.now = now
        timers = self._timers
        while timers and timers[0][0] <= now:
            heapq.heappop(timers)[2](now)
        due = now + STEP_MAX_NS
        if self.exchange.state.system == SystemStatus.ONLINE:
            due = min((m.step(now) for m in self.markets if m.venue.status == PairStatus.ONLINE), default=due)
            if self.flood is not None:
                due = min(due, self.flood.step(now))
        self.exchange.tick(now)
        self.flush(now)
        return min(due, timers[0][0]) if timers else due

    def later(self, when: int, action: Callable[[int], None]) -> None:
        """Have the first step at or after ``when`` call ``action(now)``; those of one moment run in order."""
        self._timer_serial += 1
        heapq.heappush(self._timers, (when, self._timer_serial, action))

    def set_clock(self, offset_ns: int) -> None:
        """Put the exchange's clock off by ``offset_ns``; what has been timed keeps its distance."""
        self.flush(self.now)
        self.store.shift(self.now, offset_ns)
        by = offset_ns - self.clock_offset_ns
        self.clock_offset_ns = offset_ns
        self.now += by
        self._timers = [(when + by, number, action) for when, number, action in self._timers]
        for market in self.markets:
            market.shift(by)
        if self.flood is not None:
            self.flood.shift(by)
        for account in self.exchange.accounts.values():
            account.shift(by)
        for key in self.keys.values():
            key.counter.ns += by
        for token in self.tokens.values():
            token.expires_ns += by
        self.faults.shift(by)
        for session in self.hub.sessions:
            session.shift(by)
        if self.maintenance is not None:
            self.maintenance[:] = [when + by for when in self.maintenance]
        self._saved_ns += by

    def shown_until(self, now: int) -> int:
        """Return up to when the histories show: now, or what a fault leaves of it."""
        return now - self.faults.level("rest_behind", now, path="rest") if self.faults.rules else now

    def send_status(self) -> None:
        """Send the exchange's status to every session."""
        for session in tuple(self.hub.sessions):
            session.send(session.status())

    def reopen_market(self, symbol: str, now: int) -> None:
        """Give a pair whose venue begins anew a new crowd."""
        venue = self.exchange.venues[symbol]
        if any(market.venue is venue for market in self.markets) and self._recording is None:
            seed = f"{symbol} {self.seed} {venue.pair.price_precision}"
            anew = Market(self.exchange, venue, style_of(venue.pair, self.config.regime), seed)
            anew.open(now)
            self.markets = [anew if market.venue is venue else market for market in self.markets]
            crosses.link([market for market in self.markets if isinstance(market, Market)], now)

    def flush(self, now: int) -> None:
        """Commit what has changed, then publish it."""
        self.now = now
        state = self.exchange.state
        if state.journal:
            journal, state.journal = state.journal, Journal()
            try:
                self.store.commit(state, journal)
            except sqlite3.Error as error:
                # Memory is ahead of the disk now: only a new start from the disk is right.
                self.broken = error
                raise
        if self._must_save(now):
            self._save(now)
        reports: list[Report] = state.reports
        if reports:
            state.reports = []
        self.hub.dispatch(reports, now)

    def _must_save(self, now: int) -> bool:
        if now - self._saved_ns >= SAVE_EVERY_NS:
            return True
        return any(v.trade_id >= self._trade_ids.get(s, 0) for s, v in self.exchange.venues.items())

    def _save(self, now: int) -> None:
        self._saved_ns = now
        self._trade_ids = {s: v.trade_id + TRADE_ID_BLOCK for s, v in self.exchange.venues.items()}
        self.store.venues((s, v.last_price, self._trade_ids[s]) for s, v in self.exchange.venues.items())

    def charge(self, key: KeyState, points: int, now: int) -> None:
        """Charge a REST call's points to its key's counter; refuse (KrakenError) a call whose points do not fit."""
        if not key.counter.fits(points, now):
            raise KrakenError(errors.API_RATE_LIMIT)
        key.counter.charge(points, now)
        self.store.rest_counter(key.key.api_key, key.counter)

    def make_token(self, key: KeyState, now: int) -> str:
        """Make a WebSocket token; a key's oldest unused ones go when it has too many."""
        for text in [t.text for t in self.tokens.values() if t.expires_ns < now and not t.used_by]:
            del self.tokens[text]
        mine = [token for token in self.tokens.values() if token.key is key and not token.used_by]
        for token in mine[: max(0, len(mine) - TOKENS_PER_KEY + 1)]:
            del self.tokens[token.text]
        digest = hashlib.sha256(f"{key.key.api_key} {now} {self.rng.getrandbits(128)}".encode()).digest()
        text = base64.b64encode(digest).decode().rstrip("=").replace("/", "x").replace("+", "y")
        self.tokens[text] = Token(text, key, now + TOKEN_LIFE_NS)
        return text

    def token(self, text: object, connection_id: int, now: int) -> Token:
        """Return the token of a request; refuses (KrakenError) one that is unknown, over, or another connection's."""
        token = self.tokens.get(text) if isinstance(text, str) else None
        sharing = self.config.unconfirmed.token_sharing
        if token is not None:
            mine = connection_id in token.used_by
            is_used = bool(token.used_by) if sharing == "any" else mine
            if (token.expires_ns >= now or is_used) and not (sharing == "none" and token.used_by and not mine):
                return token
        raise KrakenError(errors.INVALID_SESSION)


def declared_wallets(account: SimAccount) -> Iterator[tuple[str, str, Decimal]]:
    """Yield wallet, asset and amount of everything that an account begins with."""
    for asset, amount in account.balances.items():
        yield SPOT, asset, amount
    for asset, wallets in account.wallets.items():
        for wallet, amount in wallets.items():
            yield wallet, asset, amount
