"""Balances, and whether the fills explain them (T14, T15).

Balances come from Kraken's ledger entries. Each fill must move base and quote, its two legs. Kraken rounds a leg's
amount and its fee to the asset's decimals, each by half a unit at most. ``residual`` is what neither entries nor fills
explain: exactly zero when every leg has its entry, else at most one unit for each leg without.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from shared import limits
from shared.clock import SECOND
from shared.numbers import round_money

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill as it moves money: ``effects`` is the exact change of each asset, fee included; ``fees`` by asset."""

    exec_id: str
    effects: dict[str, Decimal]
    fees: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry of Kraken; ``ref_id`` of a trade is the fill's exec id, ``ts`` ns since the epoch."""

    ledger_id: str
    ref_id: str
    asset: str
    kind: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    ts: int

    @property
    def change(self) -> Decimal:
        """Return the change of the balance: the amount less the fee."""
        return self.amount - self.fee


@dataclass(slots=True)
class Holding:
    """One asset: its balance at the journal's opening and now, transfers since, and the exact effects of all fills.

    ``settled`` is the sum of opening and entries; ``open_legs`` are the effects of fills without an entry yet.
    """

    opening: Decimal = ZERO
    balance: Decimal = ZERO
    transfers: Decimal = ZERO
    effects: Decimal = ZERO
    settled: Decimal = ZERO
    open_legs: dict[str, Decimal] = field(default_factory=dict)

    @property
    def residual(self) -> Decimal:
        """Return the part of the balance that is not explained."""
        return self.balance - self.settled - sum(self.open_legs.values(), ZERO)

    @property
    def rounding(self) -> Decimal:
        """Return what Kraken's rounding has taken or given, if everything is explained.

        A fill whose entry is still to come has not moved the balance: its effect is no rounding meanwhile.
        """
        return self.balance - self.opening - self.transfers - self.effects + sum(self.open_legs.values(), ZERO)


class Recent:
    """The newest few keys, in order of coming: what the journal may not hold yet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: dict[Hashable, None] = {}

    def add(self, key: Hashable) -> None:
        """Remember a key; the oldest goes when there are too many."""
        self._keys[key] = None
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]

    def take(self, key: Hashable) -> bool:
        """Forget a key; return False if it was not there."""
        return self._keys.pop(key, ...) is None

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys


class Spot(Mapping[str, Decimal]):
    """Balances by asset, read from holdings."""

    def __init__(self, holdings: Mapping[str, Holding]) -> None:
        self._holdings = holdings

    def __getitem__(self, asset: str) -> Decimal:
        return self._holdings[asset].balance

    def __iter__(self) -> Iterator[str]:
        return iter(self._holdings)

    def __len__(self) -> int:
        return len(self._holdings)


class Ledger:
    """All assets of the account.

    ``knows_entry`` asks the journal for a ledger id, ``assets_settled`` for the assets of a fill's entries.
    """

    def __init__(self, knows_entry: Callable[[str], bool], assets_settled: Callable[[str], set[str]]) -> None:
        self.holdings: dict[str, Holding] = {}
        # Balances outside the spot wallet, by asset and wallet (``earn/flex``): owned, but nothing to trade with.
        self.wallets: dict[str, dict[str, Decimal]] = {}
        self._decimals: dict[str, int] = {}
        # Live entries of trades whose fill has not come, by ref_id and asset; ``missing`` are those whose fill is late.
        self.unmatched: dict[str, dict[str, Decimal]] = {}
        self.missing: set[str] = set()
        self.is_open = False
        self.opened_ts = 0
        self._knows_entry, self._assets_settled = knows_entry, assets_settled
        # (exec_id, asset): entries that came before their fill, and legs that a snapshot settled.
        self._early = Recent(limits.LEDGER_RECENT)
        self._absorbed = Recent(limits.LEDGER_RECENT)
        self._seen = Recent(limits.LEDGER_RECENT)
        # Fetched entries from around the opening, by ledger id: only the balances can show which came after it.
        self._about_opening: dict[str, Entry] = {}
        # Caches of what is not explained, and of whether legs were settled; reset by every change.
        self._unexplained: str | None = None
        self._is_absorbed = False

    def _changed(self) -> None:
        self._unexplained, self._is_absorbed = None, False

    def set_decimals(self, decimals: dict[str, int]) -> None:
        """Set each asset's decimals, to which the ledger rounds."""
        if decimals != self._decimals:
            self._decimals = decimals
            self._changed()

    def set_missing(self, ref_ids: Iterable[str]) -> None:
        """Set the trades whose fill is late; until it comes the balances count as unexplained."""
        self.missing = set(ref_ids)

    def restore(self, holdings: dict[str, Holding], opened_ts: int) -> None:
        """Restore holdings and opening from the journal."""
        self.holdings, self.opened_ts = holdings, opened_ts
        self.is_open = bool(holdings)
        self._changed()

    def open(self, balances: dict[str, Decimal], ts: int) -> None:
        """Open a new journal at its first balances snapshot, at this exchange time."""
        self.holdings = {asset: Holding(opening=b, balance=b, settled=b) for asset, b in balances.items()}
        self.is_open, self.opened_ts = True, ts
        self.unmatched.clear()
        self._changed()

    def wallet(self, asset: str, name: str, change: Decimal) -> None:
        """Take in an entry of another wallet than the spot one."""
        wallets = self.wallets.setdefault(asset, {})
        wallets[name] = wallets.get(name, ZERO) + change

    def fill(self, trade: Trade) -> None:
        """Take a fill that was not counted before."""
        self._changed()
        self.unmatched.pop(trade.exec_id, None)
        self.missing.discard(trade.exec_id)
        settled = self._assets_settled(trade.exec_id)
        for asset, effect in trade.effects.items():
            holding = self._holding(asset)
            holding.effects += effect
            fee = trade.fees.get(asset, ZERO)
            # A leg that rounds to zero gets no entry; its exact effect counts as rounding.
            away = self._rounds_away(asset, effect + fee) and self._rounds_away(asset, fee)
            if not (self._early.take((trade.exec_id, asset)) or asset in settled or away):
                holding.open_legs[trade.exec_id] = effect

    def entry(self, entry: Entry, *, live: bool) -> bool:
        """Take a ledger entry; a ``live`` one has the current balance, a fetched one has not.

        Return False if it does not count.
        """
        if self._is_known(entry):
            return False
        holding = self._holding(entry.asset)
        is_trade = entry.kind == "trade"
        if not live and not (entry.ref_id in holding.open_legs if is_trade else self._is_new(entry)):
            # Older than the journal, settled by a snapshot, or of a fill that is not known yet.
            return False
        self._take(entry, live=live)
        return True

    def _take(self, entry: Entry, *, live: bool) -> None:
        self._changed()
        holding = self._holding(entry.asset)
        self._seen.add(entry.ledger_id)
        if live:
            holding.balance = entry.balance
        holding.settled += entry.change
        if entry.kind != "trade":
            holding.transfers += entry.change
        elif holding.open_legs.pop(entry.ref_id, None) is None and not self._absorbed.take((entry.ref_id, entry.asset)):
            # A live one: of those that are fetched later only such count that a fill waits for.
            self._early.add((entry.ref_id, entry.asset))
            legs = self.unmatched.setdefault(entry.ref_id, {})
            legs[entry.asset] = legs.get(entry.asset, ZERO) + entry.change
            while len(self.unmatched) > limits.LEDGER_RECENT:
                del self.unmatched[next(iter(self.unmatched))]

    def has_entries(self, ref_id: str) -> bool:
        """True if an entry of a trade was counted as newer than the opening, by this process or an earlier one."""
        return ref_id in self.unmatched or bool(self._assets_settled(ref_id))

    def give_up(self, ref_id: str) -> dict[str, Decimal]:
        """Count a trade's entries as transfers, since no fill explains them; return the changes by asset."""
        self._changed()
        self.missing.discard(ref_id)
        changes = self.unmatched.pop(ref_id, {})
        for asset, change in changes.items():
            self._early.take((ref_id, asset))
            self._holding(asset).transfers += change
        return changes

    def snapshot(self, balances: dict[str, Decimal]) -> None:
        """Take balances as the exchange states them now, and settle the legs that they explain within rounding."""
        self._changed()
        for asset in sorted({*balances, *self.holdings}):
            self._holding(asset).balance = balances.get(asset, ZERO)
        self.absorb()

    def absorb(self) -> list[str]:
        """Settle the open legs that the balances explain: their entries came while this process did not watch.

        Return the assets whose legs were settled.
        """
        settled: list[str] = []
        if self._is_absorbed:
            return settled
        self._changed()
        self._is_absorbed = True
        for asset, holding in self.holdings.items():
            if holding.open_legs and self.explains(asset):
                settled.append(asset)
                for exec_id in holding.open_legs:
                    self._absorbed.add((exec_id, asset))
                holding.open_legs.clear()
                holding.settled = holding.balance
        return settled

    def explains(self, asset: str) -> bool:
        """True if fills and entries explain this balance, to a unit of rounding for each leg without its entry."""
        return self._is_rounding(asset, self.holdings[asset].residual)

    @property
    def undecided(self) -> int:
        """Return how many fetched entries from about the opening are not known to be newer than it."""
        return sum(not self._is_known(entry) for entry in self._about_opening.values())

    def take_beside(self, effects: Mapping[str, Decimal], fills: int) -> list[Entry]:
        """Take the last entries from about the opening, if they and fills with these effects explain every balance."""
        missing = self._residuals(effects)
        newer = self._last_entries(missing, fills)
        return self._take_newer(newer) if self._is_all_rounding(missing, fills) else []

    def would_explain(self, effects: Mapping[str, Decimal], fills: int) -> bool:
        """True if fills with these effects together would leave no balance unexplained, within their rounding."""
        return self._is_all_rounding(self._residuals(effects), fills)

    @property
    def difference(self) -> str:
        """Return as text what is not explained; empty if all is."""
        if not self.is_open:
            return "no balances yet"
        if self._unexplained is None:
            wrong = [f"{name} {h.residual:+f}" for name, h in sorted(self.holdings.items()) if not self.explains(name)]
            self._unexplained = ", ".join(wrong)
        if self._unexplained:
            return f"fills do not explain the balances: {self._unexplained}"
        if self.missing:
            return f"the fill of a trade's ledger entries has not been reported: {', '.join(sorted(self.missing))}"
        return ""

    @property
    def spot(self) -> Mapping[str, Decimal]:
        """Return the balances of the spot wallet as they are now, without a copy."""
        return Spot(self.holdings)

    def spendable(self) -> dict[str, Decimal]:
        """Return every asset's balance in the spot wallet."""
        return {asset: holding.balance for asset, holding in self.holdings.items()}

    def total(self, asset: str) -> Decimal:
        """Return an asset's balance in all wallets together."""
        holding = self.holdings.get(asset)
        return (holding.balance if holding else ZERO) + sum(self.wallets.get(asset, {}).values(), ZERO)

    def newer_than_opening(self) -> list[Entry]:
        """Take and return the fetched entries from around the opening that the balances prove newer, oldest first.

        They are the last few of each asset: the fewest that explain its balance.
        """
        if not self.undecided:  # asked in each pass
            return []
        missing = self._residuals({})
        last = self._last_entries(missing)
        return self._take_newer([entry for entry in last if self._is_rounding(entry.asset, missing[entry.asset])])

    def _residuals(self, effects: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return what fills with these effects would leave unexplained, by asset."""
        assets = {*self.holdings, *effects, *(entry.asset for entry in self._about_opening.values())}
        return {asset: self.holdings.get(asset, Holding()).residual - effects.get(asset, ZERO) for asset in assets}

    def _last_entries(self, missing: dict[str, Decimal], fills: int = 0) -> list[Entry]:
        """Return the fewest last entries from around the opening that explain an asset; take them off ``missing``."""
        last: list[Entry] = []
        for entry in sorted(self._about_opening.values(), key=lambda entry: entry.ts, reverse=True):
            if not self._is_known(entry) and not self._is_rounding(entry.asset, missing[entry.asset], fills):
                last.append(entry)
                missing[entry.asset] -= entry.change
        return last

    def _take_newer(self, entries: list[Entry]) -> list[Entry]:
        newer = sorted(entries, key=lambda entry: entry.ts)
        for entry in newer:
            self._take(entry, live=False)
        return newer

    def _is_known(self, entry: Entry) -> bool:
        return entry.ledger_id in self._seen or self._knows_entry(entry.ledger_id)

    def _is_new(self, entry: Entry) -> bool:
        """True if a fetched entry came clearly after the opening.

        One from around it is set aside: our own clock may have timed the opening.
        """
        since = entry.ts - self.opened_ts
        if abs(since) <= limits.OPENING_CLOCK_S * SECOND:
            self._about_opening[entry.ledger_id] = entry
            return False
        return since > 0

    def _is_all_rounding(self, missing: Mapping[str, Decimal], fills: int) -> bool:
        return all(self._is_rounding(asset, amount, fills) for asset, amount in missing.items())

    def _is_rounding(self, asset: str, amount: Decimal, fills: int = 0) -> bool:
        """True if an amount is no more than a unit for each leg without its entry, and for so many fills beside it."""
        unit = Decimal(1).scaleb(-self._decimals.get(asset, 10))
        return abs(amount) <= unit * (len(self.holdings.get(asset, Holding()).open_legs) + fills)

    def _rounds_away(self, asset: str, amount: Decimal) -> bool:
        return not round_money(amount, self._decimals.get(asset, 10))

    def _holding(self, asset: str) -> Holding:
        return self.holdings.setdefault(asset, Holding())
