"""Faults that happen at once, on demand: a world's status, its pairs, its clock, its tokens, a fill in part."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from simulator.errors import FaultError, KrakenError
from simulator.exchange.accounts import earn
from simulator.exchange.engine import opposite, resting_order
from simulator.exchange.orders import SPOT, WALLETS, Order
from simulator.exchange.state import SystemStatus
from simulator.exchange.venue.book import FullBook
from simulator.faults.rules import Fault
from simulator.pairs.instrument import PairStatus
from simulator.pairs.pairs import ASSETS
from simulator.pairs.views import instrument_data
from simulator.wire import NS, units
from simulator.world import World

PRECISION_MAX = 5
# How long each step back from a maintenance takes.
PHASE_NS = 10 * NS
RESTATED = "Order restated by the engine"
# Far from the 63 bits that a column of the database holds.
AMOUNT_MAX = 10**17
_LEDGER_TYPE = re.compile(r"[a-z_]{1,32}")
# Types that move between wallets of one account when a wallet is named.
_MOVES = ("transfer", "earn", "staking")


def carry_out(world: World, fault: Fault, now: int) -> None:
    """Carry out an instant fault; raises FaultError when it makes no sense here."""
    _BY_KIND[fault.kind](world, fault, now)
    world.faults.note(fault.kind, fault.id, now, fault.value or fault.symbol)
    # A clock that was moved has moved the time.
    world.flush(world.now if fault.kind == "clock" else now)


def calm(world: World, now: int) -> None:
    """Undo what instant faults have set: bring the exchange and its pairs online, and the clock right."""
    world.maintenance = None
    set_system(world, SystemStatus.ONLINE, now)
    for symbol, venue in world.exchange.venues.items():
        if venue.status != venue.pair.status:
            venue.status = venue.pair.status
            publish_instrument(world, symbol)
    world.flush(now)
    world.set_clock(0)


def set_system(world: World, status: str, now: int) -> None:
    """Set the exchange's status, and send a change to every session."""
    if status not in list(SystemStatus):
        raise FaultError(f"value is one of {', '.join(SystemStatus)}")
    if world.exchange.state.system != status:
        world.exchange.state.system = SystemStatus(status)
        world.exchange.tick(now)
        world.send_status()


def publish_instrument(world: World, symbol: str) -> None:
    """Publish an ``instrument`` update with one pair."""
    data = instrument_data([], [world.exchange.venues[symbol]])
    world.hub.publish("instrument", "", 0, f'{{"channel":"instrument","type":"update","data":{data}}}')


def _status(world: World, fault: Fault, now: int) -> None:
    set_system(world, fault.value, now)


def _maintenance(world: World, fault: Fault, now: int) -> None:
    """Announce a maintenance that begins after ``ms`` and lasts ``seconds`` (60); ``phased`` ends it in steps."""
    begin = now + int(fault.ms * 1e6)
    end = begin + int((fault.seconds or 60) * NS)
    announced = world.maintenance = [begin, end]
    world.send_status()

    def begins(at: int) -> None:
        if world.maintenance is announced:
            set_system(world, SystemStatus.MAINTENANCE, at)

    def ends(at: int) -> None:
        if world.maintenance is announced:
            world.maintenance = None
            back = (SystemStatus.CANCEL_ONLY, SystemStatus.POST_ONLY, SystemStatus.ONLINE)
            steps = back if fault.value == "phased" else back[-1:]
            for number, status in enumerate(steps):
                world.later(at + number * PHASE_NS, lambda when, status=status: come_back(when, status))  # type: ignore[misc]

    def come_back(at: int, status: str) -> None:
        if world.maintenance is None:
            set_system(world, status, at)

    world.later(begin, begins)
    world.later(end, ends)


def _expire_tokens(world: World, fault: Fault, _now: int) -> None:
    for token in tuple(world.tokens.values()):
        if not fault.account or token.key.account.name == fault.account:
            del world.tokens[token.text]


def _clock(world: World, fault: Fault, _now: int) -> None:
    world.set_clock(int(fault.ms * 1e6))


def _pair(world: World, fault: Fault, now: int) -> None:
    venue = world.exchange.venues.get(fault.symbol)
    if venue is None:
        raise FaultError("symbol is one of " + ", ".join(world.exchange.venues))
    if fault.value:
        if fault.value not in list(PairStatus):
            raise FaultError(f"value is one of {', '.join(PairStatus)}")
        venue.status = fault.value
    if fault.qty_min:
        venue.pair = replace(venue.pair, qty_min=_units(fault.qty_min, venue.pair.qty_precision))
    if fault.cost_min:
        venue.pair = replace(venue.pair, cost_min=_units(fault.cost_min, venue.pair.quote.decimals))
    if fault.price_precision is not None and fault.price_precision != venue.pair.price_precision:
        _reprice(world, fault.symbol, fault.price_precision, now)
    publish_instrument(world, fault.symbol)


def _units(text: str, precision: int) -> int:
    try:
        whole = units(Decimal(text), precision)
    except InvalidOperation as error:
        raise FaultError(f"{text} is no number") from error
    if whole is None or whole <= 0:
        raise FaultError(f"{text} has too many decimals or is not positive")
    return whole


def _reprice(world: World, symbol: str, precision: int, now: int) -> None:
    """Give a pair new price decimals: cancel its orders, begin the book anew, and send new snapshots."""
    if not 0 <= precision <= PRECISION_MAX:
        raise FaultError(f"price_precision is from 0 to {PRECISION_MAX}")
    exchange, venue = world.exchange, world.exchange.venues[symbol]
    for account in exchange.accounts.values():
        for order in [o for o in account.orders.values() if o.pair.symbol == symbol]:
            exchange.lifecycle.pull(order, "canceled", "Pair changed", now)
    old = venue.pair
    ticks = venue.last_price * 10**precision // 10**old.price_precision
    venue.pair = replace(old, price_precision=precision, start_price=max(1, ticks), tick=1)
    venue.reopen(world.engine(), max(1, ticks))
    world.reopen_market(symbol, now)
    venue.public.clear()
    venue.public += [("book", depth, venue.book.snapshot(depth)) for depth in venue.depths]
    venue.public += venue.v1_snapshots()
    venue.public += venue.level3_snapshots()


def _partial_fill(world: World, fault: Fault, now: int) -> None:
    """Trade ``share`` (by default a half) of the accounts' orders, through whatever has priority over them."""
    share = 0.5 if fault.share >= 1 else fault.share
    orders = [
        order
        for account in world.exchange.accounts.values()
        for order in account.orders.values()
        if (not fault.account or account.name == fault.account)
        and (not fault.symbol or order.pair.symbol == fault.symbol)
        and order.price is not None
    ]
    if not orders:
        raise FaultError("no such order is open")
    for order in orders:
        take_part(world, order, max(1, round(order.remaining * share)), now)


def take_part(world: World, order: Order, lots: int, now: int) -> None:
    """Trade ``lots`` of a resting order with the crowd, after all that has priority over it."""
    venue = world.exchange.venues[order.pair.symbol]
    engine = venue.engine
    if order.price is None or engine.order(order.number) is None:
        return
    book: FullBook = venue.book
    side = book.side(order.side)
    before = sum(side.qty[key * side.sign] for key in side.keys if key < order.price * side.sign)
    for number in engine.queue(order.side, order.price):
        if number == order.number:
            break
        ahead = resting_order(engine, number)
        before += ahead.remaining if ahead else 0
    try:
        events = venue.submit(venue.crowd_number(), 0, opposite(order.side), order.price, before + lots, now, "ioc")
    except ValueError as error:
        raise KrakenError(str(error)) from error
    world.exchange.settle(events, now)


def _ledger(world: World, fault: Fault, now: int) -> None:
    """Book a ledger entry of type ``value``; a transfer that names a ``wallet`` moves there, by two entries."""
    exchange = world.exchange
    account = next((a for a in exchange.accounts.values() if a.name == fault.account), None)
    asset = ASSETS.get(fault.asset)
    if account is None:
        raise FaultError("account is one of " + ", ".join(a.name for a in exchange.accounts.values()))
    if asset is None:
        raise FaultError(f"{fault.asset} is no asset here")
    if not _LEDGER_TYPE.fullmatch(fault.value):
        raise FaultError("value is a ledger type, such as deposit")
    wallet = fault.wallet or SPOT
    if wallet not in WALLETS:
        raise FaultError(f"wallet is one of {', '.join(WALLETS)}")
    amount, fee = (_amount(text, asset.decimals) for text in (fault.amount, fault.fee or "0"))
    visible, ref_id = now + exchange.state.lag(), fault.text or exchange.state.reference()
    if wallet != SPOT and fault.value in _MOVES:
        exchange.state.book(account, asset.name, fault.value, -amount, 0, ref_id, now, visible, fault.subtype)
    exchange.state.book(account, asset.name, fault.value, amount, fee, ref_id, now, visible, fault.subtype, wallet)


def _auto_earn(world: World, fault: Fault, now: int) -> None:
    """Move what is free into flexible earning, where orders cannot spend it."""
    for account in world.exchange.accounts.values():
        if not fault.account or account.name == fault.account:
            earn.sweep(world.exchange.state, account, now, fault.asset)


def _chosen(world: World, fault: Fault) -> list[Order]:
    """Return the open orders that a fault is about, each with the fault's share of chance."""
    return [
        order
        for account in world.exchange.accounts.values()
        for order in account.orders.values()
        if (not fault.account or account.name == fault.account)
        and (not fault.symbol or order.pair.symbol == fault.symbol)
        and (fault.share >= 1 or world.faults.rng.random() < fault.share)
    ]


def _engine_cancel(world: World, fault: Fault, now: int) -> None:
    """Cancel orders as the engine, with ``text`` as the reason."""
    for order in _chosen(world, fault):
        if order.number in world.exchange.orders:
            world.exchange.lifecycle.pull(order, "canceled", fault.text, now)


def _restate(world: World, fault: Fault, now: int) -> None:
    """Halve what remains of orders as the engine, and report them as restated."""
    for order in _chosen(world, fault):
        if order.number in world.exchange.orders and order.remaining > 1 and not order.terms.display:
            world.exchange.lifecycle.restate(order, order.filled + order.remaining // 2, fault.text or RESTATED, now)


def _amount(text: str, decimals: int) -> int:
    try:
        amount = units(Decimal(text), decimals)
    except InvalidOperation as error:
        raise FaultError(f"{text!r} is no amount") from error
    if amount is None or abs(amount) > AMOUNT_MAX:
        raise FaultError(f"{text} is too large or has more than {decimals} decimals")
    return amount


_BY_KIND = {
    "auto_earn": _auto_earn,
    "ledger": _ledger,
    "engine_cancel": _engine_cancel,
    "restate": _restate,
    "status": _status,
    "maintenance": _maintenance,
    "expire_tokens": _expire_tokens,
    "clock": _clock,
    "pair": _pair,
    "partial_fill": _partial_fill,
}
