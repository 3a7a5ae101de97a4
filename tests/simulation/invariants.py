"""What must always hold (DESIGN.md), judged by the exchange's own books and by what was put on the wire."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from executor import ids
from executor.outbox import Told
from executor.planner import Quote
from shared import limits
from shared.clock import SECOND, parse_rfc3339
from shared.numbers import scale
from simulator import errors
from simulator.orders import Fill, Order
from simulator.pairs import ASSETS, PAIRS, Pair
from simulator.session import Request
from tests.simulation.host import Host
from tests.simulation.kraken import PLACING, Link, is_ours
from tests.simulation.sizes import oversized

if TYPE_CHECKING:
    from tests.simulation.world import World

SLACK = int(0.7 * SECOND)  # ways there and back, with their tail
DEAD_WINDOW = int((limits.SWITCH_TIMEOUT_S + 1.5) * SECOND)
ENDS = frozenset({"filled", "cancelled", "expired", "refused", "denied", "never_placed"})
# What the exchange may answer without anybody having injected it.
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


@dataclass(slots=True)
class Open:
    """An order as the exchange may have it: ticks at the dearest, lots still to fill at the most."""

    symbol: str
    side: str
    price: int
    lots: int
    ours: bool


def worth(pair: Pair, price: Decimal | int, lots: int) -> Decimal:
    """Quote currency."""
    return Decimal(price) * lots * Decimal(1).scaleb(-pair.price_precision - pair.qty_precision)


def wishes(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The orders of an add_order or batch_add."""
    params = body["params"]
    return params["orders"] if body["method"] == "batch_add" else [params]


class Watch:
    """Collects violations, each named by its invariant, and counts the checks so that none is empty."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violations: list[str] = []
        self.checks: Counter[str] = Counter()
        world.kraken.on_handle = self.handled
        world.kraken.on_refused = self.refused

    def violate(self, name: str, text: str) -> None:
        """Something did not hold."""
        if len(self.violations) < 50:
            self.violations.append(f"{self.world.elapsed_s:.3f} s: invariant {name}: {text}")

    # --- what the executor says ----------------------------------------------------------------------------------

    def raised(self, host: Host, error: BaseException) -> None:
        """Invariant 9: nothing raises."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        self.violate("9", f"{host.name} raised {error!r} at {where.filename}:{where.lineno}")

    def told(self, host: Host, told: Told) -> None:
        """A frame of the simulator's is never unreadable."""
        if told.kind == "frame":
            self.violate("9", f"{host.name}: {told.text}")

    def frame(self, host: Host, text: str) -> None:
        """Invariant 11: has it seen a newer epoch's orders."""
        host.frames += 1
        if self.world.rival is None or host.newer_at or '"cl_ord_id":"T' not in text:
            return
        snapshot = '"type":"snapshot"' in text
        for row in json.loads(text).get("data", []):
            mine = ids.parse(row.get("cl_ord_id", "")) if isinstance(row, dict) else None
            if mine is not None and mine.epoch > host.state.epoch and not (snapshot and not host.state.was_reconciled):
                host.newer_at = self.world.loop.now

    # --- what leaves ---------------------------------------------------------------------------------------------

    def sent(self, host: Host, text: str) -> None:
        """Everything that has to hold when a request is handed to the socket."""
        body = json.loads(text, parse_float=Decimal)
        if body["method"] not in PLACING:
            return
        self.checks["sends"] += 1
        world, kraken = self.world, self.world.kraken
        what = f"{host.name} {body['method']}"
        if world.halt_file:
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
            self._amend_sent(host, body)
        else:
            for wish in wishes(body):
                self._add_sent(host, body, wish)
        if world.rival is None:
            self._worst_case(host, body)

    def _add_sent(self, host: Host, body: dict[str, Any], wish: dict[str, Any]) -> None:
        symbol, cl_ord_id = body["params"]["symbol"], wish["cl_ord_id"]
        pair = PAIRS[symbol]
        if host.journal.find_order(cl_ord_id, "") is None:
            self.violate("journal", f"{cl_ord_id} left before the journal knew it")
        if not wish.get("post_only"):
            self.violate("T5", f"{cl_ord_id} is not post-only")
        mine = ids.parse(cl_ord_id)
        assert mine is not None
        strategy = {code: name for name, code in host.state.codes.items()}[mine.strategy]
        target = host.heard.get((strategy, symbol))
        if target is None or self.world.loop.now - target.decided > target.ttl_ms * 1_000_000:
            self.violate("T2", f"{cl_ord_id} is added without a target that holds")
            return
        price, lots = scale(wish["limit_price"], pair.price_precision), scale(wish["order_qty"], pair.qty_precision)
        if Quote(slot=mine.slot, side=wish["side"], price=price, qty=lots) not in target.quotes:
            self.violate("target", f"{cl_ord_id} {wish['side']} {lots} at {price} is not what the target wants")
        self.checks["T1"] += 1
        if self._is_frozen(host, strategy, symbol, wish["side"], target.fills):
            self.violate("T1", f"{cl_ord_id} is added on a side with a later fill than the target knew")

    def _is_frozen(self, host: Host, strategy: str, symbol: str, side: str, known: int) -> bool:
        """Was there a fill on this side that the target does not know, by the process's own count."""
        return host.state.account.tally(strategy, symbol).last.get(side, 0) > known

    def _amend_sent(self, host: Host, body: dict[str, Any]) -> None:
        params = body["params"]
        order = host.state.registry.find(params["cl_ord_id"])
        assert order is not None
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

    # --- the worst case ------------------------------------------------------------------------------------------

    def _standing(self, host: Host) -> dict[str, Open]:
        """Everything that rests or is on its way, at its worst; foreign orders as far as the process was told."""
        found: dict[str, Open] = {}
        account = self.world.kraken.account
        for order in account.orders.values():
            ours = is_ours(order.cl_ord_id)
            if order.price is None or (not ours and order.opened_ns >= host.known_ts):
                continue
            name = order.cl_ord_id if ours else order.order_id
            assert name is not None
            found[name] = Open(order.pair.symbol, order.side, order.price, order.remaining, ours)
        for link in self.world.kraken.links:
            for _, body in link.in_flight.values():
                if body["method"] in PLACING and parse_rfc3339(body["params"]["deadline"]) > self.world.kraken.ts:
                    self._apply(found, body)
        return found

    def _apply(self, found: dict[str, Open], body: dict[str, Any]) -> None:
        params = body["params"]
        if body["method"] == "amend_order":
            standing = found.get(params["cl_ord_id"])
            order = self.world.kraken.account.by_client.get(params["cl_ord_id"])
            if standing is None or order is None:
                return
            standing.price = max(standing.price, scale(params["limit_price"], order.pair.price_precision))
            lots = scale(params["order_qty"], order.pair.qty_precision) - order.filled
            standing.lots = max(standing.lots, lots)
            return
        pair = PAIRS[params["symbol"]]
        for wish in wishes(body):
            price, lots = scale(wish["limit_price"], pair.price_precision), scale(wish["order_qty"], pair.qty_precision)
            found.setdefault(wish["cl_ord_id"], Open(pair.symbol, wish["side"], price, lots, True))

    def _exposure(self, host: Host, standing: dict[str, Open], symbol: str, side: str) -> Decimal | None:
        """The worst case of a side in quote currency, from the exchange's balance."""
        mid = host.mids.get(symbol)
        if mid is None:
            return None
        pair, account = PAIRS[symbol], self.world.kraken.account
        inventory = self.world.config.trading.inventory_base or {}
        held = Decimal(account.balances.get(pair.base.name, 0)).scaleb(-pair.base.decimals)
        lots = int((held - inventory[pair.base.name]).scaleb(pair.qty_precision))
        sign = 1 if side == "buy" else -1
        for fill in account.fills:
            # Somebody else's fill that no report has told yet.
            if not is_ours(fill.cl_ord_id) and fill.ns >= host.known_ts and (fill.pair, fill.side) == (pair, side):
                lots -= sign * fill.qty
        total = sign * worth(pair, mid, lots)
        for order in standing.values():
            if (order.symbol, order.side) == (symbol, side):
                total += worth(pair, max(Decimal(order.price), mid), order.lots)
        return total

    def _gross(self, host: Host, standing: dict[str, Open]) -> Decimal:
        sides = [
            [self._exposure(host, standing, symbol, side) or Decimal(0) for side in ("buy", "sell")]
            for symbol in host.mids
        ]
        return sum((max(*pair, Decimal(0)) for pair in sides), Decimal(0))

    def _worst_case(self, host: Host, body: dict[str, Any]) -> None:
        """Invariant 4: within every limit whenever something is sent that does not reduce it."""
        rules = self.world.config.trading
        before = self._standing(host)
        after = {name: Open(o.symbol, o.side, o.price, o.lots, o.ours) for name, o in before.items()}
        self._apply(after, body)
        changed = [o for name, o in after.items() if before.get(name) != o]
        what = f"{host.name} {body['method']} {[(o.symbol, o.side, o.price, o.lots) for o in changed]}"
        for symbol, side in {(o.symbol, o.side): None for o in changed}:
            was, now = (self._exposure(host, s, symbol, side) for s in (before, after))
            if was is None or now is None:
                self.violate("4", f"{what} without a mid")
                return
            self.checks["4"] += 1
            if now > rules.max_position_size and now > was:
                self.violate("4", f"{what}: worst case {now:.2f} (was {was:.2f}) above max_position_size")
        was, now = self._gross(host, before), self._gross(host, after)
        if now > rules.max_gross_position and now > was:
            self.violate("4", f"{what}: gross {now:.2f} (was {was:.2f}) above max_gross_position")
        if body["method"] != "amend_order" and len(after) > rules.max_open_orders:
            self.violate("4", f"{what}: {len(after)} orders open, max_open_orders is {rules.max_open_orders}")
        for order in changed:
            mid = host.mids[order.symbol]
            if worth(PAIRS[order.symbol], max(Decimal(order.price), mid), order.lots) > rules.max_order_size:
                self.violate("4", f"{what}: above max_order_size")

    # --- what the exchange sees ----------------------------------------------------------------------------------

    def handled(self, link: Link, request: Request, body: dict[str, Any]) -> None:
        """We never cross ourselves: at the moment an add or amend is acted on, no own order stands in its way."""
        if request.method not in PLACING or not body or self.world.rival is not None:
            return
        account = self.world.kraken.account
        for wish in [body["params"]] if request.method == "amend_order" else wishes(body):
            if request.method == "amend_order":
                order = account.by_client.get(wish["cl_ord_id"])
                if order is None:
                    continue
                pair, side = order.pair, order.side
            else:
                pair, side = PAIRS[body["params"]["symbol"]], wish["side"]
            price = scale(wish["limit_price"], pair.price_precision)
            self.checks["cross"] += 1
            for other in account.orders.values():
                if not is_ours(other.cl_ord_id) or other.pair is not pair or other.side == side or other.price is None:
                    continue
                if price >= other.price if side == "buy" else price <= other.price:
                    self.violate("cross", f"{side} at {price} meets our own {other.side} at {other.price}")

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
        """What holds at any moment."""
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
            died = max(host.died for host in hosts)
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
        if not host.state.connected or self.world.kraken.system == "maintenance":
            return
        opened = {order.number: order.opened_ns - self.world.kraken.offset for order in own}
        # Since when the exchange could be reached without anything in the way.
        clear = max(host.started, host.connected_at, self.world.trouble_until)
        second = SECOND + SLACK
        for order in own:
            self.checks["1"] += 1
            if now - max(clear, opened[order.number]) > second and not self._knows(host, order):
                self.violate("1", f"{order.cl_ord_id} rests and is not known")
            bad = self._bad_since(host, order.pair.symbol)
            if bad is not None:
                self.checks["3"] += 1
                if now - max(clear, bad, opened[order.number]) > second:
                    self.violate("3", f"{order.cl_ord_id} rests on a book that is not live")
            if self.world.halted_at:
                self.checks["6"] += 1
                if now - max(clear, self.world.halted_at, opened[order.number]) > second:
                    self.violate("6", f"{order.cl_ord_id} rests while halted")

    def _knows(self, host: Host, order: Order) -> bool:
        known = host.state.registry.find(order.cl_ord_id or "", order.order_id)
        return known is not None and known.is_live

    def _bad_since(self, host: Host, symbol: str) -> int | None:
        """Since when the process knows that this book is not live."""
        since = [host.bad_since[symbol]] if symbol in host.bad_since else []
        dead = int(limits.PATH_DEAD_S * SECOND)
        since += [at + dead for at in (host.feed_heard, host.books_heard) if self.world.loop.now - at > dead]
        return min(since) if since else None

    # --- at rest -------------------------------------------------------------------------------------------------

    def _all_fills(self) -> Iterator[Fill]:
        for row in self.world.kraken.store._db.execute("SELECT exec_id FROM trades ORDER BY rowid"):
            yield self.world.kraken.store.fills_by_id(1, [row[0]])[0]

    def exchange_fills(self) -> tuple[int, int]:
        """How many fills of ours and of others the exchange's books hold."""
        ours = [is_ours(fill.cl_ord_id) for fill in self._all_fills()]
        return sum(ours), len(ours) - sum(ours)

    def at_rest(self) -> None:
        """Invariants 2, 7 and 10, when nothing moves any more."""
        host = self.world.main
        if not host.running:
            self.violate("9", "the executor does not run at the end")
            return
        fills = {fill.exec_id: fill for fill in self._all_fills()}
        before = {row[0] for row in host.journal._db.execute("SELECT exec_id FROM before")}
        self._fills(host, {name: fill for name, fill in fills.items() if name not in before})
        if any(is_ours(fills[name].cl_ord_id) for name in before):
            self.violate("2", "a fill of ours counts as older than the journal")
        self._filled(host, fills.values())
        self._money(host, [fill for name, fill in fills.items() if name not in before])
        for text in oversized(host):
            self.violate("10", text)
        self.checks["at rest"] += 1

    def _fills(self, host: Host, fills: dict[str, Fill]) -> None:
        kept = host.journal.fills()
        names = Counter(row.exec_id for row in kept)
        for name in fills.keys() - names.keys():
            self.violate("2", f"fill {name} of {fills[name].cl_ord_id} is not in the journal")
        for name in names.keys() - fills.keys():
            self.violate("2", f"the journal's fill {name} is not the exchange's")
        positions: dict[tuple[str, str], Decimal] = {}
        codes = {code: name for name, code in host.state.codes.items()}
        for row in kept:
            fill = fills.get(row.exec_id)
            if fill is None:
                continue
            pair = fill.pair
            told = (row.symbol, row.side, Decimal(row.price), Decimal(row.qty), Decimal(row.fee), row.order_id)
            price, qty = Decimal(pair.price(fill.price)), Decimal(pair.qty(fill.qty))
            if told != (pair.symbol, fill.side, price, qty, Decimal(pair.cost(fill.fee)), fill.order_id):
                self.violate("2", f"{row} differs from {fill}")
            mine = ids.parse(fill.cl_ord_id or "")
            # Orders of a rival's epoch are of nobody here; those of every life of this machine have their strategy.
            owner = codes[mine.strategy] if mine is not None and mine.epoch in host.epochs else row.strategy
            if row.strategy != owner:
                self.violate("2", f"fill {row.exec_id} of {owner} counts for {row.strategy}")
            key = (row.strategy, row.symbol)
            positions[key] = positions.get(key, Decimal(0)) + (qty if fill.side == "buy" else -qty)
        for key, position in positions.items():
            held = host.state.account.tally(*key).position
            if held != position:
                self.violate("2", f"the position of {key} is {held}, its fills add up to {position}")

    def _filled(self, host: Host, fills: Iterable[Fill]) -> None:
        """Each order is as far filled as the exchange's fills of it add up to: none counted twice, none left out."""
        truth: dict[str, Decimal] = {}
        for fill in fills:
            truth[fill.order_id] = truth.get(fill.order_id, Decimal(0)) + Decimal(fill.pair.qty(fill.qty))
        query = "SELECT cl_ord_id, order_id, state, filled FROM orders"
        for cl_ord_id, order_id, state, filled in host.journal._db.execute(query):
            must = truth.get(order_id, Decimal(0))
            self.checks["filled"] += 1
            if Decimal(filled) != must:
                self.violate("2", f"{cl_ord_id} ({state}) is {filled} filled here, {must} at the exchange")

    def _money(self, host: Host, fills: list[Fill]) -> None:
        account, ledger = self.world.kraken.account, host.state.account.ledger
        if ledger.difference:
            self.violate("7", ledger.difference)
        for asset, units in account.balances.items():
            held = ledger.spendable().get(asset)
            if held != Decimal(units).scaleb(-ASSETS[asset].decimals):
                self.violate("7", f"{asset}: {held} here, {units} units at the exchange")
        effects: dict[str, Decimal] = {}
        for fill in fills:
            pair = fill.pair
            price, qty, fee = (Decimal(t) for t in (pair.price(fill.price), pair.qty(fill.qty), pair.cost(fill.fee)))
            sign = 1 if fill.side == "buy" else -1
            effects[pair.base.name] = effects.get(pair.base.name, Decimal(0)) + sign * qty
            effects[pair.quote.name] = effects.get(pair.quote.name, Decimal(0)) - sign * price * qty - fee
        for asset, holding in ledger.holdings.items():
            balance = Decimal(account.balances.get(asset, 0)).scaleb(-ASSETS[asset].decimals)
            rounding = balance - holding.opening - effects.get(asset, Decimal(0))
            if holding.rounding != rounding:
                self.violate("7", f"the rounding account of {asset} is {holding.rounding}, must be {rounding}")
            if holding.open_legs:
                self.violate("7", f"{asset} has legs without an entry at rest: {holding.open_legs}")
        paid = sum((pnl.fees for pnl in host.state.account.pnl.values()), Decimal(0))
        must = sum((Decimal(fill.pair.cost(fill.fee)) for fill in fills), Decimal(0))
        if paid != must:
            self.violate("7", f"fees paid {paid} here, {must} at the exchange")
