"""The pairs that the exchange lists, and those of them that we want: to trade, or to value quote assets."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from shared.kraken import v2
from shared.messages import Instruments, Pair
from shared.numbers import ceil_to, scale
from shared.valuation import reference_pairs

COST_PRECISION = 5  # of nearly all pairs


@dataclass(frozen=True, slots=True)
class Valuing:
    """The currency that quote assets are valued in, and the pairs for that; None chooses from the listed ones."""

    currency: str = "USD"
    pairs: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes to subscriptions that a new list requires."""

    added: list[str] = field(default_factory=list)  # pairs that value quote assets, newly wanted
    gone: list[str] = field(default_factory=list)  # wanted pairs that the exchange listed before
    back: list[str] = field(default_factory=list)  # wanted pairs that it lists again


class Listing:
    """Instrument data by symbol; ``traded`` are the configured pairs. In a replay every listed pair is wanted."""

    def __init__(self, traded: list[str], valuing: Valuing, *, replay: bool) -> None:
        self._traded, self._valuing, self._replay = traded, valuing, replay
        # Subscribed to for their books only, to value other quote assets in the trading currency.
        self._references = [symbol for symbol in valuing.pairs or [] if symbol not in traded]
        self.symbols = [*traded, *self._references]
        self.pairs: dict[str, Pair] = {}
        self._assets: dict[str, int] = {}
        self._listed: set[str] = set()
        self.changes = 0  # rises when pairs are listed or not any more, or their data come

    @property
    def unknown(self) -> list[str]:
        """Return the wanted pairs that the exchange does not list; none before its list has come."""
        return [symbol for symbol in self.symbols if symbol not in self._listed] if self._listed else []

    @property
    def is_known(self) -> bool:
        """True once the exchange's list has come."""
        return bool(self._listed)

    def wants(self, symbol: str) -> bool:
        """True if frames of a symbol are handed on."""
        return self._replay or symbol in self.symbols

    def wanted(self, channel: str) -> list[str]:
        """Return the symbols to subscribe to on a channel; a pair that only values a quote needs just its book."""
        unknown = set(self.unknown)
        return [symbol for symbol in (self.symbols if channel == "book" else self._traded) if symbol not in unknown]

    def add_asset(self, asset: str, decimals: int) -> None:
        """Take an asset's decimals."""
        self._assets[asset] = decimals

    def add_pair(self, pair: Pair) -> None:
        """Take a pair's data, where it is wanted."""
        if self.wants(pair.symbol):
            self.changes += pair.symbol not in self.pairs
            self.pairs[pair.symbol] = pair

    def relist(self, listed: set[str], online: set[str], *, is_whole: bool) -> Changes:
        """Take in the exchange's list, whole or changes to it; return what changes for the subscriptions."""
        before = self._listed
        self.changes += 1
        self._listed = listed if is_whole else before | listed
        if self._replay:
            return Changes()
        added = self._add_references(online)
        gone = [symbol for symbol in self.unknown if symbol in before or not before]
        back = [symbol for symbol in self.symbols if before and symbol in self._listed and symbol not in before]
        return Changes(added, gone, back)

    def _add_references(self, online: set[str]) -> list[str]:
        if self._valuing.pairs is not None:
            return []
        pairs = reference_pairs(self._valuing.currency, self._traded, online)
        added = [symbol for symbol in pairs if symbol not in self._references]
        self._references += added
        self.symbols += added
        return added

    def message(self) -> Instruments:
        """Return the instrument data of the wanted pairs, for the bus."""
        legs = {leg for pair in self.pairs.values() for leg in (pair.base, pair.quote)}
        return Instruments(
            pairs=dict(self.pairs),
            assets={name: decimals for name, decimals in self._assets.items() if name in legs},
            references=[symbol for symbol in self._references if symbol in self.pairs],
            unknown=self.unknown,
        )


def pair_of(pair: v2.Pair) -> Pair:
    """Return a pair's data. A limit that Kraken leaves out gets its loosest value: the exchange checks it anyway."""
    tick, lot = Decimal(1).scaleb(-pair.price_precision), Decimal(1).scaleb(-pair.qty_precision)
    return Pair(
        symbol=pair.symbol,
        base=pair.base,
        quote=pair.quote,
        status=pair.status,
        price_precision=pair.price_precision,
        qty_precision=pair.qty_precision,
        price_increment=scale(pair.price_increment or pair.tick_size or tick, pair.price_precision),
        qty_increment=scale(pair.qty_increment or lot, pair.qty_precision),
        qty_min=ceil_to(pair.qty_min or Decimal(0), pair.qty_precision),
        cost_min=format(pair.cost_min or Decimal(0), "f"),
        cost_precision=pair.cost_precision if pair.cost_precision is not None else COST_PRECISION,
    )
