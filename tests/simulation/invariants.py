"""The invariants (docs/simulation.md), judged by the exchange's own books and by what was put on the wire."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from executor.orders import ids
from executor.orders.order import Order as DecidedOrder
from shared import limits
from shared.clock import SECOND, parse_rfc3339
from shared.messages import Quote
from shared.numbers import scale
from shared.process.effects import LogEntry
from shared.valuation import legs
from simulator import errors
from simulator.exchange.limits import amend_penalty, cancel_penalty
from simulator.exchange.orders import Order
from simulator.pairs.pairs import PAIRS
from simulator.session import Request
from tests.simulation.at_rest import AtRest, all_fills
from tests.simulation.flat import STRATEGY, Flat
from tests.simulation.held import Held
from tests.simulation.host import Host
from tests.simulation.link import Link
from tests.simulation.orders import CANCELS, PLACING, added, is_flatten, is_ours
from tests.simulation.worst_case import WorstCase

if TYPE_CHECKING:
    from tests.simulation.world import World

SLACK = int(0.7 * SECOND)  # ways there and back, with their tail
DEAD_WINDOW = int((limits.SWITCH_TIMEOUT_S + 1.5) * SECOND)
ENDS = frozenset({"filled", "cancelled", "expired", "refused", "denied", "never_placed"})
# Errors that the exchange may return though nobody injected them.
FAIR = (
    errors.POST_ONLY,
    errors.UNKNOWN_ORDER,
    errors.DEADLINE_ELAPSED,
    errors.INVALID_SESSION,
    errors.UNAVAILABLE,
    errors.CANCEL_ONLY,
    errors.POST_ONLY_MODE,
    errors.INVALID_NONCE,
    "EGeneral:Invalid arguments:deadline",  # it was on the way for so long that less than 500 ms were left
)
# How long a rate may go by a pair after that was last called live.
VALUED = int((limits.PATH_DEAD_S + limits.RATE_STALE_S + 1.2) * SECOND)


class Watch:
    """Collects violations, each named by its invariant, and counts the checks so that none is empty."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violations: list[str] = []
        self.checks: Counter[str] = Counter()
        self._epochs: dict[str, int] = {}  # of each machine, the newest
        self._names: set[str] = set()  # client order ids that left
        self.worst_case = WorstCase(self)
        self.held = Held(self, self.worst_case)
        self.flat = Flat(self, self.worst_case)
        world.kraken.on_handle = self.handled
        world.kraken.on_refused = self.refused
        self._armed_at = 0

    def violate(self, name: str, text: str) -> None:
        """Something did not hold."""
        if len(self.violations) < 50:
            self.violations.append(f"{self.world.elapsed_s:.3f} s: invariant {name}: {text}")

    # --- what the executor says ----------------------------------------------------------------------------------

    def raised(self, host: Host, error: BaseException) -> None:
        """Invariant 9: nothing raises."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        self.violate("9", f"{host.name} raised {error!r} at {where.filename}:{where.lineno}")

    def started(self, host: Host) -> None:
        """Invariant 11: each start's epoch is above all before it, so that no id and no nonce comes again."""
        self.checks["11 epochs"] += 1
        if host.state.life.epoch <= self._epochs.get(host.name, 0):
            self.violate("11", f"{host.name} starts with epoch {host.state.life.epoch}, which it has had")
        self._epochs[host.name] = host.state.life.epoch
        self.held.started(host)

    def stopped(self, host: Host) -> None:
        """Invariant 11: nobody stops for a newer writer where there is none."""
        if self.world.alone:
            self.violate("11", f"{host.name} stopped for another writer, and is alone: {host.stopped_for}")

    def logged(self, host: Host, entry: LogEntry) -> None:
        """A frame of the simulator's is never unreadable."""
        if entry.kind == "frame":
            self.violate("9", f"{host.name}: {entry.text}")

    def frame(self, host: Host, text: str) -> None:
        """Note for invariant 11 whether it has seen a newer epoch's orders."""
        host.frames += 1
        if self.world.rival is None or host.newer_at or '"cl_ord_id":"T' not in text:
            return
        snapshot = '"type":"snapshot"' in text
        for row in json.loads(text).get("data", []):
            mine = ids.parse(row.get("cl_ord_id", "")) if isinstance(row, dict) else None
            is_writers = mine is not None and ids.is_writers(mine.epoch, self.world.kraken.ts // SECOND)
            if (
                mine is not None
                and is_writers
                and mine.epoch > host.state.life.epoch
                and not (snapshot and not host.state.session.was_reconciled)
            ):
                host.newer_at = self.world.loop.now

    # --- what leaves ---------------------------------------------------------------------------------------------

    def sent(self, host: Host, text: str) -> None:
        """Check everything that must hold when a request is handed to the socket."""
        body = json.loads(text, parse_float=Decimal)
        if body["method"] in CANCELS:
            self.checks["T9"] += 1
            if host.writes:
                self.violate("T9", f"{host.name} {body['method']} waited for the journal")
        if body["method"] not in PLACING:
            return
        self.checks["sends"] += 1
        world, kraken = self.world, self.world.kraken
        what = f"{host.name} {body['method']}"
        if world.files.halt:
            self.violate("6", f"{what} while halted")
        if host.newer_at:
            self.violate("11", f"{what} after a newer executor was seen")
        trigger, ts = kraken.account.trigger_ns, kraken.ts
        if kraken.world is not None and trigger <= ts:
            self.violate("switch", f"{what} without an armed switch")
        deadline = parse_rfc3339(body["params"]["deadline"])
        if kraken.world is not None and deadline > trigger - 2 * SECOND:
            self.violate("switch", f"{what}: deadline {(trigger - deadline) / SECOND:.3f} s before the trigger")
        if deadline > ts + 2.5 * SECOND:
            self.violate("deadline", f"{what}: {(deadline - ts) / SECOND:.3f} s ahead")
        if body["method"] == "amend_order":
            order = host.state.registry.find(body["params"]["cl_ord_id"])
            assert order is not None
            symbol = order.symbol
            self._amend_sent(host, body, order)
        else:
            symbol = body["params"]["symbol"]
            for row in added(body):
                self._add_sent(host, body, row)
        if not is_flatten(body):  # a position is closed whatever it is worth
            self._valued(host, symbol, what)
        if world.rival is None:
            self.worst_case.check(host, body)
            self.held.sent(host, body, symbol)

    def _add_sent(self, host: Host, body: dict[str, Any], row: dict[str, Any]) -> None:
        symbol, cl_ord_id = body["params"]["symbol"], row["cl_ord_id"]
        pair = PAIRS[symbol]
        if cl_ord_id in self._names:
            self.violate("11", f"{cl_ord_id} was used before")
        self._names.add(cl_ord_id)
        if host.journal.find_order(cl_ord_id, "") is None:
            self.violate("journal", f"{cl_ord_id} left before the journal knew it")
        mine = ids.parse(cl_ord_id)
        assert mine is not None
        strategy = {code: name for name, code in host.state.codes.items()}[mine.strategy]
        if strategy == STRATEGY:
            self.flat.sent(host, symbol, row)
            return
        if not row.get("post_only"):
            self.violate("T5", f"{cl_ord_id} is not post-only")
        target = host.heard.get((strategy, symbol))
        if target is None or self.world.loop.now - target.decided > target.ttl_ms * 1_000_000:
            self.violate("T2", f"{cl_ord_id} is added without a target that holds")
            return
        price, lots = scale(row["limit_price"], pair.price_precision), scale(row["order_qty"], pair.qty_precision)
        if Quote(slot=mine.slot, side=row["side"], price=price, qty=lots) not in target.quotes:
            self.violate("target", f"{cl_ord_id} {row['side']} {lots} at {price} is not what the target wants")
        self.checks["T1"] += 1
        if self._is_frozen(host, strategy, symbol, row["side"], target.fills):
            self.violate("T1", f"{cl_ord_id} is added on a side with a later fill than the target knew")

    def _valued(self, host: Host, symbol: str, what: str) -> None:
        """Nothing is placed without a valid rate of the quote asset: its pairs were live a moment ago."""
        for since in self._unvalued_since(host, symbol):
            self.checks["rate"] += 1
            if self.world.loop.now > since:
                self.violate("rate", f"{what} on {symbol}, and what values its quote is not live")

    def _unvalued_since(self, host: Host, symbol: str) -> list[int]:
        """Return since when the rate of a pair's quote has not been valid, for each pair that values it."""
        way = self.world.market.ways[legs(symbol)[1]]
        return [host.live_at[name] + VALUED if name in host.live_at else host.started for name in way]

    def _is_frozen(self, host: Host, strategy: str, symbol: str, side: str, known: int) -> bool:
        """True if this side has a fill that the target does not know, by the process's own count."""
        return host.state.account.tally(strategy, symbol).last.get(side, 0) > known

    def _amend_sent(self, host: Host, body: dict[str, Any], order: DecidedOrder) -> None:
        params = body["params"]
        lots = scale(params["order_qty"], order.qty_precision)
        if not params.get("post_only"):
            self.violate("T5", f"the amend of {order.cl_ord_id} is not post-only")
        target = host.heard.get((order.strategy, order.symbol))
        if target is None:
            self.violate("T2", f"{order.cl_ord_id} is amended without a target")
        elif lots > order.qty and self._is_frozen(host, order.strategy, order.symbol, order.side, target.fills):
            self.violate("T1", f"{order.cl_ord_id} is increased on a side with a later fill than the target knew")
        row = host.journal._db.execute("SELECT amend FROM orders WHERE cl_ord_id = ?", (order.cl_ord_id,)).fetchone()
        if row is None or not row[0] or json.loads(row[0])[1] != lots:
            self.violate("journal", f"the amend of {order.cl_ord_id} left before the journal knew it")

    # --- what the exchange sees ----------------------------------------------------------------------------------

    def handled(self, link: Link, request: Request, body: dict[str, Any]) -> None:
        """We never cross ourselves: at the moment an add or amend is acted on, no own order stands in its way."""
        if request.method == "cancel_all_orders_after":
            self._armed_at = self.world.loop.now  # perhaps by one who is dead by now: the way up was slow
        if body and self.world.alone:
            self._points(link, request, body)
        if request.method not in PLACING or not body or self.world.rival is not None:
            return
        account = self.world.kraken.account
        for row in [body["params"]] if request.method == "amend_order" else added(body):
            if request.method == "amend_order":
                order = account.by_client.get(row["cl_ord_id"])
                if order is None:
                    continue
                pair, side = order.pair, order.side
            else:
                pair, side = PAIRS[body["params"]["symbol"]], row["side"]
            price = scale(row["limit_price"], pair.price_precision)
            self.checks["cross"] += 1
            for other in account.orders.values():
                if not is_ours(other.cl_ord_id) or other.pair is not pair or other.side == side or other.price is None:
                    continue
                if price >= other.price if side == "buy" else price <= other.price:
                    self.violate("cross", f"{side} at {price} meets our own {other.side} at {other.price}")

    def _points(self, link: Link, request: Request, body: dict[str, Any]) -> None:
        """Invariant 5: what the executor counts for an amend or a cancel is no less than the exchange's own table says.

        By the exchange's age of each order, with some slack for the way there.
        """
        penalty = {"amend_order": amend_penalty, **dict.fromkeys(CANCELS, cancel_penalty)}.get(request.method)
        host = next((host for host in self.world.hosts() if host.link is link and host.running), None)
        if penalty is None or host is None or host.write_s:
            return
        account, params = self.world.kraken.account, body["params"]
        ids_named = params.get("orders") or params.get("order_id") or params.get("cl_ord_id") or []
        ids_named = [ids_named] if isinstance(ids_named, str) else ids_named
        orders = [account.orders.get(name) or account.by_client.get(name) for name in ids_named]
        if None in orders:
            return  # it has ended, or another one did: nothing is charged for that
        query = "SELECT points FROM sends WHERE method = ? AND orders = ? ORDER BY rowid DESC LIMIT 1"
        names = " ".join(order.cl_ord_id or "" for order in orders if order is not None)
        row = host.journal._db.execute(query, (request.method, names)).fetchone()
        if row is None:
            return  # the disk is full
        ts = self.world.kraken.ts
        least = sum(penalty(ts - order.touched_ns + 2 * SECOND) for order in orders if order is not None)
        self.checks["5 points"] += 1
        if row[0] < least:
            self.violate("5", f"{request.method} of {names} counts {row[0]} here, {least} at the exchange")

    def refused(self, method: str, error: str, injected: bool) -> None:
        """Invariant 5, and no request that Kraken would call malformed."""
        if injected or error.startswith(FAIR):
            return
        if error == errors.INSUFFICIENT_FUNDS and self.world.foreign_rate:
            return  # somebody else's order took the funds
        name = "5" if "ate limit" in error or "Throttled" in error else "refused"
        if name == "5" and not self.world.alone:
            return  # each counts its own on two machines
        self.violate(name, f"{method} was refused: {error}")

    # --- after every step ----------------------------------------------------------------------------------------

    def own_open(self) -> list[Order]:
        """Our orders that rest at the exchange."""
        return [order for order in self.world.kraken.account.orders.values() if is_ours(order.cl_ord_id)]

    def step(self) -> None:
        """Check what holds at any moment."""
        world, kraken = self.world, self.world.kraken
        if kraken.world is None:
            return
        own = self.own_open()
        account, ts = kraken.account, kraken.ts
        for symbol, counter in account.counters.items() if world.alone else ():
            self.checks["5"] += 1
            if counter.now(ts) > account.tier.threshold + 1e-6:
                self.violate("5", f"the counter of {symbol} stands at {counter.now(ts):.2f}")
        if own and not account.trigger_ns:
            self.violate("switch", f"{len(own)} orders rest without an armed switch")
        hosts = world.hosts()
        if not any(host.running for host in hosts):
            died = max(self._armed_at, *(host.died for host in hosts))
            if own and kraken.system != "maintenance" and world.loop.now - died > DEAD_WINDOW:
                self.violate("1", f"{len(own)} orders rest {(world.loop.now - died) / SECOND:.1f} s after the end")
            self.checks["1 dead"] += 1
        for host in hosts:
            if host.running:
                self._step(host, own)

    def _step(self, host: Host, own: list[Order]) -> None:
        now = self.world.loop.now
        link = host.link
        if link is not None and not link.server_open and now >= host.frozen_until:
            self.checks["dead link"] += 1
            # Thawed, it first hears what the connection had brought before that died.
            heard = max(link.server_gone_at, link.reached_at, host.connected_at, host.frozen_until)
            if now - heard > limits.CONNECTION_DEAD_S * SECOND + 2 * SLACK:
                self.violate("dead link", f"{host.name} keeps a connection that died without a word")
        if host.newer_at and now - host.newer_at > 5 * SECOND and now >= host.frozen_until:
            self.violate("11", f"{host.name} runs 5 s after it saw a newer executor")
        if self.world.rival is not None:
            return
        for order in own:
            known = host.state.registry.find(order.cl_ord_id or "", order.order_id)
            if known is not None and known.state.value in ENDS:
                text = f"{order.cl_ord_id} rests, but counts as {known.state.value} ({known.error})"
                self.violate("assumed", text)
        if not host.state.session.connected or self.world.kraken.system == "maintenance":
            return
        opened = {order.number: order.opened_ns - self.world.kraken.offset for order in own}
        # Since when the exchange could be reached without anything in the way.
        clear = max(host.started, host.connected_at, self.world.trouble_until)
        second = SECOND + SLACK
        self.held.step(host, own, clear)
        for order in own:
            self.checks["1"] += 1
            if now - max(clear, opened[order.number]) > second and not self._knows(host, order):
                self.violate("1", f"{order.cl_ord_id} rests and is not known")
            bad = self._bad_since(host, order.pair.symbol)
            if bad is not None:
                self.checks["3"] += 1
                if now - max(clear, bad, opened[order.number]) > second:
                    self.violate("3", f"{order.cl_ord_id} rests on a book that is not live")
            unvalued = self._unvalued_since(host, order.pair.symbol)
            starts = host.started + int(limits.START_GRACE_S * SECOND)
            if unvalued and now - max(clear, starts, min(unvalued), opened[order.number]) > second:
                self.violate("rate", f"{order.cl_ord_id} rests, and what values its quote is not live")
            if self.world.halted_at:
                self.checks["6"] += 1
                if now - max(clear, self.world.halted_at, opened[order.number]) > second:
                    self.violate("6", f"{order.cl_ord_id} rests while halted")

    def _knows(self, host: Host, order: Order) -> bool:
        known = host.state.registry.find(order.cl_ord_id or "", order.order_id)
        return known is not None and known.is_live

    def _bad_since(self, host: Host, symbol: str) -> int | None:
        """Return since when the process has known that this book is not live."""
        since = [host.bad_since[symbol]] if symbol in host.bad_since else []
        dead = int(limits.PATH_DEAD_S * SECOND)
        since += [at + dead for at in (host.feed_heard, host.books_heard) if self.world.loop.now - at > dead]
        return min(since) if since else None

    # --- at rest -------------------------------------------------------------------------------------------------

    def inventory(self, asset: str, host: Host | None = None) -> Decimal:
        """Return a traded base's inventory, as configured or as accepted since, which a rival does not know."""
        if host is not None and host is not self.world.main:
            return host.state.account.inventory.of_asset(asset)
        if asset in self.world.files.accept and self.world.main.running:
            return self.world.main.state.account.inventory.of_asset(asset)
        configured = self.world.config.trading.inventory_base or {}
        return self.held.accepted.get(asset, configured[asset])

    def exchange_fills(self) -> tuple[int, int]:
        """Return how many fills of ours and of others the exchange's books hold."""
        ours = [is_ours(fill.cl_ord_id) for fill in all_fills(self.world)]
        return sum(ours), len(ours) - sum(ours)

    def at_rest(self) -> None:
        """Invariants 2, 7 and 10, when nothing moves any more."""
        host = self.world.main
        if not host.running:
            self.violate("9", "the executor does not run at the end")
            return
        AtRest(self, host).check()
        self.checks["at rest"] += 1
