"""The structs inside the ``account`` message (:mod:`shared.messages`); numbers are decimal text."""

from __future__ import annotations

import msgspec


class Fees(msgspec.Struct, frozen=True, kw_only=True):
    """Maker and taker fee in percent of cost, as decimal text."""

    maker: str
    taker: str


class Profit(msgspec.Struct, frozen=True, kw_only=True):
    """One pair's profit by weighted-average cost, decimal text: amounts in quote currency, ``qty`` in base currency.

    ``qty`` is what fills since the journal began add up to, and ``average_price`` what it cost (empty when flat).
    ``mid`` is the last good one (empty before the first); ``is_stale`` says that the book is not live now.
    """

    realised: str
    unrealised: str
    fees: str
    qty: str
    average_price: str
    mid: str
    is_stale: bool


class QuoteProfit(msgspec.Struct, frozen=True, kw_only=True):
    """Profit of all pairs of a quote asset, in that asset as decimal text, exact to the last digit.

    ``equity`` is realised + unrealised - fees + transfers + rounding.
    """

    realised: str
    unrealised: str
    fees: str
    transfers: str
    rounding: str
    equity: str


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """The worth of one unit of an asset in ``trading.currency``, decimal text (empty before the first).

    ``way`` are the pairs that value it, none for the currency itself; ``valid`` says that the mid of each is live.
    """

    rate: str
    valid: bool
    way: list[str] = []


class EmptySlot(msgspec.Struct, frozen=True, kw_only=True):
    """A slot for which a strategy wants an order, and which has been empty for 20 s.

    ``why`` is the reason for people; ``refused`` is true if the exchange rejects the orders, ``error`` is then its
    text. ``since_ts`` is when the slot became empty.
    """

    strategy: str
    symbol: str
    slot: str
    since_ts: int
    why: str
    refused: bool = False
    error: str = ""


class UnwantedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An own order that has been open for 20 s although no target asks for it."""

    strategy: str
    symbol: str
    slot: str
    cl_ord_id: str
    order_id: str
    since_ts: int
    why: str


class AssetPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A traded base: its balance less ``inventory_base``, and that in ``trading.currency`` (empty without a rate).

    ``least`` is the smallest amount that an order could close: below it is dust. ``wallets`` are balances outside the
    spot wallet (``earn/flex``), which cannot be traded. ``held`` says why the asset is held (a change that no fill
    explains), empty if it is not.
    """

    position: str
    worth: str
    inventory: str = "0"
    least: str = "0"
    wallets: dict[str, str] = {}
    held: str = ""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a profit in ``trading.currency``, decimal text; docs/attribution.md has their formulas.

    ``unexplained`` is the profit less all parts. ``unmarked`` is the profit of fills whose mids are not known.
    """

    spread: str = "0"
    adverse: str = "0"
    drift: str = "0"
    fees: str = "0"
    fx: str = "0"
    rounding: str = "0"
    unmarked: str = "0"
    unexplained: str = "0"


class MarkoutMean(msgspec.Struct, frozen=True, kw_only=True):
    """The mean move of the mid from fills' prices in our favour, bp, with its standard error; None without fills."""

    fills: int
    mean_bps: float | None
    error_bps: float | None
