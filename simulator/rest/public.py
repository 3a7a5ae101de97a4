"""Public REST calls (KRAKEN.md 4.3): from the fields of a query to a result."""

from __future__ import annotations

import time
from collections.abc import Callable

from simulator import errors
from simulator.arguments import decimal_text
from simulator.errors import KrakenError, invalid
from simulator.exchange.venue.candles import INTERVALS
from simulator.exchange.venue.trade import Trade
from simulator.exchange.venue.venue import Venue
from simulator.pairs.pairs import Pair, find_asset, find_pair
from simulator.pairs.views import rest_asset, rest_pair
from simulator.rest import books as rest_books
from simulator.wire import NS, Fields, Written, fixed, iso_seconds
from simulator.world import World

NAMES_MAX = 100
# The members of a pair by what ``info`` of AssetPairs asks for; empty for all.
_INFO: dict[str, tuple[str, ...]] = {
    "info": (),
    "leverage": ("leverage_buy", "leverage_sell"),
    "fees": ("fees", "fees_maker", "fee_volume_currency"),
    "margin": ("margin_call", "margin_stop"),
}


def server_time(_world: World, _fields: Fields, now: int) -> Written:
    """Answer ``Time``."""
    second = now // NS
    return {"unixtime": second, "rfc1123": time.strftime("%a, %d %b %y %H:%M:%S +0000", time.gmtime(second))}


def system_status(world: World, _fields: Fields, now: int) -> Written:
    """Answer ``SystemStatus``."""
    return {"status": world.exchange.state.system, "timestamp": iso_seconds(now // NS)}


def assets(world: World, fields: Fields, _now: int) -> Written:
    """Answer ``Assets``."""
    names = _names(fields, "asset")
    chosen = world.exchange.state.assets()
    if _tokenised(fields, "aclass"):
        if names:
            raise KrakenError(errors.UNKNOWN_ASSET)
        return {}
    if names:
        named = [find_asset(name) for name in names]
        if any(asset not in chosen for asset in named):
            raise KrakenError(errors.UNKNOWN_ASSET)
        chosen = [asset for asset in named if asset is not None]
    new = _new_names(fields)
    return {asset.name if new else asset.rest_id: rest_asset(asset) for asset in chosen}


def asset_pairs(world: World, fields: Fields, _now: int) -> Written:
    """Answer ``AssetPairs``, whole or the members that ``info`` names."""
    info = fields.get("info") or "info"
    if not isinstance(info, str) or info not in _INFO:
        raise invalid("info")
    if _tokenised(fields, "aclass_base"):
        if _names(fields, "pair"):
            raise KrakenError(errors.UNKNOWN_PAIR)
        return {}
    new, with_fees = _new_names(fields), world.config.unconfirmed.asset_pairs_fees == "shown"
    rows = {
        venue.pair.symbol if new else key: rest_pair(venue.pair, venue.status, new=new, fees=with_fees)
        for key, venue in named_venues(world, fields)
    }
    return {key: {name: row[name] for name in _INFO[info] or row} for key, row in rows.items()}


def _new_names(fields: Fields) -> bool:
    """True if the answer is wanted under the new names (``assetVersion=1``)."""
    version = str(fields.get("assetVersion") or "0")
    if version not in ("0", "1"):
        raise invalid("assetVersion")
    return version == "1"


def _tokenised(fields: Fields, name: str) -> bool:
    """True if tokenised assets are requested, of which this exchange has none; currencies are the default."""
    wanted = fields.get(name) or "currency"
    if wanted not in ("currency", "tokenized_asset"):
        raise invalid(name)
    return bool(wanted == "tokenized_asset")


def named_venues(world: World, fields: Fields) -> list[tuple[str, Venue]]:
    """Return the venues of the named pairs (all without names), each with its key: a slash name is its own key."""
    names = _names(fields, "pair")
    if not names:
        return [(venue.pair.rest_id, venue) for venue in world.exchange.venues.values()]
    chosen = []
    for name in names:
        venue = world.exchange.state.listed(find_pair(name))
        if venue is None:
            raise KrakenError(errors.UNKNOWN_PAIR)
        chosen.append((name if name == venue.pair.symbol else venue.pair.rest_id, venue))
    return chosen


def ticker(world: World, fields: Fields, now: int) -> Written:
    """Answer ``Ticker``: figures of today (UTC) and of the last 24 hours."""
    return {key: _ticker(venue, now) for key, venue in named_venues(world, fields)}


def _ticker(venue: Venue, now: int) -> dict[str, Written]:
    pair, day, today = venue.pair, venue.day, venue.day.today(now)
    bid, ask = venue.touch()
    sides = []
    for price, side in ((ask, venue.book.asks), (bid, venue.book.bids)):
        lots = side.qty.get(price or 0, 0)
        sides.append([pair.padded_price(price or 0), str(lots // 10**pair.qty_precision), _thousandths(lots, pair)])
    last = venue.tape[-1].qty if venue.tape else 0
    return {
        "a": sides[0],
        "b": sides[1],
        "c": [pair.padded_price(venue.last_price), pair.qty(last)],
        "v": [pair.qty(today.volume), pair.qty(day.volume)],
        "p": [pair.padded_price(today.vwap), pair.padded_price(day.vwap())],
        "t": [today.trades, day.trades],
        "l": [pair.padded_price(today.low), pair.padded_price(day.low)],
        "h": [pair.padded_price(today.high), pair.padded_price(day.high)],
        "o": pair.padded_price(today.open),
    }


def depth(world: World, fields: Fields, _now: int) -> Written:
    """Answer ``Depth``; quantities are rounded to three decimals, as Kraken does."""
    key, venue = _one_venue(world, fields)
    pair = venue.pair
    count = _whole(fields, "count", 100, 1, 500)
    second = venue.book.changed_ns // NS
    sides: dict[str, Written] = {
        name: [[pair.padded_price(price), _thousandths(qty, pair), second] for price, qty in side.best(count)]
        for name, side in (("asks", venue.book.asks), ("bids", venue.book.bids))
    }
    return {key: sides}


def trades(world: World, fields: Fields, now: int) -> Written:
    """Answer ``Trades``, from what the tape still holds."""
    key, venue = _one_venue(world, fields)
    pair = venue.pair
    count = _whole(fields, "count", 1000, 1, 1000)
    since = _whole(fields, "since", 0, 0, 2**63)
    since_ns = since if since > 10**12 else since * NS
    chosen = [trade for trade in venue.tape if trade.ns > since_ns]
    chosen = _page(chosen, count) if since else chosen[-count:]
    rows: list[Written] = [
        [
            pair.padded_price(trade.price),
            pair.qty(trade.qty),
            trade.ns / NS,
            trade.side[0],
            trade.kind[0],
            "",
            trade.trade_id,
        ]
        for trade in chosen
    ]
    return {key: rows, "last": str(chosen[-1].ns if chosen else since_ns or now)}


def _page(tape: list[Trade], count: int) -> list[Trade]:
    """Return the first trades, about ``count``: a page ends between matches, since ``last`` is a match's time."""
    if len(tape) <= count:
        return tape
    cut = count
    while cut and tape[cut - 1].ns == tape[count].ns:
        cut -= 1
    return tape[:cut] if cut else [trade for trade in tape if trade.ns == tape[0].ns]


def ohlc(world: World, fields: Fields, now: int) -> Written:
    """Answer ``OHLC``: up to 720 candles, the running one last; ``last`` is the begin of the last finished one."""
    key, venue = _one_venue(world, fields)
    pair = venue.pair
    interval = _whole(fields, "interval", 1, 1, INTERVALS[-1])
    if interval not in INTERVALS:
        raise invalid("interval")
    since = _whole(fields, "since", 0, 0, 2**40)
    candles = venue.candles.kept(interval)
    rows: list[Written] = [
        [
            c.begin // NS,
            *(pair.price(price) for price in (c.open, c.high, c.low, c.close, c.vwap)),
            pair.qty(c.volume),
            c.trades,
        ]
        for c in candles
        if c.begin // NS >= since
    ]
    over = [c for c in candles if c.end <= now]
    # Before the first candle has ended: the begin of the interval before the running one.
    begin = over[-1].begin // NS if over else (now // (60 * interval * NS) - 1) * 60 * interval
    return {key: rows, "last": begin}


def spread(world: World, fields: Fields, now: int) -> Written:
    """Answer ``Spread``: the last 200 touches."""
    key, venue = _one_venue(world, fields)
    since = _whole(fields, "since", 0, 0, 2**40)
    touches = [touch for touch in venue.spreads if touch[0] // NS >= since]
    rows = [(ns // NS, venue.pair.padded_price(bid), venue.pair.padded_price(ask)) for ns, bid, ask in touches]
    return {key: rows, "last": rows[-1][0] if rows else since or now // NS}


def _one_venue(world: World, fields: Fields) -> tuple[str, Venue]:
    if not fields.get("pair"):
        raise invalid("pair")
    return named_venues(world, fields)[0]


def _names(fields: Fields, name: str) -> list[str]:
    value = fields.get(name) or ""
    names = [item.strip() for item in str(value).split(",") if item.strip()]
    if len(names) > NAMES_MAX:
        raise invalid(name)
    return names


def _whole(fields: Fields, name: str, default: int, low: int, high: int) -> int:
    value = decimal_text(fields, name)
    if value is None:
        return default
    if not low <= value <= high:
        raise invalid(name)
    return int(value)


def _thousandths(lots: int, pair: Pair) -> str:
    unit = 10 ** (pair.qty_precision - 3)
    return fixed((2 * lots + unit) // (2 * unit), 3)


METHODS: dict[str, Callable[[World, Fields, int], Written]] = {
    "Time": server_time,
    "SystemStatus": system_status,
    "Assets": assets,
    "AssetPairs": asset_pairs,
    "Ticker": ticker,
    "Depth": depth,
    "GroupedBook": rest_books.grouped,
    "Trades": trades,
    "OHLC": ohlc,
    "Spread": spread,
}
