"""The topics of the bus, and which message each carries.

A topic is ``kind`` or ``kind.rest`` and ends in a NUL byte on the wire, so that ``book.BTC/USD`` never matches
``book.BTC/USDT``. A message of a *state* topic holds the whole state; it is repeated as the same bytes, every second
and to each new subscriber. A message of an *event* topic is sent once.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared import messages as m

NUL = "\0"
# No message has this topic: to subscribe to it asks the collector for a fresh snapshot of every book.
SNAPSHOT_REQUEST = "feed.snapshot"
# The collector fetches single orders while somebody subscribes to them by this name.
SINGLE_ORDERS = "feed.level3"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the topics table: the kind's name, its message, and whether it is state."""

    name: str
    message: type[m.Message]
    is_state: bool
    about: str


KINDS: tuple[Kind, ...] = (
    Kind("feed.instrument", m.Instruments, True, "pairs and assets: precisions, increments, minimums, status"),
    Kind("feed.status", m.FeedStatus, True, "the connection to Kraken, every 200 ms"),
    Kind("resync", m.Resync, True, "symbols that need a new snapshot, each with a request number"),
    Kind("book.status", m.BookStatus, True, "every book's state, every 200 ms"),
    Kind("book", m.Book, True, "the published depth of one symbol"),
    Kind("target", m.Target, True, "all quotes that one strategy wants for one symbol"),
    Kind("order", m.Orders, True, "own live orders of a symbol, and those ended in the last minute"),
    Kind("position", m.Position, True, "one strategy's position in one symbol"),
    Kind("account", m.Account, True, "balances, fees, rate budgets and profit"),
    Kind("control", m.Control, True, "halted or not, and why"),
    Kind("feed.book", m.FeedFrame, False, "a raw Kraken book frame as received"),
    Kind("feed.trade", m.FeedTrades, False, "trades of one symbol"),
    Kind(SINGLE_ORDERS, m.FeedFrame, False, "a raw Kraken level3 frame as received, with a data key"),
    Kind("feed.ticker", m.FeedFrame, False, "a raw Kraken ticker frame as received"),
    Kind("fill", m.Fill, False, "one own fill"),
    Kind("alert", m.Alert, False, "something a person should know"),
    Kind("heartbeat", m.Heartbeat, False, "a process's life and progress, each second"),
    Kind("log", m.LogLine, False, "warnings and above of one process"),
)
BY_NAME = {kind.name: kind for kind in KINDS}
# Of these a topic names the strategy before the symbol.
OF_STRATEGIES = frozenset({"target", "position"})


def kind_of(topic: str) -> Kind | None:
    """Return the kind of a topic (without its NUL), or None for one that this version does not know."""
    head, _, rest = topic.partition(".")
    two = BY_NAME.get(f"{head}.{rest.partition('.')[0]}") if rest else None
    return two or BY_NAME.get(head)


def why_unknown(word: str) -> str:
    """Return why a person cannot ask for this, or an empty text for a kind, ``feed``, or a whole topic."""
    if word == "feed" or (not word.endswith(".") and kind_of(word) is not None):
        return ""
    return f"{word!r} is no topic here; the kinds are: {', '.join(kind.name for kind in KINDS)}"


def rest_of(topic: str, kind: Kind) -> str:
    """Return what follows the kind in a topic: a symbol, a process, ``strategy.symbol``, or nothing."""
    return topic[len(kind.name) + 1 :]


def encode(topic: str) -> bytes:
    """Return a topic as its bytes on the wire."""
    return (topic + NUL).encode()


def decode(raw: bytes) -> str:
    """Return the topic of its bytes on the wire. Raises ValueError without the NUL at the end."""
    if not raw.endswith(b"\0"):
        raise ValueError(f"topic {raw[:64]!r} does not end in NUL")
    return raw[:-1].decode()


def subscription(names: str) -> list[bytes]:
    """Return the prefixes to subscribe to for a kind (``book``) or a whole topic (``book.BTC/USD``).

    A kind matches itself and all below it; ``feed`` alone matches every ``feed.*``, and a strategy's name alone
    (``target.market_maker``) all its symbols.
    """
    if not names:
        return [b""]
    if names in BY_NAME or names == "feed":
        return [encode(names), f"{names}.".encode()]
    kind, _, rest = names.partition(".")
    if kind in OF_STRATEGIES and "." not in rest:
        return [f"{names}.".encode()]
    return [encode(names)]
